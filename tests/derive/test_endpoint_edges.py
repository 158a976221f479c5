"""Every row of the dossier's table of edge cases (5.2), on all endpoints that it speaks of."""

import datetime as dt

import pytest


def follow_up(contact: str, status: str, death: str = "", cause: str = "") -> str:
    return f"""usubjid    | last_contact_date | vital_status | death_date | death_cause
               MYE-DE01-A | {contact}         | {status}     | {death}    | {cause}"""


def responses(*rows: str) -> str:
    return "\n".join(
        [
            "usubjid | line_number | kind | response_date | category | progression_basis | confirmed",
            *(f"MYE-DE01-A | {row}{' |' * (5 - row.count('|'))}" for row in rows),
        ]
    )


DEAD = follow_up("2023-09-01", "DEAD", "2023-09-01", "INFECTION")
SECOND_LINE = """usubjid    | line_number | start_date | drugs
                 MYE-DE01-A | 1           | 2023-06-01 | talquetamab
                 MYE-DE01-A | 2           | 2023-09-01 | bortezomib"""


@pytest.fixture
def times(derived, rows):
    """Parameter → its ADTTE row or exclusion, and the problems of the plain patient."""

    def build(study=None, **tables):
        con = derived(study, **tables)
        found = {row["PARAMCD"]: row for row in rows(con, "adtte", "ANALYSIS = 'PRIMARY'")}
        for row in rows(con, "exclusion"):
            found.setdefault(row["PARAMCD"], row)
        found["problems"] = {
            (row["PARAMCD"], row["reason"], row["outcome"], row["rule_id"])
            for row in rows(con, "endpoint_problem")
        }
        return found

    return build


def ended(row: dict[str, object]) -> tuple[object, ...]:
    return row["ADT"], row["CNSR"], row["CRSTAT"]


def test_death_on_the_day_of_salvage_start_is_one_day_of_survival(times):
    found = times(follow_up=follow_up("2023-06-01", "DEAD", "2023-06-01"))
    assert (found["OS"]["AVAL"], found["OS"]["CNSR"]) == (1, 0)
    assert (found["FUP"]["AVAL"], found["FUP"]["CNSR"]) == (1, 1)


def test_progression_and_death_on_one_day_are_a_progression_for_competing_risks(times):
    found = times(response=responses("1 | PROGRESSION | 2023-09-01 | PD"), follow_up=DEAD)
    assert (found["PFS"]["EVNTDESC"], found["PFS"]["CNSR"]) == ("Disease progression", 0)
    assert ended(found["CIR"]) == ("2023-09-01", 0, 1)
    assert ended(found["NRM"]) == ("2023-09-01", 2, 2)
    assert found["NRM"]["CNSDTDSC"] == "Competing event: disease progression"


def test_progression_on_the_day_of_the_start_counts_and_is_asked_about(times):
    found = times(response=responses("1 | PROGRESSION | 2023-06-01 | PD"))
    assert (found["PFS"]["AVAL"], found["PFS"]["CNSR"]) == (1, 0)
    assert ("PFS", "PROGRESSION_ON_START_DAY", "KEPT", "DAT-22") in found["problems"]


@pytest.mark.parametrize("paramcd", ["PFS", "PFSLA", "PFSNACT", "CIR", "NRM", "TTRSP"])
def test_progression_before_the_start_leaves_the_time_untold_and_never_clips_it(times, paramcd):
    found = times(response=responses("1 | PROGRESSION | 2023-05-20 | PD"))
    assert found[paramcd]["reason"] == "PROGRESSION_BEFORE_START"
    assert (paramcd, "PROGRESSION_BEFORE_START", "EXCLUDED", "DAT-22") in found["problems"]
    assert "AVAL" not in found[paramcd]


def test_best_response_progression_without_a_date_of_progression_gives_it_and_says_so(times):
    found = times(response=responses("1 | BEST | 2023-07-15 | PD"))
    assert (found["PFS"]["ADT"], found["PFS"]["PDSRC"]) == ("2023-07-15", "RESP")
    assert ("PFS", "PROGRESSION_FROM_BEST_RESPONSE", "KEPT", "DAT-22") in found["problems"]


