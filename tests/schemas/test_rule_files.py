"""A wrong rule file is a message that names file, rule and key."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from schemas.catalog import load_catalog, read_codelists
from schemas.rule_checks import expand
from schemas.rule_sql import columns_of, condition, conjuncts, expression, latest_day
from schemas.rules import Context, RuleError, load_contexts, load_rules

GOOD = """
- id: XXX-01
  title: Two dates
  sentence: One before the other.
  severity: error
  disposition: quarantine
  scope: row
  kahn: plausibility
  query: Which is wrong?
  checks:
    - {table: follow_up, fields: [last_contact_date], fails: last_contact_date > death_date}
"""


def load(tmp_path: Path, text: str) -> list[object]:
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    tables = load_catalog().tables
    return list(expand(load_rules(tmp_path), tables, load_contexts(), read_codelists()))


def test_a_good_rule_file_is_read(tmp_path: Path) -> None:
    assert len(load(tmp_path, GOOD)) == 1


@pytest.mark.parametrize(
    ("old", "new", "key", "told"),
    [
        ("severity: error", "severity: fatal", "severity", "'fatal' is not one of"),
        ("disposition: quarantine", "disposition: drop", "disposition", "'drop' is not one of"),
        ("scope: row", "scope: cell", "scope", "'cell' is not one of"),
        ("  query: Which is wrong?\n", "", "query", "missing"),
        ("title: Two dates", "titel: Two dates", "titel", "is unknown"),
        ("table: follow_up", "table: followup", "table", "no table 'followup'"),
        ("fields: [last_contact_date]", "fields: [last_contact]", "fields", "is no column"),
        ("fails: last_contact_date > death_date", "fails: last_contact_date > deth", "fails",
         "unknown column 'deth'"),
        ("fails: last_contact_date > death_date", "fails: last_contact_date >", "fails", ""),
        ("fails: last_contact_date > death_date", "fails: last_contact_date", "fails",
         "not true or false"),
        ("fails: last_contact_date > death_date", "fails: last_contact_date > relaps.relapse_date",
         "fields", "no table or context 'relaps'"),
        ("fails: last_contact_date > death_date", "applies: vital_status = 'DEAD'", "fails",
         "give one of"),
    ],
)  # fmt: skip
def test_a_wrong_key_is_named(tmp_path: Path, old: str, new: str, key: str, told: str) -> None:
    assert old in GOOD
    with pytest.raises(RuleError) as caught:
        load(tmp_path, GOOD.replace(old, new))
    message = str(caught.value)
    assert "own.yaml" in message
    assert "XXX-01" in message
    assert f"'{key}'" in message
    assert told in message


def test_a_rule_that_is_declared_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="declared twice"):
        load(tmp_path, GOOD + GOOD)


def test_text_that_is_no_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="near line 3"):
        load(tmp_path, "- id: X\n  title: [unclosed\n")


def test_a_rule_on_assessments_cannot_hold_whole_patients(tmp_path: Path) -> None:
    text = GOOD.replace("scope: row", "scope: patient").replace(
        "{table: follow_up, fields: [last_contact_date], fails: last_contact_date > death_date}",
        "{table: lab, fields: [value], fails: value > 5}",
    )
    with pytest.raises(RuleError, match="cannot hold whole patients"):
        load(tmp_path, text)


LINKED = "{table: follow_up, fields: [FIELD], fails: progression_of_first_line.n IS NULL}"


def test_a_rule_that_looks_at_assessments_cannot_hold_whole_patients(tmp_path: Path) -> None:
    check = LINKED.replace("FIELD", "vital_status")
    text = GOOD[: GOOD.index("{table")] + check + "\n"
    assert len(load(tmp_path, text)) == 1
    with pytest.raises(RuleError, match="cannot hold whole patients"):
        load(tmp_path, text.replace("scope: row", "scope: patient"))


def test_a_rule_on_a_small_table_cannot_name_the_cell_of_an_assessment(tmp_path: Path) -> None:
    check = LINKED.replace("FIELD", "vital_status, progression.response_date")
    with pytest.raises(RuleError, match="stands in a streaming table"):
        load(tmp_path, GOOD[: GOOD.index("{table")] + check + "\n")


def test_context_columns_and_last_days_are_read_as_columns() -> None:
    expr = expression("latest(relapse_date) <= earliest(infusion.infusion_date)")
    assert columns_of(expr) == ("infusion.infusion_date", "relapse_date@latest")


def test_names_within_text_are_left_alone() -> None:
    assert columns_of(expression("site = 'earliest(a.b)'")) == ("site",)


def test_what_does_not_apply_is_neither_kept_nor_broken() -> None:
    frame = pl.DataFrame({"a": [1, 2, None], "b": ["x", "y", "x"]})
    assert frame.select(condition("a > 1", "b = 'y'"))["a"].to_list() == [None, True, None]


@pytest.mark.parametrize(
    ("sql", "parts"),
    [
        ("a = 1 AND b.c = 2", ["a = 1", "b.c = 2"]),
        ("a BETWEEN 1 AND 2", ["a BETWEEN 1 AND 2"]),
        ("a = 1 AND b = 2 OR c = 3", ["a = 1 AND b = 2 OR c = 3"]),
        ("(a = 1 AND b = 2) AND c = 3", ["(a = 1 AND b = 2) AND c = 3"]),
        ("a = 'x AND y'", ["a = 'x AND y'"]),
        ("CASE WHEN a = 1 AND b = 2 THEN TRUE END", ["CASE WHEN a = 1 AND b = 2 THEN TRUE END"]),
    ],
)
def test_a_condition_is_cut_at_and_only_where_its_parts_are_plain(
    sql: str, parts: list[str]
) -> None:
    assert conjuncts(sql) == parts


def test_the_last_day_of_a_partial_date() -> None:
    frame = pl.DataFrame(
        {
            "d": ["2024-02-01", "2023-02-01", "2023-01-01", "2023-05-17", None],
            "d_precision": ["month", "month", "year", "day", None],
        }
    ).with_columns(pl.col("d").str.to_date())
    last = frame.select(latest_day("d"))["d@latest"].cast(pl.String).to_list()
    assert last == ["2024-02-29", "2023-02-28", "2023-12-31", "2023-05-17", None]


def test_every_context_is_used_and_every_used_one_exists() -> None:
    contexts = load_contexts()
    assert all(isinstance(context, Context) for context in contexts.values())
    tables = load_catalog().tables
    checks = expand(load_rules(), tables, contexts, read_codelists())
    used = {owner for check in checks for owner in check.contexts}
    used.update(owner for name in used & set(contexts) for owner in contexts[name].uses)
    assert used == set(contexts)
