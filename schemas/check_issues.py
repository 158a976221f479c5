"""What becomes of a row in which the mapping did not understand a value."""

from __future__ import annotations

import polars as pl

from schemas.check_data import TableData
from schemas.check_plan import SPARED_TABLES, Plan

MISSPELT = "the patient id does not have the form that the spec declares, and no patient row has it"


def issue_dispositions(plan: Plan, data: TableData) -> pl.DataFrame:
    """The issues of a table with disposition, scope and message.

    In the tables that decide whether a patient is in the cohort, an unreadable value of a column that
    is not required keeps its row: losing a patient for an optional field would be worse.
    """
    required = [column.name for column in data.table.columns if column.required]
    holds = (
        pl.col("column").is_in([*required, "patient_id"])
        if data.name in SPARED_TABLES
        else pl.lit(True)
    )
    return (
        data.issues.join(plan.told, on="rule_id", how="left", maintain_order="left")
        .with_columns(disposition(holds), pl.col("scope").fill_null("row"))
        .with_columns(pl.coalesce("note", "query", pl.lit("")).alias("message"))
        .select("index", "column", "rule_id", "severity", "disposition", "scope", "message")
    )


def disposition(holds: pl.Expr) -> pl.Expr:
    """An error holds what its rule says, where `holds` allows it; all else is kept and asked about."""
    return (
        pl.when((pl.col("severity") == "error") & holds)
        .then(pl.col("rule_disposition").fill_null("quarantine"))
        .otherwise(pl.lit("keep_query"))
        .alias("disposition")
    )
