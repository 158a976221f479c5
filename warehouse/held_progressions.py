"""Progressions that a check holds back: an event must not be lost in silence with its row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from warehouse.sql_text import filled
from warehouse.staged_files import LinkedDelivery, existing, parquet

if TYPE_CHECKING:
    import duckdb

_EMPTY = """
CREATE TEMP TABLE IF NOT EXISTS held_progression (
  usubjid VARCHAR, line_number INTEGER, day DATE, day_precision VARCHAR
)
"""
_RESPONSES = """
INSERT INTO held_progression
SELECT DISTINCT k.usubjid, f.line_number, f.response_date, f.response_date_precision
FROM ${rows} f JOIN patient_key k ON f.center_id = k.center_id AND f.patient_id = k.patient_id
WHERE f.kind::VARCHAR = 'PROGRESSION' OR f.category::VARCHAR = 'PD'
"""
_RELAPSES = """
INSERT INTO held_progression
SELECT DISTINCT k.usubjid, NULL::INTEGER, f.relapse_date, f.relapse_date_precision
FROM ${rows} f JOIN patient_key k ON f.center_id = k.center_id AND f.patient_id = k.patient_id
WHERE f.relapse_number > 1
"""


def none_held(con: duckdb.DuckDBPyConnection) -> None:
    """temp.held_progression as it is where nothing was read: empty. What is there stays."""
    con.execute(_EMPTY).fetchall()


def read_held_progressions(
    con: duckdb.DuckDBPyConnection, deliveries: Sequence[LinkedDelivery]
) -> None:
    """temp.held_progression from the quarantine of the current deliveries.

    One row per patient, line (null: a later relapse) and date. `temp.patient_key` must be there.
    It is no table of the warehouse: what is held back is not published, only that it is missing.
    """
    none_held(con)
    current = [delivery for delivery in deliveries if delivery.staged.current]
    for table, statement in (("response", _RESPONSES), ("relapse", _RELAPSES)):
        files = existing(current, f"quarantine/{table}.parquet")
        if files:
            con.execute(filled(statement, {"rows": parquet(files)})).fetchall()
