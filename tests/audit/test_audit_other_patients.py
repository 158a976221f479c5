"""A delivery whose rows stand beside other patients' ids: a run stops, and who has looked may accept it."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))

import lenient_runs  # noqa: E402
import small_study  # noqa: E402

from flows import results  # noqa: E402
from flows.outcome import AUDIT_STOPPED, PUBLISHED, RunOutcome  # noqa: E402
from flows.run import RunRequest, run_study  # noqa: E402
from flows.show import Silent  # noqa: E402
from warehouse import alternatives  # noqa: E402


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small study, published; the judge works in this process."""
    lenient_runs.judge_here(monkeypatch)
    lenient_runs.read_here(monkeypatch)
    monkeypatch.setattr(alternatives, "add_alternatives", lambda con, study: None)
    results.warm_up_judge()
    root = small_study.make_study(tmp_path / "study")
    assert run(root).state == PUBLISHED
    return root


def run(root: Path) -> RunOutcome:
    return run_study(RunRequest(str(root), report=False), Silent())


def with_moved_ids(root: Path, day: str) -> None:
    """A delivery in which each patient's row of two files is that of the patient before."""
    folder = small_study.deliver(root, "AA01", day)
    for name in ("subject", "infusion"):
        path = folder / f"{name}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file))
        moved = [[rows[n - 1][0], *row[1:]] for n, row in enumerate(rows)]
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *moved])


def about(texts: list[str]) -> list[str]:
    return [text for text in texts if text.startswith("AUD-34")]


def test_rows_of_other_patients_stop_the_publishing_until_somebody_accepts_them(
    published: Path,
) -> None:
    with_moved_ids(published, "2024-07-01")
    stopped = run(published)
    assert (stopped.state, stopped.exit_code) == (AUDIT_STOPPED, 3)
    (told,) = about(stopped.messages)
    assert "AA01 with 6 of 6 patients changed: 6 in infusion.infusion_date" in told
    assert "AA01-0" not in told
    assert any("set audit: {warn_only: [AUD-34]}" in text for text in stopped.messages)

    settings = published / "study.yaml"
    right = settings.read_text("utf-8")
    settings.write_text(right + "audit: {warn_only: [AUD-34]}\n", encoding="utf-8")
    accepted = run(published)
    assert accepted.state == PUBLISHED
    assert len(about(accepted.warnings)) == 1
    with duckdb.connect(str(published / "published" / "warehouse.duckdb"), read_only=True) as con:
        recorded = con.execute(
            "select d.center_id, c.severity, c.outcome from quality.check_run c join quality.delivery d "
            "using (delivery_key) where c.rule_id = 'AUD-34' and c.outcome = 'failed'"
        ).fetchall()
    assert recorded == [("AA01", "warn", "failed")]

    settings.write_text(right, encoding="utf-8")
    after = run(published)  # the same rows again: what is accepted and published is no news
    assert (after.state, about(after.warnings)) == (PUBLISHED, [])


def test_a_right_delivery_after_a_stopped_one_is_published_without_a_word(published: Path) -> None:
    with_moved_ids(published, "2024-07-01")
    assert run(published).state == AUDIT_STOPPED
    small_study.deliver(published, "AA01", "2024-07-02", patients=7)
    outcome = run(published)

    assert (outcome.state, about(outcome.warnings)) == (PUBLISHED, [])


def test_patients_who_are_lost_in_small_steps_are_told(published: Path) -> None:
    # One more is missing each time, less than a fifth: never held.
    small_study.deliver(published, "AA01", "2024-07-01", patients=12)
    assert run(published).state == PUBLISHED
    for day, patients in ((2, 11), (3, 10), (4, 9)):
        small_study.deliver(published, "AA01", f"2024-07-0{day}", patients=patients)
    outcome = run(published)

    assert {d.state for d in outcome.deliveries if d.center_id == "AA01"} == {"loaded"}
    assert [text for text in outcome.warnings if text.startswith("AUD-35")] == [
        "AUD-35 Few patients are gone: 1 of 3 lines fail (AA01 with 9 patients, before 12); ask the center "
        "whether they were withdrawn; findings of STR-12 name those of each delivery"
    ]
