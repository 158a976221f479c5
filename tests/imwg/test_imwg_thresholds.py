"""Each threshold by hand: on it, just below it, just above it."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from transforms.derive.imwg import ASSESSED, derive_response

START = dt.date(2023, 3, 1)
SERUM = {"m_serum": 30.0, "m_urine": 0.0}
URINE = {"m_serum": 0.0, "m_urine": 1000.0}
FLC = {"m_serum": 0.0, "m_urine": 0.0, "flc_kappa": 510.0, "flc_lambda": 10.0}
MARROW = {**FLC, "flc_kappa": 12.0, "marrow": 60.0}
NEGATIVE = {"ife_serum": "NEGATIVE", "ife_urine": "NEGATIVE"}
GONE = {"plasmacytoma_spd": 0.0}


def judged(baseline, *later, relapsed=True, every_days=28, **line):
    """The derived rows after the baseline."""
    rows = [
        {**values, "assessed_on": START + dt.timedelta(days=every_days * number)}
        for number, values in enumerate((baseline, *later))
    ]
    same = {"patient_id": "A", "line_number": 1, "line_start": START, **line}
    frame = pl.DataFrame([{**same, **row} for row in rows], infer_schema_length=None)
    return derive_response(frame, relapsed=relapsed).assessments.rows(named=True)[1:]


def categories(baseline, *later, **options):
    return [row["category"] for row in judged(baseline, *later, **options)]


@pytest.mark.parametrize(
    ("serum", "category"),
    [
        (0.0, "VGPR"),
        (3.0, "VGPR"),
        (3.01, "PR"),
        (15.0, "PR"),
        (15.01, "MR"),
        (22.5, "MR"),
        (22.51, "SD"),
        (34.9, "SD"),
        (37.49, "SD"),
        (37.5, "PD"),
    ],
)
def test_serum_m_protein_of_30_at_baseline(serum, category):
    assert categories(SERUM, {"m_serum": serum, "m_urine": 0.0}) == [category]


@pytest.mark.parametrize(
    ("base", "now"), [(10.1, 1.01), (12.3, 1.23), (33.3, 3.33), (70.7, 7.07), (44.4, 4.44)]
)
def test_exactly_90_percent_is_met_whatever_the_binary_fraction(base, now):
    assert categories({"m_serum": base, "m_urine": 0.0}, {"m_serum": now, "m_urine": 0.0}) == [
        "VGPR"
    ]


@pytest.mark.parametrize(
    ("urine", "category"),
    [(99.9, "VGPR"), (100.0, "PR"), (199.9, "PR"), (200.0, "MR"), (500.0, "MR"), (500.1, "SD")],
)
def test_urine_m_protein_of_1000_at_baseline(urine, category):
    assert categories(URINE, {"m_serum": 0.0, "m_urine": urine}) == [category]


def test_a_urine_reduction_of_90_percent_suffices_above_200():
    base = {"m_serum": 0.0, "m_urine": 3000.0}
    later = [{"m_serum": 0.0, "m_urine": value} for value in (300.0, 300.1)]
    assert categories(base, later[0]) == ["PR"]
    assert categories(base, later[1]) == ["MR"]


def test_the_lower_of_serum_and_urine_decides():
    base = {"m_serum": 30.0, "m_urine": 1000.0}
    [row] = judged(base, {"m_serum": 2.0, "m_urine": 450.0})
    assert (row["category"], row["criterion"], row["measure"]) == ("MR", "URINE", "URINE")
    assert (row["baseline_value"], row["value"], row["change_percent"]) == (1000.0, 450.0, -55.0)


@pytest.mark.parametrize(
    ("kappa", "category"),
    [(60.0, "VGPR"), (60.1, "PR"), (260.0, "PR"), (260.1, "SD"), (610.0, "SD"), (636.0, "PD")],
)
def test_light_chain_difference_of_500_at_baseline(kappa, category):
    now = {**FLC, "flc_kappa": kappa}
    assert categories(FLC, now) == [category]


def test_light_chains_progress_only_by_more_than_100():
    base = {**FLC, "flc_kappa": 110.0}
    assert categories(base, {**FLC, "flc_kappa": 210.0}) == ["SD"]
    assert categories(base, {**FLC, "flc_kappa": 210.1}) == ["PD"]


def test_the_nadir_of_the_chains_is_not_below_zero():
    base = {**FLC, "flc_kappa": 600.0, "flc_lambda": 100.0}
    normal = {**FLC, "flc_kappa": 60.0, "flc_lambda": 140.0}
    assert categories(base, normal, {**FLC, "flc_kappa": 60.0, "flc_lambda": 30.0})[-1] == "VGPR"
    # From none, more than 100 mg/L is progression.
    assert categories(base, normal, {**FLC, "flc_kappa": 130.0, "flc_lambda": 30.0})[-1] != "PD"
    assert categories(base, normal, {**FLC, "flc_kappa": 130.1, "flc_lambda": 30.0})[-1] == "PD"


@pytest.mark.parametrize(
    ("marrow", "category"),
    [(30.0, "PR"), (30.1, "SD"), (74.9, "SD"), (75.0, "PD"), (5.0, "PR"), (4.9, "CR")],
)
def test_marrow_of_60_percent_at_baseline(marrow, category):
    assert categories(MARROW, {**MARROW, "marrow": marrow, **GONE}) == [category]


def test_marrow_alone_needs_30_percent_at_baseline():
    base = {**MARROW, "marrow": 29.9}
    [row] = judged(base, {**base, "marrow": 10.0})
    assert (row["kind"], row["category"], row["criterion"]) == ("NONE", "NE", "NOT_MEASURABLE")


def test_complete_response_by_marrow_alone_needs_imaging():
    [row] = judged(MARROW, {**MARROW, "marrow": 2.0})
    assert (row["category"], row["missing"]) == ("PR", "PLASMACYTOMA")


@pytest.mark.parametrize(
    ("base", "kind"),
    [
        ({"m_serum": 10.0, "m_urine": 0.0}, "SERUM"),
        ({"m_serum": 9.9, "m_urine": 200.0}, "URINE"),
        ({"m_serum": 10.0, "m_urine": 200.0}, "SERUM_URINE"),
        ({"m_serum": 9.9, "m_urine": 199.9, "flc_kappa": 100.0, "flc_lambda": 10.0}, "FLC"),
        ({"m_serum": 9.9, "m_urine": 199.9, "flc_kappa": 99.9, "flc_lambda": 10.0}, "UNKNOWN"),
        ({**FLC, "flc_kappa": 165.0, "flc_lambda": 100.0, "marrow": 30.0}, "MARROW"),
        ({**FLC, "flc_kappa": 165.1, "flc_lambda": 100.0}, "FLC"),
        ({**FLC, "flc_kappa": 25.9, "flc_lambda": 100.0}, "FLC"),
        ({**FLC, "flc_kappa": 26.0, "flc_lambda": 100.0, "marrow": 3.0}, "NONE"),
        ({"m_serum": None, "m_urine": 0.0, "flc_kappa": 510.0, "flc_lambda": 10.0}, "UNKNOWN"),
        ({"m_urine": None, "m_serum": 0.0, "flc_kappa": 510.0, "flc_lambda": 10.0}, "UNKNOWN"),
        ({"m_serum": 0.0, **NEGATIVE, "flc_kappa": 510.0, "flc_lambda": 10.0}, "FLC"),
    ],
)
def test_what_is_measurable_at_baseline(base, kind):
    assert [row["kind"] for row in judged(base, {"m_serum": 1.0})] == [kind]


@pytest.mark.parametrize(
    ("values", "category"),
    [
        ({**NEGATIVE, "marrow": 4.9}, "CR"),
        ({**NEGATIVE, "marrow": 5.0}, "VGPR"),
        ({**NEGATIVE, "marrow": None}, "VGPR"),
        ({**NEGATIVE, "marrow": 2.0, "marrow_by_flow": True}, "VGPR"),
        ({"ife_serum": "NEGATIVE", "ife_urine": "POSITIVE", "marrow": 2.0}, "VGPR"),
        ({**NEGATIVE, "marrow": 2.0, "clonal_marrow": "NEGATIVE"}, "CR"),
        ({**NEGATIVE, "marrow": 2.0, "clonal_marrow": "NEGATIVE", "flc_lambda": 100.0, "flc_kappa": 26.0}, "sCR"),
        ({**NEGATIVE, "marrow": 2.0, "clonal_marrow": "NEGATIVE", "flc_lambda": 100.0, "flc_kappa": 165.0}, "sCR"),
        ({**NEGATIVE, "marrow": 2.0, "clonal_marrow": "NEGATIVE", "flc_lambda": 100.0, "flc_kappa": 165.1}, "CR"),
        ({**NEGATIVE, "marrow": 2.0, "flc_lambda": 100.0, "flc_kappa": 100.0}, "CR"),
    ],
)  # fmt: skip
def test_complete_and_stringent_complete_response(values, category):
    assert categories(SERUM, {"m_serum": 0.0, "m_urine": 0.0, **values}) == [category]


def test_complete_response_with_only_light_chains_measurable_needs_a_normal_ratio():
    rest = {"m_serum": 0.0, "m_urine": 0.0, **NEGATIVE, "marrow": 2.0, "flc_lambda": 10.0}
    assert categories(FLC, {**rest, "flc_kappa": 16.5}) == ["CR"]
    assert categories(FLC, {**rest, "flc_kappa": 16.6}) == ["VGPR"]


def test_marrow_and_imaging_need_not_be_repeated():
    first = {"m_serum": 0.0, "m_urine": 0.0, **NEGATIVE, "marrow": 2.0, **GONE}
    base = {**SERUM, "plasmacytoma_spd": 400.0}
    again = {"m_serum": 0.0, "m_urine": 0.0, **NEGATIVE}
    assert categories(base, first, again) == ["CR", "CR"]


@pytest.mark.parametrize(("size", "category"), [(0.0, "VGPR"), (200.0, "VGPR"), (200.1, "SD")])
def test_a_plasmacytoma_must_halve(size, category):
    base = {**SERUM, "plasmacytoma_spd": 400.0}
    assert categories(base, {"m_serum": 1.0, "m_urine": 0.0, "plasmacytoma_spd": size}) == [
        category
    ]


@pytest.mark.parametrize(
    ("serum", "urine", "category", "missing"),
    [
        (3.0, None, "PR", "URINE"),
        (15.0, None, "MR", "URINE"),
        (22.5, None, "SD", "URINE"),
        (30.0, None, "NE", "URINE"),
        (None, 50.0, "PR", "SERUM"),
        (None, None, "NE", "SERUM|URINE"),
    ],
)
def test_a_missing_decisive_element_costs_one_level(serum, urine, category, missing):
    base = {"m_serum": 30.0, "m_urine": 1000.0}
    [row] = judged(base, {"m_serum": serum, "m_urine": urine})
    assert (row["category"], row["missing"]) == (category, missing)


def test_urine_that_was_never_measurable_is_not_missing_below_very_good_partial_response():
    base = {"m_serum": 30.0, "m_urine": 150.0}
    assert categories(base, {"m_serum": 15.0}) == ["PR"]
    assert categories(base, {"m_serum": 3.0}) == ["PR"]
    assert categories({**base, "m_urine": 99.0}, {"m_serum": 3.0}) == ["VGPR"]


def test_without_its_only_measurable_test_an_assessment_is_not_evaluable():
    [row] = judged(SERUM, {"m_urine": 0.0, "marrow": 2.0})
    assert (row["category"], row["criterion"]) == ("NE", "MISSING")


def test_without_a_baseline_only_progression_and_full_complete_response_can_be_told():
    frame = [{"m_serum": 12.0, "m_urine": 0.0}, {"m_serum": 12.0}, {"m_serum": 17.0}]
    rows = judged({}, *frame)
    assert [(row["category"], row["criterion"]) for row in rows] == [
        ("NE", "BASELINE_UNKNOWN"),
        ("NE", "BASELINE_UNKNOWN"),
        ("PD", "SERUM"),
    ]


def test_minimal_response_exists_in_relapsed_disease_only():
    later = {"m_serum": 20.0, "m_urine": 0.0}
    assert categories(SERUM, later) == ["MR"]
    assert categories(SERUM, later, relapsed=False) == ["SD"]


@pytest.mark.parametrize(
    ("nadir", "now", "category"),
    [
        (0.0, 4.99, "VGPR"),
        (0.0, 5.0, "PD"),
        (20.0, 24.99, "PR"),
        (20.0, 25.0, "PD"),
        (24.0, 29.99, "PR"),
        (24.0, 30.0, "PD"),
        (50.0, 59.99, "MR"),
        (50.0, 60.0, "PD"),
        (49.9, 60.0, "MR"),
    ],
)
def test_serum_progression_over_the_nadir(nadir, now, category):
    base = {"m_serum": 80.0, "m_urine": 0.0}
    later = [{"m_serum": value, "m_urine": 0.0} for value in (nadir, now)]
    assert categories(base, *later)[1] == category


@pytest.mark.parametrize(
    ("nadir", "now", "category"),
    [(0.0, 199.9, "PR"), (0.0, 200.0, "PD"), (900.0, 1124.9, "PR"), (900.0, 1125.0, "PD")],
)
def test_urine_progression_over_the_nadir(nadir, now, category):
    base = {"m_serum": 0.0, "m_urine": 12_000.0}
    later = [{"m_serum": 0.0, "m_urine": value} for value in (nadir, now)]
    assert categories(base, *later)[1] == category


@pytest.mark.parametrize(("now", "category"), [(11.9, "PR"), (12.0, "PD")])
def test_marrow_progression_is_a_rise_of_ten_points(now, category):
    later = [{**MARROW, "marrow": value} for value in (2.0, now)]
    assert categories(MARROW, *later)[1] == category


@pytest.mark.parametrize(
    ("before", "now", "category"),
    [
        ({"plasmacytoma_spd": 0.0}, {"plasmacytoma_spd": 10.0}, "PD"),
        ({"plasmacytoma_spd": 100.0, "n_lesions": 2}, {"plasmacytoma_spd": 150.0, "n_lesions": 2}, "PD"),
        ({"plasmacytoma_spd": 100.0, "n_lesions": 2}, {"plasmacytoma_spd": 149.9, "n_lesions": 2}, "VGPR"),
        ({"plasmacytoma_spd": 100.0, "n_lesions": 1}, {"plasmacytoma_spd": 150.0, "n_lesions": 1}, "VGPR"),
        ({"lesion_diameter": 20.0, "lesion_short_axis": 10.1}, {"lesion_diameter": 30.0}, "PD"),
        ({"lesion_diameter": 20.0, "lesion_short_axis": 10.0}, {"lesion_diameter": 30.0}, "VGPR"),
        ({}, {"new_lesion": True}, "PD"),
        ({}, {"progression_basis": "CLINICAL"}, "PD"),
        ({}, {"progression_basis": "SERUM"}, "VGPR"),
    ],
)  # fmt: skip
def test_progression_of_lesions(before, now, category):
    base = {**SERUM, "plasmacytoma_spd": 400.0 if "plasmacytoma_spd" in before else None}
    low = {"m_serum": 1.0, "m_urine": 0.0}
    assert categories(base, {**low, **before}, {**low, **now})[1] == category


def test_columns_keep_their_types_and_order_even_without_rows():
    empty = pl.DataFrame(
        schema={"patient_id": pl.String(), "line_number": pl.Int32(), "assessed_on": pl.Date()}
    )
    derived = derive_response(empty)
    assert derived.assessments.schema == ASSESSED
    assert derived.lines.is_empty()
    undated = pl.DataFrame({"patient_id": ["A"], "line_number": [1], "assessed_on": [None]})
    assert derive_response(undated).assessments["criterion"].to_list() == ["NO_DATE"]


def test_two_rows_of_one_day_are_refused():
    frame = pl.DataFrame(
        {"patient_id": ["A"] * 2, "line_number": [1] * 2, "assessed_on": [START] * 2}
    )
    with pytest.raises(ValueError, match="two rows of one line on one day"):
        derive_response(frame)


def test_a_missing_required_column_is_named():
    with pytest.raises(ValueError, match="line_number"):
        derive_response(pl.DataFrame({"patient_id": ["A"], "assessed_on": [START]}))
