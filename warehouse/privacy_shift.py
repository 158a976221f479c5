"""Dates of a finished warehouse moved back by a number of days that is the patient's own.

Derivation, estimates and audit have been made with the real dates; only what is published is shifted, so
that every number stays what it is. All dates of a patient move by the same 1 to 364 days (HMAC of the
pseudonym under a key of the study), so intervals stay. Overwritten values stay in a DuckDB file, so the shifted
tables are copied into a new one.

Who is censored at the data cut would give the days away; these dates are left out of the analysis tables (times
stay). What stays a clue: a day that many patients of a center share, as a last contact on the day of an export.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import re
import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import schemas
from schemas.catalog import Catalog, load_catalog
from warehouse.paths import private_folder
from warehouse.pseudonyms import Pseudonymizer
from warehouse.sql_text import filled, name, quoted

if TYPE_CHECKING:
    import duckdb

MOST_DAYS = 364
_DAY = r"\d{4}-\d{2}-\d{2}"
_INSTANCES = ("query", "exception")
# A text that may hold a date in any form: as such texts are many, more is taken for one than is.
_WITH_DATE = (
    r"(?i)\d{1,4}\s?[./\-–]\s?\d{1,4}|\d{6,}|\b(?:19|20)\d{2}\b|[’']\d{2}\b"
    r"|(?:\b|\d)(?:${months})(?:\b|\d)|\b(?:KW|CW|Q[1-4])\b"
)


def days_back(key: bytes, usubjid: str) -> int:
    """How many days a patient's dates move back, 1 to 364; the same in every load."""
    digest = hmac.digest(key, usubjid.encode(), hashlib.sha256)
    return 1 + int.from_bytes(digest[:8], "big") % MOST_DAYS


def shift_dates(
    staged_file: Path,
    pseudonyms: Pseudonymizer,
    storage_version: str = "v1.4.0",
    catalog: Catalog | None = None,
) -> None:
    """Shifts the dates of all patients; the file is replaced by one that never held the real ones.

    Args:
        staged_file: A built and audited warehouse, closed.
        pseudonyms: Of the study; its key decides the days.
        storage_version: Oldest DuckDB that can read the file.
        catalog: Canonical tables; default the project's.
    """
    import duckdb

    fresh = private_folder(staged_file.parent) / f"{staged_file.name}.shifted"
    fresh.unlink(missing_ok=True)
    declared = catalog or load_catalog()
    con = duckdb.connect(str(staged_file), config={"memory_limit": "1GB", "threads": 1})
    try:
        tables = _tables(con)
        _days(con, tables, pseudonyms.key_for("dates"))
        for schema, table, column, dates in tables:
            if dates:
                _shift_columns(con, f"{name(schema)}.{name(table)}", column, dates)
        _shift_texts(con, declared)
        _leave_out_texts(con, declared)
        con.execute("DROP TABLE temp.days_back").fetchall()
        con.execute("CHECKPOINT").fetchall()
        con.execute(
            f"ATTACH {quoted(str(fresh))} AS shifted (STORAGE_VERSION {quoted(storage_version)})"
        ).fetchall()
        con.execute(f"COPY FROM DATABASE {name(staged_file.stem)} TO shifted").fetchall()
        con.execute("CHECKPOINT shifted").fetchall()
        con.execute("DETACH shifted").fetchall()
    finally:
        con.close()
    fresh.chmod(0o600)
    shutil.move(fresh, staged_file)


