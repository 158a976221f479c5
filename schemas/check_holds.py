"""Which rows are held back, for which rule, and what that means for the other rows of a patient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from schemas.check_context import HOLD_OUTCOME, HOLD_REASON, PATIENT_HOLD
from schemas.check_data import TableData
from schemas.staging import LEDGER

REASON = pl.Schema(
    {
        "row_id": pl.Int64(),
        "reason": pl.String(),  # rule id
        "outcome": pl.String(),  # quarantined, excluded
    }
)


NO_REASONS = REASON.to_frame()
Frames = dict[str, pl.DataFrame]
_ROW = pl.Schema({**REASON, "table": pl.String()})


class Holds:
    """Collects rows and patients to hold back. A patient's hold takes all rows along."""

    def __init__(self) -> None:
        self._rows: dict[str, list[pl.DataFrame]] = {}
        self._patients: list[pl.DataFrame] = []

    def add(
        self,
        data: TableData,
        rows: pl.DataFrame,
        disposition: str,
        scope: str,
        *,
        take_along: bool = True,
    ) -> None:
        """Hold rows (`row_id, patient_id, reason`) as disposition and scope say.

        A held subject row takes the patient's rows along, unless another row of the patient stays.
        """
        if rows.is_empty() or disposition.startswith("keep"):
            return
        outcome = "excluded" if disposition == "screen_out" else "quarantined"
        told = rows.select("row_id", "patient_id", "reason", pl.lit(outcome).alias("outcome"))
        if scope == "patient" or (data.name == "subject" and take_along):
            self._patients.append(told.select(list(PATIENT_HOLD)))
        if outcome == "quarantined":
            self._rows.setdefault(data.name, []).append(told.select(list(REASON)))

    def patients(self) -> pl.DataFrame:
        """patient_id, reason, outcome: one row per patient; excluded goes before quarantined."""
        if not self._patients:
            return PATIENT_HOLD.to_frame()
        return (
            pl.concat(self._patients)
            .drop_nulls("patient_id")
            .sort("outcome", maintain_order=True)
            .unique("patient_id", keep="first", maintain_order=True)
        )

    def all_rows(self) -> pl.DataFrame:
        """Rows of all tables that are held for their own sake, with their table."""
        parts = [
            self.rows(table).with_columns(pl.lit(table).alias("table")) for table in self._rows
        ]
        return pl.concat(parts) if parts else _ROW.to_frame()

    def rows(self, table: str) -> pl.DataFrame:
        """Rows of a table that are held for their own sake, the first reason each."""
        parts = self._rows.get(table)
        if not parts:
            return NO_REASONS
        return pl.concat(parts).unique("row_id", keep="first", maintain_order=True)


