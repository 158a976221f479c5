"""Lines after the first salvage: counts by hand, ends, and what is drawn."""

from __future__ import annotations

import datetime as dt

import duckdb
import polars as pl

from reports.displays import line_flow
from reports.displays.context import Context
from reports.displays.course_data import CourseData
from reports.displays.data import AnalysisData
from reports.displays.estimate import to_frame
from reports.sections import line_flow as section
from reports.sections.model import Figure, Note, Rows, Table
from schemas.spec.plan import Plan
from schemas.spec.study import Study

CUT = dt.date(2024, 8, 31)
# Patient → lines in order, dead, day of death.
COURSES: dict[str, tuple[tuple[str, ...], str | None, dt.date | None]] = {
    "P1": (("TALQ",), "N", None),
    "P2": (("TALQ", "TEC"), "Y", dt.date(2024, 1, 1)),
    "P3": (("TALQ", "TEC", "OTHER"), "N", None),
    "P4": (("TEC",), "Y", dt.date(2024, 12, 24)),
    "P5": (("IPC", "IPC", "TALQ", "OTHER", "OTHER", "IPC"), "Y", dt.date(2024, 8, 31)),
    "P6": (("IPC",), None, None),
}


def context_of(courses: CourseData | None = None) -> Context:
    adsl = pl.DataFrame(
        [(name, lines[0], dead, day) for name, (lines, dead, day) in COURSES.items()],
        {"USUBJID": pl.String, "GRP4": pl.String, "DTHFL": pl.String, "DTHDT": pl.Date},
        orient="row",
    )
    lines = pl.DataFrame(
        [
            (name, number, group)
            for name, (groups, _, _) in COURSES.items()
            for number, group in enumerate(groups, start=1)
        ],
        {"USUBJID": pl.String, "SALVSEQ": pl.Int32, "SALVGRP": pl.String},
        orient="row",
    )
    planned = Plan(
        title="Small", variables={"GRP4": {"label": "First salvage"}}, endpoints={},
        displays=[{"id": "ST3", "kind": "flow", "heading": "Lines", "note": "56 or 65."}],
    )  # fmt: skip
    study = Study(id="MYE", title="Small", data_cut=CUT, settings={})
    data = AnalysisData(
        adsl, pl.DataFrame(), pl.DataFrame(), pl.DataFrame(),
        courses=CourseData(lines) if courses is None else courses,
    )  # fmt: skip
    return Context(data, study, planned)


def rows_of(context: Context) -> pl.DataFrame:
    return to_frame(list(line_flow.estimates(context.plan.displays[0], context)))


def counts(frame: pl.DataFrame, row: str) -> dict[str, int]:
    return dict(frame.filter(row=row).select("level", pl.col("value").cast(pl.Int64)).rows())


def test_each_stage_holds_the_lines_and_those_who_had_none_further():
    assert counts(rows_of(context_of()), "node") == {
        "1|TALQ": 3,
        "1|TEC": 1,
        "1|IPC": 2,
        "2|TEC": 2,
        "2|IPC": 1,
        "2|ALIVE": 2,
        "2|UNKNOWN": 1,
        "3|TALQ": 1,
        "3|OTHER": 1,
        "3|DIED": 1,
        "4|OTHER": 1,
        "4|ALIVE": 1,
        "5|MORE": 1,
    }


def test_a_death_after_the_data_cut_is_not_counted_and_one_on_it_is():
    frame = line_flow.courses_of(context_of().patients, context_of().data.courses.lines, CUT)
    assert frame.filter(USUBJID="P4", place=2)["node"].to_list() == ["ALIVE"]
    died = COURSES["P5"][2]
    assert died == CUT
    shorter = context_of().data.courses.lines.filter(pl.col("SALVSEQ") <= 2)
    frame = line_flow.courses_of(context_of().patients, shorter, CUT)
    assert frame.filter(USUBJID="P5", place=3)["node"].to_list() == ["DIED"]


def test_steps_lead_from_node_to_node_by_first_salvage():
    frame = rows_of(context_of()).filter(row="step", population="TALQ")
    assert counts(frame, "step") == {
        "1|TALQ|TEC": 2,
        "1|TALQ|ALIVE": 1,
        "2|TEC|OTHER": 1,
        "2|TEC|DIED": 1,
        "3|OTHER|ALIVE": 1,
    }


def test_what_enters_a_node_is_what_it_holds():
    frame = rows_of(context_of())
    entered: dict[str, int] = {}
    for level, value in frame.filter(row="step").select("level", "value").rows():
        place, _, end = level.split("|")
        key = f"{int(place) + 1}|{end}"
        entered[key] = entered.get(key, 0) + int(value)
    nodes = counts(frame, "node")
    assert entered == {key: number for key, number in nodes.items() if not key.startswith("1|")}


def test_further_lines_are_shares_of_the_first_salvage():
    frame = rows_of(context_of()).filter(row="further")
    found = dict(frame.select("population", "text").rows())
    assert found == {
        "TALQ": "2 (67)",
        "TEC": "0 (0)",
        "IPC": "1 (50)",
        "OTHER": "0 (–)",
        "ALL": "3 (50)",
    }


def test_a_patient_without_lines_is_told():
    lines = context_of().data.courses.lines.filter(pl.col("USUBJID") != "P1")
    frame = rows_of(context_of(CourseData(lines)))
    assert frame.filter(row="excluded")["n"].to_list() == [1]
    figure = section.blocks("ST3", Rows(list(frame.iter_rows(named=True))), {})[0]
    assert isinstance(figure, Figure)
    assert figure.caption[-1] == "Patients without a salvage line in the table: 1."


def test_without_the_table_it_says_that_nothing_was_made():
    frame = rows_of(context_of(CourseData()))
    assert frame["row"].to_list() == ["not_run"]
    found = section.blocks("ST3", Rows(list(frame.iter_rows(named=True))), {})
    assert found == (Note(line_flow.NO_LINES),)


def test_the_page_draws_a_band_a_step_and_prints_the_counts():
    frame = rows_of(context_of())
    figure, table, note = section.blocks("ST3", Rows(list(frame.iter_rows(named=True)), {"text": "56 or 65."}), {})  # fmt: skip
    assert isinstance(figure, Figure)
    assert str(figure.drawing).count("<path") == frame.filter(row="step").height
    assert isinstance(table, Table)
    # Nobody of this frame had another first salvage; all groups are below 20 patients.
    assert table.heads == ("Talquetamab §", "Teclistamab §", "IMiD/PI/CD38 §", "Other", "All §")
    assert table.lines[1].cells == ("2 (67)", "0 (0)", "1 (50)", "0 (–)", "3 (50)")
    assert isinstance(note, Note)
    assert note.text.endswith("56 or 65.")


def test_the_cohort_has_the_published_numbers_of_further_lines(warehouse):
    con = duckdb.connect(str(warehouse), read_only=True)
    found = con.sql(
        "select population, value::int from analysis.estimate where display = 'ST3' and row = 'further'"
    ).fetchall()
    again = con.sql("select count(*) from analysis.adsl where SUBSQFL = 'Y'").fetchall()
    con.close()
    # Merz 2024, Table 1: 6, 14, 24 and 21 from 21, 39, 56 and 68 percent.
    assert dict(found) == {"TALQ": 6, "TEC": 14, "IPC": 24, "OTHER": 21, "ALL": 65}
    assert again == [(65,)]
