"""From `core` to the ADaM tables of schema `analysis`.

SQL files do what SQL says well, in the order of `BEFORE_LINES` and `AFTER_LINES`; between them
`transforms.derive.lines` finds the first salvage. Frames pass as Arrow streams and Parquet, so that
neither pandas nor pyarrow is imported on the way to the staged warehouse.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl

from transforms.derive.group_sizes import alternative_groups
from transforms.derive.lines import find_first_salvage, salvage_sequence
from warehouse.analysis_labels import comments
from warehouse.completions import add_completions
from warehouse.definitions import read_definitions, set_missing
from warehouse.export_days import no_export_days
from warehouse.held import read_held
from warehouse.held_progressions import none_held
from warehouse.held_rows import no_held_rows
from warehouse.imwg import imwg_frames
from warehouse.sql_text import sql_file

if TYPE_CHECKING:
    import duckdb

    from schemas.spec.study import Study

SQL = Path(__file__).parent / "sql" / "analysis"
DRUGS = Path(__file__).parents[1] / "schemas" / "vocabularies" / "drugs.csv"
DUCKDB_TYPES: Mapping[pl.DataType, str] = MappingProxyType(
    {
        pl.String(): "varchar",
        pl.Boolean(): "boolean",
        pl.Int32(): "integer",
        pl.Int64(): "bigint",
        pl.Float64(): "double",
        pl.Date(): "date",
    }
)

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
# How often a step runs: once; for each completion of partial dates too, because the times to event rest
# on it; or so only where they rest on measurements (setting response_analysed).
ONCE, EVERY, MEASURED = "ONCE", "EVERY", "MEASURED"

# Step → how often. A name in braces is that of a setting.
BEFORE_LINES = {
    "setting": EVERY,
    "drug_class": EVERY,
    "response_value": ONCE,
    "attrition_reason": ONCE,
    "index_infusion": EVERY,
    "index_relapse": EVERY,
    "vital": EVERY,
    "alive_evidence": EVERY,
    "line_start": EVERY,
    "progression_day": EVERY,
    "center_definition_excluded": EVERY,
    "imwg_period": MEASURED,
    "imwg_lab": MEASURED,
    "imwg_lesion": MEASURED,
    "imwg_report": MEASURED,
    "imwg_measured": MEASURED,
    "imwg_reported": MEASURED,
}
AFTER_LINES = {
    "held_line": EVERY,
    "following_line": EVERY,
    "candidate": EVERY,
    "timeline": EVERY,
    "drug_class_status": ONCE,
    "refractory_class": ONCE,
    "refractory": ONCE,
    "prior_bcma_drug": ONCE,
    "held_risk": ONCE,
    "held_toxicity": ONCE,
    "extramedullary": ONCE,
    "extramedullary_before": ONCE,
    "risk_reported": ONCE,
    "staging_stage": ONCE,
    "staging_chosen": ONCE,
    "cytogenetic_finding": ONCE,
    "cytogenetic_risk": ONCE,
    "staging_ferritin": ONCE,
    "staging_mycare": ONCE,
    "toxicity_period": ONCE,
    "toxicity_index": ONCE,
    "toxicity_adtox": ONCE,
    "profile": ONCE,
    "salvage_response": EVERY,
    "last_alive": EVERY,
    "progression": EVERY,
    "analysed_response_{response_analysed}": EVERY,
    "best_response": EVERY,
    "first_response": EVERY,
    "response_class": EVERY,
    "held_response": EVERY,
    "adsl": ONCE,
    "staging_agreement": ONCE,
    "imwg_depth": ONCE,
    "response_confirmed_{response_analysed}": ONCE,
    "adrs": ONCE,
    "endpoint_parameter": EVERY,
    "endpoint_source": EVERY,
    "endpoint_base": EVERY,
    "endpoint_event": EVERY,
    "clock": EVERY,
    "adtte": EVERY,
    "exclusion": EVERY,
    "endpoint_reason": ONCE,
    "endpoint_problem": ONCE,
    "attrition": ONCE,
    "center_definition": ONCE,
    "group_size_base": ONCE,
    "group_size": ONCE,
    "salvage_line": ONCE,
    "imwg_response": ONCE,
    "imwg_line": ONCE,
    "imwg_agreement": ONCE,
    "estimate": ONCE,
    "estimate_subject": ONCE,
}


def derive(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Creates adsl, adrs, adtte, exclusion, attrition and empty estimate tables in `analysis`.

    Args:
        con: The staged warehouse, open for writing, with schema `core` filled.
        study: Decides cut-offs, windows and censoring (`study.yaml`).

    Raises:
        duckdb.Error: A core table is missing; the staged file is then not published.
    """
    lines, progressions = _prepare(con, study, "PRIMARY")
    first = make_lines(con, study, lines, progressions)
    others = alternative_groups(lines, progressions, first, study.settings)
    create_from(con, "alternative_group", others)
    _derive_imwg(con)
    for name in steps(AFTER_LINES, study, "PRIMARY"):
        _run(con, name)
    set_missing(con, study)
    add_completions(con, lambda other, completion: _derive_times(other, study, completion))
    con.execute(";".join(comments(con))).fetchall()


