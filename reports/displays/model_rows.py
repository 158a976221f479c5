"""Rows of one Cox model: hazard ratios, tests, counts, and what must be said beside them.

`population` names the model (ALL: the primary one), `row` the variable, `level` its level.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reports.displays.estimate import Estimate, interval_text, number_text, p_text
from reports.displays.model_fit import Fitted
from reports.stats.exact.adjust import adjusted
from reports.stats.hazards.compare import Contrast, all_contrasts, drop_one
from reports.stats.hazards.fit import ALIASED, ESTIMATED
from schemas.spec.plan import GROUP

WALD = "Cox model, Efron's ties; 95% confidence interval and P by Wald"
ROBUST = "Cox model, Efron's ties; 95% confidence interval and P by Wald with cluster-robust errors"
PENALIZED = "Firth's penalized Cox model; limits and P by the penalized likelihood ratio"
Z95 = 1.959963984540054
FINEST = 4  # decimals of a ratio per unit of a number


def common(model: Fitted) -> dict[str, Any]:
    """Columns that all rows of a model share."""
    return {
        "display": model.planned.id,
        "endpoint": model.planned.endpoint,
        "population": model.request.code,
        "population_label": model.request.label,
    }


def ratio_text(
    value: float | None, lower: float | None, upper: float | None, *, of_number: bool = False
) -> str:
    """A hazard ratio with its interval.

    That of a number gets more decimals while a limit would be printed as 1.00 or both limits alike: a small
    step of a number has a ratio near 1.
    """
    decimals = 2
    while of_number and decimals < FINEST and _is_hidden(lower, upper, decimals):
        decimals += 1
    return f"{number_text(value, decimals)} ({interval_text(lower, upper, decimals)})"


def _is_hidden(lower: float | None, upper: float | None, decimals: int) -> bool:
    if lower is None or upper is None:
        return False
    low, high = (float(number_text(limit, decimals)) for limit in (lower, upper))
    return low == high or 1.0 in (low, high)


def variable_label(model: Fitted, name: str) -> str:
    """A variable as printed, with the source of its cut."""
    variable = model.context.variable(name)
    cut = f"; cut {variable.cut_from}" if variable.cut_from else ""
    return variable.label + cut


def effects(model: Fitted, *, tests: bool = True) -> Iterator[Estimate]:
    """Hazard ratio of each level against the reference, and the likelihood ratio test of each variable.

    Each test is a fit: models beside the primary one go without.
    """
    ratios = _likelihood_ratios(model) if tests else {}
    for name in model.request.terms:
        label = variable_label(model, name)
        yield from _reference(model, name, label)
        if name not in model.terms or model.fit is None:
            why = model.why_not or "all patients of the model have one value"
            for other in [*model.levels[name]][1:] if name in model.levels else [None]:
                yield _ratio(model, name, label, other, text=f"not estimable: {why}")
            continue
        table = model.fit.table()
        for code, place in model.columns(name):
            found = table.row(place, named=True)
            per = _step(model, name, code)
            numbers = [powered(found[key], per) for key in ("hr", "hr_lower", "hr_upper")]
            if found["status"] == ESTIMATED and None not in numbers:
                shared: dict[str, Any] = {
                    "value": numbers[0], "lower": numbers[1], "upper": numbers[2], "p": found["p"],
                }  # fmt: skip
                text = ratio_text(*numbers, of_number=code is None)
                yield _ratio(model, name, label, code, text=text, **shared)
                yield _wald(model, name, label, code, found)
            else:
                why = _why_not_estimable(model, name, code, str(found["status"]))
                if found["status"] == ESTIMATED and found.get("robust_se", found["se"]) is not None:
                    why = "it or a limit of it is too large for a number"
                yield _ratio(model, name, label, code, text=f"not estimable: {why}")
        if name in ratios:
            df, statistic, p = ratios[name]
            yield Estimate(
                **common(model), row=name, row_label=label, statistic="p_lr", value=statistic, p=p,
                method=f"Likelihood ratio test against the model without the variable, {df} degrees of freedom",
                text=p_text(p),
            )  # fmt: skip


def _reference(model: Fitted, name: str, label: str) -> Iterator[Estimate]:
    for code in list(model.levels.get(name, {}))[:1]:
        yield _ratio(model, name, label, code, text="reference")


def _ratio(model: Fitted, name: str, label: str, code: str | None, **numbers: Any) -> Estimate:
    if code is None:
        n, events, shown = model.n, model.events, _step_label(model, name)
    else:
        n, events = model.counted(name).get(code, (0, 0))
        shown = model.levels[name][code]
    return Estimate(
        **common(model), row=name, row_label=label, level=code, level_label=shown, statistic="hr",
        n=n, events=events, method=ROBUST if model.request.cluster else WALD, **numbers,
    )  # fmt: skip


def powered(ratio: float | None, per: float) -> float | None:
    """A ratio per so many units; None where it is none, or too large for a number."""
    try:
        return None if ratio is None else ratio**per
    except OverflowError:
        return None


def _step(model: Fitted, name: str, code: str | None) -> float:
    """By how many units of a number the ratio is; 1 for a level."""
    return model.context.variable(name).per if code is None else 1.0


def _step_label(model: Fitted, name: str) -> str:
    variable = model.context.variable(name)
    unit = variable.unit or "units"
    if variable.per == 1:
        return f"per {unit.removesuffix('s')} more"
    return f"per {variable.per:g} {unit} more"


def _wald(
    model: Fitted, name: str, label: str, code: str | None, found: dict[str, Any]
) -> Estimate:
    return Estimate(
        **common(model), row=name, row_label=label, level=code, statistic="p", value=found["z"],
        p=found["p"], method=ROBUST if model.request.cluster else WALD, text=p_text(found["p"]),
    )  # fmt: skip


def _why_not_estimable(model: Fitted, name: str, code: str | None, status: str) -> str:
    if status == ALIASED:
        return "the other variables (or strata) already tell it"
    if status == ESTIMATED:
        return "the clusters give no standard error"
    counts = model.counted(name) if code is not None else {}
    reference = next(iter(model.levels.get(name, {})), None)
    if code is not None and counts[code][1] == 0:
        return "no event in this level"
    if reference is not None and counts[reference][1] == 0:
        return "no event in the reference level"
    return "the variables separate those with an event"


def _likelihood_ratios(model: Fitted) -> dict[str, tuple[int, float, float | None]]:
    """Variable → degrees of freedom, statistic, P; none of robust models, whose rows are dependent."""
    if model.fit is None or model.request.cluster:
        return {}
    tests = model.context.fits.once(model.fit, "drop_one", drop_one)
    return {term: (df, lrt, p) for term, df, lrt, p, _ in tests.iter_rows()}


def penalized(model: Fitted) -> Iterator[Estimate]:
    """Firth's hazard ratios of the levels that the model cannot estimate."""
    result = model.penalized
    if result is None or model.fit is None:
        return
    found = {row["term"]: row for row in result.table.iter_rows(named=True)}
    for name in model.terms:
        for code, place in model.columns(name):
            if not model.fit.maximum.infinite[place]:
                continue
            row, per = found[model.fit.names[place]], _step(model, name, code)
            shown = f"not estimable: {model.why_not_penalized}"
            numbers = [powered(row[key], per) for key in ("hr", "hr_lower", "hr_upper")]
            if result.converged:
                shown = ratio_text(*numbers, of_number=code is None)
            yield Estimate(
                **common(model), row=name, row_label=variable_label(model, name), level=code,
                level_label=model.levels[name][code] if code else _step_label(model, name),
                statistic="hr_firth",
                value=numbers[0] if result.converged else None,
                lower=numbers[1] if result.converged else None,
                upper=numbers[2] if result.converged else None,
                p=row["p"] if result.converged else None, method=PENALIZED, text=shown,
            )  # fmt: skip
            if result.converged:
                yield Estimate(
                    **common(model), row=name, row_label=variable_label(model, name), level=code,
                    statistic="p_firth", p=row["p"], method=PENALIZED, text=p_text(row["p"]),
                )  # fmt: skip


