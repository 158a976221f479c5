"""Values as understood: which differ between two paired rows, and as text."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.catalog import Column, Table
from warehouse.delivery_diff.rows import columns_of
from warehouse.queries.instances import instance_expr

_MARK = "as is: "
VALUE = pl.Schema(
    {
        "b": pl.UInt32(),
        "a": pl.UInt32(),
        "column": pl.String(),
        "before": pl.String(),
        "after": pl.String(),
    }
)


def changed_values(
    before: pl.DataFrame,
    after: pl.DataFrame,
    same: pl.DataFrame,
    table: Table,
    apart: Mapping[str, list[str]],
) -> pl.DataFrame:
    """VALUE: one row per value that differs, nulls included.

    Args:
        before: Rows before.
        after: Rows after.
        same: `b` and `a`, the rows to compare.
        table: Their table.
        apart: Column → centers that did not deliver it on both sides, whose values are not compared.
    """
    differs = _differing(before, after, same, table) if same.height else []
    if not differs:
        return pl.DataFrame(schema=VALUE)
    names = [column.name for column in differs]
    left = before[same["b"]].select("center_id", *map(_value, differs), *map(value_text, differs))
    right = after[same["a"]].select(*map(_value, differs), *map(value_text, differs))
    values = [_MARK + name for name in names]
    unlike = pl.DataFrame(
        [
            left[value].ne_missing(right[value]) & ~left["center_id"].is_in(apart[name])
            if name in apart
            else left[value].ne_missing(right[value])
            for name, value in zip(names, values, strict=True)
        ]
    )
    cells = pl.concat([same, left.select(names)], how="horizontal").unpivot(
        names, index=["b", "a"], variable_name="column", value_name="before"
    )
    return cells.with_columns(
        right.select(names).unpivot(names, value_name="after")["after"],
    ).filter(unlike.unpivot(values, value_name="unlike")["unlike"])


def _differing(
    before: pl.DataFrame, after: pl.DataFrame, same: pl.DataFrame, table: Table
) -> list[Column]:
    """The columns in which any pair differs."""
    names = columns_of(table)
    both = pl.concat(
        [
            before[same["b"]].select(names),
            after[same["a"]].select(pl.col(n).alias(f"{n} after") for n in names),
        ],
        how="horizontal",
    )
    unlike = both.select(pl.col(n).ne_missing(pl.col(f"{n} after")).any() for n in names).row(0)
    found = {table.home(n) for n, differs in zip(names, unlike, strict=True) if differs}
    return [column for column in table.columns if column.name in found]


def _value(column: Column) -> pl.Expr:
    """The value with what belongs to it, to be compared."""
    own = [column.name, *(n for n in column.companions if not n.endswith("_unit"))]
    return (pl.struct(own) if len(own) > 1 else pl.col(own[0])).alias(_MARK + column.name)


def value_text(column: Column) -> pl.Expr:
    """The value as text: a partial date as far as it is known, a number with its comparator."""
    value = pl.col(column.name)
    text = value.cast(pl.String)
    if column.kind == "date":
        precision = pl.col(f"{column.name}_precision").cast(pl.String)
        known = precision.replace_strict({"year": 4, "month": 7}, default=10, return_dtype=pl.Int64)
        text = text.str.slice(0, known)
    elif column.kind == "number":
        comparator = pl.col(f"{column.name}_comparator").cast(pl.String).fill_null("")
        text = comparator + text.str.strip_suffix(".0")
    return text.alias(column.name)


def record_text(table: Table) -> pl.Expr:
    """All that is known of a row: `column=value; column=value`."""
    parts = [pl.format(f"{c.name}={{}}", value_text(c)) for c in table.columns]
    return pl.concat_str(parts, separator="; ", ignore_nulls=True)


def instance_text(table: Table) -> pl.Expr:
    """The record inside patient and table."""
    return instance_expr(table).alias("instance")
