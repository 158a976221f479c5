"""Checks against what was published before: each sees its fault, and is silent on what is nearly one."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from audit_cases import Row, check, compared, levels, lines, places, rows_of  # noqa: E402

from expectations.profile import CHANGED, put_counts  # noqa: E402
from expectations.told import sentence  # noqa: E402


def known(center: str, cohort: int, **variables: int) -> list[Row]:
    """Patients of the cohort, and of whom variables are known."""
    counts = {"cohort": cohort, **variables}
    return [("known", center, name, None, n) for name, n in counts.items()]


# Rows: AUD-23 -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "moved"),
    [
        (40, 21, False),  # 19 rows fewer, of 40: less than half
        (40, 19, True),
        (40, 60, False),
        (40, 61, True),
        (4, 14, False),  # a small center may double and more
        (4, 15, True),
        (18, 8, False),  # ten rows fewer are no more than ten
        (400, 400, False),
    ],
)
def test_rows_that_move_by_more_than_half_and_ten_are_told(
    before: int, now: int, moved: bool
) -> None:
    con = compared(rows_of("C1", "lab", before), rows_of("C1", "lab", now))

    assert places(con, "AUD-23") == (["C1 lab"] if moved else [])
    assert places(con, "AUD-23", "stops") == []


@pytest.mark.parametrize(
    ("table", "before", "kept", "sent", "stopped"),
    [
        ("response", 40, 19, 40, True),  # sent as before, but not kept
        ("response", 40, 20, 40, False),  # half of it is left
        ("response", 40, 19, 20, False),  # the center sent half of it, and the data manager took it
        ("response", 40, 9, 20, True),  # of half of it, less than half is left
        ("response", 9, 0, 9, False),  # few rows
        ("response", 10, 0, 10, True),
        ("lab", 40, 0, 40, False),  # no endpoint rests on it: told, not stopped
        ("subject", 12, 5, 12, True),
        ("follow_up", 12, 5, 0, False),  # the table is not sent any more: told
    ],
)
def test_rows_that_were_sent_and_are_lost_stop(
    table: str, before: int, kept: int, sent: int, stopped: bool
) -> None:
    now = rows_of("C1", table, kept, sent) + rows_of("C1", "exposure", 50)
    con = compared(rows_of("C1", table, before) + rows_of("C1", "exposure", 50), now)

    assert places(con, "AUD-23", "stops") == ([f"C1 {table}"] if stopped else [])


def test_a_center_that_is_new_and_a_table_that_is_new_are_no_news() -> None:
    before = rows_of("C1", "subject", 30)
    now = rows_of("C1", "subject", 30) + rows_of("C1", "lab", 400) + rows_of("C2", "subject", 90)

    assert places(compared(before, now), "AUD-23") == []
    assert len(lines(compared(before, now), "AUD-23")) == 1


def test_without_an_earlier_load_nothing_is_compared() -> None:
    now = rows_of("C1", "subject", 30) + levels("C1", "sex", F=10, M=20) + known("C1", 30, AGE=30)
    con = compared([], now)

    for check_id in ("AUD-23", "AUD-24", "AUD-27", "AUD-29"):
        assert lines(con, check_id) == []


# Completeness: AUD-24 -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ((20, 20), (20, 15), True),  # 25 points, 5 patients
        ((20, 20), (20, 16), False),  # 20 points are the bound
        ((20, 18), (30, 18), True),  # 18 are known as before, but of 30
        ((10, 10), (10, 6), False),  # 40 points, but four patients
        ((10, 10), (10, 5), True),
        ((9, 9), (9, 0), False),  # a small center
        ((20, 5), (20, 20), False),  # better
        ((20, 20), (20, 0), True),
    ],
)
def test_a_variable_that_is_known_for_far_fewer_is_told(
    before: tuple[int, int], now: tuple[int, int], told: bool
) -> None:
    con = compared(known("C1", before[0], RISS=before[1]), known("C1", now[0], RISS=now[1]))

    assert places(con, "AUD-24") == (["C1 RISS"] if told else [])


# Codes: AUD-26 ------------------------------------------------------------------------------------


def unread(center: str, column: str, sent: int, n: int) -> list[Row]:
    """Codes of a column that could not be read, of so many rows."""
    return [*rows_of(center, column.split(".")[0], sent), ("unread", center, column, None, n)]


def unknown(center: str, column: str, cells: int, n: int) -> list[Row]:
    """Cells that say unknown."""
    told: list[Row] = [("cells", center, column, None, cells)]
    if n:
        told.append(("unknown", center, column, None, n))
    return [*rows_of(center, column.split(".")[0], cells), *told]


@pytest.mark.parametrize(
    ("sent", "n", "told"), [(40, 5, True), (40, 4, False), (50, 5, False), (9, 4, False)]
)
def test_codes_that_could_not_be_read_are_told_where_they_are_many(
    sent: int, n: int, told: bool
) -> None:
    con = compared([], unread("C1", "response.category", sent, n))

    assert places(con, "AUD-26") == (["C1 response.category"] if told else [])


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ((40, 2), (40, 11), True),
        ((40, 2), (40, 10), False),  # 20 points are the bound
        ((40, 20), (40, 24), False),  # half of it was unknown before
        ((10, 0), (10, 4), False),  # four cells
        ((40, 0), (40, 12), True),
    ],
)
def test_codes_that_say_unknown_far_more_often_than_before_are_told(
    before: tuple[int, int], now: tuple[int, int], told: bool
) -> None:
    con = compared(unknown("C1", "relapse.emd", *before), unknown("C1", "relapse.emd", *now))

    assert places(con, "AUD-26") == (["C1 relapse.emd"] if told else [])


def test_unknown_codes_of_a_first_delivery_are_not_compared() -> None:
    assert places(compared([], unknown("C1", "relapse.emd", 40, 40)), "AUD-26") == []


# Drift: AUD-27 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ({"F": 12, "M": 28}, {"F": 28, "M": 12}, True),  # sexes exchanged: 0.4, bound 0.31
        ({"F": 12, "M": 28}, {"F": 18, "M": 22}, False),  # 0.15
        ({"F": 3, "M": 7}, {"F": 7, "M": 3}, False),  # the same of ten patients may be chance
        ({"F": 2, "M": 7}, {"F": 7, "M": 2}, False),  # nine are not judged
        ({"F": 120, "M": 280}, {"F": 220, "M": 180}, True),  # 0.25, bound 0.235
        ({"F": 40}, {"M": 40}, True),
    ],
)
def test_a_distribution_that_drifts_further_than_chance_is_told(
    before: dict[str, int], now: dict[str, int], told: bool
) -> None:
    con = compared(levels("C1", "sex", **before), levels("C1", "sex", **now))

    assert places(con, "AUD-27") == (["C1 sex"] if told else [])


def test_the_distance_is_half_the_sum_of_the_differences_of_shares() -> None:
    before = levels("C1", "response", CR=10, VGPR=10, PR=0, LTPR=20)
    now = levels("C1", "response", CR=5, VGPR=5, PR=10, LTPR=20)
    (line,) = lines(compared(before, now), "AUD-27")

    # Shares 10/40, 10/40, 0, 20/40 and 5/40, 5/40, 10/40, 20/40: (5 + 5 + 10) / 40 / 2.
    assert line["distance"] == 0.25
    assert line["bound"] == pytest.approx(0.2 + 0.5 * (3 * (1 / 40 + 1 / 40)) ** 0.5, abs=1e-4)


# Groups: AUD-29 -----------------------------------------------------------------------------------


def groups(patients: int, **counts: int) -> list[Row]:
    """A center with so many patients, and its cohort by group."""
    return [*rows_of("C1", "subject", patients), *levels("C1", "group", **counts)]


@pytest.mark.parametrize(
    ("before", "now", "told", "stopped"),
    [
        (groups(60, TEC=30, IPC=30), groups(60, TEC=30, IPC=20), [], []),
        (groups(60, TEC=30, IPC=30), groups(60, TEC=30, IPC=19), ["IPC"], []),
        (groups(60, TEC=30, IPC=30), groups(60, TEC=30, IPC=14), ["IPC"], ["IPC"]),
        (groups(60, TEC=30, IPC=30), groups(60, TEC=60), ["IPC", "TEC"], ["IPC"]),
        (groups(60, TEC=51, IPC=9), groups(60, TEC=51), [], []),  # a group of nine
        (groups(60, TEC=30, IPC=30), groups(30, TEC=15, IPC=15), [], []),  # in proportion
        (groups(60, TEC=30, IPC=30), groups(90, TEC=45, IPC=45), [], []),
        (groups(60, TEC=30, IPC=30), groups(60), ["ALL", "IPC", "TEC"], ["ALL", "IPC", "TEC"]),
    ],
)
def test_groups_that_move_are_told_and_groups_that_vanish_stop(
    before: list[Row], now: list[Row], told: list[str], stopped: list[str]
) -> None:
    con = compared(before, now)

    assert places(con, "AUD-29") == told
    assert places(con, "AUD-29", "stops") == stopped


def test_a_new_center_does_not_move_the_groups() -> None:
    before = groups(60, TEC=30, IPC=30)
    now = [*before, *rows_of("C2", "subject", 80), *levels("C2", "group", TEC=80)]

    assert places(compared(before, now), "AUD-29") == []


# Other patients: AUD-34 ---------------------------------------------------------------------------


def changed(
    both: int, one: int, two: int, *, published: int = 1, **columns: int
) -> duckdb.DuckDBPyConnection:
    """A center: patients then and now, changed in one value or more, in two or more, and in columns."""
    con = duckdb.connect()
    counts = {"both": both, "changed": one, "twice": two, "published": published}
    rows: list[Row] = [(figure, "C1", "patients", None, n) for figure, n in counts.items()]
    rows += [("column", "C1", f"subject.{name}", None, n) for name, n in columns.items()]
    put_counts(con, CHANGED, rows)
    return con


@pytest.mark.parametrize(
    ("both", "one", "two", "told", "stopped"),
    [
        (15, 3, 0, True, False),  # a fifth, and three
        (16, 3, 0, False, False),
        (2, 2, 2, False, False),  # two patients
        (4, 4, 4, True, False),  # of four, all: told
        (10, 5, 5, True, True),  # half, and five
        (11, 5, 5, True, False),
        (14, 14, 4, True, False),  # one column is another for all: a correction of that column
        (0, 0, 0, False, False),
    ],
)
def test_patients_who_are_others_than_before_are_told_and_stop_where_they_are_most(
    both: int, one: int, two: int, told: bool, stopped: bool
) -> None:
    con = changed(both, one, two, sex=one)

    assert [line["center_id"] for line in lines(con, "AUD-34") if line["bad"]] == ["C1"] * told
    assert [line["center_id"] for line in lines(con, "AUD-34") if line["stops"]] == ["C1"] * stopped


def test_patients_who_are_others_than_in_a_superseded_delivery_are_told_and_stop_nothing() -> None:
    (line,) = lines(changed(14, 14, 14, published=0, sex=14), "AUD-34")

    assert (line["bad"], line["stops"]) == (True, False)


def test_the_sentence_says_center_how_many_patients_which_columns_and_what_to_do() -> None:
    frame = {
        name: [value]
        for name, value in lines(changed(14, 13, 9, sex=9, birth_year=12), "AUD-34")[0].items()
    }

    assert sentence(check("AUD-34"), frame, "", "stop") == (
        "AUD-34 Patients are those that were published before: 1 of 1 lines fail (C1 with 13 of 14 patients "
        "changed: 12 in subject.birth_year, 9 in subject.sex); rows may stand beside the ids of other patients: "
        "see whether the spec takes the ids from the right column, and ask the center whether a column was "
        "sorted or moved without the others"
    )


# Deaths that are gone: AUD-36 ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dead", "gone", "published", "told", "stopped"),
    [
        (9, 9, 1, True, True),
        (8, 4, 1, True, True),  # half, and four
        (9, 4, 1, True, False),
        (3, 3, 1, True, False),  # three deaths
        (10, 2, 1, True, False),  # a fifth, and two
        (11, 2, 1, False, False),
        (1, 1, 1, False, False),
        (9, 9, 0, True, False),  # against a delivery that was never published
        (9, 0, 1, False, False),
    ],
)
def test_deaths_that_are_no_longer_told_are_told_and_stop_where_they_are_most(
    dead: int, gone: int, published: int, told: bool, stopped: bool
) -> None:
    con = duckdb.connect()
    counts = {"both": 14, "dead": dead, "dead_gone": gone, "published": published}
    put_counts(con, CHANGED, [(figure, "C1", "patients", None, n) for figure, n in counts.items()])
    (line,) = lines(con, "AUD-36")

    assert (line["bad"], line["stops"]) == (told, stopped)
    assert line["told"] == f"with {gone} of {dead} deaths no longer told"


# Patients who are gone: AUD-35 --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (14, 8, ["C1 with 8 patients, before 14"]),
        (15, 12, []),  # a fifth is the bound
        (14, 11, ["C1 with 11 patients, before 14"]),
        (4, 2, []),  # two patients
        (8, 14, []),
    ],
)
def test_a_center_that_lost_more_than_a_fifth_of_its_patients_is_told(
    before: int, now: int, told: list[str]
) -> None:
    con = compared(rows_of("C1", "subject", before), rows_of("C1", "subject", now))

    assert places(con, "AUD-35") == told


def test_a_center_without_any_patient_left_is_told_where_other_rows_stand() -> None:
    now = rows_of("C1", "lab", 50)

    assert places(compared(rows_of("C1", "subject", 9), now), "AUD-35") == [
        "C1 with 0 patients, before 9"
    ]


def test_only_comparing_checks_can_be_accepted() -> None:
    assert check("AUD-34").acceptable
    assert check("AUD-23").acceptable
    assert check("AUD-29").acceptable
    assert not check("AUD-01").acceptable
