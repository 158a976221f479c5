"""The text of every mapped column of a block, one row per canonical row to be, before parsing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from transforms.harmonize.cells import ID, ROW, conditions
from transforms.harmonize.plan import (
    BlockPlan,
    ColumnPlan,
    MappingPlan,
    Words,
    fill,
    join_of,
    value_headers,
)
from transforms.harmonize.row_ids import block_start
from transforms.harmonize.sources import OpenSource
from transforms.harmonize.values.common import is_missing

SRC, MAP, START, CHOICE = "_src", "_map", "_start", "_choice"
UNIT, TEXT, CELL = "u:", "t:", "r:"  # prefixes: unit; text to parse; cell behind a constant
ALWAYS = frozenset({"subject", "follow_up", "infusion"})  # a patient without any is a finding


@dataclass
class ColumnMap:
    """Rows of column_map: which headers filled a block's columns, per source, binding and choice."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    known: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def number(self, key: tuple[Any, ...], rows: list[dict[str, Any]]) -> int:
        """The map id of a block, binding, source and choice of coalesced columns."""
        if key not in self.known:
            self.known[key] = len(self.known) + 1
            self.rows += [{"map_id": self.known[key], **row} for row in rows]
        return self.known[key]


class BlockTexts:
    """Builds the text frames of one block.

    A text frame has `_row`, `_id`, `_src`, `_map`, `_start`, one String column per mapped column (as
    read), `u:<column>` and `t:<column>` where a column has a unit of its own or labels, `r:<column>` where a
    constant stands for a cell, and `_row2`, `_src2` ... for joined sources.
    """

    def __init__(self, plan: MappingPlan, block: BlockPlan, maps: ColumnMap) -> None:
        self.plan = plan
        self.block = block
        self.maps = maps
        self.slots = {join.source: slot for slot, join in enumerate(block.block.join, 2)}
        self.excluded: dict[tuple[int, str], int] = {}  # (source id, reason) -> rows
        self.candidates: dict[int, int] = {}

    def build(self, cells: pl.DataFrame, source: OpenSource) -> list[pl.DataFrame]:
        """Text frames of a batch of cells, one per binding."""
        return [
            frame
            for index, words in enumerate(self.block.bindings)
            if (frame := self._bound(cells, source, index, words)).height
        ]

    def _bound(
        self, cells: pl.DataFrame, source: OpenSource, index: int, words: Words
    ) -> pl.DataFrame:
        block = self.block.block
        self._count(source, None, cells.height)
        if block.where:
            chosen = cells.filter(conditions(block.where, words))
            self._count(source, "other block", cells.height - chosen.height)
            cells = chosen
        known = set(cells.columns)
        exprs: list[pl.Expr] = [
            pl.col(ROW),
            pl.col(ID),
            pl.lit(source.source_id, pl.Int32).alias(SRC),
        ]
        choices: list[str] = []
        for slot in self.slots.values():
            exprs += [pl.col(f"{ROW}{slot}"), pl.col(f"{SRC}{slot}")]
        for column in self.block.columns:
            exprs += self._column(column, source, words, cells, known, choices)
        frame = cells.select(exprs)
        frame = self._kept(frame, cells, source, words)
        start = block_start(
            source.reader.info.sha256, source.sheet, source.occurrence, f"{self.block.name}#{index}"
        )
        numbered = self._numbered(frame, source, index, words, choices)
        return frame.with_columns(numbered.alias(MAP), pl.lit(start, pl.Int64).alias(START)).drop(
            choices
        )

    def _count(self, source: OpenSource, reason: str | None, n: int) -> None:
        if reason is None:
            self.candidates[source.source_id] = self.candidates.get(source.source_id, 0) + n
        elif n:
            key = (source.source_id, reason)
            self.excluded[key] = self.excluded.get(key, 0) + n

    def _column(
        self,
        plan: ColumnPlan,
        source: OpenSource,
        words: Words,
        cells: pl.DataFrame,
        known: set[str],
        choices: list[str],
    ) -> list[pl.Expr]:
        rule, name = plan.rule, plan.column.name
        nothing = pl.lit(None, pl.String)
        exprs: list[pl.Expr] = []
        if rule.constant is not None:
            exprs.append(pl.lit(fill(rule.constant, words), pl.String).alias(name))
            header = fill(rule.at, words) if rule.at is not None else None
            if rule.at is not None:
                exprs.append((pl.col(header) if header in known else nothing).alias(CELL + name))
        elif rule.sequence is not None:
            exprs.append(nothing.alias(name))
        elif rule.coalesce is not None:
            headers = [h for h in (fill(h, words) for h in rule.coalesce) if h in known]
            exprs += self._coalesced(plan, headers, cells, choices)
        elif rule.template is not None:
            exprs.append(_template(rule.template, words, known).alias(name))
        else:
            header = fill(rule.column if rule.column is not None else rule.regex.column, words)  # type: ignore[union-attr]
            exprs.append((pl.col(header) if header in known else nothing).alias(name))
            if name in self.relabelled:
                exprs.append(self._labelled(plan, source, header, known).alias(TEXT + name))
        if rule.unit_column is not None:
            header = fill(rule.unit_column, words)
            unit = pl.col(header) if header in known else nothing
            if rule.unit_map:
                own = {fill(k, words): v for k, v in rule.unit_map.items()}
                unit = unit.fill_null("").str.strip_chars().replace(own)
            exprs.append(unit.alias(UNIT + name))
        elif rule.unit is not None and "{" in rule.unit:
            exprs.append(pl.lit(fill(rule.unit, words), pl.String).alias(UNIT + name))
        return exprs

    @property
    def relabelled(self) -> frozenset[str]:
        """Columns whose file gives labels to codes or declares missing codes."""
        if not hasattr(self, "_relabelled"):
            self._relabelled = frozenset(self._find_relabelled())
        return self._relabelled

    def _find_relabelled(self) -> set[str]:
        found = set()
        for plan in self.block.columns:
            rule = plan.rule
            if rule.column is None and rule.regex is None:
                continue
            for words in self.block.bindings:
                header = fill(rule.column if rule.column is not None else rule.regex.column, words)  # type: ignore[union-attr]
                for source in self.plan.opened(self.block.block.source):
                    info = self._info(source, header)
                    if info is not None and (
                        info.missing_values or (rule.labels and info.value_labels)
                    ):
                        found.add(plan.column.name)
        return found

    def _info(self, source: OpenSource, header: str) -> Any:
        join = join_of(self.block.block, header)
        if join is None:
            return source.columns.get(header)
        others = self.plan.opened(join[0].source)
        return others[0].columns.get(join[1]) if others else None

    def _labelled(
        self, plan: ColumnPlan, source: OpenSource, header: str, known: set[str]
    ) -> pl.Expr:
        info = self._info(source, header)
        if info is None or header not in known:
            return pl.lit(None, pl.String)
        text = pl.col(header)
        if info.missing_values:
            text = pl.when(~text.is_in(list(info.missing_values))).then(text)
        if plan.rule.labels and info.value_labels:
            text = text.replace(dict(info.value_labels))
        return text

    def _coalesced(
        self, plan: ColumnPlan, headers: list[str], cells: pl.DataFrame, choices: list[str]
    ) -> list[pl.Expr]:
        """The first filled cell, and which it was."""
        name = plan.column.name
        if not headers:
            return [pl.lit(None, pl.String).alias(name)]
        declared = (*self.plan.spec.missing, *plan.rule.missing)
        kind = {"date": "date", "number": "number", "integer": "number"}.get(plan.parser, "code")
        text: Any = None
        choice: Any = None
        for position, header in enumerate(headers):
            empty = [
                v for v in cells[header].unique().drop_nulls() if is_missing(v, kind, declared)
            ]
            filled = pl.col(header).is_not_null() & ~pl.col(header).is_in(empty)
            at = pl.lit(position, pl.Int8)
            text = (
                pl.when(filled).then(pl.col(header))
                if text is None
                else text.when(filled).then(pl.col(header))
            )
            choice = pl.when(filled).then(at) if choice is None else choice.when(filled).then(at)
        choices.append(f"{CHOICE}{name}")
        first = pl.col(headers[0])
        return [
            text.otherwise(first).alias(name),
            choice.otherwise(pl.lit(0, pl.Int8)).alias(f"{CHOICE}{name}"),
        ]

    def _kept(
        self, frame: pl.DataFrame, cells: pl.DataFrame, source: OpenSource, words: Words
    ) -> pl.DataFrame:
        """Without rows that hold nothing but constants, or that fail `keep_when`."""
        block = self.block.block
        if block.keep_when:
            mask = cells.select(conditions(block.keep_when, words)).to_series()
        elif self.block.table.name in ALWAYS and block.repeat is None:
            return frame
        else:
            names = [c.column.name for c in self.block.columns if self._is_fact(c)]
            if not names:
                return frame
            mask = filled_rows(frame, names, self.plan.spec.missing)
        kept = frame.filter(mask)
        self._count(source, "empty repeat" if block.repeat else "empty", frame.height - kept.height)
        return kept

    def _is_fact(self, plan: ColumnPlan) -> bool:
        """Constants, and the number of a line or relapse alone, make no row."""
        key = plan.column.kind == "integer" and plan.column.name in self.block.table.key
        return plan.rule.how not in ("constant", "sequence") and not key

    def _numbered(
        self, frame: pl.DataFrame, source: OpenSource, index: int, words: Words, choices: list[str]
    ) -> pl.Expr:
        if not choices:
            return pl.lit(self._map(source, index, words, {}), pl.Int32)
        combos = frame.select(choices).unique(maintain_order=True)
        number: Any = pl.when(False).then(pl.lit(None, pl.Int32))
        for combo in combos.iter_rows(named=True):
            chosen = {name.removeprefix(CHOICE): at for name, at in combo.items()}
            test = pl.all_horizontal([pl.col(name) == at for name, at in combo.items()])
            number = number.when(test).then(
                pl.lit(self._map(source, index, words, chosen), pl.Int32)
            )
        return number.otherwise(None)  # type: ignore[no-any-return]

    def _map(self, source: OpenSource, index: int, words: Words, chosen: Mapping[str, int]) -> int:
        key = (self.block.name, index, source.source_id, tuple(sorted(chosen.items())))
        rows = [self._map_row(source, "patient_id", [source.spec.patient_id], "column")]
        for plan in self.block.columns:
            rule, name = plan.rule, plan.column.name
            headers = value_headers(rule, words)
            if rule.coalesce is not None and headers:
                present = [h for h in headers if self._info(source, h) is not None] or headers
                headers = [present[min(chosen.get(name, 0), len(present) - 1)]]
            rows.append(self._map_row(source, name, headers, rule.how))
            if rule.unit_column is not None and plan.column.kind == "number":
                rows.append(
                    self._map_row(source, f"{name}_unit", [fill(rule.unit_column, words)], "column")
                )
        return self.maps.number(key, rows)

    def _map_row(
        self, source: OpenSource, column: str, headers: list[str], how: str
    ) -> dict[str, Any]:
        slot, source_id, written = 1, source.source_id, []
        for header in headers:
            join = join_of(self.block.block, header)
            if join is not None:
                slot = self.slots[join[0].source]
                others = self.plan.opened(join[0].source)
                source_id = others[0].source_id if others else source.source_id
                info = others[0].columns.get(join[1]) if others else None
            else:
                info = source.columns.get(header)
            written.append(info.name if info is not None else header)
        return {
            "table": self.block.table.name,
            "column": column,
            "slot": slot,
            "source_id": source_id,
            "source_column": " | ".join(written) or None,
            "rule": how,
        }


