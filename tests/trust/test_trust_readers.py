"""Readers while loads are published, states gone by, and damaged files: every answer is of one load."""

from __future__ import annotations

import datetime as dt
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.flows import small_study
from tests.trust import crash_runs as crash
from tests.trust.crash_runs import Server

Tries = Callable[[int, int], int]
READERS = 4
# Asks again and again, as analysts do: half through our own connection, half through DuckDB's. Each
# look is two reads in one session; the answers of every load are judged when all has been published.
READER = """
import json, sys, time
from pathlib import Path
import duckdb
from warehouse.connect import connect

SQL = '''SELECT (SELECT load_id FROM meta.run), (SELECT max(load_id) FROM quality.load),
  (SELECT count(*) FROM core.subject), (SELECT count(*) FROM core.response),
  (SELECT count(*) FROM analysis.adsl), (SELECT sum(CNSR) FROM analysis.adtte),
  (SELECT count(*) FROM quality.query), (SELECT count(*) FROM quality.delivery)'''
study, stop, own = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "1"
pause = float(sys.argv[4])
seen, reads, errors, changed, back, last = set(), 0, [], 0, 0, 0
print("ready", flush=True)
ending = False
while True:
    if ending:
        break
    ending = stop.exists()  # one more look after the last load
    try:
        file = study / "published" / "warehouse.duckdb"
        con = connect(study) if own else duckdb.connect(
            str(file), read_only=True, config={"threads": 1}
        )
        first = con.execute(SQL).fetchall()[0]
        time.sleep(pause)
        second = con.execute(SQL).fetchall()[0]
        con.close()
    except Exception as error:
        errors.append(repr(error)[:300])
        continue
    reads += 2
    seen.add(first)
    changed += first != second
    back += first[0] < last
    last = first[0]
    time.sleep(pause)
print(json.dumps(dict(reads=reads, errors=errors, changed=changed, back=back, seen=sorted(seen))))
"""
FACTS = READER.split("'''")[1]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readers")


@pytest.fixture(scope="module")
def server() -> Server:
    return crash.server()


def load(server: Server, study: Path, out: Path) -> None:
    """A run that publishes, without estimates and report: they are no part of what readers meet."""
    code = server.wait(server.start("run", str(study), "--no-report", out=out, judge=False))
    assert code == 0, out.read_text(encoding="utf-8")


def deliver(study: Path, number: int) -> None:
    """What was never sent before: patients come and go one by one, and were seen a day later."""
    day = dt.timedelta(days=number)
    folder = small_study.deliver(
        study, "AA01", str(dt.date(2024, 7, 1) + day), patients=14 - abs(number % 14 - 7)
    )
    path = folder / "follow_up.csv"
    seen = path.read_text(encoding="utf-8").replace("2024-06-01", str(dt.date(2024, 6, 1) + day))
    path.write_text(seen, encoding="utf-8")


def facts(study: Path) -> tuple[Any, ...]:
    """What a reader has to see of the load that stands now."""
    con = duckdb.connect(str(study / "published" / "warehouse.duckdb"), read_only=True)
    found: tuple[Any, ...] = con.execute(FACTS).fetchall()[0]
    con.close()
    return found


def faults_of_readers(told: list[dict[str, Any]], expected: dict[int, tuple[Any, ...]]) -> int:
    """How many reads failed, mixed loads, changed inside a session or went back."""
    wrong = 0
    for reader in told:
        wrong += len(reader["errors"]) + reader["changed"] + reader["back"]
        wrong += sum(expected.get(seen[0]) != tuple(seen) for seen in reader["seen"])
    return wrong


