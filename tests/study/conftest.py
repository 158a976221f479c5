"""The demo study, made and run once as a user does it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Finished:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


def carmony(*arguments: str | Path) -> Finished:
    """Runs the command line in a process of its own, without a Prefect server."""
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
    return Finished(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Demo:
    """The demo study after its first run."""

    folder: Path
    first_run: Finished


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """`carmony demo` and `carmony run`; tests only read it."""
    folder = tmp_path_factory.mktemp("demo") / "study"
    made = carmony("demo", folder)
    assert made.code == 0, made.err
    return Demo(folder, carmony("run", folder))