def filled_rows(frame: pl.DataFrame, names: list[str], tokens: tuple[str, ...]) -> pl.Series:
    """True where one of the columns holds more than blanks and missing tokens.

    The fullest column decides almost every row; only the rest is looked at in all columns.
    """

    def filled(name: str) -> pl.Expr:
        text = pl.col(name).str.strip_chars()
        test = text.str.len_bytes() > 0
        return (test & ~text.is_in(list(tokens)) if tokens else test).fill_null(False)

    ordered = sorted(names, key=lambda name: frame[name].null_count())
    mask = frame.select(filled(ordered[0])).to_series()
    if mask.all() or len(ordered) == 1:
        return mask
    rest = (~mask).arg_true()
    others = frame.select(ordered[1:])[rest].select(
        pl.any_horizontal([filled(n) for n in ordered[1:]])
    )
    return mask.scatter(rest, others.to_series())


def _template(template: str, words: Words, known: set[str]) -> pl.Expr:
    parts: list[pl.Expr] = []
    for position, piece in enumerate(re.split(r"\{([^{}]+)\}", fill(template, words))):
        if position % 2:
            parts.append(
                pl.col(piece).str.strip_chars() if piece in known else pl.lit(None, pl.String)
            )
        elif piece:
            parts.append(pl.lit(piece))
    return pl.concat_str(parts)
