"""Small counts of an external report cannot be computed from all that it prints."""

from __future__ import annotations

import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from reports.disclosure import external, suppress
from reports.disclosure.bounds import bounds
from reports.disclosure.external import write_external
from reports.disclosure.system import Cell, System
from schemas.spec.plans import PLANS
from tests.conftest import MadeOnce
from tests.derive import by_hand
from tests.trust.load_module import load_module

Record = Callable[..., None]
TABLES = ("T1", "ST1", "F1A")


HERE = Path(__file__).parent
solver = load_module(HERE / "disclosure_solver.py", "disclosure_solver")
cohort = load_module(HERE.parent / "reports" / "conftest.py", "cohort_of_the_report")


@pytest.fixture(scope="module")
def made(made_once: MadeOnce) -> tuple[Path, Any]:
    return once(made_once)


def once(made_once: MadeOnce) -> tuple[Path, Any]:
    """What `build` makes, made once for the files of tests that read it."""
    folder = made_once("disclosure", build)
    return folder / "warehouse.duckdb", study_in(folder)


def study_in(folder: Path) -> Any:
    """The study of the report's tests with the shipped plan but its models, which stands in the folder."""
    study = by_hand.make_study()
    own = study.model_copy(update={"analysis": "own.yaml"})
    own._path = folder / "study.yaml"
    return own


def build(folder: Path) -> None:
    """The cohort of the report's tests as a warehouse, with its plan."""
    from reports.estimates import write_estimates
    from warehouse.analysis import derive

    folder.mkdir()
    shipped = PLANS / f"{by_hand.make_study().analysis}.yaml"
    plan = yaml.safe_load(shipped.read_text("utf-8"))
    kinds = ("baseline", "response", "survival", "swimmer", "summary")
    plan["displays"] = [display for display in plan["displays"] if display["kind"] in kinds]
    (folder / "own.yaml").write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")
    study = study_in(folder)
    con = duckdb.connect(str(folder / "warehouse.duckdb"))
    by_hand.create_core(con, **cohort.core_tables())
    derive(con, study)
    write_estimates(con, study)
    con.close()


def _truth(path: Path) -> dict[tuple[str, str, str], int]:
    """The counts of the internal report by the labels of the external one."""
    con = duckdb.connect(str(path), read_only=True)
    try:
        rows = con.execute(
            "select population_label, row_label, level_label, value from analysis.estimate"
            " where display in ('T1', 'ST1', 'F1A') and statistic = 'n' and level is not null"
        ).fetchall()
    finally:
        con.close()
    return {(group, name, level): int(value) for group, name, level, value in rows}


def _recovered(folder: Path, truth: dict[Any, int], threshold: int) -> tuple[int, int]:
    """How many small counts a reader knows to be small, and how many there are."""
    reader = solver.read(folder, TABLES)
    small = [key for key, n in truth.items() if 0 < n < threshold and key in reader.names]
    found = 0
    for key in small:
        low, high = reader.range(key)
        assert low <= truth[key] <= high
        found += high < threshold
    return found, len(small)


def test_no_small_count_can_be_computed_from_an_external_report(
    made: tuple[Path, Any], tmp_path: Path, figure: Record, tries: Callable[[int, int], int]
) -> None:
    path, study = made
    truth = _truth(path)
    bad = total = 0
    for threshold in (5, 10, 3, 8, 11, 4, 6, 7, 2)[: tries(1, 9)]:
        out = tmp_path / str(threshold)
        write_external(path, out, study, threshold)
        found, number = _recovered(out, truth, threshold)
        bad, total = bad + found, total + number
        bad += _shown_otherwise(out, threshold)
    assert total > 10
    figure("40", "small counts computed from an external report (linear programming)", bad, total)


