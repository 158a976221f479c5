"""ISS, R-ISS and MyCARe from their inputs, for every row of the truth tables of the study definitions."""

import csv
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Values inside each range and on its edges; the tables write albumin in g/dL.
INPUTS = (
    {
        "b2m": {"<3.5": "2.1", "3.5-5.49": "4.4", ">=5.5": "9.0", "?": ""},
        "albumin": {">=3.5": "41", "<3.5": "28", "?": ""},
        "ldh": {"NORMAL": "180 | 250", "HIGH": "600 | 250", "?": " | 250"},
        "fish": {"N": "N | N | N", "Y": "N | Y | U", "?": "N | U | N"},
    },
    {
        "b2m": {"<3.5": "3.49", "3.5-5.49": "3.5", ">=5.5": "5.5", "?": ""},
        "albumin": {">=3.5": "35", "<3.5": "34.9", "?": ""},
        "ldh": {"NORMAL": "250 | 250", "HIGH": "250.1 | 250", "?": "400 | "},
        "fish": {"N": "N | N | N", "Y": "Y | N | N", "?": " |  | "},
    },
)


def table(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cohort(n: int) -> dict[str, str]:
    """The tables of n plain patients."""
    ids = [f"MYE-DE01-{number:03}" for number in range(n)]
    return {
        "subject": "\n".join(["usubjid | country | sex", *(f"{i} | DE | F" for i in ids)]),
        "infusion": "\n".join(
            ["usubjid | infusion_number | product | infusion_date"]
            + [f"{i} | 1 | IDE | 2023-01-10" for i in ids]
        ),
        "relapse": "\n".join(
            ["usubjid | relapse_number | relapse_date", *(f"{i} | 1 | 2023-05-10" for i in ids)]
        ),
        "treatment_line": "\n".join(
            ["usubjid | line_number | start_date | drugs"]
            + [f"{i} | 1 | 2023-06-01 | talquetamab" for i in ids]
        ),
        "follow_up": "\n".join(
            ["usubjid | last_contact_date | vital_status"]
            + [f"{i} | 2024-02-01 | ALIVE" for i in ids]
        ),
    }


def possible(cell: str) -> tuple[str | None, set[str]]:
    """A cell of a truth table: the one value or none, and all that are possible."""
    if cell.startswith("UNK("):
        return None, set(cell[4:-1].split("/"))
    return cell, {cell}


def found(value: str | None, listed: str) -> tuple[str | None, set[str]]:
    return value, set(listed.split("/"))


@pytest.mark.parametrize("inputs", INPUTS, ids=["inside the ranges", "on the edges"])
def test_iss_and_r_iss_are_those_of_the_truth_table_in_every_row(derived, rows, inputs):
    truth = table("riss_truth_table.csv")
    assert len(truth) == 108
    risk = ["usubjid | timepoint | b2m | albumin | ldh | ldh_uln | del_17p | t_4_14 | t_14_16"]
    for number, row in enumerate(truth):
        cells = (
            inputs["b2m"][row["b2m_mg_L"]],
            inputs["albumin"][row["albumin_g_dL"]],
            inputs["ldh"][row["ldh_vs_uln"]],
            inputs["fish"][row["high_risk_fish"]],
        )
        risk.append(f"MYE-DE01-{number:03} | BEFORE_CART | {' | '.join(cells)}")
    adsl = rows(derived(**cohort(len(truth)), risk="\n".join(risk)), "adsl")
    assert {
        row["SUBJID"]: (found(row["ISSD"], row["ISSDP"]), found(row["RISSD"], row["RISSDP"]))
        for row in adsl
    } == {
        f"{number:03}": (possible(row["ISS"]), possible(row["R_ISS"]))
        for number, row in enumerate(truth)
    }


def test_mycare_is_that_of_the_truth_table_in_every_row(derived, rows):
    truth = table("mycare_truth_table.csv")
    assert len(truth) == 81
    emd = {"Y": "N | Y", "N": "N | N", "?": "N | U"}
    fish = {"Y": "N | N | Y", "N": "N | N | N", "?": "N | N | "}
    ferritin = {"Y": "301 | 300", "N": "300 | 300", "?": "900 | "}
    risk = [
        "usubjid | timepoint | emd_before_car_t | plasma_cell_leukemia | del_17p | t_4_14 | t_14_16"
        " | ferritin | ferritin_uln"
    ]
    exposure = ["usubjid | drug | exposed | refractory"]
    for number, row in enumerate(truth):
        cells = (
            emd[row["emd_or_pcl_before_cart"]],
            fish[row["high_risk_cyto"]],
            ferritin[row["ferritin_raised_at_ld"]],
        )
        risk.append(f"MYE-DE01-{number:03} | BEFORE_CART | {' | '.join(cells)}")
        refractory = row["len_refractory"].replace("?", "U")
        exposure.append(f"MYE-DE01-{number:03} | lenalidomide | Y | {refractory}")
    con = derived(**cohort(len(truth)), risk="\n".join(risk), exposure="\n".join(exposure))

    def score(cell: str) -> tuple[int, int]:
        low, _, high = cell.partition("-")
        return int(low), int(high or low)

    assert {
        row["SUBJID"]: (
            found(row["MYCARED"], row["MYCAREDP"]),
            (row["MYCLOW"], row["MYCHIGH"]),
        )
        for row in rows(con, "adsl")
    } == {
        f"{number:03}": (possible(row["category"]), score(row["score"]))
        for number, row in enumerate(truth)
    }


def test_a_value_with_a_comparator_decides_only_if_all_it_could_be_agree(plain_each):
    cases = [
        ("3.5", "<", "40", "I"),
        ("3.5", "<=", "40", "I/II"),
        ("3.4", "<=", "40", "I"),
        ("5.5", "<", "30", "II"),
        ("5.5", ">=", "", "III"),
        ("5.5", ">", "", "III"),
        ("5.4", ">", "", "II/III"),
        ("2.0", "~", "40", "I/II/III"),
    ]
    found = plain_each(
        {
            "risk": f"""usubjid    | timepoint   | b2m   | b2m_comparator | albumin
                        MYE-DE01-A | BEFORE_CART | {b2m} | {sign}         | {albumin}"""
        }
        for b2m, sign, albumin, _ in cases
    )
    assert [(*case[:3], row["ISSDP"]) for case, row in zip(cases, found, strict=True)] == cases
    assert [row["ISSD"] for row in found] == [None if "/" in case[3] else case[3] for case in cases]


R_ISS = """usubjid | timepoint | r_iss | b2m | albumin | ldh | ldh_comparator | ldh_uln | del_17p | t_4_14 | t_14_16
           MYE-DE01-A | BEFORE_CART | {} | 2 | 40 | {} | {} | 250 | N | N | N"""


def test_ldh_with_a_comparator_is_judged_against_its_limit(plain_each):
    cases = [
        ("250", "<", "I"),
        ("250", "<=", "I"),
        ("250", ">", "II"),
        ("250", ">=", "I/II"),
        ("240", ">", "I/II"),
        ("260", "<", "I/II"),
    ]
    found = plain_each({"risk": R_ISS.format("", ldh, sign)} for ldh, sign, _ in cases)
    assert [(*case[:2], row["RISSDP"]) for case, row in zip(cases, found, strict=True)] == cases


def test_a_reported_stage_stays_and_a_column_says_where_the_measurements_exclude_it(plain_each):
    cases = [
        ("I", "400", ("II", "II", "Y")),
        ("II", "400", ("II", "II", "N")),
        ("II", "", (None, "I/II", None)),
        ("III", "", (None, "I/II", "Y")),
        ("", "400", ("II", "II", None)),
    ]
    found = plain_each({"risk": R_ISS.format(stage, ldh, "")} for stage, ldh, _ in cases)
    assert [row["RISS"] for row in found] == ["I", "II", "II", "III", None]
    assert [
        (*case[:2], (row["RISSD"], row["RISSDP"], row["RISSDIF"]))
        for case, row in zip(cases, found, strict=True)
    ] == cases


def test_a_stage_is_derived_at_the_time_point_of_the_reported_one(plain):
    risk = """usubjid    | timepoint   | r_iss | b2m | albumin
              MYE-DE01-A | DIAGNOSIS   | {}    | 4.0 | 40
              MYE-DE01-A | BEFORE_CART |       | 2.0 | 30"""
    row = plain(risk=risk.format("II"))
    assert (row["RISSD"], row["RISSDTPT"], row["RISSDIF"]) == ("II", "DIAGNOSIS", "N")
    row = plain(risk=risk.format(""))
    assert (row["RISSD"], row["RISSDTPT"], row["RISSDIF"]) == ("II", "BEFORE_CART", None)


def test_inputs_of_two_time_points_are_not_put_together(plain):
    row = plain(
        risk="""usubjid    | timepoint   | b2m | albumin
                MYE-DE01-A | DIAGNOSIS   | 2.0 |
                MYE-DE01-A | BEFORE_CART |     | 40""",
    )
    assert (row["ISSD"], row["ISSDP"]) == (None, "I/II/III")


def test_a_patient_without_any_input_has_no_stage_and_every_score_is_possible(plain):
    row = plain()
    assert [row[name] for name in ("ISSD", "ISSDP", "RISSD", "RISSDP", "MYCARED")] == [None] * 5
    assert (row["MYCAREDP"], row["MYCLOW"], row["MYCHIGH"]) == ("LOW/INTERMEDIATE/HIGH", 0, 4)


MYCARE = """usubjid | timepoint | mycare | emd_before_car_t | plasma_cell_leukemia | del_17p | t_4_14 | t_14_16 | ferritin | ferritin_uln
            MYE-DE01-A | BEFORE_CART | {} | Y | N | Y | N | N | {} | {}"""
REFRACTORY = """usubjid    | drug         | exposed | refractory
                MYE-DE01-A | lenalidomide | Y       | Y"""


def test_the_reported_mycare_group_stays_and_a_column_says_where_the_factors_exclude_it(plain_each):
    found = plain_each(
        {"risk": MYCARE.format(reported, "900", "300"), "exposure": REFRACTORY}
        for reported in ("HIGH", "LOW", "")
    )
    assert [(row["MYCARE"], row["MYCARED"], row["MYCDIF"]) for row in found] == [
        ("HIGH", "HIGH", "N"),
        ("LOW", "HIGH", "Y"),
        (None, "HIGH", None),
    ]


def test_ferritin_counts_by_the_rule_of_the_study(plain_each, study_with):
    values = [("350", "300"), ("350", ""), ("450", ""), ("400", "300")]
    cases = [{"risk": MYCARE.format("", *value), "exposure": REFRACTORY} for value in values]
    scores = {
        rule: [
            (row["MYCLOW"], row["MYCHIGH"])
            for row in plain_each(cases, study_with(mycare_ferritin_rule=rule))
        ]
        for rule in ("above_uln", 400)
    }
    assert scores == {
        "above_uln": [(4, 4), (3, 4), (3, 4), (4, 4)],
        400: [(3, 3), (3, 3), (4, 4), (3, 3)],
    }


def test_ferritin_of_the_laboratory_counts_in_the_ten_days_up_to_lymphodepletion(plain_each):
    cases = [
        ("2023-01-05", (4, 4)),
        ("2022-12-26", (4, 4)),
        ("2022-12-25", (3, 4)),
        ("2023-01-06", (3, 4)),
        ("2023-01", (3, 4)),
    ]
    found = plain_each(
        {
            "infusion": """usubjid | infusion_number | product | infusion_date | lymphodepletion_date
                           MYE-DE01-A | 1 | IDE | 2023-01-10 | 2023-01-05""",
            "risk": MYCARE.format("", "", ""),
            "exposure": REFRACTORY,
            "lab": f"""usubjid    | lab_date  | test     | value | upper_limit
                       MYE-DE01-A | {sampled} | FERRITIN | 900   | 300""",
        }
        for sampled, _ in cases
    )
    assert [
        (sampled, (row["MYCLOW"], row["MYCHIGH"]))
        for (sampled, _), row in zip(cases, found, strict=True)
    ] == cases


def test_a_value_without_a_limit_gives_way_to_one_that_can_be_judged(plain):
    row = plain(
        infusion="""usubjid | infusion_number | product | infusion_date | lymphodepletion_date
                    MYE-DE01-A | 1 | IDE | 2023-01-10 | 2023-01-05""",
        risk=MYCARE.format("", "250", ""),
        exposure=REFRACTORY,
        lab="""usubjid    | lab_date   | test     | value | upper_limit
               MYE-DE01-A | 2023-01-04 | FERRITIN | 250   | 300
               MYE-DE01-A | 2023-01-01 | FERRITIN | 900   | 300""",
    )
    assert (row["MYCLOW"], row["MYCHIGH"]) == (3, 3)


def test_ferritin_at_relapse_or_diagnosis_is_not_that_at_lymphodepletion(plain_each):
    risk = """usubjid    | timepoint | ferritin | ferritin_uln
              MYE-DE01-A | {}        | 900      | 300"""
    points = ("BEFORE_CART", "UNKNOWN", "RELAPSE", "DIAGNOSIS")
    found = plain_each({"risk": risk.format(timepoint)} for timepoint in points)
    assert [row["MYCLOW"] for row in found] == [1, 1, 0, 0]


def test_refractory_to_no_imid_is_not_refractory_to_lenalidomide_but_to_some_imid_leaves_it_open(
    plain,
):
    exposure = """usubjid    | drug | exposed | refractory
                  MYE-DE01-A | IMID | Y       | {}"""
    assert plain(exposure=exposure.format("N"))["LENREFL"] == "N"
    assert plain(exposure=exposure.format("Y"))["LENREFL"] is None
