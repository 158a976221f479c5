"""Read-only, locked connections to a published warehouse, and single queries for the command line.

A locked connection reads its one file and nothing else: no other files, no network, no settings, no
variables of the calling program. It is no boundary against the person at the keyboard, who can open
the file with any DuckDB; that is why the published file holds only what analysts may see.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import CarmonyError, StudyError
from warehouse.paths import StudyPaths
from warehouse.soundness import damaged, is_damage

if TYPE_CHECKING:
    import duckdb

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "allow_community_extensions": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "memory_limit": "1GB",
    "threads": 2,
    "lock_configuration": "true",
}
_READING = frozenset({"SELECT", "EXPLAIN", "RELATION"})
_FETCHING = frozenset(
    {
        "fetchone", "fetchmany", "fetchall", "fetchdf", "fetch_df", "fetch_df_chunk", "fetchnumpy",
        "fetch_arrow_table", "fetch_record_batch", "df", "pl", "arrow", "torch", "tf",
        "description", "rowcount", "query_progress", "interrupt", "close",
    }
)  # fmt: skip
MOST_ROWS = (
    1_000_000  # of an answer: as Python objects rows take many times the memory that DuckDB counts
)
_CHUNK = 10_000
TIMEOUT_SECONDS = 300.0
_GAP = r"(?:\s|/\*.*?\*/|--[^\n]*\n)*"
# Functions that the lock of DuckDB lets change its settings, and those that run a text as a statement.
_ACTING = re.compile(
    r"\b(enable_logging|disable_logging|truncate_duckdb_logs|write_log|enable_profiling|disable_profiling"
    r"|checkpoint|force_checkpoint|query|json_execute_serialized_sql|from_substrait|from_substrait_json)"
    rf'"?{_GAP}\(',
    re.IGNORECASE | re.DOTALL,
)
_EXPLAIN = re.compile(
    rf"^{_GAP}explain\b{_GAP}(?:analyze\b{_GAP})?(?:\([^)]*\){_GAP})?", re.IGNORECASE | re.DOTALL
)


class Published:
    """A published warehouse to read with: `execute`, `sql` and `query` take one reading statement each.

    What fetches answers is that of DuckDB's connection (`fetchall`, `pl`, `df`, `description`, `interrupt`,
    `close`); what else a connection can do is left out.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con

    def execute(self, statement: str) -> Published:
        """Runs a statement; fetch its rows from what is returned.

        Raises:
            CarmonyError: It is not one reading statement.
        """
        _refuse_other_than_reading(self._con, statement)
        self._con.execute(statement)
        return self

    def sql(self, statement: str) -> duckdb.DuckDBPyRelation:
        """The answer as a relation of DuckDB. Raises as `execute`."""
        _refuse_other_than_reading(self._con, statement)
        return self._con.sql(statement)

    query = sql

    def cursor(self) -> Published:
        """Another connection to the same file, for a thread of its own."""
        return Published(self._con.cursor())

    def __getattr__(self, name: str) -> Any:
        if name not in _FETCHING:
            raise AttributeError(f"an open published warehouse has no '{name}': it is for reading")
        return getattr(self._con, name)

    def __enter__(self) -> Published:
        return self

    def __exit__(self, *_: object) -> None:
        self._con.close()


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The answer of one statement. `load_id` says which state of the study it is about."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    load_id: int


def warehouse_file(place: Path, as_of: int | None = None) -> Path:
    """The published file of a study folder, of a load if given; or the file itself.

    Raises:
        StudyError: Nothing is published, or that load is not kept.
    """
    if place.is_file():
        return place
    paths = StudyPaths(place)
    if not paths.warehouse.is_file():
        raise StudyError(
            f"Study '{place.name}' has no published warehouse.", fix="run 'carmony run' first"
        )
    if as_of is None or as_of == _load_of(paths.warehouse):
        return paths.warehouse
    kept = paths.history / f"{as_of:06d}.duckdb"
    if not kept.is_file():
        loads = ", ".join(str(int(f.stem)) for f in sorted(paths.history.glob("*.duckdb")))
        raise StudyError(
            f"The published state of load {as_of} is not kept; kept are: {loads or 'none'}.",
            fix="name one of them, or leave --as-of out for the newest",
        )
    return kept


def connect(place: Path, as_of: int | None = None) -> duckdb.DuckDBPyConnection:
    """A read-only, locked connection to the published warehouse; drain every result.

    Args:
        place: The study folder, or a warehouse file.
        as_of: The load whose published state is wanted; default the newest.

    Raises:
        StudyError: Nothing is published, or that load is not kept.
    """
    import duckdb

    path = warehouse_file(Path(place), as_of)
    try:
        return duckdb.connect(str(path), read_only=True, config=dict(_CONFIG))
    except duckdb.Error as error:
        raise _cannot_open(path, error) from None


def open_published(place: str | Path, as_of: int | None = None) -> Published:
    """The published warehouse for analyses in Python: read-only, locked, reading statements alone.

    Args:
        place: The study folder, or a warehouse file.
        as_of: The load whose published state is wanted; default the newest.

    Raises:
        StudyError: Nothing is published, or that load is not kept.
    """
    return Published(connect(Path(place), as_of))


