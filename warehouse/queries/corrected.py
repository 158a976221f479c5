"""The corrected value of an answer against what the next delivery holds. It is never written into the data."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from schemas.catalog import Catalog, Table
from transforms.harmonize.values import match_key
from warehouse.loads import StagedDelivery
from warehouse.queries.instances import instance_expr

_SAME = "; the delivery holds the value of the answer"
_OTHER = "; the delivery holds another value than the answer"
_FORMS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%y", "%d-%m-%Y", "%Y%m%d")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")


def told_corrections(
    events: pl.DataFrame,
    queries: pl.DataFrame,
    deliveries: Iterable[StagedDelivery],
    catalog: Catalog,
) -> pl.DataFrame:
    """The events, those of corrected data with a word on the value that the center had announced."""
    told = queries.filter(pl.col("corrected_value").is_not_null())
    done = events.filter(pl.col("event") == "resolved").join(
        told.select("query_id", announced="corrected_value"), on="query_id"
    )
    folders: dict[str, list[Path]] = {}
    for staged in deliveries:
        folders.setdefault(staged.center_id, []).append(staged.folder)
    words: dict[str, str] = {}
    columns = ("query_id", "center_id", "patient_id", "table", "instance", "field", "announced")
    for query_id, center, patient, name, instance, field, announced in done.select(
        columns
    ).iter_rows():
        table = catalog.tables.get(name or "")
        if table is None or field not in table.frame_schema:
            continue
        values = _values(folders.get(center, []), table, patient, instance, field)
        if values:
            same = any(agrees(announced, value) for value in values)
            words[query_id] = _SAME if same else _OTHER
    if not words:
        return events
    added = pl.col("query_id").replace_strict(words, default="", return_dtype=pl.String)
    return events.with_columns(reason=pl.col("reason") + added)


def agrees(announced: str, value: object) -> bool:
    """Whether a value as a person wrote it says the same as a value as understood."""
    text = announced.strip()
    if isinstance(value, dt.date):
        return value in _days(text)
    if isinstance(value, int | float):
        found = _NUMBER.match(text)
        return found is not None and float(found[0].replace(",", ".")) == float(value)
    return match_key(text) == match_key(str(value))


def _days(text: str) -> set[dt.date]:
    """Every day that a text can mean; day and month are not told apart here."""
    days = set()
    for form in _FORMS:
        try:
            days.add(dt.datetime.strptime(text, form).date())  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
    return days


def _values(
    folders: Iterable[Path], table: Table, patient: str, instance: str, column: str
) -> list[object]:
    """The values of a record, of several if deliveries or rows agree in it; without empty ones."""
    found: list[object] = []
    for folder in folders:
        for part in ("core", "quarantine"):
            path = folder / part / f"{table.name}.parquet"
            if path.is_file():
                rows = pl.scan_parquet(path, glob=False).filter(
                    pl.col("patient_id").cast(pl.String) == patient,
                    instance_expr(table) == instance,
                )
                found += rows.select(pl.col(column)).collect().to_series().drop_nulls().to_list()
    return found
