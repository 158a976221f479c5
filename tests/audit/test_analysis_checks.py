"""The audit's checks of derived tables, each on small tables that are right and then wrong in one place."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

SQL = Path(__file__).parents[2] / "expectations" / "sql"

# Two patients: 01 responds, progresses and dies; 02 does not respond and is alive.
TABLES = """
create schema core; create schema analysis;
create table core.infusion as select * from (values
    ('01', date '2022-01-10', 'day'), ('02', date '2022-03-01', 'month'))
    as t(usubjid, infusion_date, infusion_date_precision);
create table core.relapse as select * from (values
    ('01', date '2022-09-05', 'day'), ('02', date '2022-12-01', 'day'))
    as t(usubjid, relapse_date, relapse_date_precision);
create table core.treatment_line as select * from (values
    ('01', date '2022-10-01', 'day', null::date), ('02', date '2023-01-02', 'day', null::date))
    as t(usubjid, start_date, start_date_precision, bridge_start_date);
create table core.follow_up as select * from (values
    ('01', date '2023-06-01', 'month'), ('02', null::date, null::varchar))
    as t(usubjid, death_date, death_date_precision);
create table analysis.adsl as select * from (values
    ('01', 'TEC', 2, 'PR', 'Y', date '2022-01-10', null, date '2022-09-05', null::varchar, date '2022-10-01', null::varchar,
        date '2023-06-04', 'D'),
    ('02', 'IPC', 3, 'LTPR', 'N', date '2022-03-15', 'D', date '2022-12-01', null, date '2023-01-02', null,
        null::date, null))
    as t(USUBJID, GRP4, GRP4N, BESTRESP, RESPFL, CARTDT, CARTDTF, RELDT, RELDTF, TRTSDT, TRTSDTF, DTHDT, DTHDTF);
create table analysis.adtte as select *, ADT - STARTDT + 1 as AVAL, (ADT - STARTDT) / 30.4375 as AVALM
    from (values
    ('01', 'OS', date '2022-10-01', date '2023-06-04', 0), ('02', 'OS', date '2023-01-02', date '2024-01-02', 1),
    ('01', 'PFS', date '2022-10-01', date '2023-04-01', 0), ('02', 'PFS', date '2023-01-02', date '2024-01-02', 1),
    ('01', 'TTNT', date '2022-10-01', date '2023-04-10', 0), ('02', 'TTNT', date '2023-01-02', date '2024-01-02', 1),
    ('01', 'RSD', date '2022-12-01', date '2023-04-01', 0))
    as t(USUBJID, PARAMCD, STARTDT, ADT, CNSR);
create table analysis.exclusion (USUBJID varchar, PARAMCD varchar, reason varchar);
create table analysis.adrs as select * from (values
    ('01', 1, 'OVR', 1, date '2022-12-01', 'PR', 'Y'), ('01', 2, 'OVR', 1, date '2022-12-01', 'VGPR', null),
    ('01', 3, 'COVR', 1, date '2022-12-01', 'SD', 'Y'), ('01', 4, 'BOR', 1, date '2022-12-01', 'PR', 'Y'),
    ('01', 5, 'CBOR', 1, date '2022-12-01', 'SD', 'Y'), ('01', 6, 'RSP', 1, date '2022-12-01', 'Y', 'Y'),
    ('01', 7, 'PD', 1, date '2023-04-01', 'Y', 'Y'), ('02', 1, 'BOR', 1, null, 'MISSING', 'Y'),
    ('02', 2, 'CBOR', 1, null, 'MISSING', 'Y'), ('02', 3, 'RSP', 1, null, 'N', 'Y'),
    ('02', 4, 'PD', 1, null, 'N', 'Y'))
    as t(USUBJID, RSSEQ, PARAMCD, SALVN, ADT, AVALC, ANL01FL);
