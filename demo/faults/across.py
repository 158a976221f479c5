"""Faults over two centers, told in the round whose deliveries are in force."""

from __future__ import annotations

from demo.faults.scene import Fields, Scene, fault
from demo.model import Patient

_ELSEWHERE = "US01 DE06 DE01 DE02 DE03 DE04 DE07 US02 US03 ES01 CH01"
_NEAR_DAYS = 5


@fault("DUP-02", "warning", "DE05", "a patient whom another center reports too", from_round=2)
def reported_by_two(s: Scene) -> Fields | None:
    """The center tells neither birth nor diagnosis: age, sex, product and day of infusion agree.

    From this round on the day is that of the other center, also in what is told as true.
    """
    twin = _twin(s, s.patient)
    if twin is None:
        return None
    s.patient.months_days -= (twin.infusion - s.patient.infusion).days
    s.patient.infusion = twin.infusion
    return [s.set(s.one("infusion.infusion_date"), twin.infusion), s.one("infusion.product")]


@fault("DUP-02", "warning", _ELSEWHERE, "the same patient, at the other center", from_round=2)
def reported_elsewhere_too(s: Scene) -> Fields | None:
    """Nothing is edited here; the center is asked as well."""
    chosen = s.chosen.get("reported_by_two")
    if chosen is None or s.patient is chosen[1] or not _alike(chosen[1], s.patient, 0, 0):
        return None
    return [s.one("infusion.infusion_date"), s.one("infusion.product")]


def _twin(s: Scene, p: Patient) -> Patient | None:
    """A patient of another center who differs in the day of infusion only."""
    everybody = (other for members in s.members.values() for other in members)
    return next(
        (q for q in everybody if q.center != p.center and _alike(q, p, 1, _NEAR_DAYS)), None
    )


def _alike(p: Patient, q: Patient, least: int, most: int) -> bool:
    """Whether two patients differ in the day of infusion only, by so many days."""
    same = (p.sex, p.product, p.age) == (q.sex, q.product, q.age)
    return same and least <= abs((p.infusion - q.infusion).days) <= most
