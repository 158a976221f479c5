"""What tells the records of a patient apart, as text: `line_number=1 kind=BEST response_date=2023-05-02`."""

from __future__ import annotations

import polars as pl

from schemas.catalog import Table


def instance_expr(table: Table) -> pl.Expr:
    """The record inside patient and table, from the columns that the table declares.

    An empty value stays empty (`response_date=`); a table of one row per patient has the text ''.
    Rows that agree in it are one record to the query loop.
    """
    if not table.instance:
        return pl.lit("", dtype=pl.String)
    parts = [
        pl.format(f"{name}={{}}", pl.col(name).cast(pl.String).fill_null(""))
        for name in table.instance
    ]
    return pl.concat_str(parts, separator=" ")
