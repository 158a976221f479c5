"""A run that is killed at any moment leaves the old state or the new one, and the next run heals."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import small_study

from warehouse.loads import LoadLog
from warehouse.publish import content_hash

SCRIPT = """\
import os, sys, threading
from flows import cli, run, stages
from contextlib import nullcontext
def passed(root, load_id, staged_file, child, meanwhile):
    meanwhile()
    place = os.path.join(root, 'vault', 'audit', str(load_id))
    os.makedirs(place)
    return {'passed': True, 'critical_failures': [], 'warnings': [], 'results': place}
stages.judge = passed
run.anything_to_read = lambda pulled: nullcontext()
print('go', flush=True)
sys.exit(cli.main(['run', sys.argv[1], '--no-report']))
"""


def start(study: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(study)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "go\n"
    return process


@pytest.mark.slow
def test_a_run_killed_at_random_moments_leaves_the_old_state_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARMONY_KEY", "cd" * 32)
    study = small_study.make_study(tmp_path / "study", ("AA01",))
    warehouse = study / "published" / "warehouse.duckdb"
    began = time.monotonic()
    assert start(study).wait() == 0
    whole = time.monotonic() - began
    known = {content_hash(warehouse)}
    chance = random.Random(7)
    for number in range(8):
        small_study.deliver(study, "AA01", f"2024-07-{number + 1:02d}", patients=7 + number)
        process = start(study)
        time.sleep(chance.uniform(0.0, whole))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        after = content_hash(warehouse)
        assert start(study).wait() == 0
        healed = content_hash(warehouse)
        assert after in known | {healed}
        known = {healed}

    log = LoadLog.read(study)
    assert "running" not in {load.outcome for load in log.loads}
    assert not list((study / "published" / ".building").glob("*"))
    assert not list((study / "vault" / "deliveries" / "AA01").glob(".incoming-*"))
