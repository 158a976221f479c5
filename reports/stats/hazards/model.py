"""Fit a Cox model to a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from reports.stats.checks import confidence, durations, flags, numbers, option, refuse
from reports.stats.design import Levels, design, level_codes, variables_of
from reports.stats.frames import columns_of as frame_columns
from reports.stats.frames import frame_of
from reports.stats.hazards.fit import CoxFit
from reports.stats.hazards.newton import maximize
from reports.stats.hazards.risk_sets import Ties, risk_sets
from reports.stats.times import merge_close_intervals, merge_close_times


def cox(
    frame: Any,
    formula: str,
    *,
    time: str,
    event: str,
    entry: str | None = None,
    strata: str | Sequence[str] | None = None,
    cluster: str | None = None,
    weights: str | None = None,
    levels: Levels | None = None,
    ties: Ties = "efron",
    level: float = 0.95,
) -> CoxFit:
    """A Cox proportional hazards model.

    Args:
        frame: One row per patient, or per interval (entry, time] for covariates that change. A frame of polars or
            pandas, or a mapping of columns.
        formula: Right-hand side in R's notation, see `reports.stats.design`.
        time: Column with the time of event or censoring; not negative.
        event: Column that is true or 1 where the event was seen, false or 0 where not.
        entry: Column with the time from which the row is at risk.
        strata: Column or columns; each combination has its own baseline hazard.
        cluster: Column; rows of one value are not independent: robust standard errors.
        weights: Column of case weights, positive.
        levels: Order of each factor's levels, the reference first; also of strata, whose counts come in this order.
        ties: `efron` is R's default.
        level: Confidence level.

    Rows with a missing value in any column used are left out and counted (`n_dropped`, `dropped_by`).

    Source:
        Cox 1972; R, survival 3.5, `coxph`.

    Raises:
        ValueError: A column is missing, no row is complete, a time is negative, an interval ends before it starts,
            an event is coded otherwise than 0 and 1 or False and True, a number is infinite or not defined (the log of
            0), a weight is not positive, or an argument is none of those above. Column and number of rows are told.
    """
    option(ties, get_args(Ties), "ties")
    confidence(level)
    by = [strata] if isinstance(strata, str) else list(strata or [])
    used = [time, event, entry, cluster, weights, *by, *variables_of(formula)]
    columns = list(dict.fromkeys(name for name in used if name is not None))
    odd = [name for name in levels or {} if name not in frame_columns(frame)]
    if odd:
        raise ValueError(f"levels are given of what is no column: {', '.join(odd)}")
    known = frame_of(frame, columns).fill_nan(None)
    complete = known.drop_nulls()
    if not complete.height:
        raise ValueError("no row has a value in every column of the model")
    end = durations(complete[time], time)
    start = numbers(complete[entry], entry) if entry else None
    if start is None:
        end = merge_close_times(end)
    else:
        start, end = merge_close_intervals(start, end)
    happened = flags(complete[event], event)
    weight = numbers(complete[weights], weights) if weights else None
    if weights and weight is not None:
        refuse(weight <= 0, weights, "not positive")
    rows = risk_sets(
        end,
        happened,
        entry=start,
        stratum=_codes(complete, by, levels or {}),
        weight=weight,
        ties=ties,
    )
    covariates = design(complete, formula, levels)
    return CoxFit(
        formula=formula,
        names=covariates.names,
        term_of=covariates.term_of,
        terms=covariates.terms,
        n=complete.height,
        events=int(happened.sum()),
        n_dropped=known.height - complete.height,
        dropped_by={name: nulls for name in columns if (nulls := known[name].null_count())},
        ties=ties,
        level=level,
        maximum=maximize(rows, covariates.matrix[rows.order]),
        design=covariates,
        cluster=_codes(complete, [cluster] if cluster else [], {}),
    )


def _codes(frame: pl.DataFrame, by: Sequence[str], levels: Levels) -> NDArray[np.int64] | None:
    """Each combination of the columns' values as a number, in the order of their levels, the last fastest."""
    if not by:
        return None
    columns = [level_codes(frame[name], name, levels.get(name)) for name in by]
    codes = columns[0]
    for column in columns[1:]:
        codes = codes * (int(column.max()) + 1) + column
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)
