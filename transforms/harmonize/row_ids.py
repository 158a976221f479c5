"""Row ids: the same center, bytes, sheet, row and mapping block always get the same positive Int64.

Each pair of sheet and block has an interval of its own: a start from a hash, then one step per row and part.
Neighbours stay neighbours, which compresses well in columns; with n pairs of r rows the chance that
two intervals overlap is about n^2 * 16 r / 2^63: one in ten million for 10,000 pairs of 1,000 rows.
"""

from __future__ import annotations

import hashlib

import polars as pl

PARTS = 16  # canonical rows that one block can make of one source row
_ROOM = 2**40  # rows times parts of the largest sheet


def block_start(sha256: str, sheet: str | None, occurrence: int, block: str) -> int:
    """First row id of a sheet and block.

    Args:
        sha256: Hash of the file's bytes (of the member, for a zip).
        sheet: Name of the sheet or zip member, if any.
        occurrence: 0, or more where a delivery holds the same bytes several times.
        block: Center, and name of the mapping block with its binding.
    """
    text = "\0".join([sha256, sheet or "", str(occurrence), block])
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % (2**63 - 1 - _ROOM) + 1


def row_ids(start: pl.Expr | int, row: pl.Expr, part: pl.Expr | int = 0) -> pl.Expr:
    """Row ids from the start of the interval, the source row and the part (0 to 15)."""
    return start + row.cast(pl.Int64) * PARTS + part
