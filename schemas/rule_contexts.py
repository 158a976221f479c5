"""What the contexts of rules offer: the columns of their table, or what they aggregate."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.catalog import Table
from schemas.rule_sql import expression
from schemas.rules import Context


def context_schema(context: Context, tables: Mapping[str, Table]) -> dict[str, pl.DataType]:
    """Columns that a context offers, with their types."""
    schema: dict[str, pl.DataType] = dict(tables[context.table].frame_schema)
    empty = pl.DataFrame(schema=schema)
    for name, sql in context.aggregate.items():
        schema[name] = empty.select(expression(sql).alias(name)).schema[name]
    return schema
