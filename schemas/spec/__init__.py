"""Specs of centers and the study file: `load_spec(path)`, `load_study(folder)`."""

from schemas.spec.center import Block, CenterSpec, Join, Source
from schemas.spec.columns import ColumnRule, Condition
from schemas.spec.load import load_spec, load_study
from schemas.spec.study import Study

__all__ = [
    "Block",
    "CenterSpec",
    "ColumnRule",
    "Condition",
    "Join",
    "Source",
    "Study",
    "load_spec",
    "load_study",
]
