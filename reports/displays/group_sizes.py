"""Sizes of the groups under each alternative of the study's decisions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from reports.displays.estimate import Estimate

if TYPE_CHECKING:
    import duckdb

    from reports.displays.data import AnalysisData

LABELS = {
    "dual_bispecific": "Two bispecifics together count as",
    "celmod_group": "Iberdomide or mezigdomide alone counts as",
    "novel_partner_group": "Selinexor or venetoclax with another backbone counts as",
    "bridge_days": "Longest days from a bridge to the systemic line",
    "time_zero": "Start of the clock",
}


def read(con: duckdb.DuckDBPyConnection) -> tuple[dict[str, Any], ...]:
    """The rows of `analysis.group_size` in order; none where the file has no such table."""
    known = con.execute(
        "select count(*) from duckdb_tables()"
        " where schema_name = 'analysis' and table_name = 'group_size'"
    ).fetchall()
    if not known[0][0]:
        return ()
    result = con.execute("select * from analysis.group_size order by position, GRP4")
    names = [column[0] for column in result.description or ()]
    return tuple(dict(zip(names, row, strict=True)) for row in result.fetchall())


def group_sizes(data: AnalysisData, groups: dict[str, str]) -> Iterator[Estimate]:
    """Rows of GROUP_SIZE: one a setting, value and group of the study."""
    sizes = {(r["setting"], r["value"], r["GRP4"]): r for r in data.group_sizes}
    for setting, value in dict.fromkeys((r["setting"], r["value"]) for r in data.group_sizes):
        for code, label in groups.items():
            record = sizes.get((setting, value, code))
            if record is None:  # a group of the study that no salvage can be in
                continue
            chosen = " (chosen)" if record["chosen"] == "Y" else ""
            yield Estimate(
                display="GROUP_SIZE",
                population=code,
                population_label=label,
                row=setting,
                row_label=LABELS[setting],
                level=value,
                level_label=f"{value}{chosen}",
                statistic="n",
                value=float(record["n_patients"]),
                n=record["n_patients"],
                text=str(record["n_patients"]),
            )
