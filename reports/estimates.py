"""Fills `analysis.estimate` and `analysis.estimate_subject`: every number that the report prints."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from reports.displays import definitions, deliveries, flow, group_sizes, queries
from reports.displays.context import Context
from reports.displays.data import AnalysisData
from reports.displays.estimate import Estimate, to_frame
from reports.displays.registry import estimates_of, planned_displays, subjects_of
from reports.plan_fit import check_columns, check_groups, differences
from reports.selfaudit import audit_estimates
from schemas.errors import StudyError

if TYPE_CHECKING:
    import duckdb

    from schemas.spec.study import Study


MEMORY_LIMIT = "1GB"  # of DuckDB, as in the build: above it, it spills beside the file


def write_estimates(warehouse: duckdb.DuckDBPyConnection | str | Path, study: Study) -> int:
    """Computes all displays and replaces the content of both estimate tables.

    Args:
        warehouse: The staged warehouse after `warehouse.analysis.derive`: an open connection, or the
            path of its file, which is then opened, written and closed.
        study: Groups and their order, cut-offs, month length, texts of the methods.

    Returns:
        The number of rows of `analysis.estimate`.

    Raises:
        StudyError: The study asks for small counts to be held back. Survival curves show single
            deaths, so that masking the tables alone would promise more than it keeps.
        StudyError: The plan names a column that adsl lacks, or makes groups of a number.
        AuditStoppedError: A table contradicts itself (`reports.selfaudit`).
    """
    if study.privacy.smallest_cell > 1:
        raise StudyError(
            f"study.yaml asks to print no count below {study.privacy.smallest_cell}, but the report"
            " cannot hold back small counts.",
            fix="set privacy.smallest_cell to 1, show the report only to those who may see counts of 1, and give"
            " others what 'carmony report STUDY --external' writes",
        )
    if isinstance(warehouse, str | Path):
        import duckdb

        con = duckdb.connect(str(warehouse), config={"memory_limit": MEMORY_LIMIT})
        try:
            con.begin()
            n_rows = write_estimates(con, study)
            con.commit()
            return n_rows
        finally:
            con.close()
    from schemas.spec.plans import load_plan

    context = Context(AnalysisData.read(warehouse), study, load_plan(study))
    check_columns(context.plan, context.data.adsl)
    check_groups(context)
    estimates = to_frame(all_estimates(context))
    audit_estimates(estimates)
    _replace(warehouse, "estimate", estimates)
    _replace(warehouse, "estimate_subject", all_subjects(context))
    return estimates.height


def all_estimates(context: Context) -> list[Estimate]:
    """The rows of every display, in the order of the report."""
    data, study = context.data, context.study
    groups = {group.code: group.label for group in study.groups}
    planned = [
        row
        for number, display in enumerate(planned_displays(context), start=1)
        for row in estimates_of(display, context, number)
    ]
    return [
        *flow.methods(study),
        *flow.methods_of_plan(context.plan),
        *differences(context),
        *flow.cohort(data),
        *planned,
        *flow.attrition(data),
        *deliveries.deliveries(data),
        *queries.queries(data),
        *group_sizes.group_sizes(data, groups),
        *definitions.definitions(data),
    ]


def all_subjects(context: Context) -> pl.DataFrame:
    """The patients behind every row that counts patients."""
    return pl.concat([subjects_of(display, context) for display in planned_displays(context)])


def _replace(con: duckdb.DuckDBPyConnection, table: str, rows: pl.DataFrame) -> None:
    # By a Parquet file: a registered frame makes DuckDB import pandas, row-wise inserts are slow.
    with tempfile.TemporaryDirectory(prefix="carmony-") as folder:
        path = Path(folder) / f"{table}.parquet"
        rows.write_parquet(path)
        con.execute(f"delete from analysis.{table}").fetchall()
        quoted = str(path).replace("'", "''")
        con.execute(
            f"insert into analysis.{table} by name select * from read_parquet('{quoted}')"
        ).fetchall()
