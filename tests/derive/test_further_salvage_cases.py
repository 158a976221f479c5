"""Salvage groups with their timing, worked out by hand from sections 4.3 and 4.4 of the dossier."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

with (Path(__file__).parent / "further_salvage_cases.csv").open(
    encoding="utf-8", newline=""
) as told:
    CASES = list(csv.DictReader(told))


def tables_of(case: dict[str, str]) -> dict[str, str]:
    lines = [part.split(" ") for part in case["lines"].split(" > ")]
    drawn = {
        "treatment_line": "usubjid | line_number | start_date | drugs\n"
        + "\n".join(f"MYE-DE01-A | {n} | {day} | {drugs}" for n, (day, drugs) in enumerate(lines, 1))
    }  # fmt: skip
    if case["progression"]:
        drawn["response"] = (
            "usubjid | line_number | kind | response_date | category\n"
            f"MYE-DE01-A | 1 | PROGRESSION | {case['progression']} | PD"
        )
    return drawn


def test_first_salvage_group_start_and_bridge_are_those_of_each_case(plain_each: Any) -> None:
    names = ("GRP4", "OTHSUB", "TRTSDT", "BRGSDT", "NSALV")
    rows = {row["SITEID"]: row for row in plain_each(map(tables_of, CASES))}
    found = {
        case["case"]: [str(row[name] or "") for name in names]
        for number, case in enumerate(CASES)
        if (row := rows.get(f"C{number:03}"))
    }
    assert found == {
        case["case"]: [case[n] for n in ("group", "subgroup", "start", "bridge", "salvages")]
        for case in CASES
        if case["group"]
    }
