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
from warehouse.forget import remove_patient

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


def test_rows_of_forgotten_patients_are_not_lost_and_others_are(loaded_one: Path) -> None:
    gone = ("AA01-002", "AA01-003")
    for one in gone:
        remove_patient(loaded_one, "AA01", one)
    cut = deliver_without(loaded_one, "2024-06-27", gone)
    exposure = cut / "exposure.csv"
    exposure.write_text("".join(exposure.read_text().splitlines(keepends=True)[:16]))
    deliver_without(loaded_one, "2024-06-28", gone)
    outcome = run_study(RunRequest(str(loaded_one), report=False), Silent())

    told = {d.received_on: d for d in outcome.deliveries}
    # Five drugs each of six patients; two of them went.
    assert (told["2024-06-27"].state, told["2024-06-27"].code) == ("held", "SHRINK")
    assert "15 of 20 rows of 'exposure' are left" in told["2024-06-27"].message
    assert (told["2024-06-28"].state, told["2024-06-28"].message) == ("loaded", "")


def deliver_without(root: Path, day: str, gone: tuple[str, ...]) -> Path:
    """The center's delivery of a day without the rows of some patients."""
    folder = small_study.deliver(root, "AA01", day)
    for path in folder.glob("*.csv"):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(line for line in lines if not line.startswith(gone)))
    return folder
