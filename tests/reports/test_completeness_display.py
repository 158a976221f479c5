"""Completeness: known values by center, and a matrix that is read without its shades."""

from __future__ import annotations

import datetime as dt

import duckdb
import polars as pl

from reports.displays import completeness
from reports.displays.context import Context
from reports.displays.data import AnalysisData
from reports.displays.estimate import to_frame
from reports.figures.completeness_matrix import shade
from reports.sections import completeness as section
from reports.sections.model import Figure, Rows, Table
from schemas.spec.plan import Plan
from schemas.spec.study import Study

ROWS = [
    ("P1", "DE01", "F", 60, "LTPR", "NOT_EVALUABLE"),
    ("P2", "DE01", None, 61, "CR", "REPORTED"),
    ("P3", "DE01", "M", None, "PR", "ASSESSMENTS"),
    ("P4", "US01", "F", None, "LTPR", "MISSING"),
]


def context_of(rows: list[tuple[object, ...]] = ROWS) -> Context:
    names = ("USUBJID", "SITEID", "SEX", "AGE", "BESTRESP", "BESTRSRC")
    types = (pl.String, pl.String, pl.String, pl.Int32, pl.String, pl.String)
    adsl = pl.DataFrame(rows, dict(zip(names, types, strict=True)), orient="row")
    planned = Plan(
        title="Small",
        variables={
            "SITEID": {"label": "Center"},
            "SEX": {"label": "Sex", "levels": {"F": "Female", "M": "Male"}},
            "AGE": {"label": "Age"},
            "ECOG": {"label": "ECOG", "levels": {"0": "0"}},
            "BESTRESP": {"label": "Response", "levels": {"CR": "CR", "PR": "PR", "LTPR": "Less"}},
        },
        endpoints={},
        displays=[{"id": "COMPLETENESS", "kind": "completeness", "heading": "Known", "variables": ["SEX", "AGE", "ECOG", "BESTRESP"]}],
    )  # fmt: skip
    study = Study(id="MYE", title="Small", data_cut=dt.date(2024, 12, 31), settings={})
    return Context(
        AnalysisData(adsl, pl.DataFrame(), pl.DataFrame(), pl.DataFrame()), study, planned
    )


def rows_of(context: Context) -> pl.DataFrame:
    return to_frame(list(completeness.estimates(context.plan.displays[0], context)))


def test_known_values_are_counted_by_center_and_in_all():
    found = (
        rows_of(context_of())
        .filter(statistic="percent")
        .select("row", "population", "events", "n", "text")
    )
    assert found.rows() == [
        ("SEX", "ALL", 3, 4, "75"), ("SEX", "DE01", 2, 3, "67"), ("SEX", "US01", 1, 1, "100"),
        ("AGE", "ALL", 2, 4, "50"), ("AGE", "DE01", 2, 3, "67"), ("AGE", "US01", 0, 1, "0"),
        ("ECOG", "ALL", 0, 4, "0"), ("ECOG", "DE01", 0, 3, "0"), ("ECOG", "US01", 0, 1, "0"),
        ("BESTRESP", "ALL", 2, 4, "50"), ("BESTRESP", "DE01", 2, 3, "67"), ("BESTRESP", "US01", 0, 1, "0"),
    ]  # fmt: skip


def test_one_missing_value_of_many_is_not_rounded_to_complete():
    rows = [(f"P{i}", "DE01", None if i == 0 else "F", i, "CR", "REPORTED") for i in range(300)]
    rows[1] = (*rows[1][:3], None, *rows[1][4:])
    frame = rows_of(context_of(rows)).filter(population="DE01", statistic="percent")
    assert dict(frame.select("row", "text").rows())["SEX"] == ">99"
    only = [(f"P{i}", "DE01", "F" if i == 0 else None, i, "CR", "REPORTED") for i in range(300)]
    frame = rows_of(context_of(only)).filter(population="DE01", row="SEX", statistic="percent")
    assert frame["text"].to_list() == ["<1"]


def test_those_whose_value_is_unknown_are_named_in_the_warehouse():
    found = completeness.subjects(context_of().plan.displays[0], context_of())
    missing = found.group_by("row").agg(pl.col("usubjid").sort()).sort("row").rows()
    assert missing == [
        ("AGE", ["P3", "P4"]),
        ("BESTRESP", ["P1", "P4"]),
        ("ECOG", ["P1", "P2", "P3", "P4"]),
        ("SEX", ["P2"]),
    ]


def test_the_page_has_number_and_shade_in_each_cell():
    rows = Rows(list(rows_of(context_of()).iter_rows(named=True)))
    figure, table = section.blocks("COMPLETENESS", rows, {})
    assert isinstance(figure, Figure)
    drawn = str(figure.drawing)
    assert drawn.count("<rect") == 4 * 3
    assert drawn.count('text-decoration="underline"') == 1 + 3 + 3 + 3  # cells below 75
    assert isinstance(table, Table)
    assert table.heads == ("All", "DE01", "US01")
    assert table.lines[0].cells == ("4", "3", "1")
    assert table.lines[1].cells == ("3/4", "2/3", "1/1")


def test_the_less_is_known_the_darker_is_the_cell():
    order = [shade(share) for share in (100.0, 99.0, 80.0, 60.0, 10.0)]
    light = [sum(int(color[i : i + 2], 16) for i in (1, 3, 5)) for color in order]
    assert light == sorted(light, reverse=True)
    assert len(set(light)) == len(light)


def test_patients_without_a_center_are_a_column_of_their_own():
    rows = [*ROWS, ("P5", None, "F", 50, "CR", "REPORTED")]
    found = rows_of(context_of(rows)).filter(row="N").select("population_label", "n").rows()
    assert dict(found) == {"All": 5, "DE01": 3, "US01": 1, "Center not known": 1}


def test_the_cohort_has_a_cell_for_each_variable_and_center(warehouse):
    con = duckdb.connect(str(warehouse), read_only=True)
    found = con.sql(
        "select count(*), count(distinct population), sum(case when population = 'ALL' then n end)"
        " from analysis.estimate where display = 'COMPLETENESS' and statistic = 'percent'"
    ).fetchall()
    con.close()
    assert found == [(13 * 13, 13, 13 * 139)]
