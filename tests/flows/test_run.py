from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
import small_study

from flows import cli, parts, stages
from flows.outcome import RunOutcome
from flows.run import RunRequest, last_outcome, run_study
from flows.show import Silent
from schemas.errors import StudyError
from schemas.spec.plans import shipped_plans
from warehouse.loads import LoadLog
from warehouse.publish import content_hash

STAGE = parts.stage
pytestmark = pytest.mark.usefixtures("lenient")


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """A study of one center with a first delivery."""
    return small_study.make_study(tmp_path / "study", ("AA01",))


def run(study: Path, **options: Any) -> RunOutcome:
    return run_study(RunRequest(str(study), report=False, **options), Silent())


def ask(study: Path, statement: str) -> list[tuple[Any, ...]]:
    con = duckdb.connect(str(study / "published" / "warehouse.duckdb"), read_only=True)
    try:
        return con.execute(statement).fetchall()
    finally:
        con.close()


def patients_by_center(study: Path) -> dict[str, int]:
    rows = ask(study, "select center_id::varchar, count(*) from core.subject group by all")
    return dict(rows)


def states(outcome: RunOutcome) -> dict[tuple[str, str], str]:
    return {(d.center_id, d.received_on): d.state for d in outcome.deliveries}


def test_all_centers_are_loaded_and_published(study: Path) -> None:
    outcome = run(study)

    assert (outcome.state, outcome.load_id, outcome.exit_code) == ("published", 1, 0)
    assert patients_by_center(study) == {"AA01": 6, "BB02": 6, "CC03": 6}
    assert set(states(outcome).values()) == {"loaded"}
    assert {d.rows_read for d in outcome.deliveries} == {74}
    assert outcome.content_hash == content_hash(study / "published" / "warehouse.duckdb")
    assert last_outcome(str(study)) == outcome


def test_a_second_run_finds_nothing_new_and_leaves_the_file_alone(loaded: Path) -> None:
    first = last_outcome(str(loaded))
    before = (loaded / "published" / "warehouse.duckdb").stat()
    second = run(loaded)
    after = (loaded / "published" / "warehouse.duckdb").stat()

    assert (second.state, second.exit_code) == ("nothing new", 0)
    assert second.content_hash == first.content_hash
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert first.state == "published"
    assert len(LoadLog.read(loaded).loads) == 1
    assert set(states(second).values()) == {"unchanged"}
    assert {d.rows_read for d in second.deliveries} == {74}


def test_a_changed_analysis_plan_of_the_study_makes_a_new_report(loaded_one: Path) -> None:
    shipped = shipped_plans()["salvage_after_cart"].read_text(encoding="utf-8")
    (loaded_one / "plan.yaml").write_text(shipped, encoding="utf-8")
    with (loaded_one / "study.yaml").open("a", encoding="utf-8") as file:
        file.write("analysis: plan.yaml\n")
    run(loaded_one)
    assert run(loaded_one).state == "nothing new"
    changed = shipped.replace("Figure S1B. Overall survival", "Figure S1B. Survival")
    (loaded_one / "plan.yaml").write_text(changed, encoding="utf-8")
    outcome = run(loaded_one)
    assert (outcome.state, outcome.load_id) == ("published", 3)


def test_a_broken_analysis_plan_is_one_message_before_anything_is_read(study: Path) -> None:
    with (study / "study.yaml").open("a", encoding="utf-8") as file:
        file.write("analysis: salvage_after_card\n")
    with pytest.raises(StudyError, match="there is no analysis plan 'salvage_after_card'"):
        run(study)
    assert not (study / "vault" / "staged").exists()


def test_a_later_delivery_replaces_the_earlier_one_of_its_center(loaded: Path) -> None:
    small_study.deliver(loaded, "BB02", "2024-08-30", patients=8)
    outcome = run(loaded)

    assert outcome.load_id == 2
    assert patients_by_center(loaded) == {"AA01": 6, "BB02": 8, "CC03": 6}
    assert states(outcome)["BB02", "2024-08-30"] == "loaded"
    assert states(outcome)["AA01", "2024-06-14"] == "unchanged"


def test_several_deliveries_of_a_center_are_taken_oldest_first(study: Path) -> None:
    small_study.deliver(study, "BB02", "2024-08-30", patients=8)
    small_study.deliver(study, "BB02", "2024-07-01", patients=7)
    outcome = run(study, centers=("BB02",))

    taken = [d.received_on for d in outcome.deliveries]
    assert taken == ["2024-06-14", "2024-07-01", "2024-08-30"]
    assert patients_by_center(study) == {"BB02": 8}


