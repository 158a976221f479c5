"""Small tables for the audit's checks: a center's counts then and now, and a cohort of several centers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from expectations import profile
from expectations.frames import compute
from expectations.suite import Check, load_suite
from schemas.catalog import load_catalog

Row = tuple[str, str, str, str | None, int]


def check(check_id: str) -> Check:
    """A check of the declared suites."""
    return next(one for one in load_suite().checks if one.id == check_id)


def lines(con: duckdb.DuckDBPyConnection, check_id: str) -> list[dict[str, Any]]:
    """The frame of a check, line by line."""
    frame = compute(con, check(check_id), load_catalog())
    return [dict(zip(frame, row, strict=True)) for row in zip(*frame.values(), strict=True)]


def places(con: duckdb.DuckDBPyConnection, check_id: str, flag: str = "bad") -> list[str]:
    """What the lines that fail are named by."""
    named = check(check_id).named
    return [
        " ".join(str(line[name]) for name in named) for line in lines(con, check_id) if line[flag]
    ]


def compared(before: Sequence[Row], now: Sequence[Row]) -> duckdb.DuckDBPyConnection:
    """A connection with the counts of two loads."""
    con = duckdb.connect()
    profile.put_counts(con, profile.BEFORE, before)
    profile.put_counts(con, profile.NOW, now)
    return con


def rows_of(center: str, table: str, kept: int, sent: int | None = None) -> list[Row]:
    """Rows of a table of a center: kept, and sent."""
    return [
        ("rows", center, table, None, kept),
        ("sent", center, table, None, kept if sent is None else sent),
    ]


def levels(center: str, variable: str, **counts: int) -> list[Row]:
    """Patients of a center by level."""
    return [("level", center, variable, level, n) for level, n in counts.items()]


COHORT = """
create schema analysis;
create table analysis.adsl as
    select n, 'C' || c || '-' || n as USUBJID, 'C' || c as SITEID, date '2022-01-01' as CARTDT,
        CARTDT + 100 + n as RELDT, RELDT + 14 as TRTSDT, ['TEC', 'IPC'][n % 2 + 1] as GRP4, 'N' as DTHFL, 'N' as RESPFL
    from (select unnest(range($patients))::int as n), (select unnest(range(1, $centers + 1)) as c);
create table analysis.adtte as
    select n, USUBJID, 'OS' as PARAMCD, 'PRIMARY' as ANALYSIS, GRP4, 90 + 30 * n as AVAL, 3.0::double + n as AVALM, 1 as CNSR
    from analysis.adsl
    union all select n, USUBJID, 'PFS', 'PRIMARY', GRP4, 60 + 15 * n, 2.0 + n / 2, 1 from analysis.adsl
    union all select n, USUBJID, 'TTRSP', 'PRIMARY', GRP4, 30 + n, 1.0, 1 from analysis.adsl;
"""


def cohort(
    centers: int = 5, patients: int = 20, dead: int = 8, responders: int = 8
) -> duckdb.DuckDBPyConnection:
    """Centers C1, C2 ... whose patients have the same dates, deaths, responses and times.

    Patient n of a center relapses 100 + n days after infusion, is treated 14 days later, responds after
    30 + n days, and is followed up for 3 + n months; of progression-free survival 2 + n / 2.
    """
    con = duckdb.connect()
    con.execute(COHORT.replace("$centers", str(centers)).replace("$patients", str(patients)))
    con.execute(f"update analysis.adsl set DTHFL = 'Y' where n < {dead}")
    con.execute(f"update analysis.adsl set RESPFL = 'Y' where n < {responders}")
    con.execute(f"update analysis.adtte set CNSR = 0 where n < {dead} and PARAMCD <> 'TTRSP'")
    con.execute(f"update analysis.adtte set CNSR = 0 where n < {responders} and PARAMCD = 'TTRSP'")
    profile.set_bounds(con, {})
    return con
