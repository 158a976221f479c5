"""The rows that a context looks at, and the one row per key that it shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import polars as pl

from schemas.check_data import CheckFacts, TableData
from schemas.check_few import FEW, first_places, taken
from schemas.check_many import SMALL, firsts
from schemas.check_plan import Plan, PlannedContext
from schemas.rule_sql import LATEST, latest_day

SUBJECT = "subject"
PATIENT_NUMBER = "patient_number"
HELD = "hold.held"  # the row itself was held in its batch


def evidence(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows that may speak for or against others: what is held back itself is no evidence."""
    return frame.filter(~pl.col(HELD)) if HELD in frame.columns else frame


class ContextRows:
    """Rows behind the contexts of one delivery; filtered once per context."""

    def __init__(self, plan: Plan, tables: Mapping[str, TableData], facts: CheckFacts) -> None:
        self._columns = plan.context_columns
        self._tables = tables
        self._facts = facts
        self._bases: dict[str, pl.DataFrame] = {}
        self.held: dict[str, pl.Series] = {}  # table → row ids; see `ContextBook.hold`

    def of(self, context: PlannedContext) -> pl.DataFrame:
        """The rows of its table that a context looks at, in the table's order."""
        if context.name not in self._bases:
            data = self._tables[context.table]
            frame = evidence(data.frame)
            if context.sound and len(self.held.get(context.table, ())):
                frame = frame.filter(~pl.col("row_id").is_in(self.held[context.table].implode()))
            if frame.height >= SMALL:
                frame = frame.select(self._looked_at(context, frame.columns))
            if context.where is not None:
                frame = frame.filter(context.where)
            if context.offset:
                frame = frame.with_columns(pl.col(n) - by for n, by in context.offset.items())
            if context.name == SUBJECT:
                frame = self._patients(frame)
            self._bases[context.name] = frame
        return self._bases[context.name]

    def _looked_at(self, context: PlannedContext, columns: Iterable[str]) -> list[str]:
        """The columns of its table that a context needs; the others are not worth filtering."""
        shown = self._columns.get(context.name, frozenset())
        read = [*context.aggregate.values(), *([] if context.where is None else [context.where])]
        read += shown_columns(context.name, frozenset(shown - context.aggregate.keys()))
        names = {*context.by, *context.within, *context.order, context.first, "row_id"}
        names.update(name for expr in read for name in expr.meta.root_names())
        return [name for name in columns if name in names or context.name == SUBJECT]

    def _patients(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Subject rows, and patients of earlier deliveries, with a small number for each."""
        known: list[str] = []
        if self._facts.known_patients:
            known = sorted(self._facts.known_patients - set(frame["patient_id"].to_list()))
        if known:
            earlier = pl.DataFrame(
                {"patient_id": known, "row_id": range(-1, -1 - len(known), -1)},
                schema={"patient_id": pl.String(), "row_id": pl.Int64()},
            )
            frame = pl.concat([frame, earlier], how="diagonal")
        return frame.with_row_index(PATIENT_NUMBER)

    def one_per_key(self, context: PlannedContext) -> pl.DataFrame:
        """Key and `<context>.<column>` columns of one context, one row per key."""
        few = self.of(context)
        base, name = few.lazy(), context.name
        columns = self._columns.get(name, frozenset())
        if context.aggregate:
            made = base.group_by(context.by, maintain_order=True).agg(
                expr.alias(f"{name}.{column}") for column, expr in context.aggregate.items()
            )
            return made.drop_nulls(context.by).collect()
        extra = {PATIENT_NUMBER} if name == SUBJECT else frozenset[str]()
        shown = shown_columns(name, columns | {"row_id"} | extra)
        if few.height < FEW:
            places = first_places(few, context.by, context.first)
            return taken(few, places).select(*context.by, *shown)
        if context.first is not None:
            found = firsts(few, context.by, context.first)
            if found is not None:
                return few.select(pl.all().gather(found)).select(*context.by, *shown)
            base = base.filter(pl.col(context.first).is_not_null()).sort(
                context.first, "row_id", maintain_order=True
            )
        return (
            base.drop_nulls(context.by)
            .unique(subset=context.by, keep="first", maintain_order=True)
            .select(*context.by, *shown)
            .collect()
        )


@cache
def shown_columns(name: str, columns: frozenset[str]) -> tuple[pl.Expr, ...]:
    """Columns of a context's table under the names by which rules read them."""
    return tuple(
        (
            latest_day(column.removesuffix(LATEST)) if column.endswith(LATEST) else pl.col(column)
        ).alias(f"{name}.{column}")
        for column in sorted(columns)
    )
