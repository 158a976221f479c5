"""The steps of the analysis tables run again under another setting: only those that it touches.

What a step reads is found in its text: every word of it that is the name of a table. A step that runs
and makes the table that the study's own settings make ends the spreading there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

SCHEMA, PREFIX = (
    "analysis.",
    "alternative_",
)  # adsl of an alternative is the temporary alternative_adsl
TARGETS = ("adsl", "adtte")
OWN = "own_"  # stands before the name of a table that makes room for that of an alternative
LINES = ("first_salvage", "salvage_sequence")  # what the step in Python makes
_MAKES = re.compile(r"create or replace (?:temp )?table (?:analysis\.)?(\w+)")


@dataclass(frozen=True)
class Step:
    """A statement: the table that it makes, its text with tables of `analysis` made temporary, its words."""

    makes: str
    statement: str
    words: frozenset[str]

    @property
    def target(self) -> str:
        """The table that it makes under an alternative."""
        return f"{PREFIX}{self.makes}" if self.makes in TARGETS else self.makes


@cache
def read_step(text: str) -> Step:
    """A file as a step; comments are no part of it."""
    code = "\n".join(line for line in text.splitlines() if not line.strip().startswith("--"))
    made = _MAKES.search(code)
    if made is None:
        raise ValueError(f"no table is made by: {code[:80]}")
    statement = code.replace(
        f"create or replace table {SCHEMA}", f"create or replace temp table {PREFIX}"
    )
    return Step(
        made[1], statement.replace(SCHEMA, PREFIX), frozenset(re.findall(r"\w+", code)) - {made[1]}
    )


def needed(steps: Sequence[Step]) -> list[Step]:
    """The steps that adsl and the times to event rest on, in order."""
    wanted = set(TARGETS)
    kept = []
    for step in reversed(steps):
        if step.makes in wanted:
            wanted |= step.words
            kept.append(step)
    return kept[::-1]


@dataclass
class Rerun:
    """Runs what a setting touches on a connection whose temporary tables are those of the study's settings.

    `before`, `after`: the needed steps before and after the first salvage is found. `finish`: what is done to
    adsl once it is made. `moved`: tables whose content is another one now; those of the study's own settings
    stand beside them under another name, to be put back.
    """

    con: duckdb.DuckDBPyConnection
    before: Sequence[Step]
    after: Sequence[Step]
    finish: Callable[[str], None]
    moved: set[str] = field(default_factory=set)
    _own: dict[str, tuple[int, int]] = field(default_factory=dict)

    def run(
        self, touched: Collection[str], decides_lines: bool, find_lines: Callable[[], None]
    ) -> None:
        """Brings every table to the settings that `temp.setting` holds.

        Args:
            touched: Columns of `temp.setting` that are not the study's own.
            decides_lines: Whether the first salvage may be another one.
            find_lines: Finds it under these settings and makes the tables `LINES`.
        """
        self.put_back()
        names = set(touched)
        self._run_steps(self.before, names)
        if decides_lines or self.moved:
            self._make(LINES, LINES, find_lines)
        self._run_steps(self.after, names)

    def put_back(self) -> None:
        """Every table is that of the study's own settings again."""
        for name in self.moved:
            self._put_back(name)
        self.moved = set()

    def _run_steps(self, steps: Sequence[Step], touched: set[str]) -> None:
        for step in steps:
            if not step.words.isdisjoint(touched | self.moved):
                self._make((step.makes,), (step.target,), lambda step=step: self._execute(step))  # type: ignore[misc]

    def _execute(self, step: Step) -> None:
        self.con.execute(step.statement).fetchall()
        if step.makes == "adsl":
            self.finish(step.target)

    def _make(self, names: Sequence[str], targets: Sequence[str], make: Callable[[], None]) -> None:
        for name in names:
            if name not in self._own:
                self._own[name] = self._content(f"{SCHEMA}{name}" if name in TARGETS else name)
            if name not in TARGETS:
                self.con.execute(f"alter table temp.{name} rename to {OWN}{name}").fetchall()
        make()
        for name, target in zip(names, targets, strict=True):
            if self._content(target) == self._own[name]:
                self._put_back(name)
            else:
                self.moved.add(name)

    def _put_back(self, name: str) -> None:
        if name not in TARGETS:  # the study's own adsl and adtte are in schema analysis
            self.con.execute(
                f"drop table temp.{name}; alter table temp.{OWN}{name} rename to {name}"
            ).fetchall()

    def _content(self, table: str) -> tuple[int, int]:
        """Height and a sum over the rows; their order counts for nothing."""
        primary = " where ANALYSIS = 'PRIMARY'" if table.endswith("adtte") else ""
        [found] = self.con.execute(
            f"select count(*), coalesce(sum(hash(whole)::hugeint), 0) from {table} as whole{primary}"
        ).fetchall()
        return int(found[0]), int(found[1])
