"""Gray's test: does the cumulative incidence of one cause differ between groups?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reports.stats.competing.at_risk import Codes, checked, count_on
from reports.stats.times import Bools, Floats


@dataclass(frozen=True)
class GrayTest:
    """Test statistic, degrees of freedom (groups - 1) and two-sided P."""

    statistic: float
    df: int
    p: float


def gray_test(
    time: ArrayLike,
    event: ArrayLike,
    group: ArrayLike,
    *,
    cause: int,
    censor: int = 0,
    strata: ArrayLike | None = None,
    rho: float = 0.0,
) -> GrayTest | None:
    """Test of equal cumulative incidence of `cause` in all groups.

    Args:
        time: Not negative, any unit.
        event: Code per person.
        group: Label per person.
        cause: The code whose incidence is compared.
        censor: The code of censored persons.
        strata: Label per person; scores and variances are added over the strata.
        rho: Weight (1 - F)^rho of the pooled incidence F; 0 weighs all times alike.

    Returns:
        None where it cannot be estimated: one group, no event of the cause, or a singular variance.

    Raises:
        ValueError: `cause` is the code of censored persons, or the data are not valid times and codes.

    Source:
        Gray 1988 (Annals of Statistics 16, 1141-1154), k-sample score; R, cmprsk, `cuminc(...)$Tests`.
    """
    from scipy.special import chdtrc

    if cause == censor:
        raise ValueError("the cause of interest is the code of censored persons")
    times, codes, labels = checked(time, event, group)
    names, member = np.unique(labels, return_inverse=True)
    if names.size < 2 or not (codes == cause).any():
        return None
    kind = np.where(codes == censor, 0, np.where(codes == cause, 1, 2))
    score, variance = np.zeros(names.size), np.zeros((names.size, names.size))
    everyone = [np.ones(times.size, dtype=bool)]
    for chosen in everyone if strata is None else _members(strata):
        # Where the pooled incidence reaches 1 the variance is not finite, and the test not estimable.
        with np.errstate(divide="ignore", invalid="ignore"):
            added = _stratum(times[chosen], kind[chosen], member[chosen], names.size, rho)
        score, variance = score + added[0], variance + added[1]
    free = names.size - 1
    if not (np.isfinite(score).all() and np.isfinite(variance).all()):
        return None
    if np.linalg.matrix_rank(variance[:free, :free], hermitian=True) < free:
        return None
    statistic = float(score[:free] @ np.linalg.solve(variance[:free, :free], score[:free]))
    return GrayTest(statistic, free, float(chdtrc(free, statistic)))


def _members(strata: ArrayLike) -> list[Bools]:
    within = np.asarray(strata).astype(np.str_)
    return [within == stratum for stratum in np.unique(within)]


@dataclass(frozen=True)
class _Pooled:
    """Counts by group (rows) and time (columns), and the incidence F that all groups share if they are equal.

    `weight` is n / S(t-) of each group: its persons at risk in the sense of the subdistribution, undone.
    """

    at_risk: Floats
    own: Floats
    other: Floats
    before: Floats
    incidence_before: Floats
    weight: Floats
    pooled: Floats
    pooled_before: Floats


def _stratum(
    times: Floats, kind: Codes, member: NDArray[np.intp], n_groups: int, rho: float
) -> tuple[Floats, Floats]:
    """Score of each group and their covariance in one stratum."""
    data = _pool(times, kind, member, n_groups)
    shape = (1 - data.pooled_before) ** rho
    own = data.own.sum(axis=0)
    subject = data.weight * (1 - data.incidence_before)
    pool = subject.sum(axis=0)
    expected = np.divide(own * subject, pool, out=np.zeros_like(subject), where=pool > 0)
    score = (shape * (data.own - expected)).sum(axis=1)
    return score, _covariance(data, shape)


def _pool(times: Floats, kind: Codes, member: NDArray[np.intp], n_groups: int) -> _Pooled:
    distinct, position = np.unique(times, return_inverse=True)
    counts = [
        count_on(distinct, position[member == g], kind[member == g], (1, 2))
        for g in range(n_groups)
    ]
    at_risk = np.array([c.n_risk for c in counts])
    own = np.array([c.n_event[0] for c in counts])
    other = np.array([c.n_event[1] for c in counts])
    some = np.maximum(at_risk, 1.0)
    steps: Floats = np.where(at_risk > 0, (at_risk - own - other) / some, 1.0)
    after: Floats = np.cumprod(steps, axis=1, dtype=np.float64)
    before = _shifted(after, 1.0)
    incidence: Floats = np.cumsum(before * own / some, axis=1)
    weight = np.divide(at_risk, before, out=np.zeros_like(at_risk), where=at_risk > 0)
    # Someone is at risk at each observed time, so that the total weight is at least 1.
    pooled: Floats = np.cumsum(own.sum(axis=0) / weight.sum(axis=0))
    return _Pooled(
        at_risk,
        own,
        other,
        before,
        _shifted(incidence, 0.0),
        weight,
        pooled,
        _shifted(pooled[None, :], 0.0)[0],
    )


def _shifted(values: Floats, first: float) -> Floats:
    """The values of the time before, and `first` at the first time."""
    start = np.full((values.shape[0], 1), first)
    return np.concatenate([start, values[:, :-1]], axis=1)


def _covariance(data: _Pooled, shape: Floats) -> Floats:
    """Covariance of the scores.

    An event in group k at s moves the score of group i by a_ik(s) directly, and later through k's incidence
    by c_ik, the sum of a_ik dF / (1 - F) after s. With r = (1 - F(s)) / S_k(s), an event of the cause weighs
    a_ik(s) + (1 - r) c_ik(after s), one of another cause -r c_ik(after s). Squares add up over the events,
    whose number is taken from the pooled hazard for the cause and as observed for the others.
    """
    own = data.own.sum(axis=0)
    at = np.flatnonzero(own > 0)
    own, total = own[at], data.weight[:, at].sum(axis=0)
    weight, some = data.weight[:, at], np.maximum(data.at_risk[:, at], 1.0)
    others = np.eye(weight.shape[0])[:, :, None] - (weight / total)[:, None, :]
    direct = shape[at] * weight * others
    course = np.cumsum(direct * (own / (total * (1 - data.pooled_before[at]))), axis=2)
    ratio = _ratio(data)

    size = total * data.before[:, at]
    tied = np.divide(own - 1, size - 1, out=np.zeros_like(size), where=(own > 1) & (weight > 0))
    hazard = (1 - tied) * data.before[:, at] * own / (total * some) * (weight > 0)
    moved = direct + (1 - ratio[:, at]) * (course[:, :, -1:] - course)
    covariance = np.zeros(course.shape[:2])
    for k, squared in enumerate(hazard):
        covariance += (moved[:, k] * squared) @ moved[:, k].T
    return covariance + _by_others(data, ratio, at, course)


def _ratio(data: _Pooled) -> Floats:
    """(1 - F) / S of each group just after each time; 0 where nobody of the group is left free of events."""
    some = np.maximum(data.at_risk, 1.0)
    after = data.before * (data.at_risk - data.own - data.other) / some
    ratio: Floats = np.divide(1 - data.pooled, after, out=np.zeros_like(after), where=after > 0)
    return ratio


def _by_others(data: _Pooled, ratio: Floats, at: NDArray[np.intp], course: Floats) -> Floats:
    """The part of the covariance that events of other causes add; `course` is known at the times `at`."""
    covariance = np.zeros(course.shape[:2])
    started = np.concatenate([covariance[:, :, None], course], axis=2)
    for k, other in enumerate(data.other):
        when = np.flatnonzero((other > 0) & (ratio[k] > 0))
        number, risk = other[when], data.at_risk[k, when]
        tied = np.divide(number - 1, risk - 1, out=np.zeros_like(risk), where=number > 1)
        hazard = (1 - tied) * data.before[k, when] ** 2 * number / risk**2
        passed = np.searchsorted(at, when, side="right")
        moved = ratio[k, when] * (started[:, k, -1:] - started[:, k, passed])
        covariance += (moved * hazard) @ moved.T
    return covariance
