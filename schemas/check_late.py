"""Rules about a streaming table as a whole, from a few bytes per row.

What two batches say together (a key that occurs twice, a response after a progression) is judged
after the last one. Until then each row is remembered by a number of its patient, the columns that
such rules read (codes as small integers), and its address: about 45 bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from schemas.catalog import STREAMING, Catalog, Column, Table
from schemas.check_context import ContextBook
from schemas.check_data import CheckFacts, TableData
from schemas.check_many import packing
from schemas.check_plan import Plan, PlannedCheck, PlannedContext
from schemas.context_rows import HELD, PATIENT_NUMBER, SUBJECT
from schemas.rule_sql import LATEST
from schemas.staging import IDENTITY, ISSUE

_NUMBER = f"{SUBJECT}.{PATIENT_NUMBER}"
_RAW = "as read "


class LateRows:
    """What is remembered of a streaming table, and what its whole shows."""

    def __init__(self, catalog: Catalog, table: Table, plan: Plan) -> None:
        self.checks = [check for check in plan.of_table(table.name) if check.unique or check.late]
        self.table = table.name
        self._table = table
        self._catalog = catalog
        names = {name for check in plan.checks if check.late for name in check.contexts}
        self._contexts = [plan.contexts[name] for name in sorted(names)]
        self._contexts = [c for c in self._contexts if c.table == table.name]
        self._shown = plan.context_columns
        wanted = self._wanted()
        self._columns = [column for column in table.columns if column.name in wanted]
        self._fields = {name for check in self.checks for _, name in check.fields}
        self._parts: list[pl.DataFrame] = []
        self._delivered: frozenset[str] = frozenset()
        self._rows: pl.DataFrame | None = None

    def add(self, data: TableData, frame: pl.DataFrame, held: pl.Series) -> None:
        """Remember a batch; `frame` is its frame with `subject.patient_number`.

        `held`: row ids that are held themselves. They are judged like others and are no evidence.
        """
        self._delivered |= data.delivered
        if not (self.checks or self._contexts) or _NUMBER not in frame.columns:
            return  # without patients there is nothing to connect rows by; the rules do not run
        raw = [
            data.raw[name].alias(_RAW + name)
            for name in sorted(self._fields)
            if name in data.raw.columns
        ]
        own = [made for column in self._columns for made in self._compact(column)]
        address = ["row_id", "source_id", "source_row", "map_id"]
        is_held = pl.col("row_id").is_in(held.implode()).alias(HELD)
        self._parts.append(frame.select(_NUMBER, *address, *own, is_held).with_columns(raw))

    @property
    def obstacle(self) -> str | None:
        """Why rules on the whole table cannot run, or None."""
        return None if self._parts or self._rows is not None else "table subject is not delivered"

    def copies(self, check: PlannedCheck, book: ContextBook) -> tuple[int, TableData | None]:
        """Rows that could be judged, and those whose key occurs more than once, in file order."""
        rows = self._all()
        key = [_NUMBER if name == "patient_id" else name for name in check.unique]
        packed = packing([rows], key)
        if packed is None:
            full = pl.all_horizontal(pl.col(name).is_not_null() for name in key)
            hashed = rows.select(pl.when(full).then(pl.struct(key).hash())).to_series()
        else:
            hashed = rows.select(packed.expr()).to_series()
        judged = hashed.len() - hashed.null_count()
        if hashed.n_unique() == judged + (judged < hashed.len()):
            return judged, None
        twice = rows.filter(hashed.is_duplicated() & hashed.is_not_null())
        return judged, self._restored(twice, book)

    def sources(self, row_ids: pl.Series) -> pl.DataFrame:
        """row_id and source_id of some rows."""
        rows = self._all().select("row_id", "source_id")
        return (
            rows.filter(pl.col("row_id").is_in(row_ids.implode()))
            if row_ids.len()
            else rows.clear()
        )

    def shows(self, names: Collection[str]) -> bool:
        """Whether some of these contexts look at this table."""
        return any(context.name in names for context in self._contexts)

    def compact(self) -> TableData:
        """All rows with a patient's number for its id: enough to judge, not to report."""
        rows = self._all().rename({_NUMBER: "patient_id"})
        return TableData(self._table, rows, pl.DataFrame(), ISSUE.to_frame(), self._delivered)

    def linked(self, names: Collection[str], book: ContextBook) -> TableData:
        """The rows that some contexts look at, with the columns that these read; nothing as written."""
        wheres = [context.where for context in self._contexts if context.name in names]
        rows = self._all()
        looked_at = [pl.lit(False), *(where for where in wheres if where is not None)]
        if len(looked_at) > len(wheres):  # none of them looks at all rows
            rows = rows.filter(pl.any_horizontal(looked_at))
        ids = book.patient_ids(rows[_NUMBER]) if rows.height else pl.Series(dtype=pl.String())
        # That something was reported is told by a held row too: nobody need ask for it again.
        own = [n for n in rows.columns if not n.startswith(_RAW) and n not in (_NUMBER, HELD)]
        frame = rows.select(own).with_columns(ids.alias("patient_id"))
        return TableData(self._table, frame, pl.DataFrame(), ISSUE.to_frame(), self._delivered)

    def around(self, positions: pl.Series, book: ContextBook) -> TableData:
        """The rows at `positions` and all rows that share a key of a late context with them."""
        rows = self._all()
        some = rows[positions]
        chosen = [some]
        for context in self._contexts:
            key = [_NUMBER if name == "patient_id" else name for name in context.by]
            chosen.append(rows.join(some.select(key).unique(), on=key, how="semi"))
        joined = pl.concat(chosen).unique("row_id", keep="first").sort("source_id", "source_row")
        data = self._restored(joined, book)
        return replace(data, frame=data.frame.hstack([joined[HELD]]))

    def _all(self) -> pl.DataFrame:
        if self._rows is None:
            self._rows = pl.concat(self._parts, how="diagonal") if self._parts else self._empty()
            self._parts = []
        return self._rows

    def _empty(self) -> pl.DataFrame:
        identity = {
            name: IDENTITY[name] for name in ("row_id", "source_id", "source_row", "map_id")
        }
        own = pl.DataFrame(schema=self._table.frame_schema).select(
            made for column in self._columns for made in self._compact(column)
        )
        return pl.DataFrame(
            schema={_NUMBER: pl.UInt32(), **identity, **own.schema, HELD: pl.Boolean()}
        )

    def _wanted(self) -> set[str]:
        wanted: set[str] = set()
        for check in self.checks:
            wanted.update(check.reads, check.unique, check.same)
            wanted.update(name for owner, name in check.fields if not owner)
        for context in self._contexts:
            wanted.update(context.by, context.within, context.order, _roots(context))
            wanted.update(self._shown.get(context.name, frozenset()) - context.aggregate.keys())
        return {name.removesuffix(LATEST).removesuffix("_precision") for name in wanted}

    def _compact(self, column: Column) -> list[pl.Expr]:
        """Codes and precisions as one byte each; all else as it is."""
        if column.codelist:
            codes = pl.Enum(list(self._catalog.codelists[column.codelist]))
            return [pl.col(column.name).cast(codes, strict=False)]
        precision = pl.Enum(["day", "month", "year"])
        return [
            pl.col(column.name),
            *(pl.col(name).cast(precision, strict=False) for name in column.companions
              if name.endswith("_precision")),
        ]  # fmt: skip

    def _restored(self, rows: pl.DataFrame, book: ContextBook) -> TableData:
        """Remembered rows as a table again; what was not remembered is null."""
        schema = self._table.frame_schema
        raw = rows.select(
            pl.col(name).alias(name.removeprefix(_RAW))
            for name in rows.columns
            if name.startswith(_RAW)
        )
        ids = book.patient_ids(rows[_NUMBER]) if rows.height else pl.Series(dtype=pl.String())
        rows = rows.with_columns(ids.alias("patient_id"))
        frame = rows.select(
            (pl.col(name) if name in rows.columns else pl.lit(None)).cast(dtype).alias(name)
            for name, dtype in schema.items()
        )
        return TableData(self._table, frame, raw, ISSUE.to_frame(), self._delivered)


