"""Every figure of the scorecard, with values counted by hand."""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from scorecard_case import ROOT, Case  # noqa: E402

from warehouse.scorecard import figures  # noqa: E402

ONE_LOAD = "1 | 2024-03-10 02:00"
ONE_DELIVERY = "1 | 1 | AA01 | a1 | 2024-03-09 | snapshot | current"


def one(checks: str = "", ledger: str = "") -> Case:
    """One center with one delivery."""
    case = Case().loads(ONE_LOAD).deliveries(ONE_DELIVERY)
    return case.checks(checks).ledger(ledger)


def asked(events: str, loads: str = ONE_LOAD) -> Case:
    """One center with the queries Q-1 (error), Q-2 (error), Q-3 and Q-4 (warnings)."""
    case = Case().loads(loads).deliveries(ONE_DELIVERY)
    case.queries("""
        Q-1 | AA01 | CMP-01 | MYE-AA01-X | subject  | sex
        Q-2 | AA01 | PLA-01 | MYE-AA01-X | follow_up | death_date
        Q-3 | AA01 | PLA-02 | MYE-AA01-Y | infusion | dose
        Q-4 | AA01 | PLA-02 | MYE-AA01-Z | infusion | dose""")
    return case.events(events).fill()


# What was judged


def test_a_kind_of_quality_is_the_share_of_its_checks_that_were_met():
    case = one("""
        1 | CMP-01 | failed | 1 | 10
        1 | CMP-02 | passed | 0 | 30
        1 | PLA-01 | failed | 3 | 12""").fill()
    row = case.row("AA01", "completeness")
    assert (row["numerator"], row["denominator"], row["value"]) == (39, 40, 0.975)
    assert case.value("AA01", "plausibility") == 0.75


@pytest.mark.parametrize("outcome", ["not_run", "not_applicable", "error"])
def test_a_rule_that_judged_nothing_counts_for_nothing(outcome):
    case = one(f"""
        1 | CMP-01 | {outcome} | 0 | 10
        1 | CMP-02 | failed    | 1 | 4""").fill()
    assert case.row("AA01", "completeness")["denominator"] == 4


def test_a_rule_that_only_informs_finds_no_fault():
    case = one("1 | INF-01 | failed | 9 | 9").fill()
    assert case.value("AA01", "plausibility") is None


def test_a_rule_on_the_whole_study_is_left_out_since_it_judges_the_newest_state_only():
    case = one("""
        1 | STU-01 | failed | 2 | 4
        1 | PLA-01 | failed | 1 | 4""").fill()
    assert case.row("AA01", "plausibility")["denominator"] == 4


def test_rules_of_reading_are_together_one_check_of_each_row():
    ledger = """
        1 | read  |         | quarantined | 2
        1 | check | subject | in          | 38"""
    case = one("1 | MAP-01 | failed | 3 | \n 1 | CON-01 | failed | 1 | 10", ledger).fill()
    row = case.row("AA01", "conformance")
    assert (row["numerator"], row["denominator"]) == (46, 50)
    case = one("1 | MAP-01 | passed | 0 | ", ledger).fill()
    assert (case.value("AA01", "conformance"), case.value("AA01", "completeness")) == (1, None)
    case = one("1 | MAP-01 | failed | 60 | ", ledger).fill()
    assert case.value("AA01", "conformance") == 0  # never below


def test_what_was_not_judged_is_empty_and_has_no_place():
    case = one("1 | CMP-01 | passed | 0 | 0").fill()
    for figure, better in figures().items():
        row = case.row("AA01", figure)
        if figure in ("open", "answered", "candidate"):
            assert row["value"] == 0
        else:
            assert row["value"] is None, figure
        assert row["rank"] is None
        assert row["better"] == (better or None)


def test_rows_held_back_are_counted_against_all_rows_that_came():
    case = one(
        ledger="""
        1 | read  |         | in          | 90
        1 | read  |         | quarantined | 2
        1 | check | subject | in          | 20
        1 | check | lab     | in          | 78
        1 | check | lab     | quarantined | 3
        1 | check | lab     | excluded    | 7
        1 | load  | lab     | in          | 68"""
    ).fill()
    row = case.row("AA01", "held")
    assert (row["numerator"], row["denominator"], row["value"]) == (5, 100, 0.05)


def test_a_center_that_held_nothing_back_has_zero():
    case = one(ledger="1 | check | subject | in | 20").fill()
    assert case.value("AA01", "held") == 0


