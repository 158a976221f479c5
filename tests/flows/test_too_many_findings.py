"""A delivery in which nearly everything is wrong is refused as a whole, and the other centers go on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flows.outcome import LOADED
from flows.run import RunRequest, run_study
from flows.show import Silent
from schemas import check_findings
from tests.flows import lenient_runs

sys.path.insert(0, str(Path(__file__).parent))

from small_study import deliver, make_study  # noqa: E402


def test_a_delivery_with_too_many_findings_fails_alone_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lenient_runs.let_all_pass(monkeypatch)
    monkeypatch.setattr(check_findings, "MOST_FINDINGS", 100)
    root = make_study(tmp_path / "study", ("AA01", "BB02"))
    copies = [["AA01-001", "1", "2023-06-01", "Talquetamab"]] * 150
    deliver(root, "AA01", "2024-06-15", treatment_line=copies)

    outcome = run_study(RunRequest(str(root), report=False), Silent())
    found = {(o.center_id, o.received_on): o for o in outcome.deliveries}

    assert found["BB02", "2024-06-14"].state == LOADED
    refused = found["AA01", "2024-06-15"]
    assert (refused.state, refused.code) == ("failed", "TOO_MANY_FINDINGS")
    assert "treatment_line.csv': more than" in refused.message
    assert found["AA01", "2024-06-14"].state == LOADED
    assert len(list((root / "vault" / "staged" / "AA01").glob("*"))) == 1
