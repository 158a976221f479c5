"""Joins of few rows by dictionaries give what joins of frames give."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from schemas.check_few import first_places, in_order, lookup, merged, taken
from schemas.check_many import shifted

KEY = ("patient_id", "line")
IDS = st.sampled_from(["P1", "P2", "P3", None])
NUMBERS = st.sampled_from([1, 2, None])
DAYS = st.integers(0, 3).map(lambda n: date(2024, 1, 1) + timedelta(days=n)) | st.none()
ROWS = st.lists(st.tuples(IDS, NUMBERS, DAYS), max_size=12)
SCHEMA = {"patient_id": pl.String(), "line": pl.Int32(), "day": pl.Date()}


def table(rows: list[tuple[str | None, int | None, date | None]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return frame.with_row_index("row_id").cast({"row_id": pl.Int64()})


def by_key(frame: pl.DataFrame, prefix: str) -> pl.DataFrame:
    one = frame.drop_nulls(KEY).unique(KEY, keep="first", maintain_order=True)
    return one.select(*KEY, pl.col("day").alias(f"{prefix}.day"))


@settings(deadline=None)
@given(ROWS, ROWS)
def test_a_lookup_is_a_left_join(left: list, right: list) -> None:
    frame, other = table(left), by_key(table(right), "b")
    found = lookup(other, KEY)
    joined = frame.hstack(taken(found.rest, found.find(frame)).get_columns())
    assert_frame_equal(joined, frame.join(other, on=KEY, how="left", maintain_order="left"))


@settings(deadline=None)
@given(ROWS, ROWS, ROWS)
def test_merging_is_a_full_join(one: list, two: list, three: list) -> None:
    frames = [
        by_key(table(rows), name) for name, rows in zip("abc", (one, two, three), strict=True)
    ]
    whole = frames[0]
    for frame in frames[1:]:
        whole = whole.join(frame, on=KEY, how="full", coalesce=True)
    dtypes = [SCHEMA[name] for name in KEY]
    found = merged([lookup(frame, KEY) for frame in frames], dtypes)
    assert_frame_equal(found, whole, check_row_order=False)


@settings(deadline=None)
@given(ROWS)
def test_the_first_row_of_a_key_is_that_with_the_smallest_day(rows: list) -> None:
    frame = table(rows)
    expected = (
        frame.filter(pl.col("day").is_not_null())
        .sort("day", "row_id")
        .drop_nulls(KEY)
        .unique(KEY, keep="first", maintain_order=True)
    )
    assert_frame_equal(taken(frame, list(first_places(frame, KEY, "day").values())), expected)


@settings(deadline=None)
@given(ROWS, st.sampled_from([-1, 1]))
def test_neighbours_are_rows_shifted_inside_their_group(rows: list, shift: int) -> None:
    frame = table(rows)
    ordered = frame.drop_nulls(["patient_id", "day"]).sort("patient_id", "day", "row_id")
    expected = ordered.select("row_id", near=pl.col("row_id").shift(shift).over("patient_id"))
    here, groups = in_order(frame, ["patient_id"], ["day"])
    near = frame["row_id"].gather(shifted(here, groups, shift)).alias("near")
    got = frame.select("row_id").gather(here).with_columns(near)
    assert_frame_equal(got, expected)
