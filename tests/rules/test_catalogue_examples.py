"""Every example of a violation in the catalogue is a case that is run, or the page of rules says why not.

`catalogue_examples.csv` names, per rule, the file of the case (test_rule_cases.py runs it) or the test
that holds the example; where it names neither, `rules/limits.yaml` tells why the example breaks nothing.
"""

from __future__ import annotations

import ast
import csv
from pathlib import Path

import pytest

from schemas.rules_apart import load_elsewhere, load_limits
from schemas.rules_docs import page

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]


def read(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


EXAMPLES = read("catalogue_examples.csv")


def test_every_rule_of_the_catalogue_has_its_example_once() -> None:
    listed = [row["rule_id"] for row in EXAMPLES]
    assert sorted(listed) == sorted(row["rule_id"] for row in read("catalogue_rules.csv"))
    assert all(row["example"] for row in EXAMPLES)


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: row["rule_id"])
def test_an_example_stands_in_a_case_or_a_test_or_its_limit_is_told(row: dict[str, str]) -> None:
    rule, place = row["rule_id"], row["stands_in"]
    path, _, name = place.partition("::")
    if not place:
        assert rule in {limit.id for limit in load_limits()}
    elif not name:
        assert Path(path).parent == Path("tests/rules") / rule / "positive"
        assert (ROOT / path).is_file()
    else:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_rules_held_at_another_place_have_their_example_in_a_test_of_that_place() -> None:
    places = {row["rule_id"]: row["stands_in"] for row in EXAMPLES}
    for rule in load_elsewhere():
        name = places[rule.id].partition("::")[2]
        assert name.startswith(f"test_{rule.id.lower().replace('-', '_')}_"), rule.id


def test_the_page_of_rules_tells_every_limit() -> None:
    text = page()
    for limit in load_limits():
        assert limit.limit in text, limit.id