def test_a_best_response_that_is_an_earlier_progression_is_asked_about(times):
    problem = ("PFS", "BEST_RESPONSE_PROGRESSED_BEFORE", "KEPT", "DAT-22")
    for day, is_asked in (("2023-07-15", True), ("2023-08-01", False), ("2023-08-20", False)):
        found = times(
            response=responses(f"1 | BEST | {day} | PD", "1 | PROGRESSION | 2023-08-01 | PD")
        )
        assert (found["PFS"]["ADT"], found["PFS"]["PDSRC"]) == ("2023-08-01", "PD")
        assert (problem in found["problems"]) == is_asked


def test_a_response_after_a_progression_under_the_number_of_the_bridge_is_asked_about(times):
    bridged = """usubjid    | line_number | start_date | drugs
                 MYE-DE01-A | 1           | 2023-06-01 | radiotherapy
                 MYE-DE01-A | 2           | 2023-06-15 | talquetamab"""
    found = times(
        treatment_line=bridged,
        response=responses("1 | PROGRESSION | 2023-06-21 | PD", "2 | BEST | 2023-07-11 | CR"),
    )
    # Progression on day 7 of the salvage, response 20 days later: the response ends no clock.
    assert (found["TTRSP"]["AVAL"], found["TTRSP"]["CRSTAT"]) == (7, 2)
    assert found["RSD"]["reason"] == "PROGRESSION_BEFORE_RESPONSE"
    assert ("TTRSP", "RESPONSE_AFTER_PROGRESSION", "KEPT", "RSP-03") in found["problems"]


def test_a_date_of_progression_wins_over_that_of_a_best_response(times):
    found = times(
        response=responses("1 | BEST | 2023-07-15 | PD", "1 | PROGRESSION | 2023-07-20 | PD")
    )
    assert (found["PFS"]["ADT"], found["PFS"]["PDSRC"]) == ("2023-07-20", "PD")


def test_a_responder_without_date_has_neither_duration_nor_time_to_response(times):
    found = times(response=responses("1 | BEST | | CR"))
    assert {found[p]["reason"] for p in ("RSD", "RSDR", "TTRSP")} == {"RESPONSE_DATE_MISSING"}
    assert ("RSD", "RESPONSE_DATE_MISSING", "EXCLUDED", "DAT-20") in found["problems"]


def test_an_unconfirmed_biochemical_progression_stays_with_its_basis(times):
    found = times(
        response=responses("1 | PROGRESSION | 2023-08-20 | PD | SERUM |"),
        treatment_line=SECOND_LINE,
    )
    row = found["PFS"]
    assert (row["ADT"], row["CNSR"], row["PDBASIS"], row["CONFFL"]) == (
        "2023-08-20",
        0,
        "SERUM",
        "U",
    )
    assert found["PFSNACT"]["CNSR"] == 0


def test_a_next_line_without_progression_goes_on_in_pfs_and_ends_the_others(times):
    found = times(
        response=responses("1 | ASSESSMENT | 2023-08-10 | SD"), treatment_line=SECOND_LINE
    )
    assert (found["PFS"]["ADT"], found["PFS"]["CNSR"]) == ("2024-02-01", 1)
    assert (found["PFSNACT"]["ADT"], found["PFSNACT"]["CNSR"]) == ("2023-08-10", 4)
    assert found["PFSNACT"]["CNSDTDSC"] == "New therapy, last assessment before it"
    named = [found[code][key] for code in ("PFSNACT", "PFSLA") for key in ("SRCDOM", "SRCVAR")]
    assert named == ["RESPONSE", "response_date"] * 2
    assert found["PFSNACT"]["SRCSEQ"] is not None
    assert (found["TTNT"]["ADT"], found["TTNT"]["CNSR"]) == ("2023-09-01", 0)
    assert found["TTNT"]["EVNTDESC"] == "Next treatment"
    assert ended(found["TTNTN"]) == ("2023-09-01", 0, 1)
    assert ended(found["TTRSP"]) == ("2023-09-01", 2, 2)
    assert ("PFS", "NEXT_LINE_WITHOUT_PROGRESSION", "KEPT", "RSP-14") in found["problems"]


def test_new_therapy_without_any_assessment_before_it_censors_at_the_start(times):
    found = times(treatment_line=SECOND_LINE)
    assert (found["PFSNACT"]["AVAL"], found["PFSNACT"]["CNSR"]) == (1, 4)
    source = [found["PFSNACT"][key] for key in ("SRCDOM", "SRCVAR", "SRCSEQ")]
    assert source == ["ADSL", "TRTSDT", None]


