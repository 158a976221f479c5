"""The sensitivity pair: every partial date at its earliest and at its latest possible day."""

from collections import Counter

import pytest

PARTIAL = {
    "treatment_line": """usubjid    | line_number | start_date | drugs
                         MYE-DE01-A | 1           | 2023-06    | talquetamab
                         MYE-DE01-B | 1           | 2023-06-01 | bortezomib""",
    "follow_up": """usubjid    | last_contact_date | vital_status | death_date
                    MYE-DE01-A | 2023-09-05        | DEAD         | 2023-09
                    MYE-DE01-B | 2024-02-01        | ALIVE        |""",
    "subject": """usubjid    | country | sex
                  MYE-DE01-A | DE      | F
                  MYE-DE01-B | DE      | M""",
    "infusion": """usubjid    | infusion_number | product | infusion_date
                   MYE-DE01-A | 1               | IDE     | 2023-01-10
                   MYE-DE01-B | 1               | CILTA   | 2023-01-10""",
    "relapse": """usubjid    | relapse_number | relapse_date
                  MYE-DE01-A | 1              | 2023-06
                  MYE-DE01-B | 1              | 2023-05-10""",
}


@pytest.fixture
def pair(derived, rows):
    """(Patient, parameter) → (start, end, days, CNSR, ANALYSIS)."""

    def build(**tables):
        con = derived(**tables)
        return {
            (row["USUBJID"][-1], row["PARAMCD"]): (
                row["STARTDT"],
                row["ADT"],
                row["AVAL"],
                row["CNSR"],
                row["ANALYSIS"],
            )
            for row in rows(con, "adtte")
        }

    return build


def test_partial_dates_are_completed_with_their_first_and_their_last_possible_day(pair):
    found = pair(**PARTIAL)
    # The 5th of September is the last day known alive: death is not before it.
    assert found["A", "OS"] == ("2023-06-15", "2023-09-05", 83, 0, "PRIMARY")
    assert found["A", "OSE"] == ("2023-06-01", "2023-09-05", 97, 0, "EARLIEST")
    assert found["A", "OSL"] == ("2023-06-30", "2023-09-30", 93, 0, "LATEST")


def test_the_order_of_the_dates_holds_under_each_completion(pair):
    found = pair(**PARTIAL)
    # Relapse and salvage are of one month: the relapse is never put after the salvage.
    assert found["A", "TTRLPE"][1] == "2023-06-01"
    assert found["A", "TTRLP"][1] == "2023-06-15"
    assert found["A", "TTRLPL"][1] == "2023-06-30"
    assert found["A", "OSRELE"][2] == found["A", "OSE"][2] == 97


def test_a_patient_with_complete_dates_has_the_same_time_in_all_three(pair):
    found = pair(**PARTIAL)
    times = {code: value for (patient, code), value in found.items() if patient == "B"}
    primary = [code for code, value in times.items() if value[-1] == "PRIMARY"]
    assert {"OS", "PFS", "CIR", "TTNT", "TTRLP", "FUP"} <= set(primary)
    for code in primary:
        assert times[code][:-1] == times[f"{code}E"][:-1] == times[f"{code}L"][:-1]


def test_a_progression_known_by_month_moves_inside_its_month_and_not_past_death(pair):
    found = pair(
        response="""usubjid    | line_number | kind        | response_date | category
                    MYE-DE01-A | 1           | PROGRESSION | 2023-09       | PD""",
        follow_up="""usubjid    | last_contact_date | vital_status | death_date
                     MYE-DE01-A | 2023-09-20        | DEAD         | 2023-09-20""",
    )
    assert found["A", "PFS"][1] == "2023-09-01"
    assert found["A", "PFSE"][1] == "2023-09-01"
    assert found["A", "PFSL"] == ("2023-06-01", "2023-09-20", 112, 0, "LATEST")


