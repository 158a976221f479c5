"""Faults over two centers, told in the round whose deliveries are in force."""

from __future__ import annotations

from demo.faults.scene import Fields, Scene, fault
from demo.model import Patient

_ELSEWHERE = "US01 DE06 DE01 DE02 DE03 DE04 DE07 US02 US03 ES01 CH01"
_NEAR_DAYS = 5


@fault("DUP-02", "warning", "DE05", "a patient whom another center reports too", from_round=2)
def reported_by_two(s: Scene) -> Fields | None:
    """The center tells neither birth nor diagnosis: age, sex, product and day of infusion agree."""
    twin = _twin(s, s.patient)
    if twin is None:
        return None
    return [s.set(s.one("infusion.infusion_date"), twin.infusion), s.one("infusion.product")]


@fault("DUP-02", "warning", _ELSEWHERE, "the same patient, at the other center", from_round=2)
def reported_elsewhere_too(s: Scene) -> Fields | None:
    """Nothing is edited here; the center is asked as well."""
    chosen = s.chosen.get("reported_by_two")
    if chosen is None or _twin(s, chosen[1]) is not s.patient:
        return None
    return [s.one("infusion.infusion_date"), s.one("infusion.product")]


def _twin(s: Scene, p: Patient) -> Patient | None:
    """A patient of another center who differs in the day of infusion only."""
    for members in s.members.values():
        for other in members:
            alike = (other.sex, other.product, other.age) == (p.sex, p.product, p.age)
            days = abs((other.infusion - p.infusion).days)
            if alike and other.center != p.center and 1 <= days <= _NEAR_DAYS:
                return other
    return None
