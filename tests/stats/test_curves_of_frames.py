"""Curves, tests and Fine-Gray models on frames: the numbers of arrays, by names of columns."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from reports.stats import cumulative_incidence, fine_gray, gray_test, kaplan_meier, log_rank

T = [5.0, 6, 6, 2, 4, 9, 3, 8, 7, 1]
E = [1, 1, 0, 1, 0, 1, 1, 1, 0, None]
STATUS = [1, 2, 0, 1, 0, 1, 2, 1, 0, 1]
ARM = ["b", "a", "b", "a", "a", "b", "a", "b", "a", "b"]
AGE = [50.0, 61, 47, 72, 66, 58, 49, 70, 63, 55]
COLUMNS = {"t": T, "e": E, "status": STATUS, "arm": ARM, "age": AGE}
FRAMES = {
    "polars": pl.DataFrame(COLUMNS),
    "pandas": pd.DataFrame(COLUMNS),
    "columns": COLUMNS,
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_curves_by_a_column_are_those_of_its_rows(frame):
    found = kaplan_meier(frame, time="t", event="e", by="arm", levels={"arm": ["b", "a"]})

    assert list(found.curves) == ["b", "a"]
    assert (found.n_dropped, dict(found.dropped_by)) == (1, {"e": 1})
    for arm in "ab":
        rows = [k for k in range(9) if ARM[k] == arm]
        expected = kaplan_meier(np.array(T)[rows], np.array([E[k] for k in rows]) == 1)
        table = found.table().filter(pl.col("arm") == arm)
        assert table["survival"].to_list() == expected.survival.tolist()
        assert table["n_risk"].to_list() == expected.n_risk.tolist()
        [row] = found.medians().filter(pl.col("arm") == arm).rows(named=True)
        assert (row["n"], row["events"]) == (expected.n, expected.events)
        assert (row["median"], row["lower"], row["upper"]) == (
            expected.median.value, expected.median.lower, expected.median.upper
        )  # fmt: skip


def test_without_a_column_there_is_one_curve_and_entry_times_count():
    frame = {"start": [0.0, 1, 0, 3], "stop": [2.0, 4, 5, 6], "died": [True, True, False, True]}
    found = kaplan_meier(frame, time="stop", event="died", entry="start")
    expected = kaplan_meier(frame["stop"], frame["died"], entry=frame["start"])
    assert found.table()["survival"].to_list() == expected.survival.tolist()
    assert found.table()["group"].unique().to_list() == ["all"]


def test_nothing_is_told_of_a_time_after_the_last_unless_all_have_died():
    frame = {"t": [1.0, 2, 3, 1, 2, 3], "e": [1, 1, 0, 1, 1, 1], "arm": list("aaabbb")}
    found = kaplan_meier(frame, time="t", event="e", by="arm").at([2.0, 4.0])
    assert found.filter(pl.col("time") == 4)["survival"].to_list() == [None, 0.0]
    assert found.filter(pl.col("time") == 2)["survival"].to_list() == pytest.approx([1 / 3, 1 / 3])


def test_the_log_rank_test_of_a_frame_is_that_of_its_columns():
    found = log_rank(FRAMES["polars"], time="t", event="e", group="arm")
    assert found.p == log_rank(T[:9], np.array(E[:9]) == 1, ARM[:9]).p


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_fine_gray_of_a_frame_has_factors_and_a_table(frame):
    options = {"cause": 1, "censor": 0}
    found = fine_gray(
        frame,
        "arm + age",
        time="t",
        event="status",
        competing=[2],
        levels={"arm": ["b", "a"]},
        **options,
    )
    columns = np.column_stack([np.array(ARM) == "a", AGE]).astype(float)
    expected = fine_gray(T, STATUS, columns, **options)
    table = found.table()
    assert table["term"].to_list() == ["arma", "age"]
    assert table["coef"].to_list() == pytest.approx(expected.coefficient.tolist(), rel=1e-9)
    assert table["se"].to_list() == pytest.approx(expected.std_err.tolist(), rel=1e-9)
    assert table["hr_upper"].to_list() == pytest.approx(np.exp(expected.upper).tolist(), rel=1e-9)
    assert table["status"].to_list() == ["estimated", "estimated"]
    assert (found.n, found.n_event, found.n_dropped) == (10, 5, 0)


def test_what_cannot_be_estimated_is_null_and_says_so():
    frame = {**COLUMNS, "same": [1.0] * 10}
    table = fine_gray(
        frame, "same", time="t", event="status", cause=1, censor=0, competing=[2]
    ).table()
    assert table.row(0) == ("same", *[None] * 7, "not estimable")


def test_a_status_that_was_not_named_is_refused():
    frame = FRAMES["polars"]
    with pytest.raises(ValueError, match="status: 2 of 10 rows are none of the codes 0, 1"):
        fine_gray(frame, "age", time="t", event="status", cause=1, censor=0)
    with pytest.raises(TypeError, match="censor"):
        fine_gray(frame, "age", time="t", event="status", cause=1, competing=[2])
    with pytest.raises(ValueError, match="must be different"):
        gray_test(frame, "status", "arm", time="t", cause=1, censor=0, competing=[1, 2])


def test_incidence_and_grays_test_of_a_frame_are_those_of_its_columns():
    frame = FRAMES["pandas"]
    found = cumulative_incidence(frame, "status", "arm", time="t", cause=1, censor=0, competing=[2])
    expected = cumulative_incidence(T, STATUS, ARM)
    assert [c.incidence.tolist() for c in found] == [c.incidence.tolist() for c in expected]
    test = gray_test(frame, "status", "arm", time="t", cause=1, censor=0, competing=[2])
    assert test == gray_test(T, STATUS, ARM, cause=1)


def test_columns_that_are_not_there_or_empty_are_told():
    with pytest.raises(ValueError, match="there is no column died"):
        kaplan_meier(COLUMNS, time="t", event="died")
    with pytest.raises(ValueError, match="no row has a value in every column used: t, e"):
        kaplan_meier({"t": [1.0, None], "e": [None, 1]}, time="t", event="e")
    with pytest.raises(TypeError, match="give the columns"):
        kaplan_meier(COLUMNS)
