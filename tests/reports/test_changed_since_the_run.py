"""A report that is written again says when the decisions of the study are newer than what ran."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import pytest

from flows.folder import StudyFolder
from flows.report_command import changed_since_the_run

STUDY = "id: MYE\ntitle: Test\ndata_cut: 2024-12-31\nanalysis: own.yaml\n"
PLAN = """\
title: All
variables: {}
endpoints:
  OS: {label: Overall survival, event: death, events: deaths, origin: start}
displays:
  - {id: F1, kind: survival, heading: Curves, endpoint: OS}
"""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    """A study whose published warehouse tells what it was made with."""
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "own.yaml").write_text(PLAN, encoding="utf-8")
    found = StudyFolder(tmp_path)
    found.warehouse.parent.mkdir(parents=True)
    con = duckdb.connect(str(found.warehouse))
    con.execute("create schema meta").fetchall()
    con.execute("create schema analysis").fetchall()
    con.execute(f"create table meta.run as select '{_digest(STUDY)}' as study_hash").fetchall()
    con.execute(
        "create table analysis.estimate as select 'METHODS' as display, 'analysis' as level,"
        f" 'sha256 {_digest(PLAN)}' as method"
    ).fetchall()
    con.close()
    return found


def test_nothing_is_told_while_nothing_has_changed(folder: StudyFolder) -> None:
    assert changed_since_the_run(folder) == ()


def test_a_study_that_changed_is_named(folder: StudyFolder) -> None:
    (folder.root / "study.yaml").write_text(STUDY.replace("Test", "New"), encoding="utf-8")
    assert changed_since_the_run(folder) == ("study.yaml",)


def test_a_plan_that_changed_is_named(folder: StudyFolder) -> None:
    (folder.root / "own.yaml").write_text(PLAN.replace("All", "Some"), encoding="utf-8")
    assert changed_since_the_run(folder) == ("the analysis plan",)
    other = STUDY.replace("own.yaml", "salvage_after_cart")
    (folder.root / "study.yaml").write_text(other, encoding="utf-8")
    assert changed_since_the_run(folder) == ("study.yaml", "the analysis plan")


def test_a_study_that_cannot_be_read_any_more_has_changed(folder: StudyFolder) -> None:
    (folder.root / "study.yaml").write_text("title: [", encoding="utf-8")
    assert changed_since_the_run(folder) == ("study.yaml",)
