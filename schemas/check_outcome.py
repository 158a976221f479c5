"""What the check hands back: for a batch, and for a whole delivery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class BatchVerdict:
    """What became of the rows of one batch of a streaming table.

    `reasons` names for each held row the rule and whether it is quarantined or excluded (REASON).
    """

    kept: pl.DataFrame
    held: pl.DataFrame
    reasons: pl.DataFrame


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """Everything that the check of one delivery found.

    Attributes:
        findings: FINDING. finding_fields: FINDING_FIELD (holds values as read: vault only).
        kept: valid rows of each small table. held: its rows held back.
        reasons: table → REASON of all held rows, streaming tables included.
        late: streaming table → REASON of rows that `add` gave back as kept and that must be moved
            to quarantine after all.
        screened_out: ids of patients outside the study's population.
        check_run: CHECK_RUN. ledger: lines of the step 'check'.
    """

    findings: pl.DataFrame
    finding_fields: pl.DataFrame
    kept: Mapping[str, pl.DataFrame]
    held: Mapping[str, pl.DataFrame]
    reasons: Mapping[str, pl.DataFrame]
    late: Mapping[str, pl.DataFrame]
    screened_out: frozenset[str]
    check_run: pl.DataFrame
    ledger: pl.DataFrame
