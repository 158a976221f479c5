"""Best responses that the center says it does not know: as no therapy makes no line, they make no row."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from transforms.harmonize.part import Part, without_rows

# What a row may hold beside a best response that is not known, and still tell nothing.
_ABOUT = frozenset(
    {"line_number", "kind", "response_date", "response_date_precision", "category", "criteria"}
)
_IDENTITY = frozenset({"center_id", "patient_id", "row_id", "source_id", "source_row", "map_id"})


def without_untold(part: Part) -> tuple[Part, Mapping[int, int]]:
    """Without the best responses in whose place a word such as `n.d.` or `unknown` stands.

    An empty cell beside a date stays: it may have been forgotten, and STR-06 asks. So does a row with
    a measurement or another fact, and any value that was not understood.

    Returns:
        The part, and the rows left out per source id.
    """
    frame = part.frame
    category = frame["category"]
    if not category.null_count() or "category" not in part.raw.columns:
        return part, {}
    silent = (
        category.is_null()
        & (frame["kind"] == "BEST").fill_null(False)
        & (part.raw["category"].str.strip_chars() != "").fill_null(False)
    )
    if not silent.any():
        return part, {}
    facts = [name for name in frame.columns if name not in _ABOUT | _IDENTITY]
    silent &= frame.select(pl.all_horizontal(pl.col(facts).is_null())).to_series()
    at = pl.int_range(frame.height, dtype=pl.UInt32, eager=True)
    silent &= ~at.is_in(part.issues["index"].implode())
    return without_rows(part, silent)
