"""The match key."""

import csv
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.harmonize.values import match_key

SYNONYMS = Path(__file__).parents[2] / "schemas" / "vocabularies" / "response_synonyms.csv"


def test_the_key_is_the_one_that_the_domain_file_gives_for_every_spelling() -> None:
    rows = list(csv.DictReader(SYNONYMS.open(encoding="utf-8", newline="")))
    assert len(rows) == 373
    assert [match_key(row["raw_example"]) for row in rows] == [row["key"] for row in rows]


def test_case_accents_dashes_and_blanks_do_not_matter() -> None:
    assert match_key("  Très\u00a0bonne  réponse partielle ") == "tres bonne reponse partielle"
    assert match_key("t(4;14)\u2009\u2013\u2009pos") == "t(4;14) - pos"
    assert match_key("≥ VGPR") == match_key(">=VGPR").replace(">=", ">= ")
    assert match_key("STRASSE") == match_key("Straße")
    assert match_key("10 µg") == match_key("10 μg")
    assert match_key("PR\u200b") == "pr"


def test_signs_that_mean_something_stay() -> None:
    assert match_key("CR?") == "cr?"
    assert match_key("MRD-") == "mrd-"
    assert match_key("VGPR+") == "vgpr+"
    assert match_key("k.A.") == "k.a"


@given(st.text(max_size=40))
@settings(deadline=None, max_examples=400)
def test_the_key_of_a_key_is_the_key(text: str) -> None:
    assert match_key(match_key(text)) == match_key(text)