def test_required_values_are_known_patient_by_patient():
    case = Case().loads(ONE_LOAD).deliveries(ONE_DELIVERY)
    case.core(
        subject="""usubjid|sex|birth_year
            MYE-AA01-1|F|1960
            MYE-AA01-2|U|""",
        infusion="""usubjid|infusion_number|product|infusion_date|prior_lines|prior_bcma|ecog
            MYE-AA01-1|1|IDE|2023-05|4|N|1
            MYE-AA01-1|2|CILTA|2024-01-02||U|""",
        follow_up="""usubjid|last_contact_date|vital_status|death_date
            MYE-AA01-1||DEAD|2024-02-01
            MYE-AA01-2|2024-02-01|ALIVE|""",
        response="""usubjid|line_number|kind|category
            MYE-AA01-1|1|BEST|NE
            MYE-AA01-2|0|BEST|PR""",
    ).fill()
    known = {
        level: (case.row("AA01", "known", level)["numerator"], case.row("AA01", "known", level)["denominator"])
        for level in ("sex", "age", "infusion_date", "prior_bcma", "response", "last_contact", "death_date")
    }  # fmt: skip
    assert known == {
        "sex": (1, 2),
        "age": (1, 2),
        "infusion_date": (1, 2),  # a month is known
        "prior_bcma": (1, 2),
        "response": (0, 2),  # not evaluable; before the first salvage
        "last_contact": (2, 2),
        "death_date": (1, 1),  # asked of the dead alone
    }
    row = case.row("AA01", "known")
    # 15 variables of both and a date of death of one; first patient: sex, age, product, infusion date, lines,
    # BCMA, ECOG, vital status, last contact, death; second: vital status, last contact.
    assert (row["numerator"], row["denominator"]) == (12, 31)


# Queries


def test_queries_are_counted_by_state_and_severity_with_their_age():
    case = asked("""
        2024-02-09 02:00 | load         | 1 | Q-1 | created  | candidate
        2024-02-09 02:00 | load         | 1 | Q-2 | created  | candidate
        2024-02-09 02:00 | load         | 1 | Q-3 | created  | candidate
        2024-02-09 02:00 | load         | 1 | Q-4 | created  | candidate
        2024-02-19 02:00 | data manager |   | Q-1 | released | open
        2024-02-29 01:00 | data manager |   | Q-2 | released | open
        2024-03-05 03:00 | data manager |   | Q-3 | released | open
        2024-03-06 03:00 | center       |   | Q-3 | answered | answered""")
    # Judged on 2024-03-10 02:00.
    assert (case.value("AA01", "open"), case.value("AA01", "open", "error")) == (2, 2)
    assert case.value("AA01", "open", "warning") == 0
    assert case.value("AA01", "open_age_oldest") == 20
    assert case.value("AA01", "open_age_median") == 15
    assert case.value("AA01", "open_age_median", "warning") is None
    assert case.value("AA01", "answered", "warning") == 1
    assert case.value("AA01", "answered_age_oldest") == 4  # since it was asked
    assert case.value("AA01", "candidate") == 1
    assert case.value("AA01", "candidate_age_median") == 30  # since it was found


def test_open_queries_per_hundred_patients_delivered():
    case = Case().loads(ONE_LOAD).deliveries(ONE_DELIVERY)
    case.ledger("1 | check | subject | in | 8").queries("Q-1 | AA01 | CMP-01 | | subject | sex")
    case.events("2024-03-10 02:00 | load | 1 | Q-1 | created | open").fill()
    assert case.value("AA01", "open_per_100") == 12.5


def test_days_to_answer_run_from_the_packet_to_the_first_answer():
    case = asked("""
        2024-02-01 02:00 | load         | 1 | Q-1 | created   | open
        2024-02-01 02:00 | load         | 1 | Q-2 | created   | open
        2024-02-01 02:00 | load         | 1 | Q-3 | created   | open
        2024-02-02 02:00 | data manager |   | Q-1 | sent      | open
        2024-02-02 02:00 | data manager |   | Q-2 | sent      | open
        2024-02-06 02:00 | center       |   | Q-1 | answered  | answered
        2024-02-09 02:00 | center       |   | Q-1 | answered  | answered
        2024-02-22 03:00 | center       |   | Q-2 | confirmed | closed | confirmed_correct
        2024-02-02 02:00 | data manager |   | Q-3 | closed    | closed | not_available""")
    # 4 and 20 days; what the data manager closes is no answer of the center.
    assert case.value("AA01", "days_to_answer") == 12
    assert case.row("AA01", "days_to_answer")["denominator"] == 2