def split(
    frame: pl.DataFrame, own: pl.DataFrame, patients: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Rows kept, rows held, and the reason of each held row (`REASON`, in order of the rows).

    `patients` tells for each row, in order, `hold.reason` and `hold.outcome` of its patient. An
    excluded patient's rows are excluded whatever else is wrong with them; then a row's own reason
    goes before that of its patient.
    """
    if own.is_empty() and not patients[HOLD_OUTCOME].count():
        return frame, frame.clear(), NO_REASONS
    held = frame["row_id"].is_in(own["row_id"].implode()) | patients[HOLD_OUTCOME].is_not_null()
    if not held.any():
        return frame, frame.clear(), NO_REASONS
    rows = frame.filter(held)
    told = rows.select("row_id").hstack(patients.select(HOLD_REASON, HOLD_OUTCOME).filter(held))
    told = told.join(own, on="row_id", how="left", maintain_order="left").select(
        "row_id", *_decided()
    )
    return frame.filter(~held), rows, told


def _decided() -> Iterator[pl.Expr]:
    """Reason and outcome of a row from its own hold and that of its patient."""
    excluded = pl.col(HOLD_OUTCOME).fill_null("") == "excluded"
    for name, of_patient in (("reason", HOLD_REASON), ("outcome", HOLD_OUTCOME)):
        yield (
            pl.when(excluded).then(of_patient).otherwise(pl.coalesce(name, of_patient)).alias(name)
        )


def settle(frames: Mapping[str, pl.DataFrame], holds: Holds) -> pl.DataFrame:
    """What becomes of every row of the small tables, in their order.

    Returns: table, source_id, row_id, reason, outcome (null: kept).
    """
    if not frames:
        return pl.DataFrame(schema={"table": pl.String(), "source_id": pl.Int32(), **REASON})
    rows = pl.concat(
        frame.select(pl.lit(name).alias("table"), "source_id", "row_id", "patient_id")
        for name, frame in frames.items()
    )
    own = holds.all_rows()
    named = holds.patients().rename({"reason": HOLD_REASON, "outcome": HOLD_OUTCOME})
    if own.is_empty() and named.is_empty():
        none = pl.lit(None, dtype=pl.String())
        return rows.drop("patient_id").with_columns(none.alias("reason"), none.alias("outcome"))
    return (
        rows.join(own, on=["table", "row_id"], how="left", maintain_order="left")
        .join(named, on="patient_id", how="left", maintain_order="left")
        .select("table", "source_id", "row_id", *_decided())
    )


def divide(
    frames: Mapping[str, pl.DataFrame], settled: pl.DataFrame
) -> tuple[Frames, Frames, Frames]:
    """Rows kept, rows held and their reasons (`REASON`) of each table, as `settle` decided."""
    kept: Frames = {}
    held: Frames = {}
    reasons: Frames = {}
    start = 0
    for name, frame in frames.items():
        told = settled.slice(start, frame.height)
        start += frame.height
        fails = told["outcome"].is_not_null()
        some = fails.any()
        kept[name] = frame.filter(~fails) if some else frame
        held[name] = frame.filter(fails) if some else frame.clear()
        reasons[name] = told.filter(fails).select(list(REASON)) if some else NO_REASONS
    return kept, held, reasons


def counted(table: str, totals: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """What became of a streaming table's rows: table, source_id, outcome, reason, n_rows.

    `totals` counts rows per source, several times; `held` has source, outcome and reason of each row.
    """
    lost = held.group_by("source_id", "outcome", "reason").len("n_rows")
    rest = pl.concat(
        [totals, lost.select("source_id", -pl.col("n_rows").cast(pl.Int64()))],
        how="vertical_relaxed",
    )
    none = pl.lit(None, dtype=pl.String())
    kept = (
        rest.group_by("source_id")
        .agg(pl.col("n_rows").sum())
        .with_columns(none.alias("outcome"), none.alias("reason"))
        .filter(pl.col("n_rows") > 0)
    )
    order = ["source_id", "outcome", "reason", "n_rows"]
    both = pl.concat([kept.select(order), lost.select(order)], how="vertical_relaxed")
    return both.with_columns(pl.lit(table).alias("table"))


def ledger_lines(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """LEDGER of the step 'check': rows in, out, and held by reason, per source and table.

    `parts`: table, source_id, outcome (null: kept), reason; one row each, or `n_rows`.
    """
    if not parts:
        return LEDGER.to_frame()
    order = ["source_id", "table", "outcome", "reason"]
    lines = pl.concat(
        [
            (
                part if "n_rows" in part.columns else part.with_columns(pl.lit(1).alias("n_rows"))
            ).select(*order, pl.col("n_rows").cast(pl.Int64()))
            for part in parts
        ]
    )
    told = lines.group_by(order).agg(pl.col("n_rows").sum())
    coming = told.group_by("source_id", "table").agg(
        pl.lit("in").alias("outcome"),
        pl.lit(None, dtype=pl.String()).alias("reason"),
        pl.col("n_rows").sum(),
    )
    leaving = told.with_columns(pl.col("outcome").fill_null("out"))
    return (
        pl.concat([coming.select(leaving.columns), leaving])
        .with_columns(pl.lit("check").alias("step"))
        .select(list(LEDGER))
        .cast(LEDGER)
        .sort("table", "source_id", "outcome", "reason")
    )


def renamed(reasons: pl.DataFrame, misspelt: pl.DataFrame) -> pl.DataFrame:
    """Orphans whose id has the wrong form are held under that rule."""
    if misspelt.is_empty():
        return reasons
    named = pl.col("row_id").is_in(misspelt["row_id"].implode()) & (pl.col("reason") == "STR-03")
    return reasons.with_columns(
        pl.when(named).then(pl.lit("STR-04")).otherwise("reason").alias("reason")
    )
