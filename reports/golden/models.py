"""Golden analyses by a Cox model."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import polars as pl

from reports.golden.curves import Result
from reports.golden.data import Sample, sample
from reports.golden.records import GoldenSet, Record, as_list
from reports.stats.concordance import Concordance
from reports.stats.design import level_label, variables_of
from reports.stats.exact.adjust import adjusted
from reports.stats.hazards.compare import drop_one
from reports.stats.hazards.fit import ALIASED, NOT_ESTIMABLE, CoxFit, GlobalTest, chi_squared_test
from reports.stats.hazards.frailty import shared_frailty
from reports.stats.hazards.model import cox
from reports.stats.hazards.residuals import robust_score
from reports.stats.hazards.zph import cox_zph

COUNTS = ("concordant", "discordant", "tied.x", "tied.y", "tied.xy")


def coxph(golden: GoldenSet, record: Record) -> Result:
    """A model with everything that R's summary tells of it."""
    fit = _fit(golden, record)
    return _scalars(fit, record), _rows(fit)


def cause_specific_cox(golden: GoldenSet, record: Record) -> Result:
    """A model of one cause, the others censored; R was given the complete rows only."""
    data = sample(golden, record).complete(*variables_of(record.args["rhs"]))
    fit = _fit_frame(data, record, record.args["rhs"], cause=record.args["cause"])
    return _scalars(fit, record), _rows(fit)


def cox_tvc(golden: GoldenSet, record: Record) -> Result:
    """A model with covariates that change; the record tells its covariates only by the rows' names."""
    data = sample(golden, record)
    fit = _fit_frame(data, record, _formula_of(data, record))
    return _scalars(fit, record), _rows(fit)


def cox_term_lrt(golden: GoldenSet, record: Record) -> Result:
    """Likelihood ratio tests of the terms."""
    tests = drop_one(_fit(golden, record))
    return {}, tests.rename({"aic": "aic_without"}).to_dicts()


def zph(golden: GoldenSet, record: Record) -> Result:
    """Tests of proportional hazards."""
    fit = _fit(golden, record)
    tests = cox_zph(fit, record.args["transform"], terms=bool(record.args["terms"])).tests
    rows = tests.rename({"chi_squared": "chisq"}).to_dicts()
    lost = {name for name, gone in zip(fit.names, fit.maximum.infinite, strict=True) if gone}
    lost |= {fit.terms[fit.term_of[k]] for k in np.flatnonzero(fit.maximum.infinite)}
    nothing = {"chisq": NOT_ESTIMABLE, "p": NOT_ESTIMABLE}
    return {}, [
        row | nothing if row["chisq"] is None and row["term"] in lost else row for row in rows
    ]


def frailty(golden: GoldenSet, record: Record) -> Result:
    """A random effect of the clusters; the record tells its covariates only by the rows' names."""
    data = sample(golden, record)
    fit = _fit_frame(data, record, _formula_of(data, record))
    found = shared_frailty(fit, record.args["distribution"])
    if found is None:
        return {"theta": None}, []
    rows = found.table.rename({"chi_squared": "chisq"}).to_dicts()
    return {"theta": found.theta}, rows


def subgroup_forest(golden: GoldenSet, record: Record) -> Result:
    """The treatment's effect overall and within each level of each subgroup."""
    data = sample(golden, record)
    treatment = record.args["trt"]
    rows = _forest_rows(data, record, treatment, "overall", "overall")
    for variable in as_list(record.args["subgroups"]):
        known = data.complete(variable)
        of_level = known.labels(variable)
        for level in known.levels_of(variable):
            within = Sample(known.frame.filter(of_level == level), data.levels)
            rows.extend(_forest_rows(within, record, treatment, variable, level))
    return {}, rows


def interaction(golden: GoldenSet, record: Record) -> Result:
    """Likelihood ratio tests of the treatment's interaction with each variable."""
    data = sample(golden, record)
    treatment = record.args["trt"]
    rows = []
    for expected in record.rows:
        variable = expected["variable"]
        known = data.complete(treatment, variable)
        both = _fit_frame(known, record, f"{treatment} + factor({variable})")
        crossed = _fit_frame(known, record, f"{treatment} * factor({variable})")
        df = crossed.df - both.df
        test = chi_squared_test(2 * (crossed.loglik - both.loglik), df)
        rows.append(
            {"variable": variable, "lrt": test.statistic, "df": df, "p": test.p, "n": crossed.n}
        )
    p = np.array([row["p"] for row in rows])
    for row, holm, bh in zip(rows, adjusted(p), adjusted(p, "bh"), strict=True):
        row |= {"p_holm": float(holm), "p_bh": float(bh)}
    return {}, rows


