"""Context columns: what a rule looks at in other rows, joined to the row that it judges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from schemas.check_data import FACT_TYPES, CheckFacts, TableData, constant
from schemas.check_few import FEW, Lookup, in_order, lookup, merged, taken
from schemas.check_many import (
    SMALL,
    beside,
    both,
    latest_days,
    many_in_order,
    places,
    shifted,
)
from schemas.check_plan import Plan, PlannedCheck, PlannedContext
from schemas.context_rows import HELD, PATIENT_NUMBER, SUBJECT, ContextRows, shown_columns
from schemas.rule_sql import LATEST

HOLD_REASON, HOLD_OUTCOME = "hold.reason", "hold.outcome"
PATIENT_HOLD = pl.Schema({"patient_id": pl.String(), "reason": pl.String(), "outcome": pl.String()})
MOST_BEHIND = 20  # rows behind an aggregate that a finding names
Key = tuple[str, ...]
Group = tuple[Key, str]  # what is joined at once: contexts of one key, or one neighbour by its name


class ContextBook:
    """Contexts of one delivery, built from its tables when a rule first asks for them.

    Contexts that are joined by the same columns stand in one frame, so that a table needs one join
    for all of them. `only` names the contexts to build; by default each when a check first asks.
    """

    def __init__(
        self,
        plan: Plan,
        tables: Mapping[str, TableData],
        facts: CheckFacts,
        only: Iterable[str] | None = None,
    ) -> None:
        self._contexts = plan.contexts
        self._columns = plan.context_columns
        self._tables = tables
        self._expected = set(() if only is None else only)
        self._rows = ContextRows(plan, tables, facts, self._expected)
        self._same_rows = plan.same_rows
        self._holds = pl.DataFrame()
        self._orders: dict[tuple[str, Key, Key], tuple[pl.Series, pl.Series]] = {}
        self._wide: dict[Group, pl.DataFrame] = {}
        self._covered: dict[Group, set[str]] = {}
        self._narrow: dict[tuple[Group, Key], pl.DataFrame] = {}
        self._lookups: dict[Group, Lookup | None] = {}
        self._literals = {
            name: pl.lit(value, dtype=FACT_TYPES[name]).alias(name)
            for name, value in facts.columns.items()
        }

    def missing(self, name: str, columns: Iterable[str]) -> str | None:
        """Why a context cannot be joined, or None."""
        context = self._contexts[name]
        data = self._tables.get(context.table)
        if data is None:
            return f"table {context.table} is not delivered"
        for column in columns:
            plain = data.table.home(column.removesuffix(LATEST))
            if plain not in data.delivered and column not in context.aggregate:
                return f"column {context.table}.{plain} is not delivered"
        for used in context.uses:
            wanted = [c.partition(".")[2] for c in context.within if c.startswith(f"{used}.")]
            problem = self.missing(used, wanted)
            if problem is not None:
                return problem
        return None

    def expect(self, checks: Iterable[PlannedCheck]) -> None:
        """What these checks look at is built together, when the first of them asks."""
        self._expected.update(name for check in checks for name in check.contexts)

    def join(
        self, frame: pl.DataFrame, checks: Iterable[PlannedCheck], *, numbered: bool = False
    ) -> pl.DataFrame:
        """The frame with all columns that the checks read, in the frame's own order.

        `numbered` adds `subject.patient_number`, and reason and outcome of a hold of the patient.
        """
        wanted: dict[Group, set[str]] = {}
        asked: dict[Group, set[str]] = {}
        latest: set[str] = set()
        facts: set[str] = set()
        for check in checks:
            latest.update(check.latest)
            facts.update(check.facts)
            for name, columns in check.contexts.items():
                names = wanted.setdefault(self._group(name), set())
                asked.setdefault(self._group(name), set()).add(name)
                if frame.height >= SMALL:
                    aggregate = self._contexts[name].aggregate
                    names.update(f"{name}.{c}" for c in columns if not aggregate or c in aggregate)
        if numbered:
            extra = {HOLD_REASON, HOLD_OUTCOME}
            if self.missing(SUBJECT, ()) is None:
                extra.add(f"{SUBJECT}.{PATIENT_NUMBER}")
                asked.setdefault(_PATIENTS, set()).add(SUBJECT)
            wanted.setdefault(_PATIENTS, set()).update(extra)
        joined = frame
        for group, names in wanted.items():
            self._cover(group, asked.get(group, set()))
            if frame.height < SMALL:
                joined = self._beside_all(joined, group)
                continue
            joined = joined.hstack(self._found(frame, group, tuple(sorted(names))))
        if not (facts or latest):
            return joined
        return joined.with_columns(
            *(self._literals[name] for name in sorted(facts)),
            *latest_days(joined, sorted(latest)),
        )

    def _found(self, frame: pl.DataFrame, group: Group, names: Key) -> pl.DataFrame:
        """The named columns of what is joined at once, beside the rows of a frame of many rows."""
        key, neighbour = group
        if neighbour:
            context = self._contexts[neighbour]
            if frame is self._tables[context.table].frame and not context.uses:
                where = context.where
                if HELD in frame.columns:
                    where = ~pl.col(HELD) if where is None else where & ~pl.col(HELD)
                at = beside(frame, where, context.within, context.order, context.shift)
                if at is not None:
                    return self._at(frame, neighbour, names, at)
        part = self._part(group, names)
        at = places(part, frame, key)
        if at is not None:
            return part.select(pl.col(names).gather(at))
        found = frame.select(key).join(part, on=key, how="left", maintain_order="left")
        return found.drop(key)

    def _at(self, frame: pl.DataFrame, name: str, names: Key, positions: pl.Series) -> pl.DataFrame:
        """The named columns of a context from the rows of its own table at these positions."""
        own = [column.removeprefix(f"{name}.") for column in names]
        dates = [column.removesuffix(LATEST) for column in own if column.endswith(LATEST)]
        some = frame.with_columns(latest_days(frame, dates))
        return some.select(pl.col(own).gather(positions).name.prefix(f"{name}."))

    def _beside_all(self, frame: pl.DataFrame, group: Group) -> pl.DataFrame:
        """The frame with all that is joined at once."""
        table = self._lookup(group) if frame.height < FEW else None
        if table is None:
            return frame.join(self._whole(group), on=group[0], how="left", maintain_order="left")
        return frame.hstack(taken(table.rest, table.find(frame)).get_columns())

    def hold(self, patients: pl.DataFrame, rows: Mapping[str, pl.Series]) -> None:
        """From now on numbered frames also tell which patients are held, and why.

        `rows`: by table, rows held for their own sake; contexts that are `sound` do not look at them.
        """
        self._rows.held.update(rows)
        if patients.height:
            self._holds = patients.rename({"reason": HOLD_REASON, "outcome": HOLD_OUTCOME})
            self._wide.pop(_PATIENTS, None)
            self._narrow, self._lookups = {}, {}

    def home(self, name: str) -> TableData:
        """The table whose rows a context shows."""
        return self._tables[self._contexts[name].table]

    def rows_behind(self, name: str, frame: pl.DataFrame) -> pl.DataFrame:
        """For rows of a judged frame: `hit` beside the `row_id` of each context row behind it."""
        context, group = self._contexts[name], self._group(name)
        key = group[0]
        if context.aggregate:
            behind = self._rows.of(context).select(*key, behind="row_id")
            # All rows of a key for each row of it would be a square.
            behind = behind.group_by(*key, maintain_order=True).head(MOST_BEHIND)
        else:
            self._cover(group, {name})
            behind = self._whole(group).select(*key, behind=f"{name}.row_id")
        joined = frame.select("hit", *key).join(behind.drop_nulls(), on=key, how="inner")
        return joined.select("hit", row_id="behind")

    def patient_ids(self, numbers: pl.Series) -> pl.Series:
        """The ids behind `subject.patient_number`."""
        return self._rows.of(self._contexts[SUBJECT])["patient_id"].gather(numbers)

    def patient_numbers(self, ids: pl.Series) -> pl.Series:
        """`subject.patient_number` of each id; null for one without a subject row."""
        known = self._rows.of(self._contexts[SUBJECT]).select("patient_id", PATIENT_NUMBER)
        told = known.unique("patient_id", keep="first", maintain_order=True)
        found = ids.to_frame().join(told, on="patient_id", how="left", maintain_order="left")
        return found[PATIENT_NUMBER].alias("patient_id")

    def _group(self, name: str) -> Group:
        context = self._contexts[name]
        return (("row_id",), name) if context.shift else (context.by, "")

    def _cover(self, group: Group, names: set[str]) -> None:
        """These contexts, and all that are expected, are among what is joined at once from now on."""
        key, neighbour = group
        known = self._covered.get(group)
        if neighbour or (known is not None and names <= known):
            return
        if known is None:
            known = {name for name in self._expected if self._group(name) == group}
        self._covered[group] = known | names
        self._wide.pop(group, None)
        self._lookups.pop(group, None)
        self._narrow = {part: made for part, made in self._narrow.items() if part[0] != group}

    def _lookup(self, group: Group) -> Lookup | None:
        """All that is joined at once, by its key; None if it is more than a few rows."""
        if group not in self._lookups:
            whole = self._whole(group)
            self._lookups[group] = lookup(whole, group[0]) if whole.height < FEW else None
        return self._lookups[group]

    def _part(self, group: Group, names: Key) -> pl.DataFrame:
        """Key and some columns of what is joined at once."""
        if (group, names) not in self._narrow:
            self._narrow[group, names] = self._whole(group).select(*group[0], *names)
        return self._narrow[group, names]

    def _whole(self, group: Group) -> pl.DataFrame:
        """All that is joined at once, one row per key."""
        if group not in self._wide:
            key, neighbour = group
            if neighbour:
                self._wide[group] = self._beside(self._contexts[neighbour])
            else:
                self._wide[group] = self._merged(key)
        return self._wide[group]

    def _merged(self, key: Key) -> pl.DataFrame:
        contexts = [
            context
            for name, context in self._contexts.items()
            if name in self._covered[key, ""] and context.table in self._tables
        ]
        tables = [self._rows.one_per_key(context) for context in contexts]
        if not tables:
            whole = pl.DataFrame(schema=dict.fromkeys(key, pl.String()))
        else:
            home = self._tables[contexts[0].table].frame
            dtypes = [home[name].dtype for name in key]
            few = [table for table in tables if isinstance(table, Lookup)]
            frames = [table for table in tables if isinstance(table, pl.DataFrame)]
            whole = merged(few, dtypes) if few else frames.pop(0)
            for frame in frames:
                whole = both(whole, frame, key)
        if key != _PATIENTS[0]:
            return whole
        if self._holds.height:
            return whole.join(self._holds, on="patient_id", how="full", coalesce=True)
        return whole.hstack(
            [constant(name, None, whole.height) for name in (HOLD_REASON, HOLD_OUTCOME)]
        )

    def _beside(self, context: PlannedContext) -> pl.DataFrame:
        """Row id and the columns of the neighbour in the table itself."""
        base = self._rows.of(context)
        here, groups = self._order(context, base)
        near = shifted(here, groups, context.shift)
        columns = self._columns.get(context.name, frozenset()) | {"row_id"}
        beside = base.select(shown_columns(context.name, columns)).gather(near)
        return beside.insert_column(0, base["row_id"].gather(here))

    def _order(self, context: PlannedContext, base: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
        """Positions of rows in their order, and the group of each; contexts before and after share it."""
        known = (self._same_rows[context.name], context.within, context.order)
        if known not in self._orders:
            wide = base
            for group in self._used(context):
                self._cover(group, {used for used in context.uses if self._group(used) == group})
                owners = tuple(f"{used}." for used in context.uses if self._group(used) == group)
                wanted = tuple(c for c in context.within if c.startswith(owners))
                wide = wide.hstack(self._of_group(base, group, wanted))
            find = in_order if base.height < FEW else many_in_order
            self._orders[known] = find(wide, context.within, context.order)
        return self._orders[known]

    def _of_group(self, frame: pl.DataFrame, group: Group, names: Key) -> pl.DataFrame:
        """Some columns of what is joined at once, beside the rows of a frame."""
        table = self._lookup(group) if frame.height < FEW else None
        if table is not None:
            return taken(table.rest.select(names), table.find(frame))
        part = self._part(group, names)
        return frame.select(group[0]).join(part, on=group[0], how="left", maintain_order="left")[
            list(names)
        ]

    def _used(self, context: PlannedContext) -> list[Group]:
        """What a context uses; contexts of one key are joined at once."""
        return list(dict.fromkeys(self._group(used) for used in context.uses))


_PATIENTS: Group = (("patient_id",), "")
