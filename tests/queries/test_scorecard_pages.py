"""The pages of the scorecard in a real browser: filter, sort, follow a link, print; text is only text."""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from scorecard_browser import Browser  # noqa: E402
from scorecard_case import Case  # noqa: E402

from reports.scorecard import write_scorecards  # noqa: E402
from reports.scorecard.read import read_scorecards  # noqa: E402
from reports.scorecard.words import FILE, Speech  # noqa: E402
from schemas.queries import placeholders, read_texts  # noqa: E402

HOSTILE = "<script>document.title='ran'</script><img src=http://192.0.2.1/x onerror=\"document.title='ran'\">"
CENTERS = ("DE01", "DE02", "US01", "ES01", "CH01")
STUDY = SimpleNamespace(centers=("US01", "DE01"))
LANGUAGES = {"DE01": "de", "ES01": "es", "US01": "en"}


def warehouse(folder: Path, text: str = "", centers: tuple[str, ...] = CENTERS) -> Path:
    """Two months, five centers; `text` stands in every field of text."""
    path = folder / "warehouse.duckdb"
    case = Case(path).loads("1 | 2024-02-10 02:00\n2 | 2024-03-10 02:00")
    keys = dict(zip(centers, range(1, 99, 2), strict=False))
    for center, key in keys.items():
        case.deliveries(f"""
            {key}     | 1 | {center} | a | 2024-02-09 | snapshot |
            {key + 1} | 2 | {center} | b | 2024-03-09 | snapshot | current""")
        case.checks(f"""
            {key}     | CMP-01 | failed | {key} | 40
            {key + 1} | CMP-01 | failed | {key // 2} | 40
            {key + 1} | PLA-02 | failed | 1 | 3""")
        case.ledger(f"""
            {key}     | check | subject | in | 10
            {key + 1} | check | subject | in | 10""")
    first, second, third = centers[:3]
    case.checks(f"""
        {keys[second] + 1} | MAP-01 | passed | 0 |
        {keys[third] + 1}  | MAP-01 | failed | 1 |""")
    case.queries(f"""
        Q-00000001 | {first}  | PLA-02 | MYE-{first}-AAAAAAAAAAAA  | infusion | dose
        Q-00000002 | {first}  | PLA-02 | MYE-{first}-BBBBBBBBBBBB  | infusion | dose
        Q-00000003 | {first}  | CMP-01 | MYE-{first}-CCCCCCCCCCCC  | subject  | sex
        Q-00000004 | {second} | CMP-01 | MYE-{second}-DDDDDDDDDDDD | subject  | sex
        Q-00000005 | {third}  | PLA-01 | MYE-{third}-EEEEEEEEEEEE  | follow_up | death_date""")
    case.events("""
        2024-02-10 02:05 | load         | 1 | Q-00000001 | created  | candidate
        2024-02-10 02:05 | load         | 1 | Q-00000003 | created  | candidate
        2024-02-10 02:05 | load         | 1 | Q-00000005 | created  | candidate
        2024-02-11 02:05 | data manager |   | Q-00000001 | released | open
        2024-02-11 02:05 | data manager |   | Q-00000003 | released | open
        2024-02-12 02:05 | data manager |   | Q-00000003 | sent     | open
        2024-03-01 02:05 | center       |   | Q-00000003 | answered | answered
        2024-03-10 02:05 | load         | 2 | Q-00000003 | resolved | resolved | data_corrected
        2024-03-10 02:05 | load         | 2 | Q-00000002 | created  | open
        2024-03-10 02:05 | load         | 2 | Q-00000004 | created  | open""")
    case.core(subject="usubjid|sex|birth_year\n" + "\n".join(f"MYE-{c}-1|F|" for c in centers))
    case.fill()
    if text:
        quoted = text.replace("'", "''")
        for table, columns in (
            ("rule", ("title", "sentence", "category")),
            ("query", ("field", '"table"', "answer", "instance", "usubjid")),
        ):
            for column in columns:
                case.con.execute(f"UPDATE quality.{table} SET {column} = '{quoted}'")
        case.con.execute(f"UPDATE meta.run SET title = '{quoted}'")
    case.con.close()
    return path


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[str, Path]:
    """Pages by center; that of the study under ''."""
    folder = tmp_path_factory.mktemp("scorecards")
    pages = write_scorecards(warehouse(folder), folder / "study", STUDY, LANGUAGES)
    return {"" if p.parent.name == "quality" else p.parent.name: p for p in pages}


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()


