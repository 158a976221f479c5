"""AUD-15 compares the displays that the plan has, whatever they are called and by whatever they are grouped."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

SQL = Path(__file__).parents[2] / "expectations" / "sql" / "estimate_counts.sql"
# The example of docs/analysis-plan.md.
EXAMPLE = """
title: Age and survival
variables:
  AGE65: {label: Age, column: AGE, cut: 64, levels: {"0": "< 65", "1": "≥ 65"}}
endpoints:
  OS: {label: Overall survival, event: death, events: deaths, origin: first salvage}
displays:
  - {id: F1, kind: survival, heading: Figure 1. Overall survival by age, endpoint: OS, by: [AGE65]}
"""
OWN = """
title: Other names
variables:
  GRP4: {label: First salvage}
  RELAPSE: {label: Relapse, column: EARLY5FL, levels: {"Y": Early, "N": Late}}
  SEX: {label: Sex, levels: {F: Female}}
endpoints:
  OS: {label: Overall survival, event: death, events: deaths, origin: first salvage}
displays:
  - {id: WHO, kind: baseline, heading: Who, by: RELAPSE, rows: [SEX]}
  - {id: CURVES, kind: survival, heading: Curves, endpoint: OS, by: [RELAPSE]}
  - {id: ALL_OS, kind: survival, heading: All, endpoint: OS}
  - {id: WOMEN, kind: survival, heading: Women, endpoint: OS, by: [SEX]}
  - {id: RATES, kind: response, heading: Rates}
"""


@pytest.fixture
def counted(warehouse: Path, study: Any, tmp_path: Path) -> Any:
    """The lines of AUD-15 for a plan, as dictionaries; `change` is run before they are counted."""
    from reports.estimates import write_estimates

    def count(plan: str, change: str = "select 1") -> list[dict[str, Any]]:
        (tmp_path / "own.yaml").write_text(plan, encoding="utf-8")
        copy = tmp_path / "copy.duckdb"
        shutil.copyfile(warehouse, copy)
        own = study.model_copy(update={"analysis": "own.yaml"})
        own._path = tmp_path / "study.yaml"
        write_estimates(copy, own)
        con = duckdb.connect(str(copy))
        con.execute(change).fetchall()
        result = con.execute(SQL.read_text(encoding="utf-8"))
        names = [column[0] for column in result.description or ()]
        found = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
        con.close()
        return found

    return count


def lines(found: list[dict[str, Any]], display: str, what: str) -> dict[str, tuple[int, int]]:
    return {
        row["population"]: (row["n_analysis"], row["n_printed"])
        for row in found
        if (row["display"], row["what"]) == (display, what)
    }


def test_the_plan_of_the_documents_has_nothing_that_lacks(counted):
    found = counted(EXAMPLE)
    assert lines(found, "COHORT", "patients") == {"ALL": (139, 139)}
    assert not any(row["bad"] for row in found)


def test_displays_are_compared_under_any_name_and_by_any_column(counted):
    found = counted(OWN)
    assert not any(row["bad"] for row in found)
    groups = lines(found, "WHO", "patients")
    assert groups["ALL"] == (139, 139)
    assert groups["Y"][0] + groups["N"][0] == 139
    assert lines(found, "CURVES", "at risk at 0") == {c: groups[c] for c in ("Y", "N")}
    assert lines(found, "ALL_OS", "at risk at 0") == {"ALL": (139, 139)}
    deaths = lines(found, "CURVES", "events")
    in_all = sum(n for n, _ in deaths.values())
    assert lines(found, "ALL_OS", "events") == {"ALL": (in_all, in_all)}
    assert set(deaths) == {"Y", "N"}
    assert lines(found, "RATES", "best response")["TEC"] == (37, 37)


def test_values_that_the_plan_does_not_name_are_no_lost_group(counted):
    # 59 women (17 + 15 + 17 + 10) are drawn; the men are told in the methods.
    assert lines(counted(OWN), "WOMEN", "at risk at 0") == {"F": (59, 59)}


@pytest.mark.parametrize(
    ("change", "display", "what"),
    [
        ("delete from analysis.adsl where GRP4 = 'TALQ'", "COHORT", "patients"),
        (
            "update analysis.adsl set EARLY5FL = 'N' where USUBJID in "
            "(select USUBJID from analysis.adsl where EARLY5FL = 'Y' limit 1)",
            "WHO",
            "patients",
        ),
        (
            "update analysis.adtte set CNSR = 1 where PARAMCD = 'OS' and USUBJID = "
            "(select min(USUBJID) from analysis.adtte where PARAMCD = 'OS' and CNSR = 0)",
            "ALL_OS",
            "events",
        ),
        (
            "delete from analysis.estimate where display = 'CURVES' and population = 'Y'",
            "CURVES",
            "at risk at 0",
        ),
    ],
)
def test_a_count_that_differs_from_the_tables_is_bad(counted, change, display, what):
    bad = {(row["display"], row["what"]) for row in counted(OWN, change) if row["bad"]}
    assert (display, what) in bad
