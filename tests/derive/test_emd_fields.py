"""Extramedullary disease at relapse and before CAR-T and plasma cell leukemia: three fields."""

import pytest

LESION = "usubjid | site | category | timepoint | modality"


def lesions(*categories: str, timepoint: str = "RELAPSE", modality: str = "") -> str:
    rows = (f"MYE-DE01-A | OTHER | {c} | {timepoint} | {modality}" for c in categories)
    return "\n".join([LESION, *rows])


def relapse(emd: str = "", emd_type: str = "", imaging: str = "") -> str:
    return f"""usubjid | relapse_number | relapse_date | emd | emd_type | imaging_modality
               MYE-DE01-A | 1 | 2023-05-10 | {emd} | {emd_type} | {imaging}"""


@pytest.mark.parametrize(
    ("listed", "emd", "emd_type", "expected"),
    [
        (["EXTRAOSSEOUS"], "", "", ("Y", "N", "EXTRA")),
        (["CNS"], "", "", ("Y", "N", "EXTRA")),
        (["PARAOSSEOUS"], "", "", ("N", "Y", "PARA")),
        (["PARAOSSEOUS", "EXTRAOSSEOUS"], "", "", ("Y", "Y", "BOTH")),
        (["INTRAMEDULLARY"], "", "", ("N", "N", "NONE")),
        (["EXTRAOSSEOUS", "UNKNOWN"], "", "", ("Y", None, None)),
        (["PARAOSSEOUS", "UNKNOWN"], "", "", (None, "Y", None)),
        (["EXTRAOSSEOUS"], "", "BOTH", ("Y", "Y", "BOTH")),
        (["PARAOSSEOUS"], "", "EXTRA", ("Y", "Y", "BOTH")),
        ([], "", "NONE", ("N", "N", "NONE")),
        ([], "", "PARA", ("N", "Y", "PARA")),
        ([], "", "EXTRA", ("Y", "N", "EXTRA")),
        ([], "", "BOTH", ("Y", "Y", "BOTH")),
        ([], "Y", "", ("Y", None, None)),
        ([], "N", "", ("N", None, None)),
        ([], "", "", (None, None, None)),
    ],
)
def test_the_type_is_none_para_extra_or_both_if_both_questions_are_answered(
    plain, listed, emd, emd_type, expected
):
    row = plain(relapse=relapse(emd, emd_type), lesion=lesions(*listed))
    assert (row["EMDRELFL"], row["PARAFL"], row["EMDTYPE"]) == expected


@pytest.mark.parametrize(
    ("listed", "reported", "expected"),
    [
        (["EXTRAOSSEOUS"], "", ("Y", "LESION")),
        (["CNS"], "N", ("Y", "LESION")),
        (["PARAOSSEOUS"], "", ("N", "LESION")),
        (["UNKNOWN"], "", (None, None)),
        (["UNKNOWN"], "N", ("N", "REPORTED")),
        ([], "Y", ("Y", "REPORTED")),
        ([], "N", ("N", "REPORTED")),
        ([], "U", (None, None)),
        ([], "", (None, None)),
    ],
)
def test_disease_before_car_t_comes_from_lesions_then_from_the_report(
    plain, listed, reported, expected
):
    row = plain(
        lesion=lesions(*listed, timepoint="BEFORE_CART"),
        risk=f"""usubjid    | timepoint   | emd_before_car_t
                 MYE-DE01-A | BEFORE_CART | {reported}""",
    )
    assert (row["EMDBLFL"], row["EMDBLSRC"]) == expected
    assert (row["EMDRELFL"], row["EMDTYPE"]) == (None, None)


def test_a_lesion_at_relapse_diagnosis_or_follow_up_says_nothing_about_the_time_before_car_t(plain):
    for timepoint in ("RELAPSE", "DIAGNOSIS", "FOLLOWUP"):
        assert plain(lesion=lesions("EXTRAOSSEOUS", timepoint=timepoint))["EMDBLFL"] is None


def test_plasma_cell_leukemia_is_a_field_of_its_own_and_no_extramedullary_disease(plain):
    risk = """usubjid    | timepoint | plasma_cell_leukemia
              MYE-DE01-A | {}        | {}"""
    for timepoint, leukemia, expected in (
        ("BEFORE_CART", "Y", "Y"),
        ("DIAGNOSIS", "N", "N"),
        ("BEFORE_CART", "U", None),
        ("RELAPSE", "Y", None),
    ):
        row = plain(risk=risk.format(timepoint, leukemia))
        assert row["PCLFL"] == expected
        assert (row["EMDBLFL"], row["EMDRELFL"]) == (None, None)


@pytest.mark.parametrize(
    ("modality", "expected"),
    [
        ("PET_CT", "Y"), ("PET_MRI", "Y"), ("CT", "Y"), ("MRI", "Y"), ("WBLDCT", "Y"),
        ("XRAY", "N"), ("ULTRASOUND", "N"), ("NONE", "N"), ("", None),
    ],
)  # fmt: skip
def test_imaging_is_accepted_if_it_is_ct_mri_or_pet(plain, study_with, modality, expected):
    row = plain(relapse=relapse("N", "NONE", modality))
    assert row["EMDIMGFL"] == expected
    assert (row["EMDRELFL"], row["EMDTYPE"]) == ("N", "NONE")
    strict = plain(
        study_with(emd_without_imaging="unknown"), relapse=relapse("N", "NONE", modality)
    )
    unknown = expected != "Y"
    assert (strict["EMDRELFL"], strict["EMDTYPE"]) == ((None, None) if unknown else ("N", "NONE"))


def test_imaging_of_a_listed_lesion_is_imaging_at_relapse(plain):
    assert plain(lesion=lesions("PARAOSSEOUS", modality="MRI"))["EMDIMGFL"] == "Y"
    assert plain(lesion=lesions("PARAOSSEOUS", modality="BIOPSY"))["EMDIMGFL"] is None


def test_imaging_without_a_lesion_is_no_disease_only_where_the_center_lists_lesions(plain):
    other_patient = f"{LESION}\nMYE-DE01-B | LIVER | EXTRAOSSEOUS | RELAPSE | CT"
    other_center = f"{LESION}\nMYE-DE02-B | LIVER | EXTRAOSSEOUS | RELAPSE | CT"
    imaged = relapse(imaging="PET_CT")
    row = plain(relapse=imaged, lesion=other_patient)
    assert (row["EMDRELFL"], row["EMDSRC"], row["EMDTYPE"]) == ("N", "IMAGING", "NONE")
    assert plain(relapse=imaged, lesion=other_center)["EMDRELFL"] is None
    assert plain(relapse=imaged)["EMDRELFL"] is None
    assert plain(relapse=relapse(), lesion=other_patient)["EMDRELFL"] is None
    assert (
        plain(relapse=relapse(emd="U", imaging="PET_CT"), lesion=other_patient)["EMDRELFL"] is None
    )
