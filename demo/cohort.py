"""The cohort: 139 synthetic patients spread over twelve centers (or copies of it, for scale)."""

from __future__ import annotations

import random
from collections.abc import Iterator

from demo import regimens
from demo.biology import fill_biology, spare_first_salvage
from demo.course import fill_course, fill_empty_tables
from demo.dates import fill_dates
from demo.model import Patient
from demo.outcomes import cohort_outcomes
from demo.targets import CENTERS, GROUPS

# How each center numbers its patients; {n} is a rising number with gaps.
LOCAL_IDS = {
    "DE01": "{n:03d}",
    "DE02": "UKB-CART-{n:02d}",
    "DE03": "{n}",
    "DE04": "P{n:04d}",
    "DE05": "MM-{n:03d}",
    "DE06": "{n:04d}",
    "DE07": "K{n:05d}",
    "US01": "BMT-{n:04d}",
    "US02": "02-{n:04d}",
    "US03": "A{n:05d}",
    "ES01": "HES-{n:02d}",
    "CH01": "CH-{n:04d}",
}
_FIRST_NUMBER = {"DE03": 101, "DE04": 31, "DE07": 231, "US01": 1043, "US03": 10023}
_MAX_DAYS_CILTA = 450  # longer courses do not fit between approval and data cut


def build_cohort(patients: int = 139, seed: int = 2024) -> list[Patient]:
    """Patients in the order of centers and local ids; 139 give the published counts exactly."""
    rng = random.Random(f"carmony-demo-{seed}")
    cohort: list[Patient] = []
    while len(cohort) < patients:
        block = cohort_outcomes(rng, exact=not cohort)
        if patients - len(cohort) < len(block):
            block = rng.sample(block, patients - len(cohort))
        for p in block:
            p.index += len(cohort) // 139 * 139
        _assign_centers(rng, block)
        cohort += block
    firsts = _first_regimens(rng, cohort)
    for p in cohort:
        fill_biology(rng, p)
    taken: set[tuple[object, ...]] = set()
    for p in cohort:
        _place(rng, p, firsts[p.index], taken)
    ordered = sorted(cohort, key=lambda p: (list(CENTERS).index(p.center), p.infusion, p.index))
    _number(rng, ordered)
    for center in CENTERS:
        members = [p for p in ordered if p.center == center]
        if members:
            fill_empty_tables(rng, members)
    return ordered


def _assign_centers(rng: random.Random, block: list[Patient]) -> None:
    """Spread a block over the centers; cilta-cel goes where its course fits the approval date."""
    seats = [c for c, (_, n) in CENTERS.items() for _ in range(n)]
    if len(block) < len(seats):
        seats = list(CENTERS) + rng.sample(seats, max(len(block) - len(CENTERS), 0))
        seats = seats[: len(block)]
    _avoid_long_cilta(block)
    rng.shuffle(seats)
    small = ("CH01", "ES01")
    for p in sorted(block, key=lambda p: p.product != "CILTA"):
        seat = next((s for s in seats if p.product == "IDE" or s not in small), seats[0])
        seats.remove(seat)
        p.center, p.country = seat, CENTERS[seat][0]


def _avoid_long_cilta(block: list[Patient]) -> None:
    """Exchange products inside a group so that no long course is cilta-cel."""
    for p in block:
        if p.product == "CILTA" and p.months_days + p.os_days > _MAX_DAYS_CILTA:
            other = next(
                q
                for q in block
                if q.group == p.group
                and q.product == "IDE"
                and q.months_days + q.os_days <= _MAX_DAYS_CILTA
            )
            p.product, other.product = "IDE", "CILTA"


def _first_regimens(rng: random.Random, cohort: list[Patient]) -> dict[int, str]:
    chosen: dict[int, str] = {}
    for group in GROUPS:
        members = [p for p in cohort if p.group == group]
        pool = regimens.OTHER_FIRST if group == "OTHER" else regimens.FIRST[group]
        names = [pool[i % len(pool)] for i in range(len(members))]
        rng.shuffle(names)
        for p, name in zip(members, names, strict=True):
            chosen[p.index] = name
    return chosen


def _place(rng: random.Random, p: Patient, first: str, taken: set[tuple[object, ...]]) -> None:
    """Give dates that no other patient of the center with the same profile has within days."""
    for _ in range(500):
        start = fill_dates(rng, p)
        keys = {
            (p.center, p.sex, p.product, p.birth_year, p.infusion.toordinal() + shift)
            for shift in range(-4, 5)
        }
        if not keys & taken:
            break
        if p.index >= 139:
            p.age = rng.randint(40, 79)
    taken.add((p.center, p.sex, p.product, p.birth_year, p.infusion.toordinal()))
    p.dose = rng.randint(280, 455) if p.product == "IDE" else None
    fill_course(rng, p, start, first)
    spare_first_salvage(p, frozenset(regimens.REGIMENS[first].drugs))


def _number(rng: random.Random, ordered: list[Patient]) -> None:
    numbers: dict[str, Iterator[int]] = {
        center: iter(_rising(rng, _FIRST_NUMBER.get(center, 3), len(ordered))) for center in CENTERS
    }
    for p in ordered:
        p.local_id = LOCAL_IDS[p.center].format(n=next(numbers[p.center]))


def _rising(rng: random.Random, start: int, n: int) -> list[int]:
    values = [start]
    for _ in range(n):
        values.append(values[-1] + (1 if n > 1000 else rng.choice((1, 1, 1, 2, 3))))
    return values
