"""One row per relapse after CAR-T."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.fields import code, date, flag, integer, number


class Relapse(pa.DataFrameModel):
    """Relapse or progression after the index infusion; the first has number 1."""

    relapse_number: pl.Int32 = integer("Number of the relapse", ge=1, le=20, required=True)
    relapse_date: pl.Date = date("Date of relapse or progression", required=True)
    relapse_type: pl.String = code("Type of relapse", "relapse_type")
    basis: pl.String = code("What showed the relapse", "progression_basis")
    emd: pl.String = flag("Extramedullary disease at relapse as reported")
    emd_type: pl.String = code("Type of extramedullary disease", "emd_type")
    imaging_modality: pl.String = code("Imaging", "modality")
    imaging_date: pl.Date = date("Date of imaging")
    months_to_relapse: pl.Float64 = number(
        "Months from infusion to relapse as reported", "months", ge=0
    )

    class Config:
        """One row per relapse."""

        metadata = {"key": ["patient_id", "relapse_number"]}
