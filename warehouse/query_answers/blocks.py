"""Where the lines of queries stand in a sheet: rows of titles, and the rows under them.

A row is a row of titles if it holds titles or hidden codes of columns and no id. Adjacent ones count
together (the hidden codes above the titles); each further group begins a block of its own, so that
tables pasted below each other, or codes that were sorted into the middle, do no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from transforms.harmonize.values import match_key
from warehouse.query_answers.grids import Grid
from warehouse.query_answers.ids import ids_in
from warehouse.query_answers.words import GIVEN, INPUTS, READ, no_queries, titles
from warehouse.query_book.columns import MARKS

_LONGEST = 60  # letters; no title is longer, and no id in a title's place
_SHARE = 3  # one in so many filled cells of a row of titles is a known title


@dataclass(frozen=True)
class Block:
    """Rows under one group of titles.

    Attributes:
        grid: The sheet.
        places: Code of a column → names of the cells' columns (several if a title occurs twice).
        names: Code of a column → its title as written, for messages.
        rows: The rows, as in `grid.rows`.
        first: Row of the titles.
        last: Row before the next group of titles; None: the end of the sheet.
        crossed: A column is called one thing by its code and another by its title.
    """

    grid: Grid
    places: dict[str, tuple[str, ...]]
    names: dict[str, str]
    rows: pl.DataFrame
    first: int
    last: int | None
    crossed: bool

    @property
    def asks(self) -> bool:
        """Whether the center can answer here: one of its own columns is there.

        Not so on the sheet that shows earlier answers under titles of its own.
        """
        shows = GIVEN in self.places and "answer" not in self.places
        return not shows and any(code in self.places for code in INPUTS)

    @cached_property
    def rejects(self) -> pl.DataFrame:
        """The rejected rows of the sheet that belong here."""
        row = pl.col("_row")
        inside = (row > self.first) & (row < self.last if self.last else pl.lit(value=True))
        return self.grid.rejects.filter(inside)


def blocks_of(grid: Grid) -> tuple[list[Block], pl.DataFrame]:
    """The blocks of a sheet, and the rows above the first of them (all rows if there is none)."""
    rows = grid.rows
    starts = _title_rows(grid)
    groups: list[list[int]] = []
    for index in sorted(starts):
        if groups and groups[-1][-1] == index - 1:
            groups[-1].append(index)
        else:
            groups.append([index])
    if not groups:
        return [], rows
    ends = [group[0] for group in groups[1:]]
    blocks = [
        _block(grid, {index: starts[index] for index in group}, end)
        for group, end in zip(groups, [*ends, None], strict=True)
    ]
    return blocks, rows.head(groups[0][0])


def marks_of(grids: Sequence[Grid]) -> dict[str, str]:
    """What the workbook says of itself (`MARKS`): each stands beside its name."""
    found: dict[str, str] = {}
    for grid in grids:
        for cell, beside in zip(grid.cells, grid.cells[1:], strict=False):
            told = grid.rows.filter(pl.col(cell).is_in(MARKS)).select(cell, beside)
            found.update({name: value for name, value in told.iter_rows() if value is not None})
    return found


def with_ids(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that hold an id of a query in any cell."""
    if rows.width < 2:
        return rows.clear()
    cells = pl.all().exclude("_row")
    maybe = rows.filter(pl.any_horizontal(cells.str.contains("(?i)q")).fill_null(value=False))
    found = [row[0] for row in maybe.iter_rows() if any(ids_in(cell) for cell in row[1:] if cell)]
    return rows.filter(pl.col("_row").is_in(found))


def _title_rows(grid: Grid) -> dict[int, dict[str, str]]:
    """Index of a row of titles → its columns and their codes."""
    known = titles()
    found: dict[int, dict[str, str]] = {}
    for cell in grid.cells:
        column = grid.rows[cell]
        short = column.filter(column.str.len_chars() <= _LONGEST).unique().to_list()
        codes = {text: code for text in short if (code := known.get(match_key(text)))}
        if codes:
            for index in column.is_in(list(codes)).fill_null(value=False).arg_true().to_list():
                found.setdefault(index, {})[cell] = codes[column[index]]
    return {index: codes for index, codes in found.items() if _are_titles(grid, index, codes)}


def _are_titles(grid: Grid, index: int, codes: dict[str, str]) -> bool:
    if len(set(codes.values())) < 2 or not set(codes.values()) & set(READ):
        return False
    filled = [text for text in grid.rows.row(index)[1:] if text]
    return len(codes) * _SHARE >= len(filled) and not any(ids_in(text) for text in filled)


def _block(grid: Grid, rows_of_titles: dict[int, dict[str, str]], end: int | None) -> Block:
    last_title = max(rows_of_titles)
    stop = grid.rows.height if end is None else end
    rows = _without_sentence(grid.rows.slice(last_title + 1, stop - last_title - 1))
    called: dict[str, dict[str, str]] = {}  # column → code → title
    for index, codes in rows_of_titles.items():
        for cell, code in codes.items():
            called.setdefault(cell, {})[code] = str(grid.rows[cell][index])
    places: dict[str, tuple[str, ...]] = {}
    names: dict[str, str] = {}
    for cell, told in called.items():
        for code, title in told.items():
            places[code] = (*places.get(code, ()), cell)
            names[code] = title
    ids = None if "query_id" in places else _column_of_ids(rows, set(called))
    if ids is not None:
        places["query_id"] = (ids,)
    return Block(
        grid,
        places,
        names,
        rows,
        int(grid.rows["_row"][last_title]),
        int(grid.rows["_row"][end]) if end is not None else None,
        crossed=any(len(told) > 1 for told in called.values()),
    )


def _without_sentence(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows without the one that says that there are no queries."""
    if not rows.height or rows.width < 2:
        return rows
    only = pl.concat_list(pl.all().exclude("_row")).list.drop_nulls()
    alone = rows.select("_row", only=only).filter(pl.col("only").list.len() == 1).explode("only")
    said = [row for row, text in alone.iter_rows() if match_key(text) in no_queries()]
    return rows.filter(~pl.col("_row").is_in(said))


def _column_of_ids(rows: pl.DataFrame, titled: set[str]) -> str | None:
    """The one column without a known title of which every filled cell holds an id."""
    candidates = [
        cell
        for cell in rows.columns[1:]
        if cell not in titled
        and (texts := rows[cell].drop_nulls().to_list())
        and all(ids_in(text) for text in texts)
    ]
    return candidates[0] if len(candidates) == 1 else None
