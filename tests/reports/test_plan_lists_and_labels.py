"""A plan that names something twice, or prints two levels alike, is refused with line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import StudyError
from schemas.spec.plans import read_plan, shipped_plans

PLAN = """\
title: Lists
variables:
  ARM: {label: Arm, levels: {A: Arm A, B: Arm B}}
  AGE: {label: Age}
  SEX:
    label: Sex
    levels:
      F: Female
      M: Male
endpoints:
  OS: {label: Overall survival, event: death, events: deaths, origin: start}
  CIR: {label: Relapse, event: relapse, events: relapses, origin: start, competing: death}
displays:
  - {id: T1, kind: baseline, heading: Table 1, by: ARM, rows: [AGE, SEX]}
  - {id: F1, kind: survival, heading: Figure 1, endpoint: OS, by: [ARM, SEX], at_months: [6, 12]}
  - {id: F3, kind: forest, heading: Figure 3, endpoint: OS, treatment: ARM, subgroups: [SEX]}
  - id: T2
    kind: model
    heading: Table 2
    endpoint: OS
    terms: [ARM, AGE]
    landmarks_months: [2, 3]
    stratified_by: ARM
    replace: {AGE: [SEX]}
  - {id: X1, kind: competing, heading: Risks, endpoint: CIR, by: ARM, at_months: [6]}
  - {id: X2, kind: summary, heading: Numbers, by: ARM, medians: [OS], numbers: [AGE], shares: [SEX]}
  - {id: C, kind: completeness, heading: Complete, variables: [AGE]}
"""


def _read(folder: Path, text: str) -> None:
    path = folder / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    read_plan(path)


def test_a_plan_without_repetition_is_accepted(tmp_path: Path) -> None:
    _read(tmp_path, PLAN)
    for path in shipped_plans().values():
        assert read_plan(path).displays


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("rows: [AGE, SEX]", "rows: [AGE, SEX, AGE]", "line 14, displays[0].rows[2]: 'AGE' stands twice in rows"),
        ("by: [ARM, SEX]", "by: [ARM, ARM]", "line 15, displays[1].by[1]: 'ARM' stands twice in by"),
        ("at_months: [6, 12]", "at_months: [6, 6.0]", "line 15, displays[1].at_months[1]: '6' stands twice"),
        ("subgroups: [SEX]", "subgroups: [SEX, SEX]", "line 16, displays[2].subgroups[1]: 'SEX' stands twice"),
        ("terms: [ARM, AGE]", "terms: [ARM, ARM, AGE]", "line 21, displays[3].terms[1]: 'ARM' stands twice in terms"),
        ("landmarks_months: [2, 3]", "landmarks_months: [2, 2]", "displays[3].landmarks_months[1]: '2' stands twice"),
        ("replace: {AGE: [SEX]}", "replace: {AGE: [SEX, SEX]}", "displays[3].replace.AGE[1]: 'SEX' stands twice"),
        ("replace: {AGE: [SEX]}", "replace: {AGE: [ARM]}", "line 24, displays[3].replace.AGE[0]: 'ARM' is a term of this model already"),
        ("medians: [OS]", "medians: [OS, OS]", "'OS' stands twice in medians"),
        ("numbers: [AGE]", "numbers: [AGE, AGE]", "'AGE' stands twice in numbers"),
        ("shares: [SEX]", "shares: [SEX, SEX]", "'SEX' stands twice in shares"),
        ("variables: [AGE]", "variables: [AGE, AGE]", "'AGE' stands twice in variables"),
    ],
)  # fmt: skip
def test_what_stands_twice_is_refused_with_its_line_and_place(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    assert old in PLAN
    with pytest.raises(StudyError) as refused:
        _read(tmp_path, PLAN.replace(old, new))
    assert words in str(refused.value)
    assert refused.value.fix


@pytest.mark.parametrize("label", ["Female", '" Female "', '"  Female"'])
def test_two_levels_with_one_label_are_refused_with_their_line(tmp_path: Path, label: str) -> None:
    with pytest.raises(StudyError) as refused:
        _read(tmp_path, PLAN.replace("M: Male", f"M: {label}"))
    assert "plan.yaml, line 9, variables.SEX.levels.M: levels 'F' and 'M' have one label" in str(
        refused.value
    )
    assert "join them with 'recode'" in str(refused.value)
