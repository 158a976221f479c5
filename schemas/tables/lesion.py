"""One row per lesion."""

from __future__ import annotations

from typing import ClassVar

import pandera.polars as pa
import polars as pl

from schemas.fields import code, date, number


class Lesion(pa.DataFrameModel):
    """A plasmacytoma: where, of what kind, when it was seen."""

    site: pl.String = code("Site", "lesion_site", required=True)
    category: pl.String = code("Category", "lesion_category", required=True)
    modality: pl.String = code("Imaging", "modality")
    lesion_date: pl.Date = date("Date of imaging")
    timepoint: pl.String = code("Time point", "lesion_timepoint", required=True)
    diameter: pl.Float64 = number("Longest diameter", "mm", ge=0)

    class Config:
        """One row per lesion; a site may hold several."""

        metadata: ClassVar[dict[str, list[str]]] = {
            "key": [],
            "instance": ["timepoint", "lesion_date", "site", "category"],
        }
