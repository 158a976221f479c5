"""Figures as files: SVG that stands alone, PDF and PNG at 300 dots an inch, the same bytes every time."""

import datetime as dt
import re
import struct
from xml.etree import ElementTree

import pytest

from reports.content import Content
from reports.exports.figures import (
    STYLE,
    size_mm,
    standalone,
    with_resolution,
    write_print,
    write_svg,
)
from reports.figures import svg
from reports.figures.survival_curve import Curve, Step, Words, survival_curves
from reports.sections.model import Figure, Rows, Section

SVG = "{http://www.w3.org/2000/svg}"
STEPS = (Step(0.0, 1.0, 1.0, 1.0, "100%"), Step(2.0, 0.5, 0.2, 1.0, "50% <b>"))
CURVES = [
    Curve("A & B", STEPS, ((4.0, 0.5),), ((0.0, 10), (3.0, 5), (6.0, 1))),
    Curve("C", STEPS, ((5.0, 0.5),), ((0.0, 8), (3.0, 4), (6.0, 0))),
]


def content_of(*curves: Curve, name: str = "F9") -> Content:
    drawing = survival_curves(curves, "Survival <of> two", name.lower())
    figure = Figure(name, drawing, ("A caption with 5% & more.",))
    section = Section(name, "Figure 9. Survival", "Figure 9", (figure,))
    named = {name: Rows([], {"value": 1.0})}
    return Content("Title", dt.date(2024, 12, 31), [], [], named, (section,), {})


@pytest.fixture
def content() -> Content:
    return content_of(*CURVES)


def test_a_drawing_as_a_file_has_its_style_its_size_and_a_white_ground(content, tmp_path):
    (path,) = write_svg(content, tmp_path)
    root = ElementTree.parse(path).getroot()
    box = [float(number) for number in root.get("viewBox").split()]
    assert [float(root.get(side)) for side in ("width", "height")] == box[2:]
    ground = root.find(f"{SVG}rect")
    assert ground.get("fill") == "#ffffff"
    assert [float(ground.get(side)) for side in ("x", "y", "width", "height")] == box
    assert "font" in root.find(f"{SVG}style").text
    assert root.find(f"{SVG}title").text == "Survival <of> two"
    assert root.find(f"{SVG}desc").text == "A caption with 5% & more."


def test_what_only_the_page_reads_is_not_in_the_file(content):
    shown = standalone(content.figures()["F9"][1])
    assert "data-" not in shown
    assert "50% &lt;b&gt;" not in shown


def test_a_picture_has_300_dots_an_inch_over_the_width_of_a_page(content, tmp_path):
    made = write_print(content, tmp_path)
    png = made["F9"][1].read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    # 170 mm at 300 dots an inch of 25.4 mm.
    assert width == pytest.approx(170 / 25.4 * 300, abs=1)
    wide, high = size_mm(standalone(content.figures()["F9"][1]))
    assert height / width == pytest.approx(high / wide, abs=0.002)
    place = png.index(b"pHYs")
    assert struct.unpack(">IIB", png[place + 4 : place + 13]) == (11811, 11811, 1)


def test_the_resolution_is_written_once_with_a_right_checksum(content, tmp_path):
    from PIL import Image

    png = write_print(content, tmp_path)["F9"][1]
    assert with_resolution(png.read_bytes(), 300) == png.read_bytes()
    with Image.open(png) as picture:
        picture.verify()
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.01)


