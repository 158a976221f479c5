"""Tables of counts for the external report: which cells they have, and how they are printed once some are withheld."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reports.disclosure.system import Cell, System
from reports.displays.estimate import count_text, number_text
from reports.sections.model import ALL, MISSING, Line, Rows, Table

WITHHELD = "withheld"
COUNTED = ("baseline", "response")
NOT_LEVELS = frozenset({"N", "WARNING", "ORR", "CRR", "NOT_ASSESSED"})
COHORT: Cell = frozenset()


@dataclass
class Block:
    """A variable by groups, with the number of patients of each group."""

    by: str | None
    name: str
    label: str
    populations: dict[str, str]
    totals: dict[str, int]
    levels: dict[str, str] = field(default_factory=dict)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)  # population, level
    medians: dict[str, float | None] = field(default_factory=dict)
    decimals: int = 1
    p: str = ""

    def group(self, population: str) -> Cell:
        """The patients of a column."""
        if population == ALL or self.by is None:
            return COHORT
        return frozenset({(self.by, population)})

    def cell(self, population: str, level: str) -> Cell:
        """The patients of a cell."""
        return self.group(population) | {(self.name, level)}

    def enter(self, system: System) -> None:
        """Adds the cells and sums of the block to what a reader knows."""
        groups = [code for code in self.populations if code != ALL]
        for code, number in self.totals.items():
            system.heads.add(system.put(self.group(code), number))
        for (code, level), number in self.counts.items():
            system.put(self.cell(code, level), number)
        for code in self.populations:
            system.add_up(self.group(code), [self.cell(code, x) for x in self.levels], self.name)
        if ALL in self.populations and groups and self.by:
            system.add_up(COHORT, [self.group(code) for code in groups], self.by)
            for level in self.levels:
                parts = [self.cell(code, level) for code in groups]
                system.add_up(self.cell(ALL, level), parts, self.by)

    def lines(self, hidden: set[Cell], threshold: int) -> list[Line]:
        """As printed."""
        cells = {self.cell(code, level) for code, level in self.counts}
        whole = not cells & hidden and not {self.group(c) for c in self.populations} & hidden
        if self.medians:
            p = self.p if whole and all(self._known(c) >= threshold for c in self.medians) else ""
            p = p or (WITHHELD if self.p else "")
            made = [
                Line(
                    self.label,
                    (*(self._median(c, threshold) for c in self.populations), p),
                    is_head=True,
                )
            ]
        else:
            p = self.p if whole else (WITHHELD if self.p else "")
            made = [Line(self.label, (*[""] * len(self.populations), p), is_head=True)]
        for level, label in self.levels.items():
            if level == MISSING and not any(self.counts[c, level] for c in self.populations):
                continue
            told = (*(self._count(code, level, hidden) for code in self.populations), "")
            made.append(Line(label, told, is_level=True))
        return made

    def _known(self, code: str) -> int:
        return self.totals[code] - self.counts.get((code, MISSING), 0)

    def _median(self, code: str, threshold: int) -> str:
        if self._known(code) < 2 * threshold:
            return WITHHELD
        return number_text(self.medians[code], self.decimals)

    def _count(self, code: str, level: str, hidden: set[Cell]) -> str:
        """Count and share; no share where another cell of the column is withheld, from which it would follow."""
        if self.cell(code, level) in hidden:
            return WITHHELD
        number = self.counts[code, level]
        column = {self.cell(code, one) for one in self.levels} | {self.group(code)}
        if level == MISSING or column & hidden:
            return str(number)
        return count_text(number, self._known(code))


def blocks_of(rows: Rows, by: str | None) -> list[Block]:
    """The variables of a table of characteristics or of best responses."""
    kind = str(rows.named["level"])
    first = rows.of(row="N") or rows.of(row="BESTRESP", statistic="n")
    labels = {str(row["population"]): str(row["population_label"]) for row in first}
    sizes = {str(r["population"]): int(r["value"]) for r in rows.of(row="N", statistic="n")}
    made = []
    for name in dict.fromkeys(str(row["row"]) for row in rows.rows):
        if name in NOT_LEVELS:
            continue
        mine = rows.of(row=name)
        counted = [row for row in mine if row["statistic"] == "n"]
        medians = {str(r["population"]): r["value"] for r in mine if r["statistic"] == "median"}
        counts = {(str(r["population"]), str(r["level"])): int(r["value"]) for r in counted}
        levels = {str(r["level"]): str(r["level_label"] or r["level"]) for r in counted}
        if kind == "response":
            sizes = _response_sizes(counts)
        if not counts or any((c, x) not in counts for c in labels for x in levels):
            continue
        p = next((str(r["text"]) for r in mine if r["statistic"] == "p"), "")
        made.append(
            Block(
                by,
                name,
                str(mine[0]["row_label"] or rows.heading),
                labels,
                dict(sizes),
                levels,
                counts,
                medians,
                _decimals(mine),
                p,
            )
        )
    return made


def _response_sizes(counts: dict[tuple[str, str], int]) -> dict[str, int]:
    """Patients of each group: those with a response of any class, and those whose response is not known."""
    sizes: dict[str, int] = {}
    for (code, _), number in counts.items():
        sizes[code] = sizes.get(code, 0) + number
    return sizes


def _decimals(rows: list[dict[str, Any]]) -> int:
    text = next((str(row["text"]) for row in rows if row["statistic"] == "median"), "")
    head = text.split(" ")[0]
    return len(head.partition(".")[2]) if "." in head else 0


def table_of(blocks: list[Block], hidden: set[Cell], threshold: int) -> Table:
    """All variables of a display as one table."""
    first = blocks[0]
    heads = tuple(
        f"{label} (n\u00a0=\u00a0{WITHHELD if first.group(code) in hidden else first.totals[code]})"
        for code, label in first.populations.items()
    )
    lines = tuple(line for block in blocks for line in block.lines(hidden, threshold))
    return Table("", (*heads, "P"), lines)
