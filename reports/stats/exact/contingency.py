"""Pearson's chi-squared test of a table of counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.int64]


@dataclass(frozen=True)
class ChiSquared:
    """The test; `corrected` says that Yates's correction was used. `smallest_expected` below 5 asks for caution."""

    statistic: float
    df: int
    p: float
    smallest_expected: float
    corrected: bool


def filled(table: Table) -> Table:
    """The table without rows and columns in which nobody is.

    Raises:
        ValueError: Not a table of whole numbers that are not negative.
    """
    counts = np.asarray(table)
    if counts.ndim != 2 or (counts < 0).any() or not np.all(np.mod(counts, 1) == 0):
        raise ValueError("a table of counts has two dimensions and whole numbers, none negative")
    whole: Table = counts.astype(np.int64)
    used: Table = whole[whole.sum(axis=1) > 0][:, whole.sum(axis=0) > 0]
    return used


def chi_squared(table: Table, *, yates: bool | None = None) -> ChiSquared | None:
    """Pearson's test of independence of rows and columns.

    Args:
        table: Counts; rows and columns in which nobody is are left out.
        yates: Whether to correct for continuity; None does so for 2 x 2 tables only, as R does.

    Returns:
        None where fewer than two rows or columns are filled.

    Source:
        R, `chisq.test`; Yates's correction is at most the difference itself.
    """
    from scipy.stats import chi2

    counts = filled(table)
    if min(counts.shape) < 2:
        return None
    total = counts.sum()
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / total
    difference = np.abs(counts - expected)
    corrected = counts.shape == (2, 2) if yates is None else yates
    if corrected:
        difference = difference - min(0.5, float(difference.min()))
    statistic = float((difference**2 / expected).sum())
    df = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    p = float(chi2.sf(statistic, df))
    return ChiSquared(statistic, df, p, float(expected.min()), corrected)
