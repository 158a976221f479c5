"""Just enough SVG: elements whose text and attributes are always escaped."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

# Okabe and Ito 2008: told apart with every form of color blindness.
BLUE, VERMILION, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, YELLOW, ORANGE, BLACK = "#56B4E9", "#F0E442", "#E69F00", "#000000"
GREY = "#B8B8B8"
SERIES = (BLUE, VERMILION, GREEN, PINK, ORANGE, SKY, BLACK)
# A second channel for prints without color.
DASHES = ("none", "9 3", "2 3", "9 3 2 3", "5 2", "1 2", "none")


def element(name: str, *children: str | Markup, **attributes: object) -> Markup:
    """An element; `_` in names of attributes becomes `-`, None leaves an attribute out."""
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    content = "".join(escape(child) for child in children)
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
) -> Markup:
    """A drawing that scales with the page and tells screen readers what it is.

    `top` cuts off what lies above it; `height` is that of the whole.
    """
    return element(
        "svg",
        element("title", label, id=f"{name}-title"),
        *children,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 {_number(top)} {_number(width)} {_number(height - top)}",
        role="img",
        aria_labelledby=f"{name}-title",
        class_="figure",
    )


def _number(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
