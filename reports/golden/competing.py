"""Golden analyses of competing risks."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from reports.golden.curves import ALL, Result
from reports.golden.data import Sample, sample
from reports.golden.records import GoldenSet, Record, as_list
from reports.stats.competing.aalen_johansen import aalen_johansen, states_at
from reports.stats.competing.fine_gray import FineGray, fine_gray
from reports.stats.competing.fine_gray_cox import SubdistributionCox, subdistribution_cox
from reports.stats.competing.gray import gray_test
from reports.stats.competing.incidence import cumulative_incidence, incidence_at
from reports.stats.design import Design, design, variables_of
from reports.stats.hazards.fit import NOT_ESTIMABLE
from reports.stats.kaplan_meier import ConfidenceType
from reports.stats.times import Bools

CENSORED = 0


def cuminc(golden: GoldenSet, record: Record) -> Result:
    """Cumulative incidence at given times, with the variance of `cuminc`."""
    data, times, codes, groups = _sample(golden, record)
    censor = int(record.args.get("cencode") or CENSORED)
    curves = cumulative_incidence(times, codes, groups, censor=censor)
    found = incidence_at(curves, _grid(record)).select(
        pl.col("group").alias("stratum"),
        "cause",
        "time",
        pl.col("incidence").alias("cif"),
        pl.col("variance").alias("var"),
        pl.col("std_err").alias("se"),
        pl.col("lower").alias("lower_loglog"),
        pl.col("upper").alias("upper_loglog"),
        "lower_plain",
        "upper_plain",
    )
    return {"n_used": times.size}, _ordered(found, data, record)


def aalen_johansen_states(golden: GoldenSet, record: Record) -> Result:
    """The same curves with the standard error of `survfit`."""
    data, times, codes, groups = _sample(golden, record)
    curves = aalen_johansen(times, codes, groups, censor=CENSORED)
    conf_type: ConfidenceType = record.args.get("conf_type") or "log"
    found = states_at(curves, _grid(record), conf_type=conf_type).select(
        pl.col("group").alias("stratum"),
        "cause",
        "time",
        "n_risk",
        pl.col("incidence").alias("cif"),
        pl.col("std_err").alias("se"),
        "lower",
        "upper",
    )
    return {}, _ordered(found, data, record)


def gray(golden: GoldenSet, record: Record) -> Result:
    """Gray's test of each cause."""
    _, times, codes, groups = _sample(golden, record)
    rho = float(record.args.get("rho") or 0)
    rows = []
    for cause in sorted({int(code) for code in codes} - {CENSORED}):
        test = gray_test(times, codes, groups, cause=cause, censor=CENSORED, rho=rho)
        values = (None, None, None) if test is None else (test.statistic, test.df, test.p)
        rows.append({"cause": cause, **dict(zip(("stat", "df", "p"), values, strict=True))})
    return {"n_used": times.size}, rows


def crr(golden: GoldenSet, record: Record) -> Result:
    """Fine-Gray regression as `crr`."""
    times, codes, covariates, dropped = _covariates(golden, record)
    cause, censor = int(record.args["failcode"]), int(record.args.get("cencode") or CENSORED)
    fit = fine_gray(times, codes, covariates.matrix, cause=cause, censor=censor)
    if fit is None:
        return {"n_missing_dropped": dropped}, _nothing(covariates)
    scalars = {
        "n_used": fit.n,
        "n_event": fit.n_event,
        "n_missing_dropped": dropped,
        "loglik": fit.loglik,
        "loglik_null": fit.loglik_null,
        "pseudo_lrt": fit.likelihood_ratio,
    }
    return scalars, _terms(fit, covariates, {"se": fit.std_err})


def finegray_coxph(golden: GoldenSet, record: Record) -> Result:
    """Fine-Gray regression as `finegray` and a weighted `coxph`."""
    times, codes, covariates, _ = _covariates(golden, record)
    fit = subdistribution_cox(
        times,
        codes,
        covariates.matrix,
        cause=int(record.args["etype"]),
        censor=CENSORED,
        ties=record.args.get("ties") or "efron",
    )
    if fit is None:
        return {}, _nothing(covariates)
    scalars = {
        "n_rows_expanded": fit.n_rows,
        "n_event": fit.n_event,
        "loglik_null": fit.loglik_null,
        "loglik": fit.loglik,
        "sum_weights": fit.sum_weights,
    }
    errors = {"se": fit.std_err, "robust_se": fit.robust_std_err}
    return scalars, _terms(fit, covariates, errors, fit.aliased)


def _sample(golden: GoldenSet, record: Record) -> tuple[Sample, Any, Any, Any]:
    data = sample(golden, record).complete(record.by)
    times = data.frame[record.endpoint["time"]].to_numpy()
    codes = data.frame[record.endpoint["status"]].cast(pl.Int64).to_numpy()
    groups = data.labels(record.by).to_numpy().astype(np.str_) if record.by else None
    return data, times, codes, groups


def _covariates(golden: GoldenSet, record: Record) -> tuple[Any, Any, Design, int]:
    formula = str(record.args["rhs"])
    known = sample(golden, record)
    data = known.complete(*variables_of(formula))
    times = data.frame[record.endpoint["time"]].to_numpy()
    codes = data.frame[record.endpoint["status"]].cast(pl.Int64).to_numpy()
    dropped = known.frame.height - data.frame.height
    return times, codes, design(data.frame, formula, data.levels), dropped


def _grid(record: Record) -> Any:
    return np.array(as_list(record.args["times"]), dtype=np.float64)


def _ordered(found: pl.DataFrame, data: Sample, record: Record) -> list[dict[str, Any]]:
    """Causes first, then the groups in the order of their levels."""
    names = data.levels_of(record.by) if record.by else [ALL]
    position = {name: k for k, name in enumerate(names)}
    place = pl.col("stratum").replace_strict(position, return_dtype=pl.Int64)
    return found.sort("cause", place, maintain_order=True).to_dicts()


def _nothing(covariates: Design) -> list[dict[str, Any]]:
    """A model that cannot be estimated: no coefficient."""
    names = ("coef", "se", "robust_se", "z", "p", "shr", "shr_lower", "shr_upper")
    return [{"term": term, **dict.fromkeys(names)} for term in covariates.names]


def _terms(
    fit: FineGray | SubdistributionCox,
    covariates: Design,
    errors: dict[str, Any],
    aliased: Bools | None = None,
) -> list[dict[str, Any]]:
    """The coefficients; what is not estimable says so, where R prints a number with a huge standard error.

    Of an aliased column there is nothing, as in R.
    """
    columns = {
        "coef": fit.coefficient,
        **errors,
        "z": fit.z,
        "p": fit.p,
        "shr": np.exp(fit.coefficient),
        "shr_lower": np.exp(fit.lower),
        "shr_upper": np.exp(fit.upper),
    }
    rows = pl.DataFrame(columns).fill_nan(None).to_dicts()
    lost = np.isnan(fit.coefficient)
    if aliased is not None:
        lost &= ~aliased
    return [
        {"term": term, **(dict.fromkeys(row, NOT_ESTIMABLE) if gone else row)}
        for term, row, gone in zip(covariates.names, rows, lost, strict=True)
    ]
