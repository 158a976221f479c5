"""Refractoriness, extramedullary disease, stage and prior BCMA-directed therapy."""

import pytest


def exposure(**refractory: str) -> str:
    return "\n".join(
        ["usubjid | drug | exposed | refractory"]
        + [f"MYE-DE01-A | {drug} | Y | {status}" for drug, status in refractory.items()]
    )


@pytest.mark.parametrize(
    ("refractory", "triple", "penta"),
    [
        ({"lenalidomide": "Y", "bortezomib": "Y", "daratumumab": "Y"}, "Y", "N"),
        (
            {
                "lenalidomide": "Y",
                "pomalidomide": "Y",
                "bortezomib": "Y",
                "carfilzomib": "Y",
                "isatuximab": "Y",
            },
            "Y",
            "Y",
        ),
        ({"lenalidomide": "Y", "bortezomib": "N", "daratumumab": "Y"}, "N", "N"),
        ({"lenalidomide": "Y", "bortezomib": "U", "daratumumab": "Y"}, None, "N"),
        ({"lenalidomide": "Y", "bortezomib": "Y"}, None, "N"),
        ({"IMID": "Y", "PI": "Y", "CD38": "Y"}, "Y", None),
        ({"IMID": "Y", "PI": "N", "CD38": "Y"}, "N", "N"),
        ({"TRIPLE": "Y", "PENTA": "N"}, "Y", "N"),
        ({"PENTA": "Y"}, "Y", "Y"),
        ({"TRIPLE": "N"}, "N", "N"),
        # Drugs decide against a composite; the contradiction is a finding (PRI-04).
        (
            {"lenalidomide": "Y", "bortezomib": "N", "daratumumab": "Y", "TRIPLE": "Y"},
            "N",
            "N",
        ),
        # Iberdomide is no IMiD here.
        ({"iberdomide": "Y", "bortezomib": "Y", "daratumumab": "Y", "TRIPLE": "N"}, "N", "N"),
        ({}, None, None),
    ],
)
def test_triple_and_penta_refractory_come_from_drugs_then_classes_then_composites(
    plain, refractory, triple, penta
):
    row = plain(exposure=exposure(**refractory))
    assert (row["TRIPLFL"], row["PENTAFL"]) == (triple, penta)


def test_a_drug_never_given_is_not_refractory(plain):
    row = plain(
        exposure="""usubjid    | drug         | exposed | refractory
                    MYE-DE01-A | lenalidomide | Y       | Y
                    MYE-DE01-A | bortezomib   | N       |
                    MYE-DE01-A | daratumumab  | Y       | Y""",
    )
    assert (row["TRIPLFL"], row["TRIPLSRC"]) == ("N", "DERIVED")


@pytest.mark.parametrize(
    ("lesions", "emd", "emd_type", "expected"),
    [
        (["EXTRAOSSEOUS"], "N", "NONE", ("Y", "LESION")),
        (["CNS"], "", "", ("Y", "LESION")),
        (["PARAOSSEOUS"], "Y", "PARA", ("N", "TYPE")),
        (["PARAOSSEOUS"], "", "", ("N", "LESION")),
        (["UNKNOWN"], "", "", (None, None)),
        ([], "Y", "", ("Y", "REPORTED")),
        ([], "N", "", ("N", "REPORTED")),
        ([], "Y", "BOTH", ("Y", "TYPE")),
        ([], "U", "", (None, None)),
        ([], "", "", (None, None)),
    ],
)
def test_extramedullary_disease_is_extraosseous_or_in_the_cns(
    plain, lesions, emd, emd_type, expected
):
    row = plain(
        relapse=f"""usubjid    | relapse_number | relapse_date | emd   | emd_type
                    MYE-DE01-A | 1              | 2023-05-10   | {emd} | {emd_type}""",
        lesion="\n".join(
            ["usubjid | site | category | timepoint"]
            + [f"MYE-DE01-A | OTHER | {category} | RELAPSE" for category in lesions]
        ),
    )
    assert (row["EMDRELFL"], row["EMDSRC"]) == expected


def test_a_lesion_before_car_t_says_nothing_about_the_relapse(plain):
    row = plain(
        lesion="""usubjid    | site  | category     | timepoint
                  MYE-DE01-A | LIVER | EXTRAOSSEOUS | BEFORE_CART""",
    )
    assert row["EMDRELFL"] is None


def test_no_extramedullary_disease_without_imaging_is_unknown_only_by_setting(plain, study_with):
    relapse = """usubjid    | relapse_number | relapse_date | emd | imaging_modality
                 MYE-DE01-A | 1              | 2023-05-10   | N   | {}"""
    unknown = study_with(emd_without_imaging="unknown")
    assert plain(relapse=relapse.format(""))["EMDRELFL"] == "N"
    assert plain(unknown, relapse=relapse.format(""))["EMDRELFL"] is None
    assert plain(unknown, relapse=relapse.format("PET_CT"))["EMDRELFL"] == "N"


def test_stage_before_car_t_comes_first_and_another_time_point_helps_out(plain):
    risk = """usubjid    | timepoint   | r_iss | mycare
              MYE-DE01-A | DIAGNOSIS   | III   | HIGH
              MYE-DE01-A | BEFORE_CART | {}    | LOW"""
    row = plain(risk=risk.format("II"))
    assert (row["RISS"], row["RISSTPT"], row["MYCARE"]) == ("II", "BEFORE_CART", "LOW")
    row = plain(risk=risk.format(""))
    assert (row["RISS"], row["RISSTPT"], row["MYCARE"]) == ("III", "DIAGNOSIS", "LOW")


@pytest.mark.parametrize(
    ("reported", "drug", "expected"),
    [
        ("Y", "lenalidomide", "Y"),
        ("N", "lenalidomide", "N"),
        ("U", "lenalidomide", None),
        ("", "belantamab_mafodotin", "Y"),
        ("", "idecabtagene_vicleucel", None),
    ],
)
def test_prior_bcma_therapy_is_as_reported_or_from_a_bcma_drug(plain, reported, drug, expected):
    row = plain(
        infusion=f"""usubjid    | infusion_number | product | infusion_date | prior_bcma
                     MYE-DE01-A | 1               | IDE     | 2023-01-10    | {reported}""",
        exposure=f"""usubjid    | drug   | exposed
                     MYE-DE01-A | {drug} | Y""",
    )
    assert row["PBCMAFL"] == expected


def test_age_is_as_reported_and_else_from_the_year_of_birth(plain):
    assert (plain()["AGE"], plain()["AGESRC"]) == (62, "REPORTED")
    row = plain(
        infusion="""usubjid    | infusion_number | product | infusion_date
                    MYE-DE01-A | 1               | IDE     | 2023-01-10""",
    )
    assert (row["AGE"], row["AGESRC"]) == (63, "BIRTH_YEAR")
