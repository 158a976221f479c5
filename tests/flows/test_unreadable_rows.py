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
    loaded: Path,
) -> None:
    spoil(small_study.deliver(loaded, "AA01", "2024-08-30"), keep=0)
    outcome = run_study(RunRequest(str(loaded), report=False, accept_fewer=("AA01",)), Silent())

    failed = next(d for d in outcome.deliveries if d.received_on == "2024-08-30")
    assert (failed.state, failed.code) == ("failed", "NO_ROWS")
    assert "6 rows were rejected (FIELD_COUNT 6)" in failed.message
    patients = query(loaded, "select count(*) from core.subject where center_id = 'AA01'")
    assert patients.rows == [(6,)]
    (packet,) = (loaded / "vault" / "packets" / "AA01").glob("2024-08-30_*")
    with (packet / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        found = [(r["File"], r["Row"]) for r in csv.DictReader(file) if r["Rule"] == "STR-11"]
    assert found == [("subject.csv", str(n)) for n in range(2, 8)]


def test_one_row_that_can_be_read_is_enough_to_compare_patients(loaded: Path) -> None:
    spoil(small_study.deliver(loaded, "AA01", "2024-08-30"), keep=1)
    outcome = run_study(RunRequest(str(loaded), report=False), Silent())

    held = next(d for d in outcome.deliveries if d.received_on == "2024-08-30")
    assert (held.state, held.code) == ("held", "SHRINK")


def hold_all(folder: Path, column: str, value: str) -> None:
    """Gives every row of the patients one value in a column."""
    file = folder / "subject.csv"
    with file.open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, rows[0])
        writer.writeheader()
        writer.writerows({**row, column: value} for row in rows)


def test_a_center_of_whom_nobody_would_be_left_keeps_its_earlier_state(loaded: Path) -> None:
    hold_all(small_study.deliver(loaded, "AA01", "2024-08-30"), "diagnosis_date", "2031-01-01")
    small_study.deliver(loaded, "BB02", "2024-08-30", patients=7)
    outcome = run_study(RunRequest(str(loaded), report=False), Silent())

    told = {(d.center_id, d.received_on): d for d in outcome.deliveries}
    failed = told["AA01", "2024-08-30"]
    assert (failed.state, failed.code) == ("failed", "ALL_HELD")
    assert "all 6 rows with a patient are held back or left out (DAT-06 6)" in failed.message
    assert told["BB02", "2024-08-30"].state == "loaded"
    assert outcome.state == "published"
    patients = "select center_id, count(*) from core.subject group by 1 order by 1"
    assert query(loaded, patients).rows[:2] == [("AA01", 6), ("BB02", 7)]
    (packet,) = (loaded / "vault" / "packets" / "AA01").glob("2024-08-30_*")
    with (packet / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {r["Row"] for r in csv.DictReader(file) if r["Rule"] == "DAT-06"}
    assert rows == {str(n) for n in range(2, 8)}


def test_a_new_center_of_whom_everybody_is_held_stops_no_other(study: Path) -> None:
    hold_all(study / "inbox" / "AA01" / "2024-06-14", "diagnosis_date", "2031-01-01")
    outcome = run_study(RunRequest(str(study), report=False), Silent())
    assert [d.code for d in outcome.deliveries if d.state == "failed"] == ["ALL_HELD"]
    assert outcome.state == "published"
    assert query(study, "select distinct center_id from core.subject order by 1").rows[0] == (
        "BB02",
    )
