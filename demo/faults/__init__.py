"""Planted faults: edits of exports that a rule must find at an exact address."""

from __future__ import annotations

from demo.faults import course, dates, structure, values
from demo.faults.scene import KINDS, Planted, Planter

__all__ = ["KINDS", "Planted", "Planter", "course", "dates", "structure", "values"]
