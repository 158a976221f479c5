"""Cumulative incidence of two causes, a panel each above the other, with numbers at risk below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.figures import svg

WIDTH = 760.0
LEFT, RIGHT, TOP = 136.0, 24.0, 64.0
PANEL, BETWEEN = 230.0, 60.0
RISK_TOP, RISK_LINE = 78.0, 20.0
LETTER, LEGEND_GAP = 7.4, 62.0
MOST_TICKS = 13


@dataclass(frozen=True)
class Incidences:
    """A group: per cause its steps (months, share, what is read there), and numbers at risk by tick."""

    label: str
    steps: tuple[tuple[tuple[float, float, str], ...], ...]
    at_risk: tuple[tuple[float, int], ...]


def incidence_curves(
    groups: Sequence[Incidences], causes: Sequence[str], origin: str, label: str, name: str
) -> Markup:
    """The figure as SVG; one panel a cause, all on one scale from 0 to 100%."""
    ticks = _ticks(groups)
    legend_lines = list(_legend_places(groups))
    shift = 22.0 * legend_lines[-1][1]
    children: list[Markup] = list(_legend(groups, legend_lines))
    for index, cause in enumerate(causes):
        top = TOP + shift + index * (PANEL + BETWEEN)
        children += _axes(top, ticks, cause)
        for number, group in enumerate(groups):
            told = f"{group.label}, {cause[:1].lower()}{cause[1:]}"
            children.append(_curve(top, ticks[-1], group.steps[index], number, told))
    bottom = TOP + shift + len(causes) * (PANEL + BETWEEN) - BETWEEN
    children.append(_label((LEFT + WIDTH - RIGHT) / 2, bottom + 38, f"Months from {origin}"))
    children += _numbers_at_risk(bottom + RISK_TOP - 18, groups, ticks)
    height = bottom + RISK_TOP + RISK_LINE * len(groups)
    plot = svg.plot(LEFT, WIDTH - RIGHT, TOP + shift, bottom, ticks[-1])
    return svg.figure(WIDTH, height, label, children, name, attributes=plot)


def _ticks(groups: Sequence[Incidences]) -> list[float]:
    ticks = sorted({time for group in groups for time, _ in group.at_risk})
    stride = -(-len(ticks) // MOST_TICKS)
    shown = ticks[::stride]
    if shown[-1] != ticks[-1]:
        shown.append(shown[-1] + (shown[1] - shown[0]))
    return shown if shown[-1] > 0 else [*shown, 1.0]


def _x(months: float, last: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * months / last


def _axes(top: float, ticks: Sequence[float], cause: str) -> Iterator[Markup]:
    bottom = top + PANEL
    for share in range(0, 101, 25):
        y = top + PANEL * (1 - share / 100)
        yield svg.line(LEFT, y, WIDTH - RIGHT, y, class_="grid")
        yield svg.text(LEFT - 8, y + 4, f"{share}%", class_="small", text_anchor="end")
    for tick in ticks:
        x = _x(tick, ticks[-1])
        yield svg.line(x, bottom, x, bottom + 5, class_="axis")
        yield _label(x, bottom + 19, f"{tick:g}")
    yield svg.line(LEFT, bottom, WIDTH - RIGHT, bottom, class_="axis")
    yield svg.line(LEFT, top, LEFT, bottom, class_="axis")
    yield svg.text(LEFT, top - 10, cause, class_="small strong")
    yield svg.text(
        0, 0, "Cumulative incidence", class_="small", text_anchor="middle",
        transform=f"translate({LEFT - 58:g} {top + PANEL / 2:g}) rotate(-90)",
    )  # fmt: skip


def _curve(
    top: float, last: float, steps: Sequence[tuple[float, float, str]], number: int, told: str
) -> Markup:
    """The line as a group that tells what can be read of it."""

    def y(share: float) -> float:
        return top + PANEL * (1 - share)

    path = [f"M{_x(steps[0][0], last):.2f} {y(steps[0][1]):.2f}"]
    path += [f"H{_x(time, last):.2f}V{y(share):.2f}" for time, share, _ in steps[1:]]
    line = svg.element(
        "path", d="".join(path), fill="none", stroke=_color(number), stroke_width=2.2,
        stroke_dasharray=_dash(number),
    )  # fmt: skip
    times, texts = [time for time, _, _ in steps], [text for _, _, text in steps]
    return svg.element("g", line, **svg.readings(told, times, texts, times[-1]))


def _legend_places(groups: Sequence[Incidences]) -> Iterator[tuple[float, int]]:
    """Place and line of each entry; a new line where the drawing ends."""
    x, line = LEFT, 0
    for group in groups:
        width = LEGEND_GAP + LETTER * len(group.label)
        if x > LEFT and x + width > WIDTH:
            x, line = LEFT, line + 1
        yield x, line
        x += width


def _legend(groups: Sequence[Incidences], places: Sequence[tuple[float, int]]) -> Iterator[Markup]:
    for number, (group, (x, line)) in enumerate(zip(groups, places, strict=True)):
        y = 18 + 22.0 * line
        yield svg.line(
            x, y, x + 30, y, stroke=_color(number), stroke_width=2.4, stroke_dasharray=_dash(number)
        )
        yield svg.text(x + 37, y + 4, group.label, class_="small")


def _numbers_at_risk(
    top: float, groups: Sequence[Incidences], ticks: Sequence[float]
) -> Iterator[Markup]:
    yield svg.text(LEFT - 26, top, "Number at risk", class_="small strong", text_anchor="end")
    for number, group in enumerate(groups):
        y = top + RISK_LINE * (number + 1)
        yield svg.text(
            LEFT - 26, y, group.label, class_="small", text_anchor="end", fill=_color(number)
        )
        numbers = dict(group.at_risk)
        for tick in ticks:
            yield _label(_x(tick, ticks[-1]), y, str(numbers.get(tick, 0)))


def _label(x: float, y: float, content: str) -> Markup:
    return svg.text(x, y, content, class_="small", text_anchor="middle")


def _color(number: int) -> str:
    return svg.SERIES[number % len(svg.SERIES)]


def _dash(number: int) -> str | None:
    dash = svg.DASHES[number % len(svg.DASHES)]
    return None if dash == "none" else dash
