"""The matrix of the centers' definitions: rows of the estimates and what the page prints."""

import duckdb
import polars as pl
import pytest

from reports.displays import definitions
from reports.displays.data import AnalysisData
from reports.displays.estimate import to_frame
from reports.displays.flow import methods
from reports.sections.frame import definition_notes, definition_table
from reports.sections.model import Line, Rows
from schemas.spec.study import Study


@pytest.fixture
def con():
    con = duckdb.connect()
    con.execute("create schema analysis")
    con.execute(
        "create table analysis.center_definition as select * from (values "
        "('DE01', 'relapse.emd', 'EMD', 'partial', 'DECLARED', 'No imaging.', 'NONE'), "
        "('US01', 'relapse.emd', 'EMD', 'complete', 'MAPPED', null, 'NONE'), "
        "('DE01', 'subject.birth_year', 'Year of birth', 'complete', 'MAPPED', null, 'NONE'), "
        "('US01', 'subject.birth_year', 'Year of birth', 'impossible', 'DECLARED', null, 'EXCLUDE'), "
        "('DE01', 'lab.value', 'Value', 'impossible', 'NOT_MAPPED', null, 'NONE')"
        ") as t(SITEID, variable, label, status, basis, note, effect)"
    )
    return con


def shown(con: duckdb.DuckDBPyConnection) -> Rows:
    empty = pl.DataFrame()
    data = AnalysisData(empty, empty, empty, empty, definitions=definitions.read(con))
    frame = to_frame(list(definitions.definitions(data)))
    return Rows(list(frame.iter_rows(named=True)))


def test_the_matrix_has_the_variables_of_the_report_and_those_a_center_speaks_of(con):
    table = definition_table(shown(con))
    assert table.heads == ("DE01", "US01")
    assert table.lines == (
        Line("EMD", ("◐", "✓")),
        Line("Year of birth", ("✓", "✗ (patients left out)")),
    )


def test_what_a_center_says_is_printed_under_the_matrix(con):
    assert definition_notes(shown(con)) == ["DE01, EMD: No imaging."]


def test_a_file_without_definitions_has_no_matrix():
    assert definitions.read(duckdb.connect()) == ()


def test_the_methods_say_what_the_study_makes_of_other_definitions():
    def sentence(**settings: object) -> str:
        study = Study(id="MYE", title="Test", data_cut="2024-12-31", settings=settings)
        return {row.row: row.text for row in methods(study)}["definitions"]

    assert sentence() == "Centers that define a variable otherwise are analysed like all others."
    assert sentence(
        impossible_definitions={"relapse.emd": "exclude"},
        partial_definitions={"risk.r_iss": "missing"},
    ) == (
        "Where a center's definition of relapse.emd is impossible: patients are left out;"
        " of risk.r_iss is partial: it is set to missing."
    )
