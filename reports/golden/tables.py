"""Golden analyses of baseline tables: tests, descriptions and shares."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from reports.golden.curves import Result
from reports.golden.data import Sample, sample
from reports.golden.records import GoldenSet, Record
from reports.stats.exact.contingency import chi_squared
from reports.stats.exact.fisher import fisher
from reports.stats.exact.means import describe, welch
from reports.stats.exact.odds_ratio import R_TOLERANCE
from reports.stats.exact.proportions import clopper_pearson, wilson
from reports.stats.exact.ranks import kruskal_wallis, wilcoxon


def categorical(golden: GoldenSet, record: Record) -> Result:
    """A factor by groups: counts, chi-squared and Fisher's test."""
    if record.by is None:
        table, rows = _printed_counts(record), record.rows
        return _contingency(table), rows
    variable = record.args["variable"]
    everyone = sample(golden, record)
    data = everyone.complete(record.by, variable)
    levels, groups = data.levels_of(variable), data.levels_of(record.by)
    table = _counts(data, variable, record.by, levels, groups)
    rows = [
        {
            "level": level,
            "group": group,
            "count": int(table[i, j]),
            "pct_of_group": 100 * table[i, j] / table[:, j].sum(),
        }
        for j, group in enumerate(groups)
        for i, level in enumerate(levels)
    ]
    used = data.frame.height
    missing = everyone.frame.height - used
    return {"n_used": used, "n_missing": missing, **_contingency(table)}, rows


def continuous(golden: GoldenSet, record: Record) -> Result:
    """A number by groups: description, rank tests and Welch's test."""
    if record.by is None:
        values = np.array([row["value"] for row in record.rows], dtype=np.float64)
        groups = np.array([row["group"] for row in record.rows])
        return _ranks(values, groups, list(dict.fromkeys(groups.tolist()))), record.rows
    variable = record.args["variable"]
    everyone = sample(golden, record)
    data = everyone.complete(record.by)
    levels = data.levels_of(record.by)
    values = data.frame[variable].to_numpy().astype(np.float64)
    groups = data.labels(record.by).to_numpy().astype(np.str_)
    rows = []
    for level in levels:
        found = describe(values[groups == level])
        rows.append(
            {
                "group": level,
                "n": found.n,
                "missing": found.missing,
                "mean": found.mean,
                "sd": found.sd,
                "min": found.minimum,
                "q25_type7": found.q25,
                "median": found.median,
                "q75_type7": found.q75,
                "max": found.maximum,
            }
        )
    used = int((~np.isnan(values)).sum())
    missing = everyone.frame.height - used
    return {"n_used": used, "n_missing": missing, **_ranks(values, groups, levels)}, rows


def binomial_ci(golden: GoldenSet, record: Record) -> Result:
    """Shares with exact and Wilson's interval."""
    if record.by is None and not record.args.get("response"):
        return {}, [_share(row["stratum"], row["x"], row["n"]) for row in record.rows]
    response = record.args["response"]
    data = sample(golden, record).complete(record.by, response)
    seen = (data.frame[response].cast(pl.Float64) == 1).to_numpy()
    groups = data.labels(record.by).to_numpy() if record.by else np.full(seen.size, "all")
    strata = data.levels_of(record.by) if record.by else ["all"]
    rows = []
    for stratum in strata:
        mine = groups == stratum
        rows.append(_share(stratum, int(seen[mine].sum()), int(mine.sum())))
    return {}, rows


def _printed_counts(record: Record) -> Any:
    levels = list(dict.fromkeys(row["level"] for row in record.rows))
    groups = list(dict.fromkeys(row["group"] for row in record.rows))
    table = np.zeros((len(levels), len(groups)), dtype=np.int64)
    for row in record.rows:
        table[levels.index(row["level"]), groups.index(row["group"])] = row["count"]
    return table


def _counts(data: Sample, variable: str, by: str, levels: list[str], groups: list[str]) -> Any:
    counted = pl.DataFrame({"level": data.labels(variable), "group": data.labels(by)})
    table = np.zeros((len(levels), len(groups)), dtype=np.int64)
    for level, group, n in counted.group_by("level", "group").len().iter_rows():
        table[levels.index(level), groups.index(group)] = n
    return table


def _contingency(table: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"nrow": table.shape[0], "ncol": table.shape[1]}
    default, plain = chi_squared(table), chi_squared(table, yates=False)
    if default is not None and plain is not None:
        found |= {
            "min_expected": default.smallest_expected,
            "chisq_default": default.statistic,
            "chisq_default_df": default.df,
            "chisq_default_p": default.p,
            "default_is_yates": default.corrected,
            "chisq_nocorrect": plain.statistic,
            "chisq_nocorrect_p": plain.p,
        }
    exact = fisher(table, tolerance=R_TOLERANCE)
    if exact is not None:
        ratio = exact.odds_ratio
        found |= {
            "fisher_p": exact.p,
            "fisher_or_cmle": ratio and _finite(ratio.value),
            "fisher_or_lower": ratio and ratio.lower,
            "fisher_or_upper": ratio and _finite(ratio.upper),
        }
    return found


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _ranks(values: Any, groups: Any, levels: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if (overall := kruskal_wallis(values, groups, levels=levels)) is not None:
        found |= {"kw_stat": overall.statistic, "kw_df": overall.df, "kw_p": overall.p}
    if (two := wilcoxon(values, groups, levels=levels)) is not None:
        found |= {
            "wilcox_W": two.statistic,
            "wilcox_default_p": two.p,
            "wilcox_default_is_exact": two.exact,
            "wilcox_normal_cc_p": two.p_normal,
            "wilcox_normal_nocc_p": two.p_uncorrected,
        }
    if (means := welch(values, groups, levels=levels)) is not None:
        found |= {"welch_t": means.statistic, "welch_df": means.df, "welch_p": means.p}
    return found


def _share(stratum: str, x: int, n: int) -> dict[str, Any]:
    exact, score = clopper_pearson(x, n), wilson(x, n)
    return {
        "stratum": stratum,
        "x": x,
        "n": n,
        "prop": exact.value,
        "cp_lower": exact.lower,
        "cp_upper": exact.upper,
        "wilson_lower": score.lower,
        "wilson_upper": score.upper,
    }
