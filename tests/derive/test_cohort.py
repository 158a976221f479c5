"""Who is in the cohort, and the attrition table that says why not."""

from warehouse.sql_text import quoted


def test_a_patient_with_relapse_and_salvage_after_a_commercial_product_is_in_the_cohort(plain):
    row = plain()
    assert (row["STUDYID"], row["USUBJID"], row["SUBJID"], row["SITEID"]) == (
        "MYE",
        "MYE-DE01-A",
        "A",
        "DE01",
    )
    assert (row["CARTPROD"], row["CARTDT"], row["RELDT"]) == ("IDE", "2023-01-10", "2023-05-10")
    assert (row["TRTSDT"], row["TRTSDTF"], row["GRP4"], row["GRP4N"]) == (
        "2023-06-01",
        None,
        "TALQ",
        1,
    )


def test_attrition_counts_every_patient_once_and_says_why_not(derived, rows):
    con = derived(
        subject="""usubjid    | country | sex
                   MYE-DE01-A | DE      | F
                   MYE-DE01-B | DE      | M
                   MYE-DE01-C | DE      | M
                   MYE-US01-D | US      | F
                   MYE-US01-E | US      | F
                   MYE-US01-F | US      | F
                   MYE-US01-G | US      | F""",
        infusion="""usubjid    | infusion_number | product  | setting    | infusion_date
                    MYE-DE01-A | 1               | IDE      | COMMERCIAL | 2023-01-10
                    MYE-DE01-B | 1               | ARI0002H | COMMERCIAL | 2023-01-10
                    MYE-DE01-C | 1               | CILTA    | TRIAL      | 2023-01-10
                    MYE-US01-D | 1               | CILTA    | COMMERCIAL | 2023-01-10
                    MYE-US01-E | 1               | CILTA    |            | 2023-01-10
                    MYE-US01-F | 1               | IDE      | ACCESS     | 2023-01-10""",
        relapse="""usubjid    | relapse_number | relapse_date
                   MYE-DE01-A | 1              | 2023-05-10
                   MYE-US01-D | 1              | 2022-05-10
                   MYE-US01-E | 1              | 2023-05-10""",
        treatment_line="""usubjid    | line_number | start_date | drugs
                          MYE-DE01-A | 1           | 2023-06-01 | talquetamab
                          MYE-US01-E | 1           | 2023-06-01 | denosumab""",
        follow_up="usubjid | last_contact_date | vital_status",
    )
    found = {
        (row["center_id"], row["reason"] or row["label"]): row["n_patients"]
        for row in rows(con, "attrition", "n_patients > 0")
    }
    assert found == {
        ("DE01", "Patients in the deliveries"): 3,
        ("DE01", "OTHER_PRODUCT"): 1,
        ("DE01", "TRIAL_PRODUCT"): 1,
        ("DE01", "Patients in the cohort"): 1,
        ("US01", "Patients in the deliveries"): 4,
        ("US01", "RELAPSE_NOT_AFTER_INFUSION"): 1,
        ("US01", "NO_SALVAGE"): 1,
        ("US01", "NO_RELAPSE"): 1,
        ("US01", "NO_INDEX_INFUSION"): 1,
    }


def test_the_first_relapse_after_the_infusion_counts_not_one_before_it(plain):
    row = plain(
        relapse="""usubjid    | relapse_number | relapse_date
                   MYE-DE01-A | 1              | 2022-11-01
                   MYE-DE01-A | 2              | 2023-05-20
                   MYE-DE01-A | 3              | 2023-09-01""",
    )
    assert row["RELDT"] == "2023-05-20"


def test_a_line_more_than_thirty_days_before_the_relapse_is_no_salvage_for_it(plain):
    row = plain(
        treatment_line="""usubjid    | line_number | start_date | drugs
                          MYE-DE01-A | 1           | 2023-04-09 | bortezomib
                          MYE-DE01-A | 2           | 2023-06-01 | teclistamab""",
    )
    assert (row["TRTSDT"], row["GRP4"], row["SALVLN"]) == ("2023-06-01", "TEC", 2)


def test_a_line_exactly_thirty_days_before_the_relapse_is_its_first_salvage(plain):
    row = plain(
        treatment_line="""usubjid    | line_number | start_date | drugs
                          MYE-DE01-A | 1           | 2023-04-10 | bortezomib
                          MYE-DE01-A | 2           | 2023-06-01 | teclistamab""",
    )
    assert (row["TRTSDT"], row["GRP4"], row["NSALV"]) == ("2023-04-10", "IPC", 2)


def test_a_second_line_is_a_subsequent_line_and_supportive_care_is_not(plain):
    lines = """usubjid    | line_number | start_date | drugs
               MYE-DE01-A | 1           | 2023-06-01 | talquetamab
               MYE-DE01-A | 2           | 2023-09-01 | {}"""
    row = plain(treatment_line=lines.format("daratumumab"))
    assert (row["SUBSQFL"], row["NSALV"], row["NACTDT"]) == ("Y", 2, "2023-09-01")
    row = plain(treatment_line=lines.format("denosumab"))
    assert (row["SUBSQFL"], row["NSALV"], row["NACTDT"]) == ("N", 1, None)


