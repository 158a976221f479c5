"""Checks across centers and tables: each sees its fault, and is silent on what is nearly one."""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from audit_cases import cohort, lines, places  # noqa: E402

from expectations.profile import set_bounds  # noqa: E402

# Medians: AUD-30 ----------------------------------------------------------------------------------


def test_medians_are_those_of_kaplan_and_meier() -> None:
    con = duckdb.connect()
    con.execute("create schema analysis")
    # Ten patients; deaths at 1, 2, 3, 4, 5, 6, censored at 2.5 and 7 to 9.
    # S: 0.9, 0.8, 0.8 * 6/7 = 0.6857, * 5/6 = 0.5714, * 4/5 = 0.4571: the median is 5.
    con.execute(
        "create table analysis.adtte as select 'x' as USUBJID, unnest(['OS', 'PFS']) as PARAMCD, "
        "'PRIMARY' as ANALYSIS, 'TEC' as GRP4, * from (values (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), "
        "(6, 0), (2.5, 1), (7, 1), (8, 1), (9, 1)) as t(AVALM, CNSR)"
    )
    set_bounds(con, {})

    found = lines(con, "AUD-30")
    assert {(line["endpoint"], line["group"], line["months"]) for line in found} == {
        ("OS", "ALL", 5.0), ("OS", "TEC", 5.0), ("PFS", "ALL", 5.0), ("PFS", "TEC", 5.0)
    }  # fmt: skip


def test_plausible_medians_are_silent() -> None:
    assert places(cohort(), "AUD-30") == []


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        # Months taken for years, or days for months.
        ("update analysis.adtte set CNSR = 0 where GRP4 = 'TEC'; "
         "update analysis.adtte set AVALM = AVALM / 20 where PARAMCD = 'OS' and GRP4 = 'TEC'",
         ["OS TEC", "PFS TEC"]),
        ("update analysis.adtte set AVALM = AVALM * 30.4375, CNSR = 0 where PARAMCD = 'OS' and GRP4 = 'IPC'",
         ["OS IPC"]),
        ("update analysis.adtte set AVALM = AVALM + 40, CNSR = 0 where PARAMCD = 'PFS' and GRP4 = 'IPC'; "
         "update analysis.adtte set CNSR = 0 where PARAMCD = 'OS' and GRP4 = 'IPC'", ["PFS IPC"]),
        # The same of a group of few patients says nothing.
        ("update analysis.adtte set AVALM = AVALM / 100, CNSR = 0 where USUBJID in ('C1-0', 'C1-2')", []),
    ],
)  # fmt: skip
def test_an_implausible_median_is_told_by_endpoint_and_group(
    statement: str, told: list[str]
) -> None:
    con = cohort()
    con.execute(statement)

    assert [place for place in places(con, "AUD-30") if "ALL" not in place] == told


@pytest.mark.parametrize(
    ("bounds", "told"),
    [
        ({"OS": (1, 60)}, []),
        ({"OS": (30, 60)}, ["OS ALL", "OS IPC", "OS TEC"]),
        ({"OS.TEC": (30, 60)}, ["OS TEC"]),
        ({"OS": (30, 60), "OS.TEC": (1, 60), "OS.IPC": (1, 60)}, ["OS ALL"]),
        ({"PFS.ALL": (1, 5)}, ["PFS ALL"]),
    ],
)
def test_the_study_sets_what_is_plausible(
    bounds: dict[str, tuple[float, float]], told: list[str]
) -> None:
    con = cohort()
    con.execute("update analysis.adtte set CNSR = 0")
    set_bounds(con, bounds)

    assert places(con, "AUD-30") == told


# Shares: AUD-31 -----------------------------------------------------------------------------------


def fisher(with_it: int, n: int, others_with: int, others: int) -> float:
    """Two-sided exact P value, in fractions."""
    total, k = n + others, with_it + others_with

    def ways(x: int) -> int:
        return math.comb(k, x) * math.comb(total - k, n - x)

    possible = range(max(0, n + k - total), min(n, k) + 1)
    seen = ways(with_it)
    return float(Fraction(sum(w for x in possible if (w := ways(x)) <= seen), math.comb(total, n)))


def test_equal_centers_do_not_differ() -> None:
    assert places(cohort(), "AUD-31") == []


@pytest.mark.parametrize(
    ("dead", "told"),
    [(20, ["C3 deaths"]), (18, ["C3 deaths"]), (14, []), (2, []), (0, ["C3 deaths"])],
)
def test_a_center_with_quite_other_deaths_is_told(dead: int, told: list[str]) -> None:
    con = cohort()
    con.execute(
        "update analysis.adsl set DTHFL = case when split_part(USUBJID, '-', 2)::int "
        f"< {dead} then 'Y' else 'N' end where SITEID = 'C3'"
    )

    assert places(con, "AUD-31") == told


