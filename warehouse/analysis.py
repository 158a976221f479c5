"""From `core` to the ADaM tables of schema `analysis`.

SQL files do what SQL says well, in the order of `BEFORE_LINES` and `AFTER_LINES`; between them
`transforms.derive.lines` finds the first salvage. Frames pass as Arrow streams and Parquet, so that
neither pandas nor pyarrow is imported on the way to the staged warehouse.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from transforms.derive.group_sizes import alternative_groups
from transforms.derive.lines import find_first_salvage
from warehouse.completions import add_completions
from warehouse.definitions import read_definitions, set_missing
from warehouse.imwg import imwg_frames

if TYPE_CHECKING:
    import duckdb

    from schemas.spec.study import Study

SQL = Path(__file__).parent / "sql" / "analysis"
DRUGS = Path(__file__).parents[1] / "schemas" / "vocabularies" / "drugs.csv"

MACROS = (
    "staging_macro_yes",
    "staging_macro_below",
    "staging_macro_above",
    "imwg_macro_value",
    "imwg_macro_single",
    "imwg_macro_sourced",
    "macro_latest_day",
    "macro_imputed_flag",
    "macro_impute_mid",
    "macro_impute_first",
    "macro_impute_last",
    "macro_impute_start",
    "macro_impute_event",
    "macro_known_alive",
    "macro_alive_key",
)
BEFORE_LINES = (
    "setting",
    "drug_class",
    "response_value",
    "attrition_reason",
    "index_infusion",
    "index_relapse",
    "vital",
    "alive_evidence",
    "line_start",
    "progression_day",
    "center_definition_excluded",
    "imwg_period",
    "imwg_lab",
    "imwg_report",
    "imwg_measured",
    "imwg_reported",
)
AFTER_LINES = (
    "candidate",
    "timeline",
    "drug_class_status",
    "refractory_class",
    "refractory",
    "prior_bcma_drug",
    "extramedullary",
    "extramedullary_before",
    "risk_reported",
    "staging_stage",
    "staging_chosen",
    "cytogenetic_finding",
    "cytogenetic_risk",
    "staging_ferritin",
    "staging_mycare",
    "toxicity_period",
    "toxicity_index",
    "toxicity_adtox",
    "salvage_response",
    "progression",
    "best_response",
    "first_response",
    "adsl",
    "staging_agreement",
    "adrs",
    "endpoint_parameter",
    "endpoint_source",
    "endpoint_base",
    "endpoint_event",
    "clock",
    "adtte",
    "exclusion",
    "endpoint_reason",
    "endpoint_problem",
    "attrition",
    "center_definition",
    "group_size_base",
    "group_size",
    "imwg_depth",
    "imwg_response",
    "imwg_line",
    "imwg_agreement",
    "imwg_confirmed",
    "imwg_confirmed_best",
    "estimate",
    "estimate_subject",
)

# What the times to event alone rest on: run again for each completion of partial dates.
TIMES_BEFORE_LINES = (
    "setting",
    "index_infusion",
    "index_relapse",
    "vital",
    "alive_evidence",
    "line_start",
    "progression_day",
    "center_definition_excluded",
)
TIMES_AFTER_LINES = (
    "candidate",
    "timeline",
    "salvage_response",
    "progression",
    "best_response",
    "first_response",
    "endpoint_parameter",
    "endpoint_source",
    "endpoint_base",
    "endpoint_event",
    "clock",
    "adtte",
    "exclusion",
)


def derive(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Creates adsl, adrs, adtte, exclusion, attrition and empty estimate tables in `analysis`.

    Args:
        con: The staged warehouse, open for writing, with schema `core` filled.
        study: Decides cut-offs, windows and censoring (`study.yaml`).

    Raises:
        duckdb.Error: A core table is missing; the staged file is then not published.
    """
    lines, progressions = _prepare(con, study, BEFORE_LINES, "PRIMARY")
    first = find_first_salvage(lines, progressions, study.settings)
    _create_from(con, "first_salvage", first)
    others = alternative_groups(lines, progressions, first, study.settings)
    _create_from(con, "alternative_group", others)
    measured = pl.DataFrame(con.sql("select * from imwg_measured"))
    reported = pl.DataFrame(con.sql("select * from imwg_reported"))
    for name, frame in imwg_frames(measured, reported).items():
        _create_from(con, name, frame)
    for name in AFTER_LINES:
        _run(con, name)
    set_missing(con, study)
    add_completions(con, lambda other, completion: _derive_times(other, study, completion))
    con.execute(";".join(_comments(con))).fetchall()


