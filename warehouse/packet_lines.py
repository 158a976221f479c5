"""The lines of a center's file of findings: one per field that a finding involves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from schemas.queries import Words
from schemas.rules import SEVERITIES
from warehouse.packet_texts import with_texts

COLUMNS = (
    "Number",
    "Patient",
    "File",
    "Sheet",
    "Row",
    "Column",
    "Value as read",
    "What is wrong",
    "Severity",
    "What became of the row",
    "What to do",
    "Rule",
)
_EFFECT = {
    "quarantine": "not used until it is corrected",
    "screen_out": "patient is outside the study",
    "keep_query": "used as it is; please check",
    "keep_info": "used as it is; for information",
}
_LEFT_EMPTY = "the value is left empty; the rest of the row is used"
# Excel and LibreOffice take a cell of a CSV that starts so for a formula, some after blanks, and
# some in full-width form.
_TRIGGER = r"^[\s\x00\x{feff}]*[=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}]|^[\t\r\n\x00]"
QUOTED = "Cells with ' put in front"


def packet_lines(
    staged_folder: Path,
    rules: Sequence[Mapping[str, Any]],
    language: str | None = None,
    further: tuple[pl.DataFrame, pl.DataFrame] | None = None,
) -> pl.DataFrame:
    """One row per finding and field: `COLUMNS` as text, but `Number` and `Row` as integers.

    Sorted by patient, file and row of the finding's first field; the lines of a finding stand
    together. A finding without fields has one line. Findings on whole files stand last.

    Args:
        staged_folder: A staged delivery (`schemas/staging.py`).
        rules: Entries with `id`, `title`, `sentence`, `query` and, by kind of column, `asks`.
        language: Of the texts in the cells; default English. The titles stay `COLUMNS`.
        further: Findings and fields that came after the staging, with ids of their own.
    """
    words = Words(language)
    findings = pl.read_parquet(staged_folder / "finding.parquet", glob=False)
    fields = pl.read_parquet(staged_folder / "finding_field.parquet", glob=False)
    if further is not None:
        findings = pl.concat([findings, further[0]])
        fields = pl.concat([fields, further[1]])
    lines = (
        findings.join(fields.drop("table"), on="finding_id", how="left")
        .sort("finding_id", "position", nulls_last=True)
        .with_columns(
            first_file=pl.col("file").first().over("finding_id"),
            about_table=pl.col("table").first().over("finding_id"),
            about_column=pl.col("column").first().over("finding_id"),
            left_empty=_is_left_empty().first().over("finding_id"),
            first_row=pl.col("row").first().over("finding_id"),
        )
        .sort("patient_id", "first_file", "first_row", "finding_id", "position", nulls_last=True)
    )
    lines = with_texts(lines, rules, words)
    not_met = (
        pl.when("possible")
        .then(pl.lit(words("Possibly not met")))
        .otherwise(pl.lit(words("Not met")))
    )
    return lines.select(
        pl.col("finding_id").rle_id().cast(pl.Int64).add(1).alias("Number"),
        pl.col("patient_id").alias("Patient"),
        pl.col("file").alias("File"),
        pl.col("sheet").alias("Sheet"),
        pl.col("row").alias("Row"),
        pl.col("source_column").alias("Column"),
        pl.col("value").alias("Value as read"),
        pl.format("{}: {}. {}", not_met, "title", "told")
        .str.strip_chars_end()
        .alias("What is wrong"),
        pl.col("severity").replace({word: words(word) for word in SEVERITIES}).alias("Severity"),
        pl.when("left_empty")
        .then(pl.lit(words(_LEFT_EMPTY)))
        .otherwise(
            pl.col("disposition").replace({key: words(text) for key, text in _EFFECT.items()})
        )
        .alias("What became of the row"),
        pl.col("ask").alias("What to do"),
        pl.col("rule_id").alias("Rule"),
    )


def _is_left_empty() -> pl.Expr:
    """Whether a row is kept without the value that the finding is about: it was not understood."""
    kept = pl.col("disposition").is_in(["keep_query", "keep_info"])
    of_a_row = (pl.col("scope") != "file") & pl.col("table").is_not_null()
    lost = pl.col("value").is_not_null() & pl.col("understood").is_null()
    return (kept & of_a_row & lost).fill_null(value=False)


def safe_for_csv(lines: pl.DataFrame, quoted: str = QUOTED) -> pl.DataFrame:
    """The lines with ' in front of every cell that a spreadsheet would run, and which those are.

    The last column, `quoted`, names the columns of the cells that got it, joined by |, so that it can
    be undone.
    """
    texts = [name for name, kind in lines.schema.items() if kind == pl.String]
    risky = {name: pl.col(name).str.contains(_TRIGGER).fill_null(value=False) for name in texts}
    named = pl.concat_list(
        [pl.when(test).then(pl.lit(name)) for name, test in risky.items()]
    ).list.drop_nulls()
    return lines.with_columns(
        named.list.join("|").alias(quoted),
        *(
            pl.when(test).then(pl.lit("'") + pl.col(name)).otherwise(pl.col(name)).alias(name)
            for name, test in risky.items()
        ),
    )
