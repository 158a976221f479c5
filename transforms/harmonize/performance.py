"""Performance status: a Karnofsky value in the place of ECOG becomes the ECOG that it means."""

from __future__ import annotations

import re

from transforms.harmonize.values.match import fold
from transforms.harmonize.verdicts import Verdict

# Karnofsky 100 is ECOG 0, 80 and 90 are 1, and so on: dossier, rule STG-11.
ECOG_OF = {100: 0, 90: 1, 80: 1, 70: 2, 60: 2, 50: 3, 40: 3, 30: 4, 20: 4, 10: 4}
CONVERTED = "a Karnofsky value: the ECOG that it means is used; please give ECOG"
NO_KARNOFSKY = "no Karnofsky value, which is a multiple of 10 up to 100: please give ECOG"
_NAMED = re.compile(
    r"^(?:kps|kpi|karnofsky|karnofski)(?:[ -](?:index|performance status|ps|score|status))?"
    r"\s*[:=.]?\s*(\d{1,3})\s*%?$"
)
_PER_CENT = re.compile(r"^(\d{2,3})\s*%$")


def karnofsky_number(text: str) -> str | None:
    """The digits of `KPS 80` or `80 %`; None if the text names no Karnofsky value."""
    found = _NAMED.match(fold(text).strip()) or _PER_CENT.match(text.strip())
    return found[1] if found else None


def from_karnofsky(text: str, verdict: Verdict) -> Verdict:
    """The verdict on a cell of ECOG whose number was read, converted where it is Karnofsky's.

    A number that is neither stays as it is: rule STG-11 asks about it.
    """
    (number,) = verdict.values
    if number in ECOG_OF:
        return Verdict((ECOG_OF[number],), "warning", "STG-11", CONVERTED)
    if karnofsky_number(text) is not None and number is not None:
        return Verdict((None,), "error", "STG-11", NO_KARNOFSKY)
    return verdict
