"""From `core` to the tables that show derived responses beside reported ones."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.derive.rehearsal import select

P = "MYE-DE01-A"
REPORT = (
    "usubjid | line_number | kind | response_date | category | m_protein_serum | m_protein_urine"
    " | immunofixation | marrow_plasma_cells | progression_basis"
)
LAB = "usubjid | lab_date | test | value | value_comparator | result"


def drawn(header, *rows):
    return "\n".join([header, *(f"{P} | {row}" for row in rows)])


def read(con, columns, table="imwg_response", where="line_number = 1"):
    return select(con, table, where, columns).fetchall()


def test_reports_are_judged_against_the_last_laboratory_values_before_the_line(derived):
    con = derived(
        lab=drawn(
            LAB,
            "2023-05-20 | M_SERUM | 30 | |",
            "2023-05-20 | M_URINE | 0 | |",
            "2023-04-20 | BMPC | 60 | |",
        ),
        response=drawn(
            REPORT,
            "1 | ASSESSMENT | 2023-07-01 | VGPR | 15 | 0 | | |",
            "1 | ASSESSMENT | 2023-08-01 | VGPR | 3 | 0 | | |",
            "1 | ASSESSMENT | 2023-09-01 | CR | | | NEGATIVE | 2 |",
        ),
    )
    assert read(con, "assessed_on, reported, category, difference, measurable, change_percent") == [
        (dt.date(2023, 7, 1), "VGPR", "PR", -1, "SERUM", -50.0),
        (dt.date(2023, 8, 1), "VGPR", "VGPR", 0, "SERUM", -90.0),
        (dt.date(2023, 9, 1), "CR", "CR", 0, "SERUM", -100.0),
    ]
    assert read(con, "reported, derived, n_assessments, n_patients", "response_agreement") == [
        ("CR", "CR", 1, 1),
        ("VGPR", "PR", 1, 1),
        ("VGPR", "VGPR", 1, 1),
    ]
    assert read(con, "best, best_on, best_confirmed, measurable, n_assessments", "imwg_line") == [
        ("CR", dt.date(2023, 9, 1), "VGPR", "SERUM", 3)
    ]


@pytest.mark.parametrize(
    ("reported", "laboratory", "category", "missing"),
    [
        ("0", "9 |", "NE", "SERUM"),
        ("15", "15.9 |", "PR", None),
        ("15", "13.4 |", "NE", "SERUM"),
        ("0", "1 | <", "VGPR", None),
        ("3", "1 | <", "NE", "SERUM"),
        ("", "3 |", "VGPR", None),
    ],
)
def test_a_report_that_the_laboratory_of_the_day_contradicts_is_not_known(
    derived, reported, laboratory, category, missing
):
    con = derived(
        lab=drawn(
            LAB,
            "2023-05-20 | M_SERUM | 30 | |",
            "2023-05-20 | M_URINE | 0 | |",
            f"2023-07-01 | M_SERUM | {laboratory} |",
        ),
        response=drawn(REPORT, f"1 | ASSESSMENT | 2023-07-01 | CR | {reported} | 0 | | |"),
    )
    assert read(con, "category, missing") == [(category, missing)]


def test_a_negative_immunofixation_proves_nothing_beside_amounts_that_contradict_each_other(
    derived,
):
    con = derived(
        lab=drawn(
            LAB,
            "2023-05-20 | M_SERUM | 30 | |",
            "2023-05-20 | M_URINE | 0 | |",
            "2023-07-01 | M_SERUM | 9 | |",
        ),
        response=drawn(REPORT, "1 | ASSESSMENT | 2023-07-01 | CR | 0 | 0 | NEGATIVE | 2 |"),
    )
    assert read(con, "category, missing") == [("NE", "SERUM")]


@pytest.mark.parametrize(("laboratory", "category"), [("NEGATIVE", "CR"), ("POSITIVE", "VGPR")])
def test_immunofixations_that_contradict_each_other_prove_no_complete_response(
    derived, laboratory, category
):
    con = derived(
        lab=drawn(
            LAB,
            "2023-05-20 | M_SERUM | 30 | |",
            "2023-05-20 | M_URINE | 0 | |",
            f"2023-07-01 | IFE | | | {laboratory}",
        ),
        response=drawn(REPORT, "1 | ASSESSMENT | 2023-07-01 | CR | 0 | 0 | NEGATIVE | 2 |"),
    )
    assert read(con, "category") == [(category,)]


def test_laboratory_days_of_a_line_are_assessments_and_those_of_the_next_line_are_not(derived):
    con = derived(
        treatment_line="""usubjid    | line_number | start_date | drugs
                          MYE-DE01-A | 1           | 2023-06-01 | talquetamab
                          MYE-DE01-A | 2           | 2023-10-01 | teclistamab""",
        lab=drawn(
            LAB,
            "2023-06-01 | M_SERUM | 40 | |",
            "2023-06-01 | M_URINE | 0 | |",
            "2023-07-01 | M_SERUM | 20 | |",
            "2023-10-01 | M_SERUM | 26 | |",
            "2023-11-01 | M_SERUM | 12 | |",
        ),
    )
    assert read(con, "assessed_on, category, reported, response_row_id") == [
        (dt.date(2023, 7, 1), "PR", None, None),
        (dt.date(2023, 10, 1), "PD", None, None),
    ]
    assert read(con, "assessed_on, category, missing", where="line_number = 2") == [
        (dt.date(2023, 11, 1), "MR", "URINE")
    ]


def test_a_value_above_a_bound_is_not_known_and_one_below_a_bound_is_just_under_it(derived):
    con = derived(
        lab=drawn(
            LAB,
            "2023-05-20 | M_SERUM | 40 | |",
            "2023-05-20 | M_URINE | 0 | |",
            "2023-07-01 | M_SERUM | 20 | > |",
            "2023-07-01 | M_URINE | 0 | |",
            "2023-08-01 | M_SERUM | 4 | < |",
            "2023-08-01 | M_URINE | 100 | < |",
            "2023-09-01 | M_SERUM | 1 | < |",
            "2023-09-01 | M_URINE | 50 | < |",
            "2023-09-01 | IFE | | | NEGATIVE",
            "2023-09-01 | BMPC | 5 | < |",
        )
    )
    assert read(con, "assessed_on, category, missing") == [
        (dt.date(2023, 7, 1), "NE", "SERUM"),
        (dt.date(2023, 8, 1), "VGPR", None),
        (dt.date(2023, 9, 1), "CR", None),
    ]


def test_two_values_of_one_test_on_one_day_that_differ_are_not_known(derived):
    con = derived(
        lab=drawn(
            LAB,
            "2023-05-20 | M_SERUM | 40 | |",
            "2023-05-20 | M_URINE | 0 | |",
            "2023-07-01 | M_SERUM | 20 | |",
            "2023-07-01 | M_SERUM | 30 | |",
            "2023-08-01 | M_SERUM | 20 | |",
            "2023-08-01 | M_SERUM | 20 | |",
        )
    )
    assert read(con, "assessed_on, category, missing") == [
        (dt.date(2023, 7, 1), "NE", "SERUM"),
        (dt.date(2023, 8, 1), "PR", None),
    ]


def test_a_report_whose_only_value_is_a_bound_is_shown_as_not_evaluable(derived):
    con = derived(
        response=drawn(
            "usubjid | line_number | kind | response_date | category"
            " | m_protein_serum | m_protein_serum_comparator",
            "1 | ASSESSMENT | 2023-07-01 | PR | 20 | >",
        )
    )
    assert read(con, "reported, category, value") == [("PR", "NE", None)]


def test_a_report_without_a_complete_date_is_shown_and_not_judged(derived):
    con = derived(response=drawn(REPORT, "1 | ASSESSMENT | 2023-07 | PR | 15 | 0 | | |"))
    assert read(con, "assessed_on, reported, category, criterion") == [
        (None, "PR", None, "NO_DATE")
    ]


def test_a_progression_on_imaging_is_one_without_numbers(derived):
    con = derived(
        response=drawn(REPORT, "1 | PROGRESSION | 2023-09-01 | PD | | | | | IMAGING"),
    )
    assert read(con, "category, pd_basis, confirmation, confirmed_category") == [
        ("PD", "IMAGING", "Y", "PD")
    ]


@pytest.mark.parametrize(
    ("category", "expected"), [("EXTRAOSSEOUS", "VGPR"), ("INTRAMEDULLARY", "CR")]
)
def test_a_soft_tissue_tumor_at_relapse_keeps_complete_response_one_level_down(
    derived, category, expected
):
    con = derived(
        lesion=f"""usubjid    | site  | category   | timepoint
                   MYE-DE01-A | LIVER | {category} | RELAPSE""",
        lab=drawn(LAB, "2023-05-20 | M_SERUM | 30 | |", "2023-05-20 | M_URINE | 0 | |"),
        response=drawn(REPORT, "1 | ASSESSMENT | 2023-09-01 | CR | | | NEGATIVE | 2 |"),
    )
    assert read(con, "category") == [(expected,)]


def test_reported_responses_stay_what_is_analysed(derived):
    con = derived(
        lab=drawn(LAB, "2023-05-20 | M_SERUM | 30 | |", "2023-05-20 | M_URINE | 0 | |"),
        response=drawn(REPORT, "1 | ASSESSMENT | 2023-07-01 | VGPR | 29 | 0 | | |"),
    )
    assert read(con, "reported, category, difference") == [("VGPR", "SD", -3)]
    assert read(con, "BESTRESP", "adsl", "true") == [("VGPR",)]


def test_without_measurements_the_tables_are_there_and_empty(derived):
    con = derived()
    for table in ("imwg_response", "imwg_line", "response_agreement"):
        assert read(con, "count(*)", table, "true") == [(0,)]


def test_reported_responses_are_confirmed_by_the_next_report(derived):
    con = derived(
        response=drawn(
            REPORT,
            "1 | ASSESSMENT | 2023-07-01 | VGPR | | | | |",
            "1 | ASSESSMENT | 2023-07-01 | PR | | | | |",
            "1 | ASSESSMENT | 2023-08-01 | CR | | | | |",
            "1 | ASSESSMENT | 2023-09 | CR | | | | |",
            "1 | BEST | 2023-08-01 | CR | | | | |",
            "1 | PROGRESSION | 2023-10-01 | PD | | | | | IMAGING",
            "1 | ASSESSMENT | 2023-11-01 | SD | | | | |",
        )
    )

    def course(parameter, columns):
        return read(con, columns, "adrs", f"PARAMCD = '{parameter}'")

    assert course("OVR", "ADT, AVALC, ANL01FL, ANL02FL, ANL03FL, PDBASIS") == [
        (dt.date(2023, 7, 1), "PR", "Y", "Y", "Y", None),
        (dt.date(2023, 7, 1), "VGPR", None, "Y", "Y", None),
        (dt.date(2023, 8, 1), "CR", "Y", "Y", "Y", None),
        (dt.date(2023, 9, 15), "CR", "Y", "Y", "Y", None),
        (dt.date(2023, 10, 1), "PD", "Y", "Y", "Y", "IMAGING"),
        (dt.date(2023, 11, 1), "SD", "Y", "Y", None, None),
    ]
    assert course("COVR", "ADT, AVALC, CONFFL, CONFDY, ANL03FL") == [
        (dt.date(2023, 7, 1), "PR", "Y", 31, "Y"),
        (dt.date(2023, 8, 1), "PR", "N", 61, "Y"),
        (dt.date(2023, 10, 1), "PD", "Y", None, "Y"),
        (dt.date(2023, 11, 1), "PD", None, None, None),
    ]
    assert course("BOR", "ADT, AVALC, AVAL, DEPTH") == [(dt.date(2023, 8, 1), "CR", 6, 6)]
    assert course("CBOR", "ADT, AVALC, AVAL, DEPTH") == [(dt.date(2023, 7, 1), "PR", 4, 4)]
    assert course("RSP", "ADT, AVALC, AVAL") == [(dt.date(2023, 7, 1), "Y", 1)]
    assert course("PD", "ADT, AVALC, AVAL, PDBASIS") == [(dt.date(2023, 10, 1), "Y", 1, "IMAGING")]


def test_a_patient_without_reports_has_no_response_and_no_progression(derived):
    con = derived()
    assert read(con, "PARAMCD, ADT, AVALC, AVAL", "adrs", "true") == [
        ("BOR", None, "MISSING", None),
        ("CBOR", None, "MISSING", None),
        ("PD", None, "N", 0),
        ("RSP", None, "N", 0),
    ]


def test_every_record_of_a_patient_has_its_own_number(derived):
    con = derived(
        response=drawn(
            REPORT,
            "1 | ASSESSMENT | 2023-07-01 | PR | | | | |",
            "1 | ASSESSMENT | 2023-07-01 | PR | | | | |",
            "1 | ASSESSMENT | | CR | | | | |",
            "2 | ASSESSMENT | 2023-12-01 | SD | | | | |",
        )
    )
    numbers = [row[0] for row in read(con, "RSSEQ", "adrs", "true")]
    assert numbers == list(range(1, 11))
