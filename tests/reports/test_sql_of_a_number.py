"""A click on a printed number of the page shows the SQL that yields it."""

import shutil
from pathlib import Path

import duckdb
import pytest

pytestmark = pytest.mark.browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
# Every number of the page is clicked; what then stands below its section is noted.
CLICKED = """() => [...document.querySelectorAll("td.number")].map(cell => {
    cell.click();
    const shown = cell.closest("section").querySelector("details.sql[open] pre.of-number");
    return [cell.textContent.trim(), shown.textContent];
})"""


@pytest.fixture(scope="module")
def clicked(rendered: Path) -> list[list[str]]:
    from playwright.sync_api import sync_playwright

    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    assert path, "no browser: install one with 'apt-get install chromium' and run the tests again"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        # The policy of the page forbids what is asked of it here; its own script runs under it elsewhere.
        opened = browser.new_context(offline=True, bypass_csp=True).new_page()
        opened.set_default_timeout(120_000)
        opened.goto(rendered.as_uri())
        found = opened.evaluate(CLICKED)
        browser.close()
    return list(found)


def test_the_sql_of_each_number_finds_the_row_that_prints_it(
    clicked: list[list[str]], warehouse: Path
) -> None:
    assert len(clicked) > 500
    statements = dict.fromkeys(sql for _, sql in clicked)
    with duckdb.connect(str(warehouse), read_only=True) as con:
        empty = [sql for sql in statements if not con.execute(sql).fetchall()]
    assert empty == []


def test_the_sql_is_that_of_the_section_narrowed_to_the_number(clicked: list[list[str]]) -> None:
    for printed, sql in clicked:
        assert sql.startswith("select ")
        assert " and (text in ('" + printed.replace("'", "''") + "', " in sql
        assert sql.endswith(" order by position")
