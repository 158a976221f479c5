"""Runs killed at any point: what is published is the old state or the new one, and the next run heals."""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.trust import crash_runs as crash
from tests.trust.crash_runs import Server, Template

Tries = Callable[[int, int], int]


FULL = os.environ.get("CARMONY_TRUST") == "full"


@pytest.fixture(params=[False, True] if FULL else [False], ids=lambda j: "judged" if j else "plain")
def shared(request: pytest.FixtureRequest) -> tuple[Server, Template, Path]:
    """Runs with estimates, audit and report take three times as long: `make trust` has them too."""
    return crash.shared(bool(request.param))


def places(template: Template, n: int, chance: random.Random) -> list[tuple[int, str]]:
    """Calls at which to end a run, with their stage: each stage in turn, a random call of it."""
    stages: dict[str, list[int]] = defaultdict(list)
    for number, _, path in template.calls:
        stages[crash.stage_of(path)].append(number)
    names = sorted(stages, key=lambda stage: ("replace", "queries", "log").index(stage)
                   if stage in ("replace", "queries", "log") else 9)  # fmt: skip
    return [(chance.choice(stages[s]), s) for s in itertools.islice(itertools.cycle(names), n)]


def test_the_campaign_meets_every_part_of_a_run(
    shared: tuple[Server, Template, Path],
) -> None:
    stages = {crash.stage_of(path) for _, _, path in shared[1].calls}

    assert stages >= {"pull", "read", "build", "queries", "packets", "log", "replace", "quality"}


def test_a_run_killed_at_any_call_or_time_leaves_the_old_state_or_the_new_one_and_the_next_one_heals(
    shared: tuple[Server, Template, Path], tries: Tries, figure: Callable[..., None]
) -> None:
    server, template, folder = shared
    judged = template.options["options"]["judge"]
    chance = random.Random(6)
    wrong: dict[str, list[str]] = {}
    n = tries(2, 60 if judged else 200)
    for number, (at, stage) in enumerate(places(template, n, chance)):
        study = template.copy(folder / "study")
        mode = (crash.KILL_BEFORE, crash.KILL_AFTER)[number % 2]
        shim = {"folder": str(study), "mode": mode, "at": at}
        if number % 5 == 4:  # at a random time instead
            pid = crash.begin(server, template, study, folder / "out")
            time.sleep(chance.uniform(0.0, template.seconds))
            os.kill(pid, signal.SIGKILL)
            code = server.wait(pid)
        else:
            code = crash.run(server, template, study, folder / "out", shim=shim)
        if number % 4 == 3:  # and the next one too
            shim["at"] = chance.choice(template.calls)[0]
            crash.run(server, template, study, folder / "out", shim=shim)
        found = crash.faults_of(server, template, study)
        if number % 5 != 4 and code != -signal.SIGKILL and at < template.calls[-1][0] - 20:
            found.append(f"not killed: {code}")
        if found:
            wrong[f"{number}: call {at} ({stage})"] = found
            print(number, at, stage, *found, sep="\n    ", flush=True)
    what = (
        "kill -9 at a call or a time, audit and report too"
        if judged
        else "kill -9 at a call or a time"
    )
    figure("1, 44", what, len(wrong), n, "old or new; next run equal")


def test_the_campaign_sees_another_state_files_open_to_others_and_litter() -> None:
    server, template, folder = crash.shared()
    study = template.copy(folder / "study")
    warehouse = study / "published" / "warehouse.duckdb"
    con = duckdb.connect(str(warehouse))
    con.execute("DELETE FROM core.subject")
    con.close()
    (study / "vault" / "log" / "left.tmp").write_text("of a killed run", encoding="utf-8")
    (study / "vault" / "log").chmod(0o755)
    (study / "vault").chmod(0o755)
    (server.tmp / "carmony-abc").mkdir()
    found = "\n".join(crash.faults_of(server, template, study))

    assert "neither old nor new" in found
    assert "open to others: vault" in found
    assert "left over: ['vault/log/left.tmp']" in found
    assert "left in /tmp: ['carmony-abc']" in found


def test_a_killed_command_line_takes_its_processes_with_it(
    tmp_path: Path, tries: Tries, figure: Callable[..., None]
) -> None:
    """The real program, with the judge in a process of its own, killed from outside."""
    server, template, folder = crash.shared()
    wrong = []
    tmp = tmp_path / "tmp"
    tmp.mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp), "CARMONY_KEY": crash.KEY}
    n = tries(1, 12)
    for number in range(n):
        study = template.copy(folder / "study")
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.cli", "run", str(study), "--no-report"],
            cwd=crash.ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        judges = _children(process.pid)
        while not judges and process.poll() is None:
            judges = _children(process.pid)
        time.sleep(0.3 * number)
        process.kill()
        process.wait()
        deadline = time.monotonic() + 10
        while any(_alive(pid) for pid in judges) and time.monotonic() < deadline:
            time.sleep(0.02)
        outlived = [pid for pid in judges if _alive(pid)]
        if outlived or list(tmp.iterdir()) or not judges:
            wrong.append((judges, outlived, list(tmp.iterdir())))
        wrong += crash.faults_of(server, template, study) if number % 4 == 3 else []
    print(wrong)
    figure("1, 27, 44", "kill -9 of the program, its processes", len(wrong), n, "none outlives it")


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(number) for number in text.split()]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
