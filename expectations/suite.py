"""The suites as data: `suite.yaml` and the SQL files that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
STOP, WARN = "stop", "warn"
SEVERITIES = {STOP: "critical", WARN: "warning"}  # as Great Expectations names them
SUITES = ("center", "study")  # about single centers; across tables and centers


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation: its type as Great Expectations names it, its arguments, and `stop` or `warn`."""

    type: str
    arguments: Mapping[str, Any]
    severity: str


@dataclass(frozen=True, slots=True)
class Check:
    """One frame that DuckDB computes, and what is expected of it.

    `for_each` runs the SQL once per canonical table (`table`), table with a key (`key`) or coded
    column (`coded_column`), with the names filled in; the rows are put together. `limits` are numbers
    that the SQL names in braces. `named`: columns of the frame (ids of centers, tables, rules and
    groups, names of columns and counts, never values) that the sentence of a failure quotes from the lines
    that fail.
    `acceptable`: a data manager who has looked may turn its stop into a warning, in `study.yaml`.
    `fix`: what to do about a failure; told with it.
    """

    id: str
    title: str
    sentence: str
    sql: str
    expectations: tuple[Expectation, ...]
    suite: str = "study"
    for_each: str | None = None
    named: tuple[str, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    acceptable: bool = False
    fix: str = ""

    @property
    def severity(self) -> str:
        """`stop` if one of its expectations stops."""
        return STOP if any(e.severity == STOP for e in self.expectations) else WARN

    def with_severity(self, severity: str) -> Check:
        """The check with one severity for all that it expects."""
        changed = tuple(replace(e, severity=severity) for e in self.expectations)
        return replace(self, expectations=changed)


@dataclass(frozen=True, slots=True)
class Suite:
    """All checks, in the order in which they are shown."""

    name: str
    checks: tuple[Check, ...]

    @property
    def acceptable(self) -> frozenset[str]:
        """Ids of the checks whose stop a study may turn into a warning."""
        return frozenset(check.id for check in self.checks if check.acceptable)

    def with_severity(self, ids: frozenset[str], severity: str) -> Suite:
        """The suite, in which the checks of these ids have one severity."""
        checks = tuple(c.with_severity(severity) if c.id in ids else c for c in self.checks)
        return replace(self, checks=checks)


@cache
def load_suite(path: Path = HERE / "suite.yaml") -> Suite:
    """The declared suites.

    Raises:
        ValueError: an unknown suite or severity, a missing SQL file, a limit that the SQL does not
            name, or an id that occurs twice.
    """
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    checks = tuple(_check(entry, path.parent / "sql") for entry in content["checks"])
    ids = [check.id for check in checks]
    if len(set(ids)) != len(ids):
        raise ValueError(f"{path.name}: an id occurs twice")
    return Suite(content["name"], checks)


def _check(entry: Mapping[str, Any], folder: Path) -> Check:
    expectations = tuple(_expectation(item, entry["id"]) for item in entry["expect"])
    if entry["suite"] not in SUITES:
        raise ValueError(f"{entry['id']}: suite '{entry['suite']}'; there are: {SUITES}")
    sql = (folder / entry["sql"]).read_text(encoding="utf-8")
    limits = dict(entry.get("limits", {}))
    for name in limits:
        if "{" + name + "}" not in sql:
            raise ValueError(f"{entry['id']}: {entry['sql']} does not name the limit '{name}'")
    return Check(
        entry["id"],
        entry["title"],
        entry["sentence"],
        sql,
        expectations,
        entry["suite"],
        entry.get("for_each"),
        tuple(entry.get("named", ())),
        limits,
        bool(entry.get("acceptable")),
        entry.get("fix", ""),
    )


def _expectation(item: Mapping[str, Any], check_id: str) -> Expectation:
    arguments = {key: value for key, value in item.items() if key not in {"type", "severity"}}
    severity = item.get("severity", STOP)
    if severity not in SEVERITIES:
        raise ValueError(f"{check_id}: severity '{severity}'; allowed: {', '.join(SEVERITIES)}")
    return Expectation(item["type"], arguments, severity)
