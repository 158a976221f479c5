"""The numbers of the text: medians, ranges and rates by group, by hand and from R."""

from __future__ import annotations

import datetime as dt

import duckdb
import polars as pl
import pytest

from reports.displays import summary
from reports.displays.context import Context
from reports.displays.data import AnalysisData
from reports.displays.estimate import to_frame
from reports.sections import summary as section
from reports.sections.model import Note, Rows, Table
from schemas.spec.plan import Plan
from schemas.spec.study import Study

# Group, days, dead, months to relapse, further line, best response.
PATIENTS = [
    ("A", 61, 1, 2.0, "Y", "CR"),
    ("A", 122, 1, 4.0, "N", "VGPR"),
    ("A", 183, 0, 6.0, "N", "PR"),
    ("A", 244, 1, None, "N", None),
    ("B", 30, 1, 1.0, "Y", "LTPR"),
    ("B", 61, 1, 3.0, "Y", "LTPR"),
    ("B", 91, 0, 5.0, "N", "PR"),
]


def context_of(rows: list[tuple[object, ...]]) -> Context:
    columns = ("ARM", "days", "dead", "TTRLPM", "SUBSQFL", "BESTRESP")
    types = (pl.String, pl.Int64, pl.Int64, pl.Float64, pl.String, pl.String)
    frame = pl.DataFrame(rows, dict(zip(columns, types, strict=True)), orient="row").with_row_index("number")  # fmt: skip
    frame = frame.with_columns(USUBJID=pl.format("P{}", "number"))
    adtte = frame.select(
        "USUBJID", PARAMCD=pl.lit("OS"), AVAL=pl.col("days") + 1,
        CNSR=(1 - pl.col("dead")).cast(pl.Int32),
    )  # fmt: skip
    planned = Plan(
        title="Small",
        variables={
            "ARM": {"label": "Arm", "levels": {"A": "Arm A", "B": "Arm B"}},
            "TTRLPM": {"label": "Months to relapse", "decimals": 1},
            "SUBSQFL": {"label": "Further line", "levels": {"N": "No", "Y": "Yes"}},
            "BESTRESP": {"label": "Response", "levels": {"CR": "CR", "VGPR": "VGPR", "PR": "PR", "LTPR": "Less"}},
        },
        endpoints={"OS": {"label": "Survival", "event": "death", "events": "deaths", "origin": "start"}},
        displays=[
            {"id": "X2", "kind": "summary", "heading": "Numbers", "by": "ARM", "medians": ["OS"], "numbers": ["TTRLPM"], "shares": ["SUBSQFL", "BESTRESP"]}
        ],
    )  # fmt: skip
    study = Study(id="MYE", title="Small", data_cut=dt.date(2024, 12, 31), settings={})
    return Context(AnalysisData(frame, adtte, pl.DataFrame(), pl.DataFrame()), study, planned)


def rows_of(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    context = context_of(rows)
    return to_frame(list(summary.estimates(context.plan.displays[0], context)))


@pytest.fixture(scope="module")
def seven() -> pl.DataFrame:
    return rows_of(PATIENTS)


def test_the_median_is_that_of_survfit_in_months(seven):
    # Survival of arm A: 0.75 at 61 days, 0.5 from 122 on, 0 at 244: flat at 0.5, so (122 + 244) / 2 days.
    row = seven.filter(row="MEDIAN_OS", population="A", statistic="median").row(0, named=True)
    assert row["value"] == pytest.approx(183 / 30.4375)
    assert (row["n"], row["events"]) == (4, 3)
    assert row["text"].endswith(" ‡§")
    assert row["method"].endswith("; few events (3); small group (4)")


def test_range_and_rank_test_leave_out_the_unknown_and_count_it(seven):
    row = seven.filter(row="TTRLPM", population="A", statistic="median").row(0, named=True)
    assert (row["value"], row["lower"], row["upper"], row["n"]) == (4.0, 2.0, 6.0, 3)
    assert row["text"] == "4.0 (2.0–6.0)"
    missing = seven.filter(row="TTRLPM", level="missing").select("population", "n").rows()
    assert dict(missing) == {"A": 1, "B": 0, "ALL": 1}


def test_of_yes_and_no_only_yes_is_printed(seven):
    row = seven.filter(row="SUBSQFL_Y", population="B", statistic="percent").row(0, named=True)
    assert (row["events"], row["n"]) == (2, 3)
    # binom.test(2, 3): 0.0942993240502 to 0.9915962413404.
    assert (row["lower"], row["upper"]) == pytest.approx((9.42993240502, 99.15962413404), rel=1e-8)
    assert row["text"] == "67 (9 to 99)"
    assert seven.filter(row="SUBSQFL_N").is_empty()


def test_response_is_a_rate_of_the_known_responses(seven):
    found = seven.filter(row="BESTRESP_ORR", statistic="percent").select(
        "population", "events", "n"
    )
    assert found.rows() == [("A", 3, 3), ("B", 1, 3), ("ALL", 4, 6)]
    missing = seven.filter(row="BESTRESP", level="missing", population="A")["n"].to_list()
    assert missing == [1]


def test_a_group_without_patients_has_no_numbers_and_no_test():
    frame = rows_of([row for row in PATIENTS if row[0] == "A"])
    texts = set(frame.filter((pl.col("population") == "B") & (pl.col("statistic") == "percent"))["text"])  # fmt: skip
    assert texts == {"no patients"}
    tests = frame.filter(statistic="p")
    assert set(tests["p"]) == {None}
    assert set(tests["text"]) == {"not estimable"}


def test_patients_without_a_group_are_told_and_in_the_column_of_all():
    frame = rows_of([*PATIENTS, (None, 10, 0, 2.0, "N", "PR")])
    assert frame.filter(row="no_group")["n"].to_list() == [1]
    assert frame.filter(row="MIX", population="ALL")["text"].to_list() == ["8 (100)"]


def test_the_page_explains_its_marks(seven):
    table, note = section.blocks("X2", Rows(list(seven.iter_rows(named=True))), {"sparse": "† Sparse."})  # fmt: skip
    assert isinstance(table, Table)
    assert table.heads == ("Arm A", "Arm B", "All", "P")
    assert [line.label for line in table.lines[-6:]] == [
        "Response, % (95% CI)", "Overall response (PR or better)", "CR", "VGPR", "PR", "Less",
    ]  # fmt: skip
    assert isinstance(note, Note)
    for words in ("† Sparse.", "‡ Few events", "§ Small group", "Not known: Response, 1 patients."):
        assert words in note.text


def test_the_cohort_gives_the_published_rates(warehouse):
    con = duckdb.connect(str(warehouse), read_only=True)
    found = con.sql(
        "select row, population, text from analysis.estimate where display = 'X2' and statistic = 'percent'"
        " and row in ('BESTRESP_ORR', 'BESTRESP_CR', 'SUBSQFL_Y')"
    ).fetchall()
    con.close()
    shares = {(row, group): text.split(" ")[0] for row, group, text in found}
    groups = ("TALQ", "TEC", "IPC", "OTHER")
    # displays.md: ORR 79 / 64 (24 of 37 is 65) / 30 / 26, CR 39 / 32 / 0 / 3, further line 21 / 39 (14 of 37) / 56 / 68.
    assert [shares["BESTRESP_ORR", g] for g in groups] == ["79", "65", "30", "26"]
    assert [shares["BESTRESP_CR", g] for g in groups] == ["39", "32", "0", "3"]
    assert [shares["SUBSQFL_Y", g] for g in groups] == ["21", "38", "56", "68"]