def test_pdf_and_png_are_the_same_bytes_every_time(content, tmp_path):
    first = write_print(content, tmp_path / "a")["F9"]
    again = write_print(content, tmp_path / "b")["F9"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert first[0].read_bytes().startswith(b"%PDF-")


def test_a_picture_shows_the_colors_of_its_curves(content, tmp_path):
    from PIL import Image

    png = write_print(content, tmp_path)["F9"][1]
    with Image.open(png) as picture:
        colors = {color for _, color in picture.convert("RGB").getcolors(1_000_000)}
    for color in (svg.BLUE, svg.VERMILION, "#ffffff"):
        wanted = tuple(int(color[k : k + 2], 16) for k in (1, 3, 5))
        assert any(max(abs(a - b) for a, b in zip(wanted, c, strict=True)) <= 2 for c in colors)


def test_no_file_of_a_failed_drawing_is_left(content, tmp_path, monkeypatch):
    import typst

    def fail(*args: object, **kwargs: object) -> bytes:
        raise RuntimeError("no")

    monkeypatch.setattr(typst, "compile", fail)
    with pytest.raises(RuntimeError, match="no"):
        write_print(content, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_axes_say_what_the_endpoint_is():
    shown = str(survival_curves(CURVES, "x", "x", words=Words("Months from relapse", "Response")))
    assert ">Months from relapse<" in shown
    assert ">Response<" in shown
    assert "Overall survival" not in shown


def test_what_is_read_of_a_curve_stands_in_the_drawing_with_its_times():
    root = ElementTree.fromstring(str(survival_curves(CURVES, "x", "x")))
    groups = [group for group in root.iter(f"{SVG}g") if group.get("data-times")]
    assert [group.get("data-label") for group in groups] == ["A & B", "C"]
    assert [group.get("data-times") for group in groups] == ["0 2", "0 2"]
    assert [group.get("data-end") for group in groups] == ["4.000", "5.000"]
    assert root.get("data-plot") == "136 736 44 364 6"


def test_steps_too_close_to_be_told_apart_are_drawn_once():
    # 600 units for 6 months: a hundredth of a month is one unit, a thousandth a tenth of one.
    close = tuple(Step(k / 1000, 1 - k / 1e6, None, None) for k in range(101))
    curve = Curve("A", (*close, Step(3.0, 0.5, None, None)), ((6.0, 0.5),), ((0.0, 9), (6.0, 1)))
    root = ElementTree.fromstring(str(survival_curves([curve], "x", "x")))
    line = next(e for e in root.iter(f"{SVG}path") if e.get("stroke-width") == "2.2")
    # Every third of them is 0.3 units from the one before: 34 with the first, then the last step and the end.
    assert line.get("d").count("H") == 33 + 1 + 1
    assert line.get("d").endswith("H436.00V204.00H736.00")


def test_many_long_labels_of_curves_stay_inside_the_drawing():
    label = "Extramedullary disease, bispecific antibody"
    curves = [Curve(f"{label} {k}", STEPS, (), ((0.0, 10), (6.0, 1))) for k in range(4)]
    root = ElementTree.fromstring(str(survival_curves(curves, "x", "x")))
    left, top, width, height = (float(n) for n in root.get("viewBox").split())
    for text in root.iter(f"{SVG}text"):
        if label in text.text:
            assert text.get("text-anchor") is None
            assert float(text.get("x")) >= left
            assert float(text.get("x")) + 6.9 * len(text.text) <= left + width
            assert top <= float(text.get("y")) <= top + height


def _luminance(color: str) -> float:
    shares = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _in_the_dark(color: str) -> str:
    """The color after `invert(1) hue-rotate(180deg)`, by the matrix of the CSS filter."""
    r, g, b = (255 - int(color[k : k + 2], 16) for k in (1, 3, 5))
    turned = (
        -0.574 * r + 1.430 * g + 0.144 * b,
        0.426 * r + 0.430 * g + 0.144 * b,
        0.426 * r + 1.430 * g - 0.856 * b,
    )
    return "#" + "".join(f"{min(255, max(0, round(v))):02x}" for v in turned)


def test_contrast_is_computed_as_the_guideline_says():
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_curves_have_three_times_the_contrast_of_the_page_in_both_themes():
    style = (STYLE.parent / "report.css").read_text("utf-8")
    light, dark = re.findall(r"--ground: (#[0-9a-f]+);", style)
    assert light == "#fff"
    for color in svg.SERIES:
        assert _contrast(color, "#ffffff") >= 3, color
        assert _contrast(_in_the_dark(color), dark) >= 3, color
    assert len(set(svg.SERIES)) == len(svg.SERIES)


def test_words_have_four_and_a_half_times_the_contrast_of_the_page_in_both_themes():
    style = (STYLE.parent / "report.css").read_text("utf-8")
    themes = re.findall(r":root \{([^}]*)\}", style)
    assert len(themes) == 2
    for theme in themes:
        colors = {
            name: color if len(color) == 7 else "#" + "".join(2 * c for c in color[1:])
            for name, color in re.findall(r"--([a-z-]+): (#[0-9a-f]+)", theme)
        }
        for words in ("ink", "soft", "link"):
            assert _contrast(colors[words], colors["ground"]) >= 4.5, words
        assert _contrast(colors["ink"], colors["code"]) >= 4.5
        assert _contrast(colors["ink"], colors["warn-ground"]) >= 4.5


def test_a_drawing_in_which_dark_has_a_meaning_stays_on_white():
    kept = svg.figure(10, 10, "x", [], "x", on_paper=True)
    assert 'class="figure paper"' in kept
    style = (STYLE.parent / "report.css").read_text("utf-8")
    assert "svg.paper { filter: none; background: #fff;" in style
    assert 'class="figure"' in svg.figure(10, 10, "x", [], "x")
