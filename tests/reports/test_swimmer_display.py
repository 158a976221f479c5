"""Courses of single patients: which are drawn, where their lines and marks lie, how they end."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import duckdb
import polars as pl
import pytest

from reports.displays import swimmer
from reports.displays.context import Context
from reports.displays.course_data import CourseData
from reports.displays.data import AnalysisData
from reports.displays.estimate import to_frame
from reports.sections import swimmer as section
from reports.sections.model import Figure, Rows
from schemas.spec.plan import Plan
from schemas.spec.study import Study

MONTH = 30.4375
START = dt.date(2024, 1, 1)
CUT = START + dt.timedelta(days=300)


def day(number: int | None) -> dt.date | None:
    return None if number is None else START + dt.timedelta(days=number)


# Pseudonym, group, dead, day of death, last day known alive.
PATIENTS = [
    ("S-C", "TALQ", "Y", 200, 200),
    ("S-A", "TEC", "N", None, 250),
    ("S-B", "TEC", "Y", 310, 290),
    ("S-D", "TALQ", None, None, 40),
    ("S-E", "TALQ", "N", None, None),
]
# Pseudonym, number, start, end, group.
LINES = [
    ("S-C", 1, 0, 50, "TALQ"),
    ("S-C", 2, 61, None, "IPC"),
    ("S-A", 1, 0, None, "TEC"),
    ("S-A", 2, 100, 400, "TALQ"),
    ("S-B", 1, 0, 20, "TEC"),
    ("S-D", 1, 0, None, "TALQ"),
]
# Pseudonym, parameter, line, day, category.
RESPONSES = [
    ("S-C", "OVR", 1, 20, "PR"),
    ("S-C", "OVR", 1, 30, "sCR"),
    ("S-C", "OVR", 1, 40, "VGPR"),
    ("S-C", "BOR", 1, 30, "sCR"),
    ("S-C", "RSP", 1, 20, "Y"),
    ("S-C", "OVR", 1, 50, "PD"),
    ("S-C", "OVR", 1, 58, "PD"),
    ("S-C", "PD", 1, 50, "Y"),
    ("S-C", "OVR", 2, 90, "PR"),
    ("S-A", "RSP", 1, 35, "Y"),
    ("S-A", "OVR", 1, None, "CR"),
    ("S-A", "OVR", 1, 260, "CR"),
    ("S-B", "OVR", 1, 15, "SD"),
    ("S-B", "RSP", 1, None, "N"),
]


def context_of(most: int = 60, courses: CourseData | None = None) -> Context:
    adsl = pl.DataFrame(
        [(n, g, START, dead, day(died), day(seen)) for n, g, dead, died, seen in PATIENTS],
        {"USUBJID": pl.String, "GRP4": pl.String, "TRTSDT": pl.Date, "DTHFL": pl.String, "DTHDT": pl.Date, "LSTALVDT": pl.Date},
        orient="row",
    ).sort("USUBJID")  # fmt: skip
    lines = pl.DataFrame(
        [(n, k, day(first), day(last), group) for n, k, first, last, group in LINES],
        {"USUBJID": pl.String, "SALVSEQ": pl.Int32, "ASTDT": pl.Date, "AENDT": pl.Date, "SALVGRP": pl.String},
        orient="row",
    )  # fmt: skip
    responses = pl.DataFrame(
        [(n, parameter, line, day(on), category) for n, parameter, line, on, category in RESPONSES],
        {"USUBJID": pl.String, "PARAMCD": pl.String, "SALVN": pl.Int32, "ADT": pl.Date, "AVALC": pl.String},
        orient="row",
    )  # fmt: skip
    planned = Plan(
        title="Small", variables={"GRP4": {"label": "First salvage", "levels": {"TALQ": "Talquetamab", "TEC": "Teclistamab"}}}, endpoints={},
        displays=[{"id": "SWIMMER", "kind": "swimmer", "heading": "Courses", "most": most}],
    )  # fmt: skip
    study = Study(id="MYE", title="Small", data_cut=CUT, settings={})
    data = AnalysisData(
        adsl, pl.DataFrame(), pl.DataFrame(), pl.DataFrame(),
        courses=CourseData(lines, responses) if courses is None else courses,
    )  # fmt: skip
    return Context(data, study, planned)


def rows_of(context: Context) -> pl.DataFrame:
    return to_frame(list(swimmer.estimates(context.plan.displays[0], context)))


@pytest.fixture(scope="module")
def five() -> pl.DataFrame:
    return rows_of(context_of())


def days(months: float | None) -> float:
    assert months is not None
    return round(months * MONTH, 6)


def test_the_longest_come_first_and_end_at_death_last_contact_or_data_cut(five):
    found = five.filter(row="patient").select("level", "statistic", "value").rows()
    # S-B died after the data cut: alive at the last day known before it.
    assert [(rank, end, days(months)) for rank, end, months in found] == [
        ("2", "ALIVE", 290),
        ("1", "ALIVE", 250),
        ("3", "DIED", 200),
        ("4", "UNKNOWN", 40),
    ]


def test_a_patient_without_an_end_is_counted_not_drawn(five):
    assert five.filter(row="excluded")["n"].to_list() == [1]
    assert five.filter(row="drawn", population="ALL")["text"].to_list() == ["4 of 5"]


def test_lines_end_where_known_else_at_the_next_line_or_the_end_of_the_course(five):
    found = {
        (level, statistic): (days(lower), days(upper))
        for level, statistic, lower, upper in five.filter(row="line").select("level", "statistic", "lower", "upper").rows()
    }  # fmt: skip
    assert found == {
        ("3|1|TALQ", "line"): (0, 50),
        ("3|2|IPC", "open"): (61, 200),
        ("1|1|TEC", "open"): (0, 100),
        ("1|2|TALQ", "line"): (100, 250),
        ("2|1|TEC", "line"): (0, 20),
        ("4|1|TALQ", "open"): (0, 40),
    }


def test_marks_are_deepening_responses_and_the_first_progression_of_each_line(five):
    found = five.filter(row="mark").select("level", "statistic", "value").rows()
    assert [(rank, kind, days(months)) for rank, kind, months in found] == [
        ("1", "RSP", 35),
        ("3", "PR", 20),
        ("3", "CR", 30),
        ("3", "PD", 50),
        ("3", "PR", 90),
    ]


def test_no_more_than_the_plan_asks_for_are_drawn_and_the_page_says_so():
    frame = rows_of(context_of(most=2))
    assert frame.filter(row="patient")["level"].to_list() == ["2", "1"]
    assert set(frame.filter(row="line")["level"].str.head(1)) == {"1", "2"}
    figure = section.blocks("SWIMMER", Rows(list(frame.iter_rows(named=True))), {})[0]
    assert isinstance(figure, Figure)
    assert figure.caption[0].startswith("The 2 longest courses of 5 patients (Talquetamab 0 of 3; Teclistamab 2 of 2)")  # fmt: skip


def test_the_drawing_shows_groups_in_order_and_no_pseudonym(five):
    figure = section.blocks("SWIMMER", Rows(list(five.iter_rows(named=True))), {})[0]
    assert isinstance(figure, Figure)
    drawn = str(figure.drawing)
    assert not re.search("S-[A-E]", drawn)
    assert drawn.rindex(">Talquetamab<") < drawn.rindex(">Teclistamab<")
    assert (
        drawn.count("<circle") == 3 + 2
    )  # three responses of known class; two kinds in the legend


def test_without_lines_and_responses_the_page_says_so():
    frame = rows_of(context_of(courses=CourseData()))
    assert frame.filter(row="not_run").height == 2
    assert frame.filter(row="patient").height == 4
    figure = section.blocks("SWIMMER", Rows(list(frame.iter_rows(named=True))), {})[0]
    assert isinstance(figure, Figure)
    assert any("no table of salvage lines" in sentence for sentence in figure.caption)


def test_a_table_of_patients_without_the_dates_is_told_not_guessed():
    context = context_of()
    data = replace(context.data, adsl=context.data.adsl.drop("LSTALVDT"))
    frame = rows_of(replace(context, data=data))
    assert frame["text"].to_list() == [
        "The table of patients has no LSTALVDT: courses were not drawn."
    ]
    figure = section.blocks("SWIMMER", Rows(list(frame.iter_rows(named=True))), {})[0]
    assert isinstance(figure, Figure)
    assert figure.drawing is None


def test_the_cohort_draws_sixty_courses_each_with_its_patient(warehouse):
    con = duckdb.connect(str(warehouse), read_only=True)
    drawn = con.sql("select count(distinct level), max(time_months) from analysis.estimate where display = 'SWIMMER' and row = 'patient'").fetchall()  # fmt: skip
    behind = con.sql("select count(distinct usubjid) from analysis.estimate_subject where display = 'SWIMMER'").fetchall()  # fmt: skip
    beyond = con.sql(
        "select count(*) from analysis.estimate as mark join analysis.estimate as course"
        " on mark.display = course.display and course.row = 'patient' and course.level = mark.level"
        " where mark.display = 'SWIMMER' and mark.row = 'mark' and mark.value > course.value"
    ).fetchall()
    con.close()
    assert drawn[0][0] == 60
    assert behind == [(60,)]
    assert beyond == [(0,)]
