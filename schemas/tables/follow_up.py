"""One row per patient: last contact and death."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.fields import code, date, flag, integer


class FollowUp(pa.DataFrameModel):
    """Vital status at last contact."""

    last_contact_date: pl.Date = date("Last contact")
    vital_status: pl.String = code("Vital status", "vital_status", required=True)
    death_date: pl.Date = date("Date of death")
    death_cause: pl.String = code("Cause of death", "death_cause")
    further_therapy: pl.String = flag("Therapy after the first salvage as reported")
    further_lines: pl.Int32 = integer("Lines after the first salvage as reported", ge=0, le=20)

    class Config:
        """One row per patient."""

        metadata = {"key": ["patient_id"]}
