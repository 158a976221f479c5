"""Reads analysis plans: those that come with Carmony, and a study's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import StudyError
from schemas.spec.base import listed, nearest, validated
from schemas.spec.plan import GROUP, Plan
from schemas.yaml_source import read_yaml

if TYPE_CHECKING:
    from schemas.spec.study import Settings, Study

GUIDE = "docs/analysis-plan.md"
PLANS = Path(__file__).resolve().parents[1] / "plans"


@cache
def shipped_plans() -> dict[str, Path]:
    """Name → file of the plans that come with Carmony."""
    return {path.stem: path for path in sorted(PLANS.glob("*.yaml"))}


def load_plan(study: Study) -> Plan:
    """The plan that a study names; the levels of GRP4 are the study's groups, its cut-offs stand in the labels.

    Raises:
        StudyError: No such plan; or what is wrong in it, with file, line and key.
    """
    return with_groups(with_cut_offs(read_plan(plan_file(study)), study), study)


def with_groups(plan: Plan, study: Study) -> Plan:
    """The plan with the study's groups as the levels of GRP4, if it declares none itself."""
    groups = {group.code: group.label for group in study.groups}
    if GROUP not in plan.variables or plan.variables[GROUP].levels:
        return plan
    own = plan.variables[GROUP].model_copy(update={"levels": groups})
    return plan.model_copy(update={"variables": {**plan.variables, GROUP: own}})


def with_cut_offs(plan: Plan, study: Study) -> Plan:
    """The plan with the study's cut-offs of early relapse in its texts.

    They stand for `{early_1}`, `{within_early_1}`, `{after_early_1}`, and the same of the second.
    """
    return Plan.model_validate(_filled(plan.model_dump(), _cut_offs(study.settings)))


def _cut_offs(settings: Settings) -> dict[str, str]:
    """Names in texts of a plan → how the cut-offs of early relapse are printed."""
    within, after = ("≤", ">") if settings.early_relapse_tie == "early_if_equal" else ("<", "≥")
    found = {}
    for number, value in enumerate(sorted(settings.early_relapse_months), start=1):
        months = "1 month" if value == 1 else f"{value:g} months"
        found[f"{{early_{number}}}"] = months
        found[f"{{within_early_{number}}}"] = f"{within} {months}"
        found[f"{{after_early_{number}}}"] = f"{after} {months}"
    return found


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    """The same lists and mappings with the names in their texts replaced."""
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace(name, text)
        return value
    if isinstance(value, dict):
        return {key: _filled(each, names) for key, each in value.items()}
    return [_filled(each, names) for each in value] if isinstance(value, list | tuple) else value


def read_plan(path: Path) -> Plan:
    """The plan of a file.

    Raises:
        StudyError: What is wrong in it, with file, line and key.
    """
    source = read_yaml(path, StudyError)
    return validated(Plan, source, StudyError, lambda plan: plan.problems(), GUIDE)


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
