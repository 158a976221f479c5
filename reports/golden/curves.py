"""Golden analyses of one endpoint without a model: curves, quantiles, means, log-rank tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from reports.golden.data import Sample, sample
from reports.golden.records import GoldenSet, Record, as_list
from reports.stats.exact.adjust import Method, adjusted
from reports.stats.kaplan_meier import ConfidenceType, KaplanMeier, kaplan_meier
from reports.stats.logrank import log_rank, pairwise_log_rank
from reports.stats.rmst import mean_difference, restricted_mean
from reports.stats.times import merge_close_intervals, merge_close_times

Result = tuple[dict[str, Any], list[dict[str, Any]]]
ALL = "all"


def km_quantiles(golden: GoldenSet, record: Record) -> Result:
    """Quartiles with their intervals."""
    rows = []
    for stratum, curve in _curves(golden, record):
        row: dict[str, Any] = {
            "stratum": stratum,
            "n": curve.n_start,
            "records": curve.n,
            "events": curve.events,
        }
        for name, share in (("q25", 0.25), ("median", 0.5), ("q75", 0.75)):
            found = curve.quantile(share)
            row |= {name: found.value, f"{name}_lower": found.lower, f"{name}_upper": found.upper}
        rows.append(row)
    return {}, rows


def km_at_times(golden: GoldenSet, record: Record) -> Result:
    """Survival at given times."""
    times = np.array(as_list(record.args["times"]), dtype=np.float64)
    rows = []
    for stratum, curve in _curves(golden, record):
        for point in curve.at(times):
            rows.append(
                {
                    "stratum": stratum,
                    "time": point.time,
                    "n_risk": point.n_risk,
                    "n_event_cum_interval": point.n_events,
                    "survival": point.survival,
                    "std_err": point.std_err,
                    "lower": point.lower,
                    "upper": point.upper,
                    "beyond_last_time": point.beyond_last_time,
                }
            )
    return {}, rows


def km_curve(golden: GoldenSet, record: Record) -> Result:
    """The whole curve, with its log and log-log intervals."""
    rows = []
    by_log = _curves(golden, record, conf_type="log")
    by_log_log = _curves(golden, record, conf_type="log-log")
    for (stratum, curve), (_, other) in zip(by_log, by_log_log, strict=True):
        columns = {
            "time": curve.time,
            "n_risk": curve.n_risk,
            "n_event": curve.n_event,
            "n_censor": curve.n_censor,
            "survival": curve.survival,
            "std_err_log": np.where(curve.survival > 0, curve.std_err_log, np.nan),
            "lower_log": curve.limits[0],
            "upper_log": curve.limits[1],
            "lower_loglog": other.limits[0],
            "upper_loglog": other.limits[1],
        }
        frame = pl.DataFrame(columns).with_columns(stratum=pl.lit(stratum))
        rows.extend(frame.to_dicts())
    return {}, rows


def reverse_km(golden: GoldenSet, record: Record) -> Result:
    """Follow-up: being censored is the event."""
    rows = []
    for stratum, curve in _curves(golden, record, reverse=True):
        median = curve.median
        rows.append(
            {
                "stratum": stratum,
                "n": curve.n_start,
                "censored": curve.events,
                "q25": curve.quantile(0.25).value,
                "median": median.value,
                "median_lower": median.lower,
                "median_upper": median.upper,
                "q75": curve.quantile(0.75).value,
            }
        )
    return {}, rows


def rmst(golden: GoldenSet, record: Record) -> Result:
    """Restricted means."""
    rows = []
    for stratum, curve in _curves(golden, record):
        mean = restricted_mean(curve, float(record.args["tau"]))
        rows.append(
            {
                "stratum": stratum,
                "tau": mean.tau,
                "rmst": mean.value,
                "se": mean.std_err,
                "lower": mean.lower,
                "upper": mean.upper,
            }
        )
    return {}, rows


def rmst_diff(golden: GoldenSet, record: Record) -> Result:
    """Differences of restricted means, the later group minus the earlier."""
    tau = float(record.args["tau"])
    means = {name: restricted_mean(curve, tau) for name, curve in _curves(golden, record)}
    rows = []
    for row in record.rows:
        difference = mean_difference(means[row["arm1"]], means[row["arm0"]])
        rows.append(
            {
                "arm1": row["arm1"],
                "arm0": row["arm0"],
                "tau": tau,
                "diff": difference.value,
                "se": difference.std_err,
                "lower": difference.lower,
                "upper": difference.upper,
                "z": difference.z,
                "p": difference.p,
            }
        )
    return {}, rows


def logrank(golden: GoldenSet, record: Record) -> Result:
    """The log-rank test, stratified or not, of any rho."""
    by, strata = str(record.by), record.args.get("strata")
    data = sample(golden, record).complete(by, strata)
    times, events = _times(data, record)
    groups = data.labels(by).to_numpy()
    within = data.labels(strata).to_numpy() if strata else None
    test = log_rank(times, events, groups, rho=float(record.args.get("rho") or 0), strata=within)
    of = {name: k for k, name in enumerate(test.groups)}
    rows = [
        {
            "stratum": name,
            "n": test.n[of[name]],
            "observed": test.observed[of[name]],
            "expected": test.expected[of[name]],
        }
        for name in data.levels_of(by)
    ]
    scalars = {"n_used": len(times), "chisq": test.chi_squared, "df": test.df, "p": test.p}
    return scalars, rows


def logrank_pairwise(golden: GoldenSet, record: Record) -> Result:
    """The log-rank test of each pair of groups."""
    by = str(record.by)
    data = sample(golden, record).complete(by)
    times, events = _times(data, record)
    pairs = pairwise_log_rank(times, events, data.labels(by).to_numpy(), data.levels_of(by))
    rows = [
        {
            "g1": pair.first,
            "g2": pair.second,
            "chisq": pair.chi_squared,
            "p": pair.p,
            "p_bonferroni": pair.bonferroni,
            "p_holm": pair.holm,
            "p_bh": pair.bh,
        }
        for pair in pairs
    ]
    return {}, rows


def p_adjust(golden: GoldenSet, record: Record) -> Result:
    """P values adjusted for their number."""
    p = np.array([row["p"] for row in record.rows], dtype=np.float64)
    methods: tuple[Method, ...] = ("holm", "bh", "bonferroni", "hochberg")
    columns: dict[str, Any] = {name: adjusted(p, name) for name in methods}
    return {}, pl.DataFrame({"p": p, **columns}).to_dicts()


def _curves(
    golden: GoldenSet,
    record: Record,
    *,
    reverse: bool = False,
    conf_type: ConfidenceType | None = None,
) -> Iterator[tuple[str, KaplanMeier]]:
    data = sample(golden, record).complete(record.by, record.endpoint.get("entry"))
    entry_column = record.endpoint.get("entry")
    times, events = _times(data, record)
    entry = None
    if entry_column:
        entry, times = merge_close_intervals(data.frame[entry_column].to_numpy(), times)
    groups = data.labels(record.by).to_numpy() if record.by else None
    for stratum in data.levels_of(record.by) if record.by else [ALL]:
        mine = np.ones(times.size, bool) if groups is None else groups == stratum
        yield (
            stratum,
            kaplan_meier(
                times[mine],
                ~events[mine] if reverse else events[mine],
                entry=None if entry is None else entry[mine],
                conf_type=conf_type or record.args.get("conf_type") or "log",
                level=float(record.args.get("conf_int") or 0.95),
            ),
        )


def _times(data: Sample, record: Record) -> tuple[Any, Any]:
    times = merge_close_times(data.frame[record.endpoint["time"]].to_numpy())
    return times, (data.frame[record.endpoint["event"]].cast(pl.Float64) == 1).to_numpy()
