"""What a page is made of: sections of tables, figures and sentences; and the rows that they rest on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from markupsafe import Markup

ALL = "ALL"
MISSING = "missing"
DISPLAY = "DISPLAY"  # the row that names a display: heading, kind, note


@dataclass(frozen=True)
class Line:
    """A row of a printed table."""

    label: str
    cells: tuple[str, ...]
    is_head: bool = False
    is_level: bool = False


@dataclass(frozen=True)
class Table:
    """A printed table; without a caption it has that of its section."""

    corner: str
    heads: tuple[str, ...]
    lines: tuple[Line, ...]
    caption: str = ""


@dataclass(frozen=True)
class Figure:
    """A drawing with the sentences below it; None where there is nothing to draw.

    `numbers`: what is drawn as a table, shown on demand.
    """

    name: str
    drawing: Markup | None
    caption: tuple[str, ...]
    empty: str = "Nothing to draw."
    numbers: Table | None = None


@dataclass(frozen=True)
class Note:
    """A sentence or more in small print."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Names and values, with a heading."""

    heading: str
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Subheading:
    """A heading inside a section."""

    text: str


Block = Table | Figure | Note | Bullets | Facts | Subheading


@dataclass(frozen=True)
class Section:
    """A part of the page: `short` stands in the contents."""

    id: str
    heading: str
    short: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Rows:
    """Rows of one display in order."""

    rows: Sequence[dict[str, Any]] = field(default_factory=tuple)
    named: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_display(cls, rows: Sequence[dict[str, Any]]) -> Rows:
        """Rows of a display; the row that names it stands apart."""
        named = next((row for row in rows if row["row"] == DISPLAY), {})
        return cls([row for row in rows if row["row"] != DISPLAY], named)

    @property
    def heading(self) -> str:
        """The display's heading."""
        return str(self.named.get("row_label") or "")

    @property
    def note(self) -> str:
        """The display's note."""
        return str(self.named.get("text") or "")

    @cached_property
    def _places(self) -> dict[tuple[Any, Any], list[dict[str, Any]]]:
        """Rows by name and population, and by name alone (population ...): pages ask for them often."""
        found: dict[tuple[Any, Any], list[dict[str, Any]]] = {}
        for row in self.rows:
            found.setdefault((row["row"], row["population"]), []).append(row)
            found.setdefault((row["row"], ...), []).append(row)
        return found

    def of(self, **wanted: Any) -> list[dict[str, Any]]:
        """The rows whose columns have these values."""
        rows = self.rows
        if "row" in wanted:
            place = (wanted.pop("row"), wanted.pop("population", ...))
            rows = self._places.get(place, [])
        return [row for row in rows if all(row[key] == value for key, value in wanted.items())]

    def one(self, **wanted: Any) -> dict[str, Any] | None:
        """The first such row, None if there is none."""
        return next(iter(self.of(**wanted)), None)

    def text(self, **wanted: Any) -> str:
        """The printed text of the first such row, empty if there is none."""
        row = self.one(**wanted)
        return str(row["text"]) if row and row["text"] is not None else ""

    def labels(self, **wanted: Any) -> dict[str, str]:
        """Population → label in order of appearance."""
        return {row["population"]: str(row["population_label"]) for row in self.of(**wanted)}


SMALL = "§"


def marked(rows: Rows, code: str, label: str) -> str:
    """The head of a column, with the mark of a small group."""
    return (
        f"{label} {SMALL}"
        if rows.one(row="WARNING", level="SMALL_GROUP", population=code)
        else label
    )


def column_notes(rows: Rows) -> list[str]:
    """What must be said of the columns of a table: which groups are small, who is in none."""
    small = [str(row["text"]).rstrip(".") for row in rows.of(row="WARNING", level="SMALL_GROUP")]
    told = [f"{SMALL} {'; '.join(small)}."] if small else []
    return [*told, *(str(row["text"]) for row in rows.of(row="WARNING", level="UNPLACED"))]


def holds(tables: Iterable[Table], mark: str) -> bool:
    """Whether a mark stands in a cell, so that it needs a word."""
    return any(mark in cell for table in tables for line in table.lines for cell in line.cells)


def p_words(text: str) -> str:
    """A printed P value with its sign: `P = 0.02`, `P <0.001`; words stand as they are."""
    if not text[:1].isdigit() and not text.startswith(("<", ">")):
        return f"P {text}"
    return f"P {text}" if text.startswith(("<", ">")) else f"P = {text}"
