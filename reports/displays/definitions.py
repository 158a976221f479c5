"""How far each center's variables are the canonical ones, as a matrix of variables and centers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from reports.displays.estimate import Estimate

if TYPE_CHECKING:
    import duckdb

    from reports.displays.data import AnalysisData

SIGNS = {"complete": "✓", "partial": "◐", "impossible": "✗"}
# What the displays rest on; of other variables only those that a center speaks of are shown.
SHOWN = (
    "subject.sex",
    "infusion.age_at_infusion",
    "infusion.prior_lines",
    "infusion.prior_bcma",
    "infusion.ecog",
    "relapse.emd",
    "relapse.emd_type",
    "risk.r_iss",
    "risk.mycare",
    "exposure.refractory",
    "response.category",
    "response.response_date",
    "follow_up.last_contact_date",
    "follow_up.death_date",
    "follow_up.death_cause",
)


def read(con: duckdb.DuckDBPyConnection) -> tuple[dict[str, Any], ...]:
    """One record a center and shown variable; none where the file has no definitions."""
    known = con.execute(
        "select count(*) from duckdb_tables()"
        " where schema_name = 'analysis' and table_name = 'center_definition'"
    ).fetchall()
    if not known[0][0]:
        return ()
    listed = ", ".join(f"'{variable}'" for variable in SHOWN)
    result = con.execute(
        "select SITEID, variable, label, status, note, effect from analysis.center_definition "
        f"where variable in ({listed}) or variable in "
        "(select variable from analysis.center_definition where basis = 'DECLARED') "
        "order by variable, SITEID"
    )
    names = [column[0] for column in result.description or ()]
    return tuple(dict(zip(names, row, strict=True)) for row in result.fetchall())


def definitions(data: AnalysisData) -> Iterator[Estimate]:
    """Rows of DEFINITIONS: one a variable and center; `level` is the status, `level_label` the note."""
    for record in data.definitions:
        used = {"EXCLUDE": " (patients left out)", "MISSING": " (set to missing)"}
        yield Estimate(
            display="DEFINITIONS",
            population=record["SITEID"],
            population_label=record["SITEID"],
            row=record["variable"],
            row_label=record["label"],
            level=record["status"],
            level_label=record["note"],
            statistic="status",
            text=SIGNS[record["status"]] + used.get(record["effect"], ""),
        )
