"""Which delivery of each center stands: named in the estimates and on the page."""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))

import small_study  # noqa: E402

from flows.run import RunRequest, run_study  # noqa: E402
from flows.show import Silent  # noqa: E402
from reports.displays.data import AnalysisData  # noqa: E402
from reports.displays.deliveries import deliveries, read  # noqa: E402
from tests.flows import lenient_runs  # noqa: E402

DDL = Path(__file__).parents[2] / "warehouse" / "sql" / "ddl"
LOADS = {1: "published", 2: "published", 3: "stopped", 4: "published"}


def printed(lines: str) -> dict[tuple[str, str], str]:
    """(population, row) → text, of drawn lines of `quality.delivery`."""
    con = duckdb.connect()
    con.execute("create schema quality")
    for table in ("delivery", "load", "ledger", "finding"):
        con.execute((DDL / f"quality_{table}.sql").read_text(encoding="utf-8"))
    for load_id, outcome in LOADS.items():
        con.execute(
            f"insert into quality.load values ({load_id}, '2024-01-01', '{outcome}', 0, 0, 0, 'h')"
        )
    for key, line in enumerate(lines.strip().splitlines()):
        load, center, name, day, outcome, reason, state, mode = (c.strip() for c in line.split("|"))
        con.execute(
            f"insert into quality.delivery values ({key}, {load}, '{center}', '{name}', '{day}', 1,"
            f" '{mode}', '{outcome}', nullif('{reason}', ''), {state == 'current'}, 's')"
        )
    found = rows_of(con)
    con.close()
    return found


