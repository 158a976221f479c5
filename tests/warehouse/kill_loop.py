"""Runs loads and ends them at random points; started by test_publish.py in a process of its own.

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
import traceback
from pathlib import Path
from typing import Any

import duckdb

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2]))

from conftest import SmallStudy

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


TOUCHES = frozenset(
    [
        "execute",
        "fetchall",
        "connect",
        "close",
        "open",
        "write",
        "fsync",
        "link",
        "rename",
        "replace",
        "unlink",
        "mkdir",
        "rmdir",
        "chmod",
        "ftruncate",
        "symlink",
        "fork_exec",
        "waitpid",
    ]
)


class Steps:
    """Counts the calls that touch a file or the database, and may end the process near one.

    The end is a SIGALRM without a handler: as with SIGKILL nothing of the process runs any more,
    and it may strike in the middle of a write. Steps, unlike seconds, do not depend on the machine.
    """

    def __init__(self, end_at: int | None = None, delay: float = 0.001) -> None:
        self.count = 0
        self.end_at = end_at
        self.delay = delay
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        sys.setprofile(self._see)

    def _see(self, frame: Any, event: str, arg: Any) -> None:
        if event != "c_call" or arg.__name__ not in TOUCHES:
            return
        if not isinstance(getattr(arg, "__self__", None), str):  # str.replace is no rename
            self.count += 1
            if self.count == self.end_at:
                signal.setitimer(signal.ITIMER_REAL, self.delay)


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


def answer_of_child(work: Any) -> tuple[Any, bool]:
    """What a child's work gives as JSON, and whether it ended well."""
    reader, writer = os.pipe()
    child = in_child(lambda: os.write(writer, json.dumps(work()).encode()))
    os.close(writer)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as answer:
        text = answer.read().decode() or "{}"
    return json.loads(text), status == 0


def steps_of_one_load(study: SmallStudy) -> int:
    """Runs a whole load and counts its steps; of the second one, as the first has nothing before it."""
    run_loads(study, 1)
    steps = Steps()
    run_loads(study, 1)
    return steps.count


def main(folder: Path, kills: int, seed: int) -> None:
    """Ends `kills` loaders at random steps and prints what each left."""
    chance = random.Random(seed)
    study = SmallStudy(folder)
    one_load, _ = answer_of_child(lambda: steps_of_one_load(study))
    for number in range(kills):
        # Every second one ends about the publishing, which is a hundredth of the steps.
        about_publishing = chance.randint(one_load - 50, one_load + 50)
        step = about_publishing if number % 2 else chance.randint(1, int(1.6 * one_load))
        delay = chance.uniform(0.0001, 0.01)

        def work(step: int = step, delay: float = delay) -> None:
            Steps(step, delay)
            run_loads(study, 3)

        _, status = os.waitpid(in_child(work), 0)
        ended = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM
        left = [p.name for p in (folder / "published").rglob("*.duckdb") if ".building" in str(p)]
        found, opens = answer_of_child(lambda: look(study))
        print(json.dumps({**found, "opens": opens, "ended": ended, "left": len(left)}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
