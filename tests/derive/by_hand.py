"""Tables of `core` as a test draws them: a header line, cells between bars."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import duckdb
import polars as pl

from schemas.catalog import load_catalog
from schemas.spec.study import Study
from tests.derive.rehearsal import ROWS_APART, mark
from warehouse.sql_text import quoted

VARCHAR = "varchar"
TYPES = {
    pl.String(): "varchar",
    pl.Int32(): "integer",
    pl.Int64(): "bigint",
    pl.Float64(): "double",
    pl.Date(): "date",
}

Record = dict[str, str | None]


def make_study(**settings: object) -> Study:
    """The study of the tests: no data cut before 2025 unless a test gives one."""
    data_cut = settings.pop("data_cut", dt.date(2024, 12, 31))
    return Study(id="MYE", title="Test study", data_cut=data_cut, settings=settings)


def create_core(con: duckdb.DuckDBPyConnection, **tables: str) -> None:
    """Creates every core table and fills those that are drawn.

    A drawn table has a header line; cells are separated by |, an empty cell is null. A date `2023-05`
    or `2023` is a partial one: its precision column is filled. `center_id` is the middle part of
    `usubjid`; `row_id` counts on; drugs of a line are joined by +.
    """
    create_core_of(con, [(0, tables)])


def create_core_of(
    con: duckdb.DuckDBPyConnection, drawn: Sequence[tuple[int, Mapping[str, str]]]
) -> None:
    """The same of several drawings: the centers and row ids of each are marked with its number."""
    con.execute("create schema core")
    row_ids = [number * ROWS_APART for number, _ in drawn]
    known = load_catalog().tables
    for table in known.values():
        schema = {
            ("usubjid" if name == "patient_id" else name): dtype
            for name, dtype in table.frame_schema.items()
        }
        columns = ", ".join(
            f'"{name}" {TYPES.get(dtype, VARCHAR)}' for name, dtype in schema.items()
        )
        con.execute(f"create table core.{table.name} ({columns})")
        for place, (number, tables) in enumerate(drawn):
            records = records_of(tables.get(table.name, ""), number)
            for record in records:
                row_ids[place] += 1
                record["row_id"] = str(row_ids[place])
                _read_cells(record, schema)
            if records:
                names = list(records[0])
                values = ", ".join(
                    f"({', '.join('null' if row[name] is None else quoted(row[name]) for name in names)})"
                    for row in records
                )
                listed = ", ".join(f'"{name}"' for name in names)
                con.execute(f"insert into core.{table.name} ({listed}) values {values}")
    unknown = {name for _, tables in drawn for name in tables} - known.keys()
    assert not unknown, f"no such table: {sorted(unknown)}"


def _read_cells(record: Record, schema: Mapping[str, pl.DataType]) -> None:
    """Completes partial dates, with their precision; drugs as `core` has them; the center."""
    if record.get("drugs"):
        record["drugs"] = str(record["drugs"]).replace("+", "|")
    record["center_id"] = str(record["usubjid"]).split("-")[1]
    for name in [name for name in record if schema[name] == pl.Date()]:
        if record[name]:
            record[name], record[f"{name}_precision"] = _day(record[name])
        else:
            record.setdefault(f"{name}_precision", None)


def _day(text: str | None) -> tuple[str | None, str | None]:
    """The first day that a date can be, and how much of it is known."""
    if not text:
        return None, None
    return text + "-01-01"[: 10 - len(text)], {10: "day", 7: "month", 4: "year"}[len(text)]


def hold_back(con: duckdb.DuckDBPyConnection, held: str) -> None:
    """Fills `temp.held_row`, and `temp.held_progression` from it, with the rows drawn."""
    hold_back_of(con, [(0, held, "")])


def hold_back_of(con: duckdb.DuckDBPyConnection, drawn: Iterable[tuple[int, str, str]]) -> None:
    """The same of several drawings, by number: rows held, and progressions held beside them."""
    from warehouse.held_progressions import none_held, progressions_of_held_rows
    from warehouse.held_rows import no_held_rows

    none_held(con)
    no_held_rows(con)
    for number, held, progressions in drawn:
        for table, text in (("held_row", held), ("held_progression", progressions)):
            for record in records_of(text, number):
                if "day" in record and not record.get("day_precision"):
                    record["day"], record["day_precision"] = _day(record["day"])
                values = ", ".join(
                    "null" if cell is None else quoted(cell) for cell in record.values()
                )
                con.execute(f"insert into {table} ({', '.join(record)}) values ({values})")
    progressions_of_held_rows(con)


# One plain patient; a test draws only the tables that it is about.
PLAIN = {
    "subject": """usubjid    | country | sex | birth_year
                  MYE-DE01-A | DE      | F   | 1960""",
    "infusion": """usubjid    | infusion_number | product | infusion_date | age_at_infusion
                   MYE-DE01-A | 1               | IDE     | 2023-01-10    | 62""",
    "relapse": """usubjid    | relapse_number | relapse_date
                  MYE-DE01-A | 1              | 2023-05-10""",
    "treatment_line": """usubjid    | line_number | start_date | drugs
                         MYE-DE01-A | 1           | 2023-06-01 | talquetamab""",
    "follow_up": """usubjid    | last_contact_date | vital_status | death_date
                    MYE-DE01-A | 2024-02-01        | ALIVE        |""",
}


def records_of(text: str, number: int = 0) -> list[Record]:
    """The rows of a drawn table; those of a numbered drawing are in centers of its own."""
    if not text.strip():
        return []
    header, *lines = [
        [cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()
    ]
    records: list[Record] = []
    for line in lines:
        record: Record = {name: cell or None for name, cell in zip(header, line, strict=True)}
        study, center, *rest = str(record["usubjid"]).split("-")
        record["usubjid"] = "-".join((study, center + mark(number), *rest))
        records.append(record)
    return records
