"""Reads analysis plans: those that come with Carmony, and a study's own."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import StudyError
from schemas.spec.base import listed, nearest, validated
from schemas.spec.plan import GROUP, Plan
from schemas.yaml_source import read_yaml

if TYPE_CHECKING:
    from schemas.spec.study import Study

PLANS = Path(__file__).resolve().parents[1] / "plans"


@cache
def shipped_plans() -> dict[str, Path]:
    """Name → file of the plans that come with Carmony."""
    return {path.stem: path for path in sorted(PLANS.glob("*.yaml"))}


def load_plan(study: Study) -> Plan:
    """The plan that a study names; the levels of GRP4 are the study's groups.

    Raises:
        StudyError: No such plan; or what is wrong in it, with file, line and key.
    """
    return with_groups(read_plan(plan_file(study)), study)


def with_groups(plan: Plan, study: Study) -> Plan:
    """The plan with the study's groups as the levels of GRP4, if it declares none itself."""
    groups = {group.code: group.label for group in study.groups}
    if GROUP not in plan.variables or plan.variables[GROUP].levels:
        return plan
    own = plan.variables[GROUP].model_copy(update={"levels": groups})
    return plan.model_copy(update={"variables": {**plan.variables, GROUP: own}})


def read_plan(path: Path) -> Plan:
    """The plan of a file.

    Raises:
        StudyError: What is wrong in it, with file, line and key.
    """
    return validated(Plan, read_yaml(path, StudyError), StudyError, lambda plan: plan.problems())


def plan_file(study: Study) -> Path:
    """The file of the plan that a study names. Raises StudyError."""
    name = study.analysis
    if name in shipped_plans():
        return shipped_plans()[name]
    path = study.folder / name
    if name.endswith((".yaml", ".yml")) and ".." not in Path(name).parts and path.is_file():
        return path
    raise StudyError(
        f"study.yaml: there is no analysis plan '{name}'.{nearest(name, shipped_plans())} "
        f"Plans that come with Carmony: {listed(shipped_plans())}",
        fix="write one of these, or the name of a YAML file beside study.yaml",
    )
