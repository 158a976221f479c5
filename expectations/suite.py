"""The suite as data: `suite.yaml` and the SQL files that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
SEVERITIES = ("critical", "warning")


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation: its type as Great Expectations names it, and its arguments."""

    type: str
    arguments: Mapping[str, Any]
    severity: str


@dataclass(frozen=True, slots=True)
class Check:
    """One frame that DuckDB computes, and what is expected of it.

    `for_each` runs the SQL once per canonical table (`table`), table with a key (`key`) or coded
    column (`coded_column`), with the names filled in; the rows are put together. `named`: columns of the frame (ids of centers
    and rules, never values) that the sentence of a failure quotes from the lines that fail.
    """

    id: str
    title: str
    sentence: str
    sql: str
    expectations: tuple[Expectation, ...]
    for_each: str | None = None
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suite:
    """All checks, in the order in which they are shown."""

    name: str
    checks: tuple[Check, ...]


@cache
def load_suite(path: Path = HERE / "suite.yaml") -> Suite:
    """The declared suite.

    Raises:
        ValueError: an unknown key or severity, a missing SQL file, or an id that occurs twice.
    """
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    checks = tuple(_check(entry, path.parent / "sql") for entry in content["checks"])
    ids = [check.id for check in checks]
    if len(set(ids)) != len(ids):
        raise ValueError(f"{path.name}: an id occurs twice")
    return Suite(content["name"], checks)


def _check(entry: Mapping[str, Any], folder: Path) -> Check:
    expectations = tuple(_expectation(item, entry["id"]) for item in entry["expect"])
    sql = (folder / entry["sql"]).read_text(encoding="utf-8")
    return Check(
        entry["id"],
        entry["title"],
        entry["sentence"],
        sql,
        expectations,
        entry.get("for_each"),
        tuple(entry.get("named", ())),
    )


def _expectation(item: Mapping[str, Any], check_id: str) -> Expectation:
    arguments = {key: value for key, value in item.items() if key not in {"type", "severity"}}
    severity = item.get("severity", "critical")
    if severity not in SEVERITIES:
        raise ValueError(f"{check_id}: severity '{severity}'; allowed: {', '.join(SEVERITIES)}")
    return Expectation(item["type"], arguments, severity)