def test_a_last_contact_known_by_month_counts_to_its_end_only_in_the_latest_completion(pair):
    found = pair(
        follow_up="""usubjid    | last_contact_date | vital_status | death_date
                     MYE-DE01-A | 2024-02           | ALIVE        |"""
    )
    assert [found["A", code][1] for code in ("OS", "OSE", "OSL")] == [
        "2024-02-01",
        "2024-02-01",
        "2024-02-29",
    ]


def test_cohort_and_endpoints_balance_under_each_completion(derived):
    con = derived(
        **PARTIAL
        | {
            "follow_up": """usubjid    | last_contact_date | vital_status | death_date
                            MYE-DE01-A | 2023-09-05        | DEAD         | 2023
                            MYE-DE01-B | 2023-05-20        | DEAD         | 2023-05-20"""
        }
    )
    counted = con.execute("""
        select PARAMCD, count(*) from (
            select USUBJID, PARAMCD from analysis.adtte
            union all
            select USUBJID, PARAMCD from analysis.exclusion
        ) where not starts_with(PARAMCD, 'RSD') group by PARAMCD
    """).fetchall()
    assert {n for _, n in counted} == {2}
    assert len(counted) == 13 * 3


def test_a_patient_who_leaves_the_cohort_under_a_completion_is_named(derived, rows, study_with):
    import datetime as dt

    con = derived(
        study_with(data_cut=dt.date(2023, 6, 20)),
        treatment_line="""usubjid    | line_number | start_date | drugs
                          MYE-DE01-A | 1           | 2023-06    | talquetamab""",
    )
    assert len(rows(con, "adtte", "PARAMCD in ('OS', 'OSE')")) == 2
    [row] = rows(con, "exclusion", "PARAMCD = 'OSL'")
    assert row["reason"] == "NOT_IN_COMPLETION"


def test_the_report_reads_the_primary_times_only(derived):
    from reports.displays.data import AnalysisData

    con = derived(**PARTIAL)
    times = AnalysisData.read(con).adtte
    kept = ", ".join(times.columns)
    where = "from analysis.adtte where ANALYSIS"
    primary = con.execute(f"select {kept} {where} = 'PRIMARY'").fetchall()
    assert Counter(times.rows()) == Counter(primary)
    (others,) = con.execute(f"select count(*) {where} <> 'PRIMARY'").fetchone()
    assert others > 0  # there was something else to read


def test_a_censoring_date_of_which_only_the_month_is_known_carries_its_flag(derived, rows):
    con = derived(
        follow_up="""usubjid    | last_contact_date | vital_status | death_date
                     MYE-DE01-A | 2024-02           | ALIVE        |""",
        treatment_line="""usubjid    | line_number | start_date | drugs
                          MYE-DE01-A | 1           | 2023-06-01 | talquetamab
                          MYE-DE01-A | 2           | 2023-09    | bortezomib""",
    )
    [patient] = rows(con, "adsl")
    assert (patient["LSTALVDT"], patient["LSTALDTF"]) == ("2024-02-01", "D")
    assert (patient["NACTDT"], patient["NACTDTF"]) == ("2023-09-15", "D")
    found = {row["PARAMCD"]: (row["ADT"], row["ADTF"]) for row in rows(con, "adtte")}
    assert found["OS"] == found["FUP"] == ("2024-02-01", "D")
    assert found["TTNT"] == ("2023-09-15", "D")


def test_a_complete_record_on_the_last_day_known_alive_needs_no_flag(derived, rows):
    con = derived(
        follow_up="""usubjid    | last_contact_date | vital_status | death_date
                     MYE-DE01-A | 2024-02           | ALIVE        |""",
        response="""usubjid    | line_number | kind       | response_date | category
                    MYE-DE01-A | 1           | ASSESSMENT | 2024-02-01    | PR""",
    )
    [patient] = rows(con, "adsl")
    assert (patient["LSTALVDT"], patient["LSTALDTF"]) == ("2024-02-01", None)
    # The latest completion ends with the month, which no complete record shows.
    [latest] = rows(con, "adtte", "PARAMCD = 'OSL'")
    assert (latest["ADT"], latest["ADTF"]) == ("2024-02-29", "D")