def test_radiotherapy_before_a_systemic_line_is_a_bridge_and_does_not_start_the_clock(
    plain, study_with
):
    lines = """usubjid    | line_number | start_date | drugs
               MYE-DE01-A | 1           | 2023-05-20 | radiotherapy
               MYE-DE01-A | 2           | 2023-06-03 | teclistamab"""
    row = plain(treatment_line=lines)
    assert (row["GRP4"], row["TRTSDT"], row["BRGSDT"]) == ("TEC", "2023-06-03", "2023-05-20")
    assert (row["SUBSQFL"], row["SALVLN"]) == ("N", 2)
    row = plain(study_with(time_zero="bridge"), treatment_line=lines)
    assert (row["GRP4"], row["TRTSDT"]) == ("TEC", "2023-05-20")


def test_radiotherapy_followed_by_progression_is_the_first_salvage_itself(plain):
    row = plain(
        treatment_line="""usubjid    | line_number | start_date | drugs
                          MYE-DE01-A | 1           | 2023-05-20 | radiotherapy
                          MYE-DE01-A | 2           | 2023-06-03 | teclistamab""",
        response="""usubjid    | line_number | kind        | response_date | category
                    MYE-DE01-A | 1           | PROGRESSION | 2023-05-30    | PD""",
    )
    assert (row["GRP4"], row["OTHSUB"], row["TRTSDT"], row["SUBSQFL"]) == (
        "OTHER",
        "RT",
        "2023-05-20",
        "Y",
    )


def test_a_second_bispecific_within_28_days_is_part_of_the_first_line(plain):
    row = plain(
        treatment_line="""usubjid    | line_number | start_date | drugs
                          MYE-DE01-A | 1           | 2023-06-01 | teclistamab
                          MYE-DE01-A | 2           | 2023-06-20 | talquetamab
                          MYE-DE01-A | 3           | 2023-12-20 | bortezomib""",
    )
    assert (row["OTHSUB"], row["NSALV"], row["NACTDT"]) == ("DUAL_BISPECIFIC", 2, "2023-12-20")


def test_two_bispecifics_started_together_are_one_line_of_the_group_that_the_study_decides(
    plain, study_with
):
    lines = """usubjid    | line_number | start_date | drugs
               MYE-DE01-A | 1           | 2023-06-01 | talquetamab+teclistamab"""
    row = plain(treatment_line=lines)
    assert (row["GRP4"], row["OTHSUB"], row["ANYBISFL"], row["BITEFL"]) == (
        "OTHER",
        "DUAL_BISPECIFIC",
        "Y",
        "N",
    )
    assert plain(study_with(dual_bispecific="TEC"), treatment_line=lines)["GRP4"] == "TEC"


def test_a_salvage_that_starts_after_the_data_cut_is_not_in_the_cohort(derived, rows, study_with):
    import datetime as dt

    con = derived(study_with(data_cut=dt.date(2023, 5, 31)))
    assert rows(con, "adsl") == []
    [row] = rows(con, "attrition", "reason = 'SALVAGE_AFTER_DATA_CUT'")
    assert row["n_patients"] == 1


def test_empty_core_tables_give_empty_analysis_tables(derived, rows):
    con = derived(
        subject="usubjid | country",
        infusion="usubjid | product",
        relapse="usubjid | relapse_date",
        treatment_line="usubjid | drugs",
        follow_up="usubjid | vital_status",
    )
    for table in ("adsl", "adrs", "adtte", "exclusion", "attrition", "estimate"):
        assert rows(con, table) == []


def test_every_column_of_the_analysis_tables_has_a_label(derived):
    unlabelled = derived().execute(
        "select table_name, column_name from duckdb_columns()"
        " where schema_name = 'analysis' and comment is null"
    )
    assert unlabelled.fetchall() == []


def test_elg_07_a_relapse_with_palliative_care_only_is_listed_but_not_of_the_cohort(derived, rows):
    con = derived(
        subject="usubjid | country | sex\nMYE-DE01-A | DE | F",
        infusion="""usubjid    | infusion_number | product | setting    | infusion_date
                    MYE-DE01-A | 1               | IDE     | COMMERCIAL | 2023-01-10""",
        relapse="usubjid | relapse_number | relapse_date\nMYE-DE01-A | 1 | 2023-05-10",
        treatment_line="usubjid | line_number | start_date | drugs",
        follow_up="usubjid | last_contact_date | vital_status\nMYE-DE01-A | 2023-08-01 | ALIVE",
    )
    assert rows(con, "adsl") == []
    told = {row["reason"]: row["n_patients"] for row in rows(con, "attrition", "n_patients > 0")}
    assert told["NO_SALVAGE"] == 1
    assert con.execute("select usubjid from core.relapse").fetchall() == [("MYE-DE01-A",)]


