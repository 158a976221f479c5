"""`carmony report STUDY`, and a contradiction of the report inside a run."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from flows import judge, results
from flows.cli import main
from schemas.errors import AuditStoppedError
from tests.flows import lenient_runs


def test_a_study_without_a_published_warehouse_is_told(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(study)]) == 2
    told = capsys.readouterr().err
    assert "has no published warehouse" in told
    assert "run 'carmony run' first" in told


def test_the_report_of_a_study_is_written_again_from_what_is_published(
    study: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lenient_runs.judge_here(monkeypatch)
    assert main(["run", str(study), "--json"]) == 0
    page = study / "published" / "report" / "report.html"
    before = page.read_text(encoding="utf-8")
    page.write_text("spoilt", encoding="utf-8")
    capsys.readouterr()
    assert main(["report", str(study), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"report": str(page.resolve())}
    assert page.read_text(encoding="utf-8") == before
    assert (page.parent / "report.docx").is_file()
    assert list((page.parent / "figures").glob("*.pdf"))


def test_a_contradiction_in_the_child_stops_the_publishing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def contradicts(*arguments: Any) -> dict[str, Any]:
        raise AuditStoppedError("T1, row N: the groups count 142", fix="report it")

    request = json.dumps({"warehouse": "w", "study": "s", "results": "r"})
    monkeypatch.setattr(results, "warm_up_judge", lambda: None)
    monkeypatch.setattr(results, "judge", contradicts)
    monkeypatch.setattr("sys.stdin", io.StringIO(request + "\n"))
    assert judge._serve() == 0
    told = capsys.readouterr().out

    class Child:
        returncode = 0

        def communicate(self, timeout: float) -> tuple[str, None]:
            return told, None

    parent = judge.Judge.__new__(judge.Judge)
    parent._process = Child()  # type: ignore[assignment]
    with pytest.raises(AuditStoppedError, match="the groups count 142") as stopped:
        parent.answer()
    assert stopped.value.exit_code == 3
