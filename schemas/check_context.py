"""Context columns: what a rule looks at in other rows, joined to the row that it judges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from schemas.check_data import CheckFacts, TableData
from schemas.check_plan import PlannedCheck, PlannedContext
from schemas.rule_sql import LATEST, latest_day

SUBJECT = "subject"
PATIENT_NUMBER = "patient_number"
HOLD_REASON, HOLD_OUTCOME = "hold.reason", "hold.outcome"
PATIENT_HOLD = pl.Schema({"patient_id": pl.String(), "reason": pl.String(), "outcome": pl.String()})
Spec = tuple[tuple[str, tuple[str, ...]], ...]


class ContextBook:
    """Contexts of one delivery, built from its small tables when a rule first asks for them."""

    def __init__(
        self,
        contexts: Mapping[str, PlannedContext],
        tables: Mapping[str, TableData],
        facts: CheckFacts,
    ) -> None:
        self._contexts = contexts
        self._tables = tables
        self._facts = facts
        self._bases: dict[str, pl.DataFrame] = {}
        self._frames: dict[tuple[str, tuple[str, ...]], pl.DataFrame] = {}
        self._merged: dict[tuple[Spec, bool], dict[tuple[str, ...], pl.DataFrame]] = {}
        self._holds = PATIENT_HOLD.to_frame()

    def missing(self, name: str, columns: Iterable[str]) -> str | None:
        """Why a context cannot be joined, or None."""
        context = self._contexts[name]
        data = self._tables.get(context.table)
        if data is None:
            return f"table {context.table} is not delivered"
        for column in columns:
            plain = _home(column, data)
            if plain not in data.delivered and column not in context.aggregate:
                return f"column {context.table}.{plain} is not delivered"
        for used in context.uses:
            wanted = [c.partition(".")[2] for c in context.within if c.startswith(f"{used}.")]
            problem = self.missing(used, wanted)
            if problem is not None:
                return problem
        return None

    def join(
        self, frame: pl.DataFrame, checks: Iterable[PlannedCheck], *, numbered: bool = False
    ) -> pl.DataFrame:
        """The frame with all columns that the checks read, in the frame's own order.

        `numbered` adds `subject.patient_number`, and reason and outcome of a hold of the patient.
        """
        wanted: dict[str, set[str]] = {}
        if numbered and self.missing(SUBJECT, ()) is None:
            wanted[SUBJECT] = {PATIENT_NUMBER}
        latest: set[str] = set()
        for check in checks:
            latest.update(check.latest)
            for name, columns in check.contexts.items():
                wanted.setdefault(name, set()).update(columns)
        spec = tuple((name, tuple(sorted(wanted[name]))) for name in sorted(wanted))
        for key, made in self._groups(spec, numbered).items():
            found = frame.select(key).join(made, on=key, how="left", maintain_order="left")
            frame = frame.hstack(found.drop(key))  # the wide frame itself is not copied
        facts = [
            pl.lit(value, dtype=pl.Date() if name != "delivery.country" else pl.String()).alias(
                name
            )
            for name, value in self._facts.columns.items()
        ]
        return frame.with_columns(*facts, *(latest_day(column) for column in sorted(latest)))

    def _groups(self, spec: Spec, numbered: bool) -> dict[tuple[str, ...], pl.DataFrame]:
        """Contexts with the same key in one frame; with the holds of patients if numbered."""
        if (spec, numbered) in self._merged:
            return self._merged[spec, numbered]
        groups: dict[tuple[str, ...], pl.DataFrame] = {}
        if numbered:
            groups["patient_id",] = self._holds.select(
                "patient_id", **{HOLD_REASON: "reason", HOLD_OUTCOME: "outcome"}
            )
        for name, columns in spec:
            context = self._contexts[name]
            key = ("row_id",) if context.shift else context.by
            made = self.frame(name, tuple(column for column in columns if column not in key))
            if key in groups:
                made = groups[key].join(made, on=key, how="full", coalesce=True)
            groups[key] = made
        self._merged[spec, numbered] = groups
        return groups

    def hold(self, patients: pl.DataFrame) -> None:
        """From now on numbered frames also tell which patients are held, and why."""
        self._holds = patients
        self._merged = {}

    def frame(self, name: str, columns: tuple[str, ...]) -> pl.DataFrame:
        """Key and `<context>.<column>` columns of a context, one row per key."""
        key = (name, columns)
        if key not in self._frames:
            self._frames[key] = self._build(name, columns)
        return self._frames[key]

    def home(self, name: str) -> TableData:
        """The table whose rows a context shows."""
        return self._tables[self._contexts[name].table]

    def rows_behind(self, name: str, frame: pl.DataFrame) -> pl.DataFrame:
        """For rows of a judged frame: `hit` beside the `row_id` of each context row behind it."""
        context = self._contexts[name]
        key = ("row_id",) if context.shift else context.by
        if context.aggregate:
            base = self._base(context)
            behind = base.select(*key, behind="row_id")
        else:
            behind = self.frame(name, ("row_id",)).rename({f"{name}.row_id": "behind"})
        joined = frame.select("hit", *dict.fromkeys(key)).join(behind, on=key, how="inner")
        return joined.select("hit", row_id="behind")

    def _base(self, context: PlannedContext) -> pl.DataFrame:
        if context.name not in self._bases:
            data = self._tables[context.table]
            frame = data.frame if context.where is None else data.frame.filter(context.where)
            if context.name == SUBJECT:
                frame = self._patients(frame)
            self._bases[context.name] = frame
        return self._bases[context.name]

    def _patients(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Subject rows, and patients of earlier deliveries, with a small number for each."""
        known = sorted(self._facts.known_patients - set(frame["patient_id"].to_list()))
        earlier = pl.DataFrame(
            {"patient_id": known, "row_id": range(-1, -1 - len(known), -1)},
            schema={"patient_id": pl.String(), "row_id": pl.Int64()},
        )
        return pl.concat([frame, earlier], how="diagonal").with_row_index(PATIENT_NUMBER)

    def patient_ids(self, numbers: pl.Series) -> pl.Series:
        """The ids behind `subject.patient_number`."""
        return self._base(self._contexts[SUBJECT])["patient_id"].gather(numbers)

    def _build(self, name: str, columns: tuple[str, ...]) -> pl.DataFrame:
        context = self._contexts[name]
        base = self._base(context)
        if context.aggregate:
            return base.group_by(context.by, maintain_order=True).agg(
                *(
                    context.aggregate[column].alias(f"{name}.{column}")
                    for column in columns
                    if column in context.aggregate
                )
            )
        plain = sorted({column.removesuffix(LATEST) for column in columns})
        ends = [latest_day(c.removesuffix(LATEST)) for c in columns if c.endswith(LATEST)]
        if context.shift:
            return self._neighbours(context, base.with_columns(ends), columns)
        if context.first is not None:
            base = base.filter(pl.col(context.first).is_not_null()).sort(
                context.first, "row_id", maintain_order=True
            )
        shown = base.with_columns(ends).select(
            *context.by,
            *(
                pl.col(column).alias(f"{name}.{column}")
                for column in [*plain, *(c for c in columns if c.endswith(LATEST))]
                if column in columns
            ),
        )
        return shown.unique(subset=context.by, keep="first", maintain_order=True)

    def _neighbours(
        self, context: PlannedContext, base: pl.DataFrame, columns: tuple[str, ...]
    ) -> pl.DataFrame:
        """Row id and the columns of the neighbour in the table itself."""
        for used in context.uses:
            wanted = tuple(c.partition(".")[2] for c in context.within if c.startswith(f"{used}."))
            base = base.join(self.frame(used, wanted), on=self._contexts[used].by, how="left")
        ranked = base.drop_nulls([*context.within, *context.order]).sort(
            *context.within, *context.order, "row_id"
        )
        return ranked.select(
            "row_id",
            *(
                pl.col(column)
                .shift(context.shift)
                .over(context.within)
                .alias(f"{context.name}.{column}")
                for column in columns
            ),
        )


def _home(column: str, data: TableData) -> str:
    """The declared column behind a companion or a last day."""
    plain = column.removesuffix(LATEST)
    for declared in data.table.columns:
        if plain in declared.companions:
            return declared.name
    return plain