def _derive_times(con: duckdb.DuckDBPyConnection, study: Study, completion: str) -> None:
    """`analysis.adtte` and `analysis.exclusion` alone, with partial dates completed otherwise."""
    lines, progressions = _prepare(con, study, completion)
    make_lines(con, study, lines, progressions)
    if study.settings.response_analysed == "derived":
        _derive_imwg(con)
    for name in steps(AFTER_LINES, study, completion):
        _run(con, name)


def make_lines(
    con: duckdb.DuckDBPyConnection, study: Study, lines: pl.DataFrame, progressions: pl.DataFrame
) -> pl.DataFrame:
    """temp.first_salvage and temp.salvage_sequence under the study's settings; gives the first."""
    first = find_first_salvage(lines, progressions, study.settings)
    create_from(con, "first_salvage", first)
    create_from(con, "salvage_sequence", salvage_sequence(lines, first, study.settings))
    return first


def found_lines(con: duckdb.DuckDBPyConnection) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What the first salvage is found from: lines in order, progressions."""
    lines = pl.DataFrame(con.sql("select * from line_start order by usubjid, line_number, row_id"))
    return lines, pl.DataFrame(con.sql("select * from progression_day"))


def steps(declared: Mapping[str, str], study: Study, completion: str) -> Iterator[str]:
    """The files of the declared steps that a completion needs, in order."""
    analysed = study.settings.response_analysed
    wanted = {EVERY, MEASURED} if analysed == "derived" else {EVERY}
    for name, often in declared.items():
        if completion == "PRIMARY" or often in wanted:
            yield name.format(response_analysed=analysed)


def _derive_imwg(con: duckdb.DuckDBPyConnection) -> None:
    measured = pl.DataFrame(con.sql("select * from imwg_measured"))
    # What was seen after the data cut confirms nothing.
    reported = pl.DataFrame(
        con.sql(
            "select imwg_reported.* from imwg_reported cross join setting "
            "where data_cut is null or assessed_on <= data_cut"
        )
    )
    for name, frame in imwg_frames(measured, reported).items():
        create_from(con, name, frame)


def _prepare(
    con: duckdb.DuckDBPyConnection, study: Study, completion: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Runs the steps before the first salvage is known; gives lines and progressions."""
    con.execute("create schema if not exists analysis").fetchall()
    con.execute(";".join(sql_file(SQL.name, name) for name in MACROS)).fetchall()
    set_variables(con, variables_of(study) | {"completion": completion})
    read_definitions(con, study)
    read_held(con)
    none_held(con)
    no_held_rows(con)
    no_export_days(con)
    for name in steps(BEFORE_LINES, study, completion):
        _run(con, name)
    return found_lines(con)


def _run(con: duckdb.DuckDBPyConnection, name: str) -> None:
    # Results are drained: an open one would be dropped silently (DuckDB 2) or block the connection.
    con.execute(sql_file(SQL.name, name)).fetchall()


def set_variables(con: duckdb.DuckDBPyConnection, values: Mapping[str, Any]) -> None:
    """Sets what the statements read by `getvariable`."""
    # DuckDB imports pandas to look at the first parameter that Python binds; a literal costs nothing.
    told = (f"set variable {name} = {literal(value)}" for name, value in values.items())
    con.execute(";".join(told)).fetchall()


def literal(value: str | float | bool | date | None) -> str:
    """A value as SQL text."""
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    return "'" + str(value).replace("'", "''") + "'"


def variables_of(study: Study) -> dict[str, Any]:
    """The study's settings under the names of the columns of `temp.setting`."""
    settings = study.settings
    cut_offs = sorted(settings.early_relapse_months)
    rule = settings.mycare_ferritin_rule
    return {
        "study_id": study.id,
        "data_cut": study.data_cut,
        "early_months_1": cut_offs[0],
        "early_months_2": cut_offs[-1],
        "early_if_equal": settings.early_relapse_tie == "early_if_equal",
        "bridge_days": settings.bridge_days,
        "time_zero": settings.time_zero,
        "best_response_window": settings.best_response_window,
        "response_analysed": settings.response_analysed,
        "ne_is_nonresponder": settings.ne_counts_as_nonresponder,
        "pfs_censoring": settings.pfs_censoring,
        "emd_without_imaging": settings.emd_without_imaging,
        "mycare_ferritin_limit": None if rule == "above_uln" else rule,
        "days_per_month": settings.days_per_month,
        "drugs_path": str(DRUGS),
    }


def create_from(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    """A temporary table from a frame of the types of `DUCKDB_TYPES`."""
    if frame.is_empty():
        columns = ", ".join(f'"{each}" {DUCKDB_TYPES[of]}' for each, of in frame.schema.items())
        con.execute(f"create or replace temp table {name} ({columns})").fetchall()
        return
    # A registered Polars frame makes DuckDB import pandas and pyarrow; a Parquet file needs neither.
    with tempfile.TemporaryDirectory(prefix="carmony-") as folder:
        path = Path(folder) / f"{name}.parquet"
        frame.write_parquet(path)
        con.execute(
            f"create or replace temp table {name} as select * from read_parquet({literal(str(path))})"
        ).fetchall()
