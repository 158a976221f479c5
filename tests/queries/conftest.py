"""The demo study after each round, run once for all tests of the query loop, whatever process they are in."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROUNDS = {1: ("--until", "2024-07-31"), 2: ()}


def carmony(*arguments: str | Path) -> None:
    """Runs the command line as a user does, without a Prefect server."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def demo_after_round(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """`demo_after_round(1)`, `(2)`: a copy of the study as its run left it, without the report."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def copy(number: int) -> Path:
        with (shared / "demo-rounds.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            made = shared / "demo-rounds" / str(number)
            if not made.is_dir():
                work = shared / "demo-rounds" / f"{number}.new"
                if number == 1:
                    carmony("demo", work)
                else:
                    shutil.copytree(shared / "demo-rounds" / "1", work)
                carmony("run", work, "--no-report", *ROUNDS[number])
                work.rename(made)
        return Path(shutil.copytree(made, tmp_path_factory.mktemp("round") / "study"))

    def after(number: int) -> Path:
        if number == 2 and not (shared / "demo-rounds" / "2").is_dir():
            shutil.rmtree(copy(1))
        return copy(number)

    return after
