"""Best response to the first salvage."""

import pytest


def responses(*rows: str) -> str:
    return "\n".join(
        [
            "usubjid | line_number | kind | response_date | category",
            *(f"MYE-DE01-A | {r}" for r in rows),
        ]
    )


@pytest.mark.parametrize(
    ("category", "printed", "responder"),
    [
        ("sCR", "CR", "Y"),
        ("CR", "CR", "Y"),
        ("VGPR", "VGPR", "Y"),
        ("PR", "PR", "Y"),
        ("MR", "LTPR", "N"),
        ("SD", "LTPR", "N"),
        ("PD", "LTPR", "N"),
        ("NE", "LTPR", "N"),
        ("LTPR", "LTPR", "N"),
    ],
)
def test_categories_are_folded_into_the_four_classes_of_the_paper(
    plain, category, printed, responder
):
    row = plain(response=responses(f"1 | BEST | 2023-08-01 | {category}"))
    assert (row["BESTRESP"], row["RESPFL"], row["BESTRSPO"]) == (printed, responder, category)


def test_the_best_response_that_the_center_reported_comes_before_its_assessments(plain):
    row = plain(
        response=responses("1 | BEST | 2023-08-01 | VGPR", "1 | ASSESSMENT | 2023-08-01 | CR")
    )
    assert (row["BESTRESP"], row["BESTRSRC"]) == ("VGPR", "REPORTED")


def test_not_evaluable_is_never_the_best_where_another_assessment_is_known(plain):
    row = plain(
        response=responses("1 | ASSESSMENT | 2023-07-01 | PD", "1 | ASSESSMENT | 2023-08-01 | NE")
    )
    assert (row["BESTRESP"], row["BESTRSPO"]) == ("LTPR", "PD")


def test_assessments_after_progression_or_the_next_line_do_not_count(plain, study_with):
    rows = responses(
        "1 | ASSESSMENT | 2023-07-01 | PR",
        "1 | PROGRESSION | 2023-08-01 | PD",
        "1 | ASSESSMENT | 2023-09-01 | CR",
    )
    assert plain(response=rows)["BESTRESP"] == "PR"
    assert plain(study_with(best_response_window="any_time"), response=rows)["BESTRESP"] == "CR"
    lines = """usubjid    | line_number | start_date | drugs
               MYE-DE01-A | 1           | 2023-06-01 | talquetamab
               MYE-DE01-A | 2           | 2023-08-15 | bortezomib"""
    rows = responses("1 | ASSESSMENT | 2023-07-01 | PR", "1 | ASSESSMENT | 2023-09-01 | CR")
    assert plain(response=rows, treatment_line=lines)["BESTRESP"] == "PR"
    after_line = plain(
        study_with(best_response_window="until_pd"), response=rows, treatment_line=lines
    )
    assert after_line["BESTRESP"] == "CR"


def test_responses_of_other_lines_do_not_count(plain):
    row = plain(
        response=responses(
            "0 | BEST | 2023-03-01 | sCR",
            "1 | BEST | 2023-08-01 | SD",
            "2 | BEST | 2023-12-01 | CR",
        )
    )
    assert row["BESTRESP"] == "LTPR"


def test_a_missing_response_counts_as_no_response_and_is_flagged_or_left_out_by_setting(
    plain, study_with
):
    row = plain()
    assert (row["BESTRESP"], row["RESPFL"], row["BESTRSRC"]) == ("LTPR", "N", "MISSING")
    row = plain(study_with(ne_counts_as_nonresponder=False))
    assert (row["BESTRESP"], row["RESPFL"], row["BESTRSRC"]) == (None, None, "MISSING")


def test_adrs_holds_every_assessment_and_one_best_response_with_its_source(derived, rows):
    con = derived(
        response=responses(
            "1 | ASSESSMENT | 2023-07-01 | PR",
            "1 | ASSESSMENT | 2023-07-01 | SD",
            "1 | ASSESSMENT | 2023-08-01 | NE",
            "1 | PROGRESSION | 2023-11-01 | PD",
        )
    )
    overall = rows(con, "adrs", "PARAMCD = 'OVR'")
    assert [(r["ADT"], r["AVALC"], r["AVAL"], r["ANL01FL"]) for r in overall] == [
        ("2023-07-01", "SD", 2, "Y"),
        ("2023-07-01", "PR", 4, None),
        ("2023-08-01", "NE", 8, "Y"),
        ("2023-11-01", "PD", 1, "Y"),
    ]
    [best] = rows(con, "adrs", "PARAMCD = 'BOR'")
    assert (best["AVALC"], best["SRCDOM"], best["SRCVAR"]) == ("PR", "RESPONSE", "category")
    assert best["SRCSEQ"] == overall[1]["SRCSEQ"]
