"""Competing risks: what R's cmprsk and survival give, and what is told where nothing can be estimated."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import polars as pl
import pytest

from reports.displays import competing
from reports.displays.context import Context
from reports.displays.data import AnalysisData
from reports.displays.estimate import to_frame
from reports.sections import competing as section
from reports.sections.model import Figure, Rows, Table
from schemas.spec.plan import Plan
from schemas.spec.study import Study

DAYS = {
    "A": (30, 61, 90, 120, 150, 200, 260, 300, 400, 450),
    "B": (20, 40, 45, 60, 80, 100, 130, 170, 210, 330),
    "C": (15, 50, 75, 75, 110, 140, 180, 190, 240, 365),
}
STATUS = {
    "A": (1, 0, 1, 2, 0, 1, 0, 1, 0, 0),
    "B": (1, 1, 2, 1, 0, 1, 1, 2, 1, 0),
    "C": (2, 1, 1, 0, 1, 2, 1, 1, 0, 1),
}
CNSR = {0: 1, 1: 0, 2: 2}
PLANNED: dict[str, Any] = {"id": "X1", "kind": "competing", "heading": "Progression", "endpoint": "CIR", "by": "ARM"}  # fmt: skip


def context_of(
    patients: list[tuple[str | None, int, int]], without_time: int = 0, **plan: Any
) -> Context:
    """A study of patients (group, days, status) and some without a time."""
    names = [f"P{i:03d}" for i in range(len(patients) + without_time)]
    groups = [group for group, _, _ in patients] + ["A"] * without_time
    adtte = pl.DataFrame(
        {
            "USUBJID": names[: len(patients)],
            "PARAMCD": "CIR",
            "AVAL": [days + 1 for _, days, _ in patients],
            "CNSR": [CNSR[status] for _, _, status in patients],
        },
        schema_overrides={"USUBJID": pl.String, "AVAL": pl.Int64, "CNSR": pl.Int32},
    )
    exclusion = pl.DataFrame(
        {
            "USUBJID": names[len(patients) :],
            "PARAMCD": ["CIR"] * without_time,
            "reason": ["NO_DATE"] * without_time,
        },
        schema=dict.fromkeys(("USUBJID", "PARAMCD", "reason"), pl.String),
    )
    adsl = pl.DataFrame(
        {"USUBJID": names, "ARM": groups}, schema={"USUBJID": pl.String, "ARM": pl.String}
    )
    planned = Plan(
        title="Small",
        variables={"ARM": {"label": "Arm", "levels": {"A": "Arm A", "B": "Arm B", "C": "Arm C"}}},
        endpoints={
            "CIR": {
                "label": "Progression",
                "event": "progression",
                "events": "progressions",
                "origin": "first salvage",
                "competing": "death without progression",
            }
        },  # fmt: skip
        displays=[PLANNED],
        **plan,
    )
    study = Study(id="MYE", title="Small", data_cut=dt.date(2024, 12, 31), settings={})
    return Context(AnalysisData(adsl, adtte, exclusion, pl.DataFrame()), study, planned)


def rows_of(context: Context) -> pl.DataFrame:
    return to_frame(list(competing.estimates(context.plan.displays[0], context)))


THIRTY = [
    (group, days, status)
    for group in "ABC"
    for days, status in zip(DAYS[group], STATUS[group], strict=True)
]


@pytest.fixture(scope="module")
def thirty() -> pl.DataFrame:
    return rows_of(context_of(THIRTY))


# R 4.2.2, cmprsk 2.2-11: timepoints(cuminc(days, status, g), c(6, 12) * 30.4375), and est^exp(-+z se / (est log est)).
@pytest.mark.parametrize(
    ("group", "level", "value", "lower", "upper"),
    [
        ("A", "1|6", 0.2125, 0.0268069865502185, 0.515393650472548),
        ("A", "1|12", 0.5275, 0.0942489116111416, 0.840958781585788),
        ("A", "2|6", 0.1125, 0.0043534453831357, 0.415623977559874),
        ("B", "1|6", 0.54, 0.1593509115964888, 0.813241221172620),
        ("B", "2|6", 0.22, 0.0207363489811002, 0.553495362668450),
        ("C", "1|6", 0.433333333333333, 0.1059219081450308, 0.732355212784040),
        ("C", "2|6", 0.216666666666667, 0.0248846430246644, 0.530843849738073),
    ],
)
def test_incidence_at_months_is_that_of_cuminc(thirty, group, level, value, lower, upper):
    row = thirty.filter(row="at_months", population=group, level=level).row(0, named=True)
    found = (row["value"], row["lower"], row["upper"])
    assert found == pytest.approx((value, lower, upper), rel=1e-9)


def test_after_the_last_time_of_a_group_nothing_is_told(thirty):
    row = thirty.filter(row="at_months", population="C", level="1|12").row(0, named=True)
    assert row["value"] is None
    assert row["text"].startswith("beyond the last time")


@pytest.mark.parametrize(
    ("cause", "statistic", "p"),
    [("1", 1.338165918499245, 0.512178050634656), ("2", 0.440874639637086, 0.802167917316498)],
)
def test_grays_tests_are_those_of_cuminc(thirty, cause, statistic, p):
    row = thirty.filter(row="gray", level=cause).row(0, named=True)
    assert (row["value"], row["p"]) == pytest.approx((statistic, p), rel=1e-9)


# cmprsk::crr (that of cause 2 with gtol = 1e-14: by default it stops 2e-6 short) and survival::coxph, arm A as reference.
@pytest.mark.parametrize(
    ("statistic", "cause", "group", "numbers"),
    [
        ("shr", "1", "B", (2.01853702115879, 0.575357877748733, 7.08166493127953, 0.2727314145)),
        ("shr", "1", "C", (1.68841089881487, 0.536665082046323, 5.31193747945531, 0.3704215108)),
        ("shr", "2", "B", (2.04669573706798, 0.207583371722006, 20.1796675975669, 0.5395992031)),
        ("csh", "1", "B", (2.81727000496144, 0.767130459795471, 10.34636309835949, 0.118629773876239)),
        ("csh", "1", "C", (2.15530001167095, 0.601071126798651, 7.7284000731329, 0.238533818455218)),
        ("csh", "2", "C", (2.34368723330289, 0.211970491639407, 25.9133703236919, 0.487252796367041)),
    ],
)  # fmt: skip
def test_both_models_are_those_of_r(thirty, statistic, cause, group, numbers):
    row = thirty.filter(row="model", statistic=statistic, level=cause, population=group).row(0, named=True)  # fmt: skip
    found = (row["value"], row["lower"], row["upper"], row["p"])
    assert found == pytest.approx(numbers, rel=1e-6)
    assert "few events" in row["text"]
    assert "small group (10)" in row["text"]


def test_the_test_of_proportional_hazards_is_that_of_cox_zph(thirty):
    row = thirty.filter(row="ph", level="1").row(0, named=True)
    assert row["p"] == pytest.approx(0.756861195726757, rel=1e-6)


def test_at_risk_are_those_whose_time_is_at_least_the_tick(thirty):
    found = thirty.filter(row="at_risk", population="A").select("level", "n").rows()
    # Ticks of 3 months are 91.3, 182.6, 273.9, 365.25 and 456.6 days.
    assert found == [("0", 10), ("3", 7), ("6", 5), ("9", 3), ("12", 2), ("15", 0)]


def test_curves_start_at_zero_and_end_at_the_last_time_of_the_group(thirty):
    curve = thirty.filter(row="curve", population="C", level="2").select("time_months", "value")
    days = [round(months * 30.4375, 6) for months in curve["time_months"]]
    assert days == [0, 15, 140, 365]
    assert curve["value"].to_list() == pytest.approx([0, 0.1, 0.216666666666667, 0.216666666666667])


def test_a_group_without_the_event_has_no_ratio_and_says_so():
    patients = [(g, d, 0 if g == "B" and s == 2 else s) for g, d, s in THIRTY]
    frame = rows_of(context_of(patients))
    for statistic in ("shr", "csh"):
        row = frame.filter(row="model", statistic=statistic, level="2", population="B").row(0, named=True)  # fmt: skip
        assert row["value"] is None
        assert row["text"] == "not estimable: no event in the group"
        other = frame.filter(row="model", statistic=statistic, level="2", population="C").row(0, named=True)  # fmt: skip
        assert other["value"] is not None


def test_a_reference_without_the_event_leaves_no_ratio():
    patients = [(g, d, 0 if g == "A" and s == 2 else s) for g, d, s in THIRTY]
    frame = rows_of(context_of(patients)).filter(row="model", level="2")
    texts = set(frame.filter(pl.col("population") != "A")["text"])
    assert texts == {"not estimable: no event in the reference"}


def test_an_event_that_nobody_had_has_no_test_and_a_flat_curve():
    frame = rows_of(context_of([(g, d, s % 2) for g, d, s in THIRTY]))
    test = frame.filter(row="gray", level="2").row(0, named=True)
    assert (test["p"], test["text"]) == (None, "not estimable: no event")
    assert set(frame.filter(row="curve", level="2")["value"]) == {0.0}


def test_a_level_that_no_patient_has_is_told():
    frame = rows_of(context_of([row for row in THIRTY if row[0] != "B"]))
    assert set(frame.filter(row="size", population="B")["text"]) == {"no patients"}
    assert set(frame.filter(row="model", population="B")["text"]) == {"no patients"}
    gone = frame.filter(row="gray", level="1").row(0, named=True)
    assert "1 degrees of freedom" in gone["method"]


def test_patients_without_a_time_or_group_are_counted():
    frame = rows_of(context_of([*THIRTY, (None, 100, 1)], without_time=2))
    found = frame.filter(row="excluded").select("level", "n").rows()
    assert found == [(None, 3), ("NO_DATE", 2), ("ARM_UNKNOWN", 1)]


def test_a_study_without_patients_has_no_numbers_and_a_page():
    frame = rows_of(context_of([]))
    assert set(frame["row"]) == {"origin", "size", "excluded"}
    made = section.blocks("X1", Rows(list(frame.iter_rows(named=True))), {})
    assert isinstance(made[0], Figure)
    assert made[0].drawing is None


def test_the_page_shows_both_causes_and_both_models(thirty):
    figure, at_months, models, *_ = section.blocks(
        "X1", Rows(list(thirty.iter_rows(named=True))), {}
    )
    assert isinstance(figure, Figure)
    assert str(figure.drawing).count("<path") == 6  # three groups, two causes
    assert "Months from first salvage" in str(figure.drawing)
    assert isinstance(at_months, Table)
    assert [line.label for line in at_months.lines if line.is_head] == ["Progression", "Death without progression"]  # fmt: skip
    assert isinstance(models, Table)
    assert models.heads == ("Events / patients", "Subdistribution hazard ratio", "Cause-specific hazard ratio")  # fmt: skip
    assert models.lines[1].cells == ("4 / 10", "reference", "reference")


def test_the_cohort_counts_every_patient_once(warehouse):
    con = duckdb.connect(str(warehouse), read_only=True)
    left_out = con.sql("select n from analysis.estimate where display = 'X1' and row = 'excluded' and level is null").fetchall()  # fmt: skip
    behind = con.sql("select count(*), count(distinct usubjid) from analysis.estimate_subject where display = 'X1'").fetchall()  # fmt: skip
    sizes = con.sql("select sum(n) from analysis.estimate where display = 'X1' and row = 'size' and level = '1'").fetchall()  # fmt: skip
    con.close()
    assert sizes[0][0] + left_out[0][0] == 139
    assert behind == [(139, 139)]
