"""When two numbers are the same: the tolerances of the golden files."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

CLOSED, ITERATED = 1e-9, 1e-6
# R stops its search for the variance of a frailty early, and with more than five clusters takes the information on
# their effects as diagonal; the records say that no equality is asked.
INFORMATIONAL = 5e-2
# Below this a P value is compared by its order of magnitude; a difference below `ROUNDING` is none.
TINY_P, ROUNDING = 1e-12, 1e-14
# P values below this are all one order of magnitude: near the smallest number there is.
SMALLEST_P = 1e-300
P_NAMES = frozenset({"p", "holm", "bh", "hochberg", "bonferroni"})
# What R says of its own work, not of the data: not compared.
NOT_COMPARED = frozenset({"iter", "warnings", "chisq_warning", "converged", "p_printed_in_paper"})
# Where the likelihood has no finite maximum, R prints where it gave up, and warns or has a standard error above
# this. Ours says that nothing is estimable; that is the same finding.
NO_MAXIMUM = "not estimable"
RUNAWAY = 100
# `crr` has a sandwich error, small even there, but says that it did not converge. Beside what ours says is not
# estimable, its other numbers are those of the point where it gave up, this near to the maximum's.
GAVE_UP = 1e-4
ERRORS = frozenset({"se", "robust_se"})
# Of a coefficient that runs away, cox.zph prints a statistic of about 0.
NO_TEST = 1e-4
# The variance of a frailty is known to a few per cent of itself only; below the second number there is none.
COARSE = {"theta": (0.1, 1e-4)}


@dataclass(frozen=True)
class Difference:
    """A number that is not R's; `size` is in tolerances."""

    place: str
    ours: Any
    theirs: Any
    size: float


@dataclass(frozen=True)
class Outcome:
    """The result of one record; `gave_up` if R did not converge where ours says that nothing is estimable."""

    n_compared: int
    worst: float
    differences: tuple[Difference, ...]
    gave_up: bool = False


def compare(
    ours: tuple[dict[str, Any], list[dict[str, Any]]],
    scalars: dict[str, Any],
    rows: list[dict[str, Any]],
    relative: float,
) -> Outcome:
    """Every number of R against ours, in the order of R's rows.

    Args:
        ours: Scalars and rows of the same form.
        scalars: R's.
        rows: R's.
        relative: `CLOSED` or `ITERATED`.
    """
    found = list(_pairs(ours, scalars, rows, relative))
    wrong = tuple(d for d in found if not d.size <= 1)
    worst = max((d.size for d in found), default=0.0)
    return Outcome(len(found), worst, wrong, _gave_up(ours[1], scalars))


def _gave_up(rows: list[dict[str, Any]], scalars: dict[str, Any]) -> bool:
    """Whether R says that its search did not converge, and ours that something is not estimable."""
    return scalars.get("converged") is False and any(r.get("coef") == NO_MAXIMUM for r in rows)


def _pairs(
    ours: tuple[dict[str, Any], list[dict[str, Any]]],
    scalars: dict[str, Any],
    rows: list[dict[str, Any]],
    relative: float,
) -> Iterator[Difference]:
    our_scalars, our_rows = ours
    gave_up = _gave_up(our_rows, scalars)
    warned = gave_up or "may be infinite" in str(scalars.get("warnings"))
    if gave_up:
        relative = max(relative, GAVE_UP)
    runaway = warned or any((row.get("se") or 0) > RUNAWAY for row in rows)
    yield from _fields("", our_scalars, scalars, relative, runaway=runaway)
    if len(our_rows) != len(rows):
        yield Difference("number of rows", len(our_rows), len(rows), math.inf)
    for index, (mine, theirs) in enumerate(zip(our_rows, rows, strict=False)):
        runaway = warned or (theirs.get("se") or 0) > RUNAWAY or _is_no_test(theirs)
        yield from _fields(f"row {index + 1} ", mine, theirs, relative, runaway=runaway)


def _is_no_test(row: dict[str, Any]) -> bool:
    """Whether R tested a coefficient that has no finite value."""
    return "se" not in row and (row.get("chisq") or 1.0) < NO_TEST


def _fields(
    place: str, mine: dict[str, Any], theirs: dict[str, Any], relative: float, *, runaway: bool
) -> Iterator[Difference]:
    for name, value in theirs.items():
        if name in NOT_COMPARED:
            continue
        if name not in mine:
            yield Difference(place + name, "not computed", value, math.inf)
        elif mine[name] == NO_MAXIMUM:
            yield Difference(place + name, NO_MAXIMUM, value, 0.0 if runaway else math.inf)
        elif isinstance(value, dict | list):
            yield from _nested(place + name, mine[name], value)
        else:
            yield Difference(
                place + name, mine[name], value, _size(name, mine[name], value, relative, theirs)
            )


def _nested(place: str, mine: Any, theirs: Any) -> Iterator[Difference]:
    """Counts in a mapping or a list: exactly."""
    if isinstance(theirs, dict):
        same = isinstance(mine, dict) and all(mine.get(k) == v for k, v in theirs.items())
    else:
        same = mine == theirs
    yield Difference(place, mine, theirs, 0.0 if same else math.inf)


def _size(name: str, mine: Any, theirs: Any, relative: float, row: dict[str, Any]) -> float:
    """The difference in tolerances; infinite where one is known and the other is not."""
    mine_unknown = mine is None or (isinstance(mine, float) and math.isnan(mine))
    if mine_unknown and name in ERRORS and "coef" in row and row["coef"] is None and not theirs:
        return 0.0  # of an aliased column R gives the error as NA or as 0
    if theirs is None or mine_unknown:
        return 0.0 if theirs is None and mine_unknown else math.inf
    if isinstance(theirs, str | bool) or isinstance(mine, str | bool):
        return 0.0 if mine == theirs else math.inf
    if isinstance(theirs, int) and isinstance(mine, int):
        return 0.0 if mine == theirs else math.inf
    difference = abs(float(mine) - float(theirs))
    if is_p(name) and theirs < TINY_P:
        return abs(math.log10(max(mine, SMALLEST_P) / max(theirs, SMALLEST_P)))
    if name in COARSE:
        share, none = COARSE[name]
        return difference / max(share * abs(float(theirs)), none)
    error = _standard_error(name, row, float(theirs)) if relative > CLOSED else 0.0
    allowed = relative * max(abs(float(theirs)), error)
    return difference / max(allowed, ROUNDING)


def is_p(name: str) -> bool:
    """Whether a field holds a P value."""
    return name in P_NAMES or name.startswith("p_") or name.endswith("_p")


def _standard_error(name: str, row: dict[str, Any], value: float) -> float:
    """The standard error of a coefficient, or what it makes of the ratio, statistic or P value.

    A P value may be off by what the allowed difference of its statistic makes of it: for a normal
    statistic z, density(z) x max(|z|, 1) on each side.
    """
    if is_p(name):
        z = abs(NormalDist().inv_cdf(min(value, 1.0) / 2)) if value > 0 else 0.0
        return 2 * NormalDist().pdf(z) * max(z, 1.0)
    error = row.get("robust_se") or row.get("se") or 0.0
    if name == "coef":
        return float(error)
    if name == "z":
        return 1.0
    if name == "chisq" and "se" in row:
        # The square of z: twice z for each unit of z.
        return 2 * math.sqrt(max(value, 0.0))
    return float(error * abs(row.get(name) or 0.0)) if name.startswith(("hr", "shr")) else 0.0
