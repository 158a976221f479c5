"""The audit trail: whatever is done to its entries is found."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from warehouse.trail import entries_of, head_file, note, problems_of, trail_file

Tries = Callable[[int, int], int]
Record = Callable[..., None]
N = 12


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study folder with a load log and a trail of twelve entries."""
    root = tmp_path_factory.mktemp("trail") / "study"
    (root / "published" / "quality").mkdir(parents=True)
    (root / "vault" / "log").mkdir(parents=True)
    for n in range(1, N + 1):
        with (root / "vault" / "log" / "loads.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps({"event": "start", "load_id": n}) + "\n")
        note(root, "run", {"load_id": n, "outcome": "published", "specs": {"AA01": f"{n:064x}"}})
    return root


def _flip(data: bytearray, chance: random.Random) -> bytearray:
    at = chance.randrange(len(data))
    data[at] ^= 1 << chance.randrange(8)
    return data


def _drop(data: bytearray, chance: random.Random) -> bytearray:
    lines = bytes(data).splitlines(keepends=True)
    del lines[chance.randrange(len(lines))]
    return bytearray(b"".join(lines))


def _swap(data: bytearray, chance: random.Random) -> bytearray:
    lines = bytes(data).splitlines(keepends=True)
    a, b = chance.sample(range(len(lines)), 2)
    lines[a], lines[b] = lines[b], lines[a]
    return bytearray(b"".join(lines))


def _cut(data: bytearray, chance: random.Random) -> bytearray:
    lines = bytes(data).splitlines(keepends=True)
    return bytearray(b"".join(lines[: chance.randrange(len(lines) - 1)]))


def _cut_inside(data: bytearray, chance: random.Random) -> bytearray:
    return data[: chance.randrange(len(data) - 2)]


def _repeat(data: bytearray, chance: random.Random) -> bytearray:
    lines = bytes(data).splitlines(keepends=True)
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
    return bytearray(b"".join(lines))


ATTACKS = (_flip, _drop, _swap, _cut, _cut_inside, _repeat)


def test_every_flip_gap_swap_and_cut_of_the_trail_is_found(
    written: Path, tmp_path: Path, tries: Tries, figure: Record
) -> None:
    whole = trail_file(written).read_bytes()
    study = tmp_path / "study"
    shutil.copytree(written, study)
    assert problems_of(study) == []  # the control: an untouched trail is whole
    chance = random.Random(42)
    missed, n = 0, tries(300, 5000)
    for number in range(n):
        changed = bytes(ATTACKS[number % len(ATTACKS)](bytearray(whole), chance))
        if changed == whole:
            continue
        trail_file(study).write_bytes(changed)
        missed += not problems_of(study)
    figure("12", "audit trail: flips, gaps, swaps, repeats and cuts that are not found", missed, n)


def test_a_changed_load_log_is_found(written: Path, tmp_path: Path) -> None:
    study = tmp_path / "study"
    shutil.copytree(written, study)
    log = study / "vault" / "log" / "loads.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"load_id": 7', b'"load_id": 8'))
    assert problems_of(study) == ["the load log (loads.jsonl) is not what the trail sealed"]


def test_a_trail_that_is_gone_does_not_fit_its_head(written: Path, tmp_path: Path) -> None:
    study = tmp_path / "study"
    shutil.copytree(written, study)
    trail_file(study).unlink()
    assert problems_of(study) == [f"the trail does not end with entry {N}, as its head says"]


def test_a_missing_head_is_told(written: Path, tmp_path: Path) -> None:
    study = tmp_path / "study"
    shutil.copytree(written, study)
    head_file(study).unlink()
    assert problems_of(study) == ["the head of the trail is missing (published/quality/trail.json)"]


def test_an_entry_that_a_crash_cut_off_is_passed_over_by_the_next(
    written: Path, tmp_path: Path
) -> None:
    study = tmp_path / "study"
    shutil.copytree(written, study)
    with trail_file(study).open("ab") as file:
        file.write(b'{"event": "ran", "n": 13, "at": "2024')
    note(study, "run", {"load_id": 13})
    assert problems_of(study) == []
    assert [entry["n"] for entry in entries_of(study)] == list(range(1, N + 2))
