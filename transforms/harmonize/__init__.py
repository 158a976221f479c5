"""Cells and a center's spec to canonical rows: `plan_delivery`, then `Mapping(plan).batches()`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transforms.harmonize.batch import FILE_ISSUE, ISSUE, MappedBatch
    from transforms.harmonize.mapping import Mapping
    from transforms.harmonize.plan import MappingPlan, plan_delivery

__all__ = [
    "FILE_ISSUE",
    "ISSUE",
    "MappedBatch",
    "Mapping",
    "MappingPlan",
    "plan_delivery",
]
_HOME = {"Mapping": "mapping", "MappingPlan": "plan", "plan_delivery": "plan"}


def __getattr__(name: str) -> Any:
    """Loads the engine when it is first asked for: the parsers in `values` need none of it."""
    if name not in __all__:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"transforms.harmonize.{_HOME.get(name, 'batch')}"), name)
