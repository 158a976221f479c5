"""Errors and warnings that a run shows are those of `quality.finding`, the build's included."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
import small_study

from flows.cli import main
from flows.outcome import AUDIT_STOPPED, DeliveryOutcome, RunOutcome
from flows.run import RunRequest, run_study
from flows.show import HEADER, Silent, results_table
from flows.tally import tally

pytestmark = pytest.mark.usefixtures("lenient")


def run(study: Path) -> RunOutcome:
    return run_study(RunRequest(str(study), report=False), Silent())


def shown(outcomes: list[DeliveryOutcome]) -> dict[tuple[str, str], tuple[int, int]]:
    return {(d.center_id, d.delivery_id): (d.errors, d.warnings) for d in outcomes}


def published(study: Path) -> dict[tuple[str, str], tuple[int, int]]:
    statement = (
        "select d.center_id, d.delivery_id, count(*) filter (f.severity = 'error'), "
        "count(*) filter (f.severity = 'warning') from quality.delivery d "
        "left join quality.finding f using (delivery_key) where d.is_current group by all"
    )
    with duckdb.connect(str(study / "published" / "warehouse.duckdb"), read_only=True) as con:
        return {(c, d): (e, w) for c, d, e, w in con.execute(statement).fetchall()}


@pytest.fixture
def corrected(loaded: Path) -> Path:
    """A published study, and a delivery in which infusions that nobody asked about have other dates."""
    folder = small_study.deliver(loaded, "AA01", "2024-07-01")
    path = folder / "infusion.csv"
    path.write_text(path.read_text("utf-8").replace("-0", "-1", 3), encoding="utf-8")
    path = folder / "relapse.csv"
    path.write_text(path.read_text("utf-8").replace("2023-", "2022-"), encoding="utf-8")
    return loaded


def test_findings_of_the_build_are_counted_and_a_run_with_nothing_new_says_the_same(
    corrected: Path,
) -> None:
    outcome = run(corrected)
    (mine,) = [d for d in outcome.deliveries if d.received_on == "2024-07-01"]

    assert mine.errors + mine.warnings > 0
    assert shown(outcome.deliveries) == published(corrected)
    read = tally(corrected / mine.staged)
    assert mine.warnings > read.warnings  # the comparison with the delivery before is no part of it
    again = run(corrected)
    assert again.state == "nothing new"
    assert shown(again.deliveries) == published(corrected)


def test_the_table_and_the_output_for_machines_say_the_same(
    corrected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    main(["run", str(corrected), "--no-report", "--json"])
    told = RunOutcome.from_dict(json.loads(capsys.readouterr().out))

    assert shown(told.deliveries) == published(corrected)
    lines = [line.split() for line in results_table(told).splitlines()]
    at = len(HEADER) - 3  # errors, warnings and state end each line
    errors_and_warnings = {line[0]: (int(line[at]), int(line[at + 1])) for line in lines[1:]}
    assert errors_and_warnings == {center: n for (center, _), n in published(corrected).items()}


def test_a_run_that_the_audit_stopped_counts_what_was_built(
    corrected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import stages

    passed = stages.judge

    def stopping(*arguments: object) -> dict[str, object]:
        return {**passed(*arguments), "passed": False}  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(stages, "judge", stopping)
        stopped = run(corrected)
    assert stopped.state == AUDIT_STOPPED

    run(corrected)
    assert shown(stopped.deliveries) == published(corrected)