def test_progression_on_the_day_of_the_new_therapy_is_not_before_it(times):
    found = times(
        response=responses("1 | PROGRESSION | 2023-09-01 | PD"), treatment_line=SECOND_LINE
    )
    assert (found["PFS"]["ADT"], found["PFS"]["CNSR"]) == ("2023-09-01", 0)
    assert found["PFSNACT"]["CNSR"] == 4


def test_death_without_progression_is_the_event_and_competes(times):
    found = times(follow_up=DEAD)
    assert (found["PFS"]["EVNTDESC"], found["PFS"]["CNSR"]) == ("Death", 0)
    assert ended(found["CIR"]) == ("2023-09-01", 2, 2)
    assert ended(found["CIRMM"]) == ("2023-09-01", 2, 2)
    assert ended(found["NRM"]) == ("2023-09-01", 0, 1)
    assert (found["TTNT"]["EVNTDESC"], found["TTNT"]["CNSR"]) == ("Death", 0)
    assert ended(found["TTNTN"]) == ("2023-09-01", 2, 2)


def test_death_from_myeloma_without_progression_competes_and_is_progression_in_the_sensitivity(
    times,
):
    found = times(follow_up=follow_up("2023-09-01", "DEAD", "2023-09-01", "MYELOMA"))
    assert (found["PFS"]["ADT"], found["PFS"]["CNSR"]) == ("2023-09-01", 0)
    assert ended(found["CIR"]) == ("2023-09-01", 2, 2)
    assert ended(found["CIRMM"]) == ("2023-09-01", 0, 1)
    assert ("CIR", "MYELOMA_DEATH_WITHOUT_PROGRESSION", "KEPT", "SUR-05") in found["problems"]


def test_an_assessment_after_the_last_contact_extends_follow_up_and_is_asked_about(times):
    found = times(response=responses("1 | ASSESSMENT | 2024-03-05 | PR"))
    assert (found["OS"]["ADT"], found["FUP"]["ADT"]) == ("2024-03-05", "2024-03-05")
    assert (found["FUP"]["CNSR"], found["FUP"]["EVNTDESC"]) == (0, "Alive")
    assert ("OS", "EVIDENCE_AFTER_LAST_CONTACT", "KEPT", "DAT-26") in found["problems"]


def test_lost_to_follow_up_is_censored_everywhere_with_its_words(times):
    found = times(follow_up=follow_up("2023-12-01", "LOST"))
    for paramcd in ("OS", "PFS", "PFSNACT", "CIR", "NRM", "TTNT", "TTNTN", "TTRSP", "OSREL"):
        row = found[paramcd]
        assert (row["ADT"], row["CNSR"], row["CNSDTDSC"]) == (
            "2023-12-01",
            1,
            "Lost to follow-up",
        ), paramcd


def test_an_unknown_vital_status_is_never_taken_for_a_competing_event(times):
    found = times(
        follow_up="usubjid | vital_status",
        response=responses("1 | ASSESSMENT | 2023-07-01 | SD"),
    )
    assert (found["OS"]["CNSR"], found["OS"]["CRSTAT"]) == (2, None)
    assert ended(found["CIR"]) == ("2023-07-01", 1, 0)


@pytest.mark.parametrize(
    ("contact", "death", "died"),
    [("2023-08-20", "2023-09", "2023-09-01"), ("2023-09-12", "2023-09", "2023-09-12")],
)
def test_a_death_known_by_month_is_put_on_its_first_day_not_before_the_last_evidence(
    times, contact, death, died
):
    row = times(follow_up=follow_up(contact, "DEAD", death))["OS"]
    assert (row["ADT"], row["ADTF"], row["CNSR"]) == (died, "D", 0)


def test_a_death_known_by_year_only_is_left_out_and_asked_about(times):
    found = times(follow_up=follow_up("2023-11-01", "DEAD", "2023"))
    assert {found[p]["reason"] for p in ("OS", "PFS", "CIR", "OSREL", "FUP", "TTNT")} == {
        "DEATH_DATE_YEAR_ONLY"
    }
    assert ("OS", "DEATH_DATE_YEAR_ONLY", "EXCLUDED", "SUR-02") in found["problems"]
    assert found["TTRLP"]["CNSR"] == 0


