"""On a study that was really run, the scorecard agrees with the tables it is made from."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))

import small_study  # noqa: E402

from flows.run import RunRequest, run_study  # noqa: E402
from flows.show import Silent  # noqa: E402
from reports.scorecard import write_scorecards  # noqa: E402
from schemas.spec.load import load_study  # noqa: E402
from tests.flows import lenient_runs  # noqa: E402
from warehouse.scorecard import fill_scorecard  # noqa: E402


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> tuple[Path, duckdb.DuckDBPyConnection]:
    """One load, in which one center delivers twice. The scorecard is computed afresh."""
    root = small_study.make_study(tmp_path_factory.mktemp("scorecard") / "study")
    small_study.deliver(root, "BB02", "2024-08-30", patients=8)
    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.let_all_pass(patch)
        run_study(RunRequest(str(root), report=False), Silent())
    copy = root.parent / "warehouse.duckdb"
    shutil.copy(root / "published" / "warehouse.duckdb", copy)
    con = duckdb.connect(str(copy))
    con.execute("DELETE FROM quality.scorecard")
    fill_scorecard(con)
    return root, con


def pairs(con: duckdb.DuckDBPyConnection, statement: str) -> dict[str, float]:
    return {str(center): float(n) for center, n in con.execute(statement).fetchall()}


def newest(con: duckdb.DuckDBPyConnection, figure: str, column: str) -> dict[str, float]:
    return pairs(
        con,
        f"SELECT center_id, {column} FROM quality.scorecard WHERE figure = '{figure}' AND \"level\" IS NULL "
        "AND load_id = (SELECT max(load_id) FROM quality.load)",
    )


def test_the_newest_figures_rest_on_the_deliveries_in_force(study):
    _, con = study
    judged = pairs(
        con,
        "SELECT d.center_id, sum(c.denominator) FROM quality.check_run c JOIN quality.delivery d USING (delivery_key) "
        "JOIN quality.rule r USING (rule_id) WHERE d.is_current AND r.kahn = 'plausibility' "
        "AND r.severity <> 'info' AND r.engine <> 'study' AND c.outcome IN ('passed', 'failed') GROUP BY 1",
    )
    assert len(judged) == 3
    assert newest(con, "plausibility", "denominator") == judged
    patients = pairs(
        con, "SELECT center_id, count(DISTINCT usubjid) FROM core.subject GROUP BY center_id"
    )
    assert patients["BB02"] == 8
    assert newest(con, "open_per_100", "denominator") == patients
    known = newest(con, "known", "denominator")
    assert all(known[center] >= 15 * n for center, n in patients.items())


def test_queries_of_the_newest_load_are_the_published_ones(study):
    _, con = study
    for state in ("open", "answered", "candidate"):
        published = pairs(
            con,
            f"SELECT d.center_id, count(q.query_id) FROM (SELECT DISTINCT center_id FROM quality.delivery) d "
            f"LEFT JOIN quality.query q ON q.center_id = d.center_id AND q.state = '{state}' GROUP BY 1",
        )
        assert newest(con, state, '"value"') == published


def test_pages_of_a_run_study_hold_no_id_of_a_patient(study):
    root, con = study
    ids = {row[0] for row in con.execute("SELECT DISTINCT usubjid FROM core.subject").fetchall()}
    con.execute("CHECKPOINT")
    con.close()
    pages = write_scorecards(
        root.parent / "warehouse.duckdb", root.parent / "out", load_study(root), {"BB02": "es"}
    )
    assert [page.parent.name for page in pages] == ["quality", "AA01", "BB02", "CC03"]
    for page in pages[1:]:
        text = page.read_text(encoding="utf-8")
        assert not [usubjid for usubjid in ids if usubjid in text]
    assert '<html lang="es">' in pages[2].read_text(encoding="utf-8")
