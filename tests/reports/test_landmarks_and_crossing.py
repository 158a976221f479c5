"""Survival displays: who stands where at a landmark, curves that cross, small groups, guarantee time."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from reports.displays import survival
from reports.displays.context import Context
from reports.displays.crossing import crossing
from reports.displays.data import AnalysisData
from reports.displays.estimate import to_frame
from reports.displays.model_data import ModelData
from reports.sections.model import Figure, Rows, Table
from reports.sections.survival import blocks
from reports.selfaudit import audit_estimates
from reports.stats.kaplan_meier import KaplanMeier, kaplan_meier
from schemas.spec.plan import Plan
from schemas.spec.study import Study

LUNG = Path(__file__).parents[1] / "golden" / "lung.csv"
START = dt.date(2020, 1, 1)
OS = {"label": "Survival", "event": "death", "events": "deaths", "origin": "start"}
RESPONSE = {
    "label": "Response", "column": "BESTRESP", "after_start": True,
    "levels": {"CR": "CR", "PR": "PR", "LTPR": "Less"},
}  # fmt: skip
VARIABLES = {
    "RESPONSE": RESPONSE,
    "ARM": {"label": "Arm", "levels": {"A": "Arm A", "B": "Arm B"}},
    "NEXTFL": {"label": "Next line", "after_start": True, "levels": {"Y": "Yes", "N": "No"}},
    "ECOG": {"label": "ECOG", "levels": {"0": "0", "1": "1", "2": "2"}},
}
# Days of 30.4375: a landmark at one month is day 30.4375.
COHORT = pl.DataFrame(
    [
        ("P1", "A", "CR", 100, True),  # PR on day 10, CR on day 60
        ("P2", "A", "CR", 200, False),  # CR on day 20
        ("P3", "B", "PR", 90, True),  # PR on day 40
        ("P4", "B", "LTPR", 20, True),  # dead before the landmark
        ("P5", "A", "LTPR", 25, False),  # not observed at the landmark
        ("P6", "B", "PR", 150, False),  # PR, the day is not known
        ("P7", "B", "LTPR", 120, True),
        ("P8", "A", None, 80, False),  # response not known
    ],
    schema=["USUBJID", "ARM", "BESTRESP", "days", "event"],
    orient="row",
).with_columns(NEXTFL=pl.lit("N"), ECOG=pl.lit("0"))
DATED = [("P1", "PR", 10), ("P1", "CR", 60), ("P2", "CR", 20), ("P3", "PR", 40)]


def context_of(
    patients: pl.DataFrame, dated: list[tuple[str, str, int]] | None, **planned: Any
) -> Context:
    display = {"id": "F", "kind": "survival", "heading": "A figure", "endpoint": "OS", **planned}
    plan = Plan.model_validate(
        {"title": "Test", "variables": VARIABLES, "endpoints": {"OS": OS}, "displays": [display]}
    )
    adtte = patients.select(
        "USUBJID", PARAMCD=pl.lit("OS"), STARTDT=pl.lit(START), AVAL=pl.col("days").cast(pl.Int64) + 1,
        CNSR=pl.when(pl.col("event")).then(0).otherwise(1).cast(pl.Int32),
    )  # fmt: skip
    responses = None
    if dated is not None:
        responses = pl.DataFrame(
            [(who, what, START + dt.timedelta(days=day)) for who, what, day in dated],
            schema=["USUBJID", "RESPONSE", "ADT"],
            orient="row",
        )
    empty = pl.DataFrame(schema=dict.fromkeys(("USUBJID", "PARAMCD", "reason"), pl.String))
    data = AnalysisData(
        patients.drop("days", "event"), adtte, empty, pl.DataFrame(), models=ModelData(responses)
    )
    return Context(data, Study(id="XY", title="Test", data_cut=dt.date(2024, 12, 31)), plan)


def rows_of(context: Context) -> pl.DataFrame:
    [planned] = context.plan.displays
    made = to_frame(list(survival.estimates(planned, context)))  # type: ignore[arg-type]
    audit_estimates(made)
    return made


def sizes(rows: pl.DataFrame) -> dict[str, tuple[int, int]]:
    found = rows.filter(row="median").select("population", "n", "events").rows()
    return {code: (n, events) for code, n, events in found}


def told(rows: pl.DataFrame, level: str) -> str:
    return "".join(rows.filter(row="WARNING", level=level)["text"].to_list())


def caption(rows: pl.DataFrame) -> str:
    figure = blocks("F", Rows.of_display(rows.to_dicts()), {})[0]
    assert isinstance(figure, Figure)
    return "\n".join((*figure.caption, figure.empty if figure.drawing is None else ""))


def test_patients_are_grouped_by_the_response_they_had_at_the_landmark():
    rows = rows_of(context_of(COHORT, DATED, by=["RESPONSE"], landmark_months=1))
    # P1 had PR by then, P2 CR; P3 and P7 nothing yet; P6 has no day, P8 no response; P4 and P5 are gone.
    assert sizes(rows) == {"CR": (1, 0), "PR": (1, 1), "LTPR": (2, 2)}
    at_risk = rows.filter(row="at_risk", time_months=0.0).select("population", "n").rows()
    assert dict(at_risk) == {"CR": 1, "PR": 1, "LTPR": 2}


def test_who_is_left_out_at_the_landmark_is_told_by_reason():
    rows = rows_of(context_of(COHORT, DATED, by=["RESPONSE"], landmark_months=1))
    lost = rows.filter((pl.col("row") == "excluded") & (pl.col("population") == "ALL"))
    assert dict(lost.select("level", "n").rows()) == {
        "LANDMARK": 2, "UNDATED": 1, "RESPONSE_UNKNOWN": 1,
    }  # fmt: skip
    assert "2 (by month 1: 1 death, 1 no longer observed)" in caption(rows)
    assert told(rows, "LANDMARK").startswith("Patients at risk at the landmark")
    assert told(rows, "GUARANTEE_TIME") == ""


def test_a_choice_of_patients_by_response_is_made_as_of_the_landmark():
    planned = {"by": ["ARM"], "where": {"RESPONSE": ["LTPR"]}, "landmark_months": 1}
    rows = rows_of(context_of(COHORT, DATED, **planned))
    assert sizes(rows) == {"A": (0, 0), "B": (2, 2)}
    [display] = context_of(COHORT, DATED, **planned).plan.displays
    listed = survival.subjects(display, context_of(COHORT, DATED, **planned))  # type: ignore[arg-type]
    assert sorted(listed.filter(level="event")["usubjid"].to_list()) == ["P3", "P7"]
    assert listed.filter(level="excluded").height == 6


def test_without_days_there_is_no_landmark_figure_and_the_reason_is_told():
    for by, dated in ((["NEXTFL"], DATED), (["RESPONSE"], None)):
        rows = rows_of(context_of(COHORT, dated, by=by, landmark_months=1))
        assert not rows.filter(row="curve").height
        assert told(rows, "EMPTY").startswith("No landmark curves: ")
    assert "which day this became known: Next line" in told(
        rows_of(context_of(COHORT, DATED, by=["NEXTFL"], landmark_months=1)), "EMPTY"
    )


def test_a_landmark_after_all_times_is_told_as_such():
    text = caption(rows_of(context_of(COHORT, DATED, by=["ARM"], landmark_months=999)))
    assert "No patient is at risk after month 999." in text
    assert "Arm A: no patients." in text
    assert "median no patients" not in text
    assert "8 (by month 999: 4 deaths, 4 no longer observed)" in text


def test_curves_of_what_comes_later_say_guarantee_time_by_group_and_by_choice():
    by = rows_of(context_of(COHORT, DATED, by=["RESPONSE"]))
    where = rows_of(context_of(COHORT, DATED, by=["ARM"], where={"RESPONSE": ["LTPR"]}))
    for rows in (by, where):
        assert told(rows, "GUARANTEE_TIME").startswith("Guarantee time: response becomes known")
        assert "Guarantee time" in caption(rows)
    assert told(rows_of(context_of(COHORT, DATED, by=["ARM"])), "GUARANTEE_TIME") == ""


def test_one_death_is_one_death():
    text = caption(rows_of(context_of(COHORT, DATED, by=["RESPONSE"])))
    assert "CR: median 3.3 months (95% CI NR to NR)" not in text
    assert "1 death in 2 patients." in text
    assert "PR (2 patients, 1 death)" in text


def lung() -> pl.DataFrame:
    found = pl.read_csv(LUNG, schema_overrides={"ecog": pl.String}).with_row_index("place")
    return found.filter(pl.col("ecog").is_in(["0", "1", "2"])).select(
        USUBJID=pl.format("P{}", "place"), ARM=pl.lit("A"), BESTRESP=pl.lit("CR"),
        NEXTFL=pl.lit("N"), ECOG="ecog", days="os_time", event=pl.col("os_event") == 1,
    )  # fmt: skip


@pytest.fixture(scope="module")
def lung_rows() -> pl.DataFrame:
    return rows_of(context_of(lung(), None, by=["ECOG"]))


# R 4.2.2, survival 3.5: summary(survfit(...), rmean = 365.25), months of 30.4375 days; p.adjust.
@pytest.mark.parametrize(
    ("pair", "value", "lower", "upper", "p", "holm"),
    [
        (("0", "1"), 1.0244342734894, -0.0828629722757, 2.1317315192545, 0.0697866512992, 0.0697866512992),
        (("0", "2"), 3.07692603516, 1.64739754783, 4.50645452249, 2.45781747288e-05, 7.37345241863e-05),
        (("1", "2"), 2.05249176167309, 0.75041480798982, 3.35456871535636, 0.00200471323362, 0.00400942646725),
    ],
)  # fmt: skip
def test_differences_of_restricted_means_are_those_of_r(
    lung_rows: pl.DataFrame,
    pair: tuple[str, str],
    value: float,
    lower: float,
    upper: float,
    p: float,
    holm: float,
):
    rows = lung_rows.filter(row="rmst_difference", population=pair[0], level=pair[1])
    found = rows.filter(statistic="difference").row(0, named=True)
    assert found["row_label"] == "Difference of restricted means up to 12 months"
    assert [found[name] for name in ("value", "lower", "upper", "p")] == pytest.approx(
        [value, lower, upper, p], rel=1e-9
    )
    assert rows.filter(statistic="p_holm")["p"].item() == pytest.approx(holm, rel=1e-9)


def test_curves_cross_where_those_of_r_change_places(lung_rows: pl.DataFrame):
    # From R's survfit on all times up to the smaller last one: day 110, day 12, never.
    found = {
        (row["population"], row["level"]): (row["value"], row["time_months"])
        for row in lung_rows.filter(row="crossing", statistic="n").to_dicts()
    }
    month = 30.4375
    assert found[("0", "1")] == (1.0, pytest.approx(110 / month))
    assert found[("0", "2")] == (1.0, pytest.approx(12 / month))
    assert found[("1", "2")] == (0.0, None)
    texts = lung_rows.filter(row="crossing", population="0", level="1")["text"].to_list()
    assert texts == ["1, month 3.6", "23 / 6", "6"]
    assert "0 and 1 cross at month 3.6" in told(lung_rows, "CROSSING")


def test_hazards_are_tested_as_r_does(lung_rows: pl.DataFrame):
    # cox.zph(coxph(Surv(os_time, os_event) ~ factor(ecog)), transform = "km")
    found = lung_rows.filter(row="ph").row(0, named=True)
    assert (found["value"], found["p"]) == pytest.approx((2.09205758712, 0.351330187154), rel=1e-6)
    assert told(lung_rows, "NOT_PROPORTIONAL") == ""


def test_the_table_of_differences_tells_of_each_pair_what_its_curves_do(lung_rows: pl.DataFrame):
    table = blocks("F", Rows.of_display(lung_rows.to_dicts()), {})[-1]
    assert isinstance(table, Table)
    assert table.heads == (
        "Difference (95% CI)",
        "P",
        "P adjusted by Holm",
        "Crossings",
        "Largest leads, %",
    )
    assert [line.label for line in table.lines] == ["0 against 1", "0 against 2", "1 against 2"]
    assert table.lines[2].cells[0] == "2.1 months (95% CI 0.8 to 3.4)"
    assert table.lines[2].cells[-2:] == ("none", "26 / 0")
    assert table.lines[0].cells[-2:] == ("1, month 3.6", "23 / 6")


def test_a_month_that_not_all_curves_reach_gives_way_to_the_longest_of_the_plan():
    early = lung().with_columns(
        days=pl.when(pl.col("ECOG") == "2").then(pl.min_horizontal("days", 200)).otherwise("days")
    )
    rows = rows_of(context_of(early, None, by=["ECOG"], rmst_months=12))
    # Day 200 is month 6.57: of 12, 6 and 3 months the plan takes 6.
    assert "not estimable: not all curves reach 12 months; they are taken up to 6" in told(
        rows, "RMST"
    )
    means = rows.filter((pl.col("row") == "rmst") & pl.col("value").is_not_null())
    assert set(means["row_label"]) == {"Restricted mean up to 6 months"}
    assert means.height == 3


def curve(days: list[int], events: list[bool]) -> KaplanMeier:
    return kaplan_meier(np.array(days, dtype=float), np.array(events))


def test_curves_that_touch_do_not_cross_and_those_that_change_places_do():
    first = curve([1, 2, 9], [True, True, False])
    touching = curve([2, 2, 9], [True, True, False])
    found = crossing(first, touching)
    # 2/3 against 1 on day 1, then 1/3 both: the second leads once, nobody after.
    assert (found.times, found.first_ahead) == ((), 0.0)
    assert found.second_ahead == pytest.approx(1 / 3)
    later = curve([3, 4, 9], [True, True, True])
    other = curve([1, 8, 9], [True, False, False])
    found = crossing(later, other)
    # 1 against 2/3 on day 1; on day 3 both 2/3; on day 4 1/3 against 2/3.
    assert found.times == (4.0,)
    assert (found.first_ahead, found.second_ahead) == pytest.approx((1 / 3, 2 / 3))


def test_a_lead_below_a_percentage_point_is_found_but_does_not_matter():
    # The first event of 200 puts a curve behind by half a point, that of 50 by two.
    for n, matters in ((200, False), (50, True)):
        first = curve([1, *range(100, 99 + n)], [True] + [False] * (n - 1))
        second = curve([2, 2, 3, *range(100, 97 + n)], [True] * 3 + [False] * (n - 3))
        found = crossing(first, second)
        assert found.times == (2.0,)
        assert found.second_ahead == pytest.approx(1 / n)
        assert found.matters is matters


def test_what_lies_after_the_smaller_last_time_is_no_crossing():
    short = curve([1, 2, 3], [True, False, False])
    long = curve([4, 5, 6], [True, True, True])
    assert crossing(short, long).times == ()


def test_small_groups_and_few_events_are_named_with_their_numbers(lung_rows: pl.DataFrame):
    few = lung().filter((pl.col("ECOG") != "2") | (pl.col("days") < 80))
    n = few.filter(ECOG="2").height
    events = few.filter((pl.col("ECOG") == "2") & pl.col("event")).height
    assert (n < 20, 0 < events < 10) == (True, True)
    rows = rows_of(context_of(few, None, by=["ECOG"], at_months=[1]))
    assert f"2 ({n} patients, {events} deaths)" in told(rows, "SMALL")
    for row in ("median", "at_months"):
        text = rows.filter(row=row, population="2")["text"].item()
        assert f"; few events ({events}); small group ({n})" in text
        assert "small" not in rows.filter(row=row, population="1")["text"].item()
    assert told(lung_rows, "SMALL") == ""


def test_no_interval_is_given_where_a_curve_has_no_event_until_then():
    patients = lung().with_columns(
        event=pl.col("event") & (pl.col("ECOG") != "0"), days=pl.col("days") + 0
    )
    rows = rows_of(context_of(patients, None, by=["ECOG"], rmst_months=12))
    mean = rows.filter(row="rmst", population="0").row(0, named=True)
    assert (mean["value"], mean["lower"], mean["upper"]) == (pytest.approx(12.0), None, None)
    assert "no event until then" in mean["text"]
    difference = rows.filter(row="rmst_difference", population="0", level="1")
    assert difference["statistic"].to_list() == ["difference"]
    assert difference["lower"].item() is None
    assert "no interval: no event until then, 0" in difference["text"].item()