def _forest_rows(
    data: Sample, record: Record, treatment: str, variable: str, level: str
) -> list[dict[str, Any]]:
    fit = _fit_frame(data, record, treatment)
    common = {"variable": variable, "level": level, "n": fit.n, "events": fit.events}
    told = {(row["variable"], row["level"]): row["term"] for row in record.rows}
    if set(fit.statuses) <= {ALIASED} and told.get((variable, level)) is None:
        # Nothing can be estimated; where R stops with an error, one row says so for all terms.
        names = ("term", "coef", "se", "hr", "hr_lower", "hr_upper", "p")
        return [common | dict.fromkeys(names)]
    return [common | row for row in _rows(fit)]


def _fit(golden: GoldenSet, record: Record) -> CoxFit:
    return _fit_frame(sample(golden, record), record, record.args["rhs"])


def _fit_frame(data: Sample, record: Record, formula: str, cause: int | None = None) -> CoxFit:
    endpoint, args = record.endpoint, record.args
    frame, event = data.frame, endpoint.get("event")
    if event is None:
        event = "_event"
        frame = frame.with_columns((pl.col(endpoint["status"]) == cause).alias(event))
    return cox(
        frame,
        formula,
        time=endpoint["time"],
        event=event,
        entry=endpoint.get("entry") or endpoint.get("start"),
        strata=args.get("strata"),
        cluster=args.get("cluster"),
        levels={name: levels for name, levels in data.levels.items() if name in frame.columns},
        ties=args.get("ties") or "efron",
    )


def _formula_of(data: Sample, record: Record) -> str:
    """The columns whose names, with a level, are those of the rows."""
    if record.args.get("rhs"):
        return str(record.args["rhs"])
    terms = [
        ":".join(_variable_of(data, part) for part in row["term"].split(":")) for row in record.rows
    ]
    return " + ".join(dict.fromkeys(terms))


def _variable_of(data: Sample, name: str) -> str:
    if called := re.match(r"\w+\(.+\)", name):
        return called[0]
    fitting = [
        column
        for column in data.frame.columns
        if name == column or name in {f"{column}{level}" for level in _levels(data, column)}
    ]
    if not fitting:
        raise ValueError(f"no column of the data makes the coefficient {name}")
    return max(fitting, key=len)


def _levels(data: Sample, column: str) -> list[str]:
    if data.frame[column].dtype not in (pl.String, pl.Boolean):
        return []
    return [level_label(value) for value in data.frame[column].drop_nulls().unique()]


def _scalars(fit: CoxFit, record: Record) -> dict[str, Any]:
    found: dict[str, Any] = {
        "n_used": fit.n,
        "n_event": fit.events,
        "n_missing_dropped": fit.n_dropped,
        "loglik_null": fit.loglik_null,
        "loglik": fit.loglik,
        "aic": fit.aic,
        "bic_events": fit.bic,
        **_test("lrt", fit.likelihood_ratio()),
        **_test("wald", fit.wald(), estimable=not fit.maximum.infinite.any()),
        **_test("score", fit.score()),
    }
    if fit.cluster is not None:
        robust = robust_score(fit)
        found |= {"robust_score": robust.statistic, "robust_score_p": robust.p}
    ordered = fit.concordance()
    return found | {
        "concordance": ordered.value,
        "concordance_se": ordered.std_err,
        "concordance_count": _counts(ordered, record.scalars.get("concordance_count")),
    }


def _rows(fit: CoxFit) -> list[dict[str, Any]]:
    """The coefficients; what is not estimable says so, where R prints a number and warns."""
    rows = fit.table().to_dicts()
    return [
        {name: NOT_ESTIMABLE if name != "term" else value for name, value in row.items()}
        if row["status"] == NOT_ESTIMABLE
        else row
        for row in rows
    ]


def _test(name: str, test: GlobalTest, *, estimable: bool = True) -> dict[str, Any]:
    values = (test.statistic, test.p) if estimable else (NOT_ESTIMABLE, NOT_ESTIMABLE)
    return {name: values[0], f"{name}_df": test.df, f"{name}_p": values[1]}


def _counts(ordered: Concordance, form: Any) -> Any:
    """The counts as R prints them: summed, or stratum by stratum within each kind."""
    if isinstance(form, list):
        return [int(count) for count in ordered.counts.T.reshape(-1)]
    return dict(zip(COUNTS, ordered.totals, strict=True))