def test_settled_queries_by_data_and_those_that_came_back():
    case = asked("""
        2024-02-01 02:00 | load         | 1 | Q-1 | created       | open
        2024-02-01 02:00 | load         | 1 | Q-2 | created       | open
        2024-02-01 02:00 | load         | 1 | Q-3 | created       | open
        2024-02-01 02:00 | load         | 1 | Q-4 | created       | open
        2024-02-05 02:00 | load         | 1 | Q-1 | resolved      | resolved  | data_corrected
        2024-02-05 02:00 | load         | 1 | Q-2 | resolved      | resolved  | data_corrected
        2024-02-06 02:00 | load         | 1 | Q-2 | reopened      | open
        2024-02-07 02:00 | center       |   | Q-2 | answered      | answered
        2024-02-08 02:00 | load         | 1 | Q-2 | not_corrected | open
        2024-02-07 02:00 | center       |   | Q-3 | closed        | closed    | not_available
        2024-02-07 02:00 | load         | 1 | Q-4 | cancelled     | cancelled | rule_withdrawn""")
    by_data = case.row("AA01", "by_data")
    assert (by_data["numerator"], by_data["denominator"]) == (1, 2)  # a void question is none
    reopened = case.row("AA01", "reopened")
    assert (reopened["numerator"], reopened["denominator"]) == (1, 3)
    not_corrected = case.row("AA01", "not_corrected")
    assert (not_corrected["numerator"], not_corrected["denominator"]) == (1, 2)


# Places


def test_equal_figures_share_a_place_and_what_was_not_judged_has_none():
    case = Case().loads(ONE_LOAD)
    case.deliveries("""
        1 | 1 | AA01 | a | 2024-03-09 | snapshot | current
        2 | 1 | BB01 | b | 2024-03-09 | snapshot | current
        3 | 1 | CC01 | c | 2024-03-09 | snapshot | current
        4 | 1 | DD01 | d | 2024-03-09 | snapshot | current
        5 | 1 | -    | - |            | snapshot |         | failed""")
    case.checks("""
        1 | CMP-01 | failed | 1 | 4
        2 | CMP-01 | passed | 0 | 9
        3 | CMP-01 | failed | 2 | 8""")
    case.ledger("""
        1 | check | lab | in          | 10
        1 | check | lab | quarantined | 5
        2 | check | lab | in          | 10
        2 | check | lab | quarantined | 1""").fill()
    places = {c: case.row(c, "completeness")["rank"] for c in ("AA01", "BB01", "CC01", "DD01")}
    assert places == {"AA01": 2, "BB01": 1, "CC01": 2, "DD01": None}
    assert case.row("CC01", "completeness")["n_ranked"] == 3
    assert [case.row(c, "held")["rank"] for c in ("AA01", "BB01")] == [2, 1]  # lower is better
    assert case.row("AA01", "open")["rank"] is None
    centers = case.con.execute("SELECT DISTINCT center_id FROM quality.scorecard").fetchall()
    assert ("-",) not in centers


# Months

MONTHS = """
    1 | 2024-01-10 02:00
    2 | 2024-02-10 02:00
    3 | 2024-02-20 02:00
    4 | 2024-02-25 02:00 | stopped
    5 | 2024-03-10 02:00
    6 | 2024-03-20 02:00"""


def test_the_last_load_of_each_month_is_kept_and_compared_with_the_month_before():
    case = Case().loads(MONTHS).deliveries(ONE_DELIVERY).fill()
    kept = case.con.execute(
        'SELECT DISTINCT load_id, "month"::VARCHAR, is_last_of_month, before_load_id, as_of::VARCHAR '
        "FROM quality.scorecard ORDER BY load_id"
    ).fetchall()
    assert kept == [
        (1, "2024-01-01", True, None, "2024-01-31 23:59:59"),
        (3, "2024-02-01", True, 1, "2024-02-29 23:59:59"),
        (6, "2024-03-01", True, 3, "2024-03-20 02:00:00"),
    ]


def test_in_the_first_month_the_load_before_is_compared_with():
    case = Case().deliveries(ONE_DELIVERY)
    case.loads("1 | 2024-03-10 02:00\n2 | 2024-03-11 02:00\n3 | 2024-03-12 02:00").fill()
    kept = case.con.execute(
        "SELECT DISTINCT load_id, before_load_id, is_last_of_month, as_of::VARCHAR "
        "FROM quality.scorecard ORDER BY load_id"
    ).fetchall()
    assert kept == [
        (2, None, False, "2024-03-12 01:59:59"),
        (3, 2, True, "2024-03-12 02:00:00"),
    ]


def test_a_year_is_kept():
    loads = "\n".join(f"{n} | {2023 + n // 12}-{n % 12 + 1:02d}-10 02:00" for n in range(1, 21))
    case = asked("2023-02-10 02:05 | load | 1 | Q-1 | created | open", loads)
    kept = case.con.execute("SELECT DISTINCT load_id FROM quality.scorecard ORDER BY ALL")
    assert [row[0] for row in kept.fetchall()] == list(range(8, 21))
    assert case.value("AA01", "open", load=8) == case.value("AA01", "open") == 1


