"""Lesions, risk rows, drugs and toxicities that a check holds back leave open what they may change."""

import pytest

HELD = "usubjid | held_table | topic | value | day"
RELAPSE = """usubjid    | relapse_number | relapse_date | emd | emd_type | imaging_modality
             MYE-DE01-A | 1              | 2023-05-10   | {} | {} | PET_CT"""
LISTED = """usubjid    | site  | category     | timepoint
            MYE-DE01-A | LIVER | {} | {}"""
ELSEWHERE = "usubjid | site | category | timepoint\nMYE-DE01-B | LIVER | EXTRAOSSEOUS | RELAPSE"


def held(table, *rows):
    return "\n".join([HELD, *(f"MYE-DE01-A | {table} | {' | '.join(row)}" for row in rows)])


def test_imaging_without_a_lesion_is_a_no_until_a_lesion_is_held(plain):
    tables = {"relapse": RELAPSE.format("", ""), "lesion": ELSEWHERE}
    row = plain(**tables)
    assert (row["EMDRELFL"], row["EMDSRC"]) == ("N", "IMAGING")
    for lesion in [("RELAPSE", "EXTRAOSSEOUS", ""), ("RELAPSE", "", ""), ("", "", "")]:
        row = plain(held=held("lesion", lesion), **tables)
        assert (row["EMDRELFL"], row["EMDSRC"], row["EMDTYPE"]) == (None, "HELD", None)


@pytest.mark.parametrize(
    ("emd", "emd_type", "listed", "lesion", "expected"),
    [
        ("N", "", None, ("RELAPSE", "", ""), (None, None, "HELD")),
        ("", "NONE", None, ("RELAPSE", "", ""), (None, None, "HELD")),
        ("", "NONE", None, ("RELAPSE", "PARAOSSEOUS", ""), ("N", None, "TYPE")),
        ("", "NONE", None, ("RELAPSE", "INTRAMEDULLARY", ""), ("N", "N", "TYPE")),
        ("", "NONE", None, ("BEFORE_CART", "EXTRAOSSEOUS", ""), ("N", "N", "TYPE")),
        # A yes stays.
        ("Y", "", None, ("RELAPSE", "", ""), ("Y", None, "REPORTED")),
        ("", "EXTRA", None, ("RELAPSE", "", ""), ("Y", None, "TYPE")),
        ("", "", "EXTRAOSSEOUS", ("RELAPSE", "", ""), ("Y", None, "LESION")),
        ("", "", "PARAOSSEOUS", ("RELAPSE", "", ""), (None, "Y", "HELD")),
    ],
)
def test_a_held_lesion_at_relapse_leaves_only_a_no_open(
    plain, emd, emd_type, listed, lesion, expected
):
    tables = {"relapse": RELAPSE.format(emd, emd_type)}
    if listed:
        tables["lesion"] = LISTED.format(listed, "RELAPSE")
    row = plain(held=held("lesion", lesion), **tables)
    assert (row["EMDRELFL"], row["PARAFL"], row["EMDSRC"]) == expected


RISK = "usubjid | timepoint | r_iss | mycare | iss | del_17p | t_4_14 | t_14_16 | emd_before_car_t | plasma_cell_leukemia"


def risk(timepoint, *cells):
    return f"{RISK}\nMYE-DE01-A | {timepoint} | {' | '.join(cells)}"


ALL_NO = ("II", "LOW", "II", "N", "N", "N", "N", "N")
ALL_YES = ("III", "HIGH", "III", "Y", "N", "N", "Y", "Y")
COLUMNS = ("RISS", "MYCARE", "ISS", "HRCYTO", "EMDBLFL", "PCLFL")


