"""Problems of single lines in words, with the place of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from schemas.errors import Place
from transforms.read.worker.problems import column_letters
from warehouse.query_answers.blocks import Block
from warehouse.query_answers.judge import PROBLEM, TAKEN
from warehouse.query_answers.problems import Problem, told

_OF_QUERY = ("UNKNOWN_ID", "OTHER_CENTER", "NOT_SENT", "ENDED", "VALUE_CHANGED")
_FORMULAS = "cells with formulas, read by"  # as the readers' remark begins


def line_problems(units: pl.DataFrame, blocks: Sequence[Block]) -> list[Problem]:
    """The problems of judged units in order of the file: one per line and fault, or per query."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for unit in units.filter(pl.col("outcome") == PROBLEM).iter_rows(named=True):
        code = unit["fault"]
        line = (unit["block"], unit["row"])
        different = code == "DIFFERENT_ANSWERS"
        key = (code, unit["query_id"]) if different else (code, *line, unit["state"])
        groups.setdefault(key, []).append(unit)
    rows = _rows_of_queries(units)
    return [_problem(key[0], group, blocks, rows) for key, group in groups.items()]


def _rows_of_queries(units: pl.DataFrame) -> dict[str, list[str]]:
    """The rows in which each query has an answer, for those that have several."""
    written = units.filter(pl.col("written") & pl.col("query_id").is_not_null())
    rows = written.group_by("query_id").agg(pl.col("row").cast(pl.String))
    return dict(rows.filter(pl.col("row").list.len() > 1).iter_rows())


def _problem(
    code: str, units: list[dict[str, Any]], blocks: Sequence[Block], rows: dict[str, list[str]]
) -> Problem:
    first = units[0]
    block = blocks[first["block"]]
    column = first["column"] or ("query_id" if code in _OF_QUERY else None)
    column = "patient" if code == "OTHER_PATIENT" else column
    values = {
        "length": len(first["answer"] or ""),
        "state": first["state"],
        "resolution": (first["resolution"] or "no resolution").replace("_", " "),
        "rows": " and ".join(dict.fromkeys(rows.get(first["query_id"], ()))),
        "what": _rejected(block, first["row"]),
    }
    ids = tuple(dict.fromkeys(unit["query_id"] for unit in units if unit["query_id"]))
    return told(code, place(block, first["row"], column), len(units), ids, **values)


def remarks(units: pl.DataFrame, blocks: Sequence[Block]) -> list[Problem]:
    """What does no harm to the answers: days that cannot be told, formulas that were read."""
    odd = units.filter((pl.col("outcome") == TAKEN) & pl.col("remark").is_not_null())
    days = [
        told(code, place(blocks[at], row, "answered_on"), query_ids=(query_id,))
        for code, at, row, query_id in odd.select("remark", "block", "row", "query_id").iter_rows()
    ]
    broken = units.filter(pl.col("fault") == "FORMULA")["block"].unique().to_list()
    without = {id(blocks[at].grid) for at in broken}  # of these it is told already
    grids = {id(block.grid): block.grid for block in blocks if id(block.grid) not in without}
    formulas = [
        told("FORMULA_READ", Place(grid.file, grid.sheet), what=note)
        for grid in grids.values()
        for note in grid.notes
        if note.startswith(_FORMULAS)
    ]
    return [*days, *formulas]


def place(block: Block, row: int | None = None, code: str | None = None) -> Place:
    """Where: file, sheet, row, and the column by its title as written, else by its letters."""
    column = None
    if code is not None and code in block.places:
        column = block.names.get(code) or column_letters(int(block.places[code][0]))
    return Place(block.grid.file, block.grid.sheet, row, column)


def _rejected(block: Block, row: int) -> str:
    found = block.rejects.filter(pl.col("_row") == row)["problem"]
    return str(found[0]) if found.len() else ""
