"""What a center is asked about a value, by what its column holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from schemas.catalog import Catalog, Column, load_catalog
from schemas.queries import Words


def asked(lines: pl.DataFrame, rules: Sequence[Mapping[str, Any]], words: Words) -> pl.DataFrame:
    """rule_id, about_table, about_column, asked: for the distinct columns of rules that ask by kind.

    Args:
        lines: `rule_id`, `about_table` and `about_column` (the first field of the finding).
        rules: Entries with `id` and, where they ask by kind, `asks`, in the language of `words`.
        words: For the range of a number.
    """
    keys = ("rule_id", "about_table", "about_column")
    asks = {rule["id"]: rule["asks"] for rule in rules if rule.get("asks")}
    distinct = lines.filter(pl.col("rule_id").is_in(list(asks))).select(keys).unique()
    catalog = load_catalog()
    rows = []
    for rule, table, name in distinct.drop_nulls().iter_rows():
        column = _column(catalog, table, name)
        if column is not None and column.kind in asks[rule]:
            text = _filled(asks[rule][column.kind], column, catalog, words)
            rows.append((rule, table, name, text))
    return pl.DataFrame(rows, dict.fromkeys((*keys, "asked"), pl.String()), orient="row")


def _column(catalog: Catalog, table: str, name: str) -> Column | None:
    columns = catalog.tables[table].columns if table in catalog.tables else ()
    return next((column for column in columns if column.name == name), None)


def _filled(query: str, column: Column, catalog: Catalog, words: Words) -> str:
    labels = catalog.codelists.get(column.codelist or "", {})
    listed = ", ".join(
        code if code == label else f"{code} ({words.label(label)})"
        for code, label in labels.items()
    )
    return query.replace("{codes}", listed).replace("{range}", _range(column, words))


def _range(column: Column, words: Words) -> str:
    low, high = (None if end is None else words.number(end) for end in (column.ge, column.le))
    if low and high:
        return words(" from {low} to {high}", low=low, high=high)
    if low:
        return words(" of at least {low}", low=low)
    return words(" of at most {high}", high=high) if high else ""
