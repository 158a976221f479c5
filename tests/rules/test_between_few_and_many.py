"""What rules look at is the same in a few rows, found by dictionaries, and in more, found by frames."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal, assert_series_equal

from schemas import check_rows
from schemas.catalog import load_catalog
from schemas.check_few import in_order
from schemas.check_many import both, many_in_order, shifted
from schemas.check_plan import plan_of
from schemas.check_rows import without_issues
from schemas.staging import ISSUE

IDS = st.sampled_from(["P1", "P2", "P3", None])
DAYS = st.integers(0, 3).map(lambda n: dt.date(2024, 1, 1) + dt.timedelta(days=n)) | st.none()
ROWS = st.lists(st.tuples(IDS, st.sampled_from(["a", "b", None]), DAYS), max_size=12)
KEY = ("patient_id",)


@settings(deadline=None)
@given(ROWS, st.sampled_from([-1, 1]))
def test_rows_stand_in_the_same_order_and_groups(rows: list, shift: int) -> None:
    schema = {"patient_id": pl.String(), "drug": pl.String(), "day": pl.Date()}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    frame = frame.with_columns(row_id=pl.int_range(pl.len(), dtype=pl.Int64()))
    few, groups = in_order(frame, ["patient_id", "drug"], ["day"])
    more, runs = many_in_order(frame, ["patient_id", "drug"], ["day"])
    assert more.to_list() == few.to_list()
    assert shifted(more, runs, shift).to_list() == shifted(few, groups, shift).to_list()


PATIENTS = st.lists(st.sampled_from(["P1", "P2", "P3", "P4"]), unique=True, max_size=4)


@settings(deadline=None)
@given(PATIENTS, PATIENTS)
def test_two_frames_are_joined_in_full_however_their_keys_lie(one: list, other: list) -> None:
    schema = {"patient_id": pl.String(), "n": pl.Int32()}
    left = pl.DataFrame({"patient_id": one, "n": range(len(one))}, schema=schema)
    right = pl.DataFrame({"patient_id": other, "n": range(len(other))}, schema=schema)
    right = right.rename({"n": "m"})
    wanted = left.join(right, on=KEY, how="full", coalesce=True)
    assert_frame_equal(both(left, right, KEY), wanted, check_row_order=False)


ISSUES = st.lists(
    st.tuples(
        st.integers(0, 5), st.sampled_from(["response_date", "category", "patient_id", "mrd"]),
        st.sampled_from(["DAT-01", "RSP-01"]), st.sampled_from(["error", "warning", None]),
    ),
    max_size=8,
)  # fmt: skip


@settings(deadline=None)
@given(ISSUES, st.lists(st.integers(0, 5), unique=True, min_size=1).map(sorted))
def test_failures_behind_a_value_not_understood_are_the_same_by_row_and_by_frame(
    issues: list, failing: list
) -> None:
    check = next(c for c in plan_of(load_catalog()).of_table("response") if "category" in c.reads)
    told = pl.DataFrame([(*issue, None) for issue in issues], schema=ISSUE, orient="row")
    positions = pl.Series(failing, dtype=pl.UInt32())
    by_row = without_issues(check, positions, told)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(check_rows, "FEW", 0)
        by_frame = without_issues(check, positions, told)
    assert_series_equal(by_row[0], by_frame[0], check_names=False)
    assert_frame_equal(by_row[1], by_frame[1])
