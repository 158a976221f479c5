"""A staged warehouse by hand: tables of `core` drawn in the test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

import duckdb
import polars as pl
import pytest

from schemas.catalog import load_catalog
from schemas.spec.study import Study

VARCHAR = "varchar"
TYPES = {
    pl.String(): "varchar",
    pl.Int32(): "integer",
    pl.Int64(): "bigint",
    pl.Float64(): "double",
    pl.Date(): "date",
}

Warehouse = Callable[..., duckdb.DuckDBPyConnection]


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
    con.execute("create schema core")
    row_id = 0
    for table in load_catalog().tables.values():
        schema = {
            ("usubjid" if name == "patient_id" else name): dtype
            for name, dtype in table.frame_schema.items()
        }
        columns = ", ".join(
            f'"{name}" {TYPES.get(dtype, VARCHAR)}' for name, dtype in schema.items()
        )
        con.execute(f"create table core.{table.name} ({columns})")
        lines = [line.strip() for line in tables.pop(table.name, "").strip().splitlines()]
        if not lines:
            continue
        header = [cell.strip() for cell in lines[0].split("|")]
        for line in lines[1:]:
            row_id += 1
            cells = [cell.strip() or None for cell in line.split("|")]
            record: dict[str, object] = dict(zip(header, cells, strict=True))
            if record.get("drugs"):
                record["drugs"] = str(record["drugs"]).replace("+", "|")
            record |= {"row_id": row_id, "center_id": str(record["usubjid"]).split("-")[1]}
            for name in header:
                if schema[name] == pl.Date() and record[name]:
                    text = str(record[name])
                    record[name] = text + "-01-01"[: 10 - len(text)] if len(text) < 10 else text
                    record[f"{name}_precision"] = {10: "day", 7: "month", 4: "year"}[len(text)]
            names = ", ".join(f'"{name}"' for name in record)
            values = ", ".join("null" if cell is None else f"'{cell}'" for cell in record.values())
            con.execute(f"insert into core.{table.name} ({names}) values ({values})")
    assert not tables, f"no such table: {sorted(tables)}"


def hold_back(con: duckdb.DuckDBPyConnection, held: str) -> None:
    """Fills `temp.held_row`, and `temp.held_progression` from it, with the rows drawn."""
    from warehouse.held_progressions import none_held, progressions_of_held_rows
    from warehouse.held_rows import no_held_rows

    none_held(con)
    no_held_rows(con)
    for record in _records(held) if held else []:
        row: dict[str, str | None] = {name: cell or None for name, cell in record.items()}
        text = row.get("day")
        if text:
            row["day"] = text + "-01-01"[: 10 - len(text)] if len(text) < 10 else text
            row["day_precision"] = {10: "day", 7: "month", 4: "year"}[len(text)]
        names = ", ".join(row)
        con.execute(
            f"insert into held_row ({names}) values ({', '.join('?' * len(row))})",
            list(row.values()),
        )
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


@pytest.fixture
def derived() -> Warehouse:
    """Core tables drawn in the test (the others of `PLAIN`) → schema `analysis` derived.

    `held` draws rows of `temp.held_row`: what a check holds back. `exported` is the day of the
    export of center DE01. Without `completions` partial dates are not completed otherwise, which a test
    of what does not hold the rows EARLIEST and LATEST has no use for.
    """

    def build(
        study: Study | None = None,
        held: str = "",
        exported: str = "",
        completions: bool = True,
        **tables: str,
    ) -> duckdb.DuckDBPyConnection:
        from warehouse import analysis
        from warehouse.export_days import no_export_days

        con = duckdb.connect(config={"threads": 1})
        create_core(con, **{**PLAIN, **tables})
        hold_back(con, held)
        no_export_days(con)
        if exported:
            con.execute(f"insert into export_day values ('DE01', date '{exported}')")
        with pytest.MonkeyPatch.context() as patch:
            if not completions:
                patch.setattr(analysis, "add_completions", lambda con, derive_times: None)
            analysis.derive(con, study or make_study())
        return con

    return build


@pytest.fixture
def study_with() -> Callable[..., Study]:
    """A study with other settings than the default."""
    return make_study


@pytest.fixture
def rows() -> Callable[..., list[dict[str, Any]]]:
    """Rows of an analysis table as dictionaries; dates as ISO text."""

    def select(
        con: duckdb.DuckDBPyConnection, table: str, where: str = "true"
    ) -> list[dict[str, Any]]:
        result = con.execute(f"select * from analysis.{table} where {where} order by all")
        names = [column[0] for column in result.description or ()]
        return [
            {
                name: cell.isoformat() if isinstance(cell, dt.date) else cell
                for name, cell in zip(names, row, strict=True)
            }
            for row in result.fetchall()
        ]

    return select


@pytest.fixture
def plain(
    derived: Warehouse, rows: Callable[..., list[dict[str, Any]]]
) -> Callable[..., dict[str, Any]]:
    """The ADSL row of the plain patient under the tables and settings of the test."""

    def build(study: Study | None = None, **tables: str) -> dict[str, Any]:
        [row] = rows(derived(study, completions=False, **tables), "adsl")
        return row

    return build


@pytest.fixture
def plain_each(
    derived: Warehouse, rows: Callable[..., list[dict[str, Any]]]
) -> Callable[..., list[dict[str, Any]]]:
    """The ADSL row (or those of another table) of the plain patient under each of many cases.

    Each case is the tables of one test of `plain`; its patient is in a center of its own,
    and one derivation does for all.
    """

    def build(
        cases: Iterable[dict[str, str]], study: Study | None = None, of: str = "adsl"
    ) -> list[dict[str, Any]]:
        tables: dict[str, list[dict[str, str]]] = {}
        for number, case in enumerate(cases):
            for table, text in {**PLAIN, **case}.items():
                own = text.replace("MYE-DE01-", f"MYE-C{number:03}-")
                tables.setdefault(table, []).extend(_records(own))
        drawn = {name: _drawn(found) for name, found in tables.items()}
        return rows(derived(study, completions=of != "adsl", **drawn), of)

    return build


def _records(text: str) -> list[dict[str, str]]:
    header, *lines = [
        [cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()
    ]
    return [dict(zip(header, line, strict=True)) for line in lines]


def _drawn(records: list[dict[str, str]]) -> str:
    names = list(dict.fromkeys(name for record in records for name in record))
    lines = [" | ".join(record.get(name, "") for name in names) for record in records]
    return "\n".join([" | ".join(names), *lines])


@pytest.fixture
def clock(
    derived: Warehouse, rows: Callable[..., list[dict[str, Any]]]
) -> Callable[..., dict[str, Any]]:
    """One endpoint of the plain patient: its ADTTE row, or its exclusion."""

    def build(paramcd: str, study: Study | None = None, **tables: str) -> dict[str, Any]:
        con = derived(study, completions=paramcd[-1] in "EL", **tables)
        [row] = rows(con, "adtte", f"PARAMCD = '{paramcd}'") + rows(
            con, "exclusion", f"PARAMCD = '{paramcd}'"
        )
        return row

    return build
