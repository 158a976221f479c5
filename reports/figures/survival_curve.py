"""Survival curves with censoring ticks, numbers at risk under the axis, and optional intervals.

Where steps or ticks lie closer than a quarter of a unit of the drawing, only the first is drawn: nobody sees
the others, and curves of many patients stay small. Estimates are not touched by that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.figures import svg

WIDTH = 760.0
LEFT, RIGHT, TOP = 136.0, 24.0, 44.0
PLOT = 320.0
RISK_TOP, RISK_LINE = 78.0, 20.0
MOST_TICKS = 13
FINEST = 0.25  # units of the drawing
MOST_MARKS = 250  # of censored patients on a curve; more of them hide it
CHARACTER = 6.9  # width of one in the small print of a legend
LONG = 15  # characters that fit beside the numbers at risk


@dataclass(frozen=True)
class Step:
    """The curve from `time` on: survival and its limits (None where undefined); what is read there."""

    time: float
    survival: float
    lower: float | None
    upper: float | None
    reading: str = ""


@dataclass(frozen=True)
class Words:
    """What stands at the axes."""

    time: str = "Months from first salvage"
    share: str = "Overall survival"


@dataclass(frozen=True)
class Curve:
    """One population: its steps, censoring times with the survival there, numbers at risk by tick."""

    label: str
    steps: tuple[Step, ...]
    censored: tuple[tuple[float, float], ...]
    at_risk: tuple[tuple[float, int | str], ...]

    @property
    def end(self) -> float:
        """The last observed time."""
        return max([self.steps[-1].time, *(time for time, _ in self.censored)])


@dataclass(frozen=True)
class Frame:
    """Where a time and a survival lie in the drawing."""

    last: float

    def x(self, months: float) -> float:
        """Horizontal position."""
        return LEFT + (WIDTH - LEFT - RIGHT) * months / self.last

    def y(self, survival: float) -> float:
        """Vertical position."""
        return TOP + PLOT * (1 - survival)


def survival_curves(
    curves: Sequence[Curve],
    label: str,
    name: str,
    *,
    with_interval: bool = False,
    words: Words | None = None,
) -> Markup:
    """The figure as SVG; axis in months, ticks where numbers at risk are given."""
    ticks = _ticks(curves)
    frame = Frame(ticks[-1] or 1.0)
    legend, depth = _legend(curves) if len(curves) > 1 else ([], 0.0)
    height = TOP + PLOT + RISK_TOP + RISK_LINE * len(curves) * (1 + _is_long(curves))
    children: list[Markup] = [*_axes(frame, ticks, words or Words())]
    for index, curve in enumerate(curves):
        color = svg.SERIES[index % len(svg.SERIES)]
        seen = _seen(frame, curve)
        if with_interval:
            children.append(_band(frame, seen, color))
        children.append(_curve(frame, seen, color, svg.DASHES[index % len(svg.DASHES)]))
    children += legend
    children += _numbers_at_risk(frame, curves, ticks)
    top = -depth if len(curves) > 1 else TOP - 16  # one curve needs no legend
    plot = svg.plot(LEFT, WIDTH - RIGHT, TOP, TOP + PLOT, frame.last)
    return svg.figure(WIDTH, height, label, children, name, top=top, attributes=plot)


def _seen(frame: Frame, curve: Curve) -> Curve:
    """The curve without the steps and ticks that nobody could tell from their neighbors."""
    steps = [curve.steps[0]]
    for step in curve.steps[1:-1]:
        wide = frame.x(step.time) - frame.x(steps[-1].time)
        if max(wide, abs(frame.y(step.survival) - frame.y(steps[-1].survival))) >= FINEST:
            steps.append(step)
    last = curve.steps[1:][-1:]
    ticks = {
        (round(frame.x(time) / FINEST), round(frame.y(survival) / FINEST)): (time, survival)
        for time, survival in reversed(curve.censored)
    }
    marks = tuple(sorted(ticks.values()))
    if len(marks) > MOST_MARKS:
        marks = marks[-1:]  # the end of the curve
    return Curve(curve.label, (*steps, *last), marks, curve.at_risk)


def _ticks(curves: Sequence[Curve]) -> list[float]:
    ticks = sorted({time for curve in curves for time, _ in curve.at_risk})
    stride = -(-len(ticks) // MOST_TICKS)
    shown = ticks[::stride]
    if shown[-1] != ticks[-1]:
        shown.append(shown[-1] + (shown[1] - shown[0]))
    return shown


def _axes(frame: Frame, ticks: Sequence[float], words: Words) -> Iterator[Markup]:
    bottom = frame.y(0)
    for share in range(0, 101, 25):
        y = frame.y(share / 100)
        yield svg.line(LEFT, y, WIDTH - RIGHT, y, class_="grid")
        yield svg.text(LEFT - 8, y + 4, f"{share}%", class_="small", text_anchor="end")
    for tick in ticks:
        x = frame.x(tick)
        yield svg.line(x, bottom, x, bottom + 5, class_="axis")
        yield svg.text(x, bottom + 19, f"{tick:g}", class_="small", text_anchor="middle")
    yield svg.line(LEFT, bottom, WIDTH - RIGHT, bottom, class_="axis")
    yield svg.line(LEFT, TOP, LEFT, bottom, class_="axis")
    yield svg.text(
        (LEFT + WIDTH - RIGHT) / 2,
        bottom + 38,
        words.time,
        class_="small",
        text_anchor="middle",
    )
    yield svg.text(
        0,
        0,
        words.share,
        class_="small",
        text_anchor="middle",
        transform=f"translate({LEFT - 58:g} {TOP + PLOT / 2:g}) rotate(-90)",
    )


def _curve(frame: Frame, curve: Curve, color: str, dash: str) -> Markup:
    """The line and its ticks as one group, which tells what can be read of it."""
    read = [step for step in curve.steps if step.reading]
    end = frame.last if curve.steps[-1].survival == 0 else curve.end  # 0 stays 0
    told = svg.readings(curve.label, [s.time for s in read], [s.reading for s in read], end)
    return svg.element("g", *_line(frame, curve, color, dash), **(told if read else {}))


def _line(frame: Frame, curve: Curve, color: str, dash: str) -> Iterator[Markup]:
    path = [f"M{frame.x(curve.steps[0].time):.2f} {frame.y(curve.steps[0].survival):.2f}"]
    for step in curve.steps[1:]:
        path.append(f"H{frame.x(step.time):.2f}V{frame.y(step.survival):.2f}")
    path.append(f"H{frame.x(curve.end):.2f}")
    yield svg.element(
        "path",
        d="".join(path),
        fill="none",
        stroke=color,
        stroke_width=2.2,
        stroke_dasharray=None if dash == "none" else dash,
    )
    marks = "".join(
        f"M{frame.x(time):.2f} {frame.y(survival) - 5:.2f}v10" for time, survival in curve.censored
    )
    if marks:
        yield svg.element("path", d=marks, fill="none", stroke=color, stroke_width=1.3)


def _band(frame: Frame, curve: Curve, color: str) -> Markup:
    known = [step for step in curve.steps if step.lower is not None and step.upper is not None]
    cut = next((step.time for step in curve.steps if step.lower is None), curve.end)
    upper, lower = [], []
    for step, following in zip(known, [*known[1:], None], strict=True):
        end = following.time if following else cut
        for time in (step.time, end):
            upper.append((time, step.upper or 0.0))
            lower.append((time, step.lower or 0.0))
    points = " ".join(f"{frame.x(t):.2f},{frame.y(s):.2f}" for t, s in [*upper, *lower[::-1]])
    return svg.element("polygon", points=points, fill=color, fill_opacity="0.15")


def _legend(curves: Sequence[Curve]) -> tuple[list[Markup], float]:
    """Above the plot, where no curve can run through it; and how far it rises above the drawing."""
    lines: list[list[int]] = [[]]
    x = LEFT
    places: list[float] = []
    for index, curve in enumerate(curves):
        width = 55 + CHARACTER * len(curve.label)
        if lines[-1] and x + width > WIDTH:
            lines.append([])
            x = LEFT
        lines[-1].append(index)
        places.append(x)
        x += width
    depth = RISK_LINE * (len(lines) - 1)
    made: list[Markup] = []
    for number, indices in enumerate(lines):
        y = 18 - depth + RISK_LINE * number
        for index in indices:
            made.append(_sample(places[index], y, index, 30.0))
            label = curves[index].label
            made.append(svg.text(places[index] + 37, y + 4, label, class_="small"))
    return made, depth


def _sample(x: float, y: float, index: int, width: float) -> Markup:
    dash = svg.DASHES[index % len(svg.DASHES)]
    return svg.line(
        x,
        y,
        x + width,
        y,
        stroke=svg.SERIES[index % len(svg.SERIES)],
        stroke_width=2.4,
        stroke_dasharray=None if dash == "none" else dash,
    )


def _numbers_at_risk(
    frame: Frame, curves: Sequence[Curve], ticks: Sequence[float]
) -> Iterator[Markup]:
    top = TOP + PLOT + RISK_TOP - 18
    yield svg.text(LEFT - 26, top, "Number at risk", class_="small strong", text_anchor="end")
    apart = _is_long(curves)  # long labels stand on a line of their own, above the numbers
    for index, curve in enumerate(curves):
        y = top + RISK_LINE * (index + 1) * (1 + apart)
        # The color stands beside the words: as text it would be too pale for some eyes.
        if apart:
            yield _sample(LEFT - 48, y - 4 - RISK_LINE, index, 34.0)
            yield svg.text(LEFT - 8, y - RISK_LINE, curve.label, class_="small")
        else:
            yield _sample(LEFT - 22, y - 4, index, 8.0)
            yield svg.text(LEFT - 26, y, curve.label, class_="small", text_anchor="end")
        numbers = dict(curve.at_risk)
        for tick in ticks:
            yield svg.text(
                frame.x(tick), y, str(numbers.get(tick, 0)), class_="small", text_anchor="middle"
            )


def _is_long(curves: Sequence[Curve]) -> bool:
    return max(len(curve.label) for curve in curves) > LONG
