"""Response categories."""

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.query_notes import Notes
from transforms.harmonize.values import match_key, parse_responses

SYNONYMS = Path(__file__).parents[2] / "schemas" / "vocabularies" / "response_synonyms.csv"
ROWS = list(csv.DictReader(SYNONYMS.open(encoding="utf-8", newline="")))
DEPTH = {"sCR": 7, "CR": 6, "VGPR": 5, "PR": 4, "MR": 3, "SD": 2, "PD": 1}


def read(text: str, **more: object) -> tuple[object, ...]:
    frame = parse_responses([text], **more)  # type: ignore[arg-type]
    return frame.select("code", "progression", "status", "rule_id").row(0)


@pytest.mark.parametrize("row", ROWS, ids=[row["raw_example"] for row in ROWS])
def test_every_synonym_becomes_its_canonical_category(row: dict[str, str]) -> None:
    found = parse_responses([row["raw_example"]]).row(0, named=True)
    if row["requires_codebook"] != "N" or row["action"] == "query":
        assert (found["code"], found["status"], found["rule_id"]) == (None, "error", "RSP-01")
    elif row["canonical"] == "MISSING":
        assert (found["code"], found["status"]) == (None, "missing")
    else:
        assert found["code"] == row["canonical"]
        told = ("warning", "RSP-01") if row["action"] == "map_warn" else ("ok", None)
        assert (found["status"], found["rule_id"]) == told
        assert found["progression"] is False
        assert found["confirmed"] == ("N" if "CONFFL=N" in row["note"] else None)
        mrd = {"NEG": "NEGATIVE", "POS": "POSITIVE"}.get(row["mrd_hint"][:3])
        assert found["mrd"] == mrd


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if row["requires_codebook"].startswith("oBDS")],
    ids=lambda row: row["raw_example"],
)
def test_the_registrys_letters_are_mapped_where_the_center_uses_its_list(
    row: dict[str, str],
) -> None:
    found = parse_responses([row["raw_example"]], codebook="oBDS").row(0, named=True)
    mapped = row["action"] == "map" and row["canonical"] != "MISSING"
    assert found["code"] == (row["canonical"] if mapped else None)
    assert found["status"] == (
        "ok" if mapped else "missing" if row["canonical"] == "MISSING" else "error"
    )


def test_digits_are_mapped_by_the_centers_codebook_only() -> None:
    assert read("1") == (None, None, "error", "RSP-01")
    book = {"1": "sCR", "2": "CR", "9": None, "8": "NE"}
    frame = parse_responses(["1", "2", "9", "8", "3"], codebook=book)
    assert frame["code"].to_list() == ["sCR", "CR", None, "NE", None]
    assert frame["status"].to_list() == ["ok", "ok", "missing", "ok", "error"]


@pytest.mark.parametrize("value", ["PD", "SD", "MP", "RM", "EE", "RP", "NR"])
def test_homonyms_are_no_response_in_a_regimen_column(value: str) -> None:
    assert read(value, column_type="regimen") == (None, None, "error", "RSP-01")
    assert read(value)[0] in ("PD", "SD", "MR", "PR", "LTPR")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("sCR/VGPR", "VGPR"),
        ("CR / VGPR", "VGPR"),
        ("VGPR oder PR", "PR"),
        ("MBRP/RP", "PR"),
        ("VGPR–PR", "PR"),
        ("MR/PD", "PD"),
        ("stable disease/progression", "PD"),
    ],
)
def test_two_categories_on_one_side_of_partial_response_give_the_lower(
    text: str, code: str
) -> None:
    assert read(text) == (code, False, "warning", "RSP-01")


@pytest.mark.parametrize(
    "text", ["PR/SD", "VGPR/MR", "CR/PD", "SD or PR", "RP/EE", "partial response/stable disease"]
)
def test_two_categories_on_both_sides_are_an_error(text: str) -> None:
    assert read(text) == (None, None, "error", "RSP-01")


@pytest.mark.parametrize(
    "text",
    [
        "PR->PD",
        "PR → PD",
        "PR => PD",
        "PR, dann PD",
        "PR then PD",
        "RP luego EP",
        "RP puis MP",
        "PR; PD",
        "best PR; PD",
        "PR > PD",
    ],
)
def test_a_response_and_the_progression_after_it_are_both_kept(text: str) -> None:
    assert read(text) == ("PR", True, "warning", "RSP-01")


def test_the_best_of_several_responses_before_the_progression_is_kept() -> None:
    assert read("PR -> VGPR -> PD") == ("VGPR", True, "warning", "RSP-01")
    assert read("PR -> VGPR") == (None, None, "error", "RSP-01")
    assert read("PD -> PR") == (None, None, "error", "RSP-01")


