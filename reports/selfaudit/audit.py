"""Every table is checked from its own rows of `analysis.estimate`; a contradiction stops the report."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from reports.selfaudit import counts, curves, ratios, second_reading
from schemas.errors import AuditStoppedError

CHECKS: tuple[Callable[[pl.DataFrame], pl.DataFrame], ...] = (
    *counts.CHECKS,
    *ratios.CHECKS,
    *curves.CHECKS,
    *second_reading.CHECKS,
)
SHOWN = 10


def contradictions(estimates: pl.DataFrame) -> pl.DataFrame:
    """What contradicts itself.

    Args:
        estimates: Rows with the columns of `analysis.estimate`.

    Returns:
        display, population, row, level, statistic and `what` (a sentence), in the order of the checks;
        no row where everything holds.
    """
    kinds = estimates.filter(pl.col("row") == "DISPLAY").select("display", kind="level")
    rows = estimates.filter(pl.col("row") != "DISPLAY").join(
        kinds.unique("display"), on="display", how="left", maintain_order="left"
    )
    return pl.concat([check(rows) for check in CHECKS])


def audit_estimates(estimates: pl.DataFrame) -> None:
    """Stops the report where a table contradicts itself.

    Raises:
        AuditStoppedError: Names display, row and what contradicts what, at most ten of them.
    """
    found = contradictions(estimates)
    if not found.height:
        return
    lines = [
        f"{display}, row {' / '.join(str(part) for part in (row, level, population) if part)}: {what}"
        for display, population, row, level, _, what in found.head(SHOWN).iter_rows()
    ]
    if found.height > SHOWN:
        lines.append(f"... and {found.height - SHOWN} more")
    raise AuditStoppedError(
        "The report contradicts itself and is not written:\n" + "\n".join(lines),
        fix="this is a fault in Carmony, not in the data: please report these lines",
    )
