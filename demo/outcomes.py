"""Who responds, who dies when, and the risk factors that go with it, until the survival targets hold."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from demo.continuous import draw, draw_days
from demo.model import DAYS_PER_MONTH, Patient
from demo.stats import km_median, logrank_chi2
from demo.targets import (
    CONTINUOUS,
    COUNTS,
    DEATHS,
    EARLY_MONTHS,
    FOLLOW_UP,
    GROUPS,
    P_CONTINUOUS,
    SIZES,
    SURVIVAL,
)

# Weibull scale in months of the survival of those who die; shape 1.5.
_SCALE = {"TALQ": 6.5, "TEC": 6.5, "IPC": 4.7, "OTHER": 4.6}
_LATEST = {"TALQ": 8.0, "TEC": 8.0, "IPC": 14.0, "OTHER": 14.0}
MIN_SUBSEQUENT_DAYS = 60
LONGEST_COURSE = 980  # days from infusion to the end; infusions start in September 2021


def cohort_outcomes(rng: random.Random, exact: bool) -> list[Patient]:
    """139 patients with group, response, survival and Table 1 variables; no dates yet.

    With `exact` the draw is repeated until the medians of survival lie where `targets.SURVIVAL`
    wants them and the P values of the continuous variables round to the printed ones.
    """
    for _ in range(20_000):
        patients = _draw(rng)
        if patients is None or (exact and not _medians_fit(patients, timed=False)):
            continue
        _continuous(rng, patients, exact)
        if not exact or (_medians_fit(patients, timed=True) and _differences_fit(patients)):
            return patients
    raise ValueError("no cohort found that meets the survival targets; try another seed")


def _draw(rng: random.Random) -> list[Patient] | None:
    patients: list[Patient] = []
    for group, size in zip(GROUPS, SIZES, strict=True):
        members = [Patient(index=len(patients) + i, group=group) for i in range(size)]
        _responses(rng, group, members)
        _survival(rng, group, members)
        _factors(rng, group, members)
        if not _subsequent(rng, group, members):
            return None
        patients += members
    return patients


def _fit_the_calendar(patients: list[Patient]) -> None:
    """Exchange times to relapse in a group until nobody's course is longer than the study."""
    for p in patients:
        if p.months_days + p.os_days <= LONGEST_COURSE:
            continue
        other = max(
            (
                q
                for q in patients
                if q.group == p.group
                and p.os_days + q.months_days <= LONGEST_COURSE
                and q.os_days + p.months_days <= LONGEST_COURSE
            ),
            key=lambda q: (q.dead is p.dead, q.months_days),
        )
        p.months_days, other.months_days = other.months_days, p.months_days


def _responses(rng: random.Random, group: str, members: list[Patient]) -> None:
    g, i = GROUPS.index(group), 0
    for level, counts in COUNTS["response"].items():
        for k in range(counts[g]):
            members[i].response = level
            members[i].dead = k < DEATHS[group][level]
            i += 1


def _survival(rng: random.Random, group: str, members: list[Patient]) -> None:
    for p in members:
        if p.dead:
            stretch = {"LTPR": 0.95, "PR": 1.4, "VGPR": 1.6}[p.response]
            months = _SCALE[group] * stretch * rng.weibullvariate(1, 1.6)
            if months > _LATEST[group]:
                months = rng.uniform(0.3, 1.0) * _LATEST[group]
            p.os_days = max(round(months * DAYS_PER_MONTH), 60 if p.response != "LTPR" else 14)
        else:
            months = min(max(rng.lognormvariate(2.08, 0.36), 4.2), 13.5 if group == "TALQ" else 19)
            p.os_days = round(months * DAYS_PER_MONTH)


def _hazard(p: Patient) -> float:
    """High for those who die early; steers which risk factors a patient gets."""
    return 0.8 + 30.0 / p.os_days if p.dead else -p.os_days / 900


def _ranked(
    rng: random.Random, members: Sequence[Patient], score: Callable[[Patient], float], noise: float
) -> list[Patient]:
    return sorted(members, key=lambda p: -score(p) - rng.gauss(0, noise))


