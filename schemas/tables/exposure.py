"""One row per patient and drug, class or composite asked for."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.fields import code, date, flag, integer


class Exposure(pa.DataFrameModel):
    """What a patient had before CAR-T and was refractory to.

    `drug` is a `drug_id` of the vocabulary, a class (IMID, PI, CD38) or a composite (TRIPLE,
    PENTA) where a center reports only that.
    """

    drug: pl.String = code("Drug, class or composite", "exposure_drug", required=True)
    exposed: pl.String = flag("Exposed before CAR-T")
    refractory: pl.String = flag("Refractory before CAR-T")
    last_line: pl.Int32 = integer("Last line before CAR-T that held the drug", ge=1, le=30)
    last_dose_date: pl.Date = date("Last dose of the drug before CAR-T")
    progression_date: pl.Date = date("Progression on or after the drug")
    best_response: pl.String = code("Best response to the last line with the drug", "response")

    class Config:
        """One row per patient and drug."""

        metadata = {"key": ["patient_id", "drug"]}
