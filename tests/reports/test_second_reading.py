"""The self-audit's second reading of survival curves, by lifelines."""

import numpy as np
import polars as pl
import pytest

from reports.displays.curves import Display, Sample, curves
from reports.displays.estimate import to_frame
from reports.selfaudit import contradictions
from reports.selfaudit.second_reading import curves_are_those_of_lifelines

# Deaths and censorings on one day, on day 0, and at the end.
DAYS = (0, 0, 3, 3, 3, 5, 8, 8, 13, 21, 21)
DEAD = (1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1)


def rows_of(*samples: tuple[tuple[int, ...], tuple[int, ...]]) -> pl.DataFrame:
    """Rows of a display of curves, a population each."""
    made = tuple(
        Sample(f"G{k}", f"Group {k}", np.array(days, dtype=float), np.array(dead) == 1)
        for k, (days, dead) in enumerate(samples)
    )
    return to_frame(list(curves(Display("F1C", "OS", "Overall survival", made, 30.4375))))


def test_curves_with_ties_and_events_on_the_first_day_are_those_of_lifelines():
    rows = rows_of((DAYS, DEAD), (DAYS[2:], DEAD[2:]), ((4, 9), (0, 0)))
    steps = rows.filter((pl.col("row") == "curve") & (pl.col("statistic") == "survival"))
    assert steps.filter(pl.col("population") == "G0").height == 5
    assert curves_are_those_of_lifelines(rows).is_empty()
    assert contradictions(rows).is_empty()


@pytest.mark.parametrize(("column", "by"), [("value", 0.999), ("n", 2)])
def test_a_curve_or_a_number_at_risk_that_is_not_that_of_its_patients_is_told(column, by):
    rows = rows_of((DAYS, DEAD))
    on_day_8 = (pl.col("events") > 0) & pl.col("time_months").is_between(0.2, 0.3)
    dtype = rows.schema[column]
    wrong = rows.with_columns(
        pl.when((pl.col("row") == "curve") & on_day_8)
        .then(pl.col(column) * by)
        .otherwise(pl.col(column))
        .cast(dtype)
        .alias(column)
    )
    found = curves_are_those_of_lifelines(wrong)
    assert found.height == 1
    assert "at 0.26 months, lifelines makes" in found["what"][0]


def test_rows_without_curves_are_read_too():
    rows = rows_of((DAYS, DEAD)).filter(pl.col("row") != "curve")
    assert curves_are_those_of_lifelines(rows).is_empty()
