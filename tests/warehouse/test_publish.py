"""Publishing: whole or not at all, with readers and crashes about."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from schemas.errors import AuditStoppedError, StudyError
from warehouse import publish as publishing
from warehouse import readback
from warehouse.connect import connect, published_load, warehouse_file
from warehouse.loads import LoadLog
from warehouse.publish import content_hash, publish

Study = Any
HERE = Path(__file__).parent
READ = publishing._read_in_fresh_process


def staged_copy(built: Path, load_id: int, patients: int) -> Path:
    """A built file of another load: with that number and so many rows in two tables."""
    copy = built.with_name(f"{load_id:06d}.duckdb")
    shutil.copyfile(built, copy)
    con = duckdb.connect(str(copy))
    con.execute(f"UPDATE meta.run SET load_id = {load_id}").fetchall()
    for table in ("core.subject", "analysis.adsl"):
        con.execute(
            f"INSERT INTO {table} SELECT t.* FROM (FROM {table} LIMIT 1) t, range({patients - 1})"
        ).fetchall()
    con.close()
    return copy


@pytest.fixture(autouse=True)
def read_by_a_fresh_process(small_study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a study is published; other tests read again in their own process."""
    monkeypatch.setattr(publishing, "_read_in_fresh_process", READ)


@pytest.fixture(scope="module")
def one_patient(
    module_study: Callable[[Path], Study], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A study with a built, not yet published warehouse with one patient; copied, not changed."""
    study = module_study(tmp_path_factory.mktemp("one") / "study")
    path = study.built(study.one("DE01", "a", "001"))
    path.rename(path.with_name("built.duckdb"))
    return study.folder


@pytest.fixture
def built(small_study: Study, one_patient: Path) -> Path:
    """The built warehouse in a study of the test's own."""
    shutil.copytree(one_patient, small_study.folder, dirs_exist_ok=True)
    kept: Path = small_study.folder / "published" / ".building" / "built.duckdb"
    return kept


def test_publishing_moves_the_file_and_leaves_no_log_beside_it(
    small_study: Study, built: Path
) -> None:
    staged = staged_copy(built, 1, 1)
    publish(staged, small_study.folder)
    published = small_study.folder / "published"
    assert published_load(small_study.folder) == 1
    assert not staged.exists()
    assert sorted(p.name for p in published.iterdir()) == [".building", "warehouse.duckdb"]
    assert (published / "warehouse.duckdb").stat().st_mode & 0o777 == 0o640


def test_earlier_states_are_kept_under_their_load_and_can_be_asked(
    small_study: Study, built: Path
) -> None:
    hashes = {}
    for load_id in range(1, 5):
        staged = staged_copy(built, load_id, load_id)
        hashes[load_id] = publish(staged, small_study.folder, keep_history=2)
    history = small_study.folder / "published" / "history"
    assert sorted(p.name for p in history.iterdir()) == [
        "000002.duckdb",
        "000003.duckdb",
    ]
    for load_id in (2, 3, 4):
        con = connect(small_study.folder, as_of=load_id)
        assert con.execute("SELECT count(*) FROM core.subject").fetchall() == [(load_id,)]
        con.close()
        path = warehouse_file(small_study.folder, load_id)
        assert content_hash(path) == hashes[load_id]
    with pytest.raises(StudyError, match=r"load 1 is not kept; kept are: 2, 3"):
        connect(small_study.folder, as_of=1)


def test_the_content_hash_sees_every_change_but_not_order_or_load_number(built: Path) -> None:
    first = content_hash(built)
    other = staged_copy(built, 7, 1)
    assert content_hash(other) == first
    con = duckdb.connect(str(other))
    con.execute("CREATE TABLE t AS FROM core.subject; DELETE FROM core.subject").fetchall()
    con.execute("INSERT INTO core.subject FROM t ORDER BY row_id DESC; DROP TABLE t").fetchall()
    con.close()
    assert content_hash(other) == first
    con = duckdb.connect(str(other))
    con.execute("UPDATE core.subject SET birth_year = birth_year + 1").fetchall()
    con.close()
    assert content_hash(other) != first
    assert content_hash(staged_copy(built, 8, 2)) != first


def test_two_studies_that_loaded_the_same_have_the_same_content(
    small_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARMONY_KEY", "ab" * 32)
    hashes = set()
    for name in ("direct", "flow"):
        folder = tmp_path / name
        folder.mkdir()
        study = type(small_study)(folder)
        study.load(study.one("DE01", "a", "001", "002"), study.one("DE02", "b", "001"))
        hashes.add(LoadLog.read(folder).load(1).content_hash)
    assert len(hashes) == 1
    assert None not in hashes


WRITES_AND_DIES = """
import duckdb, os, sys
con = duckdb.connect(sys.argv[1])
con.execute("INSERT INTO core.subject FROM core.subject").fetchall()
os._exit(0)
"""


def test_what_was_not_yet_checkpointed_is_published_too(small_study: Study, built: Path) -> None:
    staged = staged_copy(built, 1, 1)
    subprocess.run([sys.executable, "-c", WRITES_AND_DIES, str(staged)], check=True)
    assert Path(f"{staged}.wal").exists()
    without = staged.with_name("without.duckdb")
    shutil.copyfile(staged, without)
    control = duckdb.connect(str(without), read_only=True)
    assert control.execute("SELECT count(*) FROM core.subject").fetchall() == [(1,)]
    control.close()
    publish(staged, small_study.folder)
    con = connect(small_study.folder)
    assert con.execute("SELECT count(*) FROM core.subject").fetchall() == [(2,)]
    con.close()


def test_a_stale_log_beside_the_published_file_stops_with_a_sentence(
    small_study: Study, built: Path
) -> None:
    publish(staged_copy(built, 1, 1), small_study.folder)
    target = small_study.folder / "published" / "warehouse.duckdb"
    before = target.read_bytes()
    Path(f"{target}.wal").write_bytes(b"left by another program")
    with pytest.raises(StudyError, match=r"warehouse\.duckdb\.wal"):
        publish(staged_copy(built, 2, 2), small_study.folder)
    assert target.read_bytes() == before


def test_a_file_that_reads_otherwise_than_it_was_written_is_not_published(
    small_study: Study, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(staged_copy(built, 1, 1), small_study.folder)
    staged = staged_copy(built, 2, 3)
    as_written = readback.fingerprint

    def one_row_more(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
        out = as_written(con)
        out["tables"]["core.subject"]["rows"] += 1
        return out

    monkeypatch.setattr(readback, "fingerprint", one_row_more)
    with pytest.raises(AuditStoppedError, match=r"core\.subject: 4 row\(s\) written, 3 read"):
        publish(staged, small_study.folder)
    assert published_load(small_study.folder) == 1


def test_a_damaged_file_is_not_published(small_study: Study, built: Path) -> None:
    publish(staged_copy(built, 1, 1), small_study.folder)
    staged = staged_copy(built, 2, 2)
    with staged.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096)
    with pytest.raises((AuditStoppedError, duckdb.Error)):
        publish(staged, small_study.folder)
    assert published_load(small_study.folder) == 1


def test_an_older_load_does_not_replace_a_newer_one(small_study: Study, built: Path) -> None:
    publish(staged_copy(built, 5, 1), small_study.folder)
    with pytest.raises(StudyError, match="Load 5 is published already"):
        publish(staged_copy(built, 5, 2), small_study.folder)
    with pytest.raises(StudyError, match="load 4 is older"):
        publish(staged_copy(built, 4, 2), small_study.folder)


def test_who_has_the_old_file_open_keeps_it_and_who_opens_later_gets_the_new_one(
    small_study: Study, built: Path
) -> None:
    publish(staged_copy(built, 1, 1), small_study.folder)
    path = small_study.folder / "published" / "warehouse.duckdb"
    script = (
        "import duckdb, sys\n"
        "con = duckdb.connect(sys.argv[1], read_only=True)\n"
        "for line in sys.stdin:\n"
        "    print(con.execute('SELECT count(*) FROM core.subject').fetchall()[0][0], flush=True)\n"
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdin is not None
    assert reader.stdout is not None
    for _ in range(2):
        reader.stdin.write("\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "1\n"
        if published_load(small_study.folder) == 1:
            publish(staged_copy(built, 2, 2), small_study.folder)
    reader.communicate()
    con = connect(small_study.folder)
    assert con.execute("SELECT count(*) FROM core.subject").fetchall() == [(2,)]
    con.close()


READER = """
import duckdb, json, sys
out = {"reads": 0, "torn": 0, "errors": 0, "backward": 0}
last = 0
print("ready", flush=True)
while last < int(sys.argv[2]):
    try:
        con = duckdb.connect(sys.argv[1], read_only=True)
        load = con.execute("SELECT load_id FROM meta.run").fetchall()[0][0]
        one = con.execute("SELECT count(*) FROM core.subject").fetchall()[0][0]
        two = con.execute("SELECT count(*) FROM analysis.adsl").fetchall()[0][0]
        con.close()
    except Exception:
        out["errors"] += 1
        continue
    out["reads"] += 1
    out["torn"] += not (load == one == two)
    out["backward"] += load < last
    last = load
print(json.dumps(out))
"""


def test_readers_see_one_whole_load_while_others_are_published(
    small_study: Study, built: Path
) -> None:
    publish(staged_copy(built, 1, 1), small_study.folder)
    path = small_study.folder / "published" / "warehouse.duckdb"
    last = 5
    staged = [staged_copy(built, load_id, load_id) for load_id in range(2, last + 1)]
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, str(path), str(last)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
    for each in staged:
        publish(each, small_study.folder)
    for reader in readers:
        out = json.loads(reader.communicate(timeout=60)[0])
        assert out["reads"] > last
        assert (out["torn"], out["errors"], out["backward"]) == (0, 0, 0)


# Whole runs are killed by tests/trust/test_trust_crash_kill.py; `make trust` has all kills of loads too.
KILLS = 14 if os.environ.get("CARMONY_TRUST") == "full" else 8


def test_loads_killed_at_random_points_leave_the_old_or_the_new_state(small_study: Study) -> None:
    for number in range(12):
        ids = [f"{i:03d}" for i in range(number % 5 + 1)]
        small_study.one("DE01", f"d{number}", *ids)
    done = subprocess.run(
        [sys.executable, str(HERE / "kill_loop.py"), str(small_study.folder), str(KILLS), "7"],
        capture_output=True,
        text=True,
        check=False,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == KILLS, done.stderr[-2000:]
    assert all(entry["ended"] for entry in found), done.stderr[-2000:]
    assert all(entry["opens"] for entry in found)
    assert all(entry["whole"] for entry in found)
    # What the log calls published is published; a kill in between may leave one more.
    assert all(entry["load"] >= entry["acknowledged"] for entry in found)
    loads = [entry["load"] for entry in found]
    assert loads == sorted(loads)
    assert loads[-1] > loads[0]
    assert any(entry["left"] for entry in found)  # some were killed while they built
