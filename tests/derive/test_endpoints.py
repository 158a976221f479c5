"""OS, PFS and RSD: the edge cases of the dossier (5.2)."""

import datetime as dt

import pytest


def follow_up(contact: str, status: str, death: str = "") -> str:
    return f"""usubjid    | last_contact_date | vital_status | death_date
               MYE-DE01-A | {contact}         | {status}     | {death}"""


def responses(*rows: str) -> str:
    return "\n".join(
        [
            "usubjid | line_number | kind | response_date | category",
            *(f"MYE-DE01-A | {r}" for r in rows),
        ]
    )


def test_a_patient_alive_is_censored_at_the_last_day_known_alive(clock):
    row = clock("OS")
    assert (row["STARTDT"], row["ADT"], row["CNSR"]) == ("2023-06-01", "2024-02-01", 1)
    assert (row["AVAL"], row["CNSDTDSC"], row["EVNTDESC"]) == (246, "Alive at last contact", None)
    assert row["AVALM"] == pytest.approx(245 / 30.4375, rel=1e-15)
    assert (row["SRCDOM"], row["SRCVAR"], row["SRCSEQ"]) == ("ADSL", "LSTALVDT", None)


def test_an_assessment_after_the_last_contact_is_evidence_of_life(clock):
    row = clock("OS", response=responses("1 | ASSESSMENT | 2024-03-05 | PR"))
    assert (row["ADT"], row["CNSR"]) == ("2024-03-05", 1)


def test_death_on_the_day_of_salvage_start_is_an_event_of_one_day(clock):
    row = clock("OS", follow_up=follow_up("2023-06-01", "DEAD", "2023-06-01"))
    assert (row["AVAL"], row["AVALM"], row["CNSR"], row["EVNTDESC"]) == (1, 0.0, 0, "Death")
    assert (row["SRCDOM"], row["SRCVAR"]) == ("ADSL", "DTHDT")


def test_death_before_salvage_start_is_excluded_with_its_reason_and_never_clipped(clock):
    row = clock("OS", follow_up=follow_up("2023-05-30", "DEAD", "2023-05-30"))
    assert row["reason"] == "DEATH_BEFORE_START"


def test_a_death_without_a_date_is_excluded_with_its_reason(clock):
    assert clock("OS", follow_up=follow_up("2024-01-01", "DEAD"))["reason"] == "DEATH_DATE_MISSING"


def test_a_death_known_by_year_only_is_excluded_with_its_reason(clock):
    row = clock("OS", follow_up=follow_up("2023-11-01", "DEAD", "2023"))
    assert row["reason"] == "DEATH_DATE_YEAR_ONLY"


def test_lost_to_follow_up_is_censored_and_says_so(clock):
    row = clock("OS", follow_up=follow_up("2023-12-01", "LOST"))
    assert (row["ADT"], row["CNSR"], row["CNSDTDSC"]) == ("2023-12-01", 1, "Lost to follow-up")


def test_an_unknown_vital_status_is_censored_at_the_last_evidence_with_its_own_code(clock):
    row = clock(
        "OS",
        follow_up="usubjid | vital_status",
        response=responses("1 | ASSESSMENT | 2023-07-01 | PR"),
    )
    assert (row["ADT"], row["CNSR"]) == ("2023-07-01", 2)
    assert row["CNSDTDSC"] == "Vital status unknown, last evidence alive"


def test_a_death_after_the_data_cut_is_censored_at_the_cut(clock, study_with):
    row = clock(
        "OS",
        study_with(data_cut=dt.date(2023, 12, 31)),
        follow_up=follow_up("2024-01-20", "DEAD", "2024-01-20"),
    )
    assert (row["ADT"], row["CNSR"], row["CNSDTDSC"]) == ("2023-12-31", 1, "Data cut")


def test_the_clock_of_an_imputed_start_carries_its_flag(clock):
    row = clock(
        "OS",
        treatment_line="""usubjid    | line_number | start_date | drugs
                          MYE-DE01-A | 1           | 2023-06    | talquetamab""",
    )
    assert (row["STARTDT"], row["STARTDTF"]) == ("2023-06-15", "D")


