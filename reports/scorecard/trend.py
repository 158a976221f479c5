"""The trend of a center: bars of open and answered queries, drawn as an SVG that runs nothing."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from reports.scorecard.read import Scorecards

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 640, 200, 16, 26, 34
MOST_BARS = 13  # a year, and now


@dataclass(frozen=True, slots=True)
class Bar:
    """Queries of a center after a load."""

    day: str
    n_open: int
    n_answered: int


def bars(cards: Scorecards, center: str) -> list[Bar]:
    """The last states of which the queries of a center are known, the newest last."""
    found = []
    for period in cards.periods[-MOST_BARS:]:
        n_open = cards.figure(center, "open", load_id=period.load_id).value
        n_answered = cards.figure(center, "answered", load_id=period.load_id).value
        if n_open is not None and n_answered is not None:
            found.append(Bar(cards.day(period), round(n_open), round(n_answered)))
    return found


def drawing(shown: list[Bar], title: str, words: tuple[str, str]) -> Markup:
    """Stacked bars with their numbers; open queries below, answered ones hatched above.

    Args:
        shown: at least one.
        title: for screen readers.
        words: names of open and answered.
    """
    most = max(1, *(bar.n_open + bar.n_answered for bar in shown))
    step = (WIDTH - 2 * LEFT) / max(len(shown), 6)
    height = HEIGHT - TOP - BOTTOM
    parts = []
    for place, bar in enumerate(shown):
        x, wide = LEFT + place * step, step * 0.62
        center = x + wide / 2
        low = HEIGHT - BOTTOM
        parts.append(_column(x, wide, low, height * bar.n_open / most, "open"))
        parts.append(
            _column(
                x,
                wide,
                low - height * bar.n_open / most,
                height * bar.n_answered / most,
                "answered",
            )
        )
        top = low - height * (bar.n_open + bar.n_answered) / most
        parts.append(_label(center, top - 6, f"{bar.n_open} + {bar.n_answered}"))
        parts.append(_label(center, low + 16, bar.day[2:10]))
    said = "; ".join(
        f"{bar.day}: {words[0]} {bar.n_open}, {words[1]} {bar.n_answered}" for bar in shown
    )
    return Markup(
        '<svg class="trend" viewBox="0 0 {} {}" role="img" aria-label="{}"><defs>'
        '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect class="hatch" width="6" height="6"/><line class="stroke" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>'
        '{}<line class="base" x1="{}" x2="{}" y1="{}" y2="{}"/></svg>'
    ).format(
        WIDTH, HEIGHT, f"{title}. {said}", Markup("").join(parts), LEFT - 8, WIDTH - LEFT,
        HEIGHT - BOTTOM, HEIGHT - BOTTOM,
    )  # fmt: skip


def _column(x: float, wide: float, low: float, high: float, kind: str) -> Markup:
    return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
        kind, x, low - high, wide, high
    )


def _label(x: float, y: float, text: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}">{}</text>').format(x, y, text)
