"""Column names from header rows."""

from __future__ import annotations

from collections.abc import Sequence

from transforms.read.source import Source


def join_header_rows(rows: Sequence[Sequence[str | None]], *, fill: bool) -> list[str]:
    """One name per column: the rows joined from top to bottom by ' / '.

    Args:
        rows: Cells of the header rows.
        fill: A cell of an upper row stands for the empty cells to its right too, where the row
            below names them (CSV exports of merged headers). Workbooks fill by their merged ranges.
    """
    width = max((len(row) for row in rows), default=0)
    names = [""] * width
    for level, row in enumerate(rows):
        below = rows[level + 1 :]
        last = ""
        for column in range(width):
            text = _cell(row, column)
            if text:
                last = text
            elif fill and below and any(_cell(other, column) for other in below):
                text = last
            else:
                last = ""
            if text:
                names[column] = f"{names[column]} / {text}" if names[column] else text
    return names


def _cell(row: Sequence[str | None], column: int) -> str:
    text = row[column] if column < len(row) else None
    return (
        " ".join(text.split()) if text and ("\n" in text or "\r" in text) else (text or "").strip()
    )


def checked_names(
    source: Source, names: Sequence[str], limit: int, sheet: str | None = None
) -> tuple[str, ...]:
    """The names as they are used: columns without a header become `column <position>`.

    Raises:
        FileError: DUPLICATE_COLUMN or TOO_MANY_COLUMNS.
    """
    if len(names) > limit:
        raise source.error(
            "TOO_MANY_COLUMNS",
            f"{len(names)} columns, at most {limit} are read",
            "export only the columns that the study needs",
            sheet=sheet,
        )
    full = tuple(name or f"column {at}" for at, name in enumerate(names, 1))
    seen: dict[str, int] = {"_row": 0}
    for position, name in enumerate(full, 1):
        if name in seen:
            first = f"columns {seen[name]} and {position}" if seen[name] else f"column {position}"
            raise source.error(
                "DUPLICATE_COLUMN",
                f"{first} have the same or a reserved header '{name[:80]}'",
                "give each column its own header; '_row' is reserved",
                sheet=sheet,
                column=name[:80],
            )
        seen[name] = position
    return full
