"""Statements of analysts: nothing outside the published file is read, nothing written, no setting changed."""

from __future__ import annotations

import hashlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from schemas.errors import CarmonyError
from tests.trust.load_module import load_module
from warehouse.connect import MOST_ROWS, open_published, query
from warehouse.query_apart import GRACE_SECONDS, query_apart

Record = Callable[..., None]
CANARY = "canary-7f3a"
HERE = Path(__file__).parent


ATTACKS: list[str] = load_module(HERE / "sql_attacks.py", "sql_attacks").ATTACKS


@dataclass
class Place:
    """A study with canaries around it, and an address that notes who calls."""

    study: Path
    names: dict[str, str]
    called: list[str] = field(default_factory=list)

    def state(self) -> dict[str, str]:
        """Every file in and around the study."""
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.study.parent.rglob("*"))
            if path.is_file()
        }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    root = tmp_path_factory.mktemp("sql")
    study = root / "study"
    vault, out = study / "vault", root / "out"
    for folder in (vault, out, study / "published"):
        folder.mkdir(parents=True)
    (vault / "pseudonym.key").write_text(CANARY)
    (root / "plain.txt").write_text(f"{CANARY}\n{CANARY}\n")
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT '{CANARY}' AS local_id) TO '{vault}/id_map.parquet'")
    for path in (root / "other.duckdb", study / "published" / "warehouse.duckdb"):
        with duckdb.connect(str(path)) as con:
            con.execute("CREATE SCHEMA core; CREATE SCHEMA meta")
            con.execute("CREATE TABLE meta.run AS SELECT 1 AS load_id")
            con.execute("CREATE TABLE core.subject AS SELECT 'MM-1' AS usubjid, 1960 AS birth_year")
    with duckdb.connect(str(root / "other.duckdb")) as con:
        con.execute(f"CREATE TABLE main.t AS SELECT '{CANARY}' AS x")
    server = socket.create_server(("127.0.0.1", 0))
    names = {
        "vault": str(vault), "out": str(out), "plain": str(root / "plain.txt"),
        "other": str(root / "other.duckdb"), "net": f"127.0.0.1:{server.getsockname()[1]}",
    }  # fmt: skip
    made = Place(study, names)

    def listen() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            connection.close()
            made.called.append("called")

    threading.Thread(target=listen, daemon=True).start()
    yield made
    server.close()


def _settings(con: Any) -> dict[str, str]:
    return dict(con.execute("SELECT name, value FROM duckdb_settings()").fetchall())


def test_no_statement_of_the_command_reaches_beyond_the_file(place: Place, figure: Record) -> None:
    SECRET_FRAME = [(CANARY,)]  # noqa: N806  (a variable that a replacement scan would find)
    before = place.state()
    answered = []
    for attack in ATTACKS:
        try:
            query(place.study, attack.format(**place.names))
            answered.append(attack)
        except CarmonyError as error:
            if CANARY in str(error) or "Traceback" in str(error):
                answered.append(attack)
    bad = len(answered) + len(place.called) + (place.state() != before)
    figure(
        "38",
        f"carmony sql: attack statements that were answered{' ' + str(answered) if answered else ''}",
        bad,
        len(ATTACKS),
    )
    assert SECRET_FRAME


def test_no_statement_of_the_documented_connection_reaches_beyond_the_file(
    place: Place, figure: Record
) -> None:
    SECRET_FRAME = [(CANARY,)]  # noqa: N806
    before = place.state()
    read, changed = [], []
    with open_published(place.study) as fresh:
        settings = _settings(fresh)  # those of every connection that is opened
    for attack in ATTACKS:
        con = open_published(place.study)
        try:
            try:
                told = str(con.execute(attack.format(**place.names)).fetchall())
            except (duckdb.Error, CarmonyError) as error:
                told = str(error)
            if CANARY in told:
                read.append(attack)
            if _settings(con) != settings:
                changed.append(attack)
        except duckdb.Error:
            changed.append(attack)  # the connection answers no more
        finally:
            con.close()
    wrote = place.state() != before
    figure(
        "38",
        f"documented connection: reads outside{' ' + str(read) if read else ''}",
        len(read),
        len(ATTACKS),
    )
    figure("38", "documented connection: files written or changed", int(wrote), len(ATTACKS))
    figure(
        "38",
        f"documented connection: settings changed{' ' + str(changed) if changed else ''}",
        len(changed),
        len(ATTACKS),
    )
    figure(
        "38, 45", "documented connection: calls over the network", len(place.called), len(ATTACKS)
    )
    assert SECRET_FRAME


def test_an_open_connection_falls_to_the_same_statements(place: Place) -> None:
    """The control: a connection that is read-only alone reads the canaries and takes settings."""
    read = changed = 0
    for attack in [a for a in ATTACKS if "{plain}" in a or "memory_limit" in a or "threads" in a]:
        if "COPY" in attack or "ATTACH" in attack:
            continue
        con = duckdb.connect(str(place.study / "published" / "warehouse.duckdb"), read_only=True)
        try:
            settings = _settings(con)
            read += CANARY in str(con.execute(attack.format(**place.names)).fetchall())
            changed += _settings(con) != settings
        except duckdb.Error:
            continue
        finally:
            con.close()
    assert read >= 10
    assert changed >= 3


