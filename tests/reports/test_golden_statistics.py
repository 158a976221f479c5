"""Every number of `reports.stats` against R 4.2.2, survival 3.5-3 (tests/golden)."""

import csv
import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reports.stats.kaplan_meier import kaplan_meier, reverse_kaplan_meier
from reports.stats.logrank import log_rank
from reports.stats.tables import chi_squared, clopper_pearson, rank_test
from reports.stats.times import merge_close_times

GOLDEN = Path(__file__).parents[1] / "golden"
DATASETS = ("lung", "edge", "colon", "paper_table1")
RELATIVE = 1e-9


@cache
def golden(dataset: str) -> dict[str, Any]:
    return json.loads((GOLDEN / f"golden_{dataset}.json").read_text(encoding="utf-8"))


@cache
def rows(dataset: str) -> tuple[dict[str, str], ...]:
    with (GOLDEN / f"{dataset}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def records(analysis: str) -> list[Any]:
    return [
        pytest.param(dataset, record, id=record["id"])
        for dataset in DATASETS
        for record in golden(dataset)["results"]
        if record["analysis"] == analysis and not not_covered(record)
    ]


def not_covered(record: dict[str, Any]) -> bool:
    """Left truncation and stratified tests: the golden runner compares them (tests/stats)."""
    endpoint = record["endpoint"] or {}
    args = record["args"] or {}
    return bool(endpoint.get("entry") or args.get("strata"))


def survival_data(dataset: str, record: dict[str, Any]) -> tuple[Any, Any, Any]:
    endpoint, by = record["endpoint"], record["by"]
    used = rows(dataset)
    if dataset == "edge":
        used = tuple(row for row in used if row["case"] == endpoint["name"])
    if by:
        used = tuple(row for row in used if row[by])
    times = np.array([float(row[endpoint["time"]]) for row in used])
    events = np.array([row[endpoint["event"]] == "1" for row in used])
    groups = np.array([row[by] if by else "all" for row in used])
    return merge_close_times(times), events, groups


def same(ours: float | None, theirs: float | None, relative: float = RELATIVE) -> bool:
    if theirs is None:
        return ours is None or math.isnan(ours)
    if ours is None or math.isnan(ours):
        return False
    return abs(ours - theirs) <= relative * max(abs(theirs), 1e-300) or abs(ours - theirs) < 1e-15


def compare(pairs: dict[str, tuple[float | None, float | None]]) -> None:
    wrong = {name: pair for name, pair in pairs.items() if not same(*pair)}
    assert not wrong


@pytest.mark.parametrize(("dataset", "record"), records("km_quantiles"))
def test_quantiles_and_their_intervals_equal_r(dataset: str, record: dict[str, Any]) -> None:
    times, events, groups = survival_data(dataset, record)
    for row in record["rows"]:
        mine = groups == row["stratum"]
        curve = kaplan_meier(times[mine], events[mine], conf_type=record["args"]["conf_type"])
        assert (curve.n, curve.events) == (row["n"], row["events"])
        for name, share in (("q25", 0.25), ("median", 0.5), ("q75", 0.75)):
            found = curve.quantile(share)
            compare(
                {
                    name: (found.value, row[name]),
                    f"{name}_lower": (found.lower, row[f"{name}_lower"]),
                    f"{name}_upper": (found.upper, row[f"{name}_upper"]),
                }
            )


@pytest.mark.parametrize(("dataset", "record"), records("km_at_times"))
def test_survival_at_given_times_equals_r(dataset: str, record: dict[str, Any]) -> None:
    times, events, groups = survival_data(dataset, record)
    grid = np.array(record["args"]["times"], dtype=float)
    for stratum in dict.fromkeys(row["stratum"] for row in record["rows"]):
        mine = groups == stratum
        curve = kaplan_meier(times[mine], events[mine], conf_type=record["args"]["conf_type"])
        expected = [row for row in record["rows"] if row["stratum"] == stratum]
        for point, row in zip(curve.at(grid), expected, strict=True):
            assert point.time == row["time"]
            assert (point.n_risk, point.n_events) == (row["n_risk"], row["n_event_cum_interval"])
            assert point.beyond_last_time == row["beyond_last_time"]
            compare(
                {
                    name: (getattr(point, name), row[name])
                    for name in ("survival", "std_err", "lower", "upper")
                }
            )


@pytest.mark.parametrize(("dataset", "record"), records("reverse_km"))
def test_follow_up_by_reverse_kaplan_meier_equals_r(dataset: str, record: dict[str, Any]) -> None:
    times, events, groups = survival_data(dataset, record)
    for row in record["rows"]:
        mine = groups == row["stratum"]
        curve = reverse_kaplan_meier(
            times[mine], events[mine], conf_type=record["args"]["conf_type"]
        )
        assert (curve.n, curve.events) == (row["n"], row["censored"])
        found = curve.median
        compare(
            {
                "q25": (curve.quantile(0.25).value, row["q25"]),
                "median": (found.value, row["median"]),
                "median_lower": (found.lower, row["median_lower"]),
                "median_upper": (found.upper, row["median_upper"]),
                "q75": (curve.quantile(0.75).value, row["q75"]),
            }
        )


@pytest.mark.parametrize(("dataset", "record"), records("logrank"))
def test_log_rank_statistics_equal_r(dataset: str, record: dict[str, Any]) -> None:
    times, events, groups = survival_data(dataset, record)
    result = log_rank(times, events, groups, rho=record["args"]["rho"])
    scalars = record["scalars"]
    assert result.df == scalars["df"]
    assert sum(result.n) == scalars["n_used"]
    # Two identical groups: the statistic is zero up to rounding in R as in Python.
    if abs(scalars["chisq"]) > 1e-12:
        compare({"chisq": (result.chi_squared, scalars["chisq"]), "p": (result.p, scalars["p"])})
    else:
        assert abs(result.chi_squared) < 1e-12
    by_group = {row["stratum"]: row for row in record["rows"]}
    for group, n, observed, expected in zip(
        result.groups, result.n, result.observed, result.expected, strict=True
    ):
        row = by_group[group]
        assert n == row["n"]
        compare({"observed": (observed, row["observed"]), "expected": (expected, row["expected"])})


def contingency(record: dict[str, Any]) -> Any:
    levels = list(dict.fromkeys(row["level"] for row in record["rows"]))
    groups = list(dict.fromkeys(row["group"] for row in record["rows"]))
    counts = np.zeros((len(levels), len(groups)), dtype=np.int64)
    for row in record["rows"]:
        counts[levels.index(row["level"]), groups.index(row["group"])] = row["count"]
    return counts


@pytest.mark.parametrize(("dataset", "record"), records("table1_categorical"))
def test_chi_squared_tests_equal_r(dataset: str, record: dict[str, Any]) -> None:
    scalars = record["scalars"]
    result = chi_squared(contingency(record))
    is_two_by_two = (scalars["nrow"], scalars["ncol"]) == (2, 2)
    key = "chisq_nocorrect" if is_two_by_two else "chisq_default"
    assert result.df == scalars["chisq_default_df"]
    compare(
        {
            "statistic": (result.statistic, scalars[key]),
            "p": (result.p, scalars[f"{key}_p"]),
            "smallest_expected": (result.smallest_expected, scalars["min_expected"]),
        }
    )


@pytest.mark.parametrize(("dataset", "record"), records("table1_continuous"))
def test_rank_tests_equal_r(dataset: str, record: dict[str, Any]) -> None:
    scalars, by = record["scalars"], record["by"]
    if by:
        variable = record["args"]["variable"]
        names = [row["group"] for row in record["rows"]]
        values = [
            np.array([float(r[variable]) for r in rows(dataset) if r[by] == name and r[variable]])
            for name in names
        ]
        for found, row in zip(values, record["rows"], strict=True):
            assert found.size == row["n"]
            compare({"median": (float(np.median(found)), row["median"])})
    else:
        names = list(dict.fromkeys(row["group"] for row in record["rows"]))
        values = [
            np.array([row["value"] for row in record["rows"] if row["group"] == name])
            for name in names
        ]
    result = rank_test(values)
    if len(names) == 2:
        compare(
            {
                "W": (result.statistic, scalars["wilcox_W"]),
                "p": (result.p, scalars["wilcox_default_p"]),
            }
        )
        assert ("exact" in result.method) == scalars["wilcox_default_is_exact"]
    else:
        compare({"H": (result.statistic, scalars["kw_stat"]), "p": (result.p, scalars["kw_p"])})
        assert result.df == scalars["kw_df"]


@pytest.mark.parametrize(("dataset", "record"), records("binomial_ci"))
def test_clopper_pearson_intervals_equal_r(dataset: str, record: dict[str, Any]) -> None:
    for row in record["rows"]:
        found = clopper_pearson(row["x"], row["n"])
        compare(
            {
                "value": (found.value, row["prop"]),
                "lower": (found.lower, row["cp_lower"]),
                "upper": (found.upper, row["cp_upper"]),
            }
        )