def rows_of(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    """(population, row) → text, of a warehouse."""
    nothing = pl.DataFrame()
    data = AnalysisData(nothing, nothing, nothing, nothing, read(con))
    return {(row.population, row.row): str(row.text) for row in deliveries(data)}


def published(root: Path) -> dict[tuple[str, str], str]:
    """The same of the published warehouse of a study."""
    with duckdb.connect(str(root / "published" / "warehouse.duckdb"), read_only=True) as con:
        return rows_of(con)


def test_a_failed_and_a_held_delivery_are_named_with_what_stands():
    found = printed("""
        1 | AA | a1 | 2024-06-14 | loaded |            | current | snapshot
        1 | BB | b1 | 2024-06-14 | loaded |            | current | snapshot
        4 | BB | b2 | 2024-08-30 | failed | WRONG_TYPE |         | snapshot
        1 | CC | c1 | 2024-06-14 | loaded |            | current | snapshot
        4 | CC | c2 | 2024-08-30 | held   | SHRINK     |         | snapshot
        4 | DD | d1 | 2024-08-30 | failed | SPEC       |         | snapshot""")
    assert found["ALL", "BEHIND"] == (
        "3 centers could not be brought up to date:"
        " BB (failed, WRONG_TYPE; the state of 2024-06-14 stands),"
        " CC (held, SHRINK; the state of 2024-06-14 stands),"
        " DD (failed, SPEC; nothing of it is in the warehouse)."
    )
    assert found["BB", "IN_FORCE"] == "2024-06-14"
    assert found["BB", "NEWEST"] == "2024-08-30: failed (WRONG_TYPE)"
    assert found["DD", "IN_FORCE"] == "none"
    assert found["DD", "LOADED"] == "–"
    assert found["AA", "NEWEST"] == "2024-06-14: loaded"


@pytest.mark.parametrize(
    "lines",
    [
        # Failed once, loaded by a later load.
        """2 | AA | a1 | 2024-06-14 | failed | SPEC |         | snapshot
           4 | AA | a1 | 2024-06-14 | loaded |      | current | snapshot""",
        # A failure of an older delivery that a newer one replaced.
        """2 | AA | a1 | 2024-06-14 | failed | WRONG_TYPE |         | snapshot
           2 | AA | a2 | 2024-08-30 | loaded |            | current | snapshot""",
        # The load that failed to read it again was never published.
        """1 | AA | a1 | 2024-06-14 | loaded |      | current | snapshot
           3 | AA | a1 | 2024-06-14 | failed | SPEC |         | snapshot""",
        # What could not be taken at an earlier load is gone from the inbox.
        """1 | AA | a1 | 2024-06-14 | loaded |      | current | snapshot
           2 | AA |    | 2024-07-01 | failed | NAME |         | snapshot""",
    ],
)
def test_a_failure_that_is_over_is_not_named(lines):
    found = printed(lines)
    assert ("ALL", "BEHIND") not in found
    assert found["AA", "NEWEST"].endswith(": loaded")


def test_what_could_not_be_taken_in_the_last_load_is_named_without_a_day():
    found = printed("""
        4 | AA | a1 | 2024-06-14 | loaded |         | current | snapshot
        4 | AA |    | 2024-01-01 | failed | NAME    |         | snapshot
        4 | BB |    | 2024-01-01 | failed | NO_SPEC |         | snapshot""")
    assert found["ALL", "BEHIND"] == (
        "2 centers could not be brought up to date:"
        " AA (failed, NAME; the state of 2024-06-14 stands),"
        " BB (failed, NO_SPEC; nothing of it is in the warehouse)."
    )
    assert found["AA", "NEWEST"] == "failed (NAME)"


def test_a_failed_delivery_of_an_append_center_is_named_although_a_later_one_stands():
    found = printed("""
        1 | AA | a1 | 2024-06-14 | loaded |            | current | append
        2 | AA | a2 | 2024-07-14 | failed | WRONG_TYPE |         | snapshot
        2 | AA | a3 | 2024-08-14 | loaded |            | current | append""")
    assert found["AA", "IN_FORCE"] == "2024-08-14 (2 deliveries)"
    assert found["AA", "NEWEST"] == "2024-07-14: failed (WRONG_TYPE)"
    assert found["ALL", "BEHIND"].startswith("1 center could not")


def test_the_page_of_a_run_says_which_centers_failed_and_what_stands(tmp_path):
    root = small_study.make_study(tmp_path / "study")
    never = root / "centers" / "CC03.yaml"
    good = never.read_text(encoding="utf-8")
    never.write_text("center: {}\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.let_all_pass(patch)
        run_study(RunRequest(str(root), report=False), Silent())
    small_study.deliver(root, "BB02", "2024-08-30", patients=8)
    (root / "centers" / "BB02.yaml").write_text("center: {}\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.judge_here(patch)
        outcome = run_study(RunRequest(str(root)), Silent())
    text = html.unescape(Path(outcome.report).read_text(encoding="utf-8"))

    assert (
        "2 centers could not be brought up to date: BB02 (failed, SPEC; the state of 2024-06-14"
        " stands), CC03 (failed, SPEC; nothing of it is in the warehouse)." in text
    )
    section = text.split('<section id="DELIVERIES"')[1].split("</section>")[0]
    rows = {
        name: re.findall(r"<td>([^<]*)</td>", cells)
        for name, cells in re.findall(r'<th scope="row">(\w+)</th>(.*)</tr>', section)
    }
    assert rows["AA01"] == ["2024-06-14", "74", "0", "0", "0", "2024-06-14: loaded"]
    assert rows["BB02"] == ["2024-06-14", "74", "0", "0", "0", "2024-08-30: failed (SPEC)"]
    assert rows["CC03"] == ["none", "–", "–", "–", "–", "2024-06-14: failed (SPEC)"]

    never.write_text(good, encoding="utf-8")
    (root / "centers" / "BB02.yaml").write_text(small_study.spec("BB02"), encoding="utf-8")
    assert published(root)["ALL", "BEHIND"] in text
    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.let_all_pass(patch)
        run_study(RunRequest(str(root), report=False), Silent())
    found = published(root)
    assert ("ALL", "BEHIND") not in found
    assert found["BB02", "NEWEST"] == "2024-08-30: loaded"
