"""Dates of approval that stand in rules and in the demo are those of the vocabulary."""

from __future__ import annotations

import csv
import datetime as dt
import re
from pathlib import Path

import pytest

from demo.dates import APPROVED, APPROVED_SALVAGE
from schemas.rules import load_rules

VOCABULARY = Path(__file__).parents[2] / "schemas" / "vocabularies" / "approval_dates.csv"
DRUGS = {"IDE": "idecabtagene_vicleucel", "CILTA": "ciltacabtagene_autoleucel"}
REGIONS = {"US": "US", "CH": "CH", "DE": "EU", "ES": "EU", "FR": "EU", "AT": "EU", "IT": "EU"}


def first_approvals() -> dict[tuple[str, str], dt.date]:
    """Drug and region → the earliest day of approval that is known to the day."""
    found: dict[tuple[str, str], dt.date] = {}
    with VOCABULARY.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if len(row["date_iso_maybe_partial"]) == 10:
                day = dt.date.fromisoformat(row["date_iso_maybe_partial"])
                key = row["drug_id"], row["region"]
                found[key] = min(day, found.get(key, day))
    return found


def declared(rule_id: str) -> dict[tuple[str, str], dt.date]:
    """Drug and country → the day in the rule's checks."""
    rule = next(rule for rule in load_rules() if rule.id == rule_id)
    found = {}
    for check in rule.checks:
        applies = check.applies or ""
        code = re.search(r"product = '(\w+)'", applies)
        named = re.search(r"\|\]\)(\w+)\(\[", applies)
        drug = DRUGS[code[1]] if code else named[1] if named else ""
        day = dt.date.fromisoformat(re.findall(r"DATE '([\d-]+)'", check.clauses[0].fails)[0])
        for country in re.findall(r"'([A-Z]{2})'", applies.partition("country")[2]):
            found[drug, country] = day
    return found


@pytest.mark.parametrize(
    ("rule_id", "drugs"),
    [("ELG-05", tuple(DRUGS.values())), ("ELG-06", ("talquetamab", "teclistamab"))],
)
def test_a_rule_holds_the_first_approval_of_each_drug_in_each_country(
    rule_id: str, drugs: tuple[str, ...]
) -> None:
    known = first_approvals()
    wanted = {
        (drug, country): known[drug, region]
        for drug in drugs
        for country, region in REGIONS.items()
    }
    assert declared(rule_id) == wanted


def test_the_first_approval_of_all_is_the_one_that_shifted_dates_are_told_by() -> None:
    rule = next(rule for rule in load_rules() if rule.id == "DAT-32")
    first = min(day for (drug, _), day in first_approvals().items() if drug in DRUGS.values())
    assert re.findall(r"DATE '([\d-]+)'", rule.checks[0].clauses[0].fails) == [first.isoformat()]


def test_the_demo_holds_the_same_days() -> None:
    known = first_approvals()
    for (product, country), day in APPROVED.items():
        assert day == known[DRUGS[product], REGIONS[country]]
    for (drug, country), day in APPROVED_SALVAGE.items():
        assert day == known[drug, REGIONS[country]]
