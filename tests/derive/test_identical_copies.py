"""A row that a center sends twice, cell by cell: the copy is held back and asked about, and nothing is lost."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))

import small_study  # noqa: E402

from flows import stages  # noqa: E402
from flows.center import process_center, pull_center  # noqa: E402
from flows.outcome import DeliveryOutcome  # noqa: E402
from warehouse import analysis, build  # noqa: E402

PATIENT = "AA01-002"


def assembled(root: Path) -> duckdb.DuckDBPyConnection:
    """The staged warehouse of a study, as the judge gets it."""
    plan = stages.prepare(str(root), ())
    outcomes: list[DeliveryOutcome] = []
    for center_id in plan["centers"]:
        found = process_center(str(root), pull_center(str(root), center_id, None), False)
        outcomes += [DeliveryOutcome(**item) for item in found]
    return duckdb.connect(
        stages.assemble(str(root), stages.open_load(str(root), outcomes)), read_only=True
    )


def twice(root: Path, table: str, **changed: str) -> None:
    """The patient's row of a table once more below the others, with other values if given."""
    file = root / "inbox" / "AA01" / "2024-06-14" / f"{table}.csv"
    header, *lines = file.read_text(encoding="utf-8").splitlines()
    cells = dict(
        zip(header.split(","), next(x for x in lines if PATIENT in x).split(","), strict=True)
    )
    copy = ",".join((cells | changed).values())
    file.write_text("\n".join([header, *lines, copy]) + "\n", encoding="utf-8")


def rows(con: duckdb.DuckDBPyConnection, statement: str) -> list[tuple[Any, ...]]:
    return con.execute(statement).fetchall()


@pytest.fixture(autouse=True)
def patients_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the alternatives of the settings nor the completions of dates are looked at here."""
    monkeypatch.setattr(analysis, "add_completions", lambda *_: None)
    monkeypatch.setattr(build, "_default_derive", analysis.derive)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return small_study.make_study(tmp_path / "study", ("AA01",))


ADSL = "select CARTDT, RELDT, TRTSDT, GRP4, RISS, EMDRELFL from analysis.adsl order by all"
ASKED = "select rule_id, \"table\" from quality.finding where rule_id = 'STR-10' order by all"


def test_copies_of_relapse_and_risk_change_nothing_but_are_asked_about(
    root: Path, tmp_path: Path
) -> None:
    with assembled(small_study.make_study(tmp_path / "clean", ("AA01",))) as con:
        wanted = rows(con, ADSL)
    twice(root, "relapse")
    twice(root, "risk")
    with assembled(root) as con:
        assert rows(con, ADSL) == wanted
        assert rows(con, ASKED) == [("STR-10", "relapse"), ("STR-10", "risk")]


def test_a_second_row_that_says_something_else_is_no_copy(root: Path) -> None:
    twice(root, "risk", r_iss="III" if PATIENT[-1] == "1" else "I")
    with assembled(root) as con:
        found = rows(con, "select count(*), count(RISS) from analysis.adsl")
        assert found == [(6, 5)]  # which stage is right is not known
