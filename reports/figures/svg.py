"""Just enough SVG: elements whose text and attributes are always escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup, escape

# Okabe and Ito 2008: told apart with every form of color blindness.
BLUE, VERMILION, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, YELLOW, ORANGE, BLACK = "#56B4E9", "#F0E442", "#E69F00", "#000000"
GREY = "#B8B8B8"
# Thin lines need three times the contrast of their ground (WCAG 1.4.11): the palest of the palette are darkened for them.
PLUM, OCHRE, SLATE = "#A64D86", "#8C6200", "#6B6B6B"
SERIES = (BLUE, VERMILION, GREEN, PLUM, BLACK, OCHRE, SLATE)
# A second channel for prints without color.
DASHES = ("none", "9 3", "2 3", "9 3 2 3", "5 2", "1 2", "none")
# What XML cannot hold, escaped or not.
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(name: str, *children: str | Markup, **attributes: object) -> Markup:
    """An element; `_` in names of attributes becomes `-`, None leaves an attribute out."""
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(NOT_XML.sub("", _number(value)))}"'
        for key, value in attributes.items()
        if value is not None
    )
    content = NOT_XML.sub("", "".join(escape(child) for child in children))
    return Markup(f"<{name}{shown}>{content}</{name}>")  # noqa: S704 (every part is escaped)


def text(x: float, y: float, content: str, **attributes: object) -> Markup:
    """Text with its baseline at (x, y)."""
    return element("text", content, x=x, y=y, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> Markup:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def figure(
    width: float,
    height: float,
    label: str,
    children: Iterable[Markup],
    name: str,
    *,
    top: float = 0.0,
    attributes: Mapping[str, object] | None = None,
    on_paper: bool = False,
) -> Markup:
    """A drawing that scales with the page and tells screen readers what it is.

    `top` cuts off what lies above it; `height` is that of the whole; `attributes` go on the `svg` element,
    those of `plot` make its values readable by pointer and keyboard. On a dark page light and dark of a drawing
    change places; `on_paper` keeps it on white, for drawings in which dark has a meaning.
    """
    return element(
        "svg",
        element("title", label, id=f"{name}-title"),
        *children,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 {_number(top)} {_number(width)} {_number(height - top)}",
        role="img",
        aria_labelledby=f"{name}-title",
        class_="figure paper" if on_paper else "figure",
        **(attributes or {}),
    )


def plot(left: float, right: float, top: float, bottom: float, last: float) -> dict[str, object]:
    """Attributes of a drawing whose horizontal axis runs from 0 at `left` to `last` at `right`."""
    corners = " ".join(str(_number(float(value))) for value in (left, right, top, bottom, last))
    return {"data_plot": corners}


def readings(
    label: str, times: Sequence[float], texts: Sequence[str], end: float
) -> dict[str, object]:
    """Attributes of a group: what is read of a step function from each of its times on, up to `end`.

    The texts are printed as they stand; none of them may hold a line break.
    """
    return {
        "data_label": label,
        "data_times": " ".join(f"{time:.3f}".rstrip("0").rstrip(".") for time in times),
        "data_texts": "\n".join(texts),
        "data_end": f"{end:.3f}",
    }


def described(drawing: Markup, sentences: Sequence[str]) -> Markup:
    """The drawing with a description for those who do not see it."""
    start, title, rest = drawing.partition("</title>")
    return start + title + element("desc", " ".join(sentences)) + rest


def _number(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
