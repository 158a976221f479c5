"""Progressions that a check holds back: an event must not be lost in silence with its row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from warehouse.held_rows import read_held_rows
from warehouse.staged_files import LinkedDelivery

if TYPE_CHECKING:
    import duckdb

_EMPTY = """
CREATE TEMP TABLE IF NOT EXISTS held_progression (
  usubjid VARCHAR, line_number INTEGER, day DATE, day_precision VARCHAR
)
"""
_HELD = """
INSERT INTO held_progression
SELECT DISTINCT usubjid, CASE held_table WHEN 'response' THEN number END, day, day_precision
FROM held_row
WHERE (held_table = 'response' AND (topic = 'PROGRESSION' OR value = 'PD' OR value IS NULL))
  OR (held_table = 'relapse' AND number > 1)
"""


def none_held(con: duckdb.DuckDBPyConnection) -> None:
    """temp.held_progression as it is where nothing was read: empty. What is there stays."""
    con.execute(_EMPTY).fetchall()


def progressions_of_held_rows(con: duckdb.DuckDBPyConnection) -> None:
    """Adds to temp.held_progression the progressions of temp.held_row, and what may be one.

    A response that nobody understood may be a progression too.
    """
    con.execute(_HELD).fetchall()


def read_held_progressions(
    con: duckdb.DuckDBPyConnection, deliveries: Sequence[LinkedDelivery]
) -> None:
    """temp.held_row and, from it, temp.held_progression from the quarantine of the current deliveries.

    One row per patient, line (null: a later relapse) and date. `temp.patient_key` must be there.
    """
    none_held(con)
    read_held_rows(con, deliveries)
    progressions_of_held_rows(con)
