"""What of a plan is refused and what is said of guarantee time, whichever display asks for it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from reports.estimates import write_estimates
from schemas.errors import StudyError
from schemas.spec.plans import read_plan
from schemas.spec.study import Study

PLAN = """\
title: Response
variables:
  GRP4: {{label: First salvage}}
  SEX: {{label: Sex, levels: {{F: Female, M: Male}}}}
  SEXCUT: {{label: Sex, column: SEX, cut: 1, levels: {{"0": Low, "1": High}}}}
  RESPONSE2:
    label: Response to first salvage
    column: BESTRESP
    after_start: true
    levels: {{DEEP: VGPR or better, LESS: PR or less}}
    recode: {{CR: DEEP, VGPR: DEEP, PR: LESS, LTPR: LESS}}
endpoints:
  OS: {{label: Overall survival, event: death, events: deaths, origin: first salvage}}
  CIR: {{label: Progression, event: progression, events: progressions, origin: first salvage, competing: death}}
{more}displays:
{displays}
"""
LATE = [
    ("kind: model, endpoint: OS, terms: [SEX], stratified_by: RESPONSE2", "stratified_by"),
    ("kind: model, endpoint: OS, terms: [RESPONSE2]", "terms"),
    ("kind: forest, endpoint: OS, treatment: RESPONSE2, subgroups: [SEX]", "treatment"),
    ("kind: forest, endpoint: OS, treatment: SEX, subgroups: [RESPONSE2]", "subgroups"),
    ("kind: competing, endpoint: CIR, by: RESPONSE2", "by"),
]
CHOSEN = [
    "kind: survival, endpoint: OS, by: [RESPONSE2]",
    "kind: survival, endpoint: OS, by: [SEX], where: {RESPONSE2: [LESS]}",
    "kind: forest, endpoint: OS, treatment: SEX, subgroups: [GRP4], where: {RESPONSE2: [LESS]}",
    "kind: competing, endpoint: CIR, by: SEX, where: {RESPONSE2: [LESS]}",
    "kind: summary, by: RESPONSE2, medians: [OS]",
    "kind: model, endpoint: OS, terms: [SEX], where: {RESPONSE2: [LESS]}",
]


@pytest.fixture
def own(warehouse: Path, study: Study, tmp_path: Path) -> tuple[Path, Study]:
    copy = tmp_path / "warehouse.duckdb"
    copy.write_bytes(warehouse.read_bytes())
    mine = study.model_copy(update={"analysis": "own.yaml"})
    mine._path = tmp_path / "study.yaml"
    return copy, mine


def _told(own: tuple[Path, Study], displays: list[str], more: str = "") -> list[list[str]]:
    """All sentences of each of the displays, which are of one plan."""
    path, study = own
    listed = [f"  - {{id: D{n}, heading: Display, {text}}}" for n, text in enumerate(displays)]
    (study.folder / "own.yaml").write_text(
        PLAN.format(displays="\n".join(listed), more=more), encoding="utf-8"
    )
    write_estimates(path, study)
    with duckdb.connect(str(path), read_only=True) as con:
        found = con.sql(
            "select display, text from analysis.estimate where row = 'WARNING'"
        ).fetchall()
    return [[text for name, text in found if name == f"D{n}"] for n in range(len(displays))]


def _written(own: tuple[Path, Study], display: str, more: str = "") -> list[str]:
    """All sentences of a display that is alone in its plan."""
    [told] = _told(own, [display], more)
    return told


@pytest.mark.parametrize(("display", "key"), LATE)
def test_a_model_of_what_comes_later_is_refused(
    own: tuple[Path, Study], display: str, key: str
) -> None:
    with pytest.raises(StudyError) as refused:
        _written(own, display)
    assert f".{key}: 'RESPONSE2' is known only after time zero" in str(refused.value)


def test_a_model_of_what_comes_later_is_told_of_if_the_plan_says_it_knows(
    own: tuple[Path, Study],
) -> None:
    known = [f"{display}, acknowledge_guarantee_time: true" for display, _ in LATE]
    for sentences in _told(own, known):
        told = [text for text in sentences if "response to first salvage becomes known" in text]
        assert len(told) == 1


def test_what_comes_later_is_told_where_it_groups_or_chooses_the_patients(
    own: tuple[Path, Study],
) -> None:
    for display, told in zip(CHOSEN, _told(own, CHOSEN), strict=True):
        assert any(text.startswith("Guarantee time: ") for text in told), display


def test_a_treatment_is_no_subgroup_of_itself(own: tuple[Path, Study]) -> None:
    with pytest.raises(StudyError, match="'SEX' is the treatment of this forest"):
        _written(own, "kind: forest, endpoint: OS, treatment: SEX, subgroups: [GRP4, SEX]")


def test_what_is_known_at_the_start_has_no_guarantee_time(own: tuple[Path, Study]) -> None:
    displays = [
        "kind: survival, endpoint: OS, by: [SEX]",
        "kind: model, endpoint: OS, terms: [SEX]",
        "kind: summary, by: SEX, medians: [OS]",
    ]
    for told in _told(own, displays):
        assert not any("Guarantee" in text for text in told)


def test_text_is_not_cut_and_no_number(own: tuple[Path, Study]) -> None:
    with pytest.raises(StudyError, match="column 'SEX' is no number and cannot be cut"):
        _written(own, "kind: survival, endpoint: OS, by: [SEXCUT]")
    with pytest.raises(StudyError, match="display 'D0', numbers: 'SEX' is no number"):
        _written(own, "kind: summary, numbers: [SEX]")


def test_the_threshold_of_a_plan_is_that_of_the_external_report_and_changes_no_estimate(
    own: tuple[Path, Study],
) -> None:
    display = "kind: survival, endpoint: OS, by: [SEX]"
    told = [
        _written(own, display, more)
        for more in ("", "disclosure: {}\n", "disclosure: {threshold: 5}\n")
    ]
    assert told[0] == told[1] == told[2]


def test_the_threshold_of_disclosure_is_off_by_default_and_at_least_two(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    display = "kind: survival, endpoint: OS"
    path.write_text(
        PLAN.format(displays=f"  - {{id: D, heading: Display, {display}}}", more=""),
        encoding="utf-8",
    )
    assert read_plan(path).disclosure.threshold is None
    path.write_text(
        PLAN.format(
            displays=f"  - {{id: D, heading: Display, {display}}}",
            more="disclosure: {threshold: 6}\n",
        ),
        "utf-8",
    )
    assert read_plan(path).disclosure.threshold == 6
    path.write_text(
        PLAN.format(
            displays=f"  - {{id: D, heading: Display, {display}}}",
            more="disclosure: {threshold: 1}\n",
        ),
        "utf-8",
    )
    with pytest.raises(StudyError, match="docs/analysis-plan.md explains every key"):
        read_plan(path)
