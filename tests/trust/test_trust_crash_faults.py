"""Calls to the system that fail, and a disk that is full: one message, nothing lost, nothing half."""

from __future__ import annotations

import errno
import random
import re
import subprocess
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trust import crash_runs as crash
from tests.trust.crash_runs import Server, Template

Tries = Callable[[int, int], int]
_FOUND = re.compile(r"^carmony: ", re.MULTILINE)
# How the calls fail: all of them from one on, as on a full disk, or a single one.
WAYS = (
    ("full disk", crash.FAIL_FROM, errno.ENOSPC, crash.OPEN | crash.WRITE | crash.MAKE | crash.SYNC),
    ("input/output error", crash.FAIL_ONCE, errno.EIO, crash.WRITE | crash.SYNC),
    ("permission denied", crash.FAIL_FROM, errno.EACCES, crash.OPEN | crash.MAKE | crash.RENAME),
    ("rename fails", crash.FAIL_ONCE, errno.EIO, crash.RENAME | crash.MAKE),
    ("read-only", crash.FAIL_FROM, errno.EROFS, 127),
)  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Server:
    return crash.shared()[0]


@pytest.fixture(scope="module")
def template() -> Template:
    return crash.shared()[1]


@pytest.fixture(scope="module")
def place() -> Path:
    return crash.shared()[2]


def faults_of_message(code: int, shown: str, published: bool) -> list[str]:
    """What is wrong with how a run ended to which the system refused something."""
    found = []
    if code == 0 and not published:
        found.append("code 0, but the new state is not published")
    if code not in (0, 1, 2):
        found.append(f"code {code}")
    if "Traceback" in shown or "a bug" in shown:
        found.append("a traceback or a bug")
    if code == 2 and (len(_FOUND.findall(shown)) != 1 or "Fix: " not in shown):
        found.append("not one message with what to do")
    return [f"{text}: {shown[-500:]}" for text in found] if found else []


def calls_of(template: Template, kinds: int) -> dict[str, list[int]]:
    """How many calls of these kinds come before each call, by the part of the run that makes them."""
    bits = {
        "open": crash.OPEN,
        "write": crash.WRITE,
        "truncate": crash.WRITE,
        "fsync": crash.SYNC,
        "rename": crash.RENAME,
        "unlink": crash.REMOVE,
        "remove": crash.REMOVE,
        "rmdir": crash.REMOVE,
        "chmod": crash.MODE,
    }
    stages: dict[str, list[int]] = defaultdict(list)
    number = 0
    for _, what, path in template.calls:
        if bits.get(what, crash.MAKE) & kinds:
            number += 1
            stages[crash.stage_of(path)].append(number)
    return stages


def test_a_run_whose_calls_fail_says_so_and_the_next_one_heals(
    place: Path, server: Server, template: Template, tries: Tries, figure: Callable[..., None]
) -> None:
    chance = random.Random(2)
    n = tries(1, 40)
    for way, mode, number, kinds in WAYS if n > 1 else WAYS[:3]:
        stages = calls_of(template, kinds)
        names = sorted(stages)
        chance.shuffle(names)
        wrong: dict[str, list[str]] = {}
        for turn in range(n):
            stage = names[turn % len(names)]
            at = chance.choice(stages[stage])
            study = template.copy(place / "study")
            shim = {"folder": str(study), "mode": mode, "at": at, "errno": number, "kinds": kinds}
            code = crash.run(server, template, study, place / "out", shim=shim)
            shown = (place / "out").read_text(encoding="utf-8", errors="replace")
            published = server.look(study).get("content") == template.after["content"]
            found = faults_of_message(code, shown, published)
            if n > 1:
                # Code 1: a center failed alone and the others were published; the next run loads it.
                found += crash.faults_of(server, template, study, one_failed=code == 1)
            if found:
                wrong[f"{way}, {at} ({stage})"] = found
        for what, found in wrong.items():
            print(what, *found, sep="\n    ")
        threats = {"full disk": "2, 25", "read-only": "26", "permission denied": "26"}
        figure(threats.get(way, "2"), f"{way} at a call", len(wrong), n, "one message; old or new")


def test_a_disk_that_is_full_at_any_size_leaves_the_old_state_or_the_new_one(
    place: Path, server: Server, template: Template, tries: Tries, figure: Callable[..., None]
) -> None:
    n = tries(0, 40)
    disk = place / "disk"
    disk.mkdir(exist_ok=True)
    if n == 0 or not _mounted(disk, 64):
        return  # the calls above that fail for want of room are tried wherever tests run
    # Files take whole pages there.
    size = sum(-(-path.stat().st_size // 4096) * 4096 + 4096 for path in template.study.rglob("*"))
    wrong = []
    try:
        for turn in range(n):
            room = size // 1024 + 256 * (turn + 1)
            _mounted(disk, 64, room, again=True)
            study = template.copy(disk / "study")
            code = crash.run(server, template, study, place / "out")
            shown = (place / "out").read_text(encoding="utf-8", errors="replace")
            published = server.look(study).get("content") == template.after["content"]
            _mounted(disk, 64, 65536, again=True)
            found = faults_of_message(code, shown, published)
            wrong += found + crash.faults_of(server, template, study, one_failed=code == 1)
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    print(*wrong, sep="\n")
    figure("25", "small disks, growing", len(wrong), n, "old or new; one message")


def _mounted(disk: Path, inodes: int, kilobytes: int = 65536, *, again: bool = False) -> bool:
    """A disk of that size in memory, empty; `again` gives the same disk another size."""
    option = f"size={kilobytes}k" + (",remount" if again else "")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", option, "tmpfs", str(disk)], capture_output=True, check=False
    )
    return done.returncode == 0


def test_the_campaign_sees_a_failure_that_is_told_as_success_and_one_that_is_told_as_a_bug() -> (
    None
):
    assert faults_of_message(0, "published", published=False)
    assert faults_of_message(70, "carmony: a bug in carmony (OSError); please send", False)
    assert faults_of_message(2, "carmony: one\n  Fix: x\ncarmony: two\n  Fix: y\n", False)
    assert faults_of_message(2, "carmony: one", False)
    assert not faults_of_message(2, "reading ...\ncarmony: one\n  Fix: x\n", False)
    assert not faults_of_message(0, "published", published=True)
