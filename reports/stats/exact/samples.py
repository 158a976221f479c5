"""Values by group: the form in which tests of two or more samples take them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reports.stats.times import Floats


def samples(
    values: ArrayLike, group: ArrayLike, levels: Sequence[str] | None = None
) -> list[Floats]:
    """The known values of each group, without empty groups.

    Args:
        values: A number per person; NaN is missing and left out.
        group: A label per person.
        levels: The groups in their order, others are left out; None takes all labels, ascending.

    Raises:
        ValueError: Values and groups are not equally long.
    """
    numbers = np.asarray(values, dtype=np.float64)
    labels: NDArray[np.str_] = np.asarray(group).astype(np.str_)
    if numbers.shape != labels.shape:
        raise ValueError("values and groups must be equally long")
    names = np.unique(labels).tolist() if levels is None else list(levels)
    known = ~np.isnan(numbers)
    found = [numbers[known & (labels == name)] for name in names]
    return [sample for sample in found if sample.size]
