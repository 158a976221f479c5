"""Rows that a check holds back, as far as they may change a value: none of them ever means "none"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from transforms.derive.salvage_group import load_drugs
from warehouse.sql_text import filled
from warehouse.staged_files import LinkedDelivery, existing, parquet

if TYPE_CHECKING:
    import duckdb

_EMPTY = """
CREATE TEMP TABLE IF NOT EXISTS held_row (
  usubjid VARCHAR, held_table VARCHAR, number INTEGER, topic VARCHAR, value VARCHAR, scale VARCHAR,
  day DATE, day_precision VARCHAR
)
"""
# Table → what its rows tell: number, topic, value, scale, day, precision of the day.
_TOLD: Mapping[str, str] = MappingProxyType(
    {
        "relapse": "f.relapse_number, NULL, NULL, NULL, f.relapse_date, f.relapse_date_precision",
        "treatment_line": "f.line_number, NULL, f.drugs, NULL, f.start_date, f.start_date_precision",
        "response": "f.line_number, f.kind, f.category, NULL, f.response_date, f.response_date_precision",
        "lesion": "NULL, f.timepoint, f.category, NULL, f.lesion_date, f.lesion_date_precision",
        "risk": "NULL, f.timepoint, NULL, NULL, NULL, NULL",
        "toxicity": "NULL, f.kind, f.grade, f.scale, f.onset_date, f.onset_date_precision",
        "exposure": "NULL, f.drug, NULL, NULL, NULL, NULL",
        "follow_up": "NULL, NULL, f.vital_status, NULL, f.last_contact_date, f.last_contact_date_precision",
    }
)
_ROWS = """
INSERT INTO held_row
SELECT k.usubjid, ${kind}, ${told}
FROM ${rows} f JOIN patient_key k ON f.center_id = k.center_id AND f.patient_id = k.patient_id
"""
# A best response or an assessment whose category is empty or declared missing: the rule on needed values
# asks for it, and none on values that were not understood. It tells of no response and no progression.
_NOT_FILLED = """
 WHERE NOT (f.category IS NULL AND f.kind IN ('BEST', 'ASSESSMENT') AND f.progression_basis IS NULL
   AND f.row_id IN (${not_filled}))
"""
_ASKED_FOR = """
SELECT row_id FROM ${finding} JOIN ${field} g USING (finding_id)
WHERE rule_id = 'STR-06' AND g."table" = 'response' AND g."column" = 'category'
"""
# Lymphodepletion and premedication that stand as a line, and supportive care alone: understood, and no
# line of therapy.
_NO_LINE = "SELECT row_id FROM ${finding} WHERE rule_id = 'SAL-06' AND severity = 'error'"
_KIND = """
CASE WHEN f.row_id IN (${no_line}) OR regexp_full_match(f.drugs, '((${supportive})([|]|$$))+')
 THEN 'lymphodepletion' ELSE '${table}' END
"""

# Rows of which the very same, cell by cell, stands in the warehouse: a copy hides nothing.
_NO_COPY = """
 WHERE f.row_id NOT IN (
  SELECT row_id FROM (
   SELECT row_id, is_held, count(*) FILTER (WHERE NOT is_held) OVER (PARTITION BY told) AS n_kept FROM (
    SELECT row_id, is_held,
     row(*COLUMNS(* EXCLUDE (row_id, source_id, source_row, map_id, is_held))) AS told
    FROM (SELECT *, true AS is_held FROM ${rows} UNION ALL BY NAME SELECT *, false AS is_held FROM ${kept})
   )
  ) WHERE is_held AND n_kept > 0
 )
"""
_ONCE = ("relapse", "risk")  # tables whose held rows may take the place of those that are kept


def no_held_rows(con: duckdb.DuckDBPyConnection) -> None:
    """temp.held_row as it is where nothing was read: empty. What is there stays."""
    con.execute(_EMPTY).fetchall()


def read_held_rows(con: duckdb.DuckDBPyConnection, deliveries: Sequence[LinkedDelivery]) -> None:
    """temp.held_row from the quarantine of the current deliveries.

    One row per row held back: `number` of its relapse or line, `topic` (kind of the response or
    toxicity, time point, drug), `value` (category, drugs, grade), `scale` and date, each as far as
    it was understood. `temp.patient_key` must be there. It is no table of the warehouse: what is
    held back is not published, only that it is missing. A response without a category is left out
    unless its category was not understood: nobody can have read a progression in an empty cell.
    So is an identical copy of a relapse or of a risk row that is in the warehouse.
    Lymphodepletion entered as a line (SAL-06) and supportive care alone have `held_table`
    'lymphodepletion': they are no salvage.
    """
    no_held_rows(con)
    current = [delivery for delivery in deliveries if delivery.staged.current]
    for table, told in _TOLD.items():
        files = existing(current, f"quarantine/{table}.parquet")
        if files:
            kind = _line_kind(current) if table == "treatment_line" else f"'{table}'"
            where = _where(current) if table == "response" else ""
            places = {"kind": kind, "told": told, "rows": parquet(files)}
            kept = existing(current, f"core/{table}.parquet") if table in _ONCE else []
            if kept:
                where, places["kept"] = _NO_COPY, parquet(kept)
            con.execute(filled(_ROWS + where, places)).fetchall()


def _line_kind(current: Sequence[LinkedDelivery]) -> str:
    """The name under which a held line is told: what is no line has one of its own."""
    files = existing(current, "finding.parquet")
    known = load_drugs()
    supportive = "|".join(sorted(drug for drug in known if known[drug].effect == "NONE"))
    places = {"finding": parquet(files), "table": "treatment_line", "supportive": supportive}
    return (
        filled(_KIND, {"no_line": filled(_NO_LINE, places), **places})
        if files
        else "'treatment_line'"
    )


def _where(current: Sequence[LinkedDelivery]) -> str:
    """Which held responses are read: all but those that lack their category."""
    asked = [
        filled(_ASKED_FOR, {"finding": parquet([finding]), "field": parquet([field])})
        for delivery in current
        for finding, field in zip(
            existing([delivery], "finding.parquet"),
            existing([delivery], "finding_field.parquet"),
            strict=False,
        )
    ]
    return filled(_NOT_FILLED, {"not_filled": " UNION ALL ".join(asked)}) if asked else ""
