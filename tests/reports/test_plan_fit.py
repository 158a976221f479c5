"""A plan meets the data: what stops the report, what is told."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from reports.estimates import write_estimates
from schemas.errors import StudyError
from schemas.spec.plans import shipped_plans
from schemas.spec.study import Study

OWN = """\
title: Survival by age
variables:
  GRP4: {label: First salvage}
  AGE65: {label: Age, column: AGE, cut: 64, levels: {"0": "< 65", "1": "≥ 65"}}
  ECOG: {label: ECOG, levels: {"0": "0", "1": "1", "3": "3"}}
endpoints:
  OS: {label: Overall survival, event: death, events: deaths, origin: first salvage}
  TTD: {label: Time to nothing, event: nothing, events: nothing, origin: first salvage}
displays:
  - {id: T1, kind: baseline, heading: Table 1. Patients, rows: [AGE65, ECOG]}
  - {id: F1, kind: survival, heading: Figure 1. By age, endpoint: OS, by: [AGE65]}
  - {id: F2, kind: survival, heading: Figure 2. By ECOG, endpoint: OS, by: [ECOG]}
  - {id: F3, kind: survival, heading: Figure 3. Nothing, endpoint: TTD}
"""


@pytest.fixture
def own(warehouse: Path, study: Study, tmp_path: Path) -> tuple[Path, Study]:
    """A copy of the warehouse, and a study with a plan of its own beside `study.yaml`."""
    copy = tmp_path / "warehouse.duckdb"
    copy.write_bytes(warehouse.read_bytes())
    mine = study.model_copy(update={"analysis": "own.yaml"})
    mine._path = tmp_path / "study.yaml"
    return copy, mine


def _write(own: tuple[Path, Study], plan: str) -> dict[str, str]:
    """Methods of the report, by row."""
    path, study = own
    (study.folder / "own.yaml").write_text(plan, encoding="utf-8")
    write_estimates(path, study)
    con = duckdb.connect(str(path), read_only=True)
    try:
        return dict(
            con.sql("select row, text from analysis.estimate where display = 'METHODS'").fetchall()
        )
    finally:
        con.close()


def test_a_study_with_a_plan_of_its_own_gets_its_displays_only(own: tuple[Path, Study]) -> None:
    _write(own, OWN)
    con = duckdb.connect(str(own[0]), read_only=True)
    displays = con.sql(
        "select display from analysis.estimate where row = 'DISPLAY' order by value"
    ).fetchall()
    sizes = con.sql(
        "select sum(n)::int from analysis.estimate where display = 'F1' and row = 'median'"
    ).fetchall()
    con.close()
    assert [name for (name,) in displays] == ["T1", "F1", "F2", "F3"]
    assert sizes == [(139,)]


def test_levels_values_and_endpoints_that_differ_are_told(own: tuple[Path, Study]) -> None:
    told = _write(own, OWN)
    assert told["levels_ECOG"] == "ECOG (ECOG): no patient has '3'."
    # 18 patients have ECOG 2 in the published Table 1.
    assert told["undeclared_ECOG"].startswith(
        "ECOG (ECOG): 18 patients have the values '2', which the plan"
    )
    assert told["endpoint_TTD"] == "Time to nothing (TTD): adtte has no such rows."
    assert "levels_AGE65" not in told


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("column: AGE,", "column: AGES,", "variable 'AGE65': adsl has no column 'AGES'. Did you mean 'AGE'?"),
        ('column: AGE, cut: 64, levels: {"0": "< 65", "1": "≥ 65"}', "column: AGE", "display 'F1', by: 'AGE65' is a number"),
    ],
)  # fmt: skip
def test_a_plan_that_does_not_fit_the_data_stops_the_report(
    own: tuple[Path, Study], old: str, new: str, words: str
) -> None:
    assert old in OWN
    with pytest.raises(StudyError) as refused:
        _write(own, OWN.replace(old, new, 1))
    assert words in str(refused.value)
    assert refused.value.fix


def test_the_plan_of_the_published_analysis_differs_from_its_cohort_in_nothing_that_is_drawn(
    warehouse: Path,
) -> None:
    assert "salvage_after_cart" in shipped_plans()
    con = duckdb.connect(str(warehouse), read_only=True)
    rows = con.sql(
        "select row from analysis.estimate where display = 'METHODS'"
        " and (row like 'undeclared%' or row like 'unknown%')"
    ).fetchall()
    con.close()
    assert {row for (row,) in rows} <= {"unknown_BESTRESP"}
