"""The text of every mapped column of a block, one row per canonical row to be, before parsing."""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property, lru_cache
from typing import Any

import polars as pl

from transforms.harmonize.batch import FEW
from transforms.harmonize.cells import ID, ROW, conditions
from transforms.harmonize.column_map import BlockMap, ColumnMap
from transforms.harmonize.distinct import reader_of
from transforms.harmonize.filled import NO_EVENT, filled_rows
from transforms.harmonize.forms import form_of
from transforms.harmonize.plan import BlockPlan, ColumnPlan, MappingPlan, Words, fill
from transforms.harmonize.row_ids import block_start
from transforms.harmonize.sources import OpenSource
from transforms.harmonize.values.common import is_missing
from transforms.harmonize.verdicts import Form

SRC, MAP, START, CHOICE, KEEP = "_src", "_map", "_start", "_choice", "_keep"
UNIT, TEXT, CELL = "u:", "t:", "r:"  # prefixes: unit; text to parse; cell behind a constant
ALWAYS = frozenset({"subject", "follow_up", "infusion"})  # a patient without any is a finding
Made = pl.Expr | pl.Series


class BlockTexts:
    """Builds the text frames of one block.

    A text frame has `_row`, `_id`, `_src`, `_map`, `_start`, one String column per mapped column (as
    read), `u:<column>` and `t:<column>` where a column has a unit of its own or labels, `r:<column>`
    where a constant stands for a cell, and `_row2`, `_src2` ... for joined sources.

    Attributes:
        candidates: Rows that could become canonical rows, per source id, since the last count.
        excluded: Of these, rows per (source id, reason) that hold nothing.
    """

    def __init__(self, plan: MappingPlan, block: BlockPlan, maps: ColumnMap) -> None:
        self.plan = plan
        self.block = block
        self.map = BlockMap(plan, block, maps)
        self.candidates: Counter[int] = Counter()
        self.excluded: Counter[tuple[int, str]] = Counter()
        self._forms: dict[str, Form] = {}

    def build(self, cells: pl.DataFrame, source: OpenSource) -> pl.DataFrame | None:
        """The text frame of a batch of cells, all bindings; None if no row is left."""
        where = self.block.block.where
        varies = any("{" in str(value) for test in where or () for value in test.__dict__.values())
        if where and not varies:
            cells = cells.filter(conditions(where))
        frames = []
        for index, words in enumerate(self.block.bindings):
            chosen = cells.filter(conditions(where, words)) if where and varies else cells
            if chosen.height:
                frames.append(self._bound(chosen, source, index, words))
        if not frames:
            return None
        frame = pl.concat(frames) if len(frames) > 1 else frames[0]
        self.candidates[source.source_id] += frame.height
        kept = self._kept(frame)
        reason = "empty repeat" if self.block.block.repeat else "empty"
        if kept.height < frame.height:
            self.excluded[source.source_id, reason] += frame.height - kept.height
        return kept if kept.height else None

    def _bound(
        self, cells: pl.DataFrame, source: OpenSource, index: int, words: Words
    ) -> pl.DataFrame:
        known = set(cells.columns)
        name = f"{self.plan.spec.center.id}/{self.block.name}#{index}"
        start = block_start(source.reader.info.sha256, source.sheet, source.occurrence, name)
        exprs: list[Made] = [
            _held(cells, ROW),
            _held(cells, ID),
            _same(cells, source.source_id, pl.Int32()).alias(SRC),
            _same(cells, start, pl.Int64()).alias(START),
        ]
        for slot in self.map.slots.values():
            exprs += [_held(cells, f"{ROW}{slot}"), _held(cells, f"{SRC}{slot}")]
        choices: list[str] = []
        for column in self.block.columns:
            exprs += self._column(column, source, words, cells, known, choices)
        if self.block.block.keep_when:
            exprs.append(conditions(self.block.block.keep_when, words).alias(KEEP))
        if not choices:
            number = self.map.number(source, index, words, {}, known)
            exprs.append(_same(cells, number, pl.Int32()).alias(MAP))
            made = [made for made in exprs if isinstance(made, pl.Series)]
            return pl.DataFrame(made) if len(made) == len(exprs) else cells.select(exprs)
        frame = cells.select(exprs)
        led = self._numbered(frame, source, index, words, choices, known)
        return frame.with_columns(led).drop(choices)

    def _numbered(
        self,
        frame: pl.DataFrame,
        source: OpenSource,
        index: int,
        words: Words,
        choices: list[str],
        known: set[str],
    ) -> pl.Expr:
        """Map ids that lead to the header which each coalesced value came from."""
        number: Any = pl.when(False).then(pl.lit(None, pl.Int32))
        for combo in frame.select(choices).unique(maintain_order=True).iter_rows(named=True):
            chosen = {name.removeprefix(CHOICE): at for name, at in combo.items()}
            test = pl.all_horizontal([pl.col(name) == at for name, at in combo.items()])
            value = self.map.number(source, index, words, chosen, known)
            number = number.when(test).then(pl.lit(value, pl.Int32))
        return number.otherwise(None).alias(MAP)  # type: ignore[no-any-return]

    def _column(
        self,
        plan: ColumnPlan,
        source: OpenSource,
        words: Words,
        cells: pl.DataFrame,
        known: set[str],
        choices: list[str],
    ) -> list[Made]:
        rule, name = plan.rule, plan.column.name

        def cell(header: str) -> pl.Expr:
            return pl.col(header) if header in known else pl.lit(None, pl.String)

        def held(header: str) -> Made:
            return _held(cells, header) if header in known else _same(cells, None, pl.String())

        exprs: list[Made] = []
        if rule.constant is not None:
            exprs.append(_same(cells, fill(rule.constant, words), pl.String()).alias(name))
            if rule.at is not None:
                exprs.append(held(fill(rule.at, words)).alias(CELL + name))
        elif rule.sequence is not None:
            exprs.append(_same(cells, None, pl.String()).alias(name))
        elif rule.coalesce is not None:
            headers = [h for h in (fill(h, words) for h in rule.coalesce) if h in known]
            exprs += self._coalesced(plan, headers, cells, choices)
        elif rule.template is not None:
            exprs.append(_template(rule.template, words, known).alias(name))
        else:
            header = fill(_single_header(plan), words)
            exprs.append(held(header).alias(name))
            if name in self.relabelled:
                exprs.append(self._labelled(plan, source, header, cell(header)).alias(TEXT + name))
        if rule.unit_column is not None:
            header = fill(rule.unit_column, words)
            unit = held(header)
            if rule.unit_map:
                own = {fill(k, words): v for k, v in rule.unit_map.items()}
                unit = cell(header).fill_null("").str.strip_chars().replace(own)
            exprs.append(unit.alias(UNIT + name))
        elif rule.unit is not None and "{" in rule.unit:
            exprs.append(_same(cells, fill(rule.unit, words), pl.String()).alias(UNIT + name))
        return exprs

    @cached_property
    def relabelled(self) -> frozenset[str]:
        """Columns whose file gives labels to codes or declares missing codes."""
        found = set()
        for plan in self.block.columns:
            if plan.rule.how not in ("column", "regex"):
                continue
            for words in self.block.bindings:
                header = fill(_single_header(plan), words)
                for source in self.plan.opened(self.block.block.source):
                    info = self.map.info(source, header)
                    labels = info is not None and plan.rule.labels and info.value_labels
                    if info is not None and (info.missing_values or labels):
                        found.add(plan.column.name)
        return frozenset(found)

    def _labelled(
        self, plan: ColumnPlan, source: OpenSource, header: str, text: pl.Expr
    ) -> pl.Expr:
        info = self.map.info(source, header)
        if info is not None and info.missing_values:
            text = pl.when(~text.is_in(list(info.missing_values))).then(text)
        if info is not None and plan.rule.labels and info.value_labels:
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
        kind = {"integer": "number", "ecog": "number"}.get(plan.parser, plan.parser)
        kind = kind if kind in ("date", "number") else "code"
        text: Any = pl.when(False).then(pl.lit(None, pl.String))
        choice: Any = pl.when(False).then(pl.lit(None, pl.Int8))
        for position, header in enumerate(headers):
            values = cells[header].unique().drop_nulls()
            empty = [value for value in values if is_missing(value, kind, declared)]
            filled = pl.col(header).is_not_null() & ~pl.col(header).is_in(empty)
            text = text.when(filled).then(pl.col(header))
            choice = choice.when(filled).then(pl.lit(position, pl.Int8))
        choices.append(f"{CHOICE}{name}")
        return [
            text.otherwise(pl.col(headers[0])).alias(name),
            choice.otherwise(pl.lit(0, pl.Int8)).alias(f"{CHOICE}{name}"),
        ]

    def _kept(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Without rows that hold nothing but constants, or that fail `keep_when`."""
        if KEEP in frame.columns:
            return frame.filter(pl.col(KEEP)).drop(KEEP)
        if self.block.table.name in ALWAYS and self.block.block.repeat is None:
            return frame
        names = [plan.column.name for plan in self.block.columns if self._is_fact(plan)]
        if not names:
            return frame
        return filled_rows(frame, names, self.plan.spec.missing, self._nothing)

    def _nothing(self, name: str, marks: list[str]) -> set[str]:
        """The marks that say nothing in that column, and texts that the spec calls missing there."""
        if name not in self._forms:
            plan = next(plan for plan in self.block.columns if plan.column.name == name)
            self._forms[name] = form_of(self.plan, plan)
        form = self._forms[name]
        own = [text.strip() for text, code in form.own if code is None]
        texts = list(dict.fromkeys([*marks, *own, *form.missing]))
        if not texts or name in self.relabelled:
            return set()
        reader = reader_of(form)
        says = zip(texts, reader.verdicts(texts), strict=True)
        empty = (reader.nothing.values, (None, None, NO_EVENT))
        return {text for text, verdict in says if verdict.values in empty and not verdict.severity}

    def _is_fact(self, plan: ColumnPlan) -> bool:
        """Constants, and the number of a line or relapse alone, make no row."""
        key = plan.column.kind == "integer" and plan.column.name in self.block.table.key
        return plan.rule.how not in ("constant", "sequence") and not key


def _single_header(plan: ColumnPlan) -> str:
    rule = plan.rule
    return rule.column if rule.column is not None else rule.regex.column  # type: ignore[union-attr]


def _held(cells: pl.DataFrame, name: str) -> Made:
    """A column of the cells: of a few rows itself, else as an expression."""
    return cells.get_column(name) if cells.height <= FEW else pl.col(name)


@lru_cache(maxsize=4096)
def one(value: Any, dtype: pl.DataType) -> pl.Series:
    """A column of one row, to be repeated."""
    return pl.Series([value], dtype=dtype)


def _same(cells: pl.DataFrame, value: Any, dtype: pl.DataType) -> Made:
    """One value in every row."""
    if cells.height <= FEW:
        return one(value, dtype).new_from_index(0, cells.height)
    return pl.lit(value, dtype)


def _template(template: str, words: Words, known: set[str]) -> pl.Expr:
    parts: list[pl.Expr] = []
    for position, piece in enumerate(re.split(r"\{([^{}]+)\}", fill(template, words))):
        if position % 2:
            header = pl.col(piece).str.strip_chars() if piece in known else pl.lit(None, pl.String)
            parts.append(header)
        elif piece:
            parts.append(pl.lit(piece))
    return pl.concat_str(parts)
