"""One row per CAR-T infusion."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.fields import code, date, flag, integer, number


class Infusion(pa.DataFrameModel):
    """One row per CAR-T infusion; the index infusion has number 1."""

    infusion_number: pl.Int32 = integer("Number of the CAR-T infusion", ge=1, le=5, required=True)
    product: pl.String = code("CAR-T product", "car_t_product", required=True)
    setting: pl.String = code("Setting", "product_setting")
    apheresis_date: pl.Date = date("Date of apheresis")
    lymphodepletion_date: pl.Date = date("Start of lymphodepletion")
    infusion_date: pl.Date = date("Date of infusion", required=True)
    age_at_infusion: pl.Int32 = integer("Age at infusion", ge=0, le=120, unit="years")
    dose: pl.Float64 = number("CAR-positive T cells", "10^6 cells", ge=0)
    dose_per_kg: pl.Float64 = number("CAR-positive T cells per kg", "10^6 cells/kg", ge=0)
    lymphodepletion: pl.String = code("Lymphodepletion", "lymphodepletion")
    weight: pl.Float64 = number("Body weight", "kg", ge=0)
    height: pl.Float64 = number("Body height", "cm", ge=0)
    prior_transplants: pl.Int32 = integer("Autologous transplants before CAR-T", ge=0)
    prior_lines: pl.Int32 = integer("Lines of therapy before CAR-T", ge=0, le=30)
    prior_bcma: pl.String = flag("BCMA-directed therapy before CAR-T")
    ecog_date: pl.Date = date("Date of ECOG performance status")
    ecog: pl.Int32 = integer("ECOG performance status at first salvage", ge=0, le=5)

    class Config:
        """One row per infusion."""

        metadata = {"key": ["patient_id", "infusion_number"]}
