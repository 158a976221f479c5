"""Fills the `core` tables: the rows of all current deliveries, under pseudonyms.

One INSERT per table reads all its Parquet files. Ids of sources and mapping blocks count from 1 in
each delivery; adding a delivery's shift makes them unique in the study.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.catalog import Catalog, Table
from schemas.errors import AuditStoppedError
from warehouse.ddl import (
    MOST_UNITS,
    WarehouseColumn,
    comments,
    create_table,
    identity_columns,
    own_columns,
)
from warehouse.sql_text import name, one_transaction, quoted
from warehouse.staged_files import LinkedDelivery, existing, parquet

if TYPE_CHECKING:
    import duckdb

SMALL_BYTES = 8_000_000  # of Parquet; such tables are written in one transaction
# Each method is tried on every column of every row group. Without these a large table of codes and
# measurements is written with a tenth less work, and as small (measured with DuckDB 1.5).
_COSTLY = "alprd,rle,fsst,dict_fsst,zstd,roaring"
# Codes of at most so many values are looked up; a list is searched from its start.
_MOST_LOOKED_UP = 100


def fill_core(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, deliveries: Sequence[LinkedDelivery]
) -> dict[str, tuple[WarehouseColumn, ...]]:
    """Creates and fills every core table; gives the columns of each.

    Temporary tables `delivery_shift` and `id_map` must be there (`keys.py`).

    Raises:
        AuditStoppedError: A staged row holds a code outside its codelist or has no patient.
    """
    current = [d for d in deliveries if d.staged.current]
    centers = sorted({d.staged.center_id for d in current})
    _patient_keys(con)
    out = {}
    with one_transaction(con):
        for table in catalog.tables.values():
            files = existing(current, f"core/{table.name}.parquet")
            own = own_columns(table, catalog, _units(con, table, files))
            columns = (*identity_columns(centers or ["none"]), *own)
            made = create_table("core", table.name, columns)
            told = comments("core", table.name, table.description, columns)
            con.execute(";".join([made, *told])).fetchall()
            out[table.name] = columns
        large = [t for t in catalog.tables.values() if not _is_small(t, current)]
        for table in catalog.tables.values():
            if table not in large:
                _fill(con, table, out[table.name], current, is_small=True)
    con.execute(f"SET disabled_compression_methods = {quoted(_COSTLY)}").fetchall()
    for table in large:  # outside a transaction, rows go straight to the file
        _fill(con, table, out[table.name], current, is_small=False)
    con.execute("RESET disabled_compression_methods").fetchall()
    return out


def _patient_keys(con: duckdb.DuckDBPyConnection) -> None:
    """Per current delivery and patient: the pseudonym and the shifts, small enough to join to."""
    con.execute(
        "CREATE TEMP TABLE patient_key AS "
        "SELECT s.number, m.center_id, m.patient_id, m.usubjid, s.source_shift, s.map_shift "
        "FROM id_map m JOIN delivery_shift s USING (center_id) WHERE s.current"
    ).fetchall()


def _units(
    con: duckdb.DuckDBPyConnection, table: Table, files: Sequence[Path]
) -> dict[str, list[str]]:
    """The units that centers reported, by name of the `_unit` column."""
    columns = [f"{column.name}_unit" for column in table.columns if column.kind == "number"]
    if not files or not columns:
        return {}
    # A few distinct values per column; one more than the limit says that it is no list of units.
    parts = ", ".join(
        f"list_sort(list(DISTINCT {name(column)}) FILTER ({name(column)} IS NOT NULL))"
        for column in columns
    )
    row = con.execute(f"SELECT {parts} FROM {parquet(files)}").fetchall()[0]
    return {
        column: (found or [])[: MOST_UNITS + 1] for column, found in zip(columns, row, strict=True)
    }


def _is_small(table: Table, current: Sequence[LinkedDelivery]) -> bool:
    files = existing(current, f"core/{table.name}.parquet")
    return sum(file.stat().st_size for file in files) < SMALL_BYTES


def _fill(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    columns: Sequence[WarehouseColumn],
    current: Sequence[LinkedDelivery],
    *,
    is_small: bool,
) -> None:
    """The rows of single deliveries in one read, those of growing centers delivery by delivery."""
    import duckdb

    own = [column for column in columns if column.kind != "identity"]
    center = next(column for column in columns if column.name == "center_id")
    taken = [
        "k.usubjid",
        _taken(center, is_small=is_small),
        "f.row_id",
        "f.source_id + k.source_shift",
        "f.source_row",
        "f.map_id + k.map_shift",
        *(_taken(column, is_small=is_small) for column in own),
    ]
    per_center = Counter(d.staged.center_id for d in current)
    file = f"core/{table.name}.parquet"
    single = existing([d for d in current if per_center[d.staged.center_id] == 1], file)
    selects = [_select(taken, parquet(single))] if single else []
    for delivery, later in _growing(table, current):
        rows = parquet([delivery.file(file)])
        if later:
            rows = f"(FROM {rows} o WHERE NOT {_stands_again(table, later)})"
        selects.append(_select(taken, rows, only_delivery=delivery.number))
    if not selects:
        return
    try:
        con.execute(
            f"INSERT INTO core.{name(table.name)} " + " UNION ALL ".join(selects)
        ).fetchall()
    except (duckdb.ConversionException, duckdb.ConstraintException):
        # DuckDB's own text may quote a value: it is dropped, and the columns are named instead.
        raise _refusal(table, own, existing(current, file)) from None


def _select(taken: Sequence[str], rows: str, *, only_delivery: int | None = None) -> str:
    on = "f.center_id = k.center_id AND f.patient_id = k.patient_id"
    keys = "patient_key"
    if only_delivery is not None:
        keys = f"(SELECT * FROM patient_key WHERE number = {only_delivery})"
    return f"SELECT {', '.join(taken)} FROM {rows} f LEFT JOIN {keys} k ON {on}"


def _taken(column: WarehouseColumn, *, is_small: bool) -> str:
    """SQL of a staged column as its type in the warehouse; raises where a code is not of its list.

    DuckDB casts to an ENUM row by row, and calls a function once per distinct value that Parquet tells:
    a large table is written with a seventh less work. What the function does not know goes to the cast.
    """
    at = f"f.{name(column.name)}"
    if not column.codes:
        return at
    cast = f"CAST({at} AS {column.sql_type})"
    if is_small or len(column.codes) > _MOST_LOOKED_UP:
        return cast
    codes = ", ".join(map(quoted, column.codes))
    known = f"CAST([{codes}] AS {column.sql_type}[])"
    return f"coalesce(map_extract_value(map([{codes}], {known}), {at}), {cast})"


def replaced_rows(table: Table, current: Sequence[LinkedDelivery]) -> Iterator[tuple[int, str]]:
    """Number of a delivery and SQL of its rows that a later delivery of its center sent again."""
    for delivery, later in _growing(table, current):
        if later:
            rows = parquet([delivery.file(f"core/{table.name}.parquet")])
            yield delivery.number, f"(FROM {rows} o WHERE {_stands_again(table, later)})"


def _growing(
    table: Table, current: Sequence[LinkedDelivery]
) -> Iterator[tuple[LinkedDelivery, list[Path]]]:
    """Deliveries of centers with several in force, each with the files that came later."""
    per_center = Counter(d.staged.center_id for d in current)
    file = f"core/{table.name}.parquet"
    growing = [d for d in current if per_center[d.staged.center_id] > 1 and d.file(file).is_file()]
    for delivery in growing:
        yield (
            delivery,
            [
                other.file(file)
                for other in growing
                if other.staged.center_id == delivery.staged.center_id
                and other.number > delivery.number
            ],
        )


def _stands_again(table: Table, later: Sequence[Path]) -> str:
    """SQL: a row `o` stands again in a later delivery, by its key or as the very same row."""
    key = " AND ".join(f"n.{name(k)} IS NOT DISTINCT FROM o.{name(k)}" for k in table.key)
    rows = parquet(later)
    same_row = f"EXISTS (FROM {rows} n WHERE n.row_id = o.row_id)"
    return f"({same_row} OR EXISTS (FROM {rows} n WHERE {key}))" if key else f"({same_row})"


def _refusal(
    table: Table,
    own: Sequence[WarehouseColumn],
    files: Sequence[Path],
) -> AuditStoppedError:
    """What is wrong with staged rows, as counts; never a value."""
    import duckdb

    coded: Mapping[str, Sequence[str]] = {c.name: c.codes for c in own if c.codes}
    checks = {
        f"column '{column}': {{}} row(s) hold a code outside its codelist": (
            f"count(*) FILTER ({name(column)} NOT IN ({', '.join(map(quoted, codes))}))"
        )
        for column, codes in coded.items()
    }
    checks["{} row(s) have no patient of the id map"] = "count(*) FILTER (patient_id IS NULL)"
    with duckdb.connect() as fresh:  # the other connection's transaction is aborted
        statement = f"SELECT {', '.join(checks.values())} FROM {parquet(files)}"
        counts = fresh.execute(statement).fetchall()[0]
    found = [text.format(n) for text, n in zip(checks, counts, strict=True) if n]
    return AuditStoppedError(
        f"Staged rows of table '{table.name}' cannot be loaded: "
        + ("; ".join(found) or "a row lacks its identity (patient, source, row or block)"),
        fix="this is a fault of the mapping or of its declarations, not of a center: report it",
    )
