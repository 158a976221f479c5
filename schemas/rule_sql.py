"""SQL text of a rule → one Polars expression over a table and its context columns.

Three notations are added to what `polars.sql_expr` understands, by rewriting names only:

- `earliest(x)` and `latest(x)`: first and last day that a partial date can be. A partial date holds
  its first day, so the first is the column itself and the second a computed column `x@latest`.
- `infusion.infusion_date`: a column of a context table, joined to the row before it is judged.
- `delivery.export_date`: a fact of the delivery.

SQL's own three values are kept: a comparison with something missing is null, which means that the
rule could not be evaluated on that row.
"""

from __future__ import annotations

import re
from functools import cache

import polars as pl

LATEST = "@latest"

_TOKEN = re.compile(
    r"""(?P<text>'(?:[^']|'')*')
      | (?P<quoted>"[^"]*")
      | \b(?P<end>earliest|latest)\s*\(\s*(?P<operand>[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)?)\s*\)
      | \b(?P<joined>[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*)\b
    """,
    re.VERBOSE,
)


def expression(sql: str) -> pl.Expr:
    """The expression of one SQL condition.

    Raises:
        ValueError: the text is not an expression that Polars understands; the message says why.
    """
    try:
        return pl.sql_expr(_TOKEN.sub(_rewrite, sql))
    except pl.exceptions.PolarsError as error:
        raise ValueError(str(error).splitlines()[0]) from None


def condition(fails: str, applies: str | None = None) -> pl.Expr:
    """True where a row violates, False where it holds, null where it cannot or need not be judged."""
    expr = expression(fails)
    return expr if applies is None else pl.when(expression(applies)).then(expr)


def conjuncts(sql: str) -> list[str]:
    """The conditions that a condition joins by AND; itself where its parts are not plain to see."""
    parts = re.split(r"\s+AND\s+", sql)
    plain = all(part.count("(") == part.count(")") and part.count("'") % 2 == 0 for part in parts)
    return parts if plain and not re.search(r"\b(OR|BETWEEN|CASE)\b", sql) else [sql]


def columns_of(expr: pl.Expr) -> tuple[str, ...]:
    """Names of all columns that an expression reads, sorted."""
    return tuple(sorted(set(expr.meta.root_names())))


def dated(expr: pl.Expr) -> set[str]:
    """Names of all columns that an expression reads; a date stands for both of its ends."""
    return {name.removesuffix(LATEST) for name in columns_of(expr)}


@cache
def latest_day(column: str) -> pl.Expr:
    """The last day that the (partial) date in `column` can be, named `<column>@latest`."""
    date, precision = pl.col(column), pl.col(f"{column}_precision")
    return (
        pl.when(precision == "month")
        .then(date.dt.month_end())
        .when(precision == "year")
        .then(pl.date(date.dt.year(), 12, 31))
        .otherwise(date)
        .alias(column + LATEST)
    )


def _rewrite(match: re.Match[str]) -> str:
    if match["end"]:
        return f'"{match["operand"]}{LATEST if match["end"] == "latest" else ""}"'
    return f'"{match["joined"]}"' if match["joined"] else match[0]
