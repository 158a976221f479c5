"""The cells that a question is about, as text that a person reads: `Beginn: 2023-02-01; Ende: –`."""

from __future__ import annotations

import polars as pl

from schemas.catalog import Catalog
from schemas.queries import Words

_EMPTY = "–"
_MOST = 12  # cells that are named one by one; a question may be about a thousand rows
_SEPARATOR = "; "
LISTED = ("field_name", "file", "sheet", "row", "column", "value", "understood")


def listed(cells: pl.DataFrame, catalog: Catalog, words: Words) -> pl.DataFrame:
    """One row per `query_id`: `place` and `LISTED`, all text.

    `place` is the same for queries about the same cells, null where a cell has no address. `field_name`
    is the first cell's header. Of one cell `value` is its text; several cells are named before theirs.

    Args:
        cells: `query_id` and FINDING_FIELD, in the order in which they are to be named.
        catalog: For what codes and columns mean.
        words: Of the language.
    """
    cells = cells.unique(
        ["query_id", "file", "sheet", "row", "source_column", "table", "column"],
        keep="first",
        maintain_order=True,
    )
    known = labels(catalog, words)
    cells = cells.join(known, on=["table", "column"], how="left", maintain_order="left")
    cells = _named(_with_meaning(cells, catalog, words), words)
    spot = pl.concat_str(
        *(pl.col(name).cast(pl.String) for name in ("file", "source_column")), separator="\x1f"
    ) + pl.concat_str(
        *(pl.col(name).cast(pl.String).fill_null("") for name in ("sheet", "row")),
        separator="\x1f",
    )
    grouped = cells.with_columns(spot.alias("spot")).group_by("query_id", maintain_order=True)
    return grouped.agg(
        pl.when(pl.col("spot").is_not_null().all())
        .then(pl.col("spot").unique().sort().str.join("\x1e"))
        .alias("place"),
        pl.col("name").first().alias("field_name"),
        _distinct("file", words),
        _distinct("sheet", words),
        _distinct("row", words),
        _distinct("source_column", words).alias("column"),
        _joined("value", words),
        _joined("meaning", words).alias("understood"),
    ).select("query_id", "place", *LISTED)


def labels(catalog: Catalog, words: Words) -> pl.DataFrame:
    """`table`, `column`, `label` and `kind` of every canonical column, in the language."""
    rows = [
        (table.name, column.name, words.label(column.label), column.kind)
        for table in catalog.tables.values()
        for column in table.columns
    ]
    schema = dict.fromkeys(("table", "column", "label", "kind"), pl.String())
    return pl.DataFrame(rows, schema, orient="row")


def _with_meaning(cells: pl.DataFrame, catalog: Catalog, words: Words) -> pl.DataFrame:
    """`meaning`: what was understood; a code with its label, a number without the 0 that it lacks."""
    keys = ["table", "column", "understood"]
    rows = []
    for table, column, code in cells.select(keys).unique().drop_nulls().iter_rows():
        label = catalog.codelists.get(_codelist(catalog, table, column) or "", {}).get(code)
        if label is not None and words.label(label) != code:
            rows.append((table, column, code, f"{code} ({words.label(label)})"))
    schema = dict.fromkeys((*keys, "labelled"), pl.String())
    labelled = pl.DataFrame(rows, schema, orient="row")
    joined = cells.join(labelled, on=keys, how="left", maintain_order="left")
    text = pl.col("understood")
    whole = pl.when(pl.col("kind") == "number").then(text.str.replace(r"\.0$", "")).otherwise(text)
    return joined.with_columns(pl.coalesce("labelled", whole).alias("meaning"))


def _codelist(catalog: Catalog, table: str, column: str) -> str | None:
    columns = catalog.tables[table].columns if table in catalog.tables else ()
    return next((c.codelist for c in columns if c.name == column), None)


def _named(cells: pl.DataFrame, words: Words) -> pl.DataFrame:
    """`name`: the header; where the file has none, what the project calls it."""
    name = pl.coalesce("source_column", "label", "column")
    # Cells under one header are told apart by their rows.
    twice = pl.struct("query_id", name.alias("name")).is_duplicated() & pl.col("row").is_not_null()
    start, _, end = words("row {row}").partition("{row}")
    numbered = pl.concat_str(name, pl.lit(f" ({start}"), "row", pl.lit(f"{end})"))
    return cells.with_columns(
        name.alias("name"), pl.when(twice).then(numbered).otherwise(name).alias("shown")
    )


def _distinct(column: str, words: Words) -> pl.Expr:
    every = pl.col(column).cast(pl.String).drop_nulls().unique(maintain_order=True)
    return _some(every, words).alias(column)


def _joined(column: str, words: Words) -> pl.Expr:
    """The texts of the cells; null where all are empty."""
    text = pl.col(column)
    named = pl.concat_str("shown", pl.lit(": "), text.fill_null(_EMPTY))
    return (
        pl.when(text.is_null().all())
        .then(None)
        .when(pl.len() == 1)
        .then(text.first())
        .otherwise(_some(named, words))
        .alias(column)
    )


def _some(texts: pl.Expr, words: Words) -> pl.Expr:
    """The first of them, and how many more there are."""
    first = texts.head(_MOST).str.join(_SEPARATOR)
    start, middle, end = _around(words("{first} and {n} more"))
    more = pl.concat_str(
        pl.lit(start),
        first,
        pl.lit(middle),
        (texts.len() - _MOST).cast(pl.String),
        pl.lit(end),
    )
    return pl.when(texts.len() > _MOST).then(more).when(texts.len() > 0).then(first).otherwise(None)


def _around(sentence: str) -> tuple[str, str, str]:
    """What stands before, between and after {first} and {n}."""
    start, _, rest = sentence.partition("{first}")
    middle, _, end = rest.partition("{n}")
    return start, middle, end