def test_the_delivery_that_was_in_force_then_is_judged_and_compared():
    case = Case().loads(MONTHS)
    case.deliveries("""
        1 | 1 | AA01 | a1 | 2024-01-09 | snapshot |
        2 | 5 | AA01 | a2 | 2024-03-09 | snapshot | current
        3 | 3 | BB01 | b1 | 2024-01-09 | append   | current
        4 | 6 | BB01 | b2 | 2024-03-09 | append   | current
        5 | 6 | BB01 | b3 | 2024-03-19 | append   |         | failed""")
    case.checks("""
        1 | CMP-01 | failed | 1 | 2
        2 | CMP-01 | failed | 1 | 4
        3 | CMP-01 | failed | 1 | 10
        4 | CMP-01 | passed | 0 | 10""").fill()
    assert [case.value("AA01", "completeness", load=n) for n in (1, 3, 6)] == [0.5, 0.5, 0.75]
    row = case.row("AA01", "completeness")
    assert (row["value_before"], row["rank"], row["rank_before"]) == (0.5, 2, 2)
    assert [case.value("BB01", "completeness", load=n) for n in (3, 6)] == [0.9, 0.95]
    assert case.con.execute(
        "SELECT count(*) FROM quality.scorecard WHERE center_id = 'BB01' AND load_id = 1"
    ).fetchall() == [(0,)]


def test_what_people_do_after_a_load_counts_to_it_until_the_month_ends_or_the_next_load_starts():
    case = asked(
        """
        2024-02-20 02:05 | load         | 3 | Q-1 | created  | candidate
        2024-02-20 02:05 | load         | 3 | Q-2 | created  | candidate
        2024-02-29 23:00 | data manager |   | Q-1 | released | open
        2024-03-01 08:00 | data manager |   | Q-2 | released | open
        2024-03-10 02:05 | load         | 5 | Q-1 | resolved | resolved | data_corrected
        2024-03-20 02:05 | load         | 6 | Q-2 | resolved | resolved | data_corrected""",
        MONTHS,
    )
    assert [case.value("AA01", "open", load=n) for n in (1, 3, 6)] == [0, 1, 0]
    assert [case.value("AA01", "candidate", load=n) for n in (3, 6)] == [1, 0]
    assert case.row("AA01", "open")["value_before"] == 1
    assert case.row("AA01", "by_data")["numerator"] == 2
    assert case.value("AA01", "by_data", load=3) is None


def test_the_newest_state_is_that_of_the_published_queries():
    case = asked(
        """
        2024-02-20 02:05 | load         | 3 | Q-1 | created  | candidate
        2024-02-20 02:05 | load         | 3 | Q-2 | created  | open
        2024-03-21 08:00 | data manager |   | Q-1 | released | open
        2024-03-22 08:00 | center       |   | Q-2 | answered | answered""",
        MONTHS,
    )
    published = dict(
        case.con.execute("SELECT state, count(*) FROM quality.query GROUP BY ALL").fetchall()
    )
    assert published == {"open": 1, "answered": 1, "candidate": 2}
    assert (case.value("AA01", "open"), case.value("AA01", "answered")) == (1, 1)
    assert case.value("AA01", "candidate") == 0  # have no event yet


# Declarations


def test_every_figure_is_declared_defined_and_in_the_docs():
    docs = (ROOT / "docs" / "scorecard.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `([a-z_0-9]+)`", docs, re.MULTILINE))
    assert told == set(figures())
    made = (ROOT / "warehouse" / "sql" / "scorecard" / "figure.sql").read_text(encoding="utf-8")
    for figure in figures():
        stem = re.sub(r"_age_(median|oldest)$", "", figure)
        assert f"'{stem}'" in made or stem in ("completeness", "conformance", "plausibility")


def test_every_statement_has_its_header_and_the_build_leaves_no_table_behind():
    for path in (ROOT / "warehouse" / "sql" / "scorecard").glob("*.sql"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert lines[0] == f"-- {path.stem}"
        assert [line[:11] for line in lines[1:4]] == ["-- Grain:  ", "-- Reads:  ", "-- Feeds:  "]
    case = one("1 | CMP-01 | passed | 0 | 5").fill()
    left = case.con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'scorecard%'"
    ).fetchall()
    assert left == [("scorecard",)]
    with (ROOT / "warehouse" / "sql" / "labels.csv").open(encoding="utf-8", newline="") as file:
        labelled = {r["column"] for r in csv.DictReader(file) if r["table"] == "scorecard"}
    columns = {row[0] for row in case.con.execute("SELECT column_name FROM duckdb_columns() WHERE table_name = 'scorecard'").fetchall()}  # fmt: skip
    assert labelled - {""} == columns
