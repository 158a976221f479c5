"""The pandera schemas of the canonical tables with all rules on rows as named checks.

pandera is where tables and rules are declared, and the oracle in tests. A run does not import it:
`compiled_expression` takes from each pandera check the one expression that it hands to Polars, and
the catalog keeps it. A test holds both to the same set of failing rules and rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, cast

import pandera.backends.polars.builtin_checks  # noqa: F401  (registers the checks)
import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData

from schemas.catalog import read_codelists
from schemas.rule_checks import TableCheck


class _Recorder:
    """Stands in for a lazy frame: keeps the expression that a check selects."""

    def __init__(self) -> None:
        self.expr: pl.Expr | None = None

    def select(self, expr: pl.Expr) -> _Recorder:
        self.expr = expr
        return self


def pandera_check(check: TableCheck) -> pa.Check:
    """The check as pandera runs it: built in for codelists and ranges, else the rule's expression."""
    details: dict[str, Any] = {
        "name": check.rule,
        "error": check.rule,
        "description": check.message,
    }
    if check.model is not None:
        column, kind = check.model
        declared = _declared(check.table, column)
        if kind == "isin":
            return pa.Check.isin(list(read_codelists()[declared.metadata["codelist"]]), **details)
        bound = next(c for c in declared.checks if c.name == _BUILT_IN[kind])
        statistic = next(iter(bound.statistics.values()))
        return (
            pa.Check.ge(statistic, **details) if kind == "ge" else pa.Check.le(statistic, **details)
        )
    holds = cast("pl.Expr", check.expr).fill_null(False).not_().alias("holds")
    return pa.Check(lambda data: data.lazyframe.select(holds), **details)


_BUILT_IN = {"ge": "greater_than_or_equal_to", "le": "less_than_or_equal_to"}


@cache
def _declared(table: str, column: str) -> Any:
    from schemas.compile import model

    return model(table).to_schema().columns[column]


def compiled_expression(check: TableCheck) -> pl.Expr | None:
    """True where a row violates: what pandera's check would select, negated; None for keys.

    Rules written in SQL keep their three values, so that a run can tell 'holds' from 'could not be
    evaluated'; pandera's own checks say nothing about empty values.
    """
    if check.expr is None or check.model is None:
        return check.expr
    recorder = _Recorder()
    made = pandera_check(check)
    data = PolarsData(cast("pl.LazyFrame", recorder), check.model[0])
    sorted_sets = {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in made._check_kwargs.items()
    }
    made._check_fn(data, **sorted_sets)
    if recorder.expr is None:
        raise TypeError(f"pandera's check {made.name} does not select one expression")
    return recorder.expr.not_()


def schema(table: str, checks: Iterable[TableCheck]) -> pa.DataFrameSchema:
    """The pandera schema of a canonical table with the given checks, on typed frames.

    The frame to validate also holds the context columns that the checks read. Checks on keys are
    not in it: pandera counts empty keys as equal to each other.
    """
    from schemas.catalog import load_catalog
    from schemas.compile import model

    types = load_catalog().tables[table].frame_schema
    columns = {
        name: pa.Column(types[name], nullable=True, metadata=column.metadata)
        for name, column in model(table).to_schema().columns.items()
    }
    frame_checks = []
    for check in checks:
        if check.expr is None:
            continue
        if check.model is not None:
            columns[check.model[0]].checks.append(pandera_check(check))
        else:
            frame_checks.append(pandera_check(check))
    return pa.DataFrameSchema(columns, checks=frame_checks, strict=False, coerce=False)
