"""Survival curves once more, by lifelines, from the patients that their rows tell of."""

from __future__ import annotations

import polars as pl

from reports.selfaudit.finding import PLACE, found

CURVE = "curve"
MOST = (
    20_000  # times of a curve: above it, lifelines would take most of the report's time and memory
)
APART = 1e-7  # of survival: lifelines sums logarithms, we multiply


def curves_are_those_of_lifelines(rows: pl.DataFrame) -> pl.DataFrame:
    """Survival and numbers at risk at every event are what lifelines makes of the same patients.

    Curves of more than `MOST` times are not read again.
    """
    told = rows.filter(
        (pl.col("row") == CURVE) & pl.col("statistic").is_in(["survival", "censored"])
    )
    few = told.filter(pl.len().over(PLACE) <= MOST)
    parts = [_apart(curve) for curve in few.partition_by(PLACE, maintain_order=True)]
    if not parts:
        return found(told, "")
    wrong = pl.concat(parts)
    return found(
        wrong,
        pl.format(
            "survival is {} with {} at risk at {} months, lifelines makes {} with {} of the same patients",
            pl.col("value").round(6), "n", pl.col("time_months").round(2),
            pl.col("again").round(6), pl.col("still").cast(pl.Int64),
        ),
    )  # fmt: skip


def _apart(curve: pl.DataFrame) -> pl.DataFrame:
    """The steps of one curve that lifelines sees otherwise."""
    import numpy as np
    from lifelines import KaplanMeierFitter

    steps = curve.filter((pl.col("statistic") == "survival") & (pl.col("events") > 0))
    lost = curve.filter(pl.col("statistic") == "censored")
    if not steps.height:
        return steps.with_columns(again="value", still=pl.col("n").cast(pl.Float64))
    with np.errstate(all="ignore"):  # lifelines silences numpy for good otherwise
        fitter = KaplanMeierFitter().fit(
            np.concatenate([steps["time_months"], lost["time_months"]]),
            event_observed=np.repeat([1, 0], [steps.height, lost.height]),
            weights=np.concatenate([steps["events"], lost["n"]]),
        )
    at = steps["time_months"].to_numpy()
    again = fitter.survival_function_.iloc[:, 0].reindex(at).to_numpy()
    still = fitter.event_table["at_risk"].reindex(at).to_numpy(dtype=float)
    first = fitter.event_table["entrance"].reindex(at).to_numpy(dtype=float)
    return steps.with_columns(
        again=pl.Series(again), still=pl.Series(np.where(at > 0, still - first, still))
    ).filter(
        ((pl.col("value") - pl.col("again")).abs() > APART)
        | pl.col("again").is_null()
        | (pl.col("n") != pl.col("still"))
    )


CHECKS = (curves_are_those_of_lifelines,)
