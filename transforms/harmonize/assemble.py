"""Text frames of a block to canonical frames, in a handful of `select`s."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import polars as pl

from schemas.catalog import Column, Table
from transforms.harmonize.batch import FEW, NO_ADDRESS
from transforms.harmonize.cells import ID, ROW
from transforms.harmonize.distinct import reader_of
from transforms.harmonize.few import FewRows, canonical, constants, numbered, sides
from transforms.harmonize.forms import form_of
from transforms.harmonize.parse import ColumnParser, Lookup
from transforms.harmonize.part import Part, with_progressions
from transforms.harmonize.plan import BlockPlan, ColumnPlan, MappingPlan
from transforms.harmonize.row_extras import issues_of, sequence
from transforms.harmonize.row_ids import row_ids
from transforms.harmonize.texts import CELL, MAP, SRC, START, TEXT, UNIT
from transforms.harmonize.units import Pairs
from transforms.harmonize.verdicts import Form

# Filled from the verdict on another column, and only where that was understood.
ECHOES = frozenset({"reported_category", "regimen_text"})
_CELLS, _PROGRESSED = "_cells", "_progressed"
# Table, and the column whose text may tell about the other column.
_SIDES = (
    ("follow_up", "death_date", "vital_status"),
    ("follow_up", "last_contact_date", "vital_status"),
    ("lab", "value", "result"),
)


class BlockParser:
    """Turns the text frames of one block into canonical frames."""

    def __init__(self, plan: MappingPlan, block: BlockPlan, relabelled: frozenset[str]) -> None:
        self.plan = plan
        self.block = block
        self.schema = _schema_of(block.table)
        self.forms = {c.column.name: form_of(plan, c) for c in block.columns}
        self.parsers = {
            c.column.name: self._parser(c, relabelled)
            for c in block.columns
            if c.rule.how not in ("constant", "sequence") and c.column.name not in ECHOES
        }

    def _parser(self, plan: ColumnPlan, relabelled: frozenset[str]) -> ColumnParser:
        name = plan.column.name
        text = TEXT + name if name in relabelled else name
        test = TEXT + "test" if "test" in relabelled else "test"
        pairs = self._pairs(plan, pl.col(test))
        parser = ColumnParser(name, self.forms[name], text, pairs)
        types = list(parser.types)
        for column, position in _named(parser, list(range(len(types)))).items():
            types[position] = self.schema.get(column, types[position])
        parser.types = types
        return parser

    def _pairs(self, plan: ColumnPlan, test: pl.Expr) -> Pairs | None:
        """Quantity and unit per row, where one of them varies."""
        rule, form = plan.rule, self.forms[plan.column.name]
        in_row = rule.unit_column is not None or (rule.unit is not None and "{" in rule.unit)
        by_test = self.block.table.name == "lab" and "test" in self.forms
        if plan.parser != "number" or form.numbers is None or not (in_row or by_test):
            return None
        unit = pl.col(UNIT + plan.column.name) if in_row else pl.lit(form.numbers.unit or "")
        if by_test:
            return Pairs(test, unit, _test_of(self.block, self.forms["test"]))
        return Pairs(pl.lit(form.numbers.quantity or ""), unit, str)

    def parse(self, texts: pl.DataFrame) -> Part:
        """The canonical rows of a text frame."""
        if texts.height <= FEW:
            return self._parse_few(texts)
        seen = self._look(texts)
        active = [p for p in self.parsers.values() if seen[f"n:{p.name}"] < texts.height]
        work = self._fast(texts, active, seen)
        lookups = self._lookups(work, active)
        exprs = self._columns(active, lookups)
        wanted = self._select(exprs)
        sequences = [c for c in self.block.columns if c.rule.sequence is not None]
        done = work.select(wanted)
        for plan in sequences:
            number = sequence(texts, done[plan.rule.sequence or ""])
            done = done.with_columns(number.alias(plan.column.name))
        issues = issues_of(work, active, lookups)
        cells = done[_CELLS] if _CELLS in done.columns else None
        progressed = done[_PROGRESSED] if _PROGRESSED in done.columns else None
        frame = pl.DataFrame(done.get_columns()[: len(self.schema)])
        return self._part(texts, frame, issues, cells, progressed)

    def _parse_few(self, texts: pl.DataFrame) -> Part:
        """The same without expressions."""
        rows, columns = FewRows(texts), constants(self.block.columns, texts)
        center = self.plan.spec.center
        if self.block.table.name == "subject" and "country" not in self.forms:
            columns["country"] = [center.country] * texts.height
        for parser in self.parsers.values():
            outputs = rows.read(parser)
            if outputs is not None:
                columns.update(_named(parser, outputs))
        for table, name, target in _SIDES:
            if self.block.table.name == table:
                sides(columns, name, target)
        for plan in self.block.columns:
            if plan.rule.sequence is not None:
                by = columns.get(plan.rule.sequence)
                none = [None] * texts.height
                columns[plan.column.name] = numbered(texts, none if by is None else by)
        cells, drugs = columns.get(_CELLS), columns.get("drugs")
        if cells is not None and drugs is not None and cells.count(None) == drugs.count(None):
            cells = None
        progressed = columns.get(_PROGRESSED)
        return self._part(
            texts,
            canonical(texts, columns, self.schema, center.id),
            rows.issues,
            None if cells is None else pl.Series(_CELLS, cells, dtype=pl.Int32),
            pl.Series(progressed, dtype=pl.Boolean) if progressed and any(progressed) else None,
        )

    def _look(self, texts: pl.DataFrame) -> dict[str, Any]:
        exprs = [expr for parser in self.parsers.values() for expr in parser.look()]
        return texts.select(exprs).row(0, named=True) if exprs else {}

    def _fast(
        self, texts: pl.DataFrame, active: list[ColumnParser], seen: Mapping[str, Any]
    ) -> pl.DataFrame:
        for exprs in (
            [expr for parser in active for expr in parser.fast(seen)],
            [expr for parser in active for expr in parser.check()],
        ):
            if exprs:
                texts = texts.with_columns(exprs)
        return texts

    def _lookups(self, work: pl.DataFrame, active: list[ColumnParser]) -> dict[str, Lookup]:
        if not active:
            return {}
        rest = work.select([parser.rest() for parser in active])
        return {parser.name: parser.find(rest[parser.name][0]) for parser in active}

    def _columns(
        self, active: list[ColumnParser], lookups: Mapping[str, Lookup]
    ) -> dict[str, pl.Expr | None]:
        """Expressions by canonical column; None where all rows are null."""
        columns: dict[str, pl.Expr | None] = {}
        for plan in self.block.columns:
            if plan.rule.constant is not None:
                columns.update(_constant(plan.column, self.schema))
        for parser in active:
            lookup = lookups[parser.name]
            columns.update(_named(parser, parser.outputs(lookup)))
            if parser.form.parser == "regimen" and _one_line_each(lookup):
                del columns[_CELLS]
        self._sides(columns)
        if self.block.table.name == "subject" and "country" not in self.forms:
            columns["country"] = pl.lit(self.plan.spec.center.country)
        return columns

    def _sides(self, columns: dict[str, pl.Expr | None]) -> None:
        """What a text in a date or number tells about another column, where that is empty."""
        for table, name, target in _SIDES:
            side = columns.pop(f"{name}:side", None)
            if side is None or self.block.table.name != table:
                continue
            told = pl.when(side.str.starts_with(f"{target}=")).then(
                side.str.strip_prefix(f"{target}=")
            )
            own = columns.get(target)
            code = told.cast(self.schema[target])
            columns[target] = code if own is None else pl.coalesce(own, code)
        for name in [name for name in columns if name.endswith(":side")]:
            del columns[name]

    def _select(self, columns: Mapping[str, pl.Expr | None]) -> list[pl.Expr]:
        """The canonical frame's columns in order, then helpers."""
        exprs = [
            pl.lit(self.plan.spec.center.id, self.schema["center_id"]).alias("center_id"),
            pl.col(ID).alias("patient_id"),
            row_ids(pl.col(START), pl.col(ROW)).alias("row_id"),
            pl.col(SRC).alias("source_id"),
            pl.col(ROW).alias("source_row"),
            pl.col(MAP).alias("map_id"),
        ]
        for name, dtype in list(self.schema.items())[len(exprs) :]:
            expr = columns.get(name)
            exprs.append((pl.lit(None, dtype) if expr is None else expr).alias(name))
        exprs += [
            expr.alias(name)
            for name in (_CELLS, _PROGRESSED)
            if (expr := columns.get(name)) is not None
        ]
        return exprs

    def _part(
        self,
        texts: pl.DataFrame,
        frame: pl.DataFrame,
        issues: pl.DataFrame,
        cells: pl.Series | None,
        progressed: pl.Series | None,
    ) -> Part:
        part = Part(frame, self._raw(texts), issues, self._address(texts, frame), cells)
        if cells is not None:
            part.lines = next(
                p.reader for p in self.parsers.values() if p.form.parser == "regimen"
            ).regimens
        if progressed is not None and self.block.block.progression_row is not False:
            part = with_progressions(part, progressed)
        return part

    def _raw(self, texts: pl.DataFrame) -> pl.DataFrame:
        columns = [texts.get_column(ID).alias("patient_id")]
        for plan in self.block.columns:
            name = plan.column.name
            if plan.rule.at is not None:
                columns.append(texts.get_column(CELL + name).alias(name))
            elif plan.rule.constant is not None:
                columns.append(
                    pl.Series(name, [None], dtype=pl.String).new_from_index(0, texts.height)
                )
            else:
                columns.append(texts.get_column(name))
        return pl.DataFrame(columns)

    def _address(self, texts: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
        slots = range(2, 2 + len(self.block.block.join))
        parts = [
            texts.select(
                frame["row_id"],
                pl.lit(slot, pl.Int8).alias("slot"),
                pl.col(f"{SRC}{slot}").alias("source_id"),
                pl.col(f"{ROW}{slot}").alias("source_row"),
            ).filter(pl.col("source_row").is_not_null())
            for slot in slots
        ]
        return pl.concat(parts) if parts else NO_ADDRESS


@cache
def _schema_of(table: Table) -> pl.Schema:
    return table.frame_schema


def _test_of(block: BlockPlan, form: Form) -> Callable[[str], str | None]:
    """From a laboratory test as written to its code."""
    constant = any(c.column.name == "test" and c.rule.constant is not None for c in block.columns)

    def understood(written: str) -> str | None:
        code = written if constant else reader_of(form).verdicts([written])[0].values[0]
        return None if code is None else str(code)

    return understood


def _named(parser: ColumnParser, outputs: list[Any]) -> dict[str, Any]:
    """Outputs by canonical column."""
    name, kind = parser.name, parser.form.parser
    if kind == "date":
        return dict(zip((name, f"{name}_precision", f"{name}:side"), outputs, strict=True))
    if kind == "number":
        names = (name, f"{name}_comparator", f"{name}_unit", f"{name}:side")
        return dict(zip(names, outputs, strict=True))
    if kind == "response" and name == "category":
        return {name: outputs[0], "reported_category": outputs[1], _PROGRESSED: outputs[2]}
    if kind == "regimen":
        return {_CELLS: outputs[0], name: outputs[1], "regimen_text": outputs[2]}
    return {name: outputs[0]}


def _one_line_each(lookup: Lookup) -> bool:
    """True if every understood regimen is one line of therapy."""
    positions, drugs = lookup.outputs[0], lookup.outputs[1]
    if positions is None:
        return True
    return drugs is not None and positions.null_count() == drugs.null_count()


def _constant(column: Column, schema: Mapping[str, pl.DataType]) -> dict[str, pl.Expr | None]:
    """A constant as its type; `schemas.spec.load` has checked that it is one."""
    text = pl.col(column.name)
    if column.kind == "date":
        precision = f"{column.name}_precision"
        day = text.str.to_date("%Y-%m-%d")
        return {column.name: day, precision: pl.lit("day", schema[precision])}
    return {column.name: text.cast(schema[column.name])}
