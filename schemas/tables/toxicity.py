"""One row per CRS or ICANS event."""

from __future__ import annotations

from typing import ClassVar

import pandera.polars as pa
import polars as pl

from schemas.fields import code, date, flag, integer, number


class Toxicity(pa.DataFrameModel):
    """Cytokine release syndrome or neurotoxicity, its scale and what graded it."""

    kind: pl.String = code("Event", "toxicity", required=True)
    grade: pl.Int32 = integer("Highest grade", ge=0, le=5, required=True)
    scale: pl.String = code("Scale", "toxicity_scale")
    onset_date: pl.Date = date("Onset")
    end_date: pl.Date = date("Resolution")
    temperature: pl.Float64 = number("Highest temperature at onset", "°C", ge=30, le=45)
    vasopressors: pl.String = code("Vasopressors given, vasopressin not counted", "vasopressors")
    oxygen: pl.String = code("Highest oxygen support", "oxygen_support")
    tocilizumab: pl.String = flag("Tocilizumab given")
    steroids: pl.String = flag("Steroids given")
    ice_score: pl.Int32 = integer("Lowest ICE score", ge=0, le=10)
    unarousable: pl.String = flag("Unarousable or in status epilepticus")

    class Config:
        """No key: an event may recur."""

        metadata: ClassVar[dict[str, list[str]]] = {
            "key": [],
            "instance": ["kind", "onset_date"],
        }