def counts(model: Fitted) -> Iterator[Estimate]:
    """Patients used, events, events per parameter, and patients left out with the variables that caused it."""
    yield _count(model, "N", "Patients in the model", model.n, events=model.events)
    yield _count(model, "EVENTS", "Events", model.events)
    left_out = model.request.candidates - model.n
    yield _count(model, "DROPPED", "Patients left out", left_out)
    for label, number in model.request.lost.items():
        yield _count(model, "DROPPED", "Patients left out", number, "REASON", label)
    for name, number in model.missing.items():
        label = f"{model.context.variable(name).label} not known"
        yield _count(model, "DROPPED", "Patients left out", number, name, label)
    ratio = model.per_parameter
    if ratio is not None and model.fit is not None:
        yield Estimate(
            **common(model), row="EVENTS_PER_PARAMETER", row_label="Events per parameter",
            statistic="ratio", value=ratio, n=model.n, events=model.events,
            method=f"{model.events} events, {model.fit.df} parameters", text=number_text(ratio, 1),
        )  # fmt: skip


def _count(
    model: Fitted, row: str, label: str, number: int, level: str | None = None,
    level_label: str | None = None, events: int | None = None,
) -> Estimate:  # fmt: skip
    return Estimate(
        **common(model), row=row, row_label=label, level=level, level_label=level_label,
        statistic="n", value=float(number), n=number, events=events, text=str(number),
    )  # fmt: skip


