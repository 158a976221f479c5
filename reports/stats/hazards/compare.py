"""Comparisons within a model: terms left out, and any two levels of a factor."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import polars as pl

from reports.stats.hazards.fit import CoxFit, chi_squared_test, two_sided
from reports.stats.hazards.newton import maximize
from reports.stats.times import Floats


@dataclass(frozen=True)
class Contrast:
    """Log hazard ratio of one level against another; None where it is not estimable."""

    level: str
    against: str
    coef: float | None
    se: float | None
    z: float | None
    p: float | None
    hr: float | None
    lower: float | None
    upper: float | None


def drop_one(fit: CoxFit) -> pl.DataFrame:
    """Likelihood ratio test of each term: the model without it, on the same rows.

    A main effect whose interaction is in the model stays. A term that adds nothing (aliased) has 0 degrees of
    freedom and no P.

    Returns:
        term, df, lrt, p, aic (of the model without the term).

    Source:
        R `drop1(fit, test = "Chisq")`.
    """
    rows = fit.maximum.at_maximum.rows
    tests = []
    for index, term in enumerate(fit.terms):
        if _within_another(term, fit.terms):
            continue
        rest = maximize(rows, fit.design.without(index).matrix[rows.order])
        df = fit.df - int((~rest.aliased).sum())
        lrt = 2 * (fit.loglik - rest.at_maximum.loglik) if df else 0.0
        test = chi_squared_test(lrt, df)
        aic = -2 * rest.at_maximum.loglik + 2 * (fit.df - df)
        tests.append((term, df, lrt, None if np.isnan(test.p) else test.p, aic))
    schema = {
        "term": pl.String,
        "df": pl.Int64,
        "lrt": pl.Float64,
        "p": pl.Float64,
        "aic": pl.Float64,
    }
    return pl.DataFrame(tests, schema, orient="row")


def contrast(fit: CoxFit, variable: str, level: str, against: str) -> Contrast:
    """One level of a factor against another, neither of which need be the reference.

    Two levels can be compared also where neither can be with the reference, which had no event. The levels of a
    factor that interacts cannot be compared without saying where.

    Args:
        fit: The model.
        variable: The factor as it stands in the formula.
        level: A level of it.
        against: Another one.

    Raises:
        ValueError: The variable is not a factor of the model without interactions, or a level is none of its.
    """
    if variable not in fit.terms:
        raise ValueError(f"{variable!r} is not a term of the model")
    if any(variable in term.split(":") for term in fit.terms if term != variable):
        raise ValueError(f"{variable!r} interacts with another term")
    levels = fit.design.levels.get(variable)
    if levels is None:
        raise ValueError(f"{variable!r} is not a factor")
    weights = np.zeros(len(fit.names))
    for name, sign in ((level, 1.0), (against, -1.0)):
        if name not in levels:
            raise ValueError(f"{name!r} is no level of {variable!r}")
        if name != levels[0]:
            weights[fit.names.index(f"{variable}{name}")] += sign
    if not fit.maximum.known(weights):
        return Contrast(level, against, None, None, None, None, None, None, None)
    return _estimated(fit, weights, level, against)


def all_contrasts(fit: CoxFit, variable: str) -> list[Contrast]:
    """Every pair of levels, the later against the earlier."""
    levels = fit.design.levels.get(variable, ())
    return [
        contrast(fit, variable, later, earlier)
        for k, earlier in enumerate(levels)
        for later in levels[k + 1 :]
    ]


def _estimated(fit: CoxFit, weights: Floats, level: str, against: str) -> Contrast:
    touched = np.flatnonzero(weights)
    weights = weights[touched]
    coef = float(weights @ fit.maximum.coef[touched])
    se = float(np.sqrt(weights @ fit.covariance[np.ix_(touched, touched)] @ weights))
    width = NormalDist().inv_cdf(0.5 + fit.level / 2) * se
    z = coef / se
    with np.errstate(over="ignore"):
        hazard = np.exp([coef, coef - width, coef + width])
    # As in the table: no limits where one is too large for a number.
    both = bool(np.isfinite(hazard[1:]).all())
    known = (bool(np.isfinite(hazard[0])), both, both)
    return Contrast(
        level,
        against,
        coef,
        se,
        z,
        float(two_sided(np.array(z))),
        *(float(value) if finite else None for value, finite in zip(hazard, known, strict=True)),
    )


def _within_another(term: str, terms: tuple[str, ...]) -> bool:
    mine = set(term.split(":"))
    return any(mine < set(other.split(":")) for other in terms)
