"""Canonical columns of a small text frame in plain Python: each distinct text is looked up once.

A call of the frame library costs more than a few hundred cells. `assemble.py` does the same for
larger frames by expressions (`parse.py`); tests hold both ways equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from transforms.harmonize.batch import ISSUE, NO_ISSUES
from transforms.harmonize.cells import ID, ROW
from transforms.harmonize.distinct import reader_of
from transforms.harmonize.identifiers import identifying_values
from transforms.harmonize.parse import NOT_HERE, ColumnParser
from transforms.harmonize.plan import ColumnPlan
from transforms.harmonize.row_ids import PARTS
from transforms.harmonize.texts import MAP, SRC, START, one
from transforms.harmonize.verdicts import OUTPUTS, Verdict

Cells = list[Any]


class FewRows:
    """Outputs and findings of the columns of one small text frame."""

    def __init__(self, texts: pl.DataFrame) -> None:
        self.texts = texts
        self._issues: list[tuple[int, str, str | None, str | None, str | None]] = []

    def read(self, parser: ColumnParser) -> list[Cells | None] | None:
        """One list per output of the parser (None: all null); None for an empty column."""
        column = self.texts.get_column(parser.text_name)
        if column.null_count() == self.texts.height:
            return None
        if by_pair(parser):
            column = self.texts.select(_pair_key(parser)).to_series()
        keys = column.to_list()
        distinct = [key for key in dict.fromkeys(keys) if key is not None]
        known = dict(zip(distinct, _verdicts(parser, distinct), strict=True))
        if any(verdict.severity for verdict in known.values()):
            self._note(parser.name, keys, known)
        outputs: list[Cells | None] = []
        for position in range(len(OUTPUTS[parser.form.parser])):
            values = {key: verdict.values[position] for key, verdict in known.items()}
            filled = any(value is not None for value in values.values())
            outputs.append([values.get(key) for key in keys] if filled else None)
        return outputs

    def _note(self, name: str, keys: Sequence[str | None], known: Mapping[str, Verdict]) -> None:
        for index, key in enumerate(keys):
            verdict = known[key] if key is not None else None
            if verdict is not None and verdict.severity:
                line = (index, name, verdict.rule_id, verdict.severity, verdict.note)
                self._issues.append(line)

    @property
    def issues(self) -> pl.DataFrame:
        """ISSUE rows of the columns read, column by column."""
        if not self._issues:
            return NO_ISSUES
        return pl.DataFrame(self._issues, schema=ISSUE, orient="row")


def by_pair(parser: ColumnParser) -> bool:
    """True where quantity or unit stand in the row."""
    return parser.is_number and parser.pairs is not None


def _pair_key(parser: ColumnParser) -> pl.Expr:
    assert parser.pairs is not None
    return parser.pairs.with_text(parser.pairs.key, parser.text)


def _verdicts(parser: ColumnParser, keys: list[str]) -> list[Verdict]:
    if by_pair(parser):
        return _by_pair(parser, keys)
    verdicts = parser.reader.verdicts(keys)
    kind = parser.form.parser
    if kind not in ("text", "regimen") or parser.form.may_identify:
        return verdicts
    private = set(identifying_values(keys))
    if not private:
        return verdicts
    if kind == "text":  # no text of the column is kept
        verdicts = [verdict._replace(values=(None,)) for verdict in verdicts]
    return [
        Verdict(verdict.values, "error", "PRV-01", NOT_HERE) if key in private else verdict
        for key, verdict in zip(keys, verdicts, strict=True)
    ]


def _by_pair(parser: ColumnParser, keys: list[str]) -> list[Verdict]:
    """Numbers by their quantity and unit: one reader per pair."""
    assert parser.pairs is not None
    assert parser.form.numbers is not None
    found: dict[str, Verdict] = {}
    for pair, texts in parser.pairs.split(keys).items():
        quantity, unit, problem = parser.pairs.meaning(pair)
        numbers = replace(parser.form.numbers, quantity=quantity, unit=unit)
        verdicts = reader_of(replace(parser.form, numbers=numbers)).verdicts(texts)
        for text, verdict in zip(texts, verdicts, strict=True):
            number, comparator, own, side = verdict.values
            key = parser.pairs.join(pair, text)
            found[key] = verdict
            if problem is not None and number is not None and own is None:
                rule_id, note = problem
                found[key] = Verdict((None, comparator, own, side), "error", rule_id, note)
    return [found[key] for key in keys]


def constants(plans: Iterable[ColumnPlan], texts: pl.DataFrame) -> dict[str, Any]:
    """Constants as their types; `schemas.spec.load` has checked that they are."""
    columns: dict[str, Any] = {}
    for plan in plans:
        if plan.rule.constant is not None:
            column, text = plan.column, texts.get_column(plan.column.name)
            columns[column.name] = text
            if column.kind in ("integer", "number"):
                columns[column.name] = text.cast(column.dtype)
            elif column.kind == "date":
                columns[column.name] = text.str.to_date("%Y-%m-%d")
                columns[f"{column.name}_precision"] = ["day"] * texts.height
    return columns


def canonical(
    texts: pl.DataFrame,
    columns: Mapping[str, Any],
    schema: Mapping[str, pl.DataType],
    center_id: str,
) -> pl.DataFrame:
    """The frame of the table: who and where, then each column; null where there is none."""
    height = texts.height
    row = texts.get_column(ROW)
    found = [
        one(center_id, schema["center_id"]).new_from_index(0, height).alias("center_id"),
        texts.get_column(ID).alias("patient_id"),
        (texts.get_column(START) + row.cast(pl.Int64) * PARTS).alias("row_id"),
        texts.get_column(SRC).alias("source_id"),
        row.alias("source_row"),
        texts.get_column(MAP).alias("map_id"),
    ]
    for name, dtype in list(schema.items())[len(found) :]:
        values = columns.get(name)
        if values is None:
            found.append(one(None, dtype).new_from_index(0, height).alias(name))
        elif isinstance(values, pl.Series):
            found.append(values.cast(dtype).alias(name))
        else:
            found.append(pl.Series(name, values, dtype=dtype))
    return pl.DataFrame(found)


def sides(columns: dict[str, Any], name: str, target: str) -> None:
    """What a text in column `name` tells about `target`, where that is empty."""
    side = columns.pop(f"{name}:side", None)
    if side is None:
        return
    mark = f"{target}="
    told = [text[len(mark) :] if text and text.startswith(mark) else None for text in side]
    own = columns.get(target)
    if own is not None:
        told = [text if value is None else value for value, text in zip(own, told, strict=True)]
    columns[target] = told


def numbered(texts: pl.DataFrame, by: Sequence[Any]) -> list[int]:
    """1, 2, 3 ... within each patient by the value (rows without one last), then by row."""
    ids = texts[ID].to_list()
    lines = zip(ids, by, texts[SRC].to_list(), texts[ROW].to_list(), strict=True)
    ordered = sorted(
        (patient, (1,) if value is None else (0, value), source, row, at)
        for at, (patient, value, source, row) in enumerate(lines)
    )
    count: dict[str, int] = {}
    numbers = [0] * len(ids)
    for patient, *_, at in ordered:
        count[patient] = count.get(patient, 0) + 1
        numbers[at] = count[patient]
    return numbers
