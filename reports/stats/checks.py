"""Values as they are given to a statistic: what would make a wrong number is refused, with column and number of rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reports.stats.times import Bools, Floats, Ints

SHOWN = 4


def numbers(values: ArrayLike, name: str, *, missing: bool = False) -> Floats:
    """Numbers as an array: a list, an array, a column of any frame.

    Args:
        values: One per row.
        name: How errors call them.
        missing: Whether NaN is allowed.

    Raises:
        ValueError: No numbers, several columns, a missing or an infinite one.
    """
    given = np.asarray(values)
    if given.ndim != 1:
        raise ValueError(f"{name} must be one column")
    if given.dtype.kind not in "fiubO":
        raise ValueError(f"{name} must be numbers")
    try:
        found = given.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers, without missing values") from None
    if not missing:
        refuse(np.isnan(found), name, "missing")
    refuse(np.isinf(found), name, "infinite")
    return found


def durations(values: ArrayLike, name: str = "times") -> Floats:
    """Survival times: numbers that are not negative.

    Raises:
        ValueError: As for `numbers`, or a negative one.
    """
    found = numbers(values, name)
    refuse(found < 0, name, "negative")
    return found


def flags(values: ArrayLike, name: str = "events") -> Bools:
    """Whether the event was seen: True and False, or 1 and 0.

    Raises:
        ValueError: Another coding (R also takes 1 and 2: which of them is meant is not guessed), or a missing one.
    """
    given = np.asarray(values)
    if given.dtype == np.bool_ and given.ndim == 1:
        return given
    if given.dtype.kind not in "fiuO" or (given.dtype.kind == "O" and _has_text(given)):
        raise ValueError(f"{name} holds text: {_coding(name)}")
    found = numbers(given, name)
    other = (found != 0) & (found != 1)
    if other.any():
        distinct = [f"{value:g}" for value in np.unique(found)]
        shown = ", ".join(distinct[:SHOWN]) + (", ..." if len(distinct) > SHOWN else "")
        raise ValueError(f"{name} holds {shown}: {_coding(name)}")
    return np.asarray(found == 1, dtype=bool)


def groups(values: ArrayLike, name: str = "groups") -> tuple[tuple[str, ...], Ints]:
    """The distinct labels in their order, and the place of each row's label among them.

    Raises:
        ValueError: A label is missing.
    """
    given = np.asarray(values)
    if given.ndim != 1:
        raise ValueError(f"{name} must be one column")
    if given.dtype.kind in "fO":
        unlike_itself = np.asarray(given != given, dtype=bool)
        absent = np.asarray(given == np.array(None), dtype=bool)
        refuse(unlike_itself | absent, name, "missing")
        given = np.asarray(given.tolist()) if given.dtype.kind == "O" else given
    distinct, position = np.unique(given, return_inverse=True)
    return tuple(str(label) for label in distinct), position.astype(np.int64)


def same_size(**arrays: NDArray[Any] | None) -> None:
    """Raises ValueError if arrays, by the names that errors call them, are not equally long."""
    sizes = {name: array.size for name, array in arrays.items() if array is not None}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise ValueError(f"there must be a value for each row in all columns, not {told}")


def refuse(wrong: NDArray[Any], name: str, what: str) -> None:
    """Raises ValueError if a row is wrong; says how many."""
    number = int(np.count_nonzero(wrong))
    if number:
        verb = "is" if number == 1 else "are"
        raise ValueError(f"{name}: {number} of {wrong.size} rows {verb} {what}")


def option(value: str, options: Iterable[str], name: str) -> None:
    """Raises ValueError for a word that is none of the options."""
    known = list(options)
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, not {value!r}")


def confidence(level: float) -> None:
    """Raises ValueError for a confidence level that is no share."""
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1 (0.95 for 95%), not {level:g}")


def _coding(name: str) -> str:
    return (
        f"code it 1 (or True) where the event was seen and 0 (or False) where not,"
        f" for example {name} == 2 where 2 is the event"
    )


def _has_text(values: NDArray[Any]) -> bool:
    return any(isinstance(value, str) for value in set(values.tolist()))
