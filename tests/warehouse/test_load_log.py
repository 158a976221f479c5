"""The load log and the lock."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import StudyError
from warehouse.loads import DeliveryOutcome, LoadLog
from warehouse.lock import load_lock

ROOT = Path(__file__).parents[2]


def delivery(center: str, name: str, day: int = 1, **changes: object) -> DeliveryOutcome:
    values: dict[str, object] = {
        "received_on": dt.date(2024, 6, day),
        "sequence": 1,
        "spec_hash": "s1",
        "code_hash": "c1",
        "outcome": "loaded",
        "staged": f"vault/staged/{center}/{name}",
    }
    return DeliveryOutcome(center, name, **{**values, **changes})  # type: ignore[arg-type]


def run_load(folder: Path, *deliveries: DeliveryOutcome, outcome: str = "published") -> int:
    log = LoadLog.read(folder)
    load_id = log.start("h", {"duckdb": "1.5.5"})
    log.record(load_id, deliveries)
    log.finish(load_id, outcome, content_hash="abc")
    return load_id


def names(log: LoadLog, center: str) -> list[str]:
    return [staged.delivery_id for staged in log.current(center)]


def test_a_study_without_a_log_has_no_loads(tmp_path: Path) -> None:
    assert LoadLog.read(tmp_path).loads == []


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    run_load(tmp_path, delivery("DE01", "a", message="file 'x.csv': no rows [NO_ROWS]"))
    load = LoadLog.read(tmp_path).load(1)
    assert load.outcome == "published"
    assert load.content_hash == "abc"
    assert load.deliveries[0].received_on == dt.date(2024, 6, 1)
    assert load.deliveries[0].message == "file 'x.csv': no rows [NO_ROWS]"
    assert load.started_at.tzinfo is not None
    assert load.ended_at is not None


def test_load_numbers_rise_even_if_the_clock_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_load(tmp_path)
    monkeypatch.setattr("warehouse.loads._now", lambda: "1999-01-01T00:00:00+00:00")
    assert run_load(tmp_path) == 2
    assert [load.load_id for load in LoadLog.read(tmp_path).loads] == [1, 2]


def test_a_delivery_is_known_only_as_the_same_spec_and_code_read_it(tmp_path: Path) -> None:
    run_load(tmp_path, delivery("DE01", "a"))
    log = LoadLog.read(tmp_path)
    assert log.is_known("DE01", "a", "s1", "c1")
    assert not log.is_known("DE01", "a", "s2", "c1")
    assert not log.is_known("DE01", "a", "s1", "c2")
    assert not log.is_known("DE02", "a", "s1", "c1")


@pytest.mark.parametrize("outcome", ["stopped", "failed", "interrupted"])
def test_deliveries_of_a_load_that_was_not_published_are_not_known(
    tmp_path: Path, outcome: str
) -> None:
    run_load(tmp_path, delivery("DE01", "a"), outcome=outcome)
    log = LoadLog.read(tmp_path)
    assert not log.is_known("DE01", "a", "s1", "c1")
    assert log.current("DE01") == []


@pytest.mark.parametrize("outcome", ["failed", "held"])
def test_a_delivery_that_fails_leaves_the_last_good_state(tmp_path: Path, outcome: str) -> None:
    run_load(tmp_path, delivery("DE01", "a", day=1))
    run_load(tmp_path, delivery("DE01", "b", day=2, outcome=outcome, staged=None))
    log = LoadLog.read(tmp_path)
    assert names(log, "DE01") == ["a"]
    assert not log.is_known("DE01", "b", "s1", "c1")
    last = log.last_outcome("DE01", "b")
    assert last is not None
    assert last.outcome == outcome


def test_the_newest_delivery_replaces_the_earlier_one(tmp_path: Path) -> None:
    run_load(tmp_path, delivery("DE01", "new", day=9), delivery("DE01", "old", day=2))
    run_load(tmp_path, delivery("DE01", "older", day=1))
    assert names(LoadLog.read(tmp_path), "DE01") == ["new"]


def test_on_one_day_the_higher_sequence_counts(tmp_path: Path) -> None:
    run_load(tmp_path, delivery("DE01", "x", sequence=2), delivery("DE01", "y", sequence=1))
    assert names(LoadLog.read(tmp_path), "DE01") == ["x"]


def test_deliveries_of_an_append_center_add_up_and_a_new_spec_replaces_the_old_reading(
    tmp_path: Path,
) -> None:
    run_load(tmp_path, *(delivery("DE01", n, day=i, mode="append") for i, n in enumerate("ab", 1)))
    again = delivery("DE01", "a", mode="append", spec_hash="s2", staged="vault/staged/DE01/a-s2")
    run_load(tmp_path, again)
    current = LoadLog.read(tmp_path).current("DE01")
    assert [staged.folder.name for staged in current] == ["a-s2", "b"]


def test_deliveries_of_the_running_load_count_only_for_that_load(tmp_path: Path) -> None:
    log = LoadLog.read(tmp_path)
    load_id = log.start("h", {})
    log.record(load_id, [delivery("DE01", "a")])
    assert log.history() == []
    assert [s.delivery_id for s in log.history(including=load_id)] == ["a"]


def test_a_last_line_cut_off_by_a_crash_is_ignored_with_a_note_and_writing_goes_on(
    tmp_path: Path,
) -> None:
    run_load(tmp_path, delivery("DE01", "a"))
    path = tmp_path / "vault" / "log" / "loads.jsonl"
    with path.open("a") as file:
        file.write('{"event": "start", "load_id": 2, "at": "20')
    torn = LoadLog.read(tmp_path)
    assert [load.load_id for load in torn.loads] == [1]
    assert "line 4" in torn.notes[0]
    assert run_load(tmp_path, delivery("DE01", "b", day=3)) == 2
    assert names(LoadLog.read(tmp_path), "DE01") == ["b"]


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(min_value=1, max_value=2000))
def test_a_log_cut_off_anywhere_is_read_up_to_there(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("log")
    for name in "abc":
        run_load(folder, delivery("DE01", name))
    path = folder / "vault" / "log" / "loads.jsonl"
    whole = path.read_bytes()
    kept = whole[: -min(cut, len(whole) - 1)]
    path.write_bytes(kept)
    complete = sum('"event": "start"' in line for line in _whole_lines(kept.decode()))
    assert len(LoadLog.read(folder).loads) == complete
    assert run_load(folder, delivery("DE01", "d")) == complete + 1


def _whole_lines(text: str) -> list[str]:
    out = []
    for line in text.split("\n"):
        try:
            json.loads(line)
        except ValueError:
            continue
        out.append(line)
    return out


def test_a_damaged_line_inside_the_log_stops_with_its_number(tmp_path: Path) -> None:
    run_load(tmp_path, delivery("DE01", "a"))
    path = tmp_path / "vault" / "log" / "loads.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1][:20], lines[2]]) + "\n")
    with pytest.raises(StudyError, match="line 2"):
        LoadLog.read(tmp_path)


def test_a_load_that_crashed_is_settled_by_what_is_published(tmp_path: Path) -> None:
    log = LoadLog.read(tmp_path)
    first = log.start("h", {})
    log.record(first, [delivery("DE01", "a")])
    second = log.start("h", {})
    log.record(second, [delivery("DE01", "b", day=2)])
    assert LoadLog.read(tmp_path).settle(published_load_id=first) == [first, second]
    after = LoadLog.read(tmp_path)
    assert [load.outcome for load in after.loads] == ["published", "interrupted"]
    assert names(after, "DE01") == ["a"]


def test_the_log_is_closed_to_others(tmp_path: Path) -> None:
    run_load(tmp_path)
    path = tmp_path / "vault" / "log" / "loads.jsonl"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


HOLDER = """
import sys, time
from pathlib import Path
from warehouse.lock import load_lock
with load_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def hold(folder: Path, seconds: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_load_is_told_who_holds_the_lock_and_since_when(tmp_path: Path) -> None:
    process = hold(tmp_path, 30)
    try:
        with pytest.raises(StudyError) as error, load_lock(tmp_path):
            pass
        assert f"process {process.pid}, since 20" in str(error.value)
    finally:
        process.kill()
        process.wait()


def test_a_second_load_waits_for_the_first(tmp_path: Path) -> None:
    process = hold(tmp_path, 0.3)
    started = time.monotonic()
    with load_lock(tmp_path, wait_seconds=20):
        assert time.monotonic() - started > 0.1
    process.wait()


def test_a_killed_load_leaves_no_lock(tmp_path: Path) -> None:
    process = hold(tmp_path, 30)
    process.kill()
    process.wait()
    with load_lock(tmp_path):
        pass
