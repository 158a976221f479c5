"""`analysis.estimate` of the cohort whose counts are those of the published tables."""

import csv
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

GROUPS = ("TALQ", "TEC", "IPC", "OTHER")

# Merz et al. 2024, Table 1 and text: counts by group, and P (displays.md: printed, and from the counts).
with (Path(__file__).parents[1] / "published" / "table_1_counts.csv").open() as _file:
    COUNTS = {
        (line["variable"], line["level"]): tuple(int(line[group]) for group in GROUPS)
        for line in csv.DictReader(_file)
    }
P_VALUES = {
    "SEX": (0.148, 0.15),
    "CARTPROD": (0.692, 0.69),
    "RISS": (0.570, 0.57),
    "TRIPLFL": (0.441, 0.44),
    "PENTAFL": (0.349, 0.35),
    "PBCMAFL": (0.460, 0.46),
    "MYCARE": (0.593, 0.59),
    "ECOG": (0.024, 0.02),
    "EMDRELFL": (0.918, 0.92),
    "SUBSQFL": (0.0016, 0.002),
}
RESPONSES = {
    "CR": (11, 12, 0, 1),
    "VGPR": (6, 7, 1, 1),
    "PR": (5, 5, 12, 6),
    "LTPR": (6, 13, 30, 23),
}


@pytest.fixture(scope="module")
def con(warehouse: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(warehouse), read_only=True)


def ask(con: duckdb.DuckDBPyConnection, where: str) -> list[dict[str, Any]]:
    result = con.execute(f"select * from analysis.estimate where {where} order by position")
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@pytest.mark.parametrize(("row", "level"), COUNTS)
def test_table_1_holds_the_published_counts(con, row, level):
    found = ask(
        con, f"display = 'T1' and \"row\" = '{row}' and level = '{level}' and statistic = 'n'"
    )
    assert {e["population"]: e["value"] for e in found} == {
        **dict(zip(GROUPS, COUNTS[row, level], strict=True)),
        "ALL": sum(COUNTS[row, level]),
    }


@pytest.mark.parametrize("row", P_VALUES)
def test_table_1_holds_the_published_p_values(con, row):
    exact, printed = P_VALUES[row]
    [found] = ask(con, f"display = 'T1' and \"row\" = '{row}' and statistic = 'p'")
    assert round(found["p"], len(str(exact)) - 2) == exact
    assert round(found["p"], len(str(printed)) - 2) == printed
    assert found["method"].startswith("Pearson chi-squared test without continuity correction")


def test_group_sizes_are_the_published_ones(con):
    found = ask(con, "display = 'T1' and \"row\" = 'N'")
    assert [(e["population"], e["n"], e["population_label"]) for e in found] == [
        ("TALQ", 28, "Talquetamab"),
        ("TEC", 37, "Teclistamab"),
        ("IPC", 43, "IMiD/PI/CD38"),
        ("OTHER", 31, "Other"),
        ("ALL", 139, "All"),
    ]


def test_percentages_are_of_the_known_values(con):
    [found] = ask(
        con,
        "display = 'T1' and \"row\" = 'SEX' and level = 'F' and statistic = 'percent'"
        " and population = 'TALQ'",
    )
    assert found["value"] == pytest.approx(100 * 17 / 28, rel=1e-15)
    assert (found["text"], found["n"]) == ("61", 28)


def test_medians_have_range_and_a_rank_test_over_the_four_groups(con):
    ages = con.execute(
        "select GRP4, list(AGE order by AGE) from analysis.adsl group by GRP4"
    ).fetchall()
    for group, values in ages:
        [found] = ask(
            con,
            f"display = 'T1' and \"row\" = 'AGE' and statistic = 'median' and population = '{group}'",
        )
        assert (found["value"], found["lower"], found["upper"]) == (
            np.median(values),
            values[0],
            values[-1],
        )
    [test] = ask(con, "display = 'T1' and \"row\" = 'AGE' and statistic = 'p'")
    assert test["method"] == "Kruskal-Wallis test, 3 degrees of freedom"


@pytest.mark.parametrize("level", RESPONSES)
def test_figure_1a_holds_the_published_responses(con, level):
    found = ask(
        con,
        f"display = 'F1A' and \"row\" = 'BESTRESP' and level = '{level}' and statistic = 'n'"
        " and population != 'ALL'",
    )
    assert tuple(e["value"] for e in found) == RESPONSES[level]
    assert tuple(e["n"] for e in found) == (28, 37, 43, 31)


def test_overall_response_rates_have_clopper_pearson_intervals_as_r_gives_them(con):
    found = ask(
        con, "display = 'F1A' and \"row\" = 'ORR' and statistic = 'percent' and population != 'ALL'"
    )
    # R binom.test: golden_paper_table1.json, response_rate_ci.
    expected = [
        (22, 28, 0.785714285714286, 0.590468973494172, 0.917039387612361),
        (24, 37, 0.648648648648649, 0.474611255626026, 0.797900184715997),
        (13, 43, 0.302325581395349, 0.171824992485213, 0.461253305734032),
        (8, 31, 0.258064516129032, 0.118563995829551, 0.446133934334897),
    ]
    for estimate, (events, n, rate, lower, upper) in zip(found, expected, strict=True):
        assert (estimate["events"], estimate["n"]) == (events, n)
        assert [estimate[key] / 100 for key in ("value", "lower", "upper")] == pytest.approx(
            [rate, lower, upper], rel=1e-9
        )


def test_medians_that_are_not_reached_have_no_value_and_say_so(con):
    [found] = ask(con, "display = 'F1C' and \"row\" = 'median' and population = 'TALQ'")
    assert (found["value"], found["n"]) == (None, 28)
    assert found["text"].startswith("not reached")


