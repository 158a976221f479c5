"""ECOG as centers write it: a Karnofsky value is converted and asked about, a grade with a letter is none."""

from __future__ import annotations

import pytest

from transforms.harmonize.distinct import reader_of
from transforms.harmonize.values import NumberFormat
from transforms.harmonize.verdicts import Form

Judged = tuple[int | None, str | None, str | None]


def read(text: str, parser: str = "ecog", rule: str = "STG-11") -> Judged:
    form = Form(parser, numbers=NumberFormat(as_integer=True, rule_id=rule))
    (verdict,) = reader_of(form).verdicts([text])
    return verdict.values[0], verdict.severity, verdict.rule_id


@pytest.mark.parametrize(
    ("karnofsky", "ecog"),
    [(100, 0), (90, 1), (80, 1), (70, 2), (60, 2), (50, 3), (40, 3), (30, 4), (20, 4), (10, 4)],
)
@pytest.mark.parametrize("written", ["{}", "ECOG {}", "KPS {}", "Karnofsky: {} %", "{}%"])
def test_a_karnofsky_value_becomes_the_ecog_that_it_means_with_a_question(
    karnofsky: int, ecog: int, written: str
) -> None:
    assert read(written.format(karnofsky)) == (ecog, "warning", "STG-11")


@pytest.mark.parametrize(("text", "ecog"), [("0", 0), ("ECOG 2", 2), ("III", 3), ("5", 5)])
def test_ecog_itself_stays_as_it_is(text: str, ecog: int) -> None:
    assert read(text) == (ecog, None, None)


@pytest.mark.parametrize("text", ["KPS 55", "Karnofsky 3", "1a", "0-1", "2+"])
def test_what_is_neither_scale_is_asked_about_and_gives_no_ecog(text: str) -> None:
    value, severity, _ = read(text)
    assert (value, severity) == (None, "error")


def test_a_number_of_no_scale_is_left_to_the_rule() -> None:
    assert read("55") == (55, None, None)


@pytest.mark.parametrize("text", ["2a", "3a", "2 A", "2b", "4H", "2a."])
def test_a_grade_with_a_letter_is_no_whole_number(text: str) -> None:
    assert read(text, "integer", "TOX-01") == (None, "error", "TOX-01")


@pytest.mark.parametrize(
    ("text", "age"), [("61 a", 61), ("61a", 61), ("61 a.", 61), ("61 años", 61)]
)
def test_years_after_an_age_are_understood(text: str, age: int) -> None:
    assert read(text, "integer", "STR-06") == (age, None, None)