def _factors(rng: random.Random, group: str, members: list[Patient]) -> None:
    g = GROUPS.index(group)
    for p in _ranked(rng, members, _hazard, 1.2)[: COUNTS["emd"]["Y"][g]]:
        p.emd = True
    ordered = _ranked(rng, members, lambda p: _hazard(p) + 0.2 * p.emd, 0.8)
    high, low = COUNTS["mycare"]["HIGH"][g], COUNTS["mycare"]["LOW"][g]
    for i, p in enumerate(ordered):
        p.mycare = "HIGH" if i < high else "LOW" if i >= len(ordered) - low else "INTERMEDIATE"
    levels = [level for level, counts in COUNTS["r_iss"].items() for _ in range(counts[g])]
    by_stage = _ranked(rng, members, lambda p: (p.mycare == "HIGH") * 9 + _hazard(p) * 0.3, 1.0)
    for p, level in zip(by_stage, reversed(levels), strict=True):
        p.r_iss = level
    grades = [int(level) for level, counts in COUNTS["ecog"].items() for _ in range(counts[g])]
    for p, grade in zip(_ranked(rng, members, _hazard, 1.0), reversed(grades), strict=True):
        p.ecog = grade
    for name in ("sex", "product"):
        values = [level for level, counts in COUNTS[name].items() for _ in range(counts[g])]
        rng.shuffle(values)
        for p, value in zip(members, values, strict=True):
            setattr(p, name, value)
    shuffled = rng.sample(members, len(members))
    for i, p in enumerate(shuffled):
        p.triple = i < COUNTS["triple"]["Y"][g]
        p.penta = i < COUNTS["penta"]["Y"][g]
    for p in rng.sample(members, COUNTS["prior_bcma"]["Y"][g]):
        p.prior_bcma = True


def _subsequent(rng: random.Random, group: str, members: list[Patient]) -> bool:
    """Mark who has a further line; only those who live long enough can."""
    wanted = COUNTS["subsequent"]["Y"][GROUPS.index(group)]
    able = [p for p in members if p.os_days >= MIN_SUBSEQUENT_DAYS and p.response != "CR"]
    liking = {"LTPR": 2.0, "PR": 1.0, "VGPR": 0.0}
    for p in _ranked(rng, able, lambda p: liking[p.response], 0.6)[:wanted]:
        p.subsequent = True
    return len(able) >= wanted


def _continuous(rng: random.Random, patients: list[Patient], exact: bool) -> None:
    drawn = {
        name: (draw_days if name == "months_to_relapse" else draw)(
            rng, SIZES, CONTINUOUS[name], P_CONTINUOUS[name] if exact else None
        )
        for name in CONTINUOUS
    }
    for g, group in enumerate(GROUPS):
        members = [p for p in patients if p.group == group]
        for name in ("age", "prior_lines"):
            values = rng.sample(drawn[name][g], len(members))
            for p, value in zip(members, values, strict=True):
                setattr(p, name, value)
        risky_first = _ranked(rng, members, _hazard, 1.3)
        for p, days in zip(risky_first, sorted(drawn["months_to_relapse"][g]), strict=True):
            p.months_days = days
    _fit_the_calendar(patients)


def subsets(patients: Sequence[Patient]) -> dict[str, list[Patient]]:
    """The subsets whose median survival the paper prints."""
    chosen: dict[str, list[Patient]] = {g: [p for p in patients if p.group == g] for g in GROUPS}
    early = [p for p in patients if p.months_days / DAYS_PER_MONTH <= EARLY_MONTHS]
    chosen |= {
        "all": list(patients),
        "early": early,
        "late": [p for p in patients if p.months_days / DAYS_PER_MONTH > EARLY_MONTHS],
        "emd": [p for p in patients if p.emd],
        "no_emd": [p for p in patients if not p.emd],
    }
    for level in ("LOW", "INTERMEDIATE", "HIGH"):
        chosen[f"mycare_{level.lower()}"] = [p for p in patients if p.mycare == level]
    return chosen


def median_months(patients: Sequence[Patient], *, reverse: bool = False) -> float | None:
    """Kaplan-Meier median of survival, or of follow-up, in months."""
    days = km_median([p.os_days for p in patients], [p.dead is not reverse for p in patients])
    return None if days is None else days / DAYS_PER_MONTH


def _medians_fit(patients: list[Patient], *, timed: bool) -> bool:
    """Whether medians lie in their windows: by time to relapse if `timed`, all others if not."""
    chosen = subsets(patients)
    for name, window in SURVIVAL.items():
        if (name in ("early", "late")) is not timed:
            continue
        got = median_months(chosen[name])
        if (got is None) != (window is None):
            return False
        if window is not None and got is not None and not window[0] <= got <= window[1]:
            return False
    follow_up = median_months(patients, reverse=True)
    return follow_up is not None and FOLLOW_UP[0] <= follow_up <= FOLLOW_UP[1]


def _differences_fit(patients: list[Patient]) -> bool:
    """Early against late relapse and EMD against none differ clearly, but not absurdly."""
    times, events = [p.os_days for p in patients], [p.dead for p in patients]
    chosen = subsets(patients)
    for name in ("late", "emd"):
        members = {p.index for p in chosen[name]}
        statistic = logrank_chi2(times, events, [p.index in members for p in patients])
        if not 7.0 < statistic < 28.0:
            return False
    return True
