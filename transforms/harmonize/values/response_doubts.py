"""Responses that are understood, but not without doubt: they are used, and the center is asked."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from transforms.harmonize.values.common import warning

RULE = "RSP-01"


class Doubt(StrEnum):
    """What a center is told beside the category that is used."""

    UNCONFIRMED = "marked as unconfirmed"
    BOUND = "a lower bound"
    LESS = "less than partial response, the category is not known"
    LOWER = "two categories, the lower one is taken"
    TWO_EVENTS = "response and progression in one cell, please give the progression a row and a date of its own"
    DEATH = "death is no response and belongs in the follow-up"
    NEAR = "near complete response is no category of IMWG 2016"
    OLDER = "an older category above complete response"
    MRD = "MRD is negative only in complete response"
    ANNOTATED = "with an annotation"
    UNSURE = "a spelling that is not sure"


# How a remark in the list of synonyms begins, and what a center is told.
_REMARKS = {
    "CONFFL=N": Doubt.UNCONFIRMED,
    "lower bound": Doubt.BOUND,
    "paper's 4th class": Doubt.LESS,
    "counts as non-responder": Doubt.DEATH,
    "EBMT-era near CR": Doubt.NEAR,
    "older category": Doubt.OLDER,
    "MRD-negativity": Doubt.MRD,
    "take the lower": Doubt.LOWER,
    "both < PR": Doubt.LOWER,
}


def remarked(remark: str) -> Doubt:
    """Why a spelling with this remark in the list of synonyms is asked about."""
    found = (told for start, told in _REMARKS.items() if remark.startswith(start))
    return next(found, Doubt.UNSURE)


def doubtful(reason: Doubt, row: Mapping[str, Any]) -> dict[str, Any]:
    """A category (`code` of the row) that is used and asked about."""
    return warning(f"{reason}; it is read as {row['code']}", RULE, **row)
