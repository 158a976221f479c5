"""Partial dates: imputed inside the window that the other dates leave, and flagged."""

import pytest


def test_a_salvage_start_of_which_only_the_month_is_known_is_put_on_the_fifteenth(plain):
    row = plain(
        treatment_line="""usubjid    | line_number | start_date | drugs
                          MYE-DE01-A | 1           | 2023-06    | talquetamab""",
    )
    assert (row["TRTSDT"], row["TRTSDTF"]) == ("2023-06-15", "D")


def test_an_imputed_salvage_start_lies_between_relapse_and_first_response(plain):
    lines = """usubjid    | line_number | start_date | drugs
               MYE-DE01-A | 1           | 2023-06    | talquetamab"""
    row = plain(
        treatment_line=lines,
        relapse="""usubjid    | relapse_number | relapse_date
                   MYE-DE01-A | 1              | 2023-06-20""",
    )
    assert row["TRTSDT"] == "2023-06-20"
    row = plain(
        treatment_line=lines,
        response="""usubjid    | line_number | kind       | response_date | category
                    MYE-DE01-A | 1           | ASSESSMENT | 2023-06-09    | PR""",
    )
    assert row["TRTSDT"] == "2023-06-09"


def test_a_salvage_start_known_by_year_only_keeps_the_patient_out(derived, rows):
    con = derived(
        treatment_line="""usubjid    | line_number | start_date | drugs
                          MYE-DE01-A | 1           | 2023       | talquetamab""",
    )
    assert rows(con, "adsl") == []
    [row] = rows(con, "attrition", "reason = 'SALVAGE_START_INCOMPLETE'")
    assert row["n_patients"] == 1


def test_a_later_line_known_by_year_only_still_counts_as_a_subsequent_line(plain):
    row = plain(
        treatment_line="""usubjid    | line_number | start_date | drugs
                          MYE-DE01-A | 1           | 2023-09-01 | talquetamab
                          MYE-DE01-A | 2           | 2023       | bortezomib""",
    )
    assert (row["SUBSQFL"], row["TRTSDT"]) == ("Y", "2023-09-01")


@pytest.mark.parametrize(
    ("infused", "relapsed", "started", "expected"),
    [
        ("2023-01-10", "2023-05", "2023-06-01", "2023-05-15"),
        ("2023-01-10", "2023-05", "2023-05-04", "2023-05-04"),
        ("2023-05-20", "2023-05", "2023-06-01", "2023-05-21"),
    ],
)
def test_an_imputed_relapse_lies_between_the_infusion_and_the_salvage(
    plain, infused, relapsed, started, expected
):
    row = plain(
        infusion=f"""usubjid    | infusion_number | product | infusion_date
                     MYE-DE01-A | 1               | IDE     | {infused}""",
        relapse=f"""usubjid    | relapse_number | relapse_date
                    MYE-DE01-A | 1              | {relapsed}""",
        treatment_line=f"""usubjid    | line_number | start_date | drugs
                           MYE-DE01-A | 1           | {started}  | talquetamab""",
    )
    assert (row["RELDT"], row["RELDTF"]) == (expected, "D")


def test_a_death_of_which_only_the_month_is_known_is_not_put_before_the_last_contact(plain):
    follow_up = """usubjid    | last_contact_date | vital_status | death_date
                   MYE-DE01-A | {}                | DEAD         | 2023-09"""
    row = plain(follow_up=follow_up.format("2023-09-12"))
    assert (row["DTHDT"], row["DTHDTF"]) == ("2023-09-12", "D")
    row = plain(follow_up=follow_up.format("2023-08-12"))
    assert (row["DTHDT"], row["DTHDTF"]) == ("2023-09-01", "D")


def test_complete_dates_are_never_moved(plain):
    row = plain(
        infusion="""usubjid    | infusion_number | product | infusion_date
                    MYE-DE01-A | 1               | IDE     | 2023-01-10""",
        treatment_line="""usubjid    | line_number | start_date | drugs
                          MYE-DE01-A | 1           | 2023-05-01 | talquetamab""",
    )
    # Salvage nine days before the confirmed relapse: allowed, and kept as reported.
    assert (row["RELDT"], row["TRTSDT"], row["RELDTF"], row["TRTSDTF"]) == (
        "2023-05-10",
        "2023-05-01",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("relapsed", "early"),
    [
        # Infusion on 2023-01-10. 5 months are 152.1875 days, 3 months 91.3125 days.
        ("2023-06-11", ("N", "Y")),  # 152 days
        ("2023-06-12", ("N", "N")),  # 153 days
        ("2023-04-11", ("Y", "Y")),  # 91 days
        ("2023-04-12", ("N", "Y")),  # 92 days
    ],
)
def test_early_relapse_is_judged_in_days_at_both_cut_offs(plain, relapsed, early):
    row = plain(
        relapse=f"""usubjid    | relapse_number | relapse_date
                    MYE-DE01-A | 1              | {relapsed}""",
        treatment_line="""usubjid    | line_number | start_date | drugs
                          MYE-DE01-A | 1           | 2023-07-01 | talquetamab""",
    )
    assert (row["EARLY3FL"], row["EARLY5FL"]) == early


def test_a_relapse_exactly_at_the_cut_off_follows_the_setting(plain, study_with):
    # 120 days are exactly four months of 30 days.
    relapse = """usubjid    | relapse_number | relapse_date
                 MYE-DE01-A | 1              | 2023-05-10"""
    months = {"early_relapse_months": (3, 4), "days_per_month": 30.0}
    early = plain(study_with(**months), relapse=relapse)
    late = plain(study_with(early_relapse_tie="late_if_equal", **months), relapse=relapse)
    assert (early["TTRLPM"], early["EARLY5FL"], late["EARLY5FL"]) == (4.0, "Y", "N")


def test_months_to_relapse_are_days_divided_by_the_length_of_a_month(plain):
    assert plain()["TTRLPM"] == pytest.approx(120 / 30.4375, rel=1e-15)
