"""One row per CRS or ICANS event."""

from __future__ import annotations

from typing import ClassVar

import pandera.polars as pa
import polars as pl

from schemas.fields import code, date, integer


class Toxicity(pa.DataFrameModel):
    """Cytokine release syndrome or neurotoxicity, with the scale that graded it."""

    kind: pl.String = code("Event", "toxicity", required=True)
    grade: pl.Int32 = integer("Highest grade", ge=0, le=5, required=True)
    scale: pl.String = code("Scale", "toxicity_scale")
    onset_date: pl.Date = date("Onset")
    end_date: pl.Date = date("Resolution")

    class Config:
        """No key: an event may recur."""

        metadata: ClassVar[dict[str, list[str]]] = {"key": []}
