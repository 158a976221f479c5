"""Which rows a finding on an entry that occurs several times names beside its own.

In a small group every row names all others. In a larger one that would be the square of its size: a file of
20 kB that repeats one line would make millions of fields. There a row names one other, the first,
and the finding says how many there are.
"""

from __future__ import annotations

import polars as pl

NAMED = 5  # rows: up to so many all are named
# Told to the center: `queries/notes.yaml` has it in the other languages.
_MANY = "the same entry occurs {} times, with its own row one other is named here"
SIZE = "size"


def with_size(marked: pl.DataFrame) -> pl.DataFrame:
    """Rows that share a key (`index`, `group`, ..., in file order) with the `size` of their group."""
    return marked.with_columns(pl.len().over("group").alias(SIZE))


def told(message: str) -> pl.Expr:
    """What is told of a row in a group of so many: the rule's message, or how many there are."""
    return (
        pl.when(pl.col(SIZE) > NAMED)
        .then(pl.format(_MANY, pl.col(SIZE)))
        .otherwise(pl.lit(message))
        .alias("message")
    )


def others(numbered: pl.DataFrame, sized: pl.DataFrame) -> pl.DataFrame:
    """`hit` and `index` of the rows that each finding names beside its own, at most NAMED - 1.

    Args:
        numbered: The flagged rows: `hit`, `group`, `size`, `index`.
        sized: All rows of the groups, in file order, by `with_size`.
    """
    some = pl.col(SIZE) <= NAMED
    own = numbered.select("hit", "group", SIZE, own="index")
    first = pl.col("index").first()
    ends = sized.filter(~some).group_by("group").agg(first=first, second=pl.col("index").get(1))
    named = [
        own.filter(some).join(sized.select("group", "index"), on="group"),
        own.filter(~some)
        .join(ends, on="group")
        .with_columns(
            pl.when(pl.col("own") == pl.col("first"))
            .then("second")
            .otherwise("first")
            .alias("index")
        )
        .drop("first", "second"),
    ]
    return pl.concat(named).filter(pl.col("own") != pl.col("index")).select("hit", "index")