def test_until_leaves_later_deliveries_for_the_next_run(loaded_one: Path) -> None:
    small_study.deliver(loaded_one, "AA01", "2024-06-20", patients=7)
    small_study.deliver(loaded_one, "AA01", "2024-08-30", patients=8)

    assert run(loaded_one, until="2024-06-30").exit_code == 0
    assert patients_by_center(loaded_one)["AA01"] == 7
    assert run(loaded_one).exit_code == 0
    assert patients_by_center(loaded_one)["AA01"] == 8


def test_a_run_of_one_center_keeps_the_others(loaded: Path) -> None:
    small_study.deliver(loaded, "AA01", "2024-08-30", patients=9)
    small_study.deliver(loaded, "BB02", "2024-08-30", patients=9)
    outcome = run(loaded, centers=("AA01",))

    assert patients_by_center(loaded) == {"AA01": 9, "BB02": 6, "CC03": 6}
    assert {d.center_id for d in outcome.deliveries} == {"AA01"}


def test_a_broken_spec_fails_its_center_alone_and_its_last_good_state_stays(loaded: Path) -> None:
    small_study.deliver(loaded, "AA01", "2024-08-30", patients=8)
    small_study.deliver(loaded, "BB02", "2024-08-30", patients=8)
    spec = loaded / "centers" / "BB02.yaml"
    spec.write_text(spec.read_text().replace("tables:", "tabels:"), encoding="utf-8")
    outcome = run(loaded)

    assert (outcome.state, outcome.exit_code) == ("published", 1)
    assert patients_by_center(loaded) == {"AA01": 8, "BB02": 6, "CC03": 6}
    (failure,) = outcome.failures
    assert failure.center_id == "BB02"
    assert "'tabels'" in failure.message
    assert "'tables'" in failure.message
    assert "Traceback" not in failure.message
    reasons = ask(
        loaded, "select center_id, outcome from quality.delivery where outcome = 'failed'"
    )
    assert reasons == [("BB02", "failed")]


