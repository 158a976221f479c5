"""How the text of one mapped column becomes typed outputs, as expressions over a whole text frame.

A `ColumnParser` does not touch frames. The block (`assemble.py`) asks all its columns for their
expressions and runs each stage as one `select`, because a call costs more than a small table:

1. `look`: what a column looks like (first date, thousands marks, units);
2. `fast`, `check`: plain dates and numbers by expressions;
3. `rest`: the distinct texts that are left;
4. `outputs`: the fast values, with the rest looked up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from transforms.harmonize import values as parsers
from transforms.harmonize.distinct import Reader, reader_of
from transforms.harmonize.fast import (
    date_form,
    grouped_numbers,
    operator,
    read_date,
    read_number,
    stamps,
    sure,
    thousands,
)
from transforms.harmonize.identifiers import identifying_values
from transforms.harmonize.units import PAIR, Pairs, factor_of, scaled
from transforms.harmonize.verdicts import OUTPUTS, Form, Verdict

_VECTOR = 1_000  # from so many distinct values on, another look by expressions pays
_SAMPLE = 1_000
NOT_HERE = "the cell holds what identifies a person (a name, a birth date, a number, an address): remove it"


@dataclass
class Lookup:
    """Distinct keys with their outputs (None: all null), and those that are findings."""

    keys: pl.Series
    outputs: list[pl.Series | None]
    bad: list[tuple[str, Verdict]] = field(default_factory=list)


def look_up(reader: Reader, keys: Sequence[str], texts: Sequence[str] | None = None) -> Lookup:
    """Outputs and findings of distinct values; `texts` are what to parse, if not the keys."""
    verdicts = reader.verdicts(list(texts if texts is not None else keys))
    outputs: list[pl.Series | None] = []
    for position, dtype in enumerate(OUTPUTS[reader.form.parser]):
        column = [verdict.values[position] for verdict in verdicts]
        known = any(value is not None for value in column)
        outputs.append(pl.Series(column, dtype=dtype) if known else None)
    bad = [(key, verdict) for key, verdict in zip(keys, verdicts, strict=True) if verdict.severity]
    return Lookup(pl.Series(list(keys), dtype=pl.String), outputs, bad)


class ColumnParser:
    """Parses the text of one column.

    Args:
        name: Canonical column.
        form: How its text is written.
        text: Column of the text frame that is parsed.
        pairs: For numbers whose unit or quantity stands in the row.
        types: Of the outputs, where they are not those of the parser (codes as Enum).
    """

    def __init__(
        self,
        name: str,
        form: Form,
        text: str,
        pairs: Pairs | None = None,
        types: Sequence[pl.DataType] | None = None,
    ) -> None:
        self.name = name
        self.form = form
        self.text = pl.col(text)
        self.text_name = text
        self.pairs = pairs
        self.types = types or OUTPUTS[form.parser]
        plain = form.pattern is None and form.precision is None and not form.own
        self.is_date = form.parser == "date" and plain
        self.is_number = form.parser == "number" and plain
        self.factor: float | None = None
        if self.is_number and pairs is None and form.numbers is not None:
            self.factor = factor_of(form.numbers.quantity, form.numbers.unit)
            self.is_number = self.factor is not None
        self.reader = reader_of(form)
        self.fast_name = f"f:{name}"
        self.pair_name = f"{PAIR}{name}"

    @property
    def has_fast(self) -> bool:
        """True if some texts are read by expressions."""
        return self.is_date or self.is_number

    def look(self) -> list[pl.Expr]:
        """One-row expressions: what must be known before parsing."""
        exprs = [self.text.null_count().alias(f"n:{self.name}")]
        if self.is_date:
            exprs.append(self.text.drop_nulls().first().alias(f"s:{self.name}"))
        if self.is_number and self.form.numbers is not None:
            numbers = self.form.numbers
            sample = self.text.drop_nulls().head(_SAMPLE)
            for position, mark in enumerate(thousands(numbers.decimal, numbers.grouping)):
                seen = sample.str.contains(mark, literal=True).any()
                exprs.append(seen.alias(f"m{position}:{self.name}"))
            if self.pairs is not None:
                exprs.append(self.pairs.key.unique().implode().alias(f"p:{self.name}"))
        return exprs

    def fast(self, seen: Mapping[str, Any]) -> list[pl.Expr]:
        """Columns to add: dates or numbers of texts in the plain form."""
        if self.is_date and self.form.dates is not None:
            plain = date_form(seen[f"s:{self.name}"], self.form.dates.order)
            return [read_date(self.text, plain).alias(self.fast_name)]
        if not self.is_number or self.form.numbers is None:
            return []
        numbers = self.form.numbers
        marks = "".join(
            mark
            for position, mark in enumerate(thousands(numbers.decimal, numbers.grouping))
            if seen[f"m{position}:{self.name}"]
        )
        number = read_number(self.text, numbers.decimal, self.form.missing, marks)
        if self.pairs is None:
            return [scaled(number, self.factor or 1.0).alias(self.fast_name)]
        self.pairs.learn(seen[f"p:{self.name}"])
        return [self.pairs.key.alias(self.pair_name), number.alias(self.fast_name)]

    def check(self) -> list[pl.Expr]:
        """Columns to replace: fast values that are beyond doubt, in the canonical unit."""
        fast = pl.col(self.fast_name)
        if self.is_date:
            keep = sure(fast, self.text, self.form.missing)
            return [pl.when(keep).then(fast).alias(self.fast_name)]
        if self.is_number and self.pairs is not None:
            return [self.pairs.scale(fast, pl.col(self.pair_name)).alias(self.fast_name)]
        return []

    @property
    def key(self) -> pl.Expr:
        """What is looked up: the text, with its quantity and unit where they stand in the row."""
        if self.is_number and self.pairs is not None:
            return self.pairs.with_text(pl.col(self.pair_name), self.text)
        return self.text

    def rest(self) -> pl.Expr:
        """The distinct keys that the fast way leaves, as one list."""
        key = self.key
        if self.has_fast:
            key = key.filter(pl.col(self.fast_name).is_null() & self.text.is_not_null())
        return key.unique().drop_nulls().implode().alias(self.name)

    def find(self, keys: pl.Series) -> Lookup:
        """Outputs and findings of the distinct keys."""
        if self.is_number and self.pairs is not None:
            return self._find_pairs(keys)
        if keys.len() >= _VECTOR and self.is_date:
            return self._vector_dates(keys)
        if keys.len() >= _VECTOR and self.is_number:
            assert self.form.numbers is not None
            return self._vector_numbers(keys, keys, self.form.numbers, self.factor or 1.0)
        lookup = look_up(self.reader, keys.to_list())
        free = self.form.parser in ("text", "regimen") and not self.form.may_identify
        return _private(lookup, self.form.parser) if free else lookup

    def outputs(self, lookup: Lookup | None) -> list[pl.Expr | None]:
        """One expression per output of the parser; None where all rows are null."""
        late = self._late(lookup)
        if not self.has_fast:
            return late
        fast = pl.col(self.fast_name)
        known = fast.is_not_null()
        first: list[pl.Expr | None] = [fast, *[None] * (len(late) - 1)]
        if self.is_date:
            first[1] = pl.when(known).then(pl.lit("day", self.types[1]))
        else:
            first[1] = operator(known, self.text, self.types[1])
            unit = self._fast_unit(self.types[2])
            first[2] = pl.when(known).then(unit) if unit is not None else None
        merged: list[pl.Expr | None] = []
        for one, other in zip(first, late, strict=True):
            both = one is not None and other is not None
            merged.append(pl.coalesce(one, other) if both else (one if one is not None else other))
        return merged

    def _fast_unit(self, dtype: pl.DataType) -> pl.Expr | None:
        if self.pairs is not None:
            return self.pairs.unit(pl.col(self.pair_name)).cast(dtype)
        unit = self.form.numbers.unit if self.form.numbers is not None else None
        return pl.lit(unit, dtype) if unit is not None else None

    def _late(self, lookup: Lookup | None) -> list[pl.Expr | None]:
        if lookup is None or lookup.keys.len() == 0:
            return [None] * len(OUTPUTS[self.form.parser])
        key = self.key
        if self.has_fast:
            key = pl.when(pl.col(self.fast_name).is_null()).then(key)
        return [
            None
            if output is None
            else key.replace_strict(
                lookup.keys, output.cast(dtype), default=None, return_dtype=dtype
            )
            for output, dtype in zip(lookup.outputs, self.types, strict=True)
        ]

    def _vector_dates(self, keys: pl.Series) -> Lookup:
        found = stamps(keys)
        clear = found.is_not_null()
        rest = look_up(self.reader, keys.filter(~clear).to_list())
        day = pl.Series(["day"], dtype=pl.String).new_from_index(0, int(clear.sum()))
        return _stacked(self.form, keys.filter(clear), [found.filter(clear), day, None], rest)

    def _vector_numbers(
        self, keys: pl.Series, texts: pl.Series, numbers: parsers.NumberFormat, factor: float
    ) -> Lookup:
        """Many distinct numbers of one quantity and unit: expressions first, then the parser."""
        found = grouped_numbers(texts, numbers.decimal, numbers.grouping)
        declared = pl.Series(self.form.missing, dtype=pl.String).implode()
        clear = found["number"].is_not_null() & ~texts.is_in(declared)
        reader = reader_of(replace(self.form, numbers=numbers))
        rest = look_up(reader, keys.filter(~clear).to_list(), texts.filter(~clear).to_list())
        good = found.filter(clear)
        number = good.select(scaled(pl.col("number"), factor)).to_series()
        unit = pl.Series([numbers.unit], dtype=pl.String).new_from_index(0, good.height)
        own = [number, good["comparator"], unit, None]
        return _stacked(self.form, keys.filter(clear), own, rest)

    def _find_pairs(self, keys: pl.Series) -> Lookup:
        """Numbers by their quantity and unit: one reader per pair."""
        assert self.pairs is not None
        assert self.form.numbers is not None
        parts = []
        for pair, texts in self.pairs.split(keys.to_list()).items():
            quantity, unit, problem = self.pairs.meaning(pair)
            numbers = replace(self.form.numbers, quantity=quantity, unit=unit)
            full = [self.pairs.join(pair, text) for text in texts]
            factor = None if problem else factor_of(quantity, unit)
            if len(texts) >= _VECTOR and factor is not None:
                columns = (pl.Series(full), pl.Series(texts))
                parts.append(self._vector_numbers(*columns, numbers, factor))
                continue
            lookup = look_up(reader_of(replace(self.form, numbers=numbers)), full, texts)
            parts.append(_without_unit(lookup, problem) if problem else lookup)
        outputs: list[pl.Series | None] = []
        for position, dtype in enumerate(OUTPUTS[self.form.parser]):
            filled = [_filled(part, position, dtype) for part in parts]
            outputs.append(pl.concat(filled) if filled else None)
        keys = pl.concat([part.keys for part in parts]) if parts else keys
        return Lookup(keys, outputs, [entry for part in parts for entry in part.bad])


def _filled(lookup: Lookup, position: int, dtype: pl.DataType) -> pl.Series:
    output = lookup.outputs[position]
    if output is not None:
        return output
    return pl.Series([None], dtype=dtype).new_from_index(0, lookup.keys.len())


def _stacked(form: Form, keys: pl.Series, outputs: list[pl.Series | None], rest: Lookup) -> Lookup:
    own = Lookup(keys, outputs)
    joined: list[pl.Series | None] = [
        pl.concat([_filled(own, i, dtype), _filled(rest, i, dtype)], rechunk=True)
        for i, dtype in enumerate(OUTPUTS[form.parser])
    ]
    return Lookup(pl.concat([keys, rest.keys], rechunk=True), joined, rest.bad)


def _without_unit(lookup: Lookup, problem: tuple[str, str]) -> Lookup:
    """Numbers whose row names no unit are not understood, unless the cell itself holds one."""
    rule_id, note = problem
    numbers = _filled(lookup, 0, pl.Float64()).to_list()
    units = _filled(lookup, 2, pl.String()).to_list()
    bad = dict(lookup.bad)
    for position, key in enumerate(lookup.keys.to_list()):
        if numbers[position] is not None and units[position] is None:
            numbers[position] = None
            bad[key] = Verdict((), "error", rule_id, note)
    outputs = [pl.Series(numbers, dtype=pl.Float64), *lookup.outputs[1:]]
    return Lookup(lookup.keys, outputs, list(bad.items()))


def _private(lookup: Lookup, parser: str) -> Lookup:
    """Cells that identify a person are findings, and no text of their column is kept."""
    found = set(identifying_values(lookup.keys))
    if not found:
        return lookup
    told = [(key, Verdict((None,), "error", "PRV-01", NOT_HERE)) for key in sorted(found)]
    bad = [entry for entry in lookup.bad if entry[0] not in found] + told
    if parser != "text" or lookup.outputs[0] is None:
        return Lookup(lookup.keys, lookup.outputs, bad)
    return Lookup(lookup.keys, [None], bad)
