"""Whom a check holds back or screens out: what is missing in `core` for that reason is told."""

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
_LEFT_OUT = """
select
    finding.center_id,
    finding.usubjid,
    case when bool_or(finding.disposition = 'screen_out') then 'SCREENED_OUT' else 'ONLY_HELD' end as reason
from quality.finding as finding
inner join quality.delivery as delivery using (delivery_key)
where
    delivery.is_current
    and finding.disposition in ('quarantine', 'screen_out')
    and finding.usubjid not in (select subject.usubjid from core.subject as subject)
group by all
"""
_NO_HELD = "select ''::varchar as usubjid, ''::varchar as held_table limit 0"
_NO_LEFT_OUT = (
    "select ''::varchar as center_id, ''::varchar as usubjid, ''::varchar as reason limit 0"
)


def read_held(con: duckdb.DuckDBPyConnection) -> None:
    """temp.held and temp.left_out; both empty in a file without `quality`.

    `held` has one row per patient and table with rows held back; `left_out` one row per patient of whom
    nothing could be loaded, with the reason that `analysis.attrition` gives.
    """
    known = con.execute(
        "select count(*) from duckdb_tables() "
        "where schema_name = 'quality' and table_name in ('finding', 'delivery')"
    ).fetchall()
    tables = {"held": (_HELD, _NO_HELD), "left_out": (_LEFT_OUT, _NO_LEFT_OUT)}
    for name, (told, nothing) in tables.items():
        rows = told if known[0][0] == 2 else nothing
        con.execute(f"create or replace temp table {name} as {rows}").fetchall()
