"""Patients and times to event under each alternative of the study's decisions.

The statements of the primary analysis run again, those that the setting touches, on the same rows of
`core` and with the same rows held back. What differs is kept beside the primary tables for the
sensitivity analyses of the report.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl

from transforms.derive.group_sizes import ALTERNATIVES as OF_GROUPS
from transforms.derive.lines import finds_the_same
from warehouse import analysis
from warehouse.alternative_steps import TARGETS, Rerun, needed, read_step
from warehouse.analysis_labels import comment, labels
from warehouse.definitions import set_missing
from warehouse.sql_text import filled, quoted, sql_file

if TYPE_CHECKING:
    import duckdb

    from schemas.spec.study import Settings, Study

# Setting → its values, in the order of the report. The cut-off of early relapse is a choice of the plan: both
# cut-offs stand in adsl.
ALTERNATIVES: Mapping[str, tuple[str | int | float | bool, ...]] = MappingProxyType(
    {
        "early_relapse_tie": ("early_if_equal", "late_if_equal"),
        "dual_bispecific": OF_GROUPS["dual_bispecific"],
        "pfs_censoring": ("last_contact", "last_assessment"),
        "bridge_days": OF_GROUPS["bridge_days"],
        "time_zero": OF_GROUPS["time_zero"],
        "best_response_window": (
            "until_pd_or_next_line",
            "until_pd",
            "until_next_line",
            "any_time",
        ),
        "celmod_group": OF_GROUPS["celmod_group"],
        "novel_partner_group": OF_GROUPS["novel_partner_group"],
        "ne_counts_as_nonresponder": (True, False),
        "emd_without_imaging": ("no", "unknown"),
        "days_per_month": (30.4375, 30.0),
    }
)
# What decides which line is the first salvage, and its group.
OF_LINES = ("bridge_days", "dual_bispecific", "celmod_group", "novel_partner_group")
TABLES = ("alternative", *(f"alternative_{target}" for target in TARGETS))


def add_alternatives(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Adds `analysis.alternative`, `alternative_adsl` and `alternative_adtte`.

    Args:
        con: The connection on which `warehouse.analysis.derive` has just made the primary tables: its
            temporary tables are used, and are as they were afterwards.
        study: The study's own settings; all but the one in question stay as they are.

    Raises:
        duckdb.Error: A statement cannot run on these rows; the staged file is then not published.

    Source:
        Dossier 0.3.
    """
    con.execute(sql_file("alternative", "empty")).fetchall()
    con.execute(sql_file("alternative", "empty_adsl")).fetchall()
    con.execute(sql_file("alternative", "empty_adtte")).fetchall()
    before, after = (
        [read_step(sql_file(analysis.SQL.name, name)) for name in names]
        for names in (
            [*analysis.steps(analysis.BEFORE_LINES, study, "PRIMARY")],
            [*analysis.steps(analysis.AFTER_LINES, study, "PRIMARY")],
        )
    )
    wanted = {step.makes for step in needed([*before, *after])} - {"setting"}
    rerun = Rerun(
        con,
        [step for step in before if step.makes in wanted],
        [step for step in after if step.makes in wanted],
        lambda adsl: set_missing(con, study, adsl),
    )
    others = [*other_values(study.settings)]
    lines, _ = analysis.found_lines(con)
    first = pl.DataFrame(con.sql("select drugs from first_salvage"))
    for setting, value in others:
        other = _with(study, setting, value)
        decides_lines = setting in OF_LINES and not finds_the_same(
            lines, first, study.settings, other.settings
        )
        _derive(con, study, other, rerun, decides_lines)
        _keep(con, rerun, setting, value)
    _derive(con, study, study, rerun, False)
    _count(con, others)
    for target in TARGETS:
        con.execute(f"drop table if exists temp.alternative_{target}").fetchall()
    con.execute(";".join(_comments())).fetchall()


def other_values(settings: Settings) -> Iterator[tuple[str, Any]]:
    """Each setting with each value that the study has not chosen."""
    for setting, values in ALTERNATIVES.items():
        own = getattr(settings, setting)
        yield from ((setting, value) for value in values if value != own)


def _with(study: Study, setting: str, value: Any) -> Study:
    settings = study.settings.model_copy(update={setting: value})
    return study.model_copy(update={"settings": settings})


def _text(value: Any) -> str:
    """The value as `study.yaml` has it."""
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)


def _derive(
    con: duckdb.DuckDBPyConnection, own: Study, other: Study, rerun: Rerun, decides_lines: bool
) -> None:
    variables, ours = analysis.variables_of(other), analysis.variables_of(own)
    touched = {name for name, value in variables.items() if value != ours[name]}
    analysis.set_variables(con, variables | {"completion": "PRIMARY"})
    con.execute(sql_file("analysis", "setting")).fetchall()

    def find_lines() -> None:
        analysis.make_lines(con, other, *analysis.found_lines(con))

    rerun.run(touched, decides_lines, find_lines)


def _keep(con: duckdb.DuckDBPyConnection, rerun: Rerun, setting: str, value: Any) -> None:
    """The rows that differ."""
    places = {"setting": quoted(setting), "value": quoted(_text(value))}
    for target in TARGETS:
        if target in rerun.moved:
            con.execute(filled(sql_file("alternative", f"changed_{target}"), places)).fetchall()


def _count(con: duckdb.DuckDBPyConnection, others: Sequence[tuple[str, Any]]) -> None:
    """How many rows differ under each alternative, none included."""
    rows = ", ".join(
        f"({quoted(setting)}, {quoted(_text(value))}, {position})"
        for position, (setting, value) in enumerate(others, start=1)
    )
    con.execute(filled(sql_file("alternative", "counted"), {"alternatives": rows})).fetchall()


def _comments() -> Iterator[str]:
    """Labels: those of labels.csv, and for the columns of adsl and adtte those that they have there."""
    for table in TABLES:
        source = table.removeprefix("alternative_")
        copied = (
            [e for e in labels() if e["table"] == source and e["column"]]
            if source in TARGETS
            else []
        )
        for entry in (*copied, *(e for e in labels() if e["table"] == table)):
            yield comment(entry, table)
