"""The compiled checks of the catalog as objects that a run can evaluate."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

from schemas.catalog import Catalog

# Here only an unreadable value of a required column holds the row back: losing a patient for an
# optional field is worse than an empty field.
SPARED_TABLES = ("subject", "infusion", "relapse", "treatment_line", "follow_up")


@dataclass(frozen=True, slots=True)
class PlannedCheck:
    """One check as it was compiled; meaning of the attributes as in `rule_checks.TableCheck`."""

    number: int
    rule: str
    table: str
    severity: str
    disposition: str
    scope: str
    fields: tuple[tuple[str, str], ...]
    message: str
    expr: pl.Expr | None
    reads: tuple[str, ...]
    latest: tuple[str, ...]
    contexts: Mapping[str, tuple[str, ...]]
    derived: tuple[str, ...]
    about: str | None
    applies: pl.Expr | None
    own_scope: pl.Expr | None
    references: str | None
    unique: tuple[str, ...]
    same: tuple[str, ...]
    late: bool
    partial: tuple[tuple[str, str], ...]
    facts: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the check's column of results."""
        return _name(self.number)

    @property
    def own_columns(self) -> frozenset[str]:
        """Own columns whose value, if it was not understood, leaves nothing to judge."""
        return frozenset(self.reads) | {column for owner, column in self.fields if not owner}

    @property
    def by_row(self) -> bool:
        """Whether the check is one expression over a row and its contexts."""
        return self.expr is not None


@dataclass(frozen=True, slots=True)
class PlannedContext:
    """One context as it was compiled; meaning of the attributes as in `rules.Context`."""

    name: str
    table: str
    by: tuple[str, ...]
    where: pl.Expr | None
    within: tuple[str, ...]
    order: tuple[str, ...]
    shift: int
    first: str | None
    uses: tuple[str, ...]
    aggregate: Mapping[str, pl.Expr]
    offset: Mapping[str, int]
    sound: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """All rules, contexts and checks of a catalog."""

    rules: Mapping[str, Mapping[str, Any]]
    contexts: Mapping[str, PlannedContext]
    checks: tuple[PlannedCheck, ...]
    by_table: Mapping[str, list[PlannedCheck]]
    by_rule: Mapping[str, Mapping[str, list[PlannedCheck]]]  # rule → table it reports on → checks
    context_columns: Mapping[str, frozenset[str]]
    same_rows: Mapping[str, str]  # context → the first one that looks at the same rows
    told: pl.DataFrame

    def of_table(self, table: str) -> list[PlannedCheck]:
        """The checks of one table, in the order of the rules."""
        return self.by_table.get(table, [])


def plan_of(catalog: Catalog) -> Plan:
    """The plan of a catalog; made once per catalog and process."""
    _CATALOGS[catalog.fingerprint] = catalog
    return _plan(catalog.fingerprint)


_CATALOGS: dict[str, Catalog] = {}


@cache
def _plan(fingerprint: str) -> Plan:
    compiled = _CATALOGS[fingerprint].compiled
    checks = tuple(_check(number, entry) for number, entry in enumerate(compiled["checks"]))
    by_table: dict[str, list[PlannedCheck]] = {}
    by_rule: dict[str, dict[str, list[PlannedCheck]]] = {}
    columns: dict[str, set[str]] = {}
    contexts = {name: _context(entry) for name, entry in compiled["contexts"].items()}
    for check in checks:
        by_table.setdefault(check.table, []).append(check)
        reported = by_rule.setdefault(check.rule, {})
        reported.setdefault(check.about or check.table, []).append(check)
        for name, names in check.contexts.items():
            columns.setdefault(name, set()).update(names)
    for context in contexts.values():
        for name in context.within:
            owner, dot, column = name.partition(".")
            if dot:
                columns.setdefault(owner, set()).add(column)
    return Plan(
        {rule["id"]: rule for rule in compiled["rules"]},
        contexts,
        checks,
        by_table,
        by_rule,
        {name: frozenset(names) for name, names in columns.items()},
        _same_rows(compiled["contexts"]),
        _told(compiled["rules"]),
    )


def _same_rows(contexts: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Contexts that look at the same rows of a table, by the name of the first of them."""
    first: dict[tuple[Any, ...], str] = {}
    return {
        name: first.setdefault(
            (entry["table"], entry["where"], entry["sound"], *sorted(entry["offset"].items())), name
        )
        for name, entry in contexts.items()
    }


def _told(rules: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """rule_id, disposition for an error, scope and query of every rule."""
    keys = ("id", "severity", "disposition", "scope", "query")
    rows = [tuple(rule[key] for key in keys) for rule in rules]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(keys, pl.String()), orient="row")
    return frame.select(
        rule_id="id",
        rule_disposition=pl.when(pl.col("severity") == "error")
        .then("disposition")
        .otherwise(pl.lit("quarantine")),
        scope="scope",
        query="query",
    )


def _name(number: int) -> str:
    return f"check {number}"


def _check(number: int, entry: Mapping[str, Any]) -> PlannedCheck:
    expr = _expr(entry["expr"])
    read = expr.meta.root_names() if expr is not None else []
    return PlannedCheck(
        **{
            **entry,
            "number": number,
            "expr": None if expr is None else expr.alias(_name(number)),
            "facts": tuple(sorted({name for name in read if name.startswith("delivery.")})),
            "applies": _expr(entry["applies"]),
            "own_scope": _expr(entry["own_scope"]),
            **{
                key: tuple((owner, column) for owner, column in entry[key])
                for key in ("fields", "partial")
            },
            "contexts": {name: tuple(columns) for name, columns in entry["contexts"].items()},
            **{key: tuple(entry[key]) for key in ("reads", "latest", "derived", "unique", "same")},
        }
    )


def _context(entry: Mapping[str, Any]) -> PlannedContext:
    return PlannedContext(
        **{
            **entry,
            "where": _expr(entry["where"]),
            "aggregate": {name: _required(text) for name, text in entry["aggregate"].items()},
            **{key: tuple(entry[key]) for key in ("by", "within", "order", "uses")},
        }
    )


def _expr(text: str | None) -> pl.Expr | None:
    return None if text is None else _required(text)


def _required(text: str) -> pl.Expr:
    return pl.Expr.deserialize(io.BytesIO(text.encode()), format="json")
