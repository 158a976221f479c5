"""One row per patient and time point of risk assessment."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.fields import code, date, flag, number


class Risk(pa.DataFrameModel):
    """Stage, cytogenetics and the laboratory values they rest on."""

    timepoint: pl.String = code("Time point", "risk_timepoint", required=True)
    assessment_date: pl.Date = date("Date of assessment")
    iss: pl.String = code("ISS as reported", "iss")
    r_iss: pl.String = code("R-ISS as reported", "iss")
    mycare: pl.String = code("MyCARe group as reported", "mycare")
    b2m: pl.Float64 = number("Beta-2 microglobulin", "mg/L", ge=0)
    albumin: pl.Float64 = number("Albumin", "g/L", ge=0)
    ldh: pl.Float64 = number("Lactate dehydrogenase", "U/L", ge=0)
    ldh_uln: pl.Float64 = number("Upper limit of normal of LDH", "U/L", ge=0)
    ferritin: pl.Float64 = number("Ferritin at lymphodepletion", "ug/L", ge=0)
    ferritin_uln: pl.Float64 = number("Upper limit of normal of ferritin", "ug/L", ge=0)
    creatinine: pl.Float64 = number("Creatinine", "mg/dL", ge=0)
    high_risk_cytogenetics: pl.String = flag("High-risk cytogenetics as reported")
    del_17p: pl.String = flag("del(17p)")
    t_4_14: pl.String = flag("t(4;14)")
    t_14_16: pl.String = flag("t(14;16)")
    t_14_20: pl.String = flag("t(14;20)")
    gain_1q: pl.String = flag("Gain or amplification of 1q")
    del_1p: pl.String = flag("del(1p)")
    plasma_cell_leukemia: pl.String = flag("Plasma cell leukemia")
    emd_before_car_t: pl.String = flag("Extramedullary disease before CAR-T")
    tp53_mutation: pl.String = flag("TP53 mutation")
    del_17p_share: pl.Float64 = number(
        "Plasma cells with del(17p) or TP53 mutation, the larger share", "%", ge=0, le=100
    )
    del_1p_biallelic: pl.String = flag("del(1p) of both alleles")

    class Config:
        """One row per patient and time point."""

        metadata = {"key": ["patient_id", "timepoint"]}
