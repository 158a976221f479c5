"""One row per patient."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.fields import code, date, integer, text


class Subject(pa.DataFrameModel):
    """One row per patient of a center."""

    country: pl.String = code("Country of the center", "country", required=True)
    sex: pl.String = code("Sex", "sex", required=True)
    birth_year: pl.Int32 = integer("Year of birth", ge=1900, le=2010, unit="year")
    diagnosis: pl.String = code("Primary diagnosis", "diagnosis")
    diagnosis_date: pl.Date = date("Date of first diagnosis of multiple myeloma")
    myeloma_type: pl.String = code("Type of myeloma", "myeloma_type")
    consent: pl.String = code("Consent", "consent")
    registry_id: pl.String = text("Id of the patient in another registry", private=True)

    class Config:
        """One row per patient."""

        metadata = {"key": ["patient_id"]}
