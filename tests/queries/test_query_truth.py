"""After each round of the demo study the published queries are those that the generator foretold."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

ROOT = Path(__file__).resolve().parents[2]
Row = dict[str, str]
PLACE = ("file", "sheet", "row", "column")
FAILING = ("new", "still_failing", "changed_still_failing")
ENDS = {
    "new": ("open", None),
    "still_failing": ("open", None),
    "changed_still_failing": ("open", None),
    "resolved": ("resolved", "data_corrected"),
    "withdrawn": ("resolved", "record_withdrawn"),
}
QUERIES = "select * from quality.query"
CELLS = """
select q.query_id, x.file, coalesce(x.sheet, ''), x.row::varchar, x.source_column
from quality.query q join quality.finding_field x using (delivery_key, finding_id)
where x.row is not null
"""
COUNTS = "select center_id::varchar, rule_id, outcome, n from quality.query_load where load_id = 2"


@dataclass(frozen=True)
class Published:
    """What stands in the warehouse after a round."""

    queries: dict[str, dict[str, Any]]
    cells: dict[str, set[tuple[str, ...]]]  # of the finding that tells a query


@dataclass(frozen=True)
class Rounds:
    """The published queries after both rounds, and what was foretold."""

    one: Published
    two: Published
    counts: Counter[tuple[str, str, str]]  # of the second load
    truth: list[Row]
    usubjid: dict[tuple[str, str], str]

    def found(self, row: Row, round_: int) -> list[str]:
        """Ids of the queries of a round that are the one foretold: center, rule, patient, cell."""
        published = self.one if round_ == 1 else self.two
        place = tuple(row[f"{name}_{round_}"] for name in PLACE)
        patient = self.usubjid.get((row["center"], row["patient_id"]))
        if row["patient_id"] and patient is None:
            return []
        return [
            id_
            for id_, q in published.queries.items()
            if (q["center_id"], q["rule_id"], q["severity"], q["usubjid"])
            == (row["center"], row["rule_id"], row["severity"], patient)
            and (place in published.cells[id_] if any(place) else not published.cells[id_])
            and q["outcome"] in FAILING
        ]


def ask(con: duckdb.DuckDBPyConnection, statement: str) -> list[tuple[Any, ...]]:
    return con.execute(statement).fetchall()


def published(folder: Path) -> Published:
    with duckdb.connect(str(folder / "published/warehouse.duckdb"), read_only=True) as con:
        names = [row[0] for row in ask(con, f"describe {QUERIES}")]
        rows = [dict(zip(names, row, strict=True)) for row in ask(con, QUERIES)]
        cells = defaultdict(set)
        for id_, *place in ask(con, CELLS):
            cells[id_].add(tuple(place))
    return Published({row["query_id"]: row for row in rows}, cells)


@pytest.fixture(scope="module")
def rounds(demo_after_round: Callable[[int], Path]) -> Rounds:
    one = published(demo_after_round(1))
    folder = demo_after_round(2)
    with duckdb.connect(str(folder / "published/warehouse.duckdb"), read_only=True) as con:
        counts = Counter({tuple(key): n for *key, n in ask(con, COUNTS)})
    with (folder / "truth/queries.csv").open(encoding="utf-8", newline="") as file:
        truth = list(csv.DictReader(file))
    ids = pl.read_parquet(folder / "vault/id_map.parquet")
    usubjid = {
        (center, patient): name
        for center, patient, name in ids.select("center_id", "patient_id", "usubjid").iter_rows()
    }
    return Rounds(one, published(folder), counts, truth, usubjid)  # type: ignore[arg-type]


def test_after_round_one_each_foretold_query_is_there_once_and_no_other_is(rounds: Rounds) -> None:
    found = [rounds.found(row, 1) for row in rounds.truth if row["outcome_1"]]
    assert [len(ids) for ids in found] == [1] * len(found)
    assert Counter(ids[0] for ids in found) == Counter(rounds.one.queries.keys())
    assert {q["outcome"] for q in rounds.one.queries.values()} == {"new"}


def test_after_round_two_each_query_has_the_foretold_outcome(rounds: Rounds) -> None:
    foretold = {
        rounds.found(row, 1)[0]: row["outcome_2"] for row in rounds.truth if row["outcome_1"]
    }
    assert {id_: rounds.two.queries[id_]["outcome"] for id_ in foretold} == foretold


def test_what_is_new_in_round_two_is_what_was_foretold(rounds: Rounds) -> None:
    found = [rounds.found(row, 2) for row in rounds.truth if not row["outcome_1"]]
    assert [len(ids) for ids in found] == [1] * len(found)
    new = set(rounds.two.queries) - set(rounds.one.queries)
    assert {ids[0] for ids in found} == new
    assert {rounds.two.queries[id_]["outcome"] for id_ in new} == {"new"}


def test_what_fails_in_round_two_points_to_the_cell_of_round_two(rounds: Rounds) -> None:
    for row in rounds.truth:
        if row["outcome_1"] and row["outcome_2"] in FAILING:
            assert rounds.found(row, 2) == rounds.found(row, 1), row
        elif row["outcome_1"]:
            (id_,) = rounds.found(row, 1)
            assert not rounds.two.cells[id_]


def test_state_and_resolution_follow_from_what_became_of_a_query(rounds: Rounds) -> None:
    for q in rounds.two.queries.values():
        assert (q["state"], q["resolution"]) == ENDS[q["outcome"]]
        assert (q["ended_at"] is None) is (q["state"] == "open")
        assert q["n_reopened"] == 0
        assert q["created_load"] == (1 if q["query_id"] in rounds.one.queries else 2)


def test_the_counts_of_the_second_load_are_those_of_the_truth(rounds: Rounds) -> None:
    assert rounds.counts == Counter(
        (row["center"], row["rule_id"], row["outcome_2"]) for row in rounds.truth
    )


def test_a_visit_that_is_mended_and_the_next_that_breaks_are_two_queries(rounds: Rounds) -> None:
    (old,) = (row for row in rounds.truth if row["kind"] == "hemoglobin_unit")
    (new,) = (row for row in rounds.truth if row["kind"] == "next_hemoglobin_unit")
    first, second = rounds.found(old, 1)[0], rounds.found(new, 2)[0]
    assert first != second
    queries = rounds.two.queries
    assert (queries[first]["outcome"], queries[second]["outcome"]) == ("resolved", "new")
    same = ("usubjid", "table", "field", "rule_id")
    assert [queries[first][n] for n in same] == [queries[second][n] for n in same]
    assert queries[first]["instance"] != queries[second]["instance"]
