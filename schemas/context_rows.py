"""The rows that a context looks at, and the one row per key that it shows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cache

import polars as pl

from schemas.check_data import CheckFacts, TableData
from schemas.check_few import FEW, Lookup, first_places, lookup
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
    """Rows behind the contexts of one delivery; filtered once per context.

    `expected`: contexts that are going to be asked for, which may grow.
    """

    def __init__(
        self,
        plan: Plan,
        tables: Mapping[str, TableData],
        facts: CheckFacts,
        expected: Collection[str],
    ) -> None:
        self._plan = plan
        self._columns = plan.context_columns
        self._tables = tables
        self._facts = facts
        self._expected = expected
        self._bases: dict[str, pl.DataFrame] = {}
        self._same: dict[str, pl.DataFrame] = {}
        self._evidence: dict[str, pl.DataFrame] = {}
        self._masks: dict[str, pl.Series] = {}  # by the first context that looks at these rows
        self.held: dict[str, pl.Series] = {}  # table → row ids; see `ContextBook.hold`

    def of(self, context: PlannedContext) -> pl.DataFrame:
        """The rows of its table that a context looks at, in the table's order."""
        if context.name not in self._bases:
            small = self._tables[context.table].frame.height < SMALL
            rows = self._few(context) if small else self._many(context)
            self._bases[context.name] = self._patients(rows) if context.name == SUBJECT else rows
        return self._bases[context.name]

    def _few(self, context: PlannedContext) -> pl.DataFrame:
        """Of a small table: which rows each of its contexts looks at is found in one go."""
        first = self._plan.same_rows[context.name]
        if first not in self._same:
            self._same[first] = _moved(context, self._chosen(context))
        return self._same[first]

    def _chosen(self, context: PlannedContext) -> pl.DataFrame:
        if context.table not in self._evidence:
            self._evidence[context.table] = evidence(self._tables[context.table].frame)
        frame = self._evidence[context.table]
        mask = None
        if context.where is not None:
            first = self._plan.same_rows[context.name]
            if first not in self._masks:
                self._look(context, frame)
            mask = self._masks[first]
        if self._is_partly_held(context):
            sound = ~frame["row_id"].is_in(self.held[context.table].implode())
            mask = sound if mask is None else mask & sound
        if mask is not None and not mask.any():
            frame = frame.head(0)
        elif mask is not None and (mask.null_count() or not mask.all()):
            frame = frame.filter(mask)
        return frame

    def _look(self, context: PlannedContext, frame: pl.DataFrame) -> None:
        """Which rows of the table this context and all expected ones look at."""
        wheres = {
            self._plan.same_rows[other.name]: other.where
            for name in (context.name, *self._expected)
            if (other := self._plan.contexts[name]).table == context.table
            and other.where is not None
            and self._plan.same_rows[other.name] not in self._masks
        }
        masks = frame.select(where.alias(name) for name, where in wheres.items())
        self._masks.update(zip(masks.columns, masks.get_columns(), strict=True))

    def _many(self, context: PlannedContext) -> pl.DataFrame:
        """Of a large table: only what the context needs, because filtering costs by the column."""
        frame = evidence(self._tables[context.table].frame)
        if self._is_partly_held(context):
            frame = frame.filter(~pl.col("row_id").is_in(self.held[context.table].implode()))
        frame = frame.select(self._looked_at(context, frame.columns))
        if context.where is not None:
            frame = frame.filter(context.where)
        return _moved(context, frame)

    def _is_partly_held(self, context: PlannedContext) -> bool:
        return context.sound and len(self.held.get(context.table, ())) > 0

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

    def one_per_key(self, context: PlannedContext) -> pl.DataFrame | Lookup:
        """Key and `<context>.<column>` columns of one context, one row per key; few as a `Lookup`.

        What does not depend on who is held is made once for all who look at the table.
        """
        made = self._tables[context.table].shown
        if self._is_partly_held(context):
            return self._one_per_key(context)
        if context.name not in made:
            made[context.name] = self._one_per_key(context)
        return made[context.name]

    def _one_per_key(self, context: PlannedContext) -> pl.DataFrame | Lookup:
        base, name, by = self.of(context), context.name, context.by
        columns = self._columns.get(name, frozenset())
        if context.aggregate:
            made = base.group_by(by, maintain_order=True).agg(_aggregated(context))
            if any(made[key].null_count() for key in by):
                made = made.drop_nulls(by)
            return lookup(made, by) if made.height < FEW else made
        extra = {PATIENT_NUMBER} if name == SUBJECT else frozenset[str]()
        shown = shown_columns(name, columns | {"row_id"} | extra)
        if base.height < FEW:
            return Lookup(by, first_places(base, by, context.first), base.select(shown))
        if context.first is not None:
            found = firsts(base, by, context.first)
            if found is not None:
                return base.select(pl.all().gather(found)).select(*by, *shown)
            base = base.filter(pl.col(context.first).is_not_null()).sort(
                context.first, "row_id", maintain_order=True
            )
        wanted = base.select(*by, *shown)
        if any(wanted[key].null_count() for key in by):
            wanted = wanted.drop_nulls(by)
        if wanted.select(by).n_unique() < wanted.height:
            wanted = wanted.unique(subset=by, keep="first", maintain_order=True)
        return wanted


def _moved(context: PlannedContext, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows under the key of the row that they are beside."""
    if not context.offset:
        return frame
    return frame.with_columns(pl.col(name) - by for name, by in context.offset.items())


def _aggregated(context: PlannedContext) -> list[pl.Expr]:
    return [expr.alias(f"{context.name}.{column}") for column, expr in context.aggregate.items()]


@cache
def shown_columns(name: str, columns: frozenset[str]) -> tuple[pl.Expr, ...]:
    """Columns of a context's table under the names by which rules read them."""
    return tuple(
        (
            latest_day(column.removesuffix(LATEST)) if column.endswith(LATEST) else pl.col(column)
        ).alias(f"{name}.{column}")
        for column in sorted(columns)
    )
