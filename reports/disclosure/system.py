"""Counts of patients and which of them add up to which: what a reader of the tables can calculate with.

A cell is named by the conditions that its patients meet, (variable, code) pairs; no condition is the cohort. The
same patients therefore are one cell, in whatever table, column or row they stand.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Cell = frozenset[tuple[str, str]]
REST = "\N{HORIZONTAL ELLIPSIS}rest"  # those that a total has beside its printed parts


@dataclass
class System:
    """Values of cells; sums of them.

    Attributes:
        values: Every cell with its number of patients.
        sums: A total and its parts.
        unprinted: Cells that no table prints, but that follow from printed ones.
        heads: Sizes of groups, which are withheld last.
    """

    values: dict[Cell, int] = field(default_factory=dict)
    sums: set[tuple[Cell, tuple[Cell, ...]]] = field(default_factory=set)
    unprinted: set[Cell] = field(default_factory=set)
    heads: set[Cell] = field(default_factory=set)

    def copy(self) -> System:
        """One that can be added to without changing this one."""
        return System(dict(self.values), set(self.sums), set(self.unprinted), set(self.heads))

    def put(self, cell: Cell, value: int) -> Cell:
        """Notes a printed cell.

        Raises:
            ValueError: The same patients were counted otherwise elsewhere; nothing can be protected then.
        """
        if self.values.setdefault(cell, value) != value:
            raise ValueError(f"{sorted(cell)}: {self.values[cell]} and {value}")
        self.unprinted.discard(cell)
        return cell

    def add_up(self, total: Cell, parts: list[Cell], over: str) -> None:
        """Notes that parts make a total; what they lack is a cell of its own that nobody prints."""
        rest = self.values[total] - sum(self.values[part] for part in parts)
        if rest:
            left = total | {(over, REST)}
            if left not in self.values:
                self.unprinted.add(left)
            self.values[left] = rest
            parts = [*parts, left]
        self.sums.add((total, tuple(sorted(parts, key=sorted))))

    def small(self, threshold: int) -> set[Cell]:
        """Cells that must not be known: from 1 up to below the threshold."""
        return {cell for cell, value in self.values.items() if 0 < abs(value) < threshold}
