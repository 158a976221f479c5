"""One row per line of therapy after CAR-T."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.fields import code, date, integer, number, text


class TreatmentLine(pa.DataFrameModel):
    """A line of therapy after CAR-T; the first salvage has number 1."""

    line_number: pl.Int32 = integer("Number of the line after CAR-T", ge=1, le=20, required=True)
    start_date: pl.Date = date("Start of the line", required=True)
    end_date: pl.Date = date("End of the line")
    regimen_text: pl.String = text("Regimen as written, only where every word of it was understood")
    drugs: pl.String = text("Drug ids of the line, sorted, joined by |", required=True)
    salvage_group: pl.String = code("Salvage group as reported", "salvage_group")
    subgroup: pl.String = code("Subgroup of other salvage as reported", "salvage_subgroup")
    bridge_start_date: pl.Date = date("Start of a bridge before the first systemic agent")
    stop_reason: pl.String = code("Why the line ended", "stop_reason")
    drug_dose: pl.Float64 = number("Dose of the bispecific antibody", "mg", ge=0)
    drug_dose_per_kg: pl.Float64 = number("Dose of the bispecific antibody per kg", "mg/kg", ge=0)
    response_imaging: pl.String = code("Imaging that shows the response of the line", "modality")

    class Config:
        """One row per line."""

        metadata = {"key": ["patient_id", "line_number"]}