def _derive_times(con: duckdb.DuckDBPyConnection, study: Study, completion: str) -> None:
    """`analysis.adtte` and `analysis.exclusion` alone, with partial dates completed otherwise."""
    lines, progressions = _prepare(con, study, TIMES_BEFORE_LINES, completion)
    _create_from(con, "first_salvage", find_first_salvage(lines, progressions, study.settings))
    for name in TIMES_AFTER_LINES:
        _run(con, name)


def _prepare(
    con: duckdb.DuckDBPyConnection, study: Study, steps: tuple[str, ...], completion: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Runs the steps before the first salvage is known; gives lines and progressions."""
    con.execute("create schema if not exists analysis").fetchall()
    for name in MACROS:
        _run(con, name)
    _set_variables(con, _variables(study) | {"completion": completion})
    read_definitions(con, study)
    for name in steps:
        _run(con, name)
    lines = pl.DataFrame(con.sql("select * from line_start order by usubjid, line_number, row_id"))
    return lines, pl.DataFrame(con.sql("select * from progression_day"))


def _run(con: duckdb.DuckDBPyConnection, name: str) -> None:
    # Results are drained: an open one would be dropped silently (DuckDB 2) or block the connection.
    con.execute((SQL / f"{name}.sql").read_text(encoding="utf-8")).fetchall()


def _set_variables(con: duckdb.DuckDBPyConnection, values: Mapping[str, Any]) -> None:
    # DuckDB imports pandas to look at the first parameter that Python binds; a literal costs nothing.
    for name, value in values.items():
        con.execute(f"set variable {name} = {_literal(value)}").fetchall()


def _literal(value: str | float | bool | date | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    return "'" + str(value).replace("'", "''") + "'"


def _variables(study: Study) -> dict[str, Any]:
    settings = study.settings
    cut_offs = sorted(settings.early_relapse_months)
    rule = settings.mycare_ferritin_rule
    return {
        "study_id": study.id,
        "data_cut": study.data_cut,
        "early_months_1": cut_offs[0],
        "early_months_2": cut_offs[-1],
        "early_if_equal": settings.early_relapse_tie == "early_if_equal",
        "time_zero": settings.time_zero,
        "best_response_window": settings.best_response_window,
        "ne_is_nonresponder": settings.ne_counts_as_nonresponder,
        "pfs_censoring": settings.pfs_censoring,
        "emd_without_imaging": settings.emd_without_imaging,
        "mycare_ferritin_limit": None if rule == "above_uln" else rule,
        "days_per_month": settings.days_per_month,
        "drugs_path": str(DRUGS),
    }


def _create_from(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    # A registered Polars frame makes DuckDB import pandas and pyarrow; a Parquet file needs neither.
    with tempfile.TemporaryDirectory(prefix="carmony-") as folder:
        path = Path(folder) / f"{name}.parquet"
        frame.write_parquet(path)
        con.execute(
            f"create or replace temp table {name} as select * from read_parquet({_literal(str(path))})"
        ).fetchall()


def _comments(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    tables = {
        row[0]
        for row in con.execute(
            "select table_name from duckdb_tables() where schema_name = 'analysis' and not temporary"
        ).fetchall()
    }
    with (SQL / "labels.csv").open(encoding="utf-8", newline="") as file:
        for entry in csv.DictReader(file):
            if entry["table"] not in tables:
                continue
            target = f"table analysis.{entry['table']}"
            if entry["column"]:
                target = f'column analysis.{entry["table"]}."{entry["column"]}"'
            label = entry["label"] + (f" [{entry['unit']}]" if entry["unit"] else "")
            yield f"comment on {target} is '{label.replace(chr(39), chr(39) * 2)}'"