def test_progression_ends_progression_free_survival_with_the_address_of_its_record(clock):
    row = clock("PFS", response=responses("1 | PROGRESSION | 2023-09-01 | PD"))
    assert (row["ADT"], row["CNSR"], row["EVNTDESC"]) == ("2023-09-01", 0, "Disease progression")
    assert (row["SRCDOM"], row["SRCVAR"]) == ("RESPONSE", "response_date")
    assert row["SRCSEQ"] is not None


def test_progression_and_death_on_one_day_are_one_event_called_progression(clock):
    row = clock(
        "PFS",
        response=responses("1 | PROGRESSION | 2023-09-01 | PD"),
        follow_up=follow_up("2023-09-01", "DEAD", "2023-09-01"),
    )
    assert (row["AVAL"], row["EVNTDESC"]) == (93, "Disease progression")


def test_progression_on_the_day_of_salvage_start_is_an_event_of_one_day(clock):
    row = clock("PFS", response=responses("1 | PROGRESSION | 2023-06-01 | PD"))
    assert (row["AVAL"], row["CNSR"]) == (1, 0)


def test_progression_before_salvage_start_is_excluded_and_never_moved_to_the_start(clock):
    row = clock("PFS", response=responses("1 | PROGRESSION | 2023-05-20 | PD"))
    assert row["reason"] == "PROGRESSION_BEFORE_START"


def test_progression_without_a_date_is_excluded_and_not_taken_as_progression_free(clock):
    row = clock("PFS", response=responses("1 | BEST | | PD"))
    assert row["reason"] == "PROGRESSION_DATE_MISSING"


def test_progression_after_death_is_excluded(clock):
    row = clock(
        "PFS",
        response=responses("1 | PROGRESSION | 2023-10-01 | PD"),
        follow_up=follow_up("2023-09-01", "DEAD", "2023-09-01"),
    )
    assert row["reason"] == "PROGRESSION_AFTER_DEATH"


def test_best_response_progression_gives_the_date_of_progression(clock):
    row = clock("PFS", response=responses("1 | BEST | 2023-07-15 | PD"))
    assert (row["ADT"], row["CNSR"]) == ("2023-07-15", 0)


def test_death_without_progression_is_the_event(clock):
    row = clock("PFS", follow_up=follow_up("2023-09-01", "DEAD", "2023-09-01"))
    assert (row["ADT"], row["CNSR"], row["EVNTDESC"]) == ("2023-09-01", 0, "Death")


def test_a_next_line_without_progression_does_not_end_progression_free_survival(clock):
    lines = """usubjid    | line_number | start_date | drugs
               MYE-DE01-A | 1           | 2023-06-01 | talquetamab
               MYE-DE01-A | 2           | 2023-09-01 | bortezomib"""
    row = clock("PFS", treatment_line=lines)
    assert (row["ADT"], row["CNSR"]) == ("2024-02-01", 1)
    row = clock(
        "PFS", treatment_line=lines, response=responses("2 | PROGRESSION | 2023-12-01 | PD")
    )
    assert (row["ADT"], row["CNSR"]) == ("2023-12-01", 0)


def test_the_earliest_progression_counts_where_later_lines_progress_too(clock):
    row = clock(
        "PFS",
        response=responses(
            "2 | PROGRESSION | 2023-12-01 | PD", "1 | PROGRESSION | 2023-08-20 | PD"
        ),
    )
    assert row["ADT"] == "2023-08-20"


def test_a_progression_of_which_only_the_month_is_known_is_put_on_the_earliest_possible_day(clock):
    row = clock("PFS", response=responses("1 | PROGRESSION | 2023-09 | PD"))
    assert (row["ADT"], row["ADTF"]) == ("2023-09-01", "D")
    row = clock(
        "PFS",
        response=responses("1 | PROGRESSION | 2023-06 | PD"),
        treatment_line="""usubjid    | line_number | start_date | drugs
                          MYE-DE01-A | 1           | 2023-06-10 | talquetamab""",
    )
    assert (row["ADT"], row["AVAL"]) == ("2023-06-10", 1)


