"""Rules × canonical tables → concrete checks: one expression, or one key, on one table.

Runs when the declarations are compiled, never in a run. Every name in a rule is checked here against
the tables and contexts, so that a typing error is a message and not a rule that never fires.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from schemas.catalog import STREAMING, Column, Table
from schemas.check_data import FACT_TYPES
from schemas.rule_contexts import context_schema
from schemas.rule_partial import MAY_VIOLATE, partial_dates
from schemas.rule_sql import LATEST, columns_of, condition, conjuncts, dated, expression
from schemas.rules import Check, Clause, Context, Rule, RuleError

DELIVERY = dict(FACT_TYPES)
DERIVED = {"treatment_line": {"derived.salvage_group": pl.String()}}


@dataclass(frozen=True)
class TableCheck:
    """One check of one rule on one table, ready to run.

    Attributes:
        fields: (owner, column); owner is a context, or empty for the row's own column.
        expr: True violates, False holds, null not evaluable; None for `unique`.
        reads: own columns that must be delivered for the check to mean anything.
        contexts: context → its columns that the expression or the fields read.
        applies: only with `about`: which of the blamed rows can be judged.
        own_scope: rows of a streaming table that it applies to, where these alone tell.
        late: looks at a streaming table as a whole; judged after its last batch.
        partial: (owner, column) of dates: without a partial one among them there is nothing to judge.
        model: the pandera check of the model that it came from: (column, kind), if any.
    """

    rule: str
    table: str
    severity: str
    disposition: str
    scope: str
    fields: tuple[tuple[str, str], ...]
    message: str
    expr: pl.Expr | None = None
    reads: tuple[str, ...] = ()
    latest: tuple[str, ...] = ()
    contexts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    derived: tuple[str, ...] = ()
    about: str | None = None
    applies: pl.Expr | None = None
    own_scope: pl.Expr | None = None
    references: str | None = None
    unique: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    late: bool = False
    partial: tuple[tuple[str, str], ...] = ()
    model: tuple[str, str] | None = None


def expand(
    rules: Sequence[Rule],
    tables: Mapping[str, Table],
    contexts: Mapping[str, Context],
    codelists: Mapping[str, Mapping[str, str]],
) -> list[TableCheck]:
    """All checks of all rules, in the order of the rules. Raises RuleError."""
    covered = {name for rule in rules for name in rule.covers}
    for name in covered:
        table, _, column = name.partition(".")
        if table not in tables or column not in {c.name for c in tables[table].columns}:
            raise RuleError("*", "*", "covers", f"'{name}' is no column")
    return [
        made
        for rule in rules
        for check in rule.checks
        for table in _tables(rule, check, tables)
        for made in _Maker(rule, check, table, tables, contexts, codelists, covered).make()
    ]


def _tables(rule: Rule, check: Check, tables: Mapping[str, Table]) -> Iterator[Table]:
    if check.table != "*":
        if check.table not in tables:
            raise RuleError(f"{rule.category}.yaml", rule.id, "table", f"no table '{check.table}'")
        yield tables[check.table]
        return
    skipped = check.references or check.about
    yield from (table for name, table in tables.items() if name != skipped)


@dataclass(frozen=True)
class _Maker:
    rule: Rule
    check: Check
    table: Table
    tables: Mapping[str, Table]
    contexts: Mapping[str, Context]
    codelists: Mapping[str, Mapping[str, str]]
    covered: set[str]

    def make(self) -> Iterator[TableCheck]:
        if self.check.generated:
            yield from getattr(self, f"_{self.check.generated}")()
        elif self.check.unique:
            yield replace(
                self._base(self.rule.severity, self.check.fields),
                unique=self.check.unique,
                same=self.check.same,
                reads=self._own(self.check.unique),
            )
        elif self.check.references:
            owner = self.check.references
            orphan = pl.col("patient_id").is_not_null() & pl.col(f"{owner}.row_id").is_null()
            made = self._row(self.rule.severity, orphan, self.check.fields)
            yield replace(made, references=owner)
        elif self.check.each:
            for column in self.table.columns:
                if column.kind == self.check.each:
                    yield from self._clauses(column.name)
        else:
            yield from self._clauses("")

    def _clauses(self, column: str) -> Iterator[TableCheck]:
        worse: list[pl.Expr] = []
        for clause in self.check.clauses:
            expr = self._condition(clause, column)
            guarded = expr
            # A soft clause on other columns must not keep the question on partial dates from running.
            told = [e for e in worse if not clause.possible or dated(e) <= dated(expr)]
            if told:
                guarded = pl.when(pl.any_horizontal(told)).then(pl.lit(False)).otherwise(expr)
            fields = tuple(name.replace("{column}", column) for name in clause.fields)
            made = self._row(clause.severity, guarded, fields)
            dates = partial_dates(clause.fails.replace("{column}", column))
            yield replace(made, message=MAY_VIOLATE, partial=dates) if clause.possible else made
            worse.append(expr.fill_null(False))

    def _condition(self, clause: Clause, column: str) -> pl.Expr:
        applies = self.check.applies
        try:
            return condition(
                clause.fails.replace("{column}", column),
                applies.replace("{column}", column) if applies else None,
            )
        except ValueError as error:
            raise self._wrong("fails", str(error)) from None

    def _codelist(self) -> Iterator[TableCheck]:
        for column in self.table.columns:
            if column.codelist:
                codes = list(self.codelists[column.codelist])
                made = self._row("error", pl.col(column.name).is_in(codes).not_(), (column.name,))
                shown = ", ".join(codes if len(codes) <= 12 else [*codes[:12], "..."])
                yield replace(
                    made,
                    message=f"{column.label}: the value is not known. Please choose from: {shown}.",
                    model=(column.name, "isin"),
                )

    def _required(self) -> Iterator[TableCheck]:
        for column in self._uncovered():
            if column.required:
                made = self._row("error", pl.col(column.name).is_null(), (column.name,))
                yield replace(made, message=f"{column.label} is required. Please supply it.")

    def _range(self) -> Iterator[TableCheck]:
        for column in self._uncovered():
            for kind, bound in (("ge", column.ge), ("le", column.le)):
                if bound is None:
                    continue
                value = pl.col(column.name)
                expr = value < bound if kind == "ge" else value > bound
                word = "at least" if kind == "ge" else "at most"
                yield replace(
                    self._row("error", expr, (column.name,)),
                    message=f"{column.label} must be {word} {bound:g}. Please correct it.",
                    model=(column.name, kind),
                )

    def _uncovered(self) -> Iterator[Column]:
        for column in self.table.columns:
            if f"{self.table.name}.{column.name}" not in self.covered:
                yield column

    def _base(self, severity: str, fields: Sequence[str]) -> TableCheck:
        return TableCheck(
            rule=self.rule.id,
            table=self.table.name,
            severity=severity,
            disposition=self.rule.disposition_of(severity),
            scope=self.rule.scope,
            fields=tuple(self._owner(name) for name in fields),
            message=self.rule.query,
            about=self.check.about,
            applies=expression(self.check.applies)
            if self.check.about and self.check.applies
            else None,
        )

    def _row(self, severity: str, expr: pl.Expr, fields: Sequence[str]) -> TableCheck:
        base = self._base(severity, fields)
        names = columns_of(expr)
        own = [name for name in names if "." not in name]
        contexts: dict[str, set[str]] = {}
        for owner, column in base.fields:
            if owner:
                contexts.setdefault(owner, set()).add(column)
        derived = []
        for name in names:
            owner, _, column = name.partition(".")
            if name in DERIVED.get(self.table.name, {}):
                derived.append(name)
            elif column and owner != "delivery":
                contexts.setdefault(owner, set()).add(column)
        self._type_check(expr, names)
        late = any(self.contexts[owner].table in STREAMING for owner in contexts)
        if late or self.table.name in STREAMING:
            self._keeps_patients(severity)
        if late and self.table.name not in STREAMING:
            self._names_small(base.fields)
        return replace(
            base,
            expr=expr,
            reads=self._own([name.removesuffix(LATEST) for name in own]),
            latest=tuple(n.removesuffix(LATEST) for n in own if n.endswith(LATEST)),
            contexts={owner: tuple(sorted(columns)) for owner, columns in contexts.items()},
            derived=tuple(derived),
            late=late,
            own_scope=self._own_scope() if contexts else None,
        )

    def _own_scope(self) -> pl.Expr | None:
        applies = self.check.applies
        if applies is None or "{" in applies or self.table.name not in STREAMING:
            return None
        own = set(self.table.frame_schema)
        told = [e for e in map(expression, conjuncts(applies)) if own.issuperset(columns_of(e))]
        return pl.all_horizontal(told) if told else None

    def _keeps_patients(self, severity: str) -> None:
        """Patients are settled before the first streaming row: later nobody can be held."""
        if severity == "error" and self.rule.scope == "patient":
            raise self._wrong("scope", f"a rule on '{self.table.name}' cannot hold whole patients")

    def _names_small(self, fields: Sequence[tuple[str, str]]) -> None:
        """What was written in a streaming row is not remembered for other tables."""
        for owner, column in fields:
            if owner and self.contexts[owner].table in STREAMING:
                raise self._wrong("fields", f"'{owner}.{column}' stands in a streaming table")

    def _own(self, names: Sequence[str]) -> tuple[str, ...]:
        """Declared columns behind own names: companions stand for the column that they belong to."""
        home = {c: column.name for column in self.table.columns for c in column.companions}
        found = {home.get(name, name) for name in names}
        return tuple(sorted(found & {column.name for column in self.table.columns}))

    def _owner(self, name: str) -> tuple[str, str]:
        owner, dot, column = name.partition(".")
        if not dot:
            owner, column = "", name
        schema = self._schema_of(owner)
        if column not in schema:
            raise self._wrong("fields", f"'{name}' is no column")
        return owner, column

    def _schema_of(self, owner: str) -> dict[str, pl.DataType]:
        if not owner:
            return dict(self.table.frame_schema)
        if owner not in self.contexts:
            raise self._wrong("fields", f"there is no table or context '{owner}'")
        return context_schema(self.contexts[owner], self.tables)

    def _type_check(self, expr: pl.Expr, names: Sequence[str]) -> None:
        known: dict[str, pl.DataType] = {**self.table.frame_schema, **DELIVERY}
        known |= DERIVED.get(self.table.name, {})
        owners = {name.partition(".")[0] for name in names if "." in name}
        for owner in owners - {"delivery", "derived"}:
            schema = self._schema_of(owner)
            known |= {f"{owner}.{name}": dtype for name, dtype in schema.items()}
        for name, dtype in list(known.items()):
            if dtype == pl.Date():
                known[name + LATEST] = dtype
        unknown = [name for name in names if name not in known]
        if unknown:
            raise self._wrong("fails", f"unknown column '{unknown[0]}'")
        try:
            empty = pl.DataFrame(schema={name: known[name] for name in names})
            dtype = empty.select(expr.alias("fails")).schema["fails"]
        except pl.exceptions.PolarsError as error:
            raise self._wrong("fails", str(error).splitlines()[0]) from None
        if dtype != pl.Boolean():
            raise self._wrong("fails", f"gives {dtype}, not true or false")

    def _wrong(self, key: str, problem: str) -> RuleError:
        return RuleError(f"{self.rule.category}.yaml", self.rule.id, key, problem)