def test_a_center_of_four_is_no_alarm_even_if_all_of_them_die() -> None:
    con = cohort()
    con.execute("update analysis.adsl set DTHFL = 'Y' where SITEID = 'C3'")
    con.execute(
        "delete from analysis.adsl where SITEID = 'C3' and split_part(USUBJID, '-', 2)::int >= 4"
    )

    assert places(con, "AUD-31") == []


def test_in_a_large_study_a_small_difference_is_significant_and_not_told() -> None:
    con = cohort(centers=3, patients=3000, dead=1500)
    con.execute(
        "update analysis.adsl set DTHFL = 'Y' where SITEID = 'C3' and split_part(USUBJID, '-', 2)::int < 1800"
    )
    line = next(
        one
        for one in lines(con, "AUD-31")
        if (one["center_id"], one["variable"]) == ("C3", "deaths")
    )

    assert line["p_holm"] < 0.001
    assert not line["bad"]


def test_p_values_are_exact_and_adjusted_by_holm() -> None:
    con = cohort(centers=3, patients=10, dead=4, responders=5)
    con.execute(
        "update analysis.adsl set DTHFL = 'Y' where SITEID = 'C3' and split_part(USUBJID, '-', 2)::int < 9"
    )
    found = {(one["center_id"], one["variable"]): one["p_holm"] for one in lines(con, "AUD-31")}

    # Deaths 4, 4, 9 of 10; responses 5 of 10 each: six tests.
    one, other = fisher(9, 10, 8, 20), fisher(4, 10, 13, 20)
    assert found["C3", "deaths"] == pytest.approx(6 * one, abs=1e-6)
    assert found["C1", "deaths"] == pytest.approx(min(1, max(6 * one, 5 * other)), abs=1e-6)
    assert found["C1", "responses"] == 1


# Times: AUD-32 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("", []),
        ("update analysis.adsl set RELDT = RELDT + 365, TRTSDT = TRTSDT + 365 where SITEID = 'C2'",
         ["C2 infusion to relapse"]),
        ("update analysis.adsl set TRTSDT = TRTSDT + 45 where SITEID = 'C2'", ["C2 relapse to salvage"]),
        ("update analysis.adsl set TRTSDT = TRTSDT + 29 where SITEID = 'C2'", []),  # within 30 days
        ("update analysis.adsl set RELDT = RELDT + 40, TRTSDT = TRTSDT + 40 where SITEID = 'C2'", []),
        ("update analysis.adsl set RELDT = RELDT + 365 where SITEID = 'C2'; delete from analysis.adsl "
         "where SITEID = 'C2' and split_part(USUBJID, '-', 2)::int >= 9", []),  # nine patients
        ("update analysis.adtte set AVAL = AVAL + 90 where PARAMCD = 'TTRSP' and USUBJID like 'C2-%'",
         ["C2 salvage to first response"]),
    ],
)  # fmt: skip
def test_a_center_with_quite_other_times_is_told(statement: str, told: list[str]) -> None:
    con = cohort(responders=12)
    con.execute(statement or "select 1")

    assert places(con, "AUD-32") == told


def test_centers_that_spread_widely_make_no_outlier_of_one_of_them() -> None:
    con = cohort(centers=6)
    for center, days in enumerate((0, 60, 120, 180, 240, 300), start=1):
        con.execute(
            f"update analysis.adsl set RELDT = RELDT + {days}, TRTSDT = TRTSDT + {days} "
            f"where SITEID = 'C{center}'"
        )

    assert places(con, "AUD-32") == []


def test_two_other_centers_are_too_few_to_judge_by() -> None:
    con = cohort(centers=3)
    con.execute(
        "update analysis.adsl set RELDT = RELDT + 365, TRTSDT = TRTSDT + 365 where SITEID = 'C2'"
    )

    assert lines(con, "AUD-32") == []


# Units: AUD-33 ------------------------------------------------------------------------------------

HEMOGLOBIN = (9.1, 10.4, 11.8, 8.9, 12.7, 10.6)  # g/dL, median 10.5


def measured(**centers: tuple[str, tuple[float, ...]]) -> duckdb.DuckDBPyConnection:
    """core.lab of centers, each with the values of one test."""
    con = duckdb.connect()
    con.execute("create schema core")
    con.execute("create table core.lab (center_id varchar, test varchar, value double)")
    for center, (test, values) in centers.items():
        con.executemany(
            "insert into core.lab values (?, ?, ?)", [(center, test, v) for v in values]
        )
    return con


def scaled(values: tuple[float, ...], factor: float) -> tuple[float, ...]:
    return tuple(value * factor for value in values)


def test_a_center_whose_values_stand_in_another_unit_is_told() -> None:
    """The catalogue's example of LAB-06: 7.2 mmol/L (11.6 g/dL), read as g/dL."""
    mmol = (7.2, 5.6, 6.5, 7.9, 5.5, 6.6)
    con = measured(C1=("HB", HEMOGLOBIN), C2=("HB", mmol), C3=("HB", HEMOGLOBIN))

    assert places(con, "AUD-33") == ["C2 HB"]
    assert places(measured(C2=("HB", mmol)), "AUD-33") == ["C2 HB"]  # alone in its study


