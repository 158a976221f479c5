"""One row per patient and drug, class or composite asked for."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.fields import code, flag


class Exposure(pa.DataFrameModel):
    """What a patient had before CAR-T and was refractory to.

    `drug` is a `drug_id` of the vocabulary, a class (IMID, PI, CD38) or a composite (TRIPLE,
    PENTA) where a center reports only that.
    """

    drug: pl.String = code("Drug, class or composite", "exposure_drug", required=True)
    exposed: pl.String = flag("Exposed before CAR-T")
    refractory: pl.String = flag("Refractory before CAR-T")

    class Config:
        """One row per patient and drug."""

        metadata = {"key": ["patient_id", "drug"]}
