"""What passes between the stages: the Parquet files of one staged delivery, and their columns.

A staged delivery is a folder that `transforms.stage.process_center` fills and `warehouse` loads:

    core/<table>.parquet         valid rows, identity columns first (`IDENTITY`), then the table's own
    quarantine/<table>.parquet   rows held back, the same columns
    source.parquet               every file and sheet read
    column_map.parquet           which source column each canonical column came from
    address.parquet              further source rows of rows that were joined from several sheets
    finding.parquet              one row per finding
    finding_field.parquet        the fields of each finding, with address and value as read (vault only)
    ledger.parquet               where every row went
    check_run.parquet            every rule's outcome
    summary.json                 counts, hashes and warnings; no values

A table without rows need not have a file in `core` or `quarantine`, and without rows there is no
address file. The other files are always there.

Identified: these folders live in the vault. `row_id` is a positive Int64 that the same bytes, sheet,
row and mapping block always get, so that a repeated run gives the same ids.
"""

from __future__ import annotations

import polars as pl

IDENTITY = pl.Schema(
    {
        "center_id": pl.String(),
        "patient_id": pl.String(),  # the center's own id, text as written
        "row_id": pl.Int64(),
        "source_id": pl.Int32(),  # row of source.parquet
        "source_row": pl.Int32(),  # 1-based row of the file or sheet; the physical line of a CSV
        "map_id": pl.Int32(),  # block of column_map.parquet
    }
)

SOURCE = pl.Schema(
    {
        "source_id": pl.Int32(),
        "name": pl.String(),  # the source's name in the spec
        "file": pl.String(),  # path inside the delivery, with / ; inside a zip: outer.zip/inner.csv
        "sheet": pl.String(),  # null for files without sheets
        "sha256": pl.String(),
        "kind": pl.String(),
        "encoding": pl.String(),
        "delimiter": pl.String(),
        "decimal": pl.String(),
        "n_rows": pl.Int64(),  # data rows: all that stands below the header and is not blank
    }
)

COLUMN_MAP = pl.Schema(
    {
        "map_id": pl.Int32(),
        "table": pl.String(),
        "column": pl.String(),
        "slot": pl.Int8(),  # 1: the row's own source; 2 and more: see address.parquet
        "source_id": pl.Int32(),
        "source_column": pl.String(),  # header as written; several joined by ' | '
        "rule": pl.String(),  # how: 'column', 'coalesce', 'constant', 'regex', ...
    }
)

ADDRESS = pl.Schema(
    {
        "row_id": pl.Int64(),
        "slot": pl.Int8(),
        "source_id": pl.Int32(),
        "source_row": pl.Int32(),
    }
)

# One row per rule and fact. `disposition`: quarantine, screen_out, keep_query, keep_info.
FINDING = pl.Schema(
    {
        "finding_id": pl.Int64(),  # 1.. inside the delivery
        "rule_id": pl.String(),
        "severity": pl.String(),  # error, warning, info
        "disposition": pl.String(),
        "scope": pl.String(),  # row, patient, file
        "table": pl.String(),  # null for findings on files
        "patient_id": pl.String(),
        "row_id": pl.Int64(),
        "message": pl.String(),  # for the center: what was expected and what to do; no value in it
    }
)

FINDING_FIELD = pl.Schema(
    {
        "finding_id": pl.Int64(),
        "position": pl.Int16(),  # 1 is the field that the rule is first about
        "table": pl.String(),
        "column": pl.String(),  # canonical column
        "file": pl.String(),
        "sheet": pl.String(),
        "row": pl.Int32(),
        "source_column": pl.String(),
        "value": pl.String(),  # as read
        "understood": pl.String(),  # as mapped, null where not understood
    }
)

# rows in = out + quarantined + excluded for each (source_id, table, step), by reason.
# outcome: in, out, quarantined, excluded. The step 'read' has one 'in' line per source with its data
# rows and 'out' / 'excluded' lines by reason (legend, total, blank, filtered, unmapped);
# the step 'map' counts canonical rows per block; the step 'check' splits them.
LEDGER = pl.Schema(
    {
        "step": pl.String(),  # read, map, check
        "source_id": pl.Int32(),
        "table": pl.String(),  # null at step read
        "outcome": pl.String(),
        "reason": pl.String(),
        "n_rows": pl.Int64(),
    }
)

CHECK_RUN = pl.Schema(
    {
        "rule_id": pl.String(),
        "severity": pl.String(),
        "table": pl.String(),
        "outcome": pl.String(),  # passed, failed, not_applicable, not_run, error
        "numerator": pl.Int64(),  # failing rows
        "denominator": pl.Int64(),  # rows that could be judged
        "reason": pl.String(),  # why not run, or the error; no values
    }
)

# What a stage before the check could not understand in a row; index is the row of the mapped frame.
ISSUE = pl.Schema(
    {
        "index": pl.UInt32(),
        "column": pl.String(),  # canonical column, or patient_id
        "rule_id": pl.String(),
        "severity": pl.String(),
        "note": pl.String(),  # what was expected; no value
    }
)

# Findings that belong to no canonical row. Rows with the same `issue` are the fields of one finding.
FILE_ISSUE = pl.Schema(
    {
        "issue": pl.UInt32(),
        "position": pl.Int16(),
        "rule_id": pl.String(),
        "severity": pl.String(),
        "source_id": pl.Int32(),  # null: a file that no source reads
        "file": pl.String(),
        "sheet": pl.String(),
        "row": pl.Int32(),  # null: the whole column, sheet or file
        "source_column": pl.String(),
        "patient_id": pl.String(),
        "value": pl.String(),  # as read; stays in the vault
        "note": pl.String(),  # what was expected; no value
    }
)
