"""The report shows queries by center and state, and what was confirmed against a rule."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import polars as pl

sys.path.insert(0, str(Path(__file__).parent))

from scorecard_case import Case  # noqa: E402

from reports.displays.data import AnalysisData  # noqa: E402
from reports.displays.estimate import Estimate, to_frame  # noqa: E402
from reports.displays.queries import queries, read  # noqa: E402
from reports.sections.model import Note, Rows, Table  # noqa: E402
from reports.sections.queries import blocks  # noqa: E402

RULES = """
    DAT-01 | Death after birth | error   | plausibility | dates
    PRD-01 | Dose is usual     | warning | plausibility | product
    ELG-01 | Right disease     | error   | conformance  | eligibility
"""


def case() -> Case:
    made = Case(rules=RULES).loads("1 | 2024-03-10 02:00")
    made.deliveries("""
        1 | 1 | AA01 | a | 2024-03-09 | snapshot | current
        2 | 1 | BB01 | b | 2024-03-09 | snapshot | current""")
    made.con.execute("UPDATE quality.rule SET disposition = 'screen_out' WHERE rule_id = 'ELG-01'")
    made.queries("""
        Q-1 | AA01 | DAT-01 | | follow_up | death_date
        Q-2 | AA01 | PRD-01 | | infusion  | dose
        Q-3 | AA01 | PRD-01 | | infusion  | dose
        Q-4 | AA01 | ELG-01 | | subject   | diagnosis
        Q-5 | AA01 | DAT-01 | | follow_up | death_date""")
    made.events("""
        2024-03-10 02:00 | load   | 1 | Q-1 | created   | open
        2024-03-10 02:00 | load   | 1 | Q-2 | created   | candidate
        2024-03-10 02:00 | load   | 1 | Q-3 | created   | open
        2024-03-10 02:00 | load   | 1 | Q-4 | created   | open
        2024-03-11 02:00 | center |   | Q-3 | confirmed | closed | confirmed_correct
        2024-03-11 02:00 | center |   | Q-4 | confirmed | closed | confirmed_correct
        2024-03-11 02:00 | center |   | Q-5 | confirmed | closed | confirmed_correct""")
    for query, rule, who, holds, held in (
        ("Q-3", "PRD-01", "center", True, False),
        ("Q-4", "ELG-01", "data manager", True, False),
        ("Q-5", "DAT-01", "center", True, True),
        ("Q-2", "PRD-01", "center", False, False),  # the value has changed since
    ):
        made.con.execute(
            "INSERT INTO quality.exception BY NAME SELECT "
            f"'{query}' AS query_id, 'AA01' AS center_id, '{rule}' AS rule_id, '{who}' AS confirmed_by, "
            f"TIMESTAMP '2024-03-11' AS confirmed_at, {holds} AS holds, {held} AS row_held"
        )
    return made


def estimates(con: duckdb.DuckDBPyConnection) -> list[Estimate]:
    nothing = pl.DataFrame()
    return list(queries(AnalysisData(nothing, nothing, nothing, nothing, queries=read(con))))


def test_queries_of_each_center_and_of_all_are_counted_by_state():
    rows = {(e.population, e.row): e.value for e in estimates(case().con) if e.row != "EXCEPTION"}
    assert rows["AA01", "OPEN"] == rows["ALL", "OPEN"] == 1
    assert rows["AA01", "OPEN_ERROR"] == 1
    assert rows["AA01", "CANDIDATE"] == 1
    assert rows["AA01", "CLOSED"] == rows["ALL", "CLOSED"] == 3
    assert rows["BB01", "OPEN"] == 0
    assert len(rows) == 3 * 7


def test_exceptions_that_hold_are_told_by_rule_with_what_follows():
    found = [(e.population, e.level, e.n, e.level_label) for e in estimates(case().con) if e.row == "EXCEPTION"]  # fmt: skip
    assert found == [
        ("AA01", "DAT-01", 1, "confirmed by the center; the row stays held"),
        ("AA01", "ELG-01", 1, "confirmed by the data manager; the patient stays outside the study"),
        ("AA01", "PRD-01", 1, "confirmed by the center; the row is used"),
    ]


def test_the_section_prints_both_tables_from_the_estimates():
    rows = Rows.of_display(to_frame(estimates(case().con)).to_dicts())
    tables = [block for block in blocks(rows) if isinstance(block, Table)]
    assert [line.label for line in tables[0].lines] == ["AA01", "BB01", "All"]
    assert tables[0].lines[0].cells == ("1", "1", "0", "1", "0", "3", "0")
    assert tables[1].lines[0].label == "AA01: Death after birth (DAT-01)"
    assert tables[1].lines[0].cells == ("1", "confirmed by the center; the row stays held")


def test_a_study_without_exceptions_says_so_and_one_without_queries_says_nothing():
    made = case()
    made.con.execute("DELETE FROM quality.exception")
    rows = Rows.of_display(to_frame(estimates(made.con)).to_dicts())
    assert "No value was confirmed against a rule." in [
        block.text for block in blocks(rows) if isinstance(block, Note)
    ]
    made.con.execute("DELETE FROM quality.query")
    assert estimates(made.con) == []
    assert estimates(duckdb.connect()) == []