def _tables(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str, list[str]]]:
    """Schema, table, column of the pseudonym and columns of dates, of tables on patients."""
    rows = con.execute(
        "SELECT schema_name, table_name, "
        "first(column_name) FILTER (WHERE lower(column_name) = 'usubjid'), "
        "coalesce(list(column_name ORDER BY column_index) FILTER (WHERE data_type = 'DATE'), []) "
        "FROM duckdb_columns() JOIN duckdb_tables() USING (schema_name, table_name) "
        "WHERE NOT duckdb_columns.internal GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return [(schema, table, column, dates) for schema, table, column, dates in rows if column]


def _days(
    con: duckdb.DuckDBPyConnection, tables: list[tuple[str, str, str, list[str]]], key: bytes
) -> None:
    """Temporary table `days_back`: pseudonym and days."""
    each = [f"SELECT {name(c)}::VARCHAR AS u FROM {name(s)}.{name(t)}" for s, t, c, _ in tables]
    found = con.execute(f"SELECT DISTINCT u FROM ({' UNION ALL '.join(each)}) WHERE u IS NOT NULL")
    rows = ", ".join(
        f"({quoted(one)}, {days_back(key, one)})" for (one,) in sorted(found.fetchall())
    )
    con.execute("CREATE TEMP TABLE days_back (usubjid VARCHAR, days INTEGER)").fetchall()
    if rows:
        con.execute(f"INSERT INTO days_back VALUES {rows}").fetchall()


def _shift_columns(
    con: duckdb.DuckDBPyConnection, target: str, column: str, dates: list[str]
) -> None:
    moved = ", ".join(
        f"{name(date)} = CASE WHEN {name(date)} <> c.day THEN {name(date)} - d.days END"
        for date in dates
    )
    con.execute(
        f"UPDATE {target} t SET {moved} FROM days_back d, {_known_day(target)} c "
        f"WHERE t.{name(column)}::VARCHAR = d.usubjid"
    ).fetchall()


def _known_day(target: str) -> str:
    """The day that would tell how far a patient's dates moved: who is censored at the data cut has it.

    In the analysis such dates are left out; in `core` no date is (an impossible day stands for none).
    """
    if target.startswith(name("analysis")):
        return "(SELECT data_cut AS day FROM meta.run)"
    return "(SELECT DATE '0001-01-01' AS day)"


def _leave_out_texts(con: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Words of a center with a date in them (a regimen as written) go: drugs, codes and dates stay."""
    dated = quoted(_pattern_of_dates())
    for table in catalog.tables.values():
        for column in table.columns:
            if column.kind != "text" or column.required or column.private:
                continue
            text = name(column.name)
            con.execute(
                f"UPDATE core.{name(table.name)} SET {text} = NULL WHERE regexp_matches({text}, {dated})"
            ).fetchall()
            con.execute(
                f'UPDATE quality.finding_field SET understood = NULL WHERE "table" = {quoted(table.name)} '
                f'AND "column" = {quoted(column.name)} AND regexp_matches(understood, {dated})'
            ).fetchall()


@cache
def _pattern_of_dates() -> str:
    """Digits as dates have them, a month or a week, in the languages of `date_words.csv`."""
    path = Path(schemas.__file__).parent / "vocabularies" / "date_words.csv"
    with path.open(encoding="utf-8", newline="") as file:
        words = {row["spelling"] for row in csv.DictReader(file) if row["kind"] == "month"}
    months = "|".join(sorted((re.escape(word) for word in words), key=len, reverse=True))
    return filled(_WITH_DATE, {"months": months})


def _shift_texts(con: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Dates written as text: values understood, and keys of records. What cannot be shifted goes."""
    columns = ", ".join(
        f"({quoted(table.name)}, {quoted(column.name)})"
        for table in catalog.tables.values()
        for column in table.columns
        if column.kind == "date"
    )
    con.execute(
        "UPDATE quality.finding_field t SET understood = ("
        f"SELECT CASE WHEN regexp_full_match(t.understood, {quoted(_DAY)}) "
        "THEN strftime(t.understood::DATE - d.days, '%Y-%m-%d') END "
        "FROM quality.finding f LEFT JOIN days_back d ON d.usubjid = f.usubjid "
        "WHERE f.delivery_key = t.delivery_key AND f.finding_id = t.finding_id) "
        f'WHERE ("table", "column") IN ({columns})'
    ).fetchall()
    for table in _INSTANCES:
        day = f"regexp_extract(t.instance, {quoted(_DAY)})"
        con.execute(
            f"UPDATE quality.{table} t SET instance = CASE "
            f"WHEN len(regexp_extract_all(t.instance, {quoted(_DAY)})) = 1 AND d.days IS NOT NULL "
            f"THEN replace(t.instance, {day}, strftime({day}::DATE - d.days, '%Y-%m-%d')) END "
            "FROM (SELECT q.query_id, s.days FROM "
            f"quality.{table} q LEFT JOIN days_back s ON s.usubjid = q.usubjid) d "
            f"WHERE d.query_id = t.query_id AND regexp_matches(t.instance, {quoted(_DAY)})"
        ).fetchall()