def shown(browser: Browser, table: str, column: int = 0) -> list[str]:
    """Texts of a column of the rows that can be seen, without what is small."""
    return browser.run(
        f"[...document.querySelectorAll('#{table} tbody tr')].filter(r => r.getClientRects().length)"
        f".map(r => {{ const c = r.cells[{column}].cloneNode(true); c.querySelectorAll('small').forEach(s => s.remove());"
        " return c.textContent.trim(); })"
    )


# Files


def test_pages_stand_where_they_belong_and_those_of_centers_are_private(written):
    study = written[""].parents[2]
    assert written[""] == study / "published" / "quality" / "scorecard.html"
    for center in CENTERS:
        page = written[center]
        assert page == study / "vault" / "packets" / center / "scorecard.html"
        assert stat.S_IMODE(page.stat().st_mode) == 0o600
        assert stat.S_IMODE(page.parent.stat().st_mode) == 0o700
    assert list(written)[0] == ""
    assert not [p for p in study.rglob("*") if p.name.endswith(".new")]


def test_the_same_warehouse_gives_the_same_bytes(tmp_path):
    path = warehouse(tmp_path)
    once = [p.read_bytes() for p in write_scorecards(path, tmp_path / "a", STUDY, LANGUAGES)]
    again = [p.read_bytes() for p in write_scorecards(path, tmp_path / "b", STUDY, LANGUAGES)]
    assert once == again


def test_a_warehouse_without_figures_gives_no_page(tmp_path):
    path = tmp_path / "w.duckdb"
    Case(path).con.close()
    assert write_scorecards(path, tmp_path / "study", STUDY, {}) == []
    assert not (tmp_path / "study").exists()


# The page of a center


def test_the_page_of_a_center_tells_nothing_of_others_and_of_no_patient(written):
    for center in CENTERS:
        text = written[center].read_text(encoding="utf-8")
        assert center in text
        for other in CENTERS:
            assert other == center or other not in text
        assert "MYE-" not in text
        assert "Q-0000" not in text
        assert "andidat" not in text
        assert "Kandidat" not in text


def test_the_page_of_a_center_speaks_its_language(written):
    german = written["DE01"].read_text(encoding="utf-8")
    assert '<html lang="de">' in german
    assert "Datenqualität des Zentrums DE01" in german
    assert "Offene Rückfragen" in german
    assert "1 von 5 Zentren" in german
    assert "Tage" in german
    spanish = written["ES01"].read_text(encoding="utf-8")
    assert "Calidad de los datos del centro ES01" in spanish
    english = written["CH01"].read_text(encoding="utf-8")  # no language named
    assert "Data quality of center CH01" in english


def test_figures_changes_and_places_of_a_center_are_those_of_the_warehouse(written, browser):
    browser.open(written["DE01"])
    lines = {
        row[0]: row[1:]
        for row in browser.run(
            "[...document.querySelectorAll('#figures tbody tr')].map(r => [...r.cells].map(c => c.textContent.trim()))"
        )
    }
    # Of 40 checks none fails, one failed in February; every other center has failures.
    assert lines["Prüfungen auf Vollständigkeit erfüllt"] == [
        "100\N{NO-BREAK SPACE}%", "40 von 40", "97,5\N{NO-BREAK SPACE}%", "+2,5 besser", "1 von 5 Zentren",
        "95\N{NO-BREAK SPACE}%",
    ]  # fmt: skip
    assert lines["Offene Rückfragen je 100 Patienten"][:2] == ["20", "2 von 10"]
    assert lines["Prüfungen auf Formtreue erfüllt"][0] == "nicht beurteilt"
    assert lines["Mediane Zeit bis zur Antwort"][0] == "18 Tage"
    assert browser.run("document.querySelector('#waiting tbody').textContent").count("PLA-02") == 1
    assert browser.run("document.querySelectorAll('svg.trend rect.open').length") == 2
    assert browser.errors == []