def test_readers_meet_no_error_and_every_answer_is_of_one_load(
    place: Path, server: Server, tries: Tries, figure: Callable[..., None]
) -> None:
    study = small_study.make_study(place / "study", ("AA01",))
    load(server, study, place / "out")
    expected = {1: facts(study)}
    contents = {1: server.content(study / "published" / "warehouse.duckdb")["content"]}
    stop = place / "stop"
    n = tries(2, 200)
    pause = "0.3" if n == 2 else "0.01"  # the readers leave a busy machine to the loads
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, str(study), str(stop), str(number % 2), pause],
            stdout=subprocess.PIPE,
            text=True,
            cwd=crash.ROOT,
        )
        for number in range(READERS)
    ]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
    try:
        for number in range(n):
            shutil.rmtree(study / "inbox" / "AA01")
            deliver(study, number)
            load(server, study, place / "out")
            expected[number + 2] = facts(study)
            if number >= n - 8:
                contents[number + 2] = server.content(study / "published" / "warehouse.duckdb")[
                    "content"
                ]
    finally:
        stop.touch()
    told = [json.loads(reader.communicate(timeout=120)[0]) for reader in readers]
    reads = sum(reader["reads"] for reader in told)
    wrong = faults_of_readers(told, expected)
    print(
        n, "publishes", reads, "reads", [len(r["seen"]) for r in told], [r["errors"] for r in told]
    )

    assert len(set(expected.values())) == n + 1
    assert all(tuple(reader["seen"][-1]) == expected[n + 1] for reader in told)
    figure("3, 4", f"reads by {READERS} readers of {n} publishes", wrong, reads, "one load each")
    history = {int(f.stem): f for f in (study / "published" / "history").glob("*.duckdb")}
    kept = [number for number in history if number in contents]
    moved = sum(server.content(history[number])["content"] != contents[number] for number in kept)
    figure("18, 19", "states gone by, as they were published", moved, len(kept), "equal")


def test_the_campaign_sees_a_mixed_answer_an_error_and_a_load_that_goes_back() -> None:
    good = {"errors": [], "changed": 0, "back": 0, "seen": [[1, 5], [2, 6]]}

    assert faults_of_readers([good], {1: (1, 5), 2: (2, 6)}) == 0
    assert faults_of_readers([{**good, "seen": [[1, 6]]}], {1: (1, 5), 2: (2, 6)}) == 1
    assert faults_of_readers([{**good, "seen": [[3, 6]]}], {1: (1, 5)}) == 1
    assert faults_of_readers([{**good, "errors": ["x"], "back": 1, "changed": 1}], {}) == 5


def test_a_damaged_warehouse_is_refused_or_answers_as_before(
    place: Path, server: Server, tries: Tries, figure: Callable[..., None]
) -> None:
    warehouse = place / "study" / "published" / "warehouse.duckdb"
    whole = warehouse.read_bytes()
    right = server.content(warehouse)
    chance = random.Random(13)
    copy = place / "damaged.duckdb"
    silent = seen = 0
    n = tries(12, 360)
    for number in range(n):
        damaged = bytearray(whole)
        if number % 6 == 5:  # a copy that was cut off
            del damaged[chance.randrange(1, len(whole)) :]
        else:
            damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        copy.write_bytes(damaged)
        found = server.content(copy)
        silent += "content" in found and found != right
        seen += found != right
    assert seen > n // 3
    figure("13", "flipped bits and cut copies of a warehouse", silent, n, "no other answer")


def test_a_published_warehouse_has_no_index_and_no_log_beside_it(place: Path) -> None:
    """No index in it that could disagree with its table, and nothing to be replayed beside it."""
    warehouse = place / "study" / "published" / "warehouse.duckdb"
    con = duckdb.connect(str(warehouse), read_only=True)
    indexes = con.execute("SELECT count(*) FROM duckdb_indexes()").fetchall()
    con.close()

    assert indexes == [(0,)]
    assert sorted(p.name for p in warehouse.parent.glob("warehouse*")) == ["warehouse.duckdb"]


def test_the_warehouse_can_be_taken_out_as_parquet_and_read_without_duckdb(place: Path) -> None:
    warehouse = place / "study" / "published" / "warehouse.duckdb"
    con = duckdb.connect(str(warehouse), read_only=True)
    tables = con.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() ORDER BY ALL"
    ).fetchall()
    for schema, table in tables:
        file = place / f"{schema}.{table}.parquet"
        con.execute(f"COPY {schema}.\"{table}\" TO '{file}' (FORMAT parquet)").fetchall()
        (rows,) = con.execute(f'SELECT count(*) FROM {schema}."{table}"').fetchall()
        assert pl.read_parquet(file).height == rows[0], table
    con.close()
