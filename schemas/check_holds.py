"""Which rows are held back, for which rule, and what that means for the other rows of a patient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import polars as pl

from schemas.check_context import HOLD_OUTCOME, HOLD_REASON, PATIENT_HOLD
from schemas.check_data import TableData, constant
from schemas.check_plan import PlannedCheck
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
        told = rows.hstack([constant("outcome", outcome, rows.height)])
        if scope == "patient" or (data.name == "subject" and take_along):
            self._patients.append(told[list(PATIENT_HOLD)])
        if outcome == "quarantined":
            self._rows.setdefault(data.name, []).append(told[list(REASON)])

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
        parts = []
        for table in self._rows:
            rows = self.rows(table)
            parts.append(rows.hstack([constant("table", table, rows.height)]))
        return pl.concat(parts) if parts else _ROW.to_frame()

    def rows(self, table: str) -> pl.DataFrame:
        """Rows of a table that are held for their own sake, the first reason each."""
        parts = self._rows.get(table)
        if not parts:
            return NO_REASONS
        return pl.concat(parts).unique("row_id", keep="first", maintain_order=True)


def hold_issues(holds: Holds, data: TableData, judged: pl.DataFrame) -> None:
    """Holds rows whose value was not understood. `judged`: index, rule_id and disposition of issues."""
    if judged.is_empty():
        return
    rows = (
        data.frame[judged["index"]]
        .select("row_id", "patient_id")
        .with_columns(judged["rule_id"].alias("reason"), judged["disposition"])
    )
    for (disposition,), part in rows.group_by("disposition", maintain_order=True):
        holds.add(data, part, str(disposition), "row")


def hold_failing(holds: Holds, data: TableData, check: PlannedCheck, rows: pl.DataFrame) -> None:
    """Holds rows that fail a check, unless it only asks about them."""
    if not check.disposition.startswith("keep"):
        reason = constant("reason", check.rule, rows.height)
        told = rows[["row_id", "patient_id"]].hstack([reason])
        holds.add(data, told, check.disposition, check.scope)


def hold_explained(
    holds: Holds,
    data: TableData,
    check: PlannedCheck,
    frame: pl.DataFrame,
    explained: pl.DataFrame,
) -> pl.DataFrame:
    """Holds rows that fail only because a value was not understood, under the issue's rule.

    `explained`: index and rule_id. Returns row_id and rule_id of what is held.
    """
    if explained.is_empty() or check.disposition.startswith("keep"):
        return pl.DataFrame(schema={"row_id": pl.Int64(), "rule_id": pl.String()})
    rows = frame[["row_id", "patient_id"]].gather(explained["index"])
    rows = rows.hstack([explained["rule_id"].alias("reason")])
    holds.add(data, rows, check.disposition, check.scope)
    return rows.select("row_id", rule_id="reason")


def hold_copies(holds: Holds, data: TableData, check: PlannedCheck, numbered: pl.DataFrame) -> None:
    """Holds rows that stand twice: a true copy alone, one that differs as the rule says."""
    for identical in (True, False):
        part = numbered.filter(pl.col("identical") == identical).select(
            "row_id", "patient_id", pl.lit(check.rule).alias("reason")
        )
        scope = "row" if identical else check.scope
        holds.add(data, part, check.disposition, scope, take_along=not identical)


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
        frame[["source_id", "row_id", "patient_id"]].insert_column(
            0, constant("table", name, frame.height)
        )
        for name, frame in frames.items()
    )
    own = holds.all_rows()
    named = holds.patients().rename({"reason": HOLD_REASON, "outcome": HOLD_OUTCOME})
    if own.is_empty() and named.is_empty():
        none = [constant(name, None, rows.height) for name in ("reason", "outcome")]
        return rows[["table", "source_id", "row_id"]].hstack(none)
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
        if told["outcome"].null_count() == told.height:
            kept[name], held[name], reasons[name] = frame, frame.clear(), NO_REASONS
            continue
        fails = told["outcome"].is_not_null()
        kept[name], held[name] = frame.filter(~fails), frame.filter(fails)
        reasons[name] = told[list(REASON)].filter(fails)
    return kept, held, reasons


Lines = Counter[tuple[int, str, str | None, str | None]]
"""Rows by source, table, outcome (null: kept) and reason."""


def lines_of(settled: pl.DataFrame) -> Lines:
    """What became of the rows of the small tables, as `settle` decided."""
    groups = settled.group_by("source_id", "table", "outcome", "reason").len()
    return Counter({(s, table, o, r): n for s, table, o, r, n in groups.iter_rows()})


def lines_of_stream(table: str, totals: Mapping[int, int], held: pl.DataFrame) -> Lines:
    """What became of a streaming table's rows.

    `totals` counts rows per source; `held` has source, outcome and reason of each row held back.
    """
    lost: Lines = Counter()
    rest = Counter(totals)
    if held.height:
        groups = held.group_by("source_id", "outcome", "reason").len()
        for source, outcome, reason, n in groups.iter_rows():
            lost[source, table, outcome, reason] = n
            rest[source] -= n
    return lost + Counter({(source, table, None, None): n for source, n in rest.items()})


def ledger_lines(told: Lines) -> pl.DataFrame:
    """LEDGER of the step 'check': rows in, out, and held by reason, per source and table."""
    lines: Lines = Counter()
    for (source, table, outcome, reason), n in told.items():
        lines[source, table, "in", None] += n
        lines[source, table, outcome or "out", reason] += n
    ordered = sorted(
        lines.items(),
        key=lambda line: [
            (part is not None, part) for part in (line[0][1], line[0][0], *line[0][2:])
        ],
    )  # as a frame sorts: nulls first
    return pl.DataFrame(
        [("check", source, table, outcome, reason, n)
         for (source, table, outcome, reason), n in ordered],
        schema=LEDGER,
        orient="row",
    )  # fmt: skip


def renamed(reasons: pl.DataFrame, misspelt: pl.DataFrame) -> pl.DataFrame:
    """Orphans whose id has the wrong form are held under that rule."""
    if misspelt.is_empty():
        return reasons
    named = pl.col("row_id").is_in(misspelt["row_id"].implode()) & (pl.col("reason") == "STR-03")
    return reasons.with_columns(
        pl.when(named).then(pl.lit("STR-04")).otherwise("reason").alias("reason")
    )