def test_below_five_centers_no_place_and_no_median_is_told(tmp_path):
    path = warehouse(tmp_path, centers=CENTERS[:4])
    pages = write_scorecards(path, tmp_path / "study", STUDY, {})
    for page in pages[1:]:
        text = page.read_text(encoding="utf-8")
        assert "too few centers to compare" in text
        assert "of 4 centers" not in text
    cards = read_scorecards(path)
    assert cards is not None
    assert cards.figure("DE01", "completeness").rank == 1  # the data manager sees it


def test_words_are_there_in_every_language_with_the_same_places():
    for key, entry in read_texts(FILE).items():
        assert set(entry) == {"en", "de", "es"}, key
        assert len({placeholders(text) for text in entry.values()}) == 1, key
        assert all(text.strip() for text in entry.values()), key


@pytest.mark.parametrize(
    ("share", "english", "german"),
    [
        (1.0, "100%", "100\N{NO-BREAK SPACE}%"),
        (0.9999, ">99.9%", ">99,9\N{NO-BREAK SPACE}%"),
        (0.9994, "99.9%", "99,9\N{NO-BREAK SPACE}%"),
        (0.0001, "<0.1%", "<0,1\N{NO-BREAK SPACE}%"),
        (0.0, "0%", "0\N{NO-BREAK SPACE}%"),
    ],
)
def test_only_a_whole_share_is_a_hundred_percent(share, english, german):
    assert (Speech("en").share(share), Speech("de").share(share)) == (english, german)


# The page of the study


@pytest.mark.browser
def test_filters_show_what_was_chosen(written, browser):
    browser.open(written[""])
    assert len(shown(browser, "query-table")) == 5
    browser.choose("state", "open")
    assert sorted(shown(browser, "query-table")) == ["Q-00000001", "Q-00000002", "Q-00000004"]
    browser.choose("center", "DE01")
    assert sorted(shown(browser, "query-table")) == ["Q-00000001", "Q-00000002"]
    assert shown(browser, "center-table") == ["DE01"]
    heads = browser.run(
        "[...document.querySelectorAll('#heat-table thead th')].filter(h => h.getClientRects().length).map(h => h.querySelector('button').textContent)"
    )
    assert heads == ["Rule", "All", "DE01"]
    assert browser.run("document.getElementById('shown').textContent") == "2 of 5 queries shown"
    browser.choose("severity", "error")
    assert shown(browser, "query-table") == []
    browser.click("button[type=reset]")
    assert browser.run("new Promise(r => setTimeout(() => r(document.getElementById('shown').textContent), 50))") == "5 of 5 queries shown"  # fmt: skip
    browser.choose("category", "structure")
    assert sorted(shown(browser, "query-table")) == ["Q-00000003", "Q-00000004"]
    assert shown(browser, "heat-table") == ["Sex known"]
    assert browser.errors == []


@pytest.mark.browser
def test_tables_sort_by_mouse_and_keyboard_and_say_so(written, browser):
    browser.open(written[""])
    assert shown(browser, "center-table") == ["US01", "DE01", "CH01", "DE02", "ES01"]
    browser.click("#center-table thead th:nth-child(2) button")
    assert shown(browser, "center-table", 1) == ["90%", "92.5%", "95%", "97.5%", "100%"]
    head = "document.querySelector('#center-table thead th:nth-child(2)').getAttribute('aria-sort')"
    assert browser.run(head) == "ascending"
    browser.run("document.querySelector('#center-table thead th:nth-child(2) button').focus()")
    browser.press("Enter", 13, "\r")
    assert browser.run(head) == "descending"
    assert shown(browser, "center-table", 1)[0] == "100%"
    # What was not judged is last both ways.
    place = 1 + browser.run(
        "[...document.querySelectorAll('#center-table thead th')].findIndex(h => h.innerText.startsWith('Time to'))"
    )
    for _ in range(2):
        browser.click(f"#center-table thead th:nth-child({place}) button")
        assert shown(browser, "center-table", place - 1) == ["18 days", *["not judged"] * 4]
    browser.click("#query-table thead th:nth-child(9) button")
    days = [int(text) for text in shown(browser, "query-table", 8)]
    assert days == sorted(days)
    assert browser.errors == []


