"""Extramedullary disease at relapse and before CAR-T and plasma cell leukemia: three fields."""

LESION = "usubjid | site | category | timepoint | modality"


def lesions(*categories: str, timepoint: str = "RELAPSE", modality: str = "") -> str:
    rows = (f"MYE-DE01-A | OTHER | {c} | {timepoint} | {modality}" for c in categories)
    return "\n".join([LESION, *rows])


def relapse(emd: str = "", emd_type: str = "", imaging: str = "") -> str:
    return f"""usubjid | relapse_number | relapse_date | emd | emd_type | imaging_modality
               MYE-DE01-A | 1 | 2023-05-10 | {emd} | {emd_type} | {imaging}"""


def risk(column: str, flag: str, timepoint: str = "BEFORE_CART") -> str:
    return f"usubjid | timepoint | {column}\nMYE-DE01-A | {timepoint} | {flag}"


def test_the_type_is_none_para_extra_or_both_if_both_questions_are_answered(plain_each):
    cases = [
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
    ]
    found = plain_each(
        {"relapse": relapse(emd, emd_type), "lesion": lesions(*listed)}
        for listed, emd, emd_type, _ in cases
    )
    assert [
        (*case[:3], (row["EMDRELFL"], row["PARAFL"], row["EMDTYPE"]))
        for case, row in zip(cases, found, strict=True)
    ] == cases


def test_disease_before_car_t_comes_from_lesions_then_from_the_report(plain_each):
    cases = [
        (["EXTRAOSSEOUS"], "", ("Y", "LESION")),
        (["CNS"], "N", ("Y", "LESION")),
        (["PARAOSSEOUS"], "", ("N", "LESION")),
        (["UNKNOWN"], "", (None, None)),
        (["UNKNOWN"], "N", ("N", "REPORTED")),
        ([], "Y", ("Y", "REPORTED")),
        ([], "N", ("N", "REPORTED")),
        ([], "U", (None, None)),
        ([], "", (None, None)),
    ]
    found = plain_each(
        {
            "lesion": lesions(*listed, timepoint="BEFORE_CART"),
            "risk": risk("emd_before_car_t", reported),
        }
        for listed, reported, _ in cases
    )
    assert [
        (*case[:2], (row["EMDBLFL"], row["EMDBLSRC"]))
        for case, row in zip(cases, found, strict=True)
    ] == cases
    assert {(row["EMDRELFL"], row["EMDTYPE"]) for row in found} == {(None, None)}


def test_a_lesion_at_another_time_point_says_nothing_about_the_time_before_car_t(plain_each):
    found = plain_each(
        {"lesion": lesions("EXTRAOSSEOUS", timepoint=timepoint)}
        for timepoint in ("RELAPSE", "DIAGNOSIS", "FOLLOWUP")
    )
    assert [row["EMDBLFL"] for row in found] == [None] * 3


def test_the_report_before_car_t_comes_before_that_of_the_diagnosis(plain_each):
    cases = [("N", "Y", "N"), ("", "Y", "Y"), ("U", "N", "N"), ("Y", "N", "Y")]
    found = plain_each(
        {
            "risk": f"""usubjid    | timepoint   | emd_before_car_t
                        MYE-DE01-A | DIAGNOSIS   | {diagnosis}
                        MYE-DE01-A | BEFORE_CART | {before}"""
        }
        for before, diagnosis, _ in cases
    )
    assert [row["EMDBLFL"] for row in found] == [case[2] for case in cases]


def test_plasma_cell_leukemia_is_a_field_of_its_own_and_no_extramedullary_disease(plain_each):
    cases = [
        ("BEFORE_CART", "Y", "Y"),
        ("DIAGNOSIS", "N", "N"),
        ("BEFORE_CART", "U", None),
        ("RELAPSE", "Y", None),
    ]
    found = plain_each(
        {"risk": risk("plasma_cell_leukemia", flag, timepoint)} for timepoint, flag, _ in cases
    )
    assert [row["PCLFL"] for row in found] == [case[2] for case in cases]
    assert {(row["EMDBLFL"], row["EMDRELFL"]) for row in found} == {(None, None)}


def test_imaging_is_accepted_if_it_is_ct_mri_or_pet(plain_each, study_with):
    accepted = dict.fromkeys(("PET_CT", "PET_MRI", "CT", "MRI", "WBLDCT"), "Y")
    expected = {**accepted, "XRAY": "N", "ULTRASOUND": "N", "NONE": "N", "": None}
    cases = [{"relapse": relapse("N", "NONE", modality)} for modality in expected]
    found = plain_each(cases)
    assert [row["EMDIMGFL"] for row in found] == list(expected.values())
    assert {(row["EMDRELFL"], row["EMDTYPE"]) for row in found} == {("N", "NONE")}
    strict = plain_each(cases, study_with(emd_without_imaging="unknown"))
    assert [(row["EMDRELFL"], row["EMDTYPE"]) for row in strict] == [
        ("N", "NONE") if seen == "Y" else (None, None) for seen in expected.values()
    ]


def test_imaging_of_a_listed_lesion_is_imaging_at_relapse(plain_each):
    found = plain_each(
        {"lesion": lesions("PARAOSSEOUS", modality=modality)} for modality in ("MRI", "BIOPSY")
    )
    assert [row["EMDIMGFL"] for row in found] == ["Y", None]


def test_imaging_without_a_lesion_is_no_disease_only_where_the_center_lists_lesions(plain_each):
    other_patient = f"{LESION}\nMYE-DE01-B | LIVER | EXTRAOSSEOUS | RELAPSE | CT"
    imaged = relapse(imaging="PET_CT")
    found = plain_each(
        [
            {"relapse": imaged, "lesion": other_patient},
            {"relapse": imaged},
            {"relapse": relapse(), "lesion": other_patient},
            {"relapse": relapse(emd="U", imaging="PET_CT"), "lesion": other_patient},
        ]
    )
    assert [(row["EMDRELFL"], row["EMDSRC"], row["EMDTYPE"]) for row in found] == [
        ("N", "IMAGING", "NONE"),
        (None, None, None),
        (None, None, None),
        (None, None, None),
    ]
