"""What a warehouse holds of each center, as counts: kept for the audit of the next load.

The audit compares with what was published before. It is not read from the published file: an earlier
version of the program may have made that, its dates may be shifted, and of an old load no file is kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.suite import HERE

if TYPE_CHECKING:
    import duckdb

FORM = 1  # of the figures; a profile of another form is not compared with
NOW, BEFORE, BOUND, CHANGED = "audit_now", "audit_before", "audit_bound", "audit_changed"
_COLUMNS = "figure varchar, center_id varchar, name varchar, level varchar, n bigint"


Count = tuple[str, str, str, str | None, int]  # figure, center, name, level, n


@dataclass(frozen=True, slots=True)
class Profile:
    """Counts of one load: rows (figure, center, name, level, n), as `sql/profile.sql` says."""

    load_id: int
    rows: tuple[Count, ...]


def profile_path(folder: Path, load_id: int) -> Path:
    """Where the profile of a load stands in a folder of profiles."""
    return folder / f"{load_id:06d}.json"


def read_profile(path: Path) -> Profile | None:
    """The profile of a load; None if there is none, or one of another form."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        return None  # cut or damaged: what cannot be compared is told as not compared
    if not isinstance(content, dict) or content.get("form") != FORM:
        return None
    return Profile(int(content["load_id"]), tuple(tuple(row) for row in content["rows"]))


def write_profile(profile: Profile, folder: Path) -> Path:
    """Writes the profile of a load, whole or not at all; readable for its owner alone."""
    content = {"form": FORM, "load_id": profile.load_id, "rows": profile.rows}
    path = profile_path(folder, profile.load_id)
    temporary = folder.parent / f"{folder.name}-{profile.load_id}.tmp"
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return path


def take_profile(con: duckdb.DuckDBPyConnection, load_id: int, before: Profile | None) -> Profile:
    """Counts of the open warehouse; leaves them and those before as temporary tables.

    Args:
        con: the staged warehouse.
        load_id: the load that it holds.
        before: of the load that was published last.
    """
    statement = (HERE / "sql" / "profile.sql").read_text(encoding="utf-8")
    con.execute(f"create or replace temp table {NOW} ({_COLUMNS})").fetchall()
    con.execute(f"insert into {NOW} {statement}").fetchall()
    put_counts(con, BEFORE, before.rows if before else ())
    rows = con.execute(f"from {NOW} order by all").fetchall()
    return Profile(load_id, tuple(rows))


def put_counts(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    """Leaves rows of a profile as a temporary table."""
    _fill(con, table, _COLUMNS, rows)


def set_bounds(con: duckdb.DuckDBPyConnection, bounds: Mapping[str, Sequence[float]]) -> None:
    """Leaves the study's bounds of medians as a temporary table.

    Args:
        con: the staged warehouse.
        bounds: endpoint, or endpoint and group joined by a dot → lowest and highest months.
    """
    rows = [(*_parts(key), float(low), float(high)) for key, (low, high) in bounds.items()]
    _fill(con, BOUND, 'endpoint varchar, "group" varchar, low double, high double', rows)


def _parts(key: str) -> tuple[str, str | None]:
    endpoint, _, group = key.partition(".")
    return endpoint, group or None


def _fill(
    con: duckdb.DuckDBPyConnection, table: str, columns: str, rows: Sequence[Sequence[Any]]
) -> None:
    """One statement for all rows: a bound parameter for each would cost more than the audit."""
    con.execute(f"create or replace temp table {table} ({columns})").fetchall()
    if rows:
        lines = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
        con.execute(f"insert into {table} values {lines}").fetchall()


def literal(value: str | float | None) -> str:
    """A value of our own as SQL: an id, a name, a code or a number."""
    if value is None:
        return "null"
    if isinstance(value, (int, float)):
        return repr(value)
    return "'" + str(value).replace("\0", "").replace("'", "''") + "'"