@pytest.mark.browser
def test_a_number_of_the_heat_map_leads_to_its_queries(written, browser):
    browser.open(written[""])
    link = "#heat-table tr[data-rule='PLA-02'] td[data-center='DE01'] a"
    assert browser.run(f'document.querySelector("{link}").textContent') == "2"
    browser.click(link)
    assert browser.run("location.hash") == "#Q-00000001"
    assert sorted(shown(browser, "query-table")) == ["Q-00000001", "Q-00000002"]
    top, bottom, height = browser.run(
        "(() => { const b = document.querySelector(':target').getBoundingClientRect();"
        " return [b.top, b.bottom, innerHeight]; })()"
    )
    assert top >= 0
    assert bottom <= height
    assert browser.errors == []


def test_every_link_of_the_pages_leads_somewhere_in_the_page(written):
    for page in written.values():
        text = page.read_text(encoding="utf-8")
        ids = set(re.findall(r' id="([^"]+)"', text))
        links = set(re.findall(r'href="([^"]+)"', text))
        assert len(links) >= 5
        assert {link[1:] for link in links} <= ids
        assert all(link.startswith("#") for link in links)


def test_a_rule_of_reading_has_no_share_and_is_not_taken_for_one_that_was_not_judged(written):
    text = written[""].read_text(encoding="utf-8")
    row = text[text.index('<tr data-rule="MAP-01"') :].split("</tr>")[0]
    cells = re.findall(r'data-center="(\w+)"[^>]*>(.*?)</td>', row)
    assert dict(cells) == {
        "US01": "<span>0</span>",
        "DE02": "<span>0</span>",
        **dict.fromkeys(("DE01", "CH01", "ES01"), '<span aria-label="not judged">–</span>'),
    }


def test_counts_of_the_heat_map_are_those_of_the_list(written):
    text = written[""].read_text(encoding="utf-8")
    rows = re.findall(r'<tr id="Q-[^>]* data-center="(\w+)"[^>]* data-state="(\w+)" data-rule="([\w-]+)"', text)  # fmt: skip
    live = [(rule, center) for center, state, rule in rows if state in ("open", "answered", "candidate")]  # fmt: skip
    heat = text[text.index('id="heat-table"') : text.index('id="queries"')]
    told = {}
    for rule, cells in re.findall(r'<tr data-rule="([\w-]+)".*?>(.*?)</tr>', heat, re.DOTALL):
        for center, n in re.findall(r'data-center="(\w+)" data-v="(\d+)"', cells):
            told[rule, center] = int(n)
    assert len(live) == 4
    assert {key: n for key, n in told.items() if n} == {key: live.count(key) for key in live}


@pytest.mark.browser
def test_the_printed_page_has_all_that_is_shown_and_no_filters(written, browser):
    browser.open(written[""])
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert browser.run("getComputedStyle(document.getElementById('filters')).display") == "none"
    assert browser.run("getComputedStyle(document.querySelector('.scroll.tall')).maxHeight") == "none"  # fmt: skip
    # Buttons are not repeated on further pages, so words stand for them.
    assert browser.run("document.querySelector('#heat-table thead').innerText.trim().split(/\\s+/)") == ["Rule", "All", "US01", "DE01", "CH01", "DE02", "ES01"]  # fmt: skip
    assert browser.run("getComputedStyle(document.querySelector('thead button')).display") == "none"
    made = browser.pdf()
    browser.call("Emulation.setEmulatedMedia", media="")
    assert made.startswith(b"%PDF")
    left, top, width, height = (float(n) for n in re.search(rb"/MediaBox \[([\d. ]+)\]", made)[1].split())  # fmt: skip
    assert width > height  # landscape: twelve centers side by side
    browser.open(written["DE01"])
    made = browser.pdf()
    left, top, width, height = (float(n) for n in re.search(rb"/MediaBox \[([\d. ]+)\]", made)[1].split())  # fmt: skip
    assert width < height
    assert browser.errors == []


