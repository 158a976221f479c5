"""What every parser shares: verdicts, the missing tokens and the frames that come out."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from transforms.harmonize.values.match import match_key

OK = "ok"
MISSING = "missing"
WARNING = "warning"
ERROR = "error"

VOCABULARIES = Path(__file__).parents[3] / "schemas" / "vocabularies"

COMMON = {"status": pl.String(), "rule_id": pl.String(), "note": pl.String()}


def read_csv(name: str) -> list[dict[str, str]]:
    """The rows of `schemas/vocabularies/<name>.csv` as text."""
    with (VOCABULARIES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def load_missing_tokens(kind: str) -> frozenset[str]:
    """Match keys that say "no value" in columns of that kind, in four languages.

    Args:
        kind: `date`, `number`, `code`, `response` or `text`.

    Returns:
        The keys of `schemas/vocabularies/missing.csv` whose `kinds` name the kind or `any`.
        Numeric codes such as -99 are never among them: a spec declares those.
    """
    return frozenset(
        match_key(row["spelling"])
        for row in read_csv("missing")
        if {"any", kind} & set(row["kinds"].split("|"))
    )


@cache
def declared_tokens(tokens: tuple[str, ...]) -> frozenset[str]:
    """Match keys of the missing tokens that a spec declares."""
    return frozenset(match_key(token) for token in tokens)


def is_missing(text: str | None, kind: str, declared: tuple[str, ...] = ()) -> bool:
    """True if the cell is empty or says in words that there is no value."""
    if text is None or not text.strip():
        return True
    key = match_key(text)
    return not key or key in load_missing_tokens(kind) or key in declared_tokens(declared)


Row = Mapping[str, Any]
"""What a parser says of one value; columns left out are null, a status left out is `ok`."""
_NONE: Row = {"status": MISSING}


def result_rows(
    values: Sequence[str | None],
    parse: Callable[[str], Row],
    missing: Callable[[str | None], bool],
) -> list[Row]:
    """What `parse` says of each value, or the status `missing`.

    Args:
        values: Distinct values of a column, as read.
        parse: Called with each value that is not missing.
        missing: Whether a value stands for no value.
    """
    return [_NONE if missing(value) else parse(value or "") for value in values]


def result_frame(
    values: Sequence[str | None], schema: Mapping[str, pl.DataType], rows: Sequence[Row]
) -> pl.DataFrame:
    """The rows of the values as a frame.

    Args:
        values: Distinct values of a column, as read.
        schema: Columns between `value` and the common ones, with their types.
        rows: From `result_rows`.

    Returns:
        `value`, the columns of `schema`, `status`, `rule_id`, `note`; same height and order.
    """
    columns: dict[str, list[Any]] = {name: [] for name in (*schema, *COMMON)}
    for row in rows:
        for name, column in columns.items():
            column.append(row.get(name, OK if name == "status" else None))
    data = {"value": pl.Series("value", list(values), dtype=pl.String)}
    data.update(
        {
            name: pl.Series(name, columns[name], dtype=dtype)
            for name, dtype in {**schema, **COMMON}.items()
        }
    )
    return pl.DataFrame(data)


def error(rule_id: str, note: str, **columns: Any) -> dict[str, Any]:
    """A value that was not understood; `note` tells the center what was expected."""
    return {"status": ERROR, "rule_id": rule_id, "note": note, **columns}


def warning(note: str, rule_id: str | None = None, **columns: Any) -> dict[str, Any]:
    """A value that was understood with a remark; without `rule_id` the remark is no finding."""
    return {"status": WARNING, "rule_id": rule_id, "note": note, **columns}
