"""A delivery whose files were cut is held, and who is missing is told."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from flows.folder import StudyFolder
from flows.outcome import DeliveryOutcome
from flows.run import RunRequest, run_study
from flows.show import Silent
from tests.flows import small_study

pytestmark = pytest.mark.usefixtures("lenient")


def second_delivery(root: Path, file: str, rows_left: int) -> DeliveryOutcome:
    """The outcome of a delivery that is the first one, but for a file that was cut."""
    folder = small_study.deliver(root, "AA01", "2024-06-28")
    path = folder / file
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[: rows_left + 1]), encoding="utf-8")
    outcome = run_study(RunRequest(str(root), report=False), Silent())
    (told,) = [d for d in outcome.deliveries if d.center_id == "AA01"]
    return told


def test_a_file_that_lost_a_third_of_its_rows_holds_the_delivery(loaded: Path) -> None:
    told = second_delivery(loaded, "exposure.csv", 20)
    assert (told.state, told.code) == ("held", "SHRINK")
    assert "20 of 30 rows of 'exposure' are left" in told.message
    assert "--accept-fewer" in told.message


def test_a_file_that_lost_a_tenth_of_its_rows_is_loaded(loaded: Path) -> None:
    assert second_delivery(loaded, "exposure.csv", 27).state == "loaded"


def test_the_packet_of_a_held_delivery_names_the_patients_that_are_gone(loaded: Path) -> None:
    told = second_delivery(loaded, "subject.csv", 3)
    assert (told.state, told.code) == ("held", "SHRINK")
    assert "3 of 6 patients" in told.message
    packets = StudyFolder(loaded).vault / "packets" / "AA01"
    (packet,) = packets.glob("2024-06-28_*/findings.csv")
    with packet.open(encoding="utf-8-sig", newline="") as file:
        gone = {row["Patient"] for row in csv.DictReader(file) if row["Rule"] == "STR-12"}
    assert gone == {"AA01-004", "AA01-005", "AA01-006"}
