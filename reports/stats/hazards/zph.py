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


@dataclass(frozen=True)
class ProportionalHazards:
    """The tests, one row per term and `GLOBAL`: term, chi_squared, df, p; and g(t) of each event.

    Null where they cannot be made: all events at one time, or the log of time 0.
    """

    transform: str
    tests: pl.DataFrame
    event_time: Floats
    transformed_time: Floats


def cox_zph(fit: CoxFit, transform: Transform = "km", *, terms: bool = True) -> ProportionalHazards:
    """Test each term, and all together, for a coefficient that changes with g(t).

    Args:
        fit: The model. Aliased and not estimable columns are not tested.
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
    plain, first, second = at.information(), at.information(g), at.information(g**2)
    columns = np.flatnonzero(fit.used)
    labels = [fit.terms[fit.term_of[k]] if terms else fit.names[k] for k in columns]
    tests = []
    for label in [*dict.fromkeys(labels), GLOBAL]:
        mine = np.array([label in (GLOBAL, of) for of in labels], dtype=bool)
        if mine.any():
            statistic = _statistic(score, plain, first, second, mine)
            test = chi_squared_test(statistic, int(mine.sum()))
            tests.append((label, test.statistic, test.df, test.p))
    schema = {"term": pl.String, "chi_squared": pl.Float64, "df": pl.Int64, "p": pl.Float64}
    frame = pl.DataFrame(tests, schema, orient="row").fill_nan(None)
    return ProportionalHazards(transform, frame, rows.time[rows.events], g)


def _statistic(score: Floats, plain: Floats, first: Floats, second: Floats, mine: Bools) -> float:
    """Score test of the chosen x g(t), the coefficients of x being estimated."""
    u = score[mine]
    across = first[:, mine]
    try:
        variance = second[np.ix_(mine, mine)] - across.T @ np.linalg.solve(plain, across)
        return float(u @ np.linalg.solve(variance, u))
    except np.linalg.LinAlgError:
        return float("nan")


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
