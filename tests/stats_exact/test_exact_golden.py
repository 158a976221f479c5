"""Tests of tables and samples and intervals of shares against R 4.2.2 (golden/README.md)."""

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reports.stats.exact.adjust import adjusted
from reports.stats.exact.contingency import chi_squared
from reports.stats.exact.fisher import fisher
from reports.stats.exact.means import describe, welch
from reports.stats.exact.odds_ratio import R_TOLERANCE
from reports.stats.exact.proportions import clopper_pearson, wilson
from reports.stats.exact.ranks import kruskal_wallis, wilcoxon


@cache
def golden() -> dict[str, Any]:
    path = Path(__file__).parent / "golden" / "exact.json"
    return json.loads(path.read_text(encoding="utf-8"))


def cases(kind: str) -> list[Any]:
    return [pytest.param(record, id=record["id"]) for record in golden()[kind]]


def near(ours: float | None, theirs: float | None, relative: float = 1e-9) -> bool:
    if theirs is None:
        return ours is None or math.isnan(ours)
    return ours is not None and abs(ours - theirs) <= max(relative * abs(theirs), 1e-15)


@pytest.mark.parametrize("record", cases("tables"))
def test_chi_squared_equals_r(record: dict[str, Any]) -> None:
    table, scalars = np.array(record["table"]), record["scalars"]
    assert list(table.shape) == [scalars["nrow"], scalars["ncol"]]
    default, plain = chi_squared(table), chi_squared(table, yates=False)
    assert default is not None
    assert plain is not None
    assert default.df == scalars["chisq_default_df"]
    assert near(default.statistic, scalars["chisq_default"])
    assert near(default.p, scalars["chisq_default_p"])
    assert near(default.smallest_expected, scalars["min_expected"])
    assert default.corrected == (table.shape == (2, 2))
    if "chisq_nocorrect" in scalars:
        assert near(plain.statistic, scalars["chisq_nocorrect"])
        assert near(plain.p, scalars["chisq_nocorrect_p"])


@pytest.mark.parametrize("record", cases("tables"))
def test_fisher_equals_r_for_every_size_of_table(record: dict[str, Any]) -> None:
    scalars = record["scalars"]
    result = fisher(np.array(record["table"]), tolerance=R_TOLERANCE)
    assert result is not None
    assert result.exact
    assert near(result.p, scalars["fisher_p"])
    if scalars.get("fisher_or_cmle") is None:
        assert result.odds_ratio is None
    else:
        assert result.odds_ratio is not None
        assert near(result.odds_ratio.value, scalars["fisher_or_cmle"])
        assert near(result.odds_ratio.lower, scalars["fisher_or_lower"])
        assert near(result.odds_ratio.upper, scalars["fisher_or_upper"])


@pytest.mark.parametrize("record", cases("samples"))
def test_tests_of_samples_equal_r(record: dict[str, Any]) -> None:
    x = np.array([math.nan if value is None else value for value in record["x"]], dtype=float)
    group, levels, scalars = np.array(record["group"]), record["levels"], record["scalars"]
    several = kruskal_wallis(x, group)
    assert several is not None
    assert several.df == scalars.get("kw_df", several.df)
    assert near(several.statistic, scalars["kw_stat"])
    assert near(several.p, scalars["kw_p"])
    if "wilcox_W" in scalars:
        two = wilcoxon(x, group, levels=levels)
        assert two is not None
        assert two.statistic == scalars["wilcox_W"]
        assert two.exact == scalars["wilcox_default_is_exact"]
        assert near(two.p, scalars["wilcox_default_p"])
        assert near(two.p_normal, scalars["wilcox_normal_cc_p"])
        if "wilcox_normal_nocc_p" in scalars:
            assert near(two.p_uncorrected, scalars["wilcox_normal_nocc_p"])
    if "welch_t" in scalars:
        means = welch(x, group, levels=levels)
        assert means is not None
        assert near(means.statistic, scalars["welch_t"])
        assert near(means.df, scalars["welch_df"])
        assert near(means.p, scalars["welch_p"])
    for row in record["rows"]:
        found = describe(x[group == row["group"]])
        assert (found.n, found.missing) == (row["n"], row["missing"])
        for ours, theirs in (
            (found.mean, "mean"),
            (found.sd, "sd"),
            (found.minimum, "min"),
            (found.q25, "q25_type7"),
            (found.median, "median"),
            (found.q75, "q75_type7"),
            (found.maximum, "max"),
        ):
            assert near(ours, row[theirs])


@pytest.mark.parametrize("row", golden()["shares"], ids=lambda row: f"{row['x']} of {row['n']}")
def test_intervals_of_shares_equal_r(row: dict[str, Any]) -> None:
    exact, score = clopper_pearson(row["x"], row["n"]), wilson(row["x"], row["n"])
    assert near(exact.value, row["prop"])
    assert near(exact.lower, row["cp_lower"])
    assert near(exact.upper, row["cp_upper"])
    assert near(score.lower, row["wilson_lower"])
    assert near(score.upper, row["wilson_upper"])


@pytest.mark.parametrize("method", ["holm", "bh", "bonferroni", "hochberg"])
def test_adjusted_p_values_equal_r(method: Any) -> None:
    rows = golden()["p_adjust"]
    order = np.random.default_rng(2).permutation(len(rows))
    found = adjusted([rows[index]["p"] for index in order], method)
    assert found == pytest.approx([rows[index][method] for index in order], rel=1e-12)