@pytest.mark.parametrize(
    ("text", "code", "status"),
    [
        ("very good partial response (VGPR)", "VGPR", "ok"),
        ("PR (partial response)", "PR", "ok"),
        ("CR (bestätigt)", "CR", "ok"),
        ("VGPR (unbestätigt)", "VGPR", "warning"),
        ("PR?", "PR", "warning"),
        ("PR*", "PR", "warning"),
        ("VGPR (-95 %)", "VGPR", "warning"),
        (">= CR", "CR", "warning"),
        ("mindestens VGPR", "VGPR", "warning"),
        ("VGPR oder besser", "VGPR", "warning"),
        ("less than partial response", "LTPR", "warning"),
        ("menos de RP", "LTPR", "warning"),
        ("Best response: VGPR", "VGPR", "ok"),
    ],
)
def test_what_stands_beside_a_category_is_understood(text: str, code: str, status: str) -> None:
    assert read(text) == (code, False, status, "RSP-01" if status == "warning" else None)


def test_the_code_of_less_than_partial_response_is_understood() -> None:
    assert read("LTPR") == ("LTPR", False, "ok", None)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("CR/VGPR", "two categories, the lower one is taken; it is read as VGPR"),
        ("MR/PD", "two categories, the lower one is taken; it is read as PD"),
        ("nCR", "near complete response is no category of IMWG 2016; it is read as VGPR"),
        ("mCR", "a spelling that is not sure; it is read as sCR"),
        ("CR?", "marked as unconfirmed; it is read as CR"),
        ("NR", "less than partial response, the category is not known; it is read as LTPR"),
        ("Tod", "death is no response and belongs in the follow-up; it is read as NE"),
        (">=PR", "a lower bound; it is read as PR"),
        (
            "VGPR → PD",
            "response and progression in one cell, please give the progression a row and a date of its own; "
            "it is read as VGPR",
        ),
    ],
)
def test_what_is_read_with_doubt_is_asked_about_in_every_language(text: str, note: str) -> None:
    assert parse_responses([text])["note"].to_list() == [note]
    for language in ("de", "es"):
        assert Notes(language)(note) != note


def test_mrd_beside_a_response_is_kept() -> None:
    frame = parse_responses(["CR (MRD neg.)", "sCR MRD-negativ", "CR, MRD pos", "VGPR"])
    assert frame["code"].to_list() == ["CR", "sCR", "CR", "VGPR"]
    assert frame["mrd"].to_list() == ["NEGATIVE", "NEGATIVE", "POSITIVE", None]


@pytest.mark.parametrize(
    "text",
    [
        "PD (unbestätigt)",
        "PD ?",
        "suspected progression",
        "<VGPR",
        "no CR",
        "gut",
        "PR 12.03.2023",
        "PR (SD)",
    ],
)
def test_what_could_be_read_in_two_ways_is_an_error(text: str) -> None:
    assert read(text) == (None, None, "error", "RSP-01")


def test_an_abbreviation_of_another_language_gets_a_remark() -> None:
    assert read("RC", language="es") == ("CR", False, "ok", None)
    assert read("RC", language="fr") == ("CR", False, "ok", None)
    assert read("RC", language="en") == ("CR", False, "warning", None)


@given(
    st.sampled_from(sorted(DEPTH)),
    st.sampled_from(sorted(DEPTH)),
    st.sampled_from(["/", " / ", " or ", " oder "]),
)
@settings(deadline=None)
def test_any_pair_is_the_lower_or_an_error(one: str, other: str, between: str) -> None:
    code, _, status, _ = read(one + between + other)
    if (DEPTH[one] >= 4) != (DEPTH[other] >= 4):
        assert (code, status) == (None, "error")
    else:
        assert code == min(one, other, key=lambda name: DEPTH[name])


@given(st.lists(st.text(max_size=20), max_size=5))
@settings(deadline=None, max_examples=200)
def test_any_text_gives_a_verdict(values: list[str]) -> None:
    frame = parse_responses(values)
    assert frame["value"].to_list() == values
    assert frame.filter((frame["status"] == "error") & frame["code"].is_not_null()).height == 0
    assert (
        frame.filter(frame["status"].is_in(["ok", "warning"]) & frame["code"].is_null()).height == 0
    )


def test_further_spellings_never_overrule_the_domain_file() -> None:
    further = list(
        csv.DictReader(
            (SYNONYMS.parent / "response_further.csv").open(encoding="utf-8", newline="")
        )
    )
    known = {row["key"] for row in ROWS}
    assert not {match_key(row["spelling"]) for row in further} & known
    for row in further:
        found = parse_responses([row["spelling"]]).row(0, named=True)
        assert found["code"] == (None if row["action"] == "query" else row["canonical"]), row
        assert (
            found["status"] == {"map": "ok", "map_warn": "warning", "query": "error"}[row["action"]]
        )


def test_mrd_in_spanish_and_names_said_twice() -> None:
    assert parse_responses(["RC EMR negativa"]).select("code", "mrd").row(0) == ("CR", "NEGATIVE")
    assert read("PR = partial response") == ("PR", False, "ok", None)
    assert read("PR: stable disease") == (None, None, "error", "RSP-01")
