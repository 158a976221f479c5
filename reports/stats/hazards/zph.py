"""Whether hazards are proportional: R's `cox.zph`, a score test for effects that change with time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from reports.stats.hazards.fit import CoxFit, chi_squared_test
from reports.stats.hazards.residuals import in_units, schoenfeld
from reports.stats.hazards.risk_sets import RiskSets
from reports.stats.times import Bools, Floats

Transform = Literal["km", "rank", "identity", "log"]
GLOBAL = "GLOBAL"
# A lost direction with at most this much in a column has nothing in it.
SAME = 1e-5


@dataclass(frozen=True)
class ProportionalHazards:
    """The tests, one row per term and `GLOBAL`: term, chi_squared, df, p; and g(t) of each event.

    Null where they cannot be made: all events at one time, or the log of time 0.
    """

    transform: str
    tests: pl.DataFrame
    event_time: Floats
    transformed_time: Floats


@np.errstate(all="ignore")  # where coefficients have run away risks vanish; no test is given then
def cox_zph(fit: CoxFit, transform: Transform = "km", *, terms: bool = True) -> ProportionalHazards:
    """Test each term, and all together, for a coefficient that changes with g(t).

    Args:
        fit: The model. Aliased columns are not tested. What is not estimable adds nothing to a statistic, but counts
            among the degrees of freedom, as in R; one that is made of it alone has no test.
        transform: g: 1 - Kaplan-Meier just before t (`km`), the rank among all times, t itself, or its log.
        terms: One test per term (a factor has several degrees of freedom), or one per column.

    Source:
        Grambsch and Therneau 1994 as the score test of R's survival since 3.0: the model with x g(t) beside x,
        at the fitted coefficients and 0.

    Raises:
        ValueError: The transform is not known.
    """
    at = in_units(fit, at_maximum=True)
    rows = at.rows
    g = _transformed(rows, transform)
    g = g - g.mean() if g.size else g
    score = (rows.weight[rows.events] * g) @ schoenfeld(fit, at)
    first, second = at.information(g), at.information(g**2)
    # The coefficients of x are estimated too: what they take up is taken off.
    variance = second - first.T @ _solved(at.information(), first)
    lost = fit.maximum.directions.lost
    columns = np.flatnonzero(~fit.maximum.aliased)
    labels = [fit.terms[fit.term_of[k]] if terms else fit.names[k] for k in columns]
    tests = []
    for label in [*dict.fromkeys(labels), GLOBAL]:
        mine = np.array([label in (GLOBAL, of) for of in labels], dtype=bool)
        if mine.any():
            statistic = _statistic(score, variance, lost, mine)
            test = chi_squared_test(statistic, int(mine.sum()))
            tests.append((label, test.statistic, test.df, test.p))
    schema = {"term": pl.String, "chi_squared": pl.Float64, "df": pl.Int64, "p": pl.Float64}
    frame = pl.DataFrame(tests, schema, orient="row").fill_nan(None)
    return ProportionalHazards(transform, frame, rows.time[rows.events], g)


def _statistic(score: Floats, variance: Floats, lost: Floats, mine: Bools) -> float:
    """Score test of the chosen x g(t); NaN if all of it is lost, or without variance.

    Lost directions have next to no score and as little variance; in their own scale they add next to nothing.
    """
    if not _kept(lost, mine).shape[1]:
        return float("nan")
    u = score[mine]
    return float(u @ _solved(variance[np.ix_(mine, mine)], u))


def _solved(matrix: Floats, right: Floats) -> Floats:
    """The inverse of a symmetric matrix times `right`, each row in its own scale; NaN where there is none."""
    size = np.sqrt(np.abs(np.diag(matrix)))
    scale = np.divide(1.0, size, out=np.ones_like(size), where=size > 0)
    try:
        solved = np.linalg.solve(matrix * np.outer(scale, scale), (right.T * scale).T)
    except np.linalg.LinAlgError:
        return np.full_like(right, np.nan)
    return np.asarray((solved.T * scale).T, dtype=np.float64)


def _kept(lost: Floats, mine: Bools) -> Floats:
    """Directions within the chosen columns on which the data say something."""
    everything = np.eye(int(mine.sum()))
    if not lost.shape[1]:
        return everything
    # Lost are the combinations of lost directions that do without the other columns.
    outside, inside = lost[~mine], lost[mine]
    _, size, combinations = np.linalg.svd(outside, full_matrices=True)
    alone = np.concatenate([size, np.zeros(lost.shape[1] - size.size)]) <= SAME
    within = inside @ combinations[alone].T
    left, size, _ = np.linalg.svd(within, full_matrices=True)
    rank = int((size > SAME).sum())
    return np.asarray(left[:, rank:], dtype=np.float64)


def _transformed(rows: RiskSets, transform: Transform) -> Floats:
    """g(t) of each event; `km` and `rank` are taken over all rows, whatever their stratum."""
    times = rows.time[rows.events]
    if transform == "identity":
        return times
    if transform == "log":
        return np.log(times, out=np.full(times.size, np.nan), where=times > 0)
    if transform == "rank":
        return _mean_ranks(rows.time)[rows.events]
    if transform != "km":
        raise ValueError(f"the transform {transform!r} is not known")
    return 1 - _survival_before(rows, times)


def _mean_ranks(times: Floats) -> Floats:
    _, position, counts = np.unique(times, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2)[position]
    return ranks


def _survival_before(rows: RiskSets, times: Floats) -> Floats:
    """Weighted Kaplan-Meier estimate of all rows just before each time."""
    points, position = np.unique(times, return_inverse=True)
    died = np.bincount(position, rows.weight[rows.events], minlength=points.size)
    order = np.argsort(rows.time, kind="stable")
    later = np.append(np.cumsum(rows.weight[order][::-1])[::-1], 0.0)
    at_risk = later[np.searchsorted(rows.time[order], points)]
    if rows.entry is not None:
        order = np.argsort(rows.entry, kind="stable")
        late = np.append(np.cumsum(rows.weight[order][::-1])[::-1], 0.0)
        at_risk = at_risk - late[np.searchsorted(rows.entry[order], points)]
    survival = np.concatenate([[1.0], np.cumprod(1 - died / at_risk)[:-1]])[: points.size]
    before: Floats = survival[position]
    return before
