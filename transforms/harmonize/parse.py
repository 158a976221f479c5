"""Text frames to typed canonical columns: by expressions where the plain form fits, the rest by verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from transforms.harmonize import values as parsers
from transforms.harmonize.batch import ISSUE, no_rows
from transforms.harmonize.distinct import OUTPUTS, Form, Reader, Verdict, reader_of
from transforms.harmonize.fast import (
    date_form,
    grouped_numbers,
    marks_seen,
    read_date,
    read_number,
    stamps,
    sure,
    thousands,
)
from transforms.harmonize.identifiers import identifying_values
from transforms.harmonize.texts import TEXT, UNIT
from transforms.harmonize.values.units import find_conversion, find_quantity

_JOIN = "\x1e"  # between unit key and text
_VECTOR = 1_000  # from so many distinct values on, another look by expressions pays


@dataclass
class Parsed:
    """The outputs of one column (as `OUTPUTS` lists them) and its findings."""

    outputs: list[pl.Series]
    issues: pl.DataFrame = field(default_factory=lambda: no_rows(ISSUE))


@dataclass
class Lookup:
    """Distinct texts with their outputs, and those that are findings."""

    keys: pl.Series
    outputs: list[pl.Series]
    bad: list[tuple[str, Verdict]]


def look_up(reader: Reader, keys: Sequence[str], texts: Sequence[str] | None = None) -> Lookup:
    """Outputs and findings of distinct values; `texts` are what to parse, if not the keys."""
    verdicts = reader.verdicts(list(texts if texts is not None else keys))
    types = OUTPUTS[reader.form.parser]
    outputs = [
        pl.Series([verdict.values[position] for verdict in verdicts], dtype=dtype)
        for position, dtype in enumerate(types)
    ]
    bad = [(key, verdict) for key, verdict in zip(keys, verdicts, strict=True) if verdict.severity]
    return Lookup(pl.Series(list(keys), dtype=pl.String), outputs, bad)


def spread(lookup: Lookup, texts: pl.Series, column: str, at: pl.Series | None = None) -> Parsed:
    """The outputs for each text, and issues at their rows.

    Args:
        lookup: Every distinct text of `texts`.
        texts: One text per row; null gives null.
        column: Canonical column for the issues.
        at: Row numbers of the texts in the batch; None if they are all its rows.
    """
    if lookup.keys.len() == 0:
        empty = [
            pl.Series([None], dtype=o.dtype).new_from_index(0, texts.len()) for o in lookup.outputs
        ]
        return Parsed(empty)
    frame = texts.to_frame("text")
    exprs = [
        pl.col("text")
        .replace_strict(lookup.keys, output, default=None, return_dtype=output.dtype)
        .alias(str(i))
        for i, output in enumerate(lookup.outputs)
    ]
    outputs = frame.select(exprs).get_columns()
    return Parsed(outputs, issues_of(lookup.bad, texts, column, at))


def issues_of(
    bad: Sequence[tuple[str, Verdict]], texts: pl.Series, column: str, at: pl.Series | None = None
) -> pl.DataFrame:
    """ISSUE rows of the texts that have a finding."""
    if not bad:
        return no_rows(ISSUE)
    found = pl.DataFrame(
        {
            "text": [text for text, _ in bad],
            "rule_id": [verdict.rule_id for _, verdict in bad],
            "severity": [verdict.severity for _, verdict in bad],
            "note": [verdict.note for _, verdict in bad],
        },
        schema={"text": pl.String, "rule_id": pl.String, "severity": pl.String, "note": pl.String},
    )
    rows = texts.is_in(found["text"].implode()).fill_null(False).arg_true()
    hit = pl.DataFrame(
        {"index": rows if at is None else at.gather(rows), "text": texts.gather(rows)}
    )
    joined = hit.join(found, on="text", how="left", maintain_order="left")
    return joined.select(
        pl.col("index").cast(pl.UInt32),
        pl.lit(column).alias("column"),
        "rule_id",
        "severity",
        "note",
    )


class ColumnParser:
    """Parses the text of one mapped column, batch after batch."""

    def __init__(self, name: str, form: Form) -> None:
        self.name = name
        self.form = form
        self.plain = form.pattern is None and form.precision is None

    def parse(self, frame: pl.DataFrame) -> Parsed:
        """The outputs for every row of a text frame."""
        name = TEXT + self.name if TEXT + self.name in frame.columns else self.name
        texts = frame[name]
        if texts.null_count() == texts.len():
            return spread(
                Lookup(pl.Series([], dtype=pl.String), self._empty(), []), texts, self.name
            )
        if self.form.parser == "date" and self.plain:
            return self._dates(texts)
        if self.form.parser == "number" and self.plain:
            return self._numbers(texts, frame)
        parsed = self._all_distinct(texts)
        if self.form.parser in ("text", "regimen"):
            self._private(parsed, texts)
        return parsed

    def _empty(self) -> list[pl.Series]:
        return [pl.Series([], dtype=dtype) for dtype in OUTPUTS[self.form.parser]]

    def _all_distinct(self, texts: pl.Series) -> Parsed:
        keys = texts.unique().drop_nulls().to_list()
        return spread(look_up(reader_of(self.form), sorted(keys)), texts, self.name)

    def _private(self, parsed: Parsed, texts: pl.Series) -> None:
        """Cells that hold a phone number or an e-mail address are findings; their text is not kept."""
        found = identifying_values(texts.unique().drop_nulls())
        if not found:
            return
        note = "the cell holds a phone number or an e-mail address: remove it"
        verdict = Verdict((None,), "error", "PRV-01", note)
        told = issues_of([(text, verdict) for text in found], texts, self.name)
        rest = parsed.issues.filter(~pl.col("index").is_in(told["index"].implode()))
        parsed.issues = pl.concat([rest, told]).sort("index")
        if self.form.parser == "text":
            hidden = texts.is_in(pl.Series(found).implode()).fill_null(False)
            parsed.outputs = [
                o.to_frame("v").select(pl.when(~hidden).then(pl.col("v"))).to_series()
                for o in parsed.outputs
            ]

    def _dates(self, texts: pl.Series) -> Parsed:
        form = self.form.dates or parsers.DateFormat()
        plain = date_form(texts.drop_nulls().first(), form.order)  # type: ignore[arg-type]
        frame = texts.to_frame("text").with_columns(date=read_date(pl.col("text"), plain))
        keep = sure(pl.col("date"), pl.col("text"), self.form.missing)
        frame = frame.with_columns(pl.when(keep).then(pl.col("date")).alias("date"))
        dates = frame["date"]
        rest = (dates.is_null() & texts.is_not_null()).arg_true()
        day = pl.lit("day", pl.String)
        known = frame.select(precision=pl.when(pl.col("date").is_not_null()).then(day))["precision"]
        side = pl.Series([None], dtype=pl.String).new_from_index(0, texts.len())
        if rest.len() == 0:
            return Parsed([dates, known, side])
        return self._patched([dates, known, side], rest, texts.gather(rest), self._slow_dates)

    def _slow_dates(self, keys: pl.Series) -> Lookup:
        if keys.len() < _VECTOR:
            return look_up(reader_of(self.form), keys.to_list())
        found = stamps(keys)
        clear = found.is_not_null()
        rest = look_up(reader_of(self.form), keys.filter(~clear).to_list())
        n = int(clear.sum())
        own = [
            found.filter(clear),
            pl.Series(["day"], dtype=pl.String).new_from_index(0, n),
            pl.Series([None], dtype=pl.String).new_from_index(0, n),
        ]
        return _stacked(keys.filter(clear), own, rest)

    def _patched(
        self, outputs: list[pl.Series], rest: pl.Series, texts: pl.Series, slow: Any
    ) -> Parsed:
        """Fast outputs with the rest looked up once per distinct text."""
        lookup = slow(texts.unique().sort())
        found = spread(lookup, texts, self.name, rest)
        merged = [
            fast.clone().scatter(rest, late) if late.null_count() < late.len() else fast
            for fast, late in zip(outputs, found.outputs, strict=True)
        ]
        return Parsed(merged, found.issues)

    def _numbers(self, texts: pl.Series, frame: pl.DataFrame) -> Parsed:
        form = self.form.numbers or parsers.NumberFormat()
        unit = UNIT + self.name
        quantity = f"{UNIT}{self.name}:quantity"
        column = pl.col("text")
        work = texts.to_frame("text")
        pairs: pl.Series | None = None
        if unit in frame.columns or quantity in frame.columns:
            pairs = _pairs(frame, unit, quantity, form)
        sample = texts.drop_nulls().head(_VECTOR)
        marks = marks_seen(sample, thousands(form.decimal, form.grouping))
        value = read_number(column, form.decimal, self.form.missing, marks)
        operator = pl.when(column.str.starts_with("<")).then(pl.lit("<"))
        work = work.with_columns(number=value).with_columns(
            comparator=pl.when(pl.col("number").is_not_null()).then(operator)
        )
        if pairs is None:
            return self._one_unit(texts, work, form)
        return self._many_units(texts, work, pairs, form)

    def _one_unit(self, texts: pl.Series, work: pl.DataFrame, form: parsers.NumberFormat) -> Parsed:
        factor = factor_of(form.quantity, form.unit)
        if factor is None:
            return self._all_distinct(texts)
        number = _scaled(pl.col("number"), factor)
        unit = pl.when(pl.col("number").is_not_null()).then(pl.lit(form.unit, pl.String))
        done = work.select(
            number.alias("number"), "comparator", unit=unit, side=pl.lit(None, pl.String)
        )
        outputs = done.get_columns()
        rest = (outputs[0].is_null() & texts.is_not_null()).arg_true()
        if rest.len() == 0:
            return Parsed(outputs)

        def slow(keys: pl.Series) -> Lookup:
            return self._slow_numbers(keys, form, factor)

        return self._patched(outputs, rest, texts.gather(rest), slow)

    def _slow_numbers(self, keys: pl.Series, form: parsers.NumberFormat, factor: float) -> Lookup:
        reader = reader_of(replace(self.form, numbers=form))
        if keys.len() < _VECTOR:
            return look_up(reader, keys.to_list())
        found = grouped_numbers(keys, form.decimal, form.grouping)
        clear = found["number"].is_not_null() & ~keys.is_in(
            pl.Series(self.form.missing, dtype=pl.String).implode()
        )
        rest = look_up(reader, keys.filter(~clear).to_list())
        good = found.filter(clear)
        n = good.height
        own = [
            good.select(_scaled(pl.col("number"), factor)).to_series(),
            good["comparator"],
            pl.Series([form.unit], dtype=pl.String).new_from_index(0, n),
            pl.Series([None], dtype=pl.String).new_from_index(0, n),
        ]
        return _stacked(keys.filter(clear), own, rest)

    def _many_units(
        self, texts: pl.Series, work: pl.DataFrame, pairs: pl.Series, form: parsers.NumberFormat
    ) -> Parsed:
        """Numbers whose unit (and quantity) stands in the row: one factor per distinct pair."""
        names = pairs.unique().drop_nulls().to_list()
        split = [tuple(part or None for part in name.split("\x1f")) for name in names]
        factors = [_row_factor(quantity, unit) for quantity, unit in split]
        keyed = pl.Series(names, dtype=pl.String)
        work = work.with_columns(
            pair=pairs,
            factor=pairs.replace_strict(keyed, pl.Series(factors, dtype=pl.Float64), default=None),
            reported=pairs.replace_strict(
                keyed, pl.Series([u for _, u in split], dtype=pl.String), default=None
            ),
        )
        scaled = (
            pl.when(pl.col("factor") == 1)
            .then(pl.col("number"))
            .otherwise((pl.col("number") * pl.col("factor")).round_sig_figs(12))
        )
        work = work.with_columns(scaled.alias("number"))
        sure_ = pl.col("number").is_not_null()
        outputs = work.select(
            "number",
            pl.when(sure_).then(pl.col("comparator")).alias("comparator"),
            pl.when(sure_).then(pl.col("reported")).alias("unit"),
            pl.lit(None, pl.String).alias("side"),
        ).get_columns()
        rest = (outputs[0].is_null() & texts.is_not_null()).arg_true()
        if rest.len() == 0:
            return Parsed(outputs)
        keys = work.select(pl.concat_str("pair", "text", separator=_JOIN)).to_series().gather(rest)
        return self._patched(outputs, rest, keys, lambda distinct: self._slow_pairs(distinct, form))

    def _slow_pairs(self, keys: pl.Series, form: parsers.NumberFormat) -> Lookup:
        by_pair: dict[str, list[str]] = {}
        for key in keys:
            by_pair.setdefault(key.split(_JOIN, 1)[0], []).append(key)
        found = [self._slow_pair(pair, members, form) for pair, members in by_pair.items()]
        outputs = [pl.concat([f.outputs[i] for f in found]) for i in range(len(found[0].outputs))]
        return Lookup(
            pl.concat([f.keys for f in found]), outputs, [b for f in found for b in f.bad]
        )

    def _slow_pair(self, pair: str, keys: list[str], form: parsers.NumberFormat) -> Lookup:
        quantity, unit = (part or None for part in pair.split("\x1f"))
        texts = [key.split(_JOIN, 1)[1] for key in keys]
        reader = reader_of(replace(self.form, numbers=replace(form, quantity=quantity, unit=unit)))
        lookup = look_up(reader, keys, texts)
        known = find_quantity(quantity)
        if unit is None and known is not None and known.canonical_unit not in ("1", "%"):
            lookup = _without_unit(lookup, known.rule_id, known.canonical_unit)
        return lookup


def _without_unit(lookup: Lookup, rule_id: str | None, canonical: str) -> Lookup:
    """Numbers whose row names no unit are not understood, unless the cell itself holds one."""
    note = f"the unit is missing; it is kept in {canonical}"
    bad = dict(lookup.bad)
    numbers, units = lookup.outputs[0].to_list(), lookup.outputs[2].to_list()
    for position, key in enumerate(lookup.keys.to_list()):
        if numbers[position] is not None and units[position] is None:
            numbers[position] = None
            bad[key] = Verdict((), "error", rule_id or "STR-06", note)
    outputs = [pl.Series(numbers, dtype=pl.Float64), *lookup.outputs[1:]]
    return Lookup(lookup.keys, outputs, list(bad.items()))


def _stacked(keys: pl.Series, outputs: list[pl.Series], rest: Lookup) -> Lookup:
    joined = [pl.concat([a, b], rechunk=True) for a, b in zip(outputs, rest.outputs, strict=True)]
    return Lookup(pl.concat([keys, rest.keys], rechunk=True), joined, rest.bad)


def _pairs(frame: pl.DataFrame, unit: str, quantity: str, form: parsers.NumberFormat) -> pl.Series:
    """Quantity and unit of each row, joined; empty where one is not given."""
    fixed_quantity = pl.lit(form.quantity or "", pl.String)
    fixed_unit = pl.lit(form.unit or "", pl.String)
    of_row = pl.col(quantity).fill_null("") if quantity in frame.columns else fixed_quantity
    unit_of_row = (
        pl.col(unit).str.strip_chars().fill_null("") if unit in frame.columns else fixed_unit
    )
    return frame.select(
        pl.concat_str(of_row, unit_of_row, separator="\x1f").alias("pair")
    ).to_series()


def factor_of(quantity: str | None, unit: str | None) -> float | None:
    """What a number is multiplied by; None if the unit is not known for the quantity."""
    if quantity is None or unit is None or find_quantity(quantity) is None:
        return 1.0
    conversion = find_conversion(quantity, unit)
    return None if conversion is None else float(conversion.factor)


def _row_factor(quantity: str | None, unit: str | None) -> float | None:
    """The same where the row names the unit: none given counts only where there is none to give."""
    known = find_quantity(quantity)
    if known is not None and unit is None and known.canonical_unit not in ("1", "%"):
        return None
    return factor_of(quantity, unit)


def _scaled(number: pl.Expr, factor: float) -> pl.Expr:
    return number if factor == 1 else (number * factor).round_sig_figs(12)
