"""Fixtures of the tests of runs."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import small_study  # noqa: E402

from tests.flows import lenient_runs  # noqa: E402


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study of three centers with a first delivery each."""
    return small_study.make_study(tmp_path / "study")


@pytest.fixture(scope="session")
def first_run(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """The study after its first run, made once for all tests; nobody writes into it."""
    return made_once("small-study-run", lambda folder: make_and_run(folder))


def make_and_run(folder: Path, centers: tuple[str, ...] = ("AA01", "BB02", "CC03")) -> None:
    """A study, and its first run."""
    from flows.run import RunRequest, run_study
    from flows.show import Silent

    root = small_study.make_study(folder, centers)
    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.let_all_pass(patch)
        outcome = run_study(RunRequest(str(root), report=False), Silent())
    assert outcome.exit_code == 0, outcome.messages


@pytest.fixture(scope="session")
def first_run_of_one(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """The same of its first center alone; nobody writes into it."""
    return made_once("small-study-one", lambda folder: make_and_run(folder, ("AA01",)))


@pytest.fixture
def loaded_one(first_run_of_one: Path, tmp_path: Path) -> Path:
    """A study of one's own with one center whose first delivery is loaded and published."""
    return Path(shutil.copytree(first_run_of_one, tmp_path / "study", symlinks=True))


@pytest.fixture
def loaded(first_run: Path, tmp_path: Path) -> Path:
    """A study of one's own whose first deliveries are loaded and published."""
    return Path(shutil.copytree(first_run, tmp_path / "study", symlinks=True))


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs without judge and analysis tables: both have their own tests."""
    lenient_runs.let_all_pass(monkeypatch)


@pytest.fixture
def with_analysis(lenient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs with the analysis tables after all."""
    lenient_runs.with_analysis(monkeypatch)
