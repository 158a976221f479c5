"""The page in a real browser: nothing runs, nothing is fetched, hostile text is only text."""

import html
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

from reports.render import render

pytestmark = pytest.mark.browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
HOSTILE = "<script>document.title='ran'</script><img src=http://192.0.2.1/x onerror=\"document.title='ran'\">"


@dataclass
class Proxy:
    """Takes every connection of the browser, answers none, and notes what was asked for."""

    server: socket.socket
    asked: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.server.getsockname()[1])

    def listen(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                try:
                    self.asked.append(connection.recv(300).split(b"\r\n")[0].decode("latin-1"))
                except OSError:
                    self.asked.append("?")


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    server = socket.create_server(("127.0.0.1", 0))
    made = Proxy(server)
    thread = threading.Thread(target=made.listen, daemon=True)
    thread.start()
    yield made
    server.close()


def browser() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    assert found, "no browser: install one with 'apt-get install chromium' and run the tests again"
    return found


def dom_of(page: Path, proxy: Proxy, tmp_path: Path) -> str:
    """The page's DOM after loading, as Chromium serializes it."""
    done = subprocess.run(
        [
            browser(),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--proxy-server=http://127.0.0.1:{proxy.port}",
            "--proxy-bypass-list=<-loopback>",
            "--virtual-time-budget=3000",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def title_of(dom: str) -> str:
    found = re.search(r"<title>(.*?)</title>", dom, re.DOTALL)
    assert found is not None
    return html.unescape(found.group(1))


def test_a_page_that_does_run_and_fetch_is_noticed(proxy, tmp_path):
    page = tmp_path / "control.html"
    page.write_text(f"<!DOCTYPE html><title>quiet</title><p>{HOSTILE}</p>", encoding="utf-8")
    dom = dom_of(page, proxy, tmp_path)
    assert title_of(dom) == "ran"
    assert any("192.0.2.1" in line for line in proxy.asked)


def test_the_page_opens_shows_hostile_labels_as_text_and_asks_for_nothing(
    warehouse, study, proxy, tmp_path
):
    copy = tmp_path / "hostile.duckdb"
    shutil.copy(warehouse, copy)
    con = duckdb.connect(str(copy))
    quoted = HOSTILE.replace("'", "''")
    for column in ("population_label", "row_label", "level_label"):
        con.execute(
            f"update analysis.estimate set {column} = '{quoted}' where display != 'METHODS'"
        )
    con.execute(
        f"update analysis.estimate set text = '{quoted}' where display = 'METHODS' and \"row\" != 'title'"
    )
    con.close()
    page = render(copy, tmp_path / "report", study)
    dom = dom_of(page, proxy, tmp_path)
    assert title_of(dom) == "Test study"
    assert dom.count("<script") == 1
    assert "<img" not in dom
    assert dom.count("&lt;script&gt;document.title='ran'") > 50
    assert dom.count("<svg") == page.read_text(encoding="utf-8").count("<svg") > 10
    assert [line for line in proxy.asked if "google" not in line] == []
