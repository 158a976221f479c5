"""What a reader can compute from an external report: reads its files alone, and shares no code with what wrote them."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

from scipy.optimize import linprog

SIZE = re.compile(r"^(.*) \(n\s=\s(.*)\)$")
CELL = re.compile(r"^(\d+)(?: \((\d+|–)\))?$")
Key = tuple[str, str, str]  # group, variable, level


class Reader:
    """Unknown counts with all that is known of them."""

    def __init__(self) -> None:
        self.names: dict[Key, int] = {}
        self.equal: list[tuple[dict[int, float], float]] = []
        self.most: list[tuple[dict[int, float], float]] = []

    def place(self, key: Key) -> int:
        """The unknown of a count."""
        return self.names.setdefault(key, len(self.names))

    def range(self, key: Key) -> tuple[int, float]:
        """Least and greatest number that fits all that is printed."""
        near = self._near(self.names[key])
        order = {unknown: number for number, unknown in enumerate(sorted(near))}
        goal = [0.0] * len(order)
        goal[order[self.names[key]]] = 1.0
        parts = []
        for rows in (self.equal, self.most):
            kept = [(row, right) for row, right in rows if set(row) & near]
            matrix = [[row.get(one, 0.0) for one in sorted(near)] for row, _ in kept]
            parts.append((matrix or None, [right for _, right in kept] or None))
        (equal, equals), (less, limits) = parts
        ends = []
        for sign in (1.0, -1.0):
            found = linprog(
                [sign * g for g in goal], A_ub=less, b_ub=limits, A_eq=equal, b_eq=equals,
                bounds=(0, None), method="highs",
            )  # fmt: skip
            assert found.status in (0, 3), found.message
            ends.append(math.inf if found.status == 3 else sign * found.fun)
        return math.ceil(ends[0] - 1e-6), math.floor(ends[1] + 1e-6) if ends[
            1
        ] < math.inf else ends[1]

    def _near(self, start: int) -> set[int]:
        near, before = {start}, 0
        while len(near) != before:
            before = len(near)
            for row, _ in (*self.equal, *self.most):
                if near & set(row):
                    near |= set(row)
        return near


def read(folder: Path, tables: tuple[str, ...]) -> Reader:
    """All counts of tables by groups, with sums over levels and over groups, and what shares tell.

    The reader is told that every patient has one level of each variable and stands in one group.
    """
    reader = Reader()
    for name in tables:
        path = folder / "tables" / f"{name}.csv"
        if path.is_file():
            _table(reader, list(csv.reader(path.read_text("utf-8").splitlines())))
    return reader


def _table(reader: Reader, rows: list[list[str]]) -> None:
    heads = [SIZE.match(cell) for cell in rows[0][1:-1]]
    groups = [found[1] for found in heads if found]
    for group, found in zip(groups, heads, strict=True):
        _known(reader, (group, "", ""), found[2] if found else "")
    _over_groups(reader, groups, "", "")
    variable, levels = "", dict[str, list[str]]()
    for row in [*rows[1:], None]:
        if (
            row is None or row[-1] or not any(row[1:])
        ):  # the line of a variable has its test, or nothing
            if variable and levels:
                _variable(reader, groups, variable, levels)
            # Below medians stands who is missing alone: not all patients.
            is_number = row is not None and any(row[1:-1])
            variable, levels = ("" if row is None or is_number else row[0]), {}
        else:
            levels[row[0]] = row[1:-1]


def _variable(reader: Reader, groups: list[str], name: str, levels: dict[str, list[str]]) -> None:
    for place, group in enumerate(groups):
        size = reader.place((group, "", ""))
        lost = [level for level in levels if level.startswith(("Missing", "Unknown"))]
        row = {reader.place((group, name, level)): 1.0 for level in levels}
        reader.equal.append(({**row, size: -1.0}, 0.0))
        for level, cells in levels.items():
            share = _known(reader, (group, name, level), cells[place])
            if share is None or level in lost:
                continue
            # share - 0.5 <= 100 n / known <= share + 0.5, where known = size - lost
            one = reader.place((group, name, level))
            for sign, limit in ((1.0, share - 0.5), (-1.0, share + 0.5)):
                told = {one: -sign * 100.0, size: sign * limit}
                told |= {reader.place((group, name, x)): -sign * limit for x in lost}
                reader.most.append((told, 1e-6))
    for level in levels:
        _over_groups(reader, groups, name, level)


def _over_groups(reader: Reader, groups: list[str], name: str, level: str) -> None:
    parts = {reader.place((group, name, level)): 1.0 for group in groups if group != "All"}
    if "All" in groups:
        reader.equal.append(({**parts, reader.place(("All", name, level)): -1.0}, 0.0))


def _known(reader: Reader, key: Key, text: str) -> int | None:
    """Notes a printed count; returns its share."""
    unknown, found = reader.place(key), CELL.match(text)
    if not found:
        assert text == "withheld", f"{key}: {text!r}"
        return None
    reader.equal.append(({unknown: 1.0}, float(found[1])))
    return int(found[2]) if found[2] and found[2] != "–" else None
