"""Which record of a patient a question is about, in words: `Linie 1: Bestes Ansprechen der Linie, 2023-05-02`."""

from __future__ import annotations

import re

import polars as pl

from schemas.catalog import Catalog, Table
from schemas.queries import Words

# What a record of each table is called; {n} is the number that the record carries.
_NAMES = {
    "subject": "Patient data",
    "infusion": "Infusion {n}",
    "risk": "Risk factors",
    "exposure": "Earlier therapy",
    "relapse": "Relapse {n}",
    "lesion": "Lesion",
    "treatment_line": "Line {n}",
    "follow_up": "Follow-up visit",
    "response": "Line {n}",
    "lab": "Laboratory",
    "toxicity": "Side effect",
}
_PART = re.compile(r"(?:^| )([a-z_]+)=(.*?)(?= [a-z_]+=|$)")
_UNKNOWN = "?"


def records(queries: pl.DataFrame, catalog: Catalog, words: Words) -> pl.DataFrame:
    """`table`, `instance`, `record`: once per distinct record; null where a query is about a file."""
    keys = ["table", "instance"]
    rows = [
        (table, instance, _told(catalog.tables[table], instance, catalog, words))
        for table, instance in queries.select(keys).unique().drop_nulls().iter_rows()
        if table in catalog.tables
    ]
    return pl.DataFrame(rows, dict.fromkeys((*keys, "record"), pl.String()), orient="row")


def _told(table: Table, instance: str, catalog: Catalog, words: Words) -> str:
    number, parts = _UNKNOWN, []
    known = {column.name: column for column in table.columns}
    for name, value in _PART.findall(instance):
        column = known.get(name)
        if column is not None and column.kind == "integer":
            number = value or _UNKNOWN
        elif value:
            codes = catalog.codelists.get(column.codelist or "", {}) if column else {}
            parts.append(words.label(codes.get(value, value)))
    head = words(_NAMES[table.name], n=number)
    return f"{head}: {', '.join(parts)}" if parts else head
