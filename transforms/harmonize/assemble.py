"""Text frames of a block to canonical frames."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from schemas.catalog import Column
from schemas.staging import ADDRESS
from transforms.harmonize.batch import ISSUE, no_rows
from transforms.harmonize.cells import ID, ROW
from transforms.harmonize.distinct import reader_of
from transforms.harmonize.forms import form_of
from transforms.harmonize.parse import ColumnParser, Parsed
from transforms.harmonize.plan import BlockPlan, ColumnPlan, MappingPlan
from transforms.harmonize.row_ids import row_ids
from transforms.harmonize.texts import CELL, MAP, SRC, START, UNIT


# Filled from the verdict on another column, and only where that was understood.
ECHOES = frozenset({"reported_category", "regimen_text"})


@dataclass
class Part:
    """Canonical rows of one block: frame, raw, issues, address as in `MappedBatch`.

    `cells` holds, for lines of therapy, the position of each row's lines in `lines`; `progressed`
    is true where a response cell also tells a progression.
    """

    frame: pl.DataFrame
    raw: pl.DataFrame
    issues: pl.DataFrame
    address: pl.DataFrame
    cells: pl.Series | None = None
    lines: list = field(default_factory=list)  # type: ignore[type-arg]


class BlockParser:
    """Turns the text frames of one block into canonical frames."""

    def __init__(self, plan: MappingPlan, block: BlockPlan) -> None:
        self.plan = plan
        self.block = block
        self.schema = block.table.frame_schema
        forms = {c.column.name: form_of(plan, c) for c in block.columns}
        self.parsers = {
            c.column.name: ColumnParser(c.column.name, forms[c.column.name])
            for c in block.columns
            if c.rule.constant is None and c.rule.sequence is None and c.column.name not in ECHOES
        }
        # The unit of a laboratory value depends on the test: codes are parsed before numbers.
        self.ordered = sorted(block.columns, key=lambda c: c.parser == "number")

    def parse(self, texts: pl.DataFrame) -> Part:
        """The canonical rows of a text frame."""
        n = texts.height
        columns: dict[str, pl.Series] = {}
        issues: list[pl.DataFrame] = []
        cells: pl.Series | None = None
        progressed: pl.Series | None = None
        for plan in self.ordered:
            name = plan.column.name
            if plan.rule.constant is not None:
                columns.update(_constant(plan.column, texts[name]))
                continue
            if plan.rule.sequence is not None or name in ECHOES:
                continue
            if self.block.table.name == "lab" and plan.parser == "number" and "test" in columns:
                texts = texts.with_columns(columns["test"].alias(f"{UNIT}{name}:quantity"))
            parsed = self.parsers[name].parse(texts)
            issues.append(parsed.issues)
            columns.update(_named(plan, parsed))
            if plan.parser == "regimen":
                cells = parsed.outputs[0]
            if plan.parser == "response":
                progressed = parsed.outputs[2]
        for plan in self.block.columns:
            if plan.rule.sequence is not None:
                columns[plan.column.name] = _sequence(texts, columns.get(plan.rule.sequence))
        self._fill(columns, n)
        frame = self._frame(texts, columns)
        raw = self._raw(texts)
        found = [part for part in issues if part.height]
        told = pl.concat(found) if found else no_rows(ISSUE)
        address = self._address(texts, frame)
        part = Part(frame, raw, told, address, cells)
        if cells is not None:
            drugs = next(c for c in self.block.columns if c.parser == "regimen").column.name
            part.lines = reader_of(self.parsers[drugs].form).regimens
        if progressed is not None and self.block.block.progression_row:
            part = _with_progressions(part, progressed)
        return part

    def _fill(self, columns: dict[str, pl.Series], n: int) -> None:
        """What the spec need not say twice: the country; what a text in a date or number tells."""
        table = self.block.table.name
        if table == "subject" and "country" not in columns:
            country = pl.Series([self.plan.spec.center.country], dtype=pl.String)
            columns["country"] = country.new_from_index(0, n)
        for name, target, prefix in (
            ("death_date", "vital_status", "vital_status="),
            ("last_contact_date", "vital_status", "vital_status="),
            ("value", "result", "result="),
        ):
            side = columns.pop(f"{name}:side", None)
            if (
                side is None
                or side.null_count() == n
                or (table, name)
                not in (
                    ("follow_up", "death_date"),
                    ("follow_up", "last_contact_date"),
                    ("lab", "value"),
                )
            ):
                continue
            told = pl.when(side.str.starts_with(prefix)).then(side.str.strip_prefix(prefix))
            own = columns.get(target)
            frame = pl.DataFrame({"told": pl.select(told).to_series()})
            if own is not None:
                frame = frame.with_columns(own=own).select(pl.coalesce("own", "told").alias("told"))
            columns[target] = frame["told"]
        for name in [name for name in columns if name.endswith(":side")]:
            del columns[name]

    def _frame(self, texts: pl.DataFrame, columns: dict[str, pl.Series]) -> pl.DataFrame:
        exprs = [
            pl.lit(self.plan.spec.center.id, pl.String).alias("center_id"),
            pl.col(ID).alias("patient_id"),
            row_ids(pl.col(START), pl.col(ROW)).alias("row_id"),
            pl.col(SRC).alias("source_id"),
            pl.col(ROW).alias("source_row"),
            pl.col(MAP).alias("map_id"),
        ]
        for name, dtype in list(self.schema.items())[len(exprs) :]:
            if name in columns:
                exprs.append(pl.lit(columns[name]).alias(name))
            else:
                exprs.append(pl.lit(None, dtype).alias(name))
        return texts.select(exprs)

    def _raw(self, texts: pl.DataFrame) -> pl.DataFrame:
        exprs = [pl.col(ID).alias("patient_id")]
        for plan in self.block.columns:
            name = plan.column.name
            if plan.rule.at is not None:
                exprs.append(pl.col(CELL + name).alias(name))
            elif plan.rule.constant is not None:
                exprs.append(pl.lit(None, pl.String).alias(name))
            else:
                exprs.append(pl.col(name))
        return texts.select(exprs)

    def _address(self, texts: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
        slots = range(2, 2 + len(self.block.block.join))
        if not slots:
            return no_rows(ADDRESS)
        parts = [
            texts.select(
                frame["row_id"],
                pl.lit(slot, pl.Int8).alias("slot"),
                pl.col(f"{SRC}{slot}").alias("source_id"),
                pl.col(f"{ROW}{slot}").alias("source_row"),
            ).filter(pl.col("source_row").is_not_null())
            for slot in slots
        ]
        return pl.concat(parts)


def _named(plan: ColumnPlan, parsed: Parsed) -> dict[str, pl.Series]:
    """Outputs by canonical column."""
    name, outputs = plan.column.name, parsed.outputs
    if plan.parser == "date":
        return {name: outputs[0], f"{name}_precision": outputs[1], f"{name}:side": outputs[2]}
    if plan.parser == "number":
        return {
            name: outputs[0],
            f"{name}_comparator": outputs[1],
            f"{name}_unit": outputs[2],
            f"{name}:side": outputs[3],
        }
    if plan.parser == "response":
        extra = {"reported_category": outputs[1]} if name == "category" else {}
        return {name: outputs[0], **extra}
    if plan.parser == "regimen":
        return {name: pl.Series([None], dtype=pl.String).new_from_index(0, outputs[0].len())}
    return {name: outputs[0]}


def _constant(column: Column, text: pl.Series) -> dict[str, pl.Series]:
    """A constant as its type; `schemas.spec.load` has checked that it is one."""
    if column.kind == "integer":
        return {column.name: text.cast(pl.Int32)}
    if column.kind == "number":
        return {column.name: text.cast(pl.Float64)}
    if column.kind == "date":
        day = pl.Series(["day"], dtype=pl.String).new_from_index(0, text.len())
        return {column.name: text.str.to_date("%Y-%m-%d"), f"{column.name}_precision": day}
    return {column.name: text}


def _sequence(texts: pl.DataFrame, dates: pl.Series | None) -> pl.Series:
    """1, 2, 3 ... within each patient by date (undated rows last), then by row."""
    day = dates if dates is not None else pl.Series([None] * texts.height, dtype=pl.Date)
    numbered = texts.select(ID, SRC, ROW).with_columns(day.alias("_day")).with_row_index("_at")
    ordered = numbered.sort(ID, "_day", SRC, ROW, "_at", nulls_last=True)
    counted = ordered.with_columns(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over(ID).alias("_n")
    )
    return counted.sort("_at")["_n"]


def _with_progressions(part: Part, progressed: pl.Series) -> Part:
    """A second row PROGRESSION for cells that tell a best response and then a progression."""
    which = progressed.fill_null(False).arg_true()
    if which.len() == 0:
        return part
    more = part.frame[which].with_columns(
        row_id=pl.col("row_id") + 1,
        kind=pl.lit("PROGRESSION"),
        category=pl.lit("PD"),
        response_date=pl.lit(None, pl.Date),
        response_date_precision=pl.lit(None, pl.String),
    )
    return Part(
        pl.concat([part.frame, more]),
        pl.concat([part.raw, part.raw[which]]),
        part.issues,
        part.address,
    )
