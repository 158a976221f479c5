"""A delivery of whose patients no row can be taken apart."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import small_study

from flows.run import RunRequest, run_study
from flows.show import Silent
from warehouse.connect import query

pytestmark = pytest.mark.usefixtures("lenient")


def spoil(folder: Path, keep: int) -> None:
    """Gives every row of the patients after the first `keep` one field too many."""
    file = folder / "subject.csv"
    header, *rows = file.read_text(encoding="utf-8").splitlines()
    spoilt = [row + ("" if n < keep else ",x") for n, row in enumerate(rows)]
    file.write_text("\n".join([header, *spoilt]) + "\n", encoding="utf-8")


def test_rows_that_cannot_be_taken_apart_fail_the_delivery_and_reach_the_center(
    study: Path,
) -> None:
    run_study(RunRequest(str(study), report=False), Silent())
    spoil(small_study.deliver(study, "AA01", "2024-08-30"), keep=0)
    outcome = run_study(RunRequest(str(study), report=False, accept_fewer=("AA01",)), Silent())

    failed = next(d for d in outcome.deliveries if d.received_on == "2024-08-30")
    assert (failed.state, failed.code) == ("failed", "NO_ROWS")
    assert "6 rows were rejected (FIELD_COUNT 6)" in failed.message
    patients = query(study, "select count(*) from core.subject where center_id = 'AA01'")
    assert patients.rows == [(6,)]
    (packet,) = (study / "vault" / "packets" / "AA01").glob("2024-08-30_*")
    with (packet / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        found = [(r["File"], r["Row"]) for r in csv.DictReader(file) if r["Rule"] == "STR-11"]
    assert found == [("subject.csv", str(n)) for n in range(2, 8)]


def test_one_row_that_can_be_read_is_enough_to_compare_patients(study: Path) -> None:
    run_study(RunRequest(str(study), report=False), Silent())
    spoil(small_study.deliver(study, "AA01", "2024-08-30"), keep=1)
    outcome = run_study(RunRequest(str(study), report=False), Silent())

    held = next(d for d in outcome.deliveries if d.received_on == "2024-08-30")
    assert (held.state, held.code) == ("held", "SHRINK")
