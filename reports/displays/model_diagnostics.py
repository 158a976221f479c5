"""Whether the hazards of a model are proportional: tests per term, and residuals over time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reports.displays.estimate import Estimate, p_text
from reports.displays.model_fit import Fitted
from reports.displays.model_rows import common, variable_label
from reports.displays.model_warnings import said
from reports.stats.hazards.residuals import scaled_schoenfeld
from reports.stats.hazards.zph import GLOBAL, ProportionalHazards, cox_zph
from reports.stats.times import Floats

FAILS = 0.05
MOST_POINTS = 200  # residuals that become rows, per coefficient; smoothing takes all
CURVE_POINTS = 40
SPLINE_DF = 4
TEST = "Score test for an effect that changes with 1 - Kaplan-Meier (Grambsch and Therneau)"
RESIDUAL = "Scaled Schoenfeld residual plus the coefficient (log hazard ratio at the event)"
SMOOTH = (
    "Natural cubic spline with 4 degrees of freedom over 1 - Kaplan-Meier, knots at the terciles of the "
    "events; 95% pointwise interval"
)


def diagnostics(model: Fitted) -> Iterator[Estimate]:
    """Rows PH (tests), RESIDUAL and SMOOTH (per coefficient), and a warning where a test fails."""
    if model.fit is None or not model.fit.used.any():
        yield said(
            model, "NO_DIAGNOSTICS", "Proportional hazards not tested: no coefficient is estimable."
        )
        return
    found = cox_zph(model.fit, "km")
    yield from _tests(model, found)
    yield from _residuals(model, found)


def _tests(model: Fitted, found: ProportionalHazards) -> Iterator[Estimate]:
    failed = []
    for term, statistic, df, p in found.tests.iter_rows():
        label = "All variables" if term == GLOBAL else variable_label(model, term)
        if p is not None and p < FAILS:
            failed.append(label)
        yield Estimate(
            **common(model), row="PH", row_label="Proportional hazards", level=term,
            level_label=label, statistic="p", value=statistic, p=p,
            method=f"{TEST}, {df} degrees of freedom",
            text=p_text(p) + (" (not proportional)" if p is not None and p < FAILS else ""),
        )  # fmt: skip
    if failed:
        yield said(
            model, "NOT_PROPORTIONAL",
            f"Proportional hazards fail (P below {FAILS}): {'; '.join(failed)}. The hazard ratio is an average "
            "over the time observed; the model is left as it is.",
        )  # fmt: skip


def _residuals(model: Fitted, found: ProportionalHazards) -> Iterator[Estimate]:
    fit = model.fit
    assert fit is not None
    values = scaled_schoenfeld(fit)
    places = np.flatnonzero(fit.used)
    order = np.argsort(found.event_time, kind="stable")
    times, g = found.event_time[order], found.transformed_time[order]
    shown = np.unique(np.linspace(0, times.size - 1, min(times.size, MOST_POINTS)).round()).astype(
        int
    )
    for name in model.terms:
        for code, place in model.columns(name):
            if place not in places:
                continue
            k = int(np.flatnonzero(places == place)[0])
            label = variable_label(model, name)
            level = f"{name}|{code}" if code else name
            level_label = f"{label}: {model.levels[name][code]}" if code else label
            shared = {**common(model), "level": level, "level_label": level_label}
            column = values[order, k]
            for index in shown:
                yield Estimate(
                    **shared, row="RESIDUAL", statistic="residual", value=float(column[index]),
                    time_months=model.context.months(float(times[index])), method=RESIDUAL,
                )  # fmt: skip
            variance = float(fit.naive_variance[place, place]) * times.size
            for point in smoothed(times, g, column, variance):
                yield Estimate(
                    **shared, row="SMOOTH", statistic="log_hr", value=point[1], lower=point[2],
                    upper=point[3], time_months=model.context.months(point[0]), method=SMOOTH,
                )  # fmt: skip


def smoothed(
    times: Floats, g: Floats, values: Floats, variance: float
) -> list[tuple[float, float, float, float]]:
    """Spline through residuals over g(t): time, value, lower and upper at up to 40 event times.

    Empty with fewer than twice as many distinct times as degrees of freedom.

    Args:
        times: Event times, ascending.
        g: Transformed times.
        values: Scaled Schoenfeld residuals of one coefficient.
        variance: Of one residual: variance of the coefficient times the number of events.

    Source:
        Grambsch and Therneau 1994; R `plot.cox.zph`, which places its knots a little otherwise.
    """
    distinct, first = np.unique(g, return_index=True)
    if distinct.size < 2 * SPLINE_DF:
        return []
    basis = natural_spline(g, np.quantile(distinct, [0, 1 / 3, 2 / 3, 1]))
    solved, *_ = np.linalg.lstsq(basis, values, rcond=None)
    inverse = np.linalg.pinv(basis.T @ basis)
    chosen = first[
        np.unique(np.linspace(0, first.size - 1, min(first.size, CURVE_POINTS)).round()).astype(int)
    ]
    at = basis[chosen]
    center = at @ solved
    width = 1.959963984540054 * np.sqrt(variance * np.einsum("ij,jk,ik->i", at, inverse, at))
    return [
        (float(t), float(c), float(c - w), float(c + w))
        for t, c, w in zip(times[chosen], center, width, strict=True)
    ]


def natural_spline(x: Floats, knots: Floats) -> Floats:
    """Basis of the cubic splines with these knots that are straight beyond the outer ones (n x knots).

    Source:
        Hastie, Tibshirani and Friedman 2009, equation 5.4.
    """
    low, span = knots[0], knots[-1] - knots[0]
    z, k = (x - low) / span, (knots - low) / span

    def part(j: int) -> Floats:
        cubes = np.maximum(z - k[j], 0) ** 3 - np.maximum(z - k[-1], 0) ** 3
        return np.asarray(cubes / (k[-1] - k[j]), dtype=np.float64)

    bends = [part(j) - part(k.size - 2) for j in range(k.size - 2)]
    return np.column_stack([np.ones_like(z), z, *bends])