def whole(model: Fitted) -> Iterator[Estimate]:
    """Concordance and the tests of the whole model."""
    if model.fit is None:
        return
    found = model.fit.concordance()
    value, error = found.value, found.std_err
    # The error by clusters is one of none where there is but one cluster.
    has_error = error > 1e-12
    yield Estimate(
        **common(model), row="CONCORDANCE", row_label="Concordance", statistic="concordance",
        value=value, lower=value - Z95 * error if has_error else None,
        upper=value + Z95 * error if has_error else None, n=model.n,
        events=model.events, method="Harrell; standard error by the infinitesimal jackknife",
        text=number_text(value, 2)
        + (f" ± {number_text(error, 2)}" if has_error else " (no standard error)"),
    )  # fmt: skip
    if model.request.cluster:
        # Few clusters make the robust test of many coefficients worthless.
        return
    tests = {
        "LR": ("Likelihood ratio test", model.fit.likelihood_ratio()),
        "WALD": ("Wald test", model.fit.wald()),
        "SCORE": ("Score test", model.fit.score()),
    }
    for code, (label, test) in tests.items():
        yield Estimate(
            **common(model), row="GLOBAL", row_label="Test of the whole model", level=code,
            level_label=label, statistic="p", value=test.statistic, p=test.p,
            method=f"{label}, {test.df} degrees of freedom", text=p_text(test.p),
        )  # fmt: skip


def contrasts(model: Fitted) -> Iterator[Estimate]:
    """Every pair of groups, the later against the earlier, with P raw and adjusted by Holm."""
    name = GROUP if GROUP in model.terms else next(iter(model.terms), "")
    if model.fit is None or len(model.levels.get(name, {})) < 3:
        return
    labels = model.levels[name]
    pairs = all_contrasts(model.fit, name)
    holm = adjusted([float("nan") if pair.p is None else pair.p for pair in pairs])
    for pair, p_holm in zip(pairs, holm, strict=True):
        shared: dict[str, Any] = {
            **common(model), "row": "CONTRAST", "row_label": variable_label(model, name),
            "level": f"{pair.level}|{pair.against}",
            "level_label": f"{labels[pair.level]} against {labels[pair.against]}",
        }  # fmt: skip
        yield Estimate(
            **shared, statistic="hr", value=pair.hr, lower=pair.lower, upper=pair.upper, p=pair.p,
            method=WALD, text=_contrast_text(pair),
        )  # fmt: skip
        if pair.p is not None:
            yield Estimate(
                **shared, statistic="p", value=pair.z, p=pair.p, method=WALD, text=p_text(pair.p)
            )
            yield Estimate(
                **shared, statistic="p_holm", value=pair.z, p=float(p_holm),
                method=f"Wald, adjusted by Holm over {len(pairs)} pairs", text=p_text(float(p_holm)),
            )  # fmt: skip


def _contrast_text(pair: Contrast) -> str:
    if pair.hr is None or pair.lower is None or pair.upper is None:
        return "not estimable"
    return ratio_text(pair.hr, pair.lower, pair.upper)
