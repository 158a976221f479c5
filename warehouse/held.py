"""Which patients have rows that a check holds back: what is missing in `core` for that reason is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_HELD = """
select distinct finding.usubjid, finding."table" as held_table
from quality.finding as finding
inner join quality.delivery as delivery using (delivery_key)
where
    delivery.is_current and finding.disposition = 'quarantine' and finding.usubjid is not null
    -- Lymphodepletion that stands as a line is held back as what it is: no line is missing for it.
    and finding.rule_id != 'SAL-06'
"""
_NONE = "select ''::varchar as usubjid, ''::varchar as held_table limit 0"


def read_held(con: duckdb.DuckDBPyConnection) -> None:
    """temp.held: one row per patient and table with rows held back; empty in a file without `quality`."""
    known = con.execute(
        "select count(*) from duckdb_tables() "
        "where schema_name = 'quality' and table_name in ('finding', 'delivery')"
    ).fetchall()
    rows = _HELD if known[0][0] == 2 else _NONE
    con.execute(f"create or replace temp table held as {rows}").fetchall()