def test_censoring_at_the_last_assessment_is_a_setting(clock, study_with):
    study = study_with(pfs_censoring="last_assessment")
    row = clock("PFS", study, response=responses("1 | ASSESSMENT | 2023-10-01 | PR"))
    assert (row["ADT"], row["CNSR"], row["CNSDTDSC"]) == (
        "2023-10-01",
        1,
        "Last disease assessment",
    )
    row = clock("PFS", study)
    assert (row["AVAL"], row["CNSR"]) == (1, 3)


def test_duration_of_response_runs_from_the_first_response_to_progression(clock):
    row = clock(
        "RSD",
        response=responses(
            "1 | ASSESSMENT | 2023-07-01 | PR",
            "1 | ASSESSMENT | 2023-08-01 | CR",
            "1 | PROGRESSION | 2023-11-01 | PD",
        ),
    )
    assert (row["STARTDT"], row["ADT"], row["CNSR"], row["STARTSRC"]) == (
        "2023-07-01",
        "2023-11-01",
        0,
        "ASSESSMENT",
    )
    assert row["AVAL"] == 124


def test_duration_of_response_from_the_best_response_alone_says_so(clock):
    row = clock("RSD", response=responses("1 | BEST | 2023-08-01 | VGPR"))
    assert (row["STARTDT"], row["STARTSRC"], row["CNSR"]) == ("2023-08-01", "BEST", 1)


def test_a_responder_without_a_response_date_counts_for_the_rate_and_not_for_the_duration(
    derived, rows
):
    con = derived(response=responses("1 | BEST | | CR"))
    [row] = rows(con, "adsl")
    assert (row["RESPFL"], row["CRFL"]) == ("Y", "Y")
    assert rows(con, "adtte", "PARAMCD = 'RSD'") == []
    [excluded] = rows(con, "exclusion", "PARAMCD = 'RSD'")
    assert excluded["reason"] == "RESPONSE_DATE_MISSING"


def test_patients_without_response_have_no_duration_of_response(derived, rows):
    con = derived(response=responses("1 | BEST | 2023-08-01 | SD"))
    assert rows(con, "adtte", "PARAMCD = 'RSD'") == []
    assert rows(con, "exclusion", "PARAMCD = 'RSD'") == []


def test_cohort_and_endpoints_balance(derived):
    con = derived(
        subject="""usubjid    | country | sex
                   MYE-DE01-A | DE      | F
                   MYE-DE01-B | DE      | M""",
        infusion="""usubjid    | infusion_number | product | infusion_date
                    MYE-DE01-A | 1               | IDE     | 2023-01-10
                    MYE-DE01-B | 1               | CILTA   | 2023-01-10""",
        relapse="""usubjid    | relapse_number | relapse_date
                   MYE-DE01-A | 1              | 2023-05-10
                   MYE-DE01-B | 1              | 2023-05-10""",
        treatment_line="""usubjid    | line_number | start_date | drugs
                          MYE-DE01-A | 1           | 2023-06-01 | talquetamab
                          MYE-DE01-B | 1           | 2023-06-01 | bortezomib""",
        follow_up="""usubjid    | last_contact_date | vital_status | death_date
                     MYE-DE01-A | 2024-02-01        | ALIVE        |
                     MYE-DE01-B | 2023-05-20        | DEAD         | 2023-05-20""",
    )
    counted = con.execute("""
        select PARAMCD, count(*) from (
            select USUBJID, PARAMCD from analysis.adtte
            union all
            select USUBJID, PARAMCD from analysis.exclusion
        ) where PARAMCD in ('OS', 'PFS') group by PARAMCD order by PARAMCD
    """)
    assert counted.fetchall() == [("OS", 2), ("PFS", 2)]