@pytest.mark.parametrize(
    ("known_at", "cells", "held_at", "expected"),
    [
        ("DIAGNOSIS", ALL_NO, None, ("II", "LOW", "II", "N", "N", "N")),
        # The row before CAR-T would have decided.
        ("DIAGNOSIS", ALL_NO, "BEFORE_CART", (None, None, None, None, None, None)),
        ("DIAGNOSIS", ALL_NO, "", (None, None, None, None, None, None)),
        # What was found once stays found.
        ("DIAGNOSIS", ALL_YES, "BEFORE_CART", (None, None, None, "Y", None, "Y")),
        # The row before CAR-T decides the stage; an abnormality counts from any time point up to it.
        ("BEFORE_CART", ALL_NO, "DIAGNOSIS", ("II", "LOW", "II", None, "N", None)),
        ("BEFORE_CART", ALL_NO, "RELAPSE", ("II", "LOW", "II", "N", "N", "N")),
    ],
)
def test_a_held_risk_row_leaves_open_what_it_would_have_decided(
    plain, known_at, cells, held_at, expected
):
    row = plain(
        risk=risk(known_at, *cells),
        held="" if held_at is None else held("risk", (held_at, "", "")),
    )
    assert tuple(row[column] for column in COLUMNS) == expected


def test_raised_ferritin_is_unknown_while_the_risk_row_before_car_t_is_held(plain):
    known = """usubjid    | timepoint | ferritin | ferritin_uln
               MYE-DE01-A | UNKNOWN   | 900      | 300"""
    assert plain(risk=known)["MYCLOW"] == 1
    assert plain(risk=known, held=held("risk", ("BEFORE_CART", "", "")))["MYCLOW"] == 0


EXPOSURE = """usubjid    | drug         | exposed | refractory
              MYE-DE01-A | lenalidomide | Y       | Y
              MYE-DE01-A | bortezomib   | Y       | Y
              MYE-DE01-A | carfilzomib  | Y       | Y
              MYE-DE01-A | daratumumab  | Y       | Y"""


@pytest.mark.parametrize("drug", ["pomalidomide", ""])
def test_a_drug_whose_row_is_held_is_not_one_that_was_never_given(plain, drug):
    row = plain(exposure=EXPOSURE)
    assert (row["TRIPLFL"], row["PENTAFL"]) == ("Y", "N")
    row = plain(exposure=EXPOSURE, held=held("exposure", (drug, "", "")))
    assert (row["TRIPLFL"], row["PENTAFL"]) == ("Y", None)


TOXICITY = """usubjid    | kind  | grade | scale     | onset_date
              MYE-DE01-A | CRS   | 1     | ASTCT2019 | 2023-01-12
              MYE-DE01-A | ICANS | 1     | ASTCT2019 | 2023-01-14
              MYE-DE01-A | CRS   | 2     | ASTCT2019 | 2023-06-03"""


@pytest.mark.parametrize(
    ("kind", "day", "expected"),
    [
        ("ICANS", "2023-01-15", (1, None, 2)),
        ("CRS", "2023-01-15", (None, 1, 2)),
        ("CRS", "2023-06-05", (1, 1, None)),
        ("CRS", "2023-06", (1, 1, None)),
        ("CRS", "", (None, 1, None)),
        ("", "2023-01-15", (None, None, 2)),
    ],
)
def test_a_held_toxicity_leaves_the_highest_grade_of_its_part_open(
    derived, rows, kind, day, expected
):
    con = derived(toxicity=TOXICITY, held=held("toxicity", (kind, "1", day)))
    [row] = rows(con, "adsl")
    assert (row["CRSGR"], row["ICANSGR"], row["CRSSLVGR"]) == expected
    assert (row["CRSSRC"] == "HELD", row["ICANSSRC"] == "HELD") == (
        expected[0] is None,
        expected[1] is None,
    )
    marked = {(r["PARAMCD"], r["PERIOD"]) for r in rows(con, "adtox", "HELDFL = 'Y'")}
    columns = {("CRS", "INFUSION"): 0, ("ICANS", "INFUSION"): 1, ("CRS", "SALVAGE"): 2}
    assert marked == {key for key, place in columns.items() if expected[place] is None}


def test_a_held_toxicity_alone_is_told(plain):
    assert plain()["CRSSRC"] is None
    row = plain(held=held("toxicity", ("CRS", "2", "2023-01-15")))
    assert (row["CRSGR"], row["CRSSRC"]) == (None, "HELD")
