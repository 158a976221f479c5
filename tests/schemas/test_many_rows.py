"""What is found by packed whole numbers equals what dictionaries find row by row."""

from __future__ import annotations

import datetime as dt

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.check_few import first_places, in_order, keys_of
from schemas.check_many import beside, firsts, neighbours, packing, places, shifted

DAYS = st.one_of(st.none(), st.dates(dt.date(1890, 1, 1), dt.date(2090, 1, 1)))
ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(0, 3)), st.one_of(st.none(), st.integers(-1, 1)), DAYS,
        st.sampled_from([None, "CR", "PD"]),
    ),
    max_size=40,
)  # fmt: skip
SCHEMA = {
    "patient_id": pl.UInt32(), "line_number": pl.Int32(), "day": pl.Date(),
    "category": pl.Enum(["CR", "PR", "PD"]),
}  # fmt: skip
KEY = ("patient_id", "line_number")


def frame_of(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return frame.with_columns(row_id=pl.int_range(pl.len(), dtype=pl.Int64()) * 7)


@settings(deadline=None)
@given(ROWS)
def test_the_first_row_of_each_key_is_the_one_a_loop_finds(rows: list[tuple[object, ...]]) -> None:
    frame = frame_of(rows)
    found = firsts(frame, KEY, "day")
    assert found is not None
    assert sorted(found.to_list()) == sorted(first_places(frame, KEY, "day").values())


@settings(deadline=None)
@given(ROWS, st.sampled_from([1, -1, 2]), st.sampled_from([("day",), ("category", "day")]))
def test_the_neighbour_of_each_row_is_the_one_a_loop_finds(
    rows: list[tuple[object, ...]], shift: int, order: tuple[str, ...]
) -> None:
    frame = frame_of(rows)
    found = neighbours(frame, KEY, order, shift)
    assert found is not None
    plain = frame.with_columns(category=pl.col("category").to_physical())
    here, groups = in_order(plain, KEY, order)
    assert found[0].to_list() == here.to_list()
    assert found[1].to_list() == shifted(here, groups, shift).to_list()


@settings(deadline=None)
@given(ROWS)
def test_rows_outside_the_condition_have_no_neighbour_and_are_none(
    rows: list[tuple[object, ...]],
) -> None:
    frame = frame_of(rows)
    at = beside(frame, pl.col("category") == "CR", KEY, ("day",), 1)
    assert at is not None
    chosen = frame.with_row_index("place").filter(pl.col("category") == "CR")
    here, groups = in_order(chosen.drop("category"), KEY, ("day",))
    wanted = dict.fromkeys(range(frame.height))
    for one, other in zip(here, shifted(here, groups, 1), strict=True):
        wanted[chosen["place"][one]] = None if other is None else chosen["place"][other]
    assert at.to_list() == list(wanted.values())


@settings(deadline=None)
@given(ROWS, ROWS)
def test_a_key_finds_its_place_or_none(
    rows: list[tuple[object, ...]], others: list[tuple[object, ...]]
) -> None:
    table = frame_of(rows).unique(KEY, keep="first", maintain_order=True)
    frame = frame_of(others)
    found = places(table, frame, KEY)
    known = {key: at for at, key in enumerate(keys_of(table, KEY)) if None not in key}
    wanted = [known.get(key) for key in keys_of(frame, KEY)]
    if found is None:  # few rows with keys far apart: a table of places would be mostly empty
        assert 4 * (table.height + frame.height) < 16
    else:
        assert found.to_list() == wanted


def test_a_key_far_outside_the_table_is_not_taken_for_another() -> None:
    table = pl.DataFrame({"patient_id": range(100)})
    frame = pl.DataFrame({"patient_id": [-1, 99, 100, 163, 64, None]})
    found = places(table, frame, ["patient_id"])
    assert found is not None
    assert found.to_list() == [None, 99, None, None, 64, None]


def test_text_and_numbers_too_wide_for_one_integer_are_left_to_joins() -> None:
    assert packing([pl.DataFrame({"a": ["x"]})], ["a"]) is None
    wide = pl.DataFrame({"a": [-(2**40), 2**40], "b": [0, 2**30]})
    assert packing([wide], ["a", "b"]) is None
    assert firsts(wide, ["a"], "b") is not None