@pytest.mark.parametrize(
    ("test", "values", "factor", "told"),
    [
        ("HB", HEMOGLOBIN, 0.75, []),  # more anemia than elsewhere
        ("HB", HEMOGLOBIN, 0.70, ["C2 HB"]),
        ("CALCIUM", (2.2, 2.3, 2.4, 2.5, 2.6), 4.0, ["C2 CALCIUM"]),
        ("CREATININE", (0.7, 0.9, 1.1, 1.4, 2.0), 4.9, []),
        ("CREATININE", (0.7, 0.9, 1.1, 1.4, 2.0), 88.4, ["C2 CREATININE"]),
        ("FLC_KAPPA", (12.0, 300.0, 20.0, 900.0, 15.0), 100.0, []),  # the type of myeloma decides
        ("HB", (6.1, 7.0, 7.2, 8.9), 1.0, []),  # four values
    ],
)
def test_a_median_is_told_where_only_a_unit_explains_it(
    test: str, values: tuple[float, ...], factor: float, told: list[str]
) -> None:
    con = measured(
        C1=(test, values), C2=(test, scaled(values, factor)), C3=(test, values), C4=(test, values)
    )

    assert places(con, "AUD-33") == told


def test_one_other_center_does_not_say_who_is_right_and_low_values_alone_are_anemia() -> None:
    con = measured(C1=("ALBUMIN", (3.1, 3.5, 3.6, 4.0, 4.2)), C2=("ALBUMIN", (31, 35, 36, 40, 42)))

    assert places(con, "AUD-33") == []
    assert places(measured(C1=("HB", (7.2, 6.1, 7.0, 5.4, 12.4))), "AUD-33") == []


# Dates: AUD-25 ------------------------------------------------------------------------------------

DATES = """
create schema core; create schema quality;
create table quality.delivery as select row_number() over () as delivery_key, center_id, date '2024-06-14' as received_on,
    true as is_current, 'loaded' as outcome from (select unnest(['C1', 'C2', 'C3', 'C4', 'C5']) as center_id);
create table quality.check_run (delivery_key bigint, outcome varchar, reason varchar);
create table core.infusion as select center_id, date '2021-01-10' + (n * 50)::int as infusion_date
    from quality.delivery, range(20) as t(n);
create table core.relapse as select center_id, infusion_date + 150 as relapse_date from core.infusion;
create table core.treatment_line as select center_id, 1 as line_number, relapse_date + 14 as start_date from core.relapse;
create table core.response as select center_id, 1 as line_number, start_date + 45 as response_date from core.treatment_line;
create table core.lab as select center_id, null::date as lab_date from core.infusion;
create table core.follow_up as select center_id, date '2024-06-01' - n::int as last_contact_date
    from quality.delivery, range(20) as t(n);
"""


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("", []),
        ("delete from core.response where center_id = 'C2' and response_date > date '2023-01-01'",
         ["C2 response.response_date"]),
        ("delete from core.response where center_id = 'C2' and response_date > date '2023-10-20'", []),
        ("update core.follow_up set last_contact_date = last_contact_date - 240 where center_id = 'C4'",
         ["C4 follow_up.last_contact_date"]),
        # One stray date of the future does not hide that the rest stops.
        ("update core.follow_up set last_contact_date = last_contact_date - 240 where center_id = 'C4' "
         "and last_contact_date <> date '2024-06-01'", ["C4 follow_up.last_contact_date"]),
        # A century that was misread, of a tenth of the dates.
        ("update core.infusion set infusion_date = infusion_date - interval 100 year "
         "where center_id = 'C5' and infusion_date < date '2021-04-01'", ["C5 infusion.infusion_date"]),
        # One such date is a matter for the rules on records.
        ("update core.infusion set infusion_date = infusion_date - interval 100 year "
         "where center_id = 'C5' and infusion_date < date '2021-01-20'", []),
        # Nine dates are too few.
        ("delete from core.response where center_id = 'C2' and response_date > date '2022-07-01'; "
         "delete from core.response where rowid in (select max(rowid) from core.response where center_id = 'C2')", []),
        # A center that shifts its dates on purpose is not judged.
        ("update core.follow_up set last_contact_date = last_contact_date - 240 where center_id = 'C4'; "
         "insert into quality.check_run values (4, 'not_applicable', 'the center shifted its dates on purpose: "
         "days of the calendar say nothing')", []),
        # All stop early: no center differs.
        ("update core.follow_up set last_contact_date = last_contact_date - 240", []),
    ],
)  # fmt: skip
def test_dates_that_stop_or_begin_far_from_those_of_the_others_are_told(
    statement: str, told: list[str]
) -> None:
    con = duckdb.connect()
    con.execute(DATES)
    con.execute(statement or "select 1")

    assert places(con, "AUD-25") == told