def _roots(context: PlannedContext) -> set[str]:
    read = [expr for expr in (context.where, *context.aggregate.values()) if expr is not None]
    names = {name for expr in read for name in expr.meta.root_names()}
    return names | ({context.first} if context.first else set())


@dataclass(slots=True)
class Streamed:
    """What is kept of a streaming table between its batches."""

    late: LateRows
    reasons: list[pl.DataFrame] = field(default_factory=list)
    totals: Counter[int] = field(default_factory=Counter)  # source_id → rows
    held: list[pl.DataFrame] = field(default_factory=list)  # row_id, source_id of rows held


def book_of(
    plan: Plan,
    tables: Mapping[str, TableData],
    facts: CheckFacts,
    checks: Collection[PlannedCheck],
    numbers: ContextBook | None = None,
) -> ContextBook:
    """What the checks look at in other rows of the tables.

    `numbers` knows the number of each patient, where the judged rows are compact: then the small tables
    that the checks look at have numbers for ids, too.
    """
    names = {name for check in checks for name in check.contexts}
    if numbers is None:
        return ContextBook(plan, tables, facts, only=names)
    contexts = [plan.contexts[name] for name in names]
    contexts += [plan.contexts[used] for context in contexts for used in context.uses]
    found = dict(tables)
    for name in {context.table for context in contexts} & tables.keys() - {*STREAMING}:
        frame = tables[name].frame
        ids = numbers.patient_numbers(frame["patient_id"])
        found[name] = replace(tables[name], frame=frame.with_columns(ids), shown={})
    return ContextBook(plan, found, replace(facts, known_patients=frozenset()), only=names)
