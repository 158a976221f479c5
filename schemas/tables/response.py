"""One row per response assessment, best response or progression as reported."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.fields import code, date, flag, integer, number, text


class Response(pa.DataFrameModel):
    """A response of a line: one assessment, the line's best response, or its progression.

    `line_number` 0 is the CAR-T itself, 1 the first salvage.
    """

    line_number: pl.Int32 = integer("Number of the line after CAR-T", ge=0, le=20, required=True)
    kind: pl.String = code("What the row reports", "response_kind", required=True)
    response_date: pl.Date = date("Date of assessment")
    first_response_date: pl.Date = date("Date of the first response, beside a best response")
    category: pl.String = code("Response category", "response", required=True)
    reported_category: pl.String = text("Response as reported, where it was understood")
    criteria: pl.String = code("Criteria", "response_criteria")
    confirmed: pl.String = flag("Confirmed")
    progression_basis: pl.String = code("What showed the progression", "progression_basis")
    mrd: pl.String = code("Minimal residual disease", "mrd")
    mrd_method: pl.String = code("Method of MRD", "mrd_method")
    m_protein_serum: pl.Float64 = number("Serum M-protein", "g/L", ge=0)
    m_protein_urine: pl.Float64 = number("Urine M-protein", "mg/24h", ge=0)
    flc_kappa: pl.Float64 = number("Free light chain kappa", "mg/L", ge=0)
    flc_lambda: pl.Float64 = number("Free light chain lambda", "mg/L", ge=0)
    marrow_plasma_cells: pl.Float64 = number("Plasma cells in marrow", "%", ge=0)
    immunofixation: pl.String = code("Immunofixation", "immunofixation")

    class Config:
        """A patient has one row per line, kind and date; a further one is flagged (STR-10)."""

        metadata = {"key": ["patient_id", "line_number", "kind", "response_date"]}
