"""The IMWG response from measurements, between the SQL that collects them and the tables shown."""

from __future__ import annotations

import polars as pl

from transforms.derive.imwg import confirm_reported, derive_response


def imwg_frames(measured: pl.DataFrame, reported: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Frames for the temporary tables `imwg_assessed`, `imwg_best` and `imwg_confirmed`.

    Args:
        measured: `temp.imwg_measured`: one row per patient, line and day, or per undated report.
        reported: `temp.imwg_reported`: one row per patient, line and day with a reported category.

    Returns:
        `imwg_assessed`: the derived columns of each row with its `response_row_id` and `criteria`
        (version); `imwg_best`: the best responses of each line; `imwg_confirmed`: which reported
        categories are confirmed.
    """
    derived = derive_response(measured)
    assessed = derived.assessments.with_columns(
        measured["response_row_id"], criteria=pl.lit(derived.version)
    )
    return {
        "imwg_assessed": assessed,
        "imwg_best": derived.lines,
        "imwg_confirmed": confirm_reported(reported),
    }
