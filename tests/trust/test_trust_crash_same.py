"""The same deliveries give the same content: whatever the threads, time zone, hash seed, order of files."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import pull
from flows.folder import StudyFolder
from flows.pull import pull_center
from tests.flows import small_study
from tests.trust import crash_runs as crash

Tries = Callable[[int, int], int]
ZONES = ("UTC", "Pacific/Auckland", "America/Los_Angeles", "Europe/Berlin")
THREADS = (1, 16, 2)
# A run in a fresh process whose folders are listed in another order each time.
SCRIPT = """
import os, random, sys
from pathlib import Path
chance = random.Random(os.environ["ORDER"])
listed, walked, iterated = os.listdir, os.walk, Path.iterdir
def shuffled(found):
    found = list(found)
    chance.shuffle(found)
    return found
def walk(*args, **options):
    for place, folders, files in walked(*args, **options):
        folders[:] = shuffled(folders)
        yield place, folders, shuffled(files)
os.listdir = lambda *args: shuffled(listed(*args))
os.walk = walk
Path.iterdir = lambda self: iter(shuffled(iterated(self)))
from warehouse import build
build._threads = lambda deliveries: int(os.environ["POLARS_MAX_THREADS"])
sys.path.insert(0, os.getcwd())
from tests.flows import lenient_runs
judged = sys.argv[2] == "judged"
from flows import run, stages
from contextlib import nullcontext
stages.judge = lenient_runs.in_this_process(judged)
run.anything_to_read = lambda pulled: nullcontext()
if not judged:  # and in CI without the alternative settings
    from warehouse import alternatives
    alternatives.add_alternatives = lambda con, study: None
from flows import cli
sys.exit(cli.main(["run", sys.argv[1], "--no-report"]))
"""


def contents(study: Path, server: crash.Server) -> dict[str, str]:
    """A hash per table, without times."""
    tables: dict[str, str] = server.look(study)["tables"]
    return tables


def test_threads_time_zone_hash_seed_and_order_of_files_change_nothing(
    tmp_path: Path, tries: Tries, figure: Callable[..., None]
) -> None:
    server = crash.shared()[0]
    n = tries(2, 12)
    judged = "judged" if n > 2 else "plain"
    template = small_study.make_study(tmp_path / "template", ("AA01", "BB02"))
    small_study.deliver(template, "AA01", "2024-06-20", patients=8)
    found: list[dict[str, str]] = []
    study = (
        tmp_path / "study"
    )  # of the same name: it stands in no table, but then nothing can differ
    for turn in range(n):
        shutil.rmtree(study, ignore_errors=True)
        shutil.copytree(template, study)
        environment = {
            **os.environ,
            "CARMONY_KEY": crash.KEY,
            "TZ": ZONES[(turn + 1) % 4],
            "POLARS_MAX_THREADS": str(THREADS[turn % 3]),
            "PYTHONHASHSEED": str(turn),
            "ORDER": str(turn),
        }
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(study), judged],
            cwd=crash.ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found.append(contents(study, server))
    differ = [
        (turn, [table for table in one if one[table] != found[0][table]])
        for turn, one in enumerate(found)
        if one != found[0]
    ]
    print(*differ, sep="\n")
    assert any("analysis.adtte" in one for one in found)
    figure("15, 16", "threads, TZ, hash seed, file order", len(differ), n, "content equal")


def test_one_more_patient_is_another_content() -> None:
    _, template, _ = crash.shared()
    before, after = template.before["tables"], template.after["tables"]

    assert {table for table in before if before[table] != after[table]} >= {
        "core.subject",
        "analysis.adsl",
        "quality.ledger",
    }


def test_a_file_that_was_changed_in_its_place_is_read_again_each_time(
    tmp_path: Path, tries: Tries, figure: Callable[..., None]
) -> None:
    study = small_study.make_study(tmp_path / "study", ("AA01",))
    file = study / "inbox" / "AA01" / "2024-06-14" / "risk.csv"
    size = file.stat().st_size
    n = tries(20, 100)
    stale = 0
    for number in range(n):
        text = file.read_text(encoding="utf-8")
        swapped = (
            text.replace(",II,", ",XX,").replace(",I,\n", ",II,\n", 1).replace(",XX,", ",I,", 1)
        )
        file.write_text(swapped.replace(",XX,", ",II,"), encoding="utf-8")
        (taken,) = pull_center(StudyFolder(study), "AA01").deliveries
        stale += (taken.path / "risk.csv").read_bytes() != file.read_bytes()
        assert file.read_text(encoding="utf-8") != text, number
    assert file.stat().st_size == size  # not by its size did the pull see it
    figure("20", "edits of a delivered file in its place", stale, n, "read again")


def test_a_file_that_grows_while_it_is_copied_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tries: Tries, figure: Callable[..., None]
) -> None:
    study = small_study.make_study(tmp_path / "study", ("AA01",))
    copyfile = pull.copy_file
    chance = random.Random(21)
    taken = 0
    n = tries(10, 50)
    for _ in range(n):
        grows, before = chance.choice(sorted(small_study.FILES)), chance.random() < 0.5

        def copy(source: Path, target: Path, grows: str = grows, before: bool = before) -> None:
            if before or source.stem != grows:
                copyfile(source, target)
            if source.stem == grows:
                with source.open("ab") as file:
                    file.write(b"\n")
            if not before and source.stem == grows:
                copyfile(source, target)

        monkeypatch.setattr(pull, "copy_file", copy)
        pulled = pull_center(StudyFolder(study), "AA01")
        taken += bool(pulled.deliveries) or [p.code for p in pulled.problems] != ["CHANGING"]
    monkeypatch.undo()
    (later,) = pull_center(StudyFolder(study), "AA01").deliveries
    whole = all(
        (later.path / f"{name}.csv").read_bytes()
        == (study / "inbox" / "AA01" / "2024-06-14" / f"{name}.csv").read_bytes()
        for name in small_study.FILES
    )
    assert whole
    figure("21", "files that grow while they are copied", taken, n, "taken later, whole")
