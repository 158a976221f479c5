"""For all tests: what is made once for all processes of tests, and which files run first."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

MadeOnce = Callable[[str, Callable[[Path], object]], Path]

ROOT = Path(__file__).parents[1]
LONG = Path(__file__).with_name("long_files.txt")

# A shell that puts a command behind it lets it ignore Ctrl-C, and all its children; the tests send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that are listed as long come first, the longest first; all others stay in their order.

    Processes of tests take whole files in this order (`make test`): the many short files fill the end,
    and no process is left alone with a long one.
    """
    places = {ROOT / name: at for at, name in enumerate(long_files())}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def long_files() -> list[str]:
    """Paths of long files, from the root of the repository."""
    lines = LONG.read_text(encoding="utf-8").splitlines()
    names = [line for line in lines if line and not line.startswith("#")]
    gone = [name for name in names if not (ROOT / name).is_file()]
    if gone:
        raise pytest.UsageError(f"{LONG.name} names files that are not there: {', '.join(gone)}")
    return names


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """`made_once(name, make)`: the folder that `make(folder)` has filled, in one process for all.

    Tests only read it, or copy it. Another process waits until it is there.
    """
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "made-once"
    home.mkdir(exist_ok=True)

    def once(name: str, make: Callable[[Path], object]) -> Path:
        made = home / name
        with (home / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.is_dir():
                work = home / f"{name}.new"
                shutil.rmtree(work, ignore_errors=True)
                make(work)
                work.rename(made)
        return made

    return once


@dataclass(frozen=True)
class Finished:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


def carmony(*arguments: str | Path) -> Finished:
    """Runs the command line in a process of its own, as a user does, without a Prefect server."""
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


def succeeded(*arguments: str | Path) -> None:
    """The same, of a command that must end well."""
    done = carmony(*arguments)
    assert done.code == 0, done.err


def run_here(study: Path, *arguments: str, alternatives: bool = False) -> None:
    """`carmony run` in this process, judged, without report; without the alternative settings unless wanted."""
    from flows import cli
    from tests.flows import lenient_runs
    from warehouse import alternatives as settings

    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.judge_here(patch)
        if not alternatives:
            patch.setattr(settings, "add_alternatives", lambda con, study: None)
        assert cli.main(["run", str(study), "--no-report", *arguments]) == 0


@pytest.fixture(scope="session")
def demo_files(made_once: MadeOnce) -> Path:
    """The demo study as `carmony demo` writes it, not run; nobody writes into it."""
    return made_once("demo", lambda folder: succeeded("demo", folder))


@pytest.fixture(scope="session")
def demo_after_round(
    made_once: MadeOnce, demo_files: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[int], Path]:
    """`demo_after_round(1)`, `(2)`: a copy of the demo study as its run left it, without the report.

    The runs work in this process; `tests/study` has the demo run as a user runs it.
    """

    def one(folder: Path) -> None:
        shutil.copytree(demo_files, folder)
        run_here(folder, "--until", "2024-07-31")

    def two(folder: Path) -> None:
        shutil.copytree(made_once("demo-round-1", one), folder)
        run_here(folder, alternatives=True)

    def after(number: int) -> Path:
        made = made_once(f"demo-round-{number}", {1: one, 2: two}[number])
        return Path(shutil.copytree(made, tmp_path_factory.mktemp("round") / "study"))

    return after
