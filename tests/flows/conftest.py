"""Fixtures of the tests of runs."""

from __future__ import annotations

import shutil
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


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study after its first run, made once for all tests of a process; nobody writes into it."""
    from flows.run import RunRequest, run_study
    from flows.show import Silent

    root = small_study.make_study(tmp_path_factory.mktemp("first") / "study")
    with pytest.MonkeyPatch.context() as patch:
        be_lenient(patch)
        outcome = run_study(RunRequest(str(root), report=False), Silent())
    assert outcome.exit_code == 0, outcome.messages
    return root


@pytest.fixture
def loaded(first_run: Path, tmp_path: Path) -> Path:
    """A study of one's own whose first deliveries are loaded and published."""
    return Path(shutil.copytree(first_run, tmp_path / "study", symlinks=True))


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge lets everything pass, and no decision is varied: both have their own tests."""
    be_lenient(monkeypatch)


def be_lenient(patch: pytest.MonkeyPatch) -> None:
    """Takes the judge's place."""
    from flows import run, stages
    from warehouse import alternatives

    def passed(
        root: str, load_id: int, staged_file: str, child: Any, meanwhile: Any
    ) -> dict[str, Any]:
        meanwhile()
        place = Path(root) / "vault" / "audit" / str(load_id)
        place.mkdir(parents=True)
        (place / "audit.html").write_text("passed", encoding="utf-8")
        return {"passed": True, "critical_failures": [], "warnings": [], "results": str(place)}

    patch.setattr(stages, "judge", passed)
    patch.setattr(run, "anything_to_read", _nothing_beside)
    patch.setattr(alternatives, "add_alternatives", lambda con, study: None)


def _nothing_beside(pulled: object) -> Any:
    from contextlib import nullcontext

    return nullcontext()
