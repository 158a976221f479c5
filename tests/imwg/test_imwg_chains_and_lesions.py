"""The light chain that switches, and the lesion that was not there before."""

import datetime as dt

import polars as pl
import pytest

from tests.derive.rehearsal import select
from transforms.derive.imwg import derive_response

P = "MYE-DE01-A"
START = dt.date(2023, 6, 1)
LAB = "usubjid | lab_date | test | value"
LESION = "usubjid | site | category | timepoint | lesion_date"
IMAGED = """usubjid    | relapse_number | relapse_date | imaging_modality
            MYE-DE01-A | 1              | 2023-05-10   | PET_CT"""


def chains(*pairs):
    """Category and criterion of each day; only light chains are measurable, the first day is baseline."""
    days = [START + dt.timedelta(days=28 * i) for i in range(len(pairs))]
    frame = pl.DataFrame(
        {
            "patient_id": "A",
            "line_number": 1,
            "assessed_on": days,
            "line_start": START,
            "m_serum": 2.0,
            "m_urine": 50.0,
            "flc_kappa": [float(kappa) for kappa, _ in pairs],
            "flc_lambda": [float(lambda_) for _, lambda_ in pairs],
        }
    )
    found = derive_response(frame).assessments
    return found.select("category", "criterion").rows()[1:]


@pytest.mark.parametrize(
    ("baseline", "now"), [((500, 10), (10, 300)), ((10, 500), (300, 10)), ((500, 10), (20, 100))]
)
def test_the_other_chain_in_excess_leaves_the_response_open(baseline, now):
    assert chains(baseline, now) == [("NE", "CHAIN_SWITCHED")]


def test_an_excess_of_the_other_chain_below_measurable_disease_is_a_response():
    assert chains((500, 10), (20, 99))[0][0] == "VGPR"


def test_both_chains_high_in_a_normal_ratio_is_no_switch():
    assert chains((500, 10), (110, 120))[0][0] != "NE"


def test_the_day_of_the_switch_is_no_nadir():
    # From 10 - 300 = -290 the last day would be a rise of 300 and a progression.
    assert [category for category, _ in chains((500, 10), (10, 300), (20, 10))] == ["NE", "VGPR"]


@pytest.fixture
def build(derived):
    """Day, category and basis of a progression of each assessment, with these lesions."""

    def make(lesions, relapse=IMAGED):
        lab = "\n".join(
            f"{P} | {row}"
            for row in (
                "2023-05-20 | M_SERUM | 30",
                "2023-05-20 | M_URINE | 50",
                "2023-07-01 | M_SERUM | 15",
                "2023-07-01 | M_URINE | 20",
                "2023-08-01 | M_SERUM | 15",
                "2023-08-01 | M_URINE | 20",
            )
        )
        drawn = "\n".join([LESION, *(f"{P} | {row}" for row in lesions)])
        con = derived(relapse=relapse, lab=f"{LAB}\n{lab}", lesion=drawn)
        columns = "assessed_on::varchar, category, pd_basis"
        return select(con, "imwg_response", "line_number = 1", columns).fetchall()

    return make


PARTIAL = [("2023-07-01", "PR", None), ("2023-08-01", "PR", None)]


def test_a_lesion_of_follow_up_at_a_site_without_one_before_is_a_progression(build):
    assert build(["LIVER | EXTRAOSSEOUS | FOLLOWUP | 2023-08-01"]) == [
        PARTIAL[0],
        ("2023-08-01", "PD", "IMAGING"),
    ]


def test_a_new_lesion_on_a_day_without_a_sample_is_an_assessment(build):
    assert build(["LIVER | EXTRAOSSEOUS | FOLLOWUP | 2023-07-15"])[1] == (
        "2023-07-15",
        "PD",
        "IMAGING",
    )


@pytest.mark.parametrize(
    "lesions",
    [
        ["LIVER | EXTRAOSSEOUS | FOLLOWUP | 2023-09", "LUNG | EXTRAOSSEOUS | FOLLOWUP |"],
        ["LIVER | EXTRAOSSEOUS | FOLLOWUP | 2023-05-31"],
    ],
    ids=["without a day", "before the line"],
)
def test_a_lesion_that_has_no_day_in_the_line_shows_nothing(build, lesions):
    assert build(lesions) == PARTIAL


def test_a_lesion_at_a_site_listed_before_is_not_new(build):
    lesions = [
        "LIVER | EXTRAOSSEOUS | BEFORE_CART | 2022-12-01",
        "LIVER | EXTRAOSSEOUS | FOLLOWUP | 2023-08-01",
    ]
    assert build(lesions) == PARTIAL


def test_a_lesion_is_new_only_on_the_first_day_that_lists_it(build):
    lesions = [
        "LIVER | EXTRAOSSEOUS | FOLLOWUP | 2023-07-01",
        "LIVER | EXTRAOSSEOUS | FOLLOWUP | 2023-08-01",
    ]
    assert build(lesions) == [("2023-07-01", "PD", "IMAGING"), PARTIAL[1]]


@pytest.mark.parametrize("modality", ["", "NONE"])
def test_without_imaging_at_relapse_nobody_can_call_a_lesion_new(build, modality):
    relapse = IMAGED.replace("PET_CT", modality.ljust(6))
    assert build(["LIVER | EXTRAOSSEOUS | FOLLOWUP | 2023-08-01"], relapse) == PARTIAL