def test_numbers_at_risk_fall_from_the_size_of_the_group_and_stand_at_every_third_month(con):
    for group, size in zip(GROUPS, (28, 37, 43, 31), strict=True):
        found = ask(con, f"display = 'F1C' and \"row\" = 'at_risk' and population = '{group}'")
        numbers = [e["value"] for e in found]
        assert [e["time_months"] for e in found] == [3.0 * k for k in range(len(found))]
        assert numbers[0] == size
        assert numbers == sorted(numbers, reverse=True)
        by_hand = con.execute(
            "select count(*) from analysis.adtte where PARAMCD = 'OS'"
            f" and GRP4 = '{group}' and AVAL - 1 >= 6 * 30.4375"
        ).fetchall()[0][0]
        assert numbers[2] == by_hand


def test_curves_start_at_one_never_rise_and_count_every_event_and_censoring(con):
    for display, group in [("F1C", group) for group in GROUPS] + [("S1A", "ALL")]:
        steps = ask(
            con,
            f"display = '{display}' and population = '{group}' and statistic = 'survival'"
            " and \"row\" = 'curve'",
        )
        censored = ask(
            con,
            f"display = '{display}' and population = '{group}' and statistic = 'censored'",
        )
        [median] = ask(
            con, f"display = '{display}' and population = '{group}' and \"row\" = 'median'"
        )
        survival = [e["value"] for e in steps]
        assert (steps[0]["time_months"], survival[0]) == (0.0, 1.0)
        assert survival == sorted(survival, reverse=True)
        assert sum(e["events"] for e in steps) == median["events"]
        assert sum(e["events"] for e in steps) + sum(e["n"] for e in censored) == median["n"]


def test_the_median_is_the_first_time_at_which_fewer_than_half_survive(con):
    [median] = ask(con, "display = 'F1C' and population = 'OTHER' and \"row\" = 'median'")
    steps = ask(con, "display = 'F1C' and population = 'OTHER' and statistic = 'survival'")
    assert median["value"] == next(e["time_months"] for e in steps if e["value"] < 0.5)
    assert median["lower"] < median["value"] < median["upper"]


def test_survival_displays_name_test_follow_up_and_methods(con):
    [test] = ask(con, "display = 'F1C' and \"row\" = 'test'")
    assert (test["n"], test["text"]) == (139, "<0.001")
    assert test["method"].startswith("Log-rank test")
    [follow_up] = ask(con, "display = 'S1A' and \"row\" = 'follow_up'")
    assert follow_up["method"].startswith("Reverse Kaplan-Meier")
    assert (
        follow_up["events"] + ask(con, "display = 'S1A' and \"row\" = 'median'")[0]["events"] == 139
    )


def test_every_counted_patient_stands_behind_the_estimate(con):
    differing = con.execute("""
        with counted as (
            select display, "row", level, population, count(*) as n
            from analysis.estimate_subject group by all
        )
        select estimate.display, estimate."row", estimate.level, estimate.population
        from analysis.estimate as estimate
        left join counted
            on counted.display = estimate.display and counted."row" = estimate."row"
            and counted.level = estimate.level and counted.population = estimate.population
        where estimate.statistic = 'n' and estimate.level is not null and estimate.population != 'ALL'
            and estimate."row" in ('SEX', 'RISS', 'ECOG', 'SUBSQFL', 'TRIPLFL', 'BESTRESP')
            and coalesce(counted.n, 0) != estimate.value
    """)
    assert differing.fetchall() == []


def test_writing_the_estimates_again_replaces_them(warehouse, study, tmp_path):
    import shutil

    from reports.estimates import write_estimates

    copy = tmp_path / "copy.duckdb"
    shutil.copy(warehouse, copy)
    before = duckdb.connect(str(copy), read_only=True).execute(
        "select count(*), sum(hash(e)) from analysis.estimate as e"
    )
    first = before.fetchall()
    before.close()
    assert write_estimates(copy, study) == first[0][0]
    con = duckdb.connect(str(copy), read_only=True)
    assert (
        con.execute("select count(*), sum(hash(e)) from analysis.estimate as e").fetchall() == first
    )


def test_a_value_that_table_1_does_not_declare_gets_its_own_line(study):
    import polars as pl

    from reports.displays import baseline
    from reports.displays.context import Context
    from reports.displays.data import AnalysisData
    from schemas.spec.plans import load_plan

    adsl = pl.DataFrame(
        {"USUBJID": ["a", "b"], "GRP4": ["TALQ", "TEC"], "SEX": [None, None], "ECOG": [1, 3]},
        schema_overrides={"SEX": pl.String},
    )
    nothing = pl.DataFrame()
    data = AnalysisData(adsl, nothing, nothing, nothing)
    context = Context(data, study, load_plan(study))
    found = baseline.estimates(context.plan.displays[0], context)
    ecog = {
        (e.level, e.population): e.value for e in found if e.row == "ECOG" and e.statistic == "n"
    }
    assert ecog["3", "TEC"] == 1
    assert ecog["3", "TALQ"] == 0
    missing = {e.population: e.value for e in found if e.row == "SEX" and e.level == "missing"}
    assert missing == {"TALQ": 1, "TEC": 1, "IPC": 0, "OTHER": 0, "ALL": 2}


def test_a_study_that_wants_small_counts_held_back_is_refused_rather_than_half_obeyed(study):
    from reports.estimates import write_estimates
    from schemas.errors import StudyError

    strict = study.model_copy(
        update={"privacy": study.privacy.model_copy(update={"smallest_cell": 5})}
    )
    with pytest.raises(StudyError, match="no count below 5") as error:
        write_estimates(duckdb.connect(), strict)
    assert "privacy.smallest_cell" in error.value.fix
