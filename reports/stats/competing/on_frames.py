"""Competing risks on a frame: columns by name, the codes of the status named, formulas with factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from reports.stats.competing.fine_gray import FineGray
from reports.stats.competing.fine_gray import fine_gray as of_arrays
from reports.stats.competing.gray import GrayTest
from reports.stats.competing.gray import gray_test as gray_of_arrays
from reports.stats.competing.incidence import Incidence
from reports.stats.competing.incidence import cumulative_incidence as incidence_of_arrays
from reports.stats.design import Levels, design, variables_of
from reports.stats.of_frames import Rows, status_codes


@dataclass(frozen=True)
class FineGrayFit:
    """A model of a frame; `fit` is None where nothing could be estimated."""

    formula: str
    names: tuple[str, ...]
    fit: FineGray | None
    n: int
    n_event: int
    n_dropped: int
    dropped_by: Mapping[str, int]

    def table(self) -> pl.DataFrame:
        """One row per column: term, coef, se, z, p, hr, hr_lower, hr_upper (subdistribution), status."""
        columns = ("coef", "se", "z", "p", "hr", "hr_lower", "hr_upper")
        values = [np.full(len(self.names), np.nan)] * len(columns)
        if (fit := self.fit) is not None:
            limits = np.exp(fit.lower), np.exp(fit.upper)
            values = [fit.coefficient, fit.std_err, fit.z, fit.p, fit.hazard_ratio, *limits]
        frame = pl.DataFrame(dict(zip(columns, values, strict=True))).fill_nan(None)
        estimated = pl.when(pl.col("se").is_null()).then(pl.lit("not estimable"))
        return frame.select(
            pl.Series("term", self.names, pl.String),
            pl.all(),
            estimated.otherwise(pl.lit("estimated")).alias("status"),
        )


@overload
def fine_gray(
    data: ArrayLike,
    event: ArrayLike,
    covariates: ArrayLike,
    *,
    cause: int,
    censor: int = 0,
    censor_groups: ArrayLike | None = None,
    level: float = 0.95,
) -> FineGray | None: ...
@overload
def fine_gray(
    data: Any,
    formula: str,
    /,
    *,
    time: str,
    event: str,
    cause: int,
    censor: int,
    competing: Sequence[int] = (),
    levels: Levels | None = None,
    censor_groups: str | None = None,
    level: float = 0.95,
) -> FineGrayFit: ...
def fine_gray(data: Any, *given: Any, **options: Any) -> FineGray | FineGrayFit | None:
    """Proportional model of the subdistribution hazard of one cause, on a frame or on arrays.

    `fine_gray(frame, "arm + age", time="months", event="status", cause=1, censor=0, competing=[2])`; with
    arrays as `reports.stats.competing.fine_gray.fine_gray`.

    Args:
        data: A frame of polars or pandas, or a mapping of columns; or times.
        given: The right-hand side in R's notation (`reports.stats.design`); or status and covariates.
        options: Of a frame: `time` and `event`, columns; `cause`, `censor` and `competing`, the codes of the status,
            all of them; `levels`, order of each factor's levels; `censor_groups`, a column; `level`.

    Raises:
        ValueError: A column is missing, no row is complete, a code was not named; and as for arrays.

    Source:
        Fine and Gray 1999; R, cmprsk 2.2, `crr`.
    """
    if "time" in options and given:
        return _on_frame(data, given[0], **options)
    return of_arrays(data, *given, **options)


def _on_frame(
    data: Any,
    formula: str,
    *,
    time: str,
    event: str,
    cause: int,
    censor: int,
    competing: Sequence[int] = (),
    levels: Levels | None = None,
    censor_groups: str | None = None,
    level: float = 0.95,
) -> FineGrayFit:
    rows = Rows.of(data, [time, event, censor_groups, *variables_of(formula)])
    codes = status_codes(rows, event, cause, censor, competing)
    covariates = design(rows.frame, formula, levels)
    fit = of_arrays(
        rows.frame[time],
        codes,
        covariates.matrix,
        cause=cause,
        censor=censor,
        censor_groups=rows.labels(censor_groups) if censor_groups else None,
        level=level,
    )
    return FineGrayFit(
        formula=formula,
        names=covariates.names,
        fit=fit,
        n=rows.frame.height,
        n_event=int((codes == cause).sum()),
        n_dropped=rows.n_dropped,
        dropped_by=rows.dropped_by,
    )


def cumulative_incidence(
    data: Any,
    event: Any,
    group: Any = None,
    *,
    time: str | None = None,
    cause: int = 1,
    censor: int = 0,
    competing: Sequence[int] = (),
) -> tuple[Incidence, ...]:
    """Cumulative incidence of each cause in each group, of a frame or of arrays (`competing.incidence`).

    Args:
        data: A frame, or times.
        event: Column with the status; with times the status of each row.
        group: Column, or labels; without it one group, `all`.
        time: Column with the time; without it `data` are times.
        cause: Of a frame: code of the event.
        censor: Code of censored rows.
        competing: Of a frame: all other codes.

    Raises:
        ValueError: As for arrays; or a column is missing, or a code was not named.
    """
    if time is None:
        return incidence_of_arrays(data, event, group, censor=censor)
    rows = Rows.of(data, [time, event, group])
    codes = status_codes(rows, event, cause, censor, competing)
    labels = rows.labels(group) if group else None
    return incidence_of_arrays(rows.frame[time], codes, labels, censor=censor)


def gray_test(
    data: Any,
    event: Any,
    group: Any,
    *,
    cause: int,
    time: str | None = None,
    censor: int = 0,
    competing: Sequence[int] = (),
    strata: Any = None,
    rho: float = 0.0,
) -> GrayTest | None:
    """Gray's test of equal cumulative incidence, on a frame or on arrays (`competing.gray`).

    Args:
        data: A frame, or times.
        event: Column with the status; with times the status of each row.
        group: Column whose levels are compared, or labels.
        cause: Code of the event whose incidence is compared.
        time: Column with the time; without it `data` are times.
        censor: Code of censored rows.
        competing: Of a frame: all other codes.
        strata: Column of strata, or labels.
        rho: Weight, as in `cuminc`.

    Returns:
        None where there is nothing to compare.

    Raises:
        ValueError: As for arrays; or a column is missing, or a code was not named.
    """
    if time is None:
        return gray_of_arrays(
            data, event, group, cause=cause, censor=censor, strata=strata, rho=rho
        )
    rows = Rows.of(data, [time, event, group, strata])
    return gray_of_arrays(
        rows.frame[time],
        status_codes(rows, event, cause, censor, competing),
        rows.labels(group),
        cause=cause,
        censor=censor,
        strata=rows.labels(strata) if strata else None,
        rho=rho,
    )
