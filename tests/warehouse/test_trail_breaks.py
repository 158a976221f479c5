"""A broken audit trail stays broken: no later entry hides what was cut off or put in its place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from warehouse import trail

N = 5


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study folder with five entries, a load log and a head."""
    root = tmp_path / "study"
    (root / "published" / "quality").mkdir(parents=True)
    for n in range(1, N + 1):
        _load(root, n)
        trail.note(root, "run", {"load_id": n, "outcome": "published"})
    assert trail.problems_of(root) == []
    return root


def _load(root: Path, n: int) -> None:
    log = root / "vault" / "log" / "loads.jsonl"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"event": "start", "load_id": n}) + "\n")


def _cut(root: Path) -> None:
    lines = trail.trail_file(root).read_text().splitlines(keepends=True)
    trail.trail_file(root).write_text("".join(lines[:-2]))


def _gone(root: Path) -> None:
    trail.trail_file(root).unlink()


def _written_anew(root: Path) -> None:
    _cut(root)
    head = trail.head_file(root).read_text()
    trail.head_file(root).unlink()
    for _ in range(2):
        trail.note(root, "run", {"outcome": "published"})
    trail.head_file(root).write_text(head)


@pytest.mark.parametrize(
    ("harm", "line", "left"), [(_cut, 4, "3 ("), (_gone, 1, "0 (none)"), (_written_anew, 7, "6 (")]
)
def test_a_break_is_entered_and_stays_visible_after_later_entries(
    study: Path, harm: Callable[[Path], None], line: int, left: str
) -> None:
    head = json.loads(trail.head_file(study).read_text())
    harm(study)
    for _ in range(3):
        trail.note(study, "run", {"outcome": "nothing_new"})
    problems = trail.problems_of(study)
    told = [
        text for text in problems if text.startswith(f"line {line} of the trail tells of a break")
    ]
    assert len(told) == 1
    assert f"it was to end with entry 5 ({head['hash'][:12]})" in told[0]
    assert f"ended with entry {left}" in told[0]
    (entry,) = [e for e in trail.entries_of(study) if e["n"] == line]
    assert entry["expected"] == head  # an old copy of the head can still be compared


def test_a_new_load_does_not_hide_a_break_by_publishing_another_head(
    study: Path, tmp_path: Path
) -> None:
    _cut(study)
    results = tmp_path / "results"
    results.mkdir()
    trail.keep_head(study, results)  # as the audit of a load does, before it is published
    quality = trail.head_file(study).parent
    shutil.rmtree(quality)
    results.rename(quality)
    trail.note(study, "run", {"load_id": 6, "outcome": "published"})
    assert any("tells of a break" in text for text in trail.problems_of(study))


def test_a_head_that_was_removed_is_a_break(study: Path) -> None:
    _cut(study)
    trail.head_file(study).unlink()
    trail.note(study, "report", {"outcome": "done"})
    assert trail.problems_of(study) == [
        "line 4 of the trail tells of a break before it: its head was missing when it ended with entry "
        f"3 ({trail.entries_of(study)[2]['hash'][:12]}), so nobody can tell what was cut off"
    ]


def test_a_changed_load_log_is_told_after_later_entries(study: Path) -> None:
    log = study / "vault" / "log" / "loads.jsonl"
    log.write_text(log.read_text().replace('"load_id": 2', '"load_id": 9'))
    trail.note(study, "run", {"outcome": "nothing_new"})
    (told,) = trail.problems_of(study)
    assert (
        "line 6 of the trail tells of a break before it: the load log was not what entry 5" in told
    )


def test_an_entry_whose_head_was_not_moved_by_a_killed_command_is_no_break(study: Path) -> None:
    head = trail.head_file(study).read_bytes()
    trail.note(study, "report", {"outcome": "done"})
    trail.head_file(study).write_bytes(head)  # killed between the two
    assert trail.problems_of(study) == []
    trail.note(study, "report", {"outcome": "done"})
    assert trail.problems_of(study) == []
    assert [entry["n"] for entry in trail.entries_of(study)] == [1, 2, 3, 4, 5, 6, 7]


def test_tombstones_that_only_the_head_held_are_saved_by_the_break(study: Path) -> None:
    trail.note(study, "forget", {"center_id": "AA01", "marks": ["m1", "alike:m2"]})
    _cut(study)
    trail.note(study, "report", {"outcome": "done"})
    entered, only_in_head = trail.withdrawn_marks(study)
    assert (entered, only_in_head) == ({"AA01": {"m1", "alike:m2"}}, {})
    assert json.loads(trail.head_file(study).read_text())["withdrawn"] == {
        "AA01": ["alike:m2", "m1"]
    }
