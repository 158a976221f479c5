"""Fixtures of the tests of runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import small_study  # noqa: E402


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study of three centers with a first delivery each."""
    return small_study.make_study(tmp_path / "study")


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge lets everything pass without a process of its own: it has its own tests."""
    from flows import run, stages

    def passed(
        root: str, load_id: int, staged_file: str, child: Any, meanwhile: Any
    ) -> dict[str, Any]:
        meanwhile()
        place = Path(root) / "vault" / "audit" / str(load_id)
        place.mkdir(parents=True)
        (place / "audit.html").write_text("passed", encoding="utf-8")
        return {"passed": True, "critical_failures": [], "warnings": [], "results": str(place)}

    monkeypatch.setattr(stages, "judge", passed)
    monkeypatch.setattr(run, "anything_to_read", _nothing_beside)


def _nothing_beside(pulled: object) -> Any:
    from contextlib import nullcontext

    return nullcontext()
