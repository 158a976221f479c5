"""A command that a signal ends leaves no image of its memory, which holds what it read of patients."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ABORTS = "import os, subprocess, sys; {first}; {then}"
HIMSELF = "os.abort()"
CHILD = "subprocess.run([sys.executable, '-c', 'import os; os.abort()'])"
COMMAND = "from flows.cli import main; main(['init', 'study'])"


def allow_core_dumps() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def dumps(folder: Path, first: str, then: str) -> list[str]:
    """Names of the files that are left where a process broke down."""
    folder.mkdir()
    code = ABORTS.format(first=first, then=then)
    subprocess.run(
        [sys.executable, "-c", code], cwd=folder, check=False, capture_output=True,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, preexec_fn=allow_core_dumps,
    )  # fmt: skip
    return [path.name for path in folder.iterdir() if path.name != "study"]


@pytest.mark.parametrize("then", [HIMSELF, CHILD])
def test_a_command_that_breaks_down_leaves_no_memory_behind(tmp_path: Path, then: str) -> None:
    if not dumps(tmp_path / "control", "pass", then):
        pytest.skip("this machine writes no core files beside a program that breaks down")
    assert dumps(tmp_path / "command", COMMAND, then) == []


def test_a_command_allows_no_core_file_to_itself_and_its_children(tmp_path: Path) -> None:
    told = "import resource; print('LIMIT', resource.getrlimit(resource.RLIMIT_CORE)[0])"
    code = f"import subprocess, sys; {COMMAND}; subprocess.run([sys.executable, '-c', {told!r}])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, preexec_fn=allow_core_dumps,
    )  # fmt: skip
    assert "LIMIT 0\n" in done.stdout
