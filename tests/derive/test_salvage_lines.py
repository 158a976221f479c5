"""The lines of a patient: the first salvage and what came after it, each with its group."""

LINES = """usubjid    | line_number | start_date | end_date   | drugs
           MYE-DE01-A | 1           | 2023-06-01 | 2023-08-01 | talquetamab
           MYE-DE01-A | 2           | 2023-09-01 |            | daratumumab+pomalidomide
           MYE-DE01-A | 3           | 2023-12-01 | 2024-01    | zoledronic_acid
           MYE-DE01-A | 4           | 2024-01-10 |            | cyclophosphamide"""


def test_every_antimyeloma_line_from_the_first_salvage_on_is_a_row(derived, rows):
    con = derived(treatment_line=LINES)
    found = rows(con, "salvage_line")
    assert [(r["SALVSEQ"], r["SALVN"], r["SALVGRP"], str(r["AENDT"])) for r in found] == [
        (1, 1, "TALQ", "2023-08-01"),
        (2, 2, "IPC", "None"),
        (3, 4, "OTHER", "None"),
    ]
    assert rows(con, "adsl")[0]["NSALV"] == 3


def test_a_bridge_is_no_line_of_its_own(derived, rows):
    con = derived(
        treatment_line="""usubjid    | line_number | start_date | drugs
                          MYE-DE01-A | 1           | 2023-06-01 | radiotherapy
                          MYE-DE01-A | 2           | 2023-06-12 | teclistamab
                          MYE-DE01-A | 3           | 2023-10-01 | talquetamab"""
    )
    found = rows(con, "salvage_line")
    assert [(r["SALVSEQ"], r["SALVN"], r["SALVGRP"]) for r in found] == [
        (1, 2, "TEC"),
        (2, 3, "TALQ"),
    ]


def test_two_bispecifics_started_together_are_one_line_with_both_drugs(derived, rows):
    con = derived(
        treatment_line="""usubjid    | line_number | start_date | drugs
                          MYE-DE01-A | 1           | 2023-06-01 | talquetamab
                          MYE-DE01-A | 2           | 2023-06-10 | teclistamab
                          MYE-DE01-A | 3           | 2023-11-01 | carfilzomib"""
    )
    found = rows(con, "salvage_line")
    assert [(r["SALVSEQ"], r["SALVDRUG"]) for r in found] == [
        (1, "talquetamab|teclistamab"),
        (2, "carfilzomib"),
    ]
    assert rows(con, "adsl")[0]["NSALV"] == 2


def test_the_end_is_told_only_where_its_day_is_known(derived, rows):
    con = derived(treatment_line=LINES.replace("2023-08-01", "2023-08   "))
    assert rows(con, "salvage_line")[0]["AENDT"] is None
