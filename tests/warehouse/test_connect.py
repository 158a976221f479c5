"""What analysts can ask of a published warehouse, and what they cannot do with it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import duckdb
import pytest

from schemas.errors import CarmonyError, StudyError
from warehouse.connect import connect, open_published, published_load, query

Study = Any


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, module_study: Any) -> Path:
    """A study with one load, shared by the tests of this file: they only read."""
    study = module_study(tmp_path_factory.mktemp("connect") / "study [1]")
    study.load(study.one("DE01", "a", "001", "002", "003"))
    folder: Path = study.folder
    return folder


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) AS n FROM core.subject",
        "select count(*) n from core.subject;",
        "-- how many\nWITH s AS (FROM core.subject) SELECT count(*) AS n FROM s",
        "FROM (SELECT count(*) AS n FROM analysis.adsl)",
        "VALUES (3)",
    ],
)
def test_reading_statements_are_answered_with_the_load(published: Path, statement: str) -> None:
    result = query(published, statement)
    assert result.rows == [(3,)]
    assert result.load_id == 1


@pytest.mark.parametrize(
    "statement",
    ["DESCRIBE core.subject", "SHOW ALL TABLES", "SUMMARIZE core.subject", "EXPLAIN SELECT 1"],
)
def test_statements_about_the_tables_are_answered(published: Path, statement: str) -> None:
    assert len(query(published, statement).rows) > 0


def test_columns_have_names_and_types(published: Path) -> None:
    result = query(published, "SELECT usubjid, birth_year FROM core.subject LIMIT 1")
    assert result.columns == ("usubjid", "birth_year")
    assert result.types == ("VARCHAR", "INTEGER")


OTHER_THAN_READING = [
    "INSERT INTO core.subject FROM core.subject",
    "UPDATE core.subject SET birth_year = 1",
    "DELETE FROM core.subject",
    "DELETE FROM core.subject RETURNING *",
    "DROP TABLE core.subject",
    "CREATE TABLE t (a INT)",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CREATE VIEW v AS SELECT 1",
    "CREATE SECRET s (TYPE s3)",
    "CREATE OR REPLACE PERSISTENT SECRET s (TYPE http)",
    "ALTER TABLE core.subject ADD COLUMN x INT",
    "COPY core.subject TO '{folder}/out.csv'",
    "COPY (SELECT 1) TO '{folder}/out.parquet'",
    "EXPORT DATABASE '{folder}/out'",
    "IMPORT DATABASE '{folder}/out'",
    "ATTACH '{folder}/other.duckdb'",
    "ATTACH '{vault}/id_map.parquet' AS v",
    "DETACH warehouse",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET enable_external_access",
    "SET memory_limit = '100GB'",
    "SET log_query_path = '{folder}/log.txt'",
    "PRAGMA enable_profiling",
    "PRAGMA profiling_output = '{folder}/p.json'",
    "CHECKPOINT",
    "FORCE CHECKPOINT",
    "VACUUM",
    "USE core",
    "BEGIN",
    "CALL pragma_version()",
    "PREPARE p AS SELECT 1",
    "SELECT 1; DROP TABLE core.subject",
    "SELECT 1; SELECT 2",
    "",
    "   -- nothing",
]
REFUSED_BY_THE_LOCK = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('{vault}/pseudonym.key')",
    "SELECT * FROM read_parquet('{vault}/id_map.parquet')",
    "SELECT * FROM '{vault}/id_map.parquet'",
    "SELECT * FROM read_json('{vault}/log/loads.jsonl')",
    "SELECT * FROM glob('{vault}/*')",
    "SELECT * FROM parquet_metadata('{vault}/id_map.parquet')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM 'http://192.0.2.1/x.csv'",
    "SELECT * FROM SECRET_FRAME",
    "SELECT getenv('CARMONY_KEY')",
    "SELECT * FROM query('DROP TABLE core.subject')",
    "FROM query_table('SECRET_FRAME')",
    "SELECT nextval('s')",
    "EXPLAIN ANALYZE COPY core.subject TO '{folder}/out.csv'",
    "EXPLAIN ANALYZE DELETE FROM core.subject",
    "SELECT * FROM write_log('x') WHERE false AND read_text('/etc/passwd') IS NULL",
]


@pytest.mark.parametrize("statement", OTHER_THAN_READING + REFUSED_BY_THE_LOCK)
def test_attacks_are_refused_with_one_message_and_change_nothing(
    published: Path, tmp_path: Path, statement: str
) -> None:
    SECRET_FRAME = [(1,)]  # noqa: N806  (a variable that a replacement scan would find)
    before = _state(published)
    text = statement.format(folder=tmp_path, vault=published / "vault")
    with pytest.raises(CarmonyError) as error:
        query(published, text)
    assert "Traceback" not in str(error.value)
    assert len(str(error.value)) < 900
    assert "root:" not in str(error.value)
    assert _state(published) == before
    assert list(tmp_path.iterdir()) == []
    assert SECRET_FRAME


def _state(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    "statement",
    [
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "INSERT INTO core.subject FROM core.subject",
        "COPY core.subject TO '/tmp/out.csv'",
        "ATTACH '/tmp/x.duckdb'",
        "INSTALL httpfs",
        "SELECT * FROM read_text('/etc/passwd')",
    ],
)
def test_the_connection_itself_is_locked(published: Path, statement: str) -> None:
    con = connect(published)
    try:
        with pytest.raises(duckdb.Error):
            con.execute(statement).fetchall()
        assert con.execute("SELECT count(*) FROM core.subject").fetchall() == [(3,)]
    finally:
        con.close()


def test_the_locked_connection_refuses_the_vault_because_of_the_lock(published: Path) -> None:
    """The control: an open connection reads the same file."""
    path = published / "vault" / "id_map.parquet"
    link = published.parent / "plain.parquet"
    if not link.is_symlink():
        link.symlink_to(path)
    statement = f"SELECT count(*) FROM read_parquet('{link}')"
    with duckdb.connect() as control:
        assert control.execute(statement).fetchall() == [(3,)]
    with pytest.raises(CarmonyError, match=r"[Pp]ermission|disabled"):
        query(published, statement)


def test_a_pivot_names_its_values(published: Path) -> None:
    table = "(SELECT 'a' AS k)"
    assert query(published, f"PIVOT {table} ON k IN ('a') USING count(*)").rows == [(1,)]
    with pytest.raises(CarmonyError, match="this PIVOT makes a type first"):
        query(published, f"PIVOT {table} ON k USING count(*)")


def test_a_query_that_takes_too_long_is_ended(published: Path) -> None:
    slow = "SELECT count(*) FROM range(100000000) a, range(100000) b WHERE a.range * b.range = 7"
    with pytest.raises(CarmonyError, match="ended after 0 seconds"):
        query(published, slow, timeout_seconds=0.3)


def test_a_query_that_takes_too_much_memory_ends_with_a_message(published: Path) -> None:
    greedy = "SELECT list(range) FROM range(300000000)"
    with pytest.raises(CarmonyError, match=r"[Mm]emory"):
        query(published, greedy)


def test_a_wrong_column_is_told_without_a_traceback(published: Path) -> None:
    with pytest.raises(CarmonyError) as error:
        query(published, "SELECT usubjit FROM core.subject")
    assert "usubjid" in str(error.value)
    assert "LINE 1" not in str(error.value)


def test_a_study_that_was_never_run_says_what_to_do(tmp_path: Path) -> None:
    assert published_load(tmp_path) is None
    with pytest.raises(StudyError, match="carmony run"):
        query(tmp_path, "SELECT 1")


def test_a_warehouse_file_can_be_asked_by_its_path(published: Path) -> None:
    path = published / "published" / "warehouse.duckdb"
    assert query(path, "SELECT count(*) FROM core.subject").rows == [(3,)]


def test_a_file_that_another_program_writes_into_is_told(published: Path, tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    path.write_bytes(b"no database")
    with pytest.raises(StudyError, match="cannot be opened"):
        connect(path)
    assert os.access(path, os.R_OK)


def test_a_file_that_the_program_has_open_with_other_settings_is_told_so(published: Path) -> None:
    con = duckdb.connect(str(published / "published" / "warehouse.duckdb"), read_only=True)
    try:
        with pytest.raises(StudyError, match="open in this program already"):
            connect(published)
    finally:
        con.close()


def test_an_open_warehouse_gives_nothing_that_does_more_than_read(published: Path) -> None:
    with open_published(published) as con:
        assert con.query("SELECT 1 AS one").fetchall() == [(1,)]
        with con.cursor() as other:
            assert other.execute("SELECT 2").fetchall() == [(2,)]
            with pytest.raises(CarmonyError):
                other.execute("FROM enable_logging\u200b()")
        for name in (
            "register",
            "begin",
            "table_function",
            "load_extension",
            "append",
            "from_query",
        ):
            with pytest.raises(AttributeError, match="for reading"):
                getattr(con, name)
