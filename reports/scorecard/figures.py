"""How the figures of `quality.scorecard` are shown: their order, kind and change."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from reports.scorecard.read import Figure, Scorecards
from reports.scorecard.words import Speech

SHARES = frozenset(
    {"completeness", "conformance", "plausibility", "known", "held", "not_corrected", "reopened",
     "by_data"}
)  # fmt: skip
DAYS = frozenset(
    {"days_to_answer", "open_age_median", "open_age_oldest", "answered_age_median",
     "answered_age_oldest", "candidate_age_median", "candidate_age_oldest"}
)  # fmt: skip
# Of the page of a center, in order; candidates are the data manager's alone.
OF_CENTER = (
    "completeness", "conformance", "plausibility", "known", "held", "open_per_100",
    "days_to_answer", "by_data", "reopened", "not_corrected", "open", "open_age_median",
    "open_age_oldest", "answered",
)  # fmt: skip
# Below this number of judged centers a place or a median would tell what a single other has.
FEWEST_CENTERS = 5


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure as text. `change` is better, worse, same, up, down, new or empty."""

    name: str
    now: str
    counted: str
    before: str
    difference: str
    change: str
    rank: str
    rank_before: str
    middle: str
    value: float | None


def shown(cards: Scorecards, center: str, name: str, speech: Speech) -> Shown:
    """A figure of a center with what it was before and its place among the others."""
    figure = cards.figure(center, name)
    nothing = speech("not_judged")
    compared = cards.before is not None
    return Shown(
        name=name,
        now=text_of(name, figure.value, speech) or nothing,
        counted=_counted(name, figure, speech),
        before=(text_of(name, figure.before, speech) or nothing) if compared else "",
        difference=_difference(name, figure, speech) if compared else "",
        change=_change(figure) if compared else "",
        rank=_rank(figure.rank, figure.n_ranked, speech, is_ranked=figure.better is not None),
        rank_before=str(figure.rank_before or "") if _enough(figure) else "",
        middle=middle(cards, name, speech),
        value=figure.value,
    )


def text_of(name: str, value: float | None, speech: Speech) -> str:
    """A value in words, empty where nothing was judged."""
    if value is None:
        return ""
    if name in SHARES:
        return speech.share(value)
    return speech.days(value) if name in DAYS else speech.number(value)


def middle(cards: Scorecards, name: str, speech: Speech) -> str:
    """The median of all centers that are judged; empty below `FEWEST_CENTERS`."""
    known = [
        figure.value
        for center in cards.centers
        if (figure := cards.figure(center, name)).value is not None
    ]
    return text_of(name, median(known), speech) if len(known) >= FEWEST_CENTERS else ""


def _counted(name: str, figure: Figure, speech: Speech) -> str:
    if figure.denominator is None or figure.value is None:
        return ""
    if figure.numerator is None:
        return f"n = {figure.denominator}"
    return speech("of", k=figure.numerator, n=figure.denominator)


def _change(figure: Figure) -> str:
    if figure.value is None or figure.before is None:
        return "new" if figure.value is not None else ""
    step = figure.value - figure.before
    if abs(step) < 1e-12:
        return "same"
    if figure.better is None:
        return "up" if step > 0 else "down"
    return "better" if (step > 0) == (figure.better == "higher") else "worse"


def _difference(name: str, figure: Figure, speech: Speech) -> str:
    if figure.value is None or figure.before is None:
        return ""
    step = figure.value - figure.before
    if abs(step) < 1e-12:
        return ""
    size = abs(step) * (100 if name in SHARES else 1)
    if size < 0.05:
        return f"<{speech.number(0.1)}"  # the word beside it tells the direction
    return f"{'+' if step > 0 else '−'}{speech.number(size)}"


def _enough(figure: Figure) -> bool:
    return (figure.n_ranked or 0) >= FEWEST_CENTERS


def _rank(rank: int | None, n_ranked: int | None, speech: Speech, *, is_ranked: bool) -> str:
    if not is_ranked or rank is None:
        return ""
    if (n_ranked or 0) < FEWEST_CENTERS:
        return speech("few")
    return speech("rank_of", k=rank, n=n_ranked)