def test_a_salvage_start_known_by_month_lies_between_relapse_and_first_response(times):
    lines = """usubjid    | line_number | start_date | drugs
               MYE-DE01-A | 1           | 2023-06    | talquetamab"""
    assert times(treatment_line=lines)["OS"]["STARTDT"] == "2023-06-15"
    late = times(
        treatment_line=lines,
        relapse="""usubjid    | relapse_number | relapse_date
                   MYE-DE01-A | 1              | 2023-06-20""",
    )["OS"]
    assert (late["STARTDT"], late["STARTDTF"]) == ("2023-06-20", "D")
    early = times(treatment_line=lines, response=responses("1 | ASSESSMENT | 2023-06-09 | PR"))
    assert early["OS"]["STARTDT"] == "2023-06-09"
    assert early["TTRSP"]["AVAL"] == 1


def test_a_relapse_known_by_month_lies_between_infusion_and_salvage(times):
    found = times(
        relapse="""usubjid    | relapse_number | relapse_date
                   MYE-DE01-A | 1              | 2023-05"""
    )
    row = found["TTRLP"]
    assert (row["STARTDT"], row["ADT"], row["ADTF"], row["CNSR"]) == (
        "2023-01-10",
        "2023-05-15",
        "D",
        0,
    )
    assert (found["OSREL"]["STARTDT"], found["OSREL"]["STARTDTF"]) == ("2023-05-15", "D")


def test_a_diagnosis_known_by_year_never_blocks_the_patient(times):
    found = times(
        subject="""usubjid    | country | sex | diagnosis_date
                   MYE-DE01-A | DE      | F   | 2017"""
    )
    assert found["OS"]["CNSR"] == 1


def test_without_a_relapse_the_patient_is_not_in_the_cohort_and_is_counted(derived, rows):
    con = derived(relapse="usubjid | relapse_number | relapse_date")
    assert rows(con, "adtte") == []
    [row] = rows(con, "attrition", "reason = 'NO_RELAPSE'")
    assert row["n_patients"] == 1


def test_the_first_of_two_relapses_after_the_infusion_ends_the_time_to_relapse(times):
    found = times(
        relapse="""usubjid    | relapse_number | relapse_date
                   MYE-DE01-A | 1              | 2023-05-20
                   MYE-DE01-A | 2              | 2023-05-02"""
    )
    assert (found["TTRLP"]["ADT"], found["TTRLP"]["AVAL"]) == ("2023-05-02", 113)
    assert found["TTRLP"]["AVALM"] == pytest.approx(112 / 30.4375, rel=1e-15)


def test_without_an_assessment_the_two_censoring_rules_differ(times):
    found = times()
    assert (found["PFSLA"]["AVAL"], found["PFSLA"]["CNSR"]) == (1, 3)
    assert (found["PFS"]["ADT"], found["PFS"]["CNSR"]) == ("2024-02-01", 1)


def test_progression_after_the_next_line_is_the_event_only_without_one_before(times):
    later = times(
        response=responses("2 | PROGRESSION | 2023-12-01 | PD"), treatment_line=SECOND_LINE
    )
    assert later["PFS"]["ADT"] == "2023-12-01"
    both = times(
        response=responses(
            "2 | PROGRESSION | 2023-12-01 | PD", "1 | PROGRESSION | 2023-08-20 | PD"
        ),
        treatment_line=SECOND_LINE,
    )
    assert (both["PFS"]["ADT"], both["CIR"]["ADT"]) == ("2023-08-20", "2023-08-20")


def test_an_event_later_than_the_last_assessment_still_is_one(times, study_with):
    found = times(
        study_with(pfs_censoring="last_assessment"),
        response=responses("1 | ASSESSMENT | 2023-07-01 | SD"),
        follow_up=DEAD,
    )
    assert (found["PFS"]["ADT"], found["PFS"]["CNSR"]) == ("2023-09-01", 0)
    assert (found["PFSLA"]["ADT"], found["PFSLA"]["CNSR"]) == ("2023-09-01", 0)


def test_the_first_response_ends_the_time_to_response_and_starts_its_duration(times):
    found = times(
        response=responses("1 | ASSESSMENT | 2023-07-01 | PR", "1 | PROGRESSION | 2023-11-01 | PD"),
        follow_up=follow_up("2023-12-24", "DEAD", "2023-12-24", "MYELOMA"),
    )
    assert (found["TTRSP"]["AVAL"], found["TTRSP"]["CNSR"]) == (31, 0)
    assert (found["RSD"]["STARTDT"], found["RSD"]["ADT"]) == ("2023-07-01", "2023-11-01")
    assert ended(found["RSDR"]) == ("2023-11-01", 0, 1)


