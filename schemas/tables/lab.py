"""One row per laboratory measurement."""

from __future__ import annotations

from typing import ClassVar

import pandera.polars as pa
import polars as pl

from schemas.fields import code, date, number


class Lab(pa.DataFrameModel):
    """One measurement, in the unit that `test` is kept in (codelist `lab_test`)."""

    lab_date: pl.Date = date("Date of sample", required=True)
    test: pl.String = code("Test", "lab_test", required=True)
    value: pl.Float64 = number("Value in the unit of the test", None)
    upper_limit: pl.Float64 = number("Upper limit of normal", None, ge=0)
    result: pl.String = code("Result that is not a number", "lab_result")

    class Config:
        """No key: repeated measurements of a day are kept."""

        metadata: ClassVar[dict[str, list[str]]] = {
            "key": [],
            "instance": ["lab_date", "test"],
        }
