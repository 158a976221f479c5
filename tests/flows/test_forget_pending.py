"""A removal that the audit refuses is ended by the next run that may publish."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from flows import forget_pending, stages
from flows.folder import StudyFolder
from flows.forget import forget_patient
from flows.outcome import AUDIT_STOPPED, NOTHING_NEW, PUBLISHED
from flows.run import RunRequest, run_study
from flows.show import Silent
from schemas.errors import StudyError
from tests.flows import lenient_runs

sys.path.insert(0, str(Path(__file__).parent))

from plain_search import files_with  # noqa: E402
from small_study import make_study  # noqa: E402

CENTER, PATIENT = "AA01", "AA01-002"


def test_a_removal_that_the_audit_stops_is_ended_by_the_run_that_publishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lenient_runs.let_all_pass(monkeypatch)
    passing = stages.judge
    root = make_study(tmp_path / "study")
    request = RunRequest(str(root), report=False)
    run_study(request, Silent())

    def refused(*args: Any) -> dict[str, Any]:
        return {**passing(*args), "passed": False, "critical_failures": ["too few patients"]}

    monkeypatch.setattr(stages, "judge", refused)
    with pytest.raises(StudyError, match="could not be published"):
        forget_patient(root, CENTER, PATIENT, delete_deliveries=True)
    stopped = run_study(request, Silent())
    monkeypatch.setattr(stages, "judge", passing)
    ended = run_study(request, Silent())
    again = run_study(request, Silent())

    assert [run.state for run in (stopped, ended, again)] == [AUDIT_STOPPED, PUBLISHED, NOTHING_NEW]
    assert not any("complete" in text for text in stopped.messages)
    assert (
        f"note: the removal of a patient of {CENTER}, which was interrupted, is complete"
        in ended.messages
    )
    assert files_with(root, PATIENT) == []


def test_a_damaged_note_of_removals_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / forget_pending.FILE).write_text("[{", encoding="utf-8")

    with pytest.raises(StudyError, match="forgetting.json is damaged") as told:
        forget_pending.pending(StudyFolder(tmp_path))

    assert "carmony forget" in told.value.fix
