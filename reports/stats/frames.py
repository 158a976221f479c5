"""Any data frame as a polars frame: polars itself, pandas (which is not imported), a mapping of columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl


def frame_of(data: Any, columns: Sequence[str]) -> pl.DataFrame:
    """The named columns of a frame.

    Args:
        data: A polars frame, lazy or not; a mapping of names to columns (lists, arrays, series); any frame with
            `columns` and columns by name, as pandas has it.
        columns: Which columns; others are not looked at.

    Missing values of any kind become null. Categories (pandas) keep their order.

    Raises:
        ValueError: A column is not there, or columns are not equally long.
        TypeError: The data are no frame.
    """
    if isinstance(data, pl.LazyFrame):
        data = data.collect()
    known = columns_of(data)
    absent = [name for name in columns if name not in known]
    if absent:
        raise ValueError(f"there is no column {', '.join(absent)}")
    if isinstance(data, pl.DataFrame):
        return data.select(columns)
    found = {name: _series(name, data[name]) for name in columns}
    sizes = {name: len(series) for name, series in found.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise ValueError(f"the columns must be equally long, not {told}")
    return pl.DataFrame(found)


def columns_of(data: Any) -> set[str]:
    """The names of the columns. Raises TypeError if the data are no frame."""
    if isinstance(data, pl.LazyFrame):
        return set(data.collect_schema().names())
    names = data.keys() if isinstance(data, Mapping) else getattr(data, "columns", None)
    if names is None:
        raise TypeError(
            f"the data must be a frame (polars, pandas) or a mapping of columns, not {type(data).__name__}"
        )
    return set(names)


def _series(name: str, values: Any) -> pl.Series:
    if isinstance(values, pl.Series):
        return values.alias(name)
    categories = getattr(getattr(values, "dtype", None), "categories", None)
    if categories is not None:
        return _of_categories(name, [str(category) for category in categories], values)
    array: Any = values.to_numpy() if hasattr(values, "to_numpy") else values
    if isinstance(array, np.ndarray) and array.dtype == np.object_:
        absent = values.isna() if hasattr(values, "isna") else np.zeros(array.shape, dtype=bool)
        array = np.where(np.asarray(absent, dtype=bool), np.array(None), array).tolist()
    return pl.Series(name, array, strict=False)


def _of_categories(name: str, categories: list[str], values: Any) -> pl.Series:
    """A column of pandas categories; the code -1 is missing."""
    codes = pl.Series(name, np.asarray(getattr(values, "cat", values).codes))
    labels = dict(enumerate(categories))
    return codes.replace_strict(labels, default=None, return_dtype=pl.Enum(categories))
