"""The day on which each center exported its data: nothing that it tells can lie after it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from warehouse.sql_text import quoted
from warehouse.staged_files import LinkedDelivery

if TYPE_CHECKING:
    import duckdb

_EMPTY = "CREATE TEMP TABLE IF NOT EXISTS export_day (center_id VARCHAR, export_on DATE)"


def no_export_days(con: duckdb.DuckDBPyConnection) -> None:
    """temp.export_day as it is where nothing was read: empty. What is there stays."""
    con.execute(_EMPTY).fetchall()


def read_export_days(con: duckdb.DuckDBPyConnection, deliveries: Sequence[LinkedDelivery]) -> None:
    """temp.export_day: one row per center, the last export of its current deliveries.

    A center whose dates are shifted on purpose has none, because its dates are no days of the
    calendar; nor has one whose delivery was staged before that was told with it.
    """
    no_export_days(con)
    last: dict[str, date | None] = {}
    for delivery in deliveries:
        if not delivery.staged.current:
            continue
        summary = json.loads(delivery.file("summary.json").read_text(encoding="utf-8"))
        center, told = delivery.staged.center_id, summary.get("export_date")
        day = date.fromisoformat(told) if told and summary.get("dates_shifted") is False else None
        known = last.get(center, day)
        last[center] = None if day is None or known is None else max(day, known)
    rows = ", ".join(
        f"({quoted(center)}, date {quoted(day.isoformat())})" for center, day in last.items() if day
    )
    if rows:
        con.execute(f"INSERT INTO export_day VALUES {rows}").fetchall()
