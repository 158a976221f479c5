"""Lines of a returned file about a patient who has withdrawn: known by the tombstone, and nothing of them is kept.

Tombstones are keyed hashes, so that an id cannot be searched for: what could be one (a cell of a patient, a
word of a text) is hashed and compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import polars as pl

from transforms.harmonize.privacy_withdrawn import Withdrawn, stands_by_chance
from warehouse.query_answers.blocks import Block, blocks_of
from warehouse.query_answers.grids import Grid
from warehouse.query_answers.lines import LINE
from warehouse.query_answers.words import READ

WITHDRAWN, ALIKE, MENTIONED = "WITHDRAWN", "WITHDRAWN_ALIKE", "WITHDRAWN_NAMED"
_WORD = re.compile(r"[^\s_]+")
_WORDS = 3  # of one id at most
_EDGES = " \t\r\n.,;:!?()[]{}\"'"
_ID = "patient"
_LINE = ["block", "row"]


def without_withdrawn(
    lines: pl.DataFrame, blocks: Sequence[Block], withdrawn: Withdrawn, queries: pl.Series
) -> pl.DataFrame:
    """LINE without what such lines say: they keep their place, and a fault.

    Args:
        lines: LINE of the blocks.
        blocks: the blocks.
        withdrawn: the tombstones of the center.
        queries: ids of all queries. A line of one of them is about somebody who is in the study, however the
            patient's id is spelled.
    """
    faults = pl.concat([_faults(block, at, withdrawn) for at, block in enumerate(blocks)])
    known = pl.col("ids").list.eval(pl.element().is_in(queries.implode())).list.any()
    found = lines.join(faults, on=_LINE, how="left", maintain_order="left").with_columns(
        pl.when((pl.col("told") == ALIKE) & known.fill_null(value=False))
        .then(None)
        .otherwise("told")
        .alias("told")
    )
    said = [name for name in LINE.names() if name not in (*_LINE, "fault")]
    gone = pl.col("told").is_not_null()
    emptied = (pl.when(~gone).then(pl.col(name)).alias(name) for name in said)
    return found.with_columns(*emptied, pl.coalesce("told", "fault").alias("fault")).select(
        LINE.names()
    )


def is_told_of(lines: pl.DataFrame) -> bool:
    """Whether some line was emptied."""
    return bool(lines["fault"].is_in([WITHDRAWN, ALIKE, MENTIONED]).any())


def holds_withdrawn(grids: Sequence[Grid], withdrawn: Withdrawn) -> bool:
    """Whether a file names such a patient anywhere, as on a sheet that only shows earlier answers."""
    for grid in grids:
        titled = {cell for block in blocks_of(grid)[0] for cell in block.places.get(_ID, ())}
        for cell in grid.cells:
            texts = _texts(grid.rows[cell])
            if _mentioned(texts, withdrawn) or (cell in titled and withdrawn.among(texts)):
                return True
    return False


def mentions(text: str, withdrawn: Withdrawn) -> bool:
    """Whether a word of a text is such an id; of numbers and short words nothing is said."""
    words = [match.span() for match in _WORD.finditer(text)]
    spans = {
        text[start : words[last][1]].strip(_EDGES)
        for at, (start, _) in enumerate(words)
        for last in range(at, min(at + _WORDS, len(words)))
    }
    return bool(withdrawn.among(one for one in spans if one and not stands_by_chance(one)))


def kept_lines(lines: pl.DataFrame, blocks: Sequence[Block], queries: pl.DataFrame) -> pl.DataFrame:
    """What the other lines say, for the copy in the vault: a row per query, with what was filled in.

    The patient stands there too: who withdraws later has to be found in the copy.

    Args:
        lines: LINE, after `without_withdrawn`.
        blocks: the blocks.
        queries: QUERY.
    """
    sheets = pl.Series("sheet", [block.grid.sheet for block in blocks], dtype=pl.String)
    emptied = pl.col("fault").is_in([WITHDRAWN, ALIKE, MENTIONED]).fill_null(value=False)
    others = lines.filter(~emptied).drop("query_id").rename({"ids": "query_id"})
    of_query = queries.select("query_id", of_patient="patient_id")
    return (
        others.with_columns(sheets.gather(others["block"]))
        .explode("query_id")
        .join(of_query, on="query_id", how="left", maintain_order="left")
        .with_columns(patient=pl.coalesce("of_patient", "patient"))
        .select("sheet", "row", "query_id", "patient", *(n for n in READ if n != "query_id"))
    )


def _faults(block: Block, at: int, withdrawn: Withdrawn) -> pl.DataFrame:
    """`block`, `row`, `told`: rows that name such a patient, and how."""
    ids = block.places.get(_ID, ())
    said = [cell for code in READ for cell in block.places.get(code, ())]
    verdicts = [(ids, WITHDRAWN, withdrawn.among), (ids, ALIKE, withdrawn.look_like)]
    told = pl.lit(None, pl.String)
    texts = {cell: _texts(block.rows[cell]) for cell in {*ids, *said}}
    found = {cell: _mentioned(texts[cell], withdrawn) for cell in said}
    told = _or(told, MENTIONED, found)
    for cells, code, among in reversed(verdicts):
        told = _or(told, code, {cell: among(texts[cell]) for cell in cells})
    rows = block.rows.select(
        pl.lit(at, pl.Int32).alias("block"), pl.col("_row").alias("row"), told.alias("told")
    )
    return rows.filter(pl.col("told").is_not_null())


def _or(told: pl.Expr, code: str, found: dict[str, list[str]]) -> pl.Expr:
    """The code where a cell is one of the texts found in its column, else what is told already."""
    hits = [pl.col(cell).str.strip_chars().is_in(texts) for cell, texts in found.items() if texts]
    if not hits:
        return told
    return (
        pl.when(pl.any_horizontal(hits).fill_null(value=False)).then(pl.lit(code)).otherwise(told)
    )


def _mentioned(texts: Iterable[str], withdrawn: Withdrawn) -> list[str]:
    return [text for text in texts if mentions(text, withdrawn)]


def _texts(cells: pl.Series) -> list[str]:
    return cells.drop_nulls().str.strip_chars().unique().to_list()