create table analysis.attrition as select * from (values (0, 5), (1, 3), (2, 2)) as t(step, n_patients);
"""

CASES = {
    "endpoint_times": {
        "a start is missing": "update analysis.adtte set STARTDT = null where PARAMCD = 'RSD'",
        "a time of no day": "update analysis.adtte set AVAL = 0 where PARAMCD = 'RSD'",
        "a time without its first day": "update analysis.adtte set AVAL = AVAL - 1 where PARAMCD = 'RSD'",
        "an end before the start": (
            "update analysis.adtte set ADT = STARTDT - 12, AVAL = -11 where PARAMCD = 'RSD'"
        ),
    },
    "endpoint_subjects": {
        "two survival times": "insert into analysis.adtte from analysis.adtte where PARAMCD = 'OS' and USUBJID = '01'",
        "neither time nor reason": "delete from analysis.adtte where PARAMCD = 'OS' and USUBJID = '02'",
        "time and reason": "insert into analysis.exclusion values ('01', 'PFS', 'x')",
        "a duration of no response": "update analysis.adtte set USUBJID = '02' where PARAMCD = 'RSD'",
    },
    "response_records": {
        "no best response": "delete from analysis.adrs where PARAMCD = 'BOR' and USUBJID = '02'",
        "two progressions": (
            "insert into analysis.adrs select * replace (8 as RSSEQ) from analysis.adrs "
            "where PARAMCD = 'PD' and USUBJID = '01'"
        ),
        "two chosen records of a day": "update analysis.adrs set ANL01FL = 'Y' where PARAMCD = 'OVR'",
        "one number twice": "update analysis.adrs set RSSEQ = 1 where PARAMCD = 'OVR'",
        "another answer than adsl": (
            "update analysis.adrs set AVALC = 'N' where PARAMCD = 'RSP' and USUBJID = '01'"
        ),
        "an answer where adsl has none": (
            "update analysis.adsl set RESPFL = null, BESTRESP = null where USUBJID = '02'"
        ),
    },
    "endpoint_order": {
        "progression after death": (
            "update analysis.adtte set ADT = date '2023-06-05' where PARAMCD in ('PFS', 'RSD') and USUBJID = '01'"
        ),
        "treatment after death": (
            "update analysis.adtte set ADT = date '2023-06-05' where PARAMCD = 'TTNT' and USUBJID = '01'"
        ),
        "the response ends on another day": "update analysis.adtte set ADT = ADT + 1 where PARAMCD = 'RSD'",
        "the response ends without progression": (
            "update analysis.adtte set CNSR = 1 where PARAMCD = 'PFS' and USUBJID = '01'"
        ),
    },
    "denominators": {
        "a patient of no group": "update analysis.adsl set GRP4 = 'NONE' where USUBJID = '02'",
        "another number of the group": "update analysis.adsl set GRP4N = 4 where USUBJID = '02'",
        "a responder who is none": "update analysis.adsl set RESPFL = 'Y' where USUBJID = '02'",
        "out of the denominator": "update analysis.adsl set RESPFL = null where USUBJID = '02'",
        "one patient more on the way": "update analysis.attrition set n_patients = 3 where step = 2",
    },
    "imputed_dates": {
        "no flag": "update analysis.adsl set CARTDTF = null where USUBJID = '02'",
        "a flag of the year for a month": "update analysis.adsl set DTHDTF = 'M' where USUBJID = '01'",
        "a flag of a full date": "update analysis.adsl set TRTSDTF = 'D' where USUBJID = '01'",
        "the day after the month": "update analysis.adsl set DTHDT = date '2023-07-01' where USUBJID = '01'",
        "another day": "update analysis.adsl set RELDT = RELDT + 1 where USUBJID = '02'",
    },
}  # fmt: skip


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    made.execute(TABLES)
    return made


def n_bad(con: duckdb.DuckDBPyConnection, check: str) -> int:
    cursor = con.execute((SQL / f"{check}.sql").read_text(encoding="utf-8"))
    place = [column[0] for column in cursor.description].index("n_bad")
    rows = cursor.fetchall()
    assert rows
    return sum(row[place] for row in rows)


@pytest.mark.parametrize("check", CASES)
def test_right_tables_have_nothing_bad(check: str, con: duckdb.DuckDBPyConnection) -> None:
    assert n_bad(con, check) == 0


@pytest.mark.parametrize(
    ("check", "case"), [(c, case) for c, cases in CASES.items() for case in cases]
)
def test_one_wrong_place_is_found(check: str, case: str, con: duckdb.DuckDBPyConnection) -> None:
    con.execute(CASES[check][case])

    assert n_bad(con, check) >= 1


def test_the_last_day_of_the_month_is_within_it(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("update analysis.adsl set DTHDT = date '2023-06-30' where USUBJID = '01'")

    assert n_bad(con, "imputed_dates") == 0


def test_an_alive_patient_may_have_a_next_treatment_at_any_time(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute(
        "update analysis.adtte set ADT = ADT + 30 where PARAMCD = 'TTNT' and USUBJID = '02'"
    )

    assert n_bad(con, "endpoint_order") == 0


def test_who_is_excluded_with_a_reason_is_accounted_for(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("delete from analysis.adtte where PARAMCD = 'OS' and USUBJID = '02'")
    con.execute("insert into analysis.exclusion values ('02', 'OS', 'NO_LAST_CONTACT')")

    assert n_bad(con, "endpoint_subjects") == 0
