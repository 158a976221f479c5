"""Exposure, and where the center's ticks differ from its drugs."""

import pytest

PENTA = ("lenalidomide", "pomalidomide", "bortezomib", "carfilzomib", "daratumumab")


def exposure(**drugs: str) -> str:
    """One row per drug; `YN` is exposed and not refractory, `?` is not known."""
    lines = ["usubjid | drug | exposed | refractory"]
    for drug, cell in drugs.items():
        exposed, refractory = cell.replace("?", " ")
        lines.append(f"MYE-DE01-A | {drug} | {exposed} | {refractory}")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("drugs", "triple", "penta"),
    [
        (dict.fromkeys(PENTA, "YN"), "Y", "Y"),
        (dict.fromkeys(PENTA, "YY"), "Y", "Y"),
        # What is refractory was given, whether or not the center says so.
        (dict.fromkeys(PENTA, "?Y"), "Y", "Y"),
        (dict.fromkeys(PENTA, "??"), None, None),
        (dict.fromkeys(PENTA[::2], "YN"), "Y", "N"),
        ({**dict.fromkeys(PENTA, "YN"), "daratumumab": "N?"}, "N", "N"),
        ({**dict.fromkeys(PENTA, "YN"), "daratumumab": "??"}, None, None),
        ({"IMID": "YN", "PI": "YN", "CD38": "YN"}, "Y", None),
        ({"TRIPLE": "Y?"}, "Y", None),
        ({"PENTA": "YY"}, "Y", "Y"),
        ({"IMID": "N?"}, "N", "N"),
    ],
)
def test_triple_class_and_penta_exposure_come_from_drugs_then_classes_then_composites(
    plain, drugs, triple, penta
):
    row = plain(exposure=exposure(**drugs))
    assert (row["TRPEXPFL"], row["PNTEXPFL"]) == (triple, penta)


def test_exposed_and_not_refractory_is_not_refractory(plain):
    row = plain(exposure=exposure(**dict.fromkeys(PENTA, "YN")))
    assert (row["TRIPLFL"], row["PENTAFL"]) == ("N", "N")


@pytest.mark.parametrize(
    ("drugs", "triple", "penta"),
    [
        ({"TRIPLE": "YY", "PENTA": "YY"}, "N", "N"),
        ({"TRIPLE": "YN", "PENTA": "YN"}, "Y", "Y"),
        ({"TRIPLE": "Y?", "PENTA": "??"}, None, None),
        ({}, None, None),
    ],
)
def test_a_ticked_composite_is_compared_with_what_the_drugs_give(plain, drugs, triple, penta):
    row = plain(exposure=exposure(**dict.fromkeys(PENTA, "YY"), **drugs))
    assert (row["TRIPLFL"], row["PENTAFL"]) == ("Y", "Y")
    assert (row["TRIPLDIF"], row["PENTADIF"]) == (triple, penta)


def test_a_composite_that_no_drug_can_be_held_against_does_not_differ(plain):
    row = plain(exposure=exposure(TRIPLE="YY", PENTA="YN"))
    assert (row["TRIPLDIF"], row["PENTADIF"]) == (None, None)


@pytest.mark.parametrize(
    ("drugs", "differs"),
    [
        ({"PI": "YN", "bortezomib": "YY"}, "Y"),
        ({"PI": "YY", "bortezomib": "YY"}, "N"),
        # The proteasome inhibitor may be one that was not asked for.
        ({"PI": "YY", "bortezomib": "YN"}, None),
        ({"PI": "YY", "bortezomib": "YN", "carfilzomib": "N?", "ixazomib": "YN"}, "Y"),
        ({"PI": "YY", "bortezomib": "YN", "carfilzomib": "N?", "ixazomib": "??"}, None),
        ({"PI": "??", "bortezomib": "YY"}, None),
        ({"CD38": "YN", "daratumumab": "YY", "PI": "YY", "bortezomib": "YY"}, "Y"),
        ({"IMID": "YN", "thalidomide": "YY"}, "Y"),
        ({"bortezomib": "YY"}, None),
    ],
)
def test_the_tick_of_a_class_is_compared_with_its_drugs(plain, drugs, differs):
    assert plain(exposure=exposure(**drugs))["CLASSDIF"] == differs
