"""One derivation for all patients that the tests of a file draw.

A derivation costs half a CPU second however few patients it has, and nearly every test here is about one
patient of its own. So the tests of a file are rehearsed first: each runs until it asks for a derivation,
which is noted and ends its rehearsal. What was noted is derived at once, the patients of each drawing in
centers of its own. That goes on with the next derivation of each test until none asks for a new one; then the
tests run for good, each with assertions of its own on its own patients. Patients who changed each
other's values would be found by it.

Only tables whose rows are of one patient or of one center are shared. A test that reads or writes anything
else on its connection gets a derivation of its own drawing alone, and so does one with statements of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pytest

from schemas.spec.study import Study

# Tables whose rows are of one patient or of one center.
SHARED = frozenset(
    {
        "adrs",
        "adsl",
        "adtox",
        "adtte",
        "attrition",
        "candidate",
        "endpoint_problem",
        "exclusion",
        "imwg_line",
        "imwg_response",
        "risk_agreement",
        "salvage_line",
    }
)
TEMPORARY = frozenset({"candidate"})
# Which rows are there without `completions`.
PRIMARY = {
    "adtte": "analysis = 'PRIMARY'",
    "exclusion": "paramcd in (select paramcd from temp.endpoint_parameter)",
}
ROUNDS = 12  # a test that asks for more derivations, one after the other, gets the others alone
ROWS_APART = 100_000  # row ids of a drawing begin at its number times this
Key = tuple[object, ...]


class NotedError(Exception):
    """Ends the rehearsal of a test."""


@dataclass(frozen=True)
class Drawing:
    """What a test draws; see the fixture `derived`."""

    study: Study
    tables: Mapping[str, str]
    held: str = ""
    progressions: str = ""
    exported: str = ""
    completions: bool = True
    before: str = ""

    @property
    def together(self) -> str:
        """What drawings of one derivation share: the study."""
        return self.study.model_dump_json()

    @property
    def key(self) -> Key:
        """Equal for equal drawings."""
        tables = tuple(sorted(self.tables.items()))
        told = (self.held, self.progressions, self.exported, self.completions)
        return self.together, tables, *told


# Drawings with the number of each (0: as it is drawn) → their derivation.
Derive = Callable[[Sequence[tuple[int, Drawing]]], duckdb.DuckDBPyConnection]


def mark(number: int) -> str:
    """What is added to the names of the centers of a drawing."""
    return f"x{number:03}" if number else ""


@dataclass
class Derived:
    """The derivation of a drawing: shared tables by `select`, everything else as on a connection of its own."""

    drawing: Drawing
    number: int
    shared: duckdb.DuckDBPyConnection
    rehearsal: Rehearsal

    def select(self, table: str, where: str, columns: str) -> duckdb.DuckDBPyConnection:
        """Rows of a table in the order of all columns, as if the drawing had been derived alone."""
        if table not in SHARED or "alone" in self.__dict__:
            return select(self.alone, table, where, columns)
        added = mark(self.number)
        undone = {
            "usubjid": f"replace(usubjid, '{added}-', '-')",
            "siteid": f"replace(siteid, '{added}', '')",
            "center_id": f"replace(center_id, '{added}', '')",
            "srcseq": f"srcseq - {self.number * ROWS_APART}",
            "response_row_id": f"response_row_id - {self.number * ROWS_APART}",
        }
        described = self.shared.execute(f"describe {placed(table)}").fetchall()
        names = {row[0].lower(): row[0] for row in described}
        replaced = ", ".join(
            f"{text} as {names[name]}" for name, text in undone.items() if name in names
        )
        if "usubjid" in names:
            own = f"contains(usubjid, '{added}-')"
        else:
            own = f"ends_with({'siteid' if 'siteid' in names else 'center_id'}, '{added}')"
        if not self.drawing.completions and table in PRIMARY:
            own += f" and {PRIMARY[table]}"
        source = f"(select * replace ({replaced}) from {placed(table)} where {own})"
        return self.shared.execute(f"select {columns} from {source} where {where} order by all")

    @cached_property
    def alone(self) -> duckdb.DuckDBPyConnection:
        """The drawing derived for this test only."""
        if self.rehearsal.is_on:
            raise NotedError
        return self.rehearsal.derive([(0, self.drawing)])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.alone, name)


def placed(table: str) -> str:
    """The table with its schema."""
    return f"temp.{table}" if table in TEMPORARY else f"analysis.{table}"


def select(
    con: Derived | duckdb.DuckDBPyConnection, table: str, where: str = "true", columns: str = "*"
) -> duckdb.DuckDBPyConnection:
    """Rows of a derived table in the order of all columns."""
    if isinstance(con, Derived):
        return con.select(table, where, columns)
    return con.execute(f"select {columns} from {placed(table)} where {where} order by all")


@dataclass
class Rehearsal:
    """What the tests of the file at hand asked for, and what is derived of it."""

    derive: Derive
    file: Path | None = None
    is_on: bool = False
    is_asking: bool = False
    noted: dict[Key, Drawing] = field(default_factory=dict)
    made: dict[Key, tuple[int, duckdb.DuckDBPyConnection]] = field(default_factory=dict)

    def of(self, drawing: Drawing) -> Derived | duckdb.DuckDBPyConnection:
        """The derivation of a drawing; in a rehearsal it is noted if it is a new one."""
        if drawing.before and self.is_on:
            raise NotedError
        if drawing.before:
            return self.derive([(0, drawing)])
        if drawing.key in self.made:
            number, shared = self.made[drawing.key]
            return Derived(drawing, number, shared, self)
        if self.is_on:
            self.noted[drawing.key], self.is_asking = drawing, True
            raise NotedError
        return self.derive([(0, drawing)])

    def rehearse(self, file: Path, items: Sequence[pytest.Function]) -> None:
        """Runs the tests of a file until none asks for a derivation that is not there."""
        for shared in {id(con): con for _, con in self.made.values()}.values():
            shared.close()
        self.file, self.made, asking = file, {}, list(items)
        for _ in range(ROUNDS):
            self.noted = {}
            asking = [item for item in asking if self._asks(item)]
            try:
                self._make()
            except Exception:
                return  # each test gets its own; that of the drawing at fault fails

    def _asks(self, item: pytest.Function) -> bool:
        """Runs a test; whether it ended at a derivation that is not there."""
        self.is_on, self.is_asking = True, False
        state = item.session._setupstate
        try:
            item._initrequest()  # as plugins do that run a test twice
            state.setup(item)
            item.runtest()
        except (Exception, pytest.fail.Exception, pytest.skip.Exception):
            pass  # what fails here fails again when it counts
        finally:
            state.teardown_exact(item.getparent(pytest.Module))
            item._request = item.funcargs = None
            self.is_on = False
        return self.is_asking

    def _make(self) -> None:
        groups: dict[object, list[Drawing]] = defaultdict(list)
        for drawing in self.noted.values():
            groups[drawing.together].append(drawing)
        for drawings in groups.values():
            numbered = list(enumerate(drawings, start=1))
            shared = self.derive(numbered)
            self.made |= {drawing.key: (number, shared) for number, drawing in numbered}
