"""Values of one variable in four groups with given medians and ranges and a given Kruskal-Wallis P."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from demo.model import DAYS_PER_MONTH
from demo.stats import kruskal_p, median

Shape = tuple[float, float, float]


def draw(
    rng: random.Random, sizes: Sequence[int], shapes: Sequence[Shape], target: float | None
) -> list[list[int]]:
    """Whole numbers per group with exact (median, least, largest); P rounds to `target` if given.

    Values move only on their own side of the median, so that median and range stay while the ranks
    shift until P fits.
    """
    groups = [_start(rng, n, shape) for n, shape in zip(sizes, shapes, strict=True)]
    if target is None:
        return groups
    best = abs(kruskal_p(groups) - target)
    for _ in range(60_000):
        if best < 0.002:
            return groups
        g = rng.randrange(len(groups))
        group = groups[g]
        i = _movable(rng, group)
        if i is None:
            continue
        old = group[i]
        group[i] = _elsewhere(rng, group, i, shapes[g])
        distance = abs(kruskal_p(groups) - target)
        if distance <= best:
            best = distance
        else:
            group[i] = old
    raise ValueError(f"no values found whose Kruskal-Wallis P rounds to {target}")


def _start(rng: random.Random, n: int, shape: Shape) -> list[int]:
    middle, low, high = (int(x) for x in shape)
    fixed = [low, high, *([middle] if n % 2 else [middle, middle])]
    half = (n - 1) // 2 if n % 2 else n // 2 - 1
    lower = [_near(rng, middle, low) for _ in range(half - 1)]
    upper = [_near(rng, middle, high) for _ in range(half - 1)]
    return sorted([*fixed, *lower, *upper])


def _near(rng: random.Random, middle: int, end: int) -> int:
    """A value between the median and one end, denser near the median."""
    return middle + round((end - middle) * min(rng.random(), rng.random()))


def _movable(rng: random.Random, group: list[int]) -> int | None:
    """Index of a value that is neither an end nor in the middle (the list is kept by side)."""
    n = len(group)
    middle = {n // 2} if n % 2 else {n // 2 - 1, n // 2}
    choices = [i for i in range(1, n - 1) if i not in middle]
    return rng.choice(choices) if choices else None


def _elsewhere(rng: random.Random, group: list[int], i: int, shape: Shape) -> int:
    middle, low, high = (int(x) for x in shape)
    return _near(rng, middle, low if i < len(group) // 2 else high)


def draw_days(
    rng: random.Random, sizes: Sequence[int], shapes: Sequence[Shape], target: float | None
) -> list[list[int]]:
    """Like `draw` for shapes in months: days whose months print as the shape says."""
    in_days = [tuple(_days(x) for x in shape) for shape in shapes]
    groups = draw(rng, sizes, in_days, target)  # type: ignore[arg-type]
    _confirm(groups, shapes, lambda days: round(days / DAYS_PER_MONTH, 1))
    return groups


def _days(months: float) -> int:
    days = round(months * DAYS_PER_MONTH)
    return next(d for d in (days, days + 1, days - 1) if round(d / DAYS_PER_MONTH, 1) == months)


def _confirm(
    groups: list[list[int]], shapes: Sequence[Shape], shown: Callable[[float], float]
) -> None:
    for group, shape in zip(groups, shapes, strict=True):
        got = (shown(median(group)), shown(min(group)), shown(max(group)))
        if got != tuple(shape):
            raise ValueError(f"months {got} do not print as {shape}")
