"""The page by the rules of accessible pages, read from its markup; and its curves under pointer and keyboard."""

import html
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reports.content import read_content
from reports.render import page

VOID = {"meta", "input", "br", "img", "link", "hr"}


class Outline(HTMLParser):
    """Elements in order, each with its attributes, its parents and the text in it."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[dict] = []
        self.open: list[dict] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        made = {"tag": tag, "at": dict(attrs), "in": [e["tag"] for e in self.open], "text": ""}
        self.elements.append(made)
        if tag not in VOID:
            self.open.append(made)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()["tag"] == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element["text"] += data

    def of(self, *tags: str) -> list[dict]:
        return [element for element in self.elements if element["tag"] in tags]


@pytest.fixture(scope="module")
def markup(warehouse, study) -> str:
    return page(read_content(warehouse, study, {"content hash": "abc123"}))


@pytest.fixture(scope="module")
def outline(markup: str) -> Outline:
    made = Outline()
    made.feed(markup)
    assert made.open == []
    return made


def test_every_element_is_closed_and_every_id_is_given_once(outline):
    ids = [element["at"]["id"] for element in outline.elements if "id" in element["at"]]
    assert len(ids) == len(set(ids)) > 30


def test_what_is_named_by_an_id_exists(outline):
    ids = {element["at"].get("id") for element in outline.elements}
    named = [
        name
        for element in outline.elements
        for key in ("aria-labelledby", "aria-describedby", "for")
        for name in element["at"].get(key, "").split()
    ]
    links = [element["at"]["href"].removeprefix("#") for element in outline.of("a")]
    assert len(named) > 20
    assert set(named) | set(links) <= ids


def test_the_page_has_a_language_a_title_landmarks_and_a_way_past_the_contents(outline):
    assert outline.of("html")[0]["at"]["lang"] == "en"
    assert outline.of("title")[0]["text"] == "Test study"
    assert [len(outline.of(tag)) for tag in ("header", "nav", "main", "h1")] == [1, 1, 1, 1]
    first = outline.of("a")[0]
    assert (first["at"]["class"], first["at"]["href"]) == ("skip", "#content")
    assert outline.of("main")[0]["at"]["id"] == "content"


def test_headings_leave_out_no_level_and_none_is_empty(outline):
    levels = [int(element["tag"][1]) for element in outline.of("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    assert all(element["text"].strip() for element in outline.of("h1", "h2", "h3", "h4"))


def test_contents_name_every_section_once(outline):
    linked = [e["at"]["href"] for e in outline.of("a") if "nav" in e["in"]]
    sections = [f"#{e['at']['id']}" for e in outline.of("section")]
    assert linked == sections
    assert len(sections) > 15


def test_every_table_has_a_caption_and_heads_that_say_what_they_head(outline):
    tables, captions = outline.of("table"), outline.of("caption")
    assert len(tables) == len(captions) > 15
    assert all(caption["text"].strip() for caption in captions)
    heads = outline.of("th")
    assert {head["at"]["scope"] for head in heads} == {"col", "row"}
    assert all(head["text"].strip() for head in heads)


def test_every_wide_table_can_be_scrolled_by_keyboard_and_has_a_name(outline):
    found = [e for e in outline.elements if "scroll" in e["at"].get("class", "").split()]
    assert len(found) == len(outline.of("table"))
    assert all((e["at"]["tabindex"], e["at"]["role"]) == ("0", "region") for e in found)
    assert all(e["at"]["aria-label"] for e in found)


def test_every_figure_has_a_title_and_a_description_and_numbers_as_a_table(outline):
    drawings = outline.of("svg")
    assert len(drawings) > 10
    for element in drawings:
        assert element["at"]["role"] == "img"
        assert element["at"]["aria-labelledby"]
    inside = [e for e in outline.of("title", "desc") if "svg" in e["in"]]
    assert [e["tag"] for e in inside] == ["title", "desc"] * len(drawings)
    assert all(e["text"].strip() for e in inside)
    curves = [e for e in drawings if "data-plot" in e["at"]]
    tables = [e for e in outline.of("details") if e["at"]["class"] == "numbers"]
    assert len(tables) >= 8
    assert len(curves) >= len(tables)


def test_each_section_gives_the_sql_of_its_numbers_and_it_yields_them(outline, warehouse):
    import duckdb

    con = duckdb.connect(str(warehouse), read_only=True)
    statements = [e["text"] for e in outline.of("code")]
    of_estimates = [s for s in statements if "from analysis.estimate where" in s]
    displays = {
        row[0] for row in con.execute("select distinct display from analysis.estimate").fetchall()
    }
    told = {re.search(r"display = '(\w+)'", s).group(1) for s in of_estimates}
    assert told == displays - {"COHORT"}
    for statement in statements:
        assert con.execute(statement).fetchall(), statement


def test_settings_in_force_and_the_run_are_told(outline, study):
    told = {
        name["text"]: value["text"]
        for name, value in zip(outline.of("dt"), outline.of("dd"), strict=True)
    }
    assert told["Analysis plan"] == "salvage_after_cart"
    assert told["bridge days"] == "30"
    assert told["early relapse months"] == "3, 5"
    assert told["content hash"] == "abc123"
    for name in study.settings.model_dump():
        assert name.replace("_", " ") in told


def test_a_setting_that_is_not_the_default_is_told_as_such(study):
    from reports.displays.flow import settings_in_force

    changed = study.model_copy(
        update={"settings": study.settings.model_copy(update={"bridge_days": 14})}
    )
    rows = {row.level: row for row in settings_in_force(changed)}
    assert (rows["bridge_days"].text, rows["bridge_days"].level_label) == ("14", "not the default")
    assert rows["time_zero"].level_label is None


def test_style_for_print_is_black_on_white_and_leaves_out_what_cannot_be_used_on_paper(markup):
    printed = markup.split("@media print {")[1].split("</style>")[0]
    assert "background: #fff; color: #000" in printed
    assert re.search(r"nav, .skip, .reader, details, svg .cursor \{ display: none; \}", printed)
    assert "@media screen and (prefers-color-scheme: dark)" in markup


def _browser() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    assert found, "no browser: install one with 'apt-get install chromium' and run the tests again"
    return found


def _run(tmp_path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [
            _browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", f"--user-data-dir={tmp_path / 'profile'}", *arguments,
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip


MOVES = """
const slider = document.querySelector("#F1C .reader input");
slider.focus();
slider.value = 3;
slider.dispatchEvent(new Event("input"));
const drawing = document.querySelector("#S1A svg");
const box = drawing.getBoundingClientRect();
drawing.dispatchEvent(new PointerEvent("pointermove", {clientX: box.left + box.width * 0.5, clientY: box.top}));
document.title = document.querySelectorAll(".reader").length + " readers";
"""


@pytest.mark.browser
def test_curves_are_read_by_keyboard_and_pointer_as_the_estimates_say(
    warehouse, study, markup, tmp_path
):
    opened = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", markup)
    file = tmp_path / "moved.html"
    file.write_text(opened.replace("</body>", f"<script>{MOVES}</script></body>"), "utf-8")
    dom = _run(tmp_path, "--dump-dom", file.as_uri()).stdout
    shown = [html.unescape(text) for text in re.findall(r"<output[^>]*>([^<]*)</output>", dom)]
    filled = [text for text in shown if text]
    assert len(filled) == 2
    # By hand from the rows of the estimates: the curve of each group at the fourth of all their times.
    rows = read_content(warehouse, study).displays["F1C"].of(row="curve", statistic="survival")
    month = sorted({round(row["time_months"], 3) for row in rows})[3]
    lines = filled[0].split("\n")
    assert lines[0] == f"Month {month:.1f}"
    for line in lines[1:]:
        label, told = line.split(": ")
        here = [
            r
            for r in rows
            if r["population_label"] == label and round(r["time_months"], 3) <= month
        ]
        assert told.startswith(f"{int(100 * here[-1]['value'] + 0.5)}%")
        assert told.endswith(f"with {here[-1]['n']} at risk")
    assert len(lines) == 5
    assert filled[1].split("\n")[1].startswith("All patients: ")
    assert re.search(r"<title>(\d+) readers", dom).group(1) == str(markup.count("data-plot="))
    assert dom.count('class="cursor"') == 2


@pytest.mark.browser
def test_the_browser_has_nothing_to_complain_about_and_prints_the_page(rendered, tmp_path):
    done = _run(
        tmp_path,
        "--enable-logging=stderr",
        "--no-pdf-header-footer",
        f"--print-to-pdf={tmp_path / 'page.pdf'}",
        rendered.as_uri(),
    )
    assert "CONSOLE" not in done.stderr
    printed = (tmp_path / "page.pdf").read_bytes()
    assert printed.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", printed)) >= 5


@pytest.mark.browser
def test_a_page_whose_script_was_changed_is_complained_about_and_does_not_run_it(markup, tmp_path):
    file = tmp_path / "changed.html"
    changed = markup.replace('"use strict";', '"use strict"; document.title = "changed";')
    file.write_text(changed, "utf-8")
    done = _run(tmp_path, "--enable-logging=stderr", "--dump-dom", file.as_uri())
    assert "<title>Test study</title>" in done.stdout
    assert "CONSOLE" in done.stderr
