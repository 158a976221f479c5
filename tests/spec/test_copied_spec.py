"""A new center's spec is often a copy of another one's, with the other's id left in."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from flows.run import RunRequest, run_study
from flows.show import Silent

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))

import small_study  # noqa: E402


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Centers AA01 and BB02; the spec of BB02 calls itself AA01."""
    root = small_study.make_study(tmp_path / "study", ("AA01", "BB02"))
    (root / "centers" / "BB02.yaml").write_text(small_study.spec("AA01"), encoding="utf-8")
    return root


def _passed(
    root: str, load_id: int, staged_file: str, child: Any, meanwhile: Any
) -> dict[str, Any]:
    """The audit has its own tests."""
    meanwhile()
    place = Path(root) / "vault" / "audit" / str(load_id)
    place.mkdir(parents=True)
    (place / "audit.html").write_text("passed", encoding="utf-8")
    return {"passed": True, "critical_failures": [], "warnings": [], "results": str(place)}


def test_only_the_center_with_the_copied_spec_fails(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.stages.judge", _passed)
    monkeypatch.setattr("flows.run.anything_to_read", lambda _: nullcontext())
    outcome = run_study(RunRequest(str(study), report=False), Silent())

    (failure,) = outcome.failures
    assert (failure.center_id, failure.code) == ("BB02", "SPEC")
    assert "BB02.yaml, line 1, center.id: 'AA01' is not the name of this file" in failure.message
    assert [o.center_id for o in outcome.deliveries if o.state == "loaded"] == ["AA01"]


def test_check_tells_it_before_anything_is_sent(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    delivery = study / "inbox" / "BB02" / "2024-06-14"
    assert main(["check", str(delivery), "--spec", str(study / "centers" / "BB02.yaml")]) == 2
    assert "write the center's own id, 'BB02'" in capsys.readouterr().err
