"""What could not be read or taken is on record: in the load log and in `quality.delivery`."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
import small_study

from flows.outcome import RunOutcome
from flows.run import RunRequest, run_study
from flows.show import Silent
from warehouse.loads import NO_ID, LoadLog

pytestmark = pytest.mark.usefixtures("lenient")


def run(study: Path) -> RunOutcome:
    return run_study(RunRequest(str(study), report=False), Silent())


def failed(study: Path) -> list[tuple[Any, ...]]:
    con = duckdb.connect(str(study / "published" / "warehouse.duckdb"), read_only=True)
    try:
        return con.execute(
            "select center_id, delivery_id, received_on, outcome, reason, is_current "
            "from quality.delivery where outcome <> 'loaded' order by all"
        ).fetchall()
    finally:
        con.close()


def test_what_could_not_be_taken_from_the_inbox_is_on_record_with_its_code(study: Path) -> None:
    (study / "inbox" / "AA01" / "from June").mkdir()
    (study / "inbox" / "BB02" / "2024-08-30").mkdir()
    small_study.deliver(study, "DD04", "2024-06-20")
    outcome = run(study)

    assert (outcome.state, outcome.exit_code) == ("published", 1)
    assert failed(study) == [
        ("AA01", NO_ID, None, "failed", "NAME", False),
        ("BB02", NO_ID, dt.date(2024, 8, 30), "failed", "EMPTY", False),
        ("DD04", NO_ID, None, "failed", "NO_SPEC", False),
    ]
    lines = (study / "vault" / "log" / "loads.jsonl").read_text(encoding="utf-8").splitlines()
    (event,) = (e for e in map(json.loads, lines) if e["event"] == "deliveries")
    logged = {(d["center_id"], d["delivery_id"], d["outcome"]) for d in event["deliveries"]}
    assert {(center, NO_ID, "failed") for center in ("AA01", "BB02", "DD04")} < logged


def test_a_line_without_delivery_is_never_known_or_current(loaded_one: Path) -> None:
    (loaded_one / "inbox" / "AA01" / "from June").mkdir()
    run(loaded_one)
    log = LoadLog.read(loaded_one)
    line = log.last_outcome("AA01", NO_ID)

    assert line is not None
    assert not log.is_known("AA01", NO_ID, line.spec_hash, line.code_hash)
    (current,) = log.current("AA01")
    assert current.delivery_id != NO_ID
    assert [staged.delivery_id for staged in log.history()].count(NO_ID) == 0
    assert run(loaded_one).state == "nothing new"


def test_the_name_of_a_folder_that_is_no_center_id_is_not_published(loaded_one: Path) -> None:
    small_study.deliver(loaded_one, "Canary of Huber", "2024-06-20")
    run(loaded_one)

    assert failed(loaded_one) == [("-", NO_ID, None, "failed", "NO_SPEC", False)]


def test_a_broken_spec_and_a_missing_file_have_a_reason(study: Path) -> None:
    spec = study / "centers" / "BB02.yaml"
    spec.write_text(spec.read_text().replace("tables:", "tabels:"), encoding="utf-8")
    (study / "inbox" / "CC03" / "2024-06-14" / "risk.csv").unlink()
    outcome = run(study)

    found = {(center, outcome_, reason) for center, _, _, outcome_, reason, _ in failed(study)}
    assert found == {("BB02", "failed", "SPEC"), ("CC03", "failed", "SPEC")}
    for failure in outcome.failures:
        assert f"[{failure.code}]\n  Fix: " in failure.message