HELD = """create schema quality;
create table quality.delivery (delivery_key integer, is_current boolean);
insert into quality.delivery values (1, true), (2, false);
create table quality.finding (
    delivery_key integer, usubjid varchar, "table" varchar, disposition varchar, rule_id varchar,
    center_id varchar default 'DE01'
)"""


def found(*findings):
    """Schema `quality` with findings of (delivery, patient, table, disposition, rule)."""
    rows = (
        "({}, {}, {}, {}, {}, default)".format(
            number, *("null" if told is None else quoted(told) for told in rest)
        )
        for number, *rest in findings
    )
    return ";".join([HELD, *(f"insert into quality.finding values {row}" for row in rows)])


def reasons_with(derived, rows, core, *findings):
    """Patient → why not in the cohort, with findings of (delivery, patient, table, disposition, rule)."""
    con = derived(
        completions=False, before=found(*([*each, "STR-06"][:5] for each in findings)), **core
    )
    return {row["usubjid"]: row["reason"] for row in rows(con, "candidate")}


def test_what_a_check_holds_back_is_told_as_held_and_not_as_missing(derived, rows):
    core = {
        "subject": """usubjid    | country | sex
                      MYE-DE01-A | DE      | F
                      MYE-DE01-B | DE      | F
                      MYE-DE01-C | DE      | F""",
        "treatment_line": "usubjid | line_number | start_date | drugs",
    }
    told = reasons_with(
        derived,
        rows,
        core,
        (1, "MYE-DE01-A", "treatment_line", "quarantine"),
        (1, "MYE-DE01-B", "infusion", "quarantine"),
        (1, "MYE-DE01-C", "infusion", "keep_query"),
    )
    assert told == {
        "MYE-DE01-A": "SALVAGE_HELD",
        "MYE-DE01-B": "INFUSION_HELD",
        "MYE-DE01-C": "NO_INDEX_INFUSION",
    }


def test_lymphodepletion_that_is_held_as_a_line_is_no_missing_salvage(derived, rows):
    core = {"treatment_line": "usubjid | line_number | start_date | drugs"}
    held = (1, "MYE-DE01-A", "treatment_line", "quarantine")
    assert reasons_with(derived, rows, core, (*held, "SAL-06"))["MYE-DE01-A"] == "NO_SALVAGE"
    both = [(*held, "SAL-06"), (*held, "DAT-01")]
    assert reasons_with(derived, rows, core, *both)["MYE-DE01-A"] == "SALVAGE_HELD"


def test_the_way_to_the_cohort_begins_with_those_of_whom_nothing_could_be_loaded(derived, rows):
    con = derived(
        subject="usubjid | country | sex\nMYE-DE01-A | DE | F",
        before=found(
            (1, "MYE-DE01-A", "lab", "quarantine", "LAB-01"),
            (1, "MYE-DE01-H", "subject", "quarantine", "DUP-01"),
            (1, "MYE-DE01-H", "infusion", "quarantine", "STR-03"),
            (1, "MYE-DE01-K", "subject", "keep_query", "STR-04"),
            (1, "MYE-DE01-S", "subject", "screen_out", "ELG-02"),
            (1, "MYE-DE01-S", "infusion", "quarantine", "STR-03"),
            (2, "MYE-DE01-O", "subject", "quarantine", "DUP-01"),
            (1, None, "subject", "quarantine", "STR-02"),
        ),
    )
    told = {
        row["reason"] or row["label"]: row["n_patients"]
        for row in rows(con, "attrition", "n_patients > 0")
    }
    assert told == {
        "Patients in the deliveries": 3,
        "SCREENED_OUT": 1,
        "ONLY_HELD": 1,
        "Patients in the cohort": 1,
    }


def test_what_an_earlier_delivery_held_back_is_no_reason(derived, rows):
    core = {"treatment_line": "usubjid | line_number | start_date | drugs"}
    held = (2, "MYE-DE01-A", "treatment_line", "quarantine")
    assert reasons_with(derived, rows, core, held) == {"MYE-DE01-A": "NO_SALVAGE"}


def test_a_later_line_does_not_become_the_first_salvage_where_the_one_before_is_held(derived, rows):
    core = {
        "treatment_line": """usubjid    | line_number | start_date | drugs
                             MYE-DE01-A | 2           | 2023-06-01 | talquetamab""",
    }
    held = (1, "MYE-DE01-A", "treatment_line", "quarantine")
    assert reasons_with(derived, rows, core, held) == {"MYE-DE01-A": "SALVAGE_HELD"}
    assert reasons_with(derived, rows, core) == {"MYE-DE01-A": None}


def test_a_held_line_after_the_first_salvage_leaves_the_patient_in_the_cohort(derived, rows):
    held = (1, "MYE-DE01-A", "treatment_line", "quarantine")
    assert reasons_with(derived, rows, {}, held) == {"MYE-DE01-A": None}