def test_the_reader_computes_counts_where_only_the_small_ones_are_withheld(
    made: tuple[Path, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: without the cells that protect the small ones, sums give them back."""
    path, study = made
    monkeypatch.setattr(external, "withheld", lambda system, n: system.small(n) - system.unprinted)
    monkeypatch.setattr("reports.exports.figures.write_print", lambda content, folder: {})
    write_external(path, tmp_path, study, 5)
    found, number = _recovered(tmp_path, _truth(path), 5)
    assert found > number // 4


def _shown_otherwise(folder: Path, threshold: int) -> int:
    """Cells and statements in other files of the report that its CSV files do not have."""
    import openpyxl
    from lxml import html

    told = (folder / "report.html").read_text("utf-8")
    page = html.fromstring(told)
    bad = len(page.xpath("//pre")) + ("usubjid" in told)
    allowed = {
        cell
        for file in (folder / "tables").glob("*.csv")
        for cell in re.findall(r"[^,\"\n]+", file.read_text("utf-8"))
    }
    counts = re.compile(r"^\d+( \(\d+\))?$")
    at_risk = {
        cell
        for table in page.iter("table")
        if "numbers at risk" in table.findtext("caption", "")
        for cell in (td.text or "" for td in table.iter("td"))
    }
    bad += sum(
        1 for cell in at_risk if cell.isdigit() and (int(cell) < threshold or int(cell) % threshold)
    )
    cells = {
        td.text
        for table in page.iter("table")
        if "numbers at risk" not in table.findtext("caption", "")
        for td in table.iter("td")
        if td.text
    }
    bad += len({cell for cell in cells if counts.match(cell)} - allowed)
    book = openpyxl.load_workbook(folder / "tables" / "tables.xlsx", read_only=True)
    for sheet in book.worksheets:
        for row in sheet.iter_rows(values_only=True):
            bad += sum(
                1
                for cell in row
                if cell is not None and counts.match(str(cell)) and str(cell) not in allowed
            )
    with zipfile.ZipFile(io.BytesIO((folder / "report.docx").read_bytes())) as archive:
        words = re.findall(r"<w:t[^>]*>([^<]*)</w:t>", archive.read("word/document.xml").decode())
    bad += sum(1 for word in words if counts.match(word) and word not in allowed)
    for drawing in (folder / "figures").glob("*.svg"):
        numbers = re.findall(
            r">(<?\d+)</text>", drawing.read_text("utf-8").split("Number at risk")[-1]
        )
        bad += sum(1 for number in numbers if int(number) % threshold)
    return bad


def test_curves_step_only_after_as_many_events_as_the_threshold(
    made: tuple[Path, Any], figure: Record
) -> None:
    """From the internal rows: between two steps of a coarse curve lie at least so many events."""
    from reports.content import read_content
    from reports.disclosure.curves import curve_of

    path, study = made
    content = read_content(path, study)
    steps = bad = 0
    for name, rows in content.displays.items():
        if rows.named.get("level") != "survival":
            continue
        for code in rows.labels(row="median"):
            for threshold in (3, 5, 10):
                curve = curve_of(rows, code, threshold)
                if curve is None:
                    continue
                fine = rows.of(row="curve", statistic="survival", population=code)
                before = 0.0
                for step in curve.steps[1:]:
                    at = [r for r in fine if before < r["time_months"] <= step.time + 0.05]
                    if step.reading:
                        steps += 1
                        bad += sum(r["events"] for r in at) < threshold
                        bad += min(r["n"] for r in at) < threshold
                        before = step.time
                bad += bool(curve.censored)
                assert name
    figure("40", "steps of external curves that stand for too few", bad, steps)


def _random_table(chance: random.Random) -> System:
    groups, levels = chance.randint(1, 5), chance.randint(2, 5)
    shape = [
        [chance.choice((0, 1, 2, 3, 5, 8, 13, 30)) for _ in range(levels)] for _ in range(groups)
    ]
    system = System()

    def cell(group: int | None, level: int | None) -> Cell:
        pairs = [("G", str(group))] if group is not None else []
        return frozenset([*pairs, *([("V", str(level))] if level is not None else [])])

    for g in (None, *range(groups)):
        rows = shape if g is None else [shape[g]]
        system.heads.add(system.put(cell(g, None), sum(map(sum, rows))))
        for x in range(levels):
            system.put(cell(g, x), sum(row[x] for row in rows))
        system.add_up(cell(g, None), [cell(g, x) for x in range(levels)], "V")
    for x in (None, *range(levels)):
        system.add_up(cell(None, x), [cell(g, x) for g in range(groups)], "G")
    return system


def test_random_tables_keep_their_small_counts(
    figure: Record, tries: Callable[[int, int], int]
) -> None:
    """Checked with every number that fits: whole tables are filled in anew by random swaps that keep all sums."""
    chance = random.Random(52)
    bad = total = 0
    for _ in range(tries(25, 1000)):
        system = _random_table(chance)
        hidden = suppress.withheld(system, 5) | system.unprinted
        small = system.small(5)
        for cell, (low, high) in bounds(system, hidden, small).items():
            total += 1
            bad += cell not in hidden or (high is not None and (high < 5 or low == high))
            assert low <= system.values[cell]
    figure("40", "small counts of random tables", bad, total)


def test_an_external_report_says_what_it_withholds_and_names_no_center(
    made: tuple[Path, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, study = made
    monkeypatch.setattr("reports.exports.figures.write_print", lambda content, folder: {})
    released = write_external(path, tmp_path, study, 5)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "withheld" in page
    assert "it shows single patients" in page
    assert "MYE-C" not in page
    con = duckdb.connect(str(path), read_only=True)
    centers = [
        row[0] for row in con.execute("select distinct SITEID from analysis.adsl").fetchall()
    ]
    con.close()
    files = [
        f.read_bytes()
        for f in tmp_path.rglob("*")
        if f.suffix in (".html", ".csv", ".svg", ".json")
    ]
    assert not [
        c for c in centers if any(re.search(rb"\b" + c.encode() + rb"\b", f) for f in files)
    ]
    told = json.loads((tmp_path / "release.json").read_text("utf-8"))
    assert (told["threshold"], told["withheld"]) == (5, released.withheld)


def test_the_command_refuses_what_is_no_external_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from flows.cli import main

    for given, told in (
        (["report", str(tmp_path), "--threshold", "5"], "every count"),
        (["report", str(tmp_path), "--external", "--threshold", "1"], "withholds nothing"),
        (["report", "--external"], "of a study alone"),
        (["report", str(tmp_path), "--external"], "no published warehouse"),
    ):
        assert main(given) != 0
        assert told in capsys.readouterr().err
