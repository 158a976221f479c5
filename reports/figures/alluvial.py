"""Alluvial drawing: nodes in stages from left to right, bands from node to node, as thick as they hold patients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.figures import svg

WIDTH = 800.0
LEFT, RIGHT, TOP, BOTTOM = 12.0, 178.0, 74.0, 16.0
NODE, GAP = 13.0, 16.0
PLOT = 440.0
LEGIBLE = 9.0  # thinner bands bear no number
LETTER, LEGEND_GAP = 7.4, 52.0


@dataclass(frozen=True)
class Node:
    """A box: its stage (0 is the first), its code there, its label, its patients, whether a course ends in it."""

    stage: int
    code: str
    label: str
    size: int
    is_end: bool = False


@dataclass(frozen=True)
class Band:
    """Patients who go from `start` (a code of `stage`) to `end` in the next one; `kind` gives the color."""

    stage: int
    start: str
    end: str
    kind: str
    size: int


@dataclass(frozen=True)
class Place:
    """Where a node lies: left edge, top, height."""

    x: float
    y: float
    height: float


def alluvial(
    nodes: Sequence[Node], bands: Sequence[Band], stages: Sequence[str], kinds: Mapping[str, str],
    label: str, name: str,
) -> Markup:  # fmt: skip
    """The figure as SVG.

    Args:
        nodes: In the order in which they stand from top to bottom in their stage.
        bands: In the order in which they leave and reach their nodes.
        stages: Headings of the stages.
        kinds: Kind → label in order: the legend.
        label: What the drawing is, for screen readers.
        name: Prefix of ids.
    """
    scale = PLOT / max(1, sum(node.size for node in nodes if node.stage == 0))
    places = _places(nodes, scale, len(stages))
    bottom = max(place.y + place.height for place in places.values())
    children: list[Markup] = [*_legend(kinds)]
    for stage, heading in enumerate(stages):
        children.append(svg.text(_x(stage, len(stages)), TOP - 14, heading, class_="small strong"))
    children += _bands(bands, places, list(kinds), scale)
    children += _nodes(nodes, places)
    return svg.figure(WIDTH, bottom + BOTTOM, label, children, name)


def _x(stage: int, n_stages: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT - NODE) * stage / max(1, n_stages - 1)


def _places(nodes: Sequence[Node], scale: float, n_stages: int) -> dict[tuple[int, str], Place]:
    found = {}
    below = dict.fromkeys(range(n_stages), TOP)
    for node in nodes:
        height = max(1.0, node.size * scale)
        found[node.stage, node.code] = Place(_x(node.stage, n_stages), below[node.stage], height)
        # Labels of thin nodes need room for two lines.
        below[node.stage] += max(height, 22.0) + GAP
    return found


def _bands(
    bands: Sequence[Band],
    places: Mapping[tuple[int, str], Place],
    kinds: Sequence[str],
    scale: float,
) -> Iterator[Markup]:
    leaving: dict[tuple[int, str], float] = {}
    reaching: dict[tuple[int, str], float] = {}
    numbers: list[Markup] = []
    for band in bands:
        start, end = (band.stage, band.start), (band.stage + 1, band.end)
        height = band.size * scale
        y1 = places[start].y + leaving.get(start, 0.0)
        y2 = places[end].y + reaching.get(end, 0.0)
        leaving[start] = leaving.get(start, 0.0) + height
        reaching[end] = reaching.get(end, 0.0) + height
        x1, x2 = places[start].x + NODE, places[end].x
        middle = (x1 + x2) / 2
        path = (
            f"M{x1:.2f} {y1:.2f}C{middle:.2f} {y1:.2f} {middle:.2f} {y2:.2f} {x2:.2f} {y2:.2f}"
            f"V{y2 + height:.2f}C{middle:.2f} {y2 + height:.2f} {middle:.2f} {y1 + height:.2f}"
            f" {x1:.2f} {y1 + height:.2f}Z"
        )
        color = _color(kinds, band.kind)
        yield svg.element(
            "path", d=path, fill=color, fill_opacity="0.42", stroke="#ffffff", stroke_width=0.6
        )
        if height >= LEGIBLE:
            numbers.append(
                svg.text(
                    x2 - 5, y2 + height / 2 + 4, str(band.size), class_="small", text_anchor="end"
                )
            )
    yield from numbers


def _nodes(nodes: Sequence[Node], places: Mapping[tuple[int, str], Place]) -> Iterator[Markup]:
    for node in nodes:
        place = places[node.stage, node.code]
        yield svg.element(
            "rect", x=place.x, y=place.y, width=NODE, height=place.height,
            fill="#ffffff" if node.is_end else "#1a1a1a", stroke="#1a1a1a", stroke_width=1.2,
        )  # fmt: skip
        x, middle = place.x + NODE + 5, place.y + max(place.height, 22.0) / 2
        common = {
            "class_": "small",
            "paint_order": "stroke",
            "stroke": "#ffffff",
            "stroke_width": 3.5,
        }
        yield svg.text(x, middle - 2, node.label, **common)
        yield svg.text(x, middle + 13, str(node.size), **common)


def _legend(kinds: Mapping[str, str]) -> Iterator[Markup]:
    x = LEFT
    yield svg.text(x, 26, "First salvage:", class_="small strong")
    x += 100
    for kind, label in kinds.items():
        yield svg.element(
            "rect",
            x=x,
            y=14,
            width=22,
            height=14,
            fill=_color(list(kinds), kind),
            fill_opacity="0.6",
        )
        yield svg.text(x + 28, 26, label, class_="small")
        x += LEGEND_GAP + LETTER * len(label)


def _color(kinds: Sequence[str], kind: str) -> str:
    return svg.SERIES[kinds.index(kind) % len(svg.SERIES)]