# The first three end in the three ways that there are, and soon: CI tries these alone.
ENDS = ("was ended after 1 seconds", "Out of Memory", f"more than {MOST_ROWS:,} rows")
GREEDY = [
    "SELECT sum(a.range * b.range) FROM range(100000000) a, range(100000000) b",
    "SELECT count(DISTINCT repeat('x', 1000000) || range::VARCHAR) FROM range(3000)",
    "SELECT * FROM range(2000000)",
    "SELECT list(range) FROM range(300000000)",
    "SELECT repeat('x', 2000000000)",
    "SELECT count(DISTINCT hash(a.range, b.range)) FROM range(100000) a, range(10000) b",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
    "SELECT string_agg(range::VARCHAR, ',') FROM range(500000000)",
    "SELECT * FROM range(100000000) a ORDER BY hash(a.range) DESC",
    "SELECT list_sum(list_transform(range(1000000000), x -> x * 2))",
    "SELECT list_sum(list_transform(range(100000000), x -> list_sum(range(100))))",
]


def test_a_greedy_query_ends_by_time_memory_or_rows(
    place: Place, figure: Record, tries: Callable[[int, int], int]
) -> None:
    chosen = GREEDY[: tries(len(ENDS), len(GREEDY))]
    answered, told = [], []
    for number, statement in enumerate(chosen):
        # Memory and rows end a query before the time does, on a busy machine too.
        seconds = 60 if number in (1, 2) else 1
        try:
            query_apart(place.study, statement, timeout_seconds=seconds)
            answered.append(statement)
        except CarmonyError as error:
            told.append(str(error))
    figure(
        "32",
        f"greedy queries that were not ended{' ' + str(answered) if answered else ''}",
        len(answered),
        len(chosen),
    )
    assert all(end in text for end, text in zip(ENDS, told, strict=False))
    assert MOST_ROWS == 1_000_000


# Made in one piece: DuckDB looks for no interrupt, and counts none of the memory.
ONE_PIECE = "SELECT list_sum(list_transform(range({}), x -> list_sum(range(100))))"


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """What the processes of this test have in their environment."""
    monkeypatch.setenv("QUERIES_OF", str(tmp_path))
    return f"QUERIES_OF={tmp_path}"


def test_a_query_that_cannot_be_interrupted_is_killed_with_its_process(
    place: Place, mark: str
) -> None:
    start = time.monotonic()
    with pytest.raises(CarmonyError, match="was ended after 1 seconds"):
        query_apart(place.study, ONE_PIECE.format(50_000_000), timeout_seconds=1)
    assert time.monotonic() - start < 1 + GRACE_SECONDS + 5
    assert workers(mark) == []


def test_a_query_gets_no_more_memory_than_its_process_may_have(place: Place) -> None:
    with pytest.raises(CarmonyError, match=r"(?i)memory"):
        query_apart(place.study, "SELECT repeat('x', 3000000000)", most_bytes=2 * 1024**3)


def test_a_narrower_limit_that_was_set_before_stays(place: Place) -> None:
    words = "from pathlib import Path; from warehouse.query_apart import query_apart as q; import sys, resource\n"
    words += "resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30)); print(q(Path(sys.argv[1]), 'select 41 + 1').rows)"
    done = subprocess.run(
        [sys.executable, "-c", words, str(place.study)],
        capture_output=True, text=True, cwd=HERE.parents[1], check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("[(42,)]\n", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_a_query_at_once_and_leaves_no_process(
    place: Place, number: signal.Signals, mark: str
) -> None:
    command = [sys.executable, "-m", "flows.cli", "sql", str(place.study)]
    process = subprocess.Popen(
        [*command, ONE_PIECE.format(50_000_000)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=HERE.parents[1],
    )
    wait_until(lambda: workers(mark) != [])
    time.sleep(0.5)  # it is at work
    process.send_signal(number)
    _, told = process.communicate(timeout=10)
    wait_until(lambda: workers(mark) == [])
    if number != signal.SIGKILL:
        assert process.returncode == 4
        assert told.startswith("carmony: interrupted")


def workers(mark: str) -> list[str]:
    """Processes of a test that answer a query."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (place / "cmdline").read_bytes().split(b"\0")
            given = (place / "environ").read_bytes().split(b"\0")
            if b"warehouse.query_worker" in words and mark.encode() in given:
                found.append(place.name)
    return found


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_command_line_refuses_like_the_function(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    from flows.cli import main

    for attack in ATTACKS[:3]:
        assert main(["sql", str(place.study), attack.format(**place.names)]) != 0
    told = capsys.readouterr()
    assert CANARY not in told.out + told.err
    assert main(["sql", str(place.study), "SELECT 1 AS n", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)
