"""The compiled expressions fail the same (rule, row) pairs as pandera's own validation."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera.errors import SchemaErrors
from pandera.polars import DataFrameSchema

from schemas.catalog import load_catalog, read_codelists, tables_of
from schemas.check_plan import plan_of
from schemas.compile import describe
from schemas.models import schema
from schemas.rule_checks import DELIVERY, DERIVED, TableCheck, expand
from schemas.rule_contexts import context_schema
from schemas.rule_sql import LATEST
from schemas.rules import load_contexts, load_rules
from schemas.tables import ALL

TABLES = tables_of([describe(table) for table in ALL], read_codelists())
CONTEXTS = load_contexts()
CODELISTS = read_codelists()
CHECKS = expand(load_rules(), TABLES, CONTEXTS, CODELISTS)


def wide_schema(table: str, checks: list[TableCheck]) -> dict[str, pl.DataType]:
    """Columns of a table's frame, and every context column that its checks read."""
    columns: dict[str, Any] = dict(TABLES[table].frame_schema)
    for check in checks:
        for owner, names in check.contexts.items():
            offered = context_schema(CONTEXTS[owner], TABLES)
            columns |= {f"{owner}.{n}": offered[n.removesuffix(LATEST)] for n in names}
        columns |= {f"{name}{LATEST}": pl.Date() for name in check.latest}
    columns |= DELIVERY | DERIVED.get(table, {})
    return columns


def codes_of(table: str, name: str) -> list[str]:
    owner, _, column = name.rpartition(".")
    home = CONTEXTS[owner].table if owner in CONTEXTS else table
    known = {c.name: c.codelist for c in TABLES[home].columns}
    listed = known.get(column.removesuffix(LATEST))
    return list(CODELISTS[listed])[:6] if listed else ["a", "b"]


def values(table: str, name: str, dtype: pl.DataType) -> st.SearchStrategy[Any]:
    """Few distinct values, so that equal, smaller and greater all occur."""
    if dtype == pl.Date():
        made: st.SearchStrategy[Any] = st.dates(dt.date(2022, 5, 25), dt.date(2022, 7, 5))
    elif dtype == pl.String() and name.endswith("_precision"):
        made = st.sampled_from(["day", "month", "year"])
    elif dtype == pl.String() and name.endswith("_comparator"):
        made = st.sampled_from(["<", ">"])
    elif dtype == pl.String():
        made = st.sampled_from([*codes_of(table, name), "no code"])
    elif dtype.is_float():
        made = st.sampled_from([-1.0, 0.0, 0.3, 2.0, 50.0, 260.0, 511.0, 40000.0])
    else:
        made = st.sampled_from([-1, 0, 1, 2, 5, 17, 18, 40, 1960, 2011])
    return st.none() | made


@st.composite
def frames(
    draw: st.DrawFn, columns: dict[str, pl.DataType], drawn: dict[str, st.SearchStrategy[Any]]
) -> pl.DataFrame:
    height = draw(st.integers(1, 4))
    rows = {n: draw(st.lists(one, min_size=height, max_size=height)) for n, one in drawn.items()}
    return pl.DataFrame(rows, schema=columns, strict=False)


def by_pandera(model: DataFrameSchema, frame: pl.DataFrame) -> set[tuple[str, int]]:
    failing: set[tuple[str, int]] = set()
    try:
        model.validate(frame, lazy=True)
    except SchemaErrors as error:
        for each in error.schema_errors:
            assert each.check_output is not None, f"{each.check} gave no rows"
            bad = (~each.check_output["check_output"]).arg_true()
            failing |= {(each.check.name, row) for row in bad}
    return failing


def by_catalog(table: str, frame: pl.DataFrame) -> set[tuple[str, int]]:
    failing: set[tuple[str, int]] = set()
    for check in plan_of(load_catalog()).of_table(table):
        if check.expr is not None:
            made = frame.select(check.expr.alias("fails"))["fails"]
            failing |= {(check.rule, row) for row in made.arg_true()}
    return failing


@pytest.mark.parametrize("table", ALL)
def test_compiled_rules_fail_the_same_rows_as_pandera(table: str) -> None:
    checks = [check for check in CHECKS if check.table == table]
    model, columns = schema(table, checks), wide_schema(table, checks)
    drawn = {name: values(table, name, dtype) for name, dtype in columns.items()}

    @settings(deadline=None, max_examples=15, database=None)
    @given(frames(columns, drawn))
    def agree(frame: pl.DataFrame) -> None:
        assert by_catalog(table, frame) == by_pandera(model, frame)

    agree()


def test_a_known_frame_fails_the_rules_that_a_reader_would_name() -> None:
    checks = [check for check in CHECKS if check.table == "follow_up"]
    columns = wide_schema("follow_up", checks)
    rows = [
        {"patient_id": "1", "vital_status": "DEAD", "subject.row_id": 1},
        {"patient_id": "2", "vital_status": "ALIVE", "subject.row_id": 2,
         "death_date": dt.date(2023, 4, 1), "death_date_precision": "month",
         "death_date@latest": dt.date(2023, 4, 30)},
        {"patient_id": "3", "vital_status": "gone", "subject.row_id": None},
        {"patient_id": "4", "vital_status": "DEAD", "subject.row_id": 4,
         "death_date": dt.date(2023, 4, 1), "death_date_precision": "day",
         "death_date@latest": dt.date(2023, 4, 1)},
    ]  # fmt: skip
    frame = pl.DataFrame(rows, schema=columns)
    expected = {
        ("SUR-02", 0), ("SUR-04", 0), ("SUR-03", 1), ("STR-06", 2), ("STR-03", 2), ("SUR-04", 3),
    }  # fmt: skip
    assert by_pandera(schema("follow_up", checks), frame) == expected
    assert by_catalog("follow_up", frame) == expected


def test_every_check_of_the_pack_is_compiled() -> None:
    compiled = plan_of(load_catalog()).checks
    assert [(c.rule, c.table, c.severity) for c in compiled] == [
        (c.rule, c.table, c.severity) for c in CHECKS
    ]
    assert all((c.expr is not None) != bool(c.unique) for c in compiled)
