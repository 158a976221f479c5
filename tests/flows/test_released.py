"""Two reports for readers outside, of one state and under two thresholds: the second one is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows import parts
from flows.cli import main
from flows.folder import StudyFolder
from reports.disclosure import external
from reports.disclosure.external import Released
from warehouse.soundness import bytes_of
from warehouse.trail import entries_of, problems_of

pytestmark = pytest.mark.usefixtures("lenient")


@pytest.fixture
def reported(loaded_one: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A loaded study whose external report is a page that says its threshold: what it prints has other tests."""

    def write(warehouse: Path, out: Path, study: Any, threshold: int) -> Released:
        out.mkdir()
        page = out / "report.html"
        page.write_text(f"threshold {threshold}", encoding="utf-8")
        return Released(page, threshold, 10, 3, ())

    monkeypatch.setattr(external, "write_external", write)
    _number(loaded_one, "T1", 7)
    return loaded_one


def _number(study: Path, display: str, n: int, content_hash: str = "a" * 64) -> None:
    """Publishes one more line of the estimates: of a table, or of the words on method."""
    folder = StudyFolder(study)
    con = duckdb.connect(str(folder.warehouse))
    try:
        con.execute("CREATE TABLE IF NOT EXISTS analysis.estimate (display VARCHAR, n INTEGER)")
        con.execute("INSERT INTO analysis.estimate VALUES (?, ?)", [display, n])
    finally:
        con.close()
    parts.remember_state(folder, {**bytes_of(folder.warehouse), "content_hash": content_hash})


def _leave_out(study: Path, patients: int) -> None:
    """Publishes the state without some patients."""
    con = duckdb.connect(str(StudyFolder(study).warehouse))
    try:
        con.execute(
            "DELETE FROM analysis.adsl WHERE USUBJID IN (SELECT USUBJID FROM analysis.adsl ORDER BY ALL LIMIT ?)",
            [patients],
        )
    finally:
        con.close()
    _number(study, "T1", 20 + patients, f"{patients:064x}")


def _report(study: Path, *options: str) -> int:
    return main(["report", str(study), "--external", *options])


def test_a_second_threshold_for_the_same_state_is_refused_wherever_the_first_report_went(
    reported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = reported / "published" / "report-external"
    assert _report(reported) == 0
    assert _report(reported, "--threshold", "5") == 0  # the default is 5: the same again
    shutil.move(place, reported.parent / "sent")
    capsys.readouterr()

    assert _report(reported, "--threshold", "6", "--json") == 2
    told = capsys.readouterr()
    assert "was made with the threshold 5 before" in told.err
    assert "with 6 as well, small counts could be found from the difference" in told.err
    assert "Fix: give --threshold 5;" in told.err
    assert json.loads(told.out)["exit_code"] == 2
    assert not place.exists()
    assert _report(reported, "--threshold", "5") == 0


def test_the_trail_holds_that_a_report_was_external_and_its_threshold(reported: Path) -> None:
    assert _report(reported, "--threshold", "4") == 0
    entry = entries_of(reported)[-1]
    assert (entry["command"], entry["outcome"], entry["external"]) == ("report", "done", True)
    assert (entry["threshold"], entry["load_id"], entry["another_threshold"]) == (4, 1, False)
    assert len(entry["content_hash"]) == len(entry["numbers"]) == 64
    assert [e["command"] for e in entries_of(reported)] == ["run", "report"]  # one entry, not two
    assert problems_of(reported) == []


def test_words_on_method_make_no_other_state_and_other_numbers_do(reported: Path) -> None:
    assert _report(reported, "--threshold", "5") == 0
    _number(reported, "METHODS", 1, "b" * 64)  # another threshold in the plan changes no count
    assert _report(reported, "--threshold", "6") == 2
    _number(reported, "T1", 8, "c" * 64)
    assert _report(reported, "--threshold", "6") == 0


def test_a_report_that_has_not_left_can_be_replaced_and_a_low_threshold_is_told(
    reported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _report(reported, "--threshold", "2") == 0
    assert "a threshold of 2 withholds counts below 2 alone" in capsys.readouterr().err
    assert _report(reported, "--threshold", "5", "--another-threshold") == 0
    assert _report(reported, "--threshold", "2") == 2
    assert _report(reported, "--threshold", "5") == 0
    assert [e["another_threshold"] for e in entries_of(reported) if e.get("external")] == [
        False, True, False,
    ]  # fmt: skip


def test_a_report_of_nearly_the_same_patients_is_refused_unless_the_other_has_not_left(
    reported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _report(reported) == 0
    _leave_out(reported, 1)
    capsys.readouterr()
    assert _report(reported) == 2
    told = capsys.readouterr().err
    assert "has fewer than 5 patients more or less than this one" in told
    assert "--another-release" in told
    assert _report(reported, "--another-release") == 0
    assert [e["patients"] for e in entries_of(reported) if e.get("external")] == [6, 5]
    assert _report(reported) == 0  # the same again


def test_a_report_of_other_patients_is_told_of_the_earlier_one(
    reported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _report(reported, "--threshold", "4") == 0
    assert "An external report" not in capsys.readouterr().err
    _leave_out(reported, 4)
    assert _report(reported, "--threshold", "4") == 0
    assert "whoever has both reports can subtract them" in capsys.readouterr().err


def test_every_earlier_report_counts_not_the_newest_alone(
    reported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _report(reported, "--threshold", "3") == 0  # 6 patients
    _leave_out(reported, 4)
    assert _report(reported, "--threshold", "3") == 0  # 2: many fewer
    con = duckdb.connect(str(StudyFolder(reported).warehouse))
    con.execute("INSERT INTO analysis.adsl SELECT 'X' || n, 'AA01' FROM range(3) t(n)")
    con.close()
    _number(reported, "T1", 99, "e" * 64)
    assert _report(reported, "--threshold", "3") == 2  # 5: one fewer than the first
    assert _report(reported, "--threshold", "3", "--another-release") == 0
    _number(reported, "T1", 98, "f" * 64)
    assert _report(reported, "--threshold", "3") == 0  # what came before has left nobody's hands


@pytest.mark.parametrize("option", ["--another-threshold", "--another-release"])
def test_the_option_is_of_an_external_report(
    reported: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(reported), option]) == 2
    assert "add --external" in capsys.readouterr().err