def test_death_without_progression_competes_with_the_end_of_a_response(times):
    found = times(response=responses("1 | ASSESSMENT | 2023-07-01 | PR"), follow_up=DEAD)
    assert (found["RSD"]["CNSR"], found["RSD"]["EVNTDESC"]) == (0, "Death")
    assert ended(found["RSDR"]) == ("2023-09-01", 2, 2)


def test_nothing_after_the_data_cut_is_counted_by_any_endpoint(times, study_with):
    found = times(
        study_with(data_cut=dt.date(2023, 8, 15)),
        response=responses("1 | ASSESSMENT | 2023-08-01 | SD", "1 | PROGRESSION | 2023-08-20 | PD"),
        treatment_line=SECOND_LINE,
        follow_up=DEAD,
    )
    for paramcd in ("OS", "PFS", "PFSNACT", "CIR", "NRM", "TTNT", "TTNTN", "TTRSP", "OSREL"):
        row = found[paramcd]
        assert (row["ADT"], row["CNSR"], row["CNSDTDSC"]) == ("2023-08-15", 1, "Data cut"), paramcd
    assert (found["PFSLA"]["ADT"], found["PFSLA"]["CNSR"]) == ("2023-08-01", 1)
    assert (found["FUP"]["ADT"], found["FUP"]["CNSR"]) == ("2023-08-15", 0)


def test_a_next_treatment_known_by_year_only_does_not_give_a_time(times):
    found = times(
        treatment_line="""usubjid    | line_number | start_date | drugs
                          MYE-DE01-A | 1           | 2023-06-01 | talquetamab
                          MYE-DE01-A | 2           | 2023       | bortezomib"""
    )
    assert {found[p]["reason"] for p in ("TTNT", "TTNTN", "PFSNACT", "TTRSP")} == {
        "NEXT_LINE_DATE_YEAR_ONLY"
    }
    assert found["PFS"]["CNSR"] == 1


def test_a_next_treatment_after_death_is_left_out_and_asked_about(times):
    found = times(
        treatment_line=SECOND_LINE,
        follow_up=follow_up("2023-08-01", "DEAD", "2023-08-01"),
    )
    assert found["TTNT"]["reason"] == "NEXT_LINE_AFTER_DEATH"
    assert found["OS"]["CNSR"] == 0


def test_a_clock_that_would_run_backwards_is_a_problem_with_its_days(derived, rows):
    con = derived(follow_up=follow_up("2023-05-30", "DEAD", "2023-05-30"))
    [row] = rows(con, "endpoint_problem", "PARAMCD = 'OS'")
    assert (row["reason"], row["outcome"], row["rule_id"]) == (
        "DEATH_BEFORE_START",
        "EXCLUDED",
        "SUR-07",
    )
    assert (row["STARTDT"], row["ENDDT"], row["days"]) == ("2023-06-01", "2023-05-30", -2)
    assert rows(con, "adtte", "AVAL < 1") == []


def test_without_an_evaluable_response_time_to_response_is_open_where_the_study_says_so(
    times, study_with
):
    found = times(study_with(ne_counts_as_nonresponder=False))
    assert found["TTRSP"]["reason"] == "RESPONSE_NOT_ASSESSED"
    assert times()["TTRSP"]["CNSR"] == 1


@pytest.mark.parametrize(("changed", "is_bad"), [("", False), ("set CNSR = 1", True)])
def test_a_death_after_the_data_cut_is_no_death_yet_and_no_contradiction_to_the_audit(
    derived, study_with, changed, is_bad
):
    from pathlib import Path

    audited = Path(__file__).parents[2] / "expectations" / "sql" / "deaths.sql"
    late = derived(study_with(data_cut=dt.date(2023, 8, 15)), follow_up=DEAD)
    early = derived(follow_up=DEAD)
    if changed:
        early.execute(f"update analysis.adtte {changed} where PARAMCD = 'OS'")
    statement = audited.read_text(encoding="utf-8")
    assert late.execute(f"select n_deaths, n_events, bad from ({statement})").fetchall() == [
        (0, 0, False)
    ]
    assert early.execute(f"select bad from ({statement})").fetchall() == [(is_bad,)]
