"""The calendar of each patient: infusion, relapse, salvage, death or last contact."""

from __future__ import annotations

import datetime as dt
import random

from demo.model import Patient

ROUND_ONE = dt.date(2024, 6, 14)
ROUND_TWO = dt.date(2024, 8, 30)
LAST_EVENT = dt.date(2024, 6, 5)  # nothing but last contacts lies later
FIRST_INFUSION = dt.date(2021, 9, 6)
LAST_INFUSION = dt.date(2023, 12, 28)

# First commercial use is possible from here on (approval by the region's authority).
APPROVED = {
    ("IDE", "US"): dt.date(2021, 3, 26),
    ("IDE", "DE"): dt.date(2021, 8, 18),
    ("IDE", "ES"): dt.date(2021, 8, 18),
    ("IDE", "CH"): dt.date(2021, 8, 20),
    ("CILTA", "US"): dt.date(2022, 2, 28),
    ("CILTA", "DE"): dt.date(2022, 5, 25),
    ("CILTA", "ES"): dt.date(2022, 5, 25),
    ("CILTA", "CH"): dt.date(2022, 8, 8),
}
# Salvage antibodies; before this day they were given by name or in a trial.
APPROVED_SALVAGE = {
    ("talquetamab", "US"): dt.date(2023, 8, 9),
    ("talquetamab", "DE"): dt.date(2023, 8, 21),
    ("talquetamab", "ES"): dt.date(2023, 8, 21),
    ("talquetamab", "CH"): dt.date(2023, 10, 30),
    ("teclistamab", "US"): dt.date(2022, 10, 25),
    ("teclistamab", "DE"): dt.date(2022, 8, 23),
    ("teclistamab", "ES"): dt.date(2022, 8, 23),
    ("teclistamab", "CH"): dt.date(2022, 12, 22),
}


def days(n: int) -> dt.timedelta:
    """A span of n days."""
    return dt.timedelta(days=n)


def fill_dates(rng: random.Random, p: Patient) -> dt.date:
    """Set every date up to relapse and the end of follow-up; returns the start of first salvage."""
    earliest = max(FIRST_INFUSION, APPROVED[p.product, p.country] + days(10))
    for _ in range(2000):
        gap = rng.choice((3, 5, 7, 9, 12, 14, 18, 21, 25, 28, 35, 42, 50, 60, 75, 90))
        if p.dead:
            latest = min(LAST_INFUSION, LAST_EVENT - days(p.os_days + gap + p.months_days))
            span = (latest - earliest).days
            if span < 0:
                continue
            infusion = latest - days(round(span * min(rng.random(), rng.random())))
            end = infusion + days(p.months_days + gap + p.os_days)
        else:
            end = dt.date(2024, 6, 20) + days(rng.randint(0, 69))
            infusion = end - days(p.os_days + gap + p.months_days)
            if not earliest <= infusion <= LAST_INFUSION:
                continue
        return _set_dates(rng, p, infusion, gap, end)
    raise ValueError(f"no calendar fits patient {p.index}")


def _set_dates(
    rng: random.Random, p: Patient, infusion: dt.date, gap: int, end: dt.date
) -> dt.date:
    p.infusion = infusion
    p.lymphodepletion = infusion - days(rng.choice((5, 5, 5, 6, 7)))
    p.apheresis = p.lymphodepletion - days(rng.randint(28, 60))
    p.relapse = infusion + days(p.months_days)
    p.birth_year = infusion.year - p.age - rng.choice((0, 1))
    years = min(1.2 + p.prior_lines * rng.uniform(0.5, 0.9), p.age - 24)
    p.diagnosis = infusion - days(round(years * 365.25) + rng.randint(0, 60))
    p.last_contact = p.first_contact = end
    p.death = end if p.dead else None
    return p.relapse + days(gap)
