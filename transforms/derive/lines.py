"""Lines after CAR-T → the first salvage of each patient, its group, and what followed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from schemas.spec.study import Settings

FIRST_SALVAGE = pl.Schema(
    {
        "usubjid": pl.String(),
        "line_number": pl.Int32(),
        "start_date": pl.Date(),
        "start_flag": pl.String(),
        "bridge_start_date": pl.Date(),
        "drugs": pl.String(),
        "salvage_group": pl.String(),
        "salvage_subgroup": pl.String(),
        "any_bispecific": pl.Boolean(),
        "flags": pl.String(),
        "n_salvage": pl.Int32(),
        "next_line_on": pl.Date(),
    }
)


def find_first_salvage(lines: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """The first salvage line of each patient who had one.

    A line without any anti-myeloma agent is no salvage. Bridges (radiotherapy, a steroid pulse or one
    alkylator shortly before a systemic line) and two bispecifics started together are resolved by
    `transforms.derive.salvage`. Groups are found once per distinct set of drugs.

    Args:
        lines: `usubjid`, `line_number`, `start_date` (Date, imputed), `start_flag`, `drugs` (ids
            joined by |), `bridge_start_date` as reported; any order.
        settings: Bridging window, group of two bispecifics, group of CELMoDs.

    Returns:
        Columns `FIRST_SALVAGE`, one row per patient, sorted by `usubjid`. `n_salvage` counts the
        first salvage and every anti-myeloma line after it; `next_line_on` is the start of the second.

    Source:
        Dossier 4.3 and 4.4.
    """
    from transforms.derive.salvage import first_salvage, salvage_groups

    grouped = _with_groups(lines, salvage_groups, settings).filter(
        pl.col("salvage_group").is_not_null() & (pl.col("salvage_group") != "NO_ANTIMYELOMA")
    )
    if grouped.is_empty():
        return pl.DataFrame(schema=FIRST_SALVAGE)
    found = first_salvage(
        grouped.select(
            patient_id="usubjid", line_number="line_number", start_date="start_date", drugs="drugs"
        ),
        settings.bridge_days,
    ).rename(
        {"patient_id": "usubjid", "bridge_start_date": "bridge_derived", "flags": "timing_flags"}
    )
    return found
