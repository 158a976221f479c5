"""Responses that are understood, but not without doubt: they are used, and the center is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transforms.harmonize.values.common import warning

RULE = "RSP-01"
UNCONFIRMED = "marked as unconfirmed"
BOUND = "a lower bound"
LESS = "less than partial response, the category is not known"
LOWER = "two categories, the lower one is taken"
TWO_EVENTS = (
    "response and progression in one cell, please give the progression a row and a date of its own"
)
_UNSURE = "a spelling that is not sure"
# How a remark in the list of synonyms begins, and what a center is told.
_REMARKS = {
    "CONFFL=N": UNCONFIRMED,
    "lower bound": BOUND,
    "paper's 4th class": LESS,
    "counts as non-responder": "death is no response and belongs in the follow-up",
    "EBMT-era near CR": "near complete response is no category of IMWG 2016",
    "older category": "an older category above complete response",
    "MRD-negativity": "MRD is negative only in complete response",
    "take the lower": LOWER,
    "both < PR": LOWER,
}


def doubt(remark: str) -> str:
    """Why a spelling with this remark in the list of synonyms is asked about."""
    return next((told for start, told in _REMARKS.items() if remark.startswith(start)), _UNSURE)


def doubtful(reason: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A category (`code` of the row) that is used and asked about."""
    return warning(f"{reason}; it is read as {row['code']}", RULE, **row)
