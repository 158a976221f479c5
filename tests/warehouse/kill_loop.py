"""Runs loads for ever and kills them; started by test_publish.py in a process of its own.

Usage: python kill_loop.py STUDY N SEED. Prints one JSON line per kill: what stood after it.
The loader is forked from a process that has imported everything but started no thread.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import duckdb

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2]))

from conftest import SmallStudy

import warehouse.publish
from warehouse.connect import published_load
from warehouse.loads import LoadLog
from warehouse.lock import load_lock

DELIVERIES = 12


def patients_of(number: int) -> int:
    """How many patients delivery `number` has."""
    return number % 5 + 1


def run_loads(study: SmallStudy, loads: int) -> None:
    """Load after load, each of another delivery with another number of patients."""
    for _ in range(loads):
        with load_lock(study.folder, wait_seconds=5):
            log = LoadLog.read(study.folder)
            log.settle(published_load(study.folder))
            number = len(log.loads)
            name = f"d{number % DELIVERIES}"
            line = study.outcome(
                "DE01",
                name,
                f"vault/staged/DE01/{name}",
                received_on=dt.date(2024, 1, 1) + dt.timedelta(days=number),
            )
            study.load(line)


def look(study: SmallStudy) -> dict[str, Any]:
    """The published state as the next reader finds it."""
    path = study.folder / "published" / "warehouse.duckdb"
    if not path.exists():
        return {"load": None}
    con = duckdb.connect(str(path), read_only=True)
    load, patients, delivery = con.execute(
        "SELECT (SELECT load_id FROM meta.run), (SELECT count(*) FROM analysis.adsl), "
        "(SELECT delivery_id FROM quality.delivery WHERE is_current)"
    ).fetchall()[0]
    subjects = con.execute("SELECT count(*) FROM core.subject").fetchall()[0][0]
    con.close()
    acknowledged = [x.load_id for x in LoadLog.read(study.folder).loads if x.outcome == "published"]
    return {
        "load": load,
        "whole": patients == subjects == patients_of(int(delivery[1:])),
        "acknowledged": max(acknowledged, default=0),
    }


def in_child(work: Any) -> int:
    """Forks; the child does the work and ends."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return pid


def look_in_child(study: SmallStudy) -> dict[str, Any]:
    """As `look`, by a process that has nothing open."""
    reader, writer = os.pipe()
    child = in_child(lambda: os.write(writer, json.dumps(look(study)).encode()))
    os.close(writer)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as answer:
        text = answer.read().decode() or "{}"
    return {**json.loads(text), "opens": status == 0}


def main(folder: Path, kills: int, seed: int) -> None:
    """Kills `kills` loaders at random moments and prints what each left."""
    chance = random.Random(seed)
    study = SmallStudy(folder)
    started = time.monotonic()
    os.waitpid(in_child(lambda: run_loads(study, 1)), 0)
    one_load = min(time.monotonic() - started, 1.2)
    for _ in range(kills):
        pid = in_child(lambda: run_loads(study, 1000))
        time.sleep(chance.uniform(0.02, 2.2 * one_load))
        died = os.waitpid(pid, os.WNOHANG)[0]
        if not died:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        left = [p.name for p in (folder / "published").rglob("*.duckdb") if ".building" in str(p)]
        found = {**look_in_child(study), "died": bool(died), "left": len(left)}
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    assert warehouse.publish.KEEP_HISTORY
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
