"""Fine-Gray and cause-specific Cox model of a group, side by side, for each of two causes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from reports.displays.context import CENSORED
from reports.displays.estimate import NOT_ESTIMABLE, Estimate, interval_text, number_text, p_text
from reports.stats.competing.fine_gray import fine_gray
from reports.stats.hazards.model import cox
from reports.stats.hazards.zph import cox_zph

if TYPE_CHECKING:
    from reports.displays.competing import Display, Sample
    from reports.stats.hazards.fit import CoxFit

FINE_GRAY = "Fine-Gray model of the subdistribution hazard (R: cmprsk::crr); Wald interval and P"
COX = "Cox model of the cause-specific hazard (R: survival::coxph, Efron); Wald interval and P"
PH_FAILS = 0.05
ZPH = "Score test of proportional cause-specific hazards (R: survival::cox.zph, km)"
MODELS = {
    "shr": ("Subdistribution hazard ratio", FINE_GRAY),
    "csh": ("Cause-specific hazard ratio", COX),
}


@dataclass(frozen=True)
class Ratio:
    """A hazard ratio with its limits and P; None where it is no number."""

    value: float | None
    lower: float | None = None
    upper: float | None = None
    p: float | None = None


def models(display: Display, label: str) -> Iterator[Estimate]:
    """For each cause and each group against the first: both hazard ratios."""
    reference = display.samples[0]
    for cause, name in display.causes.items():
        ratios = _ratios(display, cause)
        for sample in display.samples:
            for statistic, (row_label, method) in MODELS.items():
                found = ratios.get((statistic, sample.code))
                shown = _text(display, cause, sample, found)
                yield Estimate(
                    display=display.name, endpoint=display.endpoint, population=sample.code,
                    population_label=sample.label, row="model", row_label=row_label,
                    level=str(cause), level_label=name, statistic=statistic,
                    value=found.value if found else None, lower=found.lower if found else None,
                    upper=found.upper if found else None, p=found.p if found else None,
                    n=int(sample.days.size), events=sample.events(cause),
                    method=f"{method}; {label}, reference {reference.label}", text=shown,
                )  # fmt: skip
        yield proportionality(display, cause)


def _ratios(display: Display, cause: int) -> dict[tuple[str, str], Ratio]:
    """(model, group) → ratio of the groups with events against a reference that has events, too.

    A group without an event has no finite ratio. It stays in the models: in `crr` and in `coxph` its column
    goes to minus infinity, and the other ratios are those without its patients at risk.
    """
    samples = display.filled
    if not _can_compare(display, cause):
        return {}
    days = np.concatenate([sample.days for sample in samples])
    status = np.concatenate([sample.status for sample in samples])
    group = np.concatenate([np.full(s.days.size, s.code) for s in samples])
    columns = (group[:, None] == np.array([s.code for s in samples[1:]])).astype(np.float64)
    found: dict[tuple[str, str], Ratio] = {}
    if fit := fine_gray(days, status, columns, cause=cause, censor=CENSORED):
        table = np.column_stack([fit.hazard_ratio, np.exp(fit.lower), np.exp(fit.upper), fit.p])
        for sample, row in zip(samples[1:], table, strict=True):
            found["shr", sample.code] = _ratio(row.tolist())
    specific = _cause_specific(display, cause).table()
    for sample, row in zip(
        samples[1:], specific.select("hr", "hr_lower", "hr_upper", "p").rows(), strict=True
    ):
        found["csh", sample.code] = _ratio(list(row))
    return found


def _cause_specific(display: Display, cause: int) -> CoxFit:
    """The Cox model of one cause, whoever had the other one censored."""
    frame = pl.concat(
        pl.DataFrame({"days": s.days, "event": s.status == cause}).with_columns(
            group=pl.lit(s.code)
        )
        for s in display.filled
    )
    levels = {"group": [sample.code for sample in display.filled]}
    return cox(frame, "group", time="days", event="event", levels=levels)


def proportionality(display: Display, cause: int) -> Estimate:
    """Whether the cause-specific hazards of the groups stay proportional."""
    events = sum(sample.events(cause) for sample in display.samples)
    tests = cox_zph(_cause_specific(display, cause)).tests if _can_compare(display, cause) else None
    p = tests["p"][0] if tests is not None and tests.height else None
    shown = NOT_ESTIMABLE if p is None else p_words(p)
    if p is not None and p < PH_FAILS:
        shown += "; not proportional: the ratios are averages over time"
    return Estimate(
        display=display.name, endpoint=display.endpoint, row="ph", row_label="Proportional hazards",
        level=str(cause), level_label=display.causes[cause], statistic="p",
        p=p, events=events, method=ZPH,
        text=shown,
    )  # fmt: skip


def _can_compare(display: Display, cause: int) -> bool:
    """Two groups at least, and a reference that had the event."""
    samples = display.filled
    return len(samples) > 1 and samples[0] is display.samples[0] and samples[0].events(cause) > 0


def _ratio(row: list[float | None]) -> Ratio:
    known = [None if x is None or not np.isfinite(x) else float(x) for x in row]
    return Ratio(*known) if None not in known else Ratio(None)


def _text(display: Display, cause: int, sample: Sample, found: Ratio | None) -> str:
    reference = display.samples[0]
    if sample is reference:
        return "reference" if sample.days.size else "no patients"
    if not sample.days.size:
        return "no patients"
    if found is None or found.value is None:
        return f"{NOT_ESTIMABLE}: {_why(cause, sample, reference)}"
    few = _few_events(display, cause, sample)
    small = min(sample.days.size, reference.days.size)
    few += f"; small group ({small})" if small < display.small_group else ""
    shown = interval_text(found.lower, found.upper, 2)
    return f"{number_text(found.value, 2)} ({shown}), {p_words(found.p)}{few}"


def p_words(p: float | None) -> str:
    """`P = 0.02` or `P <0.001`."""
    shown = p_text(p)
    return f"P = {shown}" if shown[:1].isdigit() else f"P {shown}"


def _few_events(display: Display, cause: int, sample: Sample) -> str:
    """A warning by the events per parameter of the model, and by those that the ratio itself rests on."""
    total = sum(other.events(cause) for other in display.filled)
    parameters = len(display.filled) - 1
    own = sample.events(cause) + display.samples[0].events(cause)
    if own < display.early_events:
        return f"; few events ({own})"
    if total < display.early_events * parameters:
        return f"; few events ({total} for {parameters} parameters)"
    return ""


def _why(cause: int, sample: Sample, reference: Sample) -> str:
    if not sample.events(cause):
        return "no event in the group"
    if not reference.events(cause):
        return "no event in the reference"
    return "no maximum of the likelihood"
