"""Analysis plans: what is refused, with place and reason; schema and documentation."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from schemas.errors import StudyError
from schemas.spec import plan as module
from schemas.spec.plans import load_plan, read_plan, shipped_plans
from schemas.spec.study import Study

ROOT = Path(__file__).parents[2]
PLAN = """\
title: Survival
variables:
  GRP4: {label: Group}
  ARM: {label: Arm, levels: {A: Arm A, B: Arm B}}
  RESP: {label: Response, levels: {"N": "No", "Y": "Yes"}, after_start: true}
  THREE: {label: Three, levels: {A: A, B: B, C: C}}
endpoints:
  OS: {label: Overall survival, event: death, events: deaths, origin: start}
displays:
  - {id: F1, kind: survival, heading: Curves, endpoint: OS, by: [ARM]}
"""


def _read(folder: Path, display: str = "", text: str = PLAN) -> module.Plan:
    path = folder / "plan.yaml"
    path.write_text(text + (f"  - {{{display}}}\n" if display else ""), encoding="utf-8")
    return read_plan(path)


def test_a_plan_of_a_few_lines_is_enough(tmp_path: Path) -> None:
    plan = _read(tmp_path)
    assert [display.id for display in plan.displays] == ["F1"]
    assert (plan.early_events, plan.small_group) == (10, 20)


@pytest.mark.parametrize(
    ("display", "words"),
    [
        ("id: F2, kind: survival, heading: C, endpoint: PFS", "displays[1].endpoint: 'PFS' is no endpoint"),
        ("id: F2, kind: survival, heading: C, endpoint: OS, by: [ARMS]", "'ARMS' is no variable"),
        ("id: F1, kind: survival, heading: C, endpoint: OS", "two displays 'F1'"),
        ("id: F2, kind: survival, heading: C, endpoint: OS, where: {ARM: [C]}", "'C' is no level of 'ARM'"),
        ("id: F2, kind: survival, heading: C, endpoint: OS, at_months: [0]", "'F2' names a month"),
        ("id: F2, kind: curves, heading: C, endpoint: OS", "line 11"),
        ("id: T2, kind: model, heading: M, endpoint: OS, terms: [ARM, RESP]", "acknowledge_guarantee_time: true"),
        (
            "id: T2, kind: model, heading: M, endpoint: OS, terms: [ARM], replace: {ARM: [RESP]}",
            "'RESP' is known only after time zero",
        ),
        (
            "id: T2, kind: model, heading: M, endpoint: OS, terms: [ARM], replace: {THREE: [ARM]}",
            "'THREE' is no term of this model",
        ),
        (
            "id: F3, kind: forest, heading: F, endpoint: OS, treatment: THREE, subgroups: [ARM]",
            "'THREE' has 3 levels; a treatment has two",
        ),
        ("id: X1, kind: competing, heading: X, endpoint: OS, by: ARM", "'OS' has no competing event"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_meant_is_refused_with_its_line(
    tmp_path: Path, display: str, words: str
) -> None:
    with pytest.raises(StudyError) as refused:
        _read(tmp_path, display)
    assert words in str(refused.value)
    assert "plan.yaml, line 11" in str(refused.value)


def test_a_term_after_time_zero_is_allowed_when_it_is_acknowledged(tmp_path: Path) -> None:
    model = "id: T2, kind: model, heading: M, endpoint: OS, terms: [RESP], acknowledge_guarantee_time: true"
    assert _read(tmp_path, model).displays[1].id == "T2"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("levels: {A: Arm A, B: Arm B}", "cut: 3, levels: {A: Arm A}", "two levels"),
        (
            "levels: {A: Arm A, B: Arm B}",
            "recode: {x: C}, levels: {A: Arm A}",
            "'recode' gives 'C'",
        ),
        ("label: Arm,", "lable: Arm,", "Did you mean 'label'?"),
    ],
)
def test_a_variable_that_cannot_be_is_refused(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    assert old in PLAN
    with pytest.raises(StudyError) as refused:
        _read(tmp_path, text=PLAN.replace(old, new, 1))
    assert words in str(refused.value)


@pytest.mark.parametrize("name", ["salvage_after_cart", "second_bispecific"])
def test_a_shipped_plan_loads_and_fits_the_published_schema(name: str) -> None:
    path = shipped_plans()[name]
    assert read_plan(path).displays
    schema = json.loads((ROOT / "schemas/spec/plan.schema.json").read_text(encoding="utf-8"))
    content = json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8"))))
    assert not list(jsonschema.Draft202012Validator(schema).iter_errors(content))
    content["displays"][0]["kind"] = "pie"
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(content))


def test_the_documentation_names_every_key_and_kind_of_a_plan() -> None:
    text = (ROOT / "docs/analysis-plan.md").read_text(encoding="utf-8")
    models = [
        found
        for found in vars(module).values()
        if isinstance(found, type)
        and issubclass(found, BaseModel)
        and found.__module__ == module.__name__
    ]
    keys = {key for model in models for key in model.model_fields}
    kinds = {
        model.model_fields["kind"].annotation.__args__[0]  # type: ignore[union-attr]
        for model in models
        if "kind" in model.model_fields
    }
    assert len(keys) > 40
    assert len(kinds) >= 10
    assert {word for word in keys | kinds if f"`{word}`" not in text} == set()


def test_labels_and_headings_name_the_cut_offs_of_the_study() -> None:
    settings = {"early_relapse_months": [12, 24], "early_relapse_tie": "late_if_equal"}
    told = {"id": "MINE", "title": "Mine", "data_cut": "2024-06-30"}
    usual = load_plan(Study.model_validate(told))
    other = load_plan(Study.model_validate({**told, "settings": settings}))
    assert usual.variables["EARLY3"].levels == {"Y": "≤ 3 months", "N": "> 3 months"}
    assert other.variables["EARLY3"].levels == {"Y": "< 12 months", "N": "≥ 12 months"}
    assert other.variables["EARLY5"].levels == {"Y": "< 24 months", "N": "≥ 24 months"}
    headings = {display.id: display.heading for display in other.displays}
    assert "(12 months)" in headings["F2B"]
    assert "(24 months)" in headings["S1C"]
    for plan in (usual, other):
        assert "{" not in "".join(display.heading + display.note for display in plan.displays)
        assert "{" not in repr([v.label for v in plan.variables.values()])
        texts = [t for v in plan.variables.values() for t in (v.cut_from or "", *v.levels.values())]
        assert not any("{" in text for text in texts)