@pytest.mark.browser
def test_shaded_cells_can_be_read_by_day_and_by_night(tmp_path, browser):
    path = warehouse(tmp_path)
    page = write_scorecards(path, tmp_path / "study", STUDY, LANGUAGES)[0]
    contrast = """(() => {
      const rgb = (text) => { const n = text.match(/[\\d.]+/g).map(Number).slice(0, 3); return text.startsWith('color') ? n : n.map(v => v / 255); };
      const light = (c) => { const [r, g, b] = c.map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
      const cell = document.querySelector('#heat-table td');
      return ['h1', 'h2', 'h3', 'h4'].map((name) => {
        cell.className = name; const style = getComputedStyle(cell);
        const [a, b] = [light(rgb(style.color)), light(rgb(style.backgroundColor))].sort((x, y) => y - x);
        return (a + .05) / (b + .05); });
    })()"""
    browser.open(page)
    for scheme in ("light", "dark"):
        feature = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.call("Emulation.setEmulatedMedia", media="screen", features=feature)
        assert min(browser.run(contrast)) >= 4.5, scheme
    browser.call("Emulation.setEmulatedMedia", media="", features=[])


@pytest.mark.browser
def test_without_script_everything_can_be_read(written, browser):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(written[""])
        assert len(shown(browser, "query-table")) == 5
        assert browser.run("document.getElementById('filters').getClientRects().length") == 0
        assert browser.run("document.querySelectorAll('thead button').length") == 0
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.browser
def test_hostile_text_is_only_text_and_nothing_is_fetched(tmp_path, browser):
    pages = write_scorecards(
        warehouse(tmp_path, HOSTILE), tmp_path / "study", STUDY, {"DE01": "de"}
    )
    for page in pages[:3]:
        browser.open(page)
        assert browser.run("document.title") != "ran"
        assert browser.run("document.querySelectorAll('img').length") == 0
        scripts = 1 if page == pages[0] else 0
        assert browser.run("document.scripts.length") == scripts
        assert browser.run("document.body.textContent").count("<script>document.title") > 0
        assert [url for url in browser.asked if not url.startswith("file:")] == []
        assert browser.errors == []
    control = tmp_path / "control.html"
    control.write_text(f"<!DOCTYPE html><title>quiet</title><p>{HOSTILE}</p>", encoding="utf-8")
    browser.open(control)
    assert browser.run("document.title") == "ran"  # where nothing holds it, it does run


def test_a_long_list_of_queries_says_what_it_leaves_out(tmp_path, monkeypatch):
    path = warehouse(tmp_path)
    monkeypatch.setattr("reports.scorecard.read.MOST_QUERIES", 3)
    text = write_scorecards(path, tmp_path / "study", STUDY, {})[0].read_text(encoding="utf-8")
    assert text.count('<tr id="Q-') == 3
    assert "The first 3 of 5 queries" in text
    monkeypatch.setattr("reports.scorecard.read.MOST_QUERIES", 1)
    text = write_scorecards(path, tmp_path / "study", STUDY, {})[0].read_text(encoding="utf-8")
    heat = text[text.index('id="heat-table"') : text.index('id="queries"')]
    assert re.findall(r"<(?:a|span)[^>]*>([1-9])</", heat) == [
        "2",
        "1",
        "1",
    ]  # counted all the same
    targets = set(re.findall(r'href="#(Q-\w+)"', text))
    assert targets <= set(re.findall(r'<tr id="(Q-\w+)"', text))
