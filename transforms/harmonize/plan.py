"""From a spec and a delivery to a plan: which headers fill which columns, before anything loads."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.catalog import Catalog, Column, Table
from schemas.delivery import Delivery
from schemas.spec import Block, CenterSpec, ColumnRule, Join
from transforms.harmonize.headers import check_headers
from transforms.harmonize.privacy_withdrawn import Withdrawn
from transforms.harmonize.refusals import export_day, refuse_shared_emd
from transforms.harmonize.sources import BATCH_ROWS, OpenSource, nfc, open_sources

Words = Mapping[str, str]
NO_WORDS: Words = {}
_SHIFTED = "the dates are shifted on purpose: rules on days of the calendar do not apply"


def fill(text: str, words: Words) -> str:
    """The text with {name} replaced by the binding's words; other braces stay."""
    for name, word in words.items():
        text = text.replace("{" + name + "}", word)
    return nfc(text)


@dataclass(frozen=True)
class ColumnPlan:
    """A canonical column and its rule."""

    column: Column
    rule: ColumnRule
    parser: str


@dataclass(frozen=True)
class BlockPlan:
    """A mapping block: its table, columns and the bindings of its repeat."""

    name: str  # stays the same as long as the table's blocks keep their order
    table: Table
    block: Block
    columns: tuple[ColumnPlan, ...]
    bindings: tuple[Words, ...]


@dataclass
class MappingPlan:
    """Everything that mapping needs; opened files included."""

    spec: CenterSpec
    delivery: Delivery
    catalog: Catalog
    export_date: dt.date
    sources: list[OpenSource]
    blocks: list[BlockPlan]
    issues: list[dict[str, Any]] = field(default_factory=list)  # rows of FILE_ISSUE
    notes: list[str] = field(default_factory=list)
    missing_sources: list[str] = field(default_factory=list)
    batch_rows: int = BATCH_ROWS
    withdrawn: Withdrawn | None = None  # patients whose rows are left out

    def opened(self, name: str) -> list[OpenSource]:
        """The files and sheets of a source of the spec."""
        return [source for source in self.sources if source.name == name]


def plan_delivery(
    spec: CenterSpec, delivery: Delivery, catalog: Catalog, batch_rows: int = BATCH_ROWS
) -> MappingPlan:
    """The plan for a delivery; opens its files and looks at their headers.

    Raises:
        SpecError: A source finds no file, a header that the spec names is missing, or the spec
            says what cannot be (`refusals.py`).
        FileError: A file cannot be read; a header identifies a person; an unknown header where
            the spec refuses them.
    """
    refuse_shared_emd(spec)
    day = export_day(spec, delivery)
    opened = open_sources(spec, delivery, batch_rows)
    plan = MappingPlan(
        spec,
        delivery,
        catalog,
        day,
        opened.sources,
        list(_blocks(spec, catalog)),
        notes=[*opened.notes, *([_SHIFTED] if spec.dates.shifted else [])],
        missing_sources=opened.missing,
        batch_rows=batch_rows,
    )
    check_headers(plan, opened.unread)
    return plan


def _blocks(spec: CenterSpec, catalog: Catalog) -> Iterator[BlockPlan]:
    counts: dict[str, int] = {}
    for block in spec.tables:
        table = catalog.tables[block.table]
        counts[table.name] = counts.get(table.name, 0) + 1
        columns = tuple(
            ColumnPlan(table.column(name), rule, parser_of(table.column(name), rule))
            for name, rule in block.columns.items()
        )
        bindings: tuple[Words, ...] = block.repeat.bindings if block.repeat else (NO_WORDS,)
        yield BlockPlan(f"{table.name}/{counts[table.name]}", table, block, columns, bindings)


def parser_of(column: Column, rule: ColumnRule) -> str:
    """How the text of a column is understood: declared, or by the column's kind."""
    if rule.parse_as == "cytogenetics" and column.kind == "number":
        return "cytogenetic_share"
    if rule.parse_as is not None:
        return rule.parse_as
    if column.codelist == "response":
        return "response"
    if column.name in ("drugs", "ecog"):
        return {"drugs": "regimen"}.get(column.name, column.name)
    return {"flag": "code"}.get(column.kind, column.kind)


def join_of(block: Block, header: str) -> tuple[Join, str] | None:
    """The join that brings a header, and the header there; None for the row's own source."""
    for join in block.join:
        bare = header.removeprefix(join.prefix) if header.startswith(join.prefix) else None
        if (
            bare is not None
            and (join.prefix or join.columns)
            and (join.columns is None or bare in {nfc(c) for c in join.columns})
        ):
            return join, bare
    return None


def value_headers(rule: ColumnRule, words: Words) -> list[str]:
    """Source headers that the value of a column comes from."""
    found: list[str] = []
    if rule.column is not None:
        found = [rule.column]
    elif rule.coalesce is not None:
        found = list(rule.coalesce)
    elif rule.regex is not None:
        found = [rule.regex.column]
    elif rule.at is not None:
        found = [rule.at]
    elif rule.template is not None:
        found = re.findall(r"\{([^{}]+)\}", fill(rule.template, words))
    return [fill(header, words) for header in found]


def rule_headers(rule: ColumnRule, words: Words) -> list[str]:
    """Source headers that a rule reads, the value's first, then the unit's."""
    units = [fill(rule.unit_column, words)] if rule.unit_column is not None else []
    return value_headers(rule, words) + units
