"""Runs that end badly on purpose: what the campaigns on crashes share.

`Server` forks runs of `carmony` that are killed, or whose calls to the system fail, at a place that the
campaign chooses (crash_shim.c). `Template` is a study with one published load and a second delivery, of
which each try takes a copy; `whole` is how it stands after a run that nothing disturbed.
"""

from __future__ import annotations

import atexit
import json
import os
import pickle
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.conftest import MadeOnce
from tests.flows import small_study

ROOT = Path(__file__).parents[2]
COUNT, KILL_BEFORE, KILL_AFTER, FAIL_ONCE, FAIL_FROM = range(5)
OPEN, WRITE, SYNC, RENAME, REMOVE, MAKE, MODE = (1 << n for n in range(7))
KEY = "cd" * 32
_LOAD = re.compile(r"\d{6}-load-\d+|\b\d{6}\b|bug-.*")


def build_shim(folder: Path) -> Path | None:
    """The shim, compiled; None where there is no C compiler (then only Python's calls are met)."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    out = folder / "crash_shim.so"
    source = str(Path(__file__).parent / "crash_shim.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", out, source, "-ldl"], check=True)
    return out


class Server:
    """The process from which runs are forked. `tmp` is where they put temporary files."""

    def __init__(self, folder: Path, *, judge: bool, **environment: str) -> None:
        self.tmp = folder / "tmp"
        self.tmp.mkdir(parents=True)
        self.folder = folder
        shim = build_shim(folder)
        preload = {"CARMONY_SHIM": str(shim), "LD_PRELOAD": str(shim)} if shim else {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.trust.crash_server", *(["--judge"] if judge else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={
                **os.environ,
                "TMPDIR": str(self.tmp),
                "CARMONY_KEY": KEY,
                **preload,
                **environment,
            },
        )
        assert self._process.stdout is not None
        assert json.loads(self._process.stdout.readline()) == {"ready": True}

    def _ask(self, **request: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def start(self, *argv: str, out: Path, **request: Any) -> int:
        """Forks a command; `judge`, `shim`, `environment` as crash_server.py tells."""
        return int(self._ask(do="start", argv=argv, out=str(out), **request)["pid"])

    def wait(self, pid: int) -> int:
        """The exit code; of a killed process minus the signal."""
        return int(self._ask(do="wait", pid=pid)["code"])

    def look(self, study: Path) -> dict[str, Any]:
        """What stands in the study folder; `failed` if that cannot be told."""
        return self._ask(do="look", study=str(study))

    def content(self, path: Path) -> dict[str, Any]:
        """Load and content of a warehouse file; `error` if it does not open."""
        return self._ask(do="content", path=str(path))

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


@dataclass
class Template:
    """A study in which a run has something to do, and what is there before and after that run."""

    study: Path
    before: dict[str, Any]
    after: dict[str, Any]
    files: set[str]  # after an undisturbed run
    options: dict[str, Any]
    seconds: float = 0.0  # of the undisturbed run
    calls: list[tuple[int, str, str]] = field(default_factory=list)  # n, what, path in the study

    def copy(self, to: Path) -> Path:
        """A fresh copy of the study as it is before the run."""
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(self.study, to, symlinks=True)
        return to


def make_template(server: Server, folder: Path, *, judge: bool, report: bool) -> Template:
    """Two centers with a published load and queries; then a second delivery of one of them."""
    study = small_study.make_study(folder / "template", ("AA01", "BB02"))
    with (study / "study.yaml").open("a", encoding="utf-8") as file:
        file.write("queries: {release: at_once}\n")
    wrong = [["AA01-001", "1", "2011-01-01", "DaraPd"]]  # a line before CAR-T was invented
    (study / "inbox" / "AA01" / "2024-06-14" / "treatment_line.csv").open("a").write(
        ",".join(wrong[0]) + "\n"
    )
    options: dict[str, Any] = {"judge": judge}
    argv = [] if report else ["--no-report"]
    first = server.wait(server.start("run", str(study), *argv, out=folder / "first", **options))
    assert first == 0, (folder / "first").read_text(encoding="utf-8")
    small_study.deliver(study, "AA01", "2024-06-20", patients=8)
    before = server.look(study)
    template = Template(study, before, {}, set(), {"options": options, "argv": argv})
    whole = template.copy(folder / "whole")
    trace = folder / "trace"
    shim = {"folder": str(whole), "mode": COUNT, "trace": str(trace)}
    began = time.monotonic()
    done = run(server, template, whole, folder / "out", shim=shim)
    template.seconds = time.monotonic() - began
    assert done == 0, (folder / "out").read_text(encoding="utf-8")
    template.after = server.look(whole)
    template.files = names(whole)
    for line in trace.read_text(encoding="utf-8").splitlines():
        number, what, path = line.split(" ", 2)
        template.calls.append((int(number), what, path.removeprefix(f"{whole}/")))
    assert template.before["content"] != template.after["content"]
    return template


def shared(judge: bool = False) -> tuple[Server, Template, Path]:
    """A server, a template and a folder, the same for all campaigns of a process of tests.

    Args:
        judge: with estimates, audit and report, which make a run three times as long.
    """
    return _shared(judge)


def server() -> Server:
    """That server alone, for campaigns that need no template."""
    return _server(False)[0]


@cache
def _server(judge: bool) -> tuple[Server, Path]:
    folder = Path(tempfile.mkdtemp(prefix="trust-"))
    one = Server(folder / "server", judge=judge)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(one.close)
    return one, folder


# `made_once` of the tests (conftest.py): a template is made in one process of tests for all of them.
made_once: MadeOnce | None = None


@cache
def _shared(judge: bool) -> tuple[Server, Template, Path]:
    one, folder = _server(judge)
    assert made_once is not None

    def make(home: Path) -> None:
        home.mkdir()
        template = make_template(one, home, judge=judge, report=judge)
        shutil.rmtree(home / "whole")
        (home / "template.pickle").write_bytes(pickle.dumps(template))

    home = made_once(f"crash-template-{'judged' if judge else 'plain'}", make)
    template: Template = pickle.loads((home / "template.pickle").read_bytes())
    template.study = home / "template"
    return one, template, folder


def begin(server: Server, template: Template, study: Path, out: Path, **request: Any) -> int:
    """Starts a run of a copy of the template."""
    options = {**template.options["options"], **request}
    return server.start("run", str(study), *template.options["argv"], out=out, **options)


def run(server: Server, template: Template, study: Path, out: Path, **request: Any) -> int:
    """A run of a copy of the template; its exit code."""
    return server.wait(begin(server, template, study, out, **request))


def names(study: Path) -> set[str]:
    """Names of all files of a study, with numbers of loads taken out."""
    found = set()
    for path in study.rglob("*"):
        if path.is_file() or path.is_symlink():
            found.add(_LOAD.sub("N", path.relative_to(study).as_posix()))
    return found


def open_to_others(study: Path) -> list[str]:
    """What somebody else could read: anything of the vault, and what is published by anybody."""
    found = []
    for top, closed in (("vault", 0o077), ("published", 0o007)):
        for path in [study / top, *(study / top).rglob("*")]:
            bits = stat.S_IMODE(path.lstat().st_mode)
            if not path.is_symlink() and bits & closed and _reachable(path, study, closed):
                found.append(f"{path.relative_to(study)} {bits:o}")
    return found


def _reachable(path: Path, study: Path, closed: int) -> bool:
    """Whether all folders above, up to the study, let that somebody in."""
    above = path.parent
    while above != study:
        if not stat.S_IMODE(above.stat().st_mode) & closed & 0o111:
            return False
        above = above.parent
    return True


OF_LOADS = {"quality.delivery", "quality.load", "quality.query_load", "meta.run"}
STAGES = (
    ("pull", "vault/deliveries/"),
    ("read", "vault/staged/"),
    ("build", "published/.building/"),
    ("scratch", "vault/.scratch/"),
    ("audit", "vault/audit/"),
    ("queries", "vault/queries/"),
    ("packets", "vault/packets/"),
    ("log", "vault/log/"),
    ("replace", "published/warehouse.duckdb"),
    ("history", "published/history"),
    ("quality", "published/quality"),
    ("report", "published/"),
    ("vault", "vault/"),
)


def stage_of(path: str) -> str:
    """Which part of a run touches that path."""
    return next((stage for stage, start in STAGES if path.startswith(start)), "other")


def faults_of(
    server: Server, template: Template, study: Path, *, one_failed: bool = False
) -> list[str]:
    """What is wrong after a disturbed run and, if nothing is, after the run that follows it.

    With `one_failed` the disturbed run published without one center: a state of its own, which stays in
    the tables that count loads.
    """
    found = []
    left = server.look(study)
    states = {template.before["content"], template.after["content"]}
    if not one_failed and left.get("content") not in states:
        found.append(f"neither old nor new: {left}")
    found += [f"open to others: {name}" for name in open_to_others(study)]
    out = server.folder / "healing"
    code = run(server, template, study, out)
    healed = server.look(study)
    if code != 0:
        text = out.read_text(encoding="utf-8", errors="replace")
        found.append(f"the next run ended with {code}: {text[-300:]}")
    for what in ("content", "queries"):
        if healed.get(what) != template.after[what]:
            mine, other = healed.get("tables", {}), template.after["tables"]
            differ = [table for table in other if mine.get(table) != other[table]]
            if one_failed and set(differ) <= OF_LOADS:
                continue
            found.append(f"{what} of the next run not as of an undisturbed one: {differ[:6]}")
    if any(outcome == "running" for _, outcome in healed.get("loads", [])):
        found.append("a load was left open")
    extra, missing = names(study) - template.files, template.files - names(study)
    if extra or missing:
        found.append(f"left over: {sorted(extra)[:6]}, missing: {sorted(missing)[:6]}")
    found += [f"open to others: {name}" for name in open_to_others(study)]
    if list(server.tmp.iterdir()):
        found.append(f"left in /tmp: {sorted(p.name for p in server.tmp.rglob('*'))[:5]}")
        shutil.rmtree(server.tmp)
        server.tmp.mkdir()
    return found