def _cannot_open(path: Path, error: Exception) -> StudyError:
    """DuckDB tells a file that may not be read as it tells one that another program holds."""
    try:
        path.open("rb").close()
    except OSError as denied:
        return StudyError(
            f"'{path.name}' cannot be read: {denied.strerror}.",
            fix="ask the owner of the study folder for the right to read its folder 'published'",
        )
    if "different configuration" in str(error):
        return StudyError(
            f"'{path.name}' is open in this program already, with other settings.",
            fix="close that connection first, or go on with it",
        )
    if is_damage(error):
        return damaged(path)
    return StudyError(
        f"'{path.name}' cannot be opened: {_trimmed(error)}",
        fix="close programs that have it open for writing",
    )


def query(
    place: Path,
    statement: str,
    as_of: int | None = None,
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> QueryResult:
    """The answer of one reading statement. `query_apart` ends what cannot be interrupted, too.

    Args:
        place: The study folder, or a warehouse file.
        statement: One SELECT, WITH, FROM, SHOW, DESCRIBE, SUMMARIZE or EXPLAIN.
        as_of: The load whose published state is asked.
        timeout_seconds: After that the query is ended.

    Raises:
        CarmonyError: It is not one reading statement, is wrong, takes too long or too much memory,
            or has more than `MOST_ROWS` rows; the message is DuckDB's, without a traceback.
    """
    import duckdb

    con = connect(place, as_of)
    timer = threading.Timer(timeout_seconds, con.interrupt)
    try:
        _refuse_other_than_reading(con, statement)
        load_id = int(con.execute("SELECT load_id FROM meta.run").fetchall()[0][0])
        timer.start()
        cursor = con.execute(statement)
        described = cursor.description or []
        rows = _fetched(cursor)
    except duckdb.InterruptException:
        raise too_long(timeout_seconds) from None
    except duckdb.OutOfMemoryException:  # its words advise settings, which are locked
        raise CarmonyError(
            "Out of Memory: the query takes more than there is for it.",
            fix="ask for less: count, group, or add LIMIT",
        ) from None
    except duckdb.Error as error:
        if is_damage(error):
            raise damaged(warehouse_file(Path(place), as_of)) from None
        raise CarmonyError(_trimmed(error), fix="correct the statement") from None
    finally:
        con.interrupt()  # after a signal it may still be at work, and closing waits for it
        con.close()
        timer.cancel()
    columns = tuple(str(entry[0]) for entry in described)
    return QueryResult(columns, tuple(str(entry[1]) for entry in described), rows, load_id)


def too_long(seconds: float) -> CarmonyError:
    """The message for a query that took more than its time."""
    return CarmonyError(f"The query was ended after {seconds:.0f} seconds.", fix="ask for less")


def _fetched(cursor: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    while chunk := cursor.fetchmany(_CHUNK):
        rows += chunk
        if len(rows) > MOST_ROWS:
            raise CarmonyError(
                f"The answer has more than {MOST_ROWS:,} rows.", fix="count, group, or add LIMIT"
            )
    return rows


def published_load(study_folder: Path) -> int | None:
    """The load that the published file holds; None if nothing is published."""
    path = StudyPaths(study_folder).warehouse
    return _load_of(path) if path.is_file() else None


def _load_of(path: Path) -> int:
    con = connect(path)
    try:
        return int(con.execute("SELECT load_id FROM meta.run").fetchall()[0][0])
    finally:
        con.close()


def _refuse_other_than_reading(con: duckdb.DuckDBPyConnection, statement: str) -> None:
    statements = con.extract_statements(statement)
    if len(statements) > 1 and re.search(r"\bpivot", statement, re.IGNORECASE):
        # DuckDB makes a type of the values first where a PIVOT does not name them.
        raise CarmonyError(
            "Only reading statements are answered; this PIVOT makes a type first, or more follows it.",
            fix="of a PIVOT, name the values: PIVOT ... ON column IN ('a', 'b') USING ...",
        )
    if len(statements) != 1:
        raise CarmonyError(
            f"{len(statements)} statements were given; one is wanted.",
            fix="give a single SELECT, and put it in quotes",
        )
    kind = statements[0].type.name
    seen = _with_plain_spaces(statement)
    if kind == "EXPLAIN":
        _refuse_other_than_reading(con, _EXPLAIN.sub("", seen, count=1))
    elif kind not in _READING:
        raise CarmonyError(
            f"Only reading statements are answered; this is {kind.replace('_', ' ')}.",
            fix="use SELECT, WITH, FROM, SHOW, DESCRIBE, SUMMARIZE or EXPLAIN",
        )
    if found := _ACTING.search(seen):
        raise CarmonyError(
            f"The function '{found[1].lower()}' does more than read.", fix="ask without it"
        )


def _with_plain_spaces(statement: str) -> str:
    """What DuckDB reads: it takes characters for spaces that a pattern does not (U+200B, U+2060, U+FEFF)."""
    return "".join(
        " " if not char.isascii() and unicodedata.category(char)[0] in "CZ" else char
        for char in statement
    )


def _trimmed(error: Exception) -> str:
    """DuckDB's message without the lines that repeat the statement."""
    lines = str(error).strip().splitlines() or ["the query failed"]
    kept = [line for line in lines if line.strip() and not line.startswith(("LINE ", " "))]
    return " ".join(kept[:4])[:600]
