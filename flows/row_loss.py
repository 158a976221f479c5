"""Rows that a delivery lost against the center's last good state, table by table.

Patients are compared by their ids (`tally.check_shrink`); of lines, responses and the like only the
number tells that a file was cut.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from flows.tally import SHRINK_LIMIT
from schemas.errors import FileError, Place

FEW_ROWS = 10  # of a table so small, a fifth is no sign of a cut file
_WITHDRAWN = "withdrawn"  # transforms.harmonize.privacy_withdrawn: importing it costs every run


def check_rows(staged: Path, earlier: Path | None, *, accepted: bool, name: str) -> None:
    """Holds a delivery of which a table lost more than a fifth of its rows.

    Args:
        staged: the new staged delivery.
        earlier: the staged delivery that it replaces; None where there is nothing to compare.
        accepted: a data manager has said that the rows are gone.
        name: what the delivery is called in messages.

    Raises:
        FileError: SHRINK.
    """
    if earlier is None or accepted:
        return
    before, now = _rows(earlier), _rows(staged)
    lost = {
        table: f"{now.get(table, 0)} of {n} rows of '{table}' are left"
        for table, n in before.items()
        if n >= FEW_ROWS and n - now.get(table, 0) > SHRINK_LIMIT * n
    }
    if lost:
        raise FileError(
            "SHRINK",
            Place(name),
            f"{'; '.join(lost.values())}; the delivery is held and the earlier state stays",
            fix="ask the center (a cut file or a filter left on in Excel is the usual cause); if they "
            "are really gone, run again with --accept-fewer and the center's id",
        )


def _rows(staged: Path) -> dict[str, int]:
    """Canonical rows that came to the check, by table, without those of patients forgotten since."""
    ledger = pl.read_parquet(staged / "ledger.parquet", glob=False)
    came = pl.col("outcome") == "in"
    gone = (pl.col("outcome") == "excluded") & (pl.col("reason") == _WITHDRAWN)
    counted = (
        ledger.filter(pl.col("step") == "check", pl.col("table").is_not_null())
        .group_by("table")
        .agg(
            n=pl.col("n_rows").filter(came).sum() - pl.col("n_rows").filter(gone).sum(),
            came=came.any(),
        )
    )
    return dict(counted.filter("came").sort("table").select("table", "n").iter_rows())
