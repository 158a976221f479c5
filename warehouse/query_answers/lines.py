"""The lines of a returned file: each row under the titles, with its ids and what the center wrote."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

import polars as pl

from transforms.harmonize.values import match_key
from warehouse.query_answers.blocks import Block
from warehouse.query_answers.ids import ids_in
from warehouse.query_answers.words import READ, answers

# One row per row of a block.
LINE = pl.Schema(
    {
        "block": pl.Int32(),  # position in the list of blocks
        "row": pl.Int32(),  # of the sheet, 1-based
        "ids": pl.List(pl.String()),  # of queries, as the project writes them
        **dict.fromkeys(READ, pl.String()),  # as read, without outer blanks; null where blank
        "patient": pl.String(),  # as the line names it; null where it does not, or two columns do
        "answer_code": pl.String(),  # null: not one of the five
        "fault": pl.String(),  # code of a problem that shows in the cells alone
        "column": pl.String(),  # that it is about
    }
)
WRITTEN = ("answer", "corrected_value", "comment")  # what makes a line an answer
_BROKEN = ("#FORMULA", "#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!")


def lines_of(blocks: Sequence[Block]) -> pl.DataFrame:
    """LINE of all blocks, in their order."""
    frames = [_lines(block, at) for at, block in enumerate(blocks)]
    return pl.concat(frames) if frames else pl.DataFrame(schema=LINE)


def _lines(block: Block, at: int) -> pl.DataFrame:
    cells = block.rows.select(
        pl.lit(at, pl.Int32).alias("block"),
        pl.col("_row").alias("row"),
        *(_one_of(block, code) for code in READ),
        _patient(block),
        pl.concat_list(_differs(block, code) for code in READ).list.drop_nulls().alias("twice"),
    )
    found = {text: list(ids_in(text)) for text in cells["query_id"].drop_nulls().unique()}
    codes = {text: answers().get(match_key(text)) for text in cells["answer"].drop_nulls().unique()}
    read = _mapped(cells, "query_id", "ids", found, pl.List(pl.String()))
    read = _mapped(read, "answer", "answer_code", codes, pl.String()).with_columns(
        broken=pl.concat_list(
            pl.when(pl.col(code).is_in(_BROKEN)).then(pl.lit(code))
            for code in ("query_id", *WRITTEN)
        ).list.drop_nulls(),
        merged=pl.col("row").is_in(_covered(block, "answer")),
        id_merged=pl.col("row").is_in(_covered(block, "query_id")),
    )
    named = read.filter(pl.col("ids").list.len() > 0)["row"].to_list()
    shares = [
        pl.when(pl.col("row").is_in(_shared(block, code, named))).then(pl.lit(code))
        for code in WRITTEN
    ]
    read = read.with_columns(shared=pl.coalesce(shares))
    rejected = block.rejects.select(
        pl.lit(at, pl.Int32).alias("block"),
        pl.col("_row").alias("row"),
        pl.when(pl.col("code") == "CONTROL_CHAR")
        .then(pl.lit("CONTROL_CHAR"))
        .otherwise(pl.lit("NOT_A_RECORD"))
        .alias("fault"),
    )
    judged = read.with_columns(_fault())
    return pl.concat([judged.select(LINE.names()).cast(LINE), rejected], how="diagonal").sort("row")


def _one_of(block: Block, code: str) -> pl.Expr:
    """The cell of a column; the first filled one if the title occurs twice."""
    cells = [_filled(cell) for cell in block.places.get(code, ())]
    return (pl.coalesce(cells) if cells else pl.lit(None, pl.String)).alias(code)


def _patient(block: Block) -> pl.Expr:
    """The cell of the patient; people add columns of that title, so that two of them say nothing."""
    cells = block.places.get("patient", ())
    return (_filled(cells[0]) if len(cells) == 1 else pl.lit(None, pl.String)).alias("patient")


def _differs(block: Block, code: str) -> pl.Expr:
    """The code, if columns of one title hold different things in a row."""
    cells = [_filled(cell) for cell in block.places.get(code, ())]
    if len(cells) < 2:
        return pl.lit(None, pl.String)
    different = pl.concat_list(cells).list.drop_nulls().list.n_unique() > 1
    return pl.when(different).then(pl.lit(code))


def _filled(cell: str) -> pl.Expr:
    text = pl.col(cell).str.strip_chars()
    return pl.when(text.str.contains(r"[^\s\p{Cf}]")).then(text)


def _mapped(
    frame: pl.DataFrame, column: str, name: str, known: Mapping[str, object], kind: pl.DataType
) -> pl.DataFrame:
    """The frame with a column of what is known of the texts of another."""
    entries = {column: list(known), name: list(known.values())}
    table = pl.DataFrame(entries, {column: pl.String(), name: kind})
    return frame.join(table, on=column, how="left", maintain_order="left")


def _covered(block: Block, code: str) -> pl.Series:
    """Rows of which the cell of a column lies under a merged one that holds something."""
    if not block.grid.merged or not block.rows.height:
        return pl.Series([], dtype=pl.Int32).implode()
    sheet, last = block.grid.rows, int(block.rows["_row"][-1])
    filled = {
        int(cell): set(sheet.filter(pl.col(cell).is_not_null())["_row"].to_list())
        for cell in block.grid.cells
    }
    rows: set[int] = set()
    for top, left, bottom, right in block.grid.merged:
        if len(rows) >= last:
            break  # all of them are covered
        for cell in block.places.get(code, ()):
            if left <= int(cell) <= right and top in filled.get(left, ()):
                first = top + 1 if left == int(cell) else top
                rows.update(range(first, min(bottom, last) + 1))
    return pl.Series(sorted(rows), dtype=pl.Int32).implode()


def _shared(block: Block, code: str, named: Sequence[int]) -> list[int]:
    """Rows of several lines that one filled merged cell of a column belongs to, its first line too.

    `named`: rows with ids, in order.
    """
    rows: set[int] = set()
    if not block.grid.merged:
        return []
    filled = {
        int(cell): set(block.grid.rows.filter(_filled(cell).is_not_null())["_row"].to_list())
        for cell in block.grid.cells
    }
    places = [int(cell) for cell in block.places.get(code, ())]
    for top, left, bottom, right in block.grid.merged:
        mine = any(left <= place <= right for place in places) and top in filled.get(left, ())
        several = named[bisect_left(named, top) : bisect_right(named, bottom)] if mine else []
        if len(several) > 1 and len(rows) < len(named):
            rows.update(several)
    return sorted(rows)


def _fault() -> tuple[pl.Expr, pl.Expr]:
    """The problem that a line has by its cells alone, and the column that it is about."""
    answered = pl.any_horizontal(pl.col(code).is_not_null() for code in WRITTEN)
    no_id = pl.col("ids").list.len().fill_null(0) == 0
    code, value = pl.col("answer_code"), pl.col("corrected_value")
    none = pl.lit(None, pl.String)
    verdicts = (
        (no_id & answered & pl.col("id_merged"), "MERGED", pl.lit("query_id")),
        (no_id & (pl.col("broken").list.first() == "query_id"), "FORMULA", pl.lit("query_id")),
        (no_id & answered & pl.col("query_id").is_null(), "NO_ID", pl.lit("query_id")),
        (no_id & answered, "BAD_ID", pl.lit("query_id")),
        (no_id, "STRAY_ROW", none),
        (pl.col("shared").is_not_null(), "MERGED", pl.col("shared")),
        (~answered & pl.col("merged"), "MERGED", pl.lit("answer")),
        (~answered, None, none),
        (pl.col("broken").list.len() > 0, "FORMULA", pl.col("broken").list.first()),
        (pl.col("twice").list.len() > 0, "TWO_COLUMNS", pl.col("twice").list.first()),
        (pl.col("answer").is_null(), "NO_ANSWER", pl.lit("answer")),
        (code.is_null(), "UNKNOWN_ANSWER", pl.lit("answer")),
        ((code == "other") & ~_says_something("comment"), "NO_COMMENT", pl.lit("comment")),
        (
            code.is_in(["correct", "not_available"]) & value.is_not_null(),
            "CONTRADICTION",
            pl.lit("corrected_value"),
        ),
    )
    fault, column = none, none
    for holds, name, about in reversed(verdicts):
        holds = holds.fill_null(value=False)
        fault = pl.when(holds).then(pl.lit(name, pl.String)).otherwise(fault)
        column = pl.when(holds).then(about).otherwise(column)
    return fault.alias("fault"), column.alias("column")


def _says_something(column: str) -> pl.Expr:
    return pl.col(column).str.contains(r"[\p{L}\p{N}]").fill_null(value=False)