def test_a_crash_while_reading_fails_its_center_alone_and_its_message_holds_no_value(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stage(spec: Any, delivery: Any, out: Path, facts: Any) -> None:
        if delivery.center_id == "CC03":
            raise ZeroDivisionError("patient 4711, Erika Example")
        STAGE(spec, delivery, out, facts)

    monkeypatch.setattr(parts, "stage", stage)
    outcome = run(study)

    (failure,) = outcome.failures
    assert (failure.center_id, failure.code, outcome.exit_code) == ("CC03", "CRASH", 1)
    assert "ZeroDivisionError" in failure.message
    (log,) = (study / "vault" / "log").glob("bug-*.txt")
    for text in (failure.message, log.read_text(), (study / "vault/log/loads.jsonl").read_text()):
        assert "4711" not in text
        assert "Erika" not in text
    assert "test_run.py" in log.read_text()
    assert patients_by_center(study) == {"AA01": 6, "BB02": 6}


def test_the_next_run_tries_a_failed_center_again(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = study / "centers" / "BB02.yaml"
    good = spec.read_text()
    spec.write_text("center: {}\n", encoding="utf-8")

    assert run(study).exit_code == 1
    assert run(study).exit_code == 1
    assert len(LoadLog.read(study).loads) == 1, "the same failure is not published twice"
    spec.write_text(good, encoding="utf-8")
    healed = run(study)

    assert (healed.state, healed.exit_code) == ("published", 0)
    assert patients_by_center(study) == {"AA01": 6, "BB02": 6, "CC03": 6}


def test_when_every_center_fails_and_nothing_was_published_nothing_is_published(
    study: Path,
) -> None:
    for spec in (study / "centers").glob("*.yaml"):
        spec.write_text("center: {}\n", encoding="utf-8")
    outcome = run(study)

    assert (outcome.state, outcome.exit_code) == ("not published", 1)
    assert len(outcome.failures) == 3
    assert not (study / "published" / "warehouse.duckdb").exists()


def test_a_center_without_a_spec_is_a_failure_not_a_silence(loaded: Path) -> None:
    small_study.deliver(loaded, "DD04", "2024-06-14")
    outcome = run(loaded)

    (failure,) = outcome.failures
    assert (failure.center_id, failure.code) == ("DD04", "NO_SPEC")
    assert "centers/DD04.yaml" in failure.message


def test_a_delivery_that_lost_many_patients_is_held_until_it_is_accepted(
    loaded_one: Path,
) -> None:
    small_study.deliver(loaded_one, "AA01", "2024-08-30", patients=3)
    held = run(loaded_one)

    assert states(held)["AA01", "2024-08-30"] == "held"
    assert held.exit_code == 1
    assert patients_by_center(loaded_one)["AA01"] == 6

    accepted = run(loaded_one, accept_fewer=("AA01",))

    assert accepted.exit_code == 0
    assert patients_by_center(loaded_one)["AA01"] == 3
    findings = ask(loaded_one, "select rule_id, count(*) from quality.finding group by all")
    assert findings == [("STR-12", 3)]
    assert run(loaded_one).state == "nothing new"


def test_the_same_files_under_a_later_date_change_nothing_and_are_named(loaded: Path) -> None:
    shutil.copytree(loaded / "inbox/AA01/2024-06-14", loaded / "inbox/AA01/2024-09-01")
    outcome = run(loaded)

    assert (outcome.state, outcome.exit_code) == ("nothing new", 0)
    assert states(outcome)["AA01", "2024-09-01"] == "repeated"
    assert "2024-09-01" in next(d.message for d in outcome.deliveries if d.state == "repeated")


def test_earlier_files_that_come_again_after_others_are_told_with_what_stands(
    loaded_one: Path,
) -> None:
    inbox = loaded_one / "inbox" / "AA01"
    small_study.deliver(loaded_one, "AA01", "2024-08-30", patients=7)
    shutil.copytree(inbox / "2024-06-14", inbox / "2024-09-01")
    outcome = run(loaded_one)
    (told,) = [d.message for d in outcome.deliveries if d.state == "repeated"]
    assert "that of 2024-06-14, after which that of 2024-08-30 came" in told
    assert "Fix: if the center means to go back" in told
    assert patients_by_center(loaded_one)["AA01"] == 7


def test_a_changed_spec_reads_the_delivery_in_force_again_but_not_a_superseded_one(
    loaded_one: Path,
) -> None:
    small_study.deliver(loaded_one, "AA01", "2024-08-30", patients=7)
    run(loaded_one)
    spec = loaded_one / "centers" / "AA01.yaml"
    spec.write_text(spec.read_text() + "facts: {criteria: IMWG 2016}\n", encoding="utf-8")
    outcome = run(loaded_one)

    assert states(outcome)["AA01", "2024-08-30"] == "loaded"
    assert ("AA01", "2024-06-14") not in states(outcome)
    assert patients_by_center(loaded_one)["AA01"] == 7


def test_a_late_older_delivery_is_history_and_does_not_replace_the_newer(one: Path) -> None:
    small_study.deliver(one, "AA01", "2024-08-30", patients=8)
    shutil.move(one / "inbox/AA01/2024-06-14", one / "later")
    run(one)
    shutil.move(one / "later", one / "inbox/AA01/2024-06-14")
    outcome = run(one)

    assert states(outcome)["AA01", "2024-06-14"] == "loaded"
    assert patients_by_center(one)["AA01"] == 8


def test_an_audit_that_stops_leaves_the_published_state(
    loaded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content_hash(loaded / "published" / "warehouse.duckdb")
    small_study.deliver(loaded, "AA01", "2024-08-30", patients=8)

    def stopped(root: str, load_id: int, staged_file: str, *rest: Any) -> dict[str, Any]:
        failures = ["AUD-02 No orphans: 1 of 11 lines fail"]
        return {"passed": False, "critical_failures": failures, "warnings": [], "results": "x"}

    judge = stages.judge
    monkeypatch.setattr(stages, "judge", stopped)
    outcome = run(loaded)

    assert (outcome.state, outcome.exit_code) == ("stopped by the audit", 3)
    assert outcome.messages == ["AUD-02 No orphans: 1 of 11 lines fail"]
    assert content_hash(loaded / "published" / "warehouse.duckdb") == before
    assert LoadLog.read(loaded).load(2).outcome == "stopped"

    monkeypatch.setattr(stages, "judge", judge)
    assert run(loaded).load_id == 3, "what was stopped is read again"
    assert patients_by_center(loaded)["AA01"] == 8


def test_keys_that_do_not_hold_stop_the_publishing_with_exit_code_3(
    one: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stage(spec: Any, delivery: Any, out: Path, facts: Any) -> None:
        import polars as pl

        STAGE(spec, delivery, out, facts)
        path = out / "core" / "subject.parquet"
        frame = pl.read_parquet(path)
        pl.concat([frame, frame.head(1)]).write_parquet(path)

    monkeypatch.setattr(parts, "stage", stage)
    outcome = run(one)

    assert (outcome.state, outcome.exit_code) == ("stopped by the audit", 3)
    assert not (one / "published" / "warehouse.duckdb").exists()
    assert LoadLog.read(one).load(1).outcome == "stopped"


def test_a_run_that_is_interrupted_says_so_in_the_log_and_the_next_one_publishes(
    one: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(root: str, load_id: int, tell: object) -> str:
        raise KeyboardInterrupt

    assemble = stages.assemble
    monkeypatch.setattr(stages, "assemble", interrupted)

    assert cli.main(["run", str(one), "--no-report"]) == 4
    assert LoadLog.read(one).load(1).outcome == "interrupted"
    monkeypatch.setattr(stages, "assemble", assemble)
    assert run(one).exit_code == 0
    assert patients_by_center(one)["AA01"] == 6


def test_two_runs_at_once_do_not_mix(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "LOCK_WAIT", 0.2)
    with parts.run_lock(str(study)):
        code = subprocess.run(
            [sys.executable, "-m", "flows.cli", "run", str(study)],
            capture_output=True,
            text=True,
            env={**os.environ, "CARMONY_LOCK_WAIT": "0.2"},
            check=False,
        )
    assert code.returncode == 2
    assert f"process {os.getpid()}" in code.stderr
    assert "Traceback" not in code.stderr


def test_the_vault_is_closed_and_what_is_published_is_open_to_the_group(loaded: Path) -> None:
    for path in (loaded / "vault").rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o077 == 0, f"{path} {mode:o}"
    published = loaded / "published"
    assert stat.S_IMODE(published.stat().st_mode) == 0o750
    assert stat.S_IMODE((published / "warehouse.duckdb").stat().st_mode) == 0o640
    assert stat.S_IMODE((published / "quality" / "audit.html").stat().st_mode) == 0o640
    small_study.deliver(loaded, "AA01", "2024-08-30", patients=7)
    run(loaded)
    kept = published / "history" / "000001.duckdb"
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o750
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640


def test_the_outcome_of_a_run_is_kept_for_whoever_started_it(loaded: Path) -> None:
    outcome = run(loaded)

    assert last_outcome(str(loaded)) == outcome
    assert json.loads(json.dumps(outcome.to_dict()))["exit_code"] == 0


def test_a_big_delivery_is_read_in_a_process_of_its_own_that_may_die(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import center

    monkeypatch.setattr(center, "BIG_DELIVERY", 1)
    killer = study / "killer"
    killer.mkdir()
    (killer / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if sys.orig_argv[1:] == ['-m', 'flows.stage_child']:\n"
        "    os.kill(os.getpid(), 9)\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(killer))
    outcome = run(study, centers=("AA01",))

    (failure,) = outcome.failures
    assert failure.code == "CRASH"
    assert "code -9" in failure.message


def test_big_deliveries_are_read_side_by_side_and_give_the_same_content(
    with_analysis: None, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import center

    monkeypatch.setenv("CARMONY_KEY", "ab" * 32)
    other = small_study.make_study(tmp_path / "other")
    (other / "centers" / "BB02.yaml").write_text("center: {}\n", encoding="utf-8")
    (study / "centers" / "BB02.yaml").write_text("center: {}\n", encoding="utf-8")
    small = run(other)
    monkeypatch.setattr(center, "BIG_DELIVERY", 1)
    big = run(study)

    assert [d.center_id for d in big.deliveries] == ["AA01", "BB02", "CC03"]
    assert [d.state for d in big.deliveries] == ["loaded", "failed", "loaded"]
    assert big.content_hash == small.content_hash


def test_a_file_error_in_the_process_of_a_big_delivery_keeps_its_message(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import center

    monkeypatch.setattr(center, "BIG_DELIVERY", 1)
    (study / "inbox/AA01/2024-06-14/risk.csv").write_bytes(b"%PDF-1.7 not a table")
    outcome = run(study, centers=("AA01",))

    (failure,) = outcome.failures
    assert failure.code == "WRONG_TYPE"
    assert "risk.csv" in failure.message
    assert "[WRONG_TYPE]" in failure.message
    assert "Fix:" in failure.message


def test_everything_of_the_load_log_is_free_of_patient_ids(loaded: Path) -> None:
    for path in (loaded / "vault" / "log").iterdir():
        assert b"AA01-001" not in path.read_bytes(), path.name


def test_the_files_of_another_center_are_refused_and_nobody_is_counted_twice(study: Path) -> None:
    first, second = sorted(p.name for p in (study / "inbox").iterdir())[:2]
    (day,) = (study / "inbox" / first).iterdir()
    shutil.rmtree(study / "inbox" / second)
    shutil.copytree(day, study / "inbox" / second / day.name)
    spec = (study / "centers" / f"{first}.yaml").read_text(encoding="utf-8")
    (study / "centers" / f"{second}.yaml").write_text(
        spec.replace(f"id: {first}", f"id: {second}"), encoding="utf-8"
    )
    outcome = run(study)
    assert outcome.exit_code == 1
    (refused,) = [d for d in outcome.deliveries if d.center_id == second]
    assert refused.code == "FOREIGN_CENTER"
    assert f"center {first}" in refused.message
    assert second not in patients_by_center(study)
    assert first in patients_by_center(study)
