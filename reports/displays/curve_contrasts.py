"""What compares Kaplan-Meier curves beside the log-rank test: crossing, proportional hazards, restricted means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import polars as pl

from reports.displays.crossing import Crossing, crossing
from reports.displays.curves import Display, Sample
from reports.displays.estimate import Estimate, interval_text, number_text, p_text
from reports.stats.exact.adjust import adjusted
from reports.stats.hazards.model import cox
from reports.stats.hazards.zph import GLOBAL, cox_zph
from reports.stats.rmst import MeanDifference, RestrictedMean, mean_difference, restricted_mean

FAILS = 0.05
MOST_NAMED = 3  # pairs in the sentence
MEAN = "Area under the Kaplan-Meier curve"
DIFFERENCE = (
    "Difference of the areas under the Kaplan-Meier curves, the first less the second; Wald"
)
PH = "Score test for an effect of the group that changes with 1 - Kaplan-Meier (Grambsch and Therneau)"


@dataclass(frozen=True)
class Pair:
    """Two curves and where they cross."""

    first: Sample
    second: Sample
    found: Crossing
    days_per_month: float


def contrasts(
    display: Display, asked: float | None, horizons: tuple[float, ...]
) -> Iterator[Estimate]:
    """Rows of all that compares curves.

    Args:
        display: The curves.
        asked: Month up to which restricted means are asked for.
        horizons: Months of which the longest that all curves reach is taken where nothing was asked for and
            curves cross or hazards are not proportional.
    """
    filled = [sample for sample in display.samples if sample.days.size]
    pairs = [
        Pair(a, b, crossing(a.curve, b.curve), display.days_per_month)
        for a, b in combinations(filled, 2)
    ]
    for pair in pairs:
        yield from _crossing(display, pair)
    ph = _proportional(display, filled)
    if ph is not None:
        yield ph
    fails = ph is not None and ph.p is not None and ph.p < FAILS
    crossed = [pair for pair in pairs if pair.found.matters]
    month = asked
    if asked is not None and filled and not _reached(display, filled, asked):
        month = _horizon(display, filled, horizons)
        yield from _not_reached(display, asked, month)
    elif asked is None and (crossed or fails):
        month = _horizon(display, filled, horizons)
    see = _see(month, horizons, crossed)
    if crossed:
        yield _warning(display, "CROSSING", _told(crossed, len(pairs)) + see)
    if fails and ph is not None:
        text = f"Hazards are not proportional (P {_sign(ph.text)}): a hazard ratio would be an average over time."
        yield _warning(display, "NOT_PROPORTIONAL", text + ("" if crossed else see))
    if month is not None and filled:
        yield from restricted_means(display, filled, pairs, month)


def _not_reached(display: Display, asked: float, instead: float | None) -> Iterator[Estimate]:
    """That the month of the plan is too late for some curve, and which one is taken."""
    why = f"not all curves reach {asked:g} months"
    yield Estimate(
        display=display.name, endpoint=display.endpoint, row="rmst",
        row_label=f"Restricted mean up to {asked:g} months", statistic="mean",
        text=f"not estimable: {why}",
    )  # fmt: skip
    taken = "" if instead is None else f"; they are taken up to {instead:g} months"
    yield _warning(
        display, "RMST", f"Restricted means up to {asked:g} months are not estimable: {why}{taken}."
    )


def _sign(text: str | None) -> str:
    return str(text) if str(text)[:1] in "<>" else f"= {text}"


def _horizon(display: Display, filled: list[Sample], horizons: tuple[float, ...]) -> float | None:
    reached = [month for month in horizons if _reached(display, filled, month)]
    return max(reached, default=None)


def _reached(display: Display, filled: list[Sample], month: float) -> bool:
    """Whether every curve is known until then: it was observed so long, or has come to 0."""
    tau = month * display.days_per_month
    return bool(filled) and all(
        sample.days.max() >= tau or sample.curve.survival[-1] == 0 for sample in filled
    )


def _warning(display: Display, code: str, text: str) -> Estimate:
    return Estimate(
        display=display.name, endpoint=display.endpoint, row="WARNING", row_label="Caution",
        level=code, statistic="text", text=text,
    )  # fmt: skip


def _see(month: float | None, horizons: tuple[float, ...], crossed: list[Pair]) -> str:
    later = [pair for pair in crossed if month is not None and _first_month(pair) >= month]
    if later and month is not None:
        of = "" if len(later) == len(crossed) else f" of {len(later)} of these pairs"
        return (
            f" The restricted means up to {month:g} months end before the curves{of} cross and say nothing"
            " of what follows: compare the curves and the medians."
        )
    if month is not None:
        return " Compare the restricted means."
    shortest = f"{min(horizons):g} months" if horizons else "a month that the plan names"
    return f" Restricted means are not compared: not all curves reach {shortest}."


def _told(crossed: list[Pair], n_pairs: int) -> str:
    """The sentence on curves that cross."""
    if n_pairs == 1:
        where = f"The curves {_crosses(crossed[0])}"
    elif len(crossed) <= MOST_NAMED:
        named = [f"{p.first.label} and {p.second.label} {_crosses(p)}" for p in crossed]
        where = f"Of the curves, {'; '.join(named)}"
    else:
        where = f"Curves cross in {len(crossed)} of {n_pairs} pairs"
    return (
        f"{where}. Where curves cross, the log-rank test loses power and a single hazard ratio averages over"
        " opposite differences."
    )


def _first_month(pair: Pair) -> float:
    return pair.found.times[0] / pair.days_per_month


def _crosses(pair: Pair) -> str:
    """How often, when, and by how much either curve is ahead."""
    found, months = pair.found, [time / pair.days_per_month for time in pair.found.times]
    if not months:
        return "do not cross"
    when = f"cross at month {number_text(months[0], 1)}"
    if len(months) > 1:
        when = (
            f"cross {len(months)} times between month {number_text(months[0], 1)} and"
            f" {number_text(months[-1], 1)}"
        )
    leads = [number_text(100 * share, 0) for share in (found.first_ahead, found.second_ahead)]
    return f"{when} (largest leads: {leads[0]} and {leads[1]} percentage points)"


def _crossing(display: Display, pair: Pair) -> Iterator[Estimate]:
    """How often two curves cross and when, and the largest lead of either in percentage points."""
    found, months = pair.found, [time / display.days_per_month for time in pair.found.times]
    shown = "none"
    if months:
        shown = f"{len(months)}, month {number_text(months[0], 1)}"
        shown += f" to {number_text(months[-1], 1)}" if len(months) > 1 else ""
    shared = {**_pair(display, pair), "row": "crossing"}
    yield Estimate(
        **shared, row_label="Crossings", statistic="n", value=float(len(months)),
        time_months=months[0] if months else None, text=shown,
        method="Changes of places up to the smaller of the last times",
    )  # fmt: skip
    first, second = (100 * lead for lead in (found.first_ahead, found.second_ahead))
    leads = [number_text(lead, 0) for lead in (first, second)]
    yield Estimate(
        **shared, row_label="Largest leads, %", statistic="lead", value=first,
        text=" / ".join(leads), method="Largest lead of the first curve / of the second, percentage points",
    )  # fmt: skip
    yield Estimate(
        **shared, row_label="Largest lead of the second, %", statistic="lead_second", value=second,
        text=leads[1],
    )  # fmt: skip


def _pair(display: Display, pair: Pair) -> dict[str, Any]:
    return {
        "display": display.name, "endpoint": display.endpoint, "population": pair.first.code,
        "population_label": pair.first.label, "level": pair.second.code,
        "level_label": pair.second.label,
    }  # fmt: skip


def _proportional(display: Display, filled: list[Sample]) -> Estimate | None:
    """The test over the groups with an event; None with fewer than two of them or too few events."""
    tested = [sample for sample in filled if sample.events.any()]
    events = int(sum(sample.events.sum() for sample in tested))
    if len(tested) < 2 or events < display.early_events:
        return None
    frame = pl.concat(
        [
            pl.DataFrame({"days": s.days, "event": s.events}).with_columns(group=pl.lit(s.code))
            for s in tested
        ]
    )
    fit = cox(
        frame, "group", time="days", event="event",
        levels={"group": tuple(sample.code for sample in tested)},
    )  # fmt: skip
    if not fit.used.any():
        return None
    _, chi, df, p = cox_zph(fit, "km").tests.row(by_predicate=pl.col("term") == GLOBAL)
    left_out = len(filled) - len(tested)
    more = f"; without {left_out} group(s) that have no event" if left_out else ""
    return Estimate(
        display=display.name, endpoint=display.endpoint, row="ph", row_label="Proportional hazards",
        statistic="p", value=chi, p=p, n=frame.height, events=events,
        method=f"{PH}, {df} degrees of freedom{more}", text=p_text(p),
    )  # fmt: skip


def restricted_means(
    display: Display, filled: list[Sample], pairs: list[Pair], months: float
) -> Iterator[Estimate]:
    """Mean survival of each curve up to a month that all were observed to, and the difference of each pair."""
    label = f"Restricted mean up to {months:g} months"
    tau = months * display.days_per_month
    means = {sample.code: restricted_mean(sample.curve, tau) for sample in filled}
    for sample in filled:
        yield _mean(display, sample, means[sample.code], label)
    yield from _differences(display, pairs, means, months)


def _mean(display: Display, sample: Sample, found: RestrictedMean, label: str) -> Estimate:
    month = display.days_per_month
    has_interval = found.std_err > 0
    lower, upper = (found.lower / month, found.upper / month) if has_interval else (None, None)
    n, events = int(sample.days.size), int(sample.events.sum())
    shown = f"{number_text(found.value / month, 1)} months "
    shown += (
        f"(95% CI {interval_text(lower, upper, 1)})" if has_interval else "(no event until then)"
    )
    return Estimate(
        display=display.name, endpoint=display.endpoint, population=sample.code,
        population_label=sample.label, row="rmst", row_label=label, statistic="mean",
        value=found.value / month, lower=lower, upper=upper, n=n, events=events, method=MEAN,
        text=shown + display.flags(n, events),
    )  # fmt: skip


def _differences(
    display: Display, pairs: list[Pair], means: dict[str, RestrictedMean], months: float
) -> Iterator[Estimate]:
    """An interval only where both curves have an event until then: else its width is that of one of them."""
    label = f"Difference of restricted means up to {months:g} months"
    found = [mean_difference(means[p.first.code], means[p.second.code]) for p in pairs]
    known = [all(means[s.code].std_err > 0 for s in (pair.first, pair.second)) for pair in pairs]
    raw = [d.p if ok else float("nan") for d, ok in zip(found, known, strict=True)]
    for pair, difference, ok, holm in zip(pairs, found, known, adjusted(raw), strict=True):
        shared = {**_pair(display, pair), "row": "rmst_difference", "row_label": label}
        yield _difference(display, pair, difference, ok, shared)
        if not ok:
            continue
        for statistic, p, how in (
            ("p", difference.p, DIFFERENCE),
            ("p_holm", float(holm), f"{DIFFERENCE}, adjusted by Holm over {sum(known)} pairs"),
        ):
            yield Estimate(
                **shared, statistic=statistic, value=difference.z, p=p, method=how, text=p_text(p)
            )


def _difference(
    display: Display, pair: Pair, found: MeanDifference, known: bool, shared: dict[str, Any]
) -> Estimate:
    month = display.days_per_month
    value, lower, upper = (x / month for x in (found.value, found.lower, found.upper))
    samples = (pair.first, pair.second)
    limits = f"95% CI {interval_text(lower, upper, 1)}"
    if not known:
        without = [s.label for s in samples if not s.events[s.days < found.tau].any()]
        limits = f"no interval: no event until then, {', '.join(without)}"
    return Estimate(
        **shared, statistic="difference", value=value, lower=lower if known else None,
        upper=upper if known else None, p=found.p if known else None,
        n=int(sum(s.days.size for s in samples)), events=int(sum(s.events.sum() for s in samples)),
        method=DIFFERENCE, text=f"{number_text(value, 1)} months ({limits})",
    )  # fmt: skip


def small_groups(display: Display, words: tuple[str, str]) -> Iterator[Estimate]:
    """One sentence that names the curves of few patients or events; `words`: one event, several."""
    weak = [
        f"{s.label} ({_many(int(s.days.size), 'patient', 'patients')}, {_many(int(s.events.sum()), *words)})"
        for s in display.samples
        if s.days.size and display.flags(int(s.days.size), int(s.events.sum()))
    ]
    if weak:
        text = (
            f"Descriptive only, fewer than {display.small_group} patients or {display.early_events} {words[1]}:"
            f" {'; '.join(weak)}."
        )
        yield _warning(display, "SMALL", text)


def _many(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
