"""Rows that a delivery lost against the center's last good state, table by table.

Patients are compared by their ids (`tally.check_shrink`); of lines, responses and the like only the
number tells that a file was cut.
"""

from __future__ import annotations

import json
from pathlib import Path

from flows.tally import SHRINK_LIMIT
from schemas.errors import FileError, Place

FEW_ROWS = 10  # of a table so small, a fifth is no sign of a cut file


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
    """Canonical rows that came to the check, by table."""
    told = json.loads((staged / "summary.json").read_text(encoding="utf-8"))["rows"]
    counted = (name.split(" ") for name in told)
    return {table: told[f"{table} in"] for table, outcome in counted if outcome == "in"}
