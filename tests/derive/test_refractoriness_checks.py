"""Exposure, and where the center's ticks differ from its drugs."""

from collections.abc import Mapping

PENTA = ("lenalidomide", "pomalidomide", "bortezomib", "carfilzomib", "daratumumab")


def exposure(drugs: Mapping[str, str]) -> dict[str, str]:
    """One row per drug; `YN` is exposed and not refractory, `?` is not known."""
    lines = ["usubjid | drug | exposed | refractory"]
    for drug, cell in drugs.items():
        exposed, refractory = cell.replace("?", " ")
        lines.append(f"MYE-DE01-A | {drug} | {exposed} | {refractory}")
    return {"exposure": "\n".join(lines)}


def all_five(cell: str, **others: str) -> dict[str, str]:
    return dict.fromkeys(PENTA, cell) | others


def test_triple_class_and_penta_exposure_come_from_drugs_then_classes_then_composites(plain_each):
    cases = [
        (all_five("YN"), "Y", "Y"),
        (all_five("YY"), "Y", "Y"),
        # What is refractory was given, whether or not the center says so.
        (all_five("?Y"), "Y", "Y"),
        (all_five("??"), None, None),
        (dict.fromkeys(PENTA[::2], "YN"), "Y", "N"),
        (all_five("YN", daratumumab="N?"), "N", "N"),
        (all_five("YN", daratumumab="??"), None, None),
        ({"IMID": "YN", "PI": "YN", "CD38": "YN"}, "Y", None),
        ({"TRIPLE": "Y?"}, "Y", None),
        ({"PENTA": "YY"}, "Y", "Y"),
        ({"IMID": "N?"}, "N", "N"),
    ]
    found = plain_each(exposure(drugs) for drugs, _, _ in cases)
    assert [
        (drugs, row["TRPEXPFL"], row["PNTEXPFL"])
        for (drugs, _, _), row in zip(cases, found, strict=True)
    ] == cases


def test_exposed_and_not_refractory_is_not_refractory(plain):
    row = plain(**exposure(all_five("YN")))
    assert (row["TRIPLFL"], row["PENTAFL"]) == ("N", "N")


def test_a_ticked_composite_is_compared_with_what_the_drugs_give(plain_each):
    cases = [
        (all_five("YY", TRIPLE="YY", PENTA="YY"), "N", "N"),
        (all_five("YY", TRIPLE="YN", PENTA="YN"), "Y", "Y"),
        (all_five("YY", TRIPLE="Y?", PENTA="??"), None, None),
        (all_five("YY"), None, None),
    ]
    found = plain_each(exposure(drugs) for drugs, _, _ in cases)
    assert [(row["TRIPLFL"], row["PENTAFL"]) for row in found] == [("Y", "Y")] * len(cases)
    assert [
        (drugs, row["TRIPLDIF"], row["PENTADIF"])
        for (drugs, _, _), row in zip(cases, found, strict=True)
    ] == cases


def test_a_composite_that_no_drug_can_be_held_against_does_not_differ(plain):
    row = plain(**exposure({"TRIPLE": "YY", "PENTA": "YN"}))
    assert (row["TRIPLDIF"], row["PENTADIF"]) == (None, None)


def test_the_tick_of_a_class_is_compared_with_its_drugs(plain_each):
    cases = [
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
    ]
    found = plain_each(exposure(drugs) for drugs, _ in cases)
    assert [(drugs, row["CLASSDIF"]) for (drugs, _), row in zip(cases, found, strict=True)] == cases
