"""Planted faults: edits of exports that a rule must find at an exact address."""

from __future__ import annotations

from demo.faults import (
    across,
    course,
    dates,
    followed,
    structure,
    values,
    vigilance,
    warehouse,
    worsened,
)
from demo.faults.scene import KINDS, Planted, Planter, Scene

__all__ = [
    "KINDS",
    "Planted",
    "Planter",
    "Scene",
    "across",
    "course",
    "dates",
    "followed",
    "structure",
    "values",
    "vigilance",
    "warehouse",
    "worsened",
]
