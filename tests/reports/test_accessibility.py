"""The pages that people open, judged by axe-core in a real browser: nothing serious, in light and in dark.

axe-core comes with the package axe-playwright-python; the browser is that of the machine.
"""

import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))

import small_study  # noqa: E402

from tests.flows import lenient_runs  # noqa: E402

pytestmark = pytest.mark.browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
# The theme decides colors alone: in the dark they are judged again, and nothing else.
RULES: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast"]}},
}
# What passes is counted; its elements, thousands of a report, are not described and not handed over.
JUDGED = """options => axe.run(document, {...options, resultTypes: ["violations"]}).then(found => ({
    passes: found.passes.length,
    violations: found.violations.map(v => ({id: v.id, impact: v.impact, html: v.nodes[0].html})),
}))"""
Judge = Callable[[Path, str], dict[str, str]]


def axe() -> str:
    spec = importlib.util.find_spec("axe_playwright_python")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name("axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    """`judge(page, theme)` → rule → first element, of findings that are serious or critical."""
    from playwright.sync_api import sync_playwright

    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    assert path, "no browser: install one with 'apt-get install chromium' and run the tests again"
    script = axe()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)

        def judged(page: Path, theme: str) -> dict[str, str]:
            # The page allows no script but its own; its policy is put aside for the one that looks at it.
            context = browser.new_context(
                bypass_csp=True,
                offline=True,
                color_scheme="dark" if theme == "dark" else "light",
            )
            opened = context.new_page()
            opened.set_default_timeout(180_000)
            opened.goto(page.as_uri())
            opened.evaluate(script)
            result = opened.evaluate(JUDGED, RULES[theme])
            context.close()
            assert result["passes"]
            return {
                found["id"]: found["html"][:200]
                for found in result["violations"]
                if found["impact"] in ("serious", "critical")
            }

        yield judged
        browser.close()


@pytest.fixture(scope="module")
def run_pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages of a study of three centers that was really run."""
    from flows import results
    from flows.folder import StudyFolder
    from flows.run import RunRequest, run_study
    from flows.show import Silent

    root = small_study.make_study(tmp_path_factory.mktemp("pages") / "study")
    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.judge_here(patch)
        run_study(RunRequest(str(root), report=False), Silent())
    results.scorecards(StudyFolder(root))
    quality = root / "published" / "quality"
    return {
        "data manager": quality / "scorecard.html",
        "audit": quality / "audit.html",
        "scorecard": min((root / "vault").rglob("scorecard.html")),
    }


def test_a_page_with_faults_is_noticed_in_each_theme(judge: Judge, tmp_path: Path) -> None:
    page = tmp_path / "faulty.html"
    page.write_text(
        "<!DOCTYPE html><html><head><title>Faulty</title><style>p{color:#999;background:#fff}"
        "@media (prefers-color-scheme: dark){p{color:#555;background:#444}}</style></head>"
        "<body><main><h1>Faulty</h1><p>Pale</p><img src=''></main></body></html>",
        encoding="utf-8",
    )
    assert {"color-contrast", "image-alt", "html-has-lang"} <= judge(page, "light").keys()
    assert judge(page, "dark").keys() == {"color-contrast"}


@pytest.mark.parametrize("name", ["data manager", "audit", "scorecard"])
def test_pages_about_the_data_have_no_serious_finding(
    name: str, judge: Judge, run_pages: dict[str, Path]
) -> None:
    for theme in RULES:
        assert judge(run_pages[name], theme) == {}, theme


def test_the_report_has_no_serious_finding(judge: Judge, rendered: Path) -> None:
    for theme in RULES:
        assert judge(rendered, theme) == {}, theme


def test_the_external_report_has_no_serious_finding(
    judge: Judge, warehouse: Path, study: Any, tmp_path: Path
) -> None:
    from reports.disclosure.external import write_external

    made = write_external(warehouse, tmp_path / "external", study, 5)
    for theme in RULES:
        assert judge(made.page, theme) == {}, theme
