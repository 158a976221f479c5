"""Curves against themselves and against what is told of them: medians, points, numbers at risk, events."""

from __future__ import annotations

import polars as pl

from reports.selfaudit.finding import NEAR, PLACE, found

CURVE, AT_RISK = "curve", "at_risk"
HALF = 0.5
SLACK = 1e-7  # months or survival: what a change of units may leave


def _steps(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter((pl.col("row") == CURVE) & (pl.col("statistic") == "survival")).sort(
        *PLACE, "time_months", maintain_order=True
    )


def curves_fall(rows: pl.DataFrame) -> pl.DataFrame:
    """Survival is a share and never rises."""
    steps = _steps(rows).with_columns(before=pl.col("value").shift(1).over(PLACE))
    wrong = steps.filter(
        (pl.col("value") > pl.col("before") + NEAR)
        | (pl.col("value") > 1 + NEAR)
        | (pl.col("value") < -NEAR)
    )
    return found(wrong, pl.format("survival rises or is no share at {} months", _month()))


def incidences_rise(rows: pl.DataFrame) -> pl.DataFrame:
    """A cumulative incidence is a share and never falls."""
    steps = rows.filter(
        (pl.col("row") == CURVE) & pl.col("statistic").is_in(["incidence", "cif"])
    ).sort(*PLACE, "level", "time_months", maintain_order=True, nulls_last=False)
    steps = steps.with_columns(before=pl.col("value").shift(1).over(*PLACE, "level"))
    wrong = steps.filter(
        (pl.col("value") < pl.col("before") - NEAR)
        | (pl.col("value") > 1 + NEAR)
        | (pl.col("value") < -NEAR)
    )
    return found(wrong, pl.format("incidence falls or is no share at {} months", _month()))


def incidences_leave_no_more_than_all(rows: pl.DataFrame) -> pl.DataFrame:
    """The incidences of all causes of a population are at most all of it."""
    last = (
        rows.filter((pl.col("row") == CURVE) & pl.col("statistic").is_in(["incidence", "cif"]))
        .group_by(*PLACE, "level", maintain_order=True)
        .agg(last=pl.col("value").max())
        .group_by(PLACE, maintain_order=True)
        .agg(total=pl.col("last").sum())
    )
    wrong = last.filter(pl.col("total") > 1 + SLACK).with_columns(row=pl.lit(CURVE))
    return found(wrong, pl.format("the incidences add up to {}", pl.col("total").round(3)))


def numbers_at_risk_fall(rows: pl.DataFrame) -> pl.DataFrame:
    """Numbers at risk never rise, under the axis and along the curve."""
    under = rows.filter((pl.col("row") == AT_RISK) & (pl.col("statistic") == "n"))
    ordered = (
        pl.concat([under, _steps(rows)])
        .filter(pl.col("n").is_not_null())
        .sort(*PLACE, "row", "time_months", maintain_order=True)
        .with_columns(before=pl.col("n").shift(1).over(*PLACE, "row"))
    )
    wrong = ordered.filter(pl.col("n") > pl.col("before"))
    return found(wrong, pl.format("{} at risk at {} months, {} before", "n", _month(), "before"))


def _medians(rows: pl.DataFrame) -> pl.DataFrame:
    """Medians of survival with the first time at half, the first below it, the end and the totals."""
    steps = _steps(rows)
    keys = steps.group_by(PLACE, maintain_order=True).agg(
        reached=pl.col("time_months").filter(pl.col("value") <= HALF + NEAR).min(),
        below=pl.col("time_months").filter(pl.col("value") < HALF - NEAR).min(),
        started=pl.col("n").first(),
        happened=pl.col("events").sum(),
    )
    last = (
        rows.filter((pl.col("row") == CURVE) & pl.col("statistic").is_in(["survival", "censored"]))
        .group_by(PLACE)
        .agg(last=pl.col("time_months").max())
    )
    medians = rows.filter((pl.col("row") == "median") & (pl.col("statistic") == "median"))
    return medians.join(keys, on=PLACE, how="inner").join(last, on=PLACE, how="inner")


def medians_stand_on_curves(rows: pl.DataFrame) -> pl.DataFrame:
    """A median is where the curve crosses half, in its flat stretch at half, or is not reached."""
    latest = pl.coalesce("below", "last")
    wrong = _medians(rows).filter(
        (pl.col("value").is_null() & pl.col("reached").is_not_null())
        | (pl.col("value").is_not_null() & pl.col("reached").is_null())
        | (pl.col("value") < pl.col("reached") - SLACK)
        | (pl.col("value") > latest + SLACK)
    )
    return found(
        wrong,
        pl.format(
            "the median is {}, the curve reaches half at {} months",
            pl.col("value").round(3).cast(pl.String).fill_null("not reached"),
            pl.col("reached").round(3).cast(pl.String).fill_null("no"),
        ),
    )


def curves_hold_their_patients(rows: pl.DataFrame) -> pl.DataFrame:
    """A curve starts with the patients of its median and has its events."""
    wrong = _medians(rows).filter(
        (pl.col("started") != pl.col("n")) | (pl.col("happened") != pl.col("events"))
    )
    return found(
        wrong,
        pl.format(
            "told are {} patients and {} events, the curve has {} and {}",
            "n", "events", "started", "happened",
        ),
    )  # fmt: skip


def points_lie_on_curves(rows: pl.DataFrame) -> pl.DataFrame:
    """Survival at a month is the curve's last step until then."""
    points = rows.filter((pl.col("row") == "at_months") & pl.col("value").is_not_null()).sort(
        "time_months"
    )
    steps = _steps(rows).select(*PLACE, "time_months", step="value").sort("time_months")
    # A step in the very moment counts as reached, whatever a change of units left of it.
    on_curve = points.with_columns(until=pl.col("time_months") + SLACK).join_asof(
        steps.rename({"time_months": "since"}),
        left_on="until",
        right_on="since",
        by=PLACE,
        strategy="backward",
        check_sortedness=False,
    )
    wrong = on_curve.filter((pl.col("value") - pl.col("step")).abs() > NEAR)
    return found(
        wrong,
        pl.format(
            "{} at {} months, the curve has {}",
            pl.col("value").round(4), _month(), pl.col("step").round(4),
        ),
    )  # fmt: skip


def tests_hold_all_curves(rows: pl.DataFrame) -> pl.DataFrame:
    """The test over all curves is made of their patients and events."""
    sums = (
        rows.filter(
            (pl.col("row") == "median") & (pl.col("statistic") == "median")
            & (pl.col("kind") == "survival")
        )
        .group_by("display")
        .agg(patients=pl.col("n").sum(), deaths=pl.col("events").sum())
    )  # fmt: skip
    tests = rows.filter((pl.col("row") == "test") & (pl.col("statistic") == "p"))
    wrong = tests.join(sums, on="display", how="inner").filter(
        (pl.col("n") != pl.col("patients")) | (pl.col("events") != pl.col("deaths"))
    )
    return found(
        wrong,
        pl.format(
            "tested are {} patients with {} events, the curves have {} and {}",
            "n", "events", "patients", "deaths",
        ),
    )  # fmt: skip


def _month() -> pl.Expr:
    return pl.col("time_months").round(2)


CHECKS = (
    curves_fall,
    incidences_rise,
    incidences_leave_no_more_than_all,
    numbers_at_risk_fall,
    medians_stand_on_curves,
    curves_hold_their_patients,
    points_lie_on_curves,
    tests_hold_all_curves,
)
