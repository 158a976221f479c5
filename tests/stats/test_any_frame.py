"""The same model from polars, pandas and plain columns; the order of categories is that of the levels."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from reports.stats import cox, kaplan_meier, log_rank

COLUMNS: dict[str, list[Any]] = {
    "t": [5.0, 6, 6, 2, 4, 9, 3, 8],
    "e": [1, 1, 0, 1, 0, 1, 1, 1],
    "g": ["a", "b", "a", "b", "a", "b", "c", None],
    "x": [1.0, 2, None, 4, 5, 6.5, 3, 2],
}
NUMPY = {"x": np.array([np.nan if x is None else x for x in COLUMNS["x"]])}


def fitted(frame: Any, **more: Any) -> Any:
    return cox(frame, "x + g", time="t", event="e", **more)


FRAMES = {
    "polars": pl.DataFrame(COLUMNS),
    "lazy": pl.LazyFrame(COLUMNS),
    "lists": COLUMNS,
    "arrays": {**{name: np.array(COLUMNS[name]) for name in "te"}, "g": COLUMNS["g"], **NUMPY},
    "series": {name: pl.Series(values) for name, values in COLUMNS.items()},
    "pandas": pd.DataFrame(COLUMNS, index=range(7, 15)),
    "pandas with its own missing values": pd.DataFrame(COLUMNS).convert_dtypes(),
    "pandas columns": {name: pd.Series(values) for name, values in COLUMNS.items()},
    "pandas truth": pd.DataFrame({**COLUMNS, "e": [bool(e) for e in COLUMNS["e"]]}),
}


@pytest.mark.parametrize("name", FRAMES)
def test_every_frame_gives_the_same_model(name: str) -> None:
    expected = fitted(FRAMES["polars"])
    found = fitted(FRAMES[name])
    assert (found.n, found.n_dropped, found.dropped_by) == (6, 2, {"x": 1, "g": 1})
    assert found.table().equals(expected.table())


@pytest.mark.parametrize(
    "categories",
    [
        pd.DataFrame(COLUMNS).assign(g=pd.Categorical(COLUMNS["g"], categories=["c", "b", "a"])),
        pl.DataFrame(COLUMNS).with_columns(pl.col("g").cast(pl.Enum(["c", "b", "a"]))),
        {**COLUMNS, "g": pd.Categorical(COLUMNS["g"], categories=["c", "b", "a"])},
    ],
)
def test_the_order_of_categories_is_that_of_the_levels(categories: Any) -> None:
    found = fitted(categories)
    assert found.names == ("x", "gb", "ga")
    assert found.table().equals(fitted(COLUMNS, levels={"g": ["c", "b", "a"]}).table())
    assert fitted(categories, levels={"g": ["b", "a", "c"]}).names == ("x", "ga", "gc")


def test_categories_that_are_numbers_are_levels_by_their_names() -> None:
    frame = pd.DataFrame(COLUMNS).assign(g=pd.Categorical([2, 10, 2, 10, 2, 10, 2, 10]))
    assert fitted(frame).names == ("x", "g10")


def test_columns_that_the_model_does_not_use_may_be_anything() -> None:
    frame = pd.DataFrame(COLUMNS).assign(odd=[object()] * 8)
    assert fitted(frame).n == 6


def test_what_is_no_frame_and_columns_of_several_lengths_are_refused() -> None:
    with pytest.raises(TypeError, match="must be a frame .* not ndarray"):
        fitted(np.zeros((3, 3)))
    with pytest.raises(ValueError, match="equally long, not t 8, e 8, x 8, g 2"):
        fitted({**COLUMNS, "g": ["a", "b"]})
    with pytest.raises(ValueError, match="there is no column e, g"):
        fitted({name: COLUMNS[name] for name in "tx"})


def test_columns_of_any_frame_go_into_curves_and_tests() -> None:
    rows = slice(0, 6)
    times, seen, groups = (COLUMNS[name][rows] for name in "teg")
    expected = kaplan_meier(np.array(times), np.array(seen) == 1).survival.tolist()
    test = log_rank(np.array(times), np.array(seen) == 1, np.array(groups))
    for made in (pl.Series, pd.Series, list, np.array):
        assert kaplan_meier(made(times), made(seen)).survival.tolist() == expected
        assert log_rank(made(times), made(seen), made(groups)) == test


def test_frames_are_read_without_pandas() -> None:
    """In a new process, because this one has it loaded."""
    import subprocess

    code = "import reports.stats.frames, sys; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
