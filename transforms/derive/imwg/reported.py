"""Confirmation of categories as centers reported them."""

from __future__ import annotations

import polars as pl

from transforms.derive.imwg.confirm import confirm, named
from transforms.derive.imwg.criteria import Criteria, load_criteria
from transforms.derive.imwg.frame import sort_lines
from transforms.derive.imwg.levels import NAMES, PD, SD
from transforms.derive.imwg.progression import BASES
from transforms.derive.imwg.segments import accumulate, earlier

CONFIRMED = pl.Schema(
    {
        "response_row_id": pl.Int64(),
        "confirmed_category": pl.String(),
        "confirmation": pl.String(),
        "confirmation_days": pl.Int32(),
        "warning": pl.String(),
        "is_before_new_line": pl.Boolean(),
        "is_until_progression": pl.Boolean(),
    }
)
# "Less than PR" may be minimal response, stable or progressive disease: no response either way.
_LEVELS = {name: level for level, name in NAMES.items()} | {"LTPR": SD}


def confirm_reported(reported: pl.DataFrame, criteria: Criteria | None = None) -> pl.DataFrame:
    """Which reported categories the next assessment confirms.

    Args:
        reported: one row per patient, line and day: `patient_id`, `line_number`, `assessed_on`
            (complete dates only), `response_row_id`, `category` (codelist `response`),
            `progression_basis` (codelist; a progression whose basis is not told, or is serum,
            urine or light chains, needs a second one), `next_line_on`.
        criteria: which confirmations and runs are marked.

    Returns:
        Columns `CONFIRMED`, by line and day as patients first appear. Under `LTPR` the confirmed
        category SD means no response. `is_before_new_line`: not after the next line's start;
        `is_until_progression`: up to and including the first reported progression of the line.

    Raises:
        ValueError: A patient has two rows of a line on one day.

    Source:
        Dossier 1.1, 1.3 and section 6: COVR, ANL02FL and ANL03FL.
    """
    level = pl.col("category").replace_strict(_LEVELS, return_dtype=pl.Int8)
    basis = pl.col("progression_basis")
    told = reported.filter(pl.col("category").is_not_null() & pl.col("assessed_on").is_not_null())
    if told.is_empty():
        return pl.DataFrame(schema=CONFIRMED)
    frame = sort_lines(told).with_columns(
        level.alias("level"),
        *(((level == PD) & (basis == name)).fill_null(False).alias(f"pd_{name}") for name in BASES),
    )
    frame = confirm(frame, criteria or load_criteria())
    progressed = (pl.col("level") == PD).cast(pl.Int8)
    frame = accumulate(frame.with_columns(progressed=progressed), ["progressed"], pl.max_horizontal)
    frame = frame.with_columns(
        confirmed_category=named(pl.col("confirmed_level")),
        is_before_new_line=~(pl.col("assessed_on") > pl.col("next_line_on")).fill_null(False),
        is_until_progression=earlier(pl.col("progressed")).fill_null(0) == 0,
    )
    return frame.select(pl.col(name).cast(dtype) for name, dtype in CONFIRMED.items())
