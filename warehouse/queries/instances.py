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


def weak_instance(column: str, involved: str) -> pl.Expr:
    """The instance without the values of the columns that a list column names.

    What is left tells whether two records could be one whose key was corrected.

    Args:
        column: of instances.
        involved: of lists of canonical columns; companions (`_precision`) do no harm.
    """
    part = pl.element()
    name = part.str.extract(r"^([a-z_]+)=")
    return (
        pl.col(column)
        .str.split(" ")
        .list.eval(name)
        .list.set_difference(pl.col(involved))
        .list.sort()
        .list.join(" ")
        .alias("kept_columns")
    )
