"""Days that have not come, files that are nobody's, and centers that the study does not have."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import small_study

from flows import pull
from flows.cli import main
from flows.folder import StudyFolder
from flows.outcome import RunOutcome
from flows.run import RunRequest, run_study
from flows.show import Silent, messages
from warehouse.loads import LoadLog

pytestmark = pytest.mark.usefixtures("lenient")


@pytest.fixture
def single(tmp_path: Path) -> Path:
    """A study of one center."""
    return small_study.make_study(tmp_path / "study", ("AA01",))


def run(study: Path) -> RunOutcome:
    return run_study(RunRequest(str(study), report=False), Silent())


def test_a_delivery_of_a_future_day_is_refused_and_taken_under_its_right_day(single: Path) -> None:
    wrong = small_study.deliver(single, "AA01", "2042-09-05", patients=7)
    refused = run(single)
    (failure,) = refused.failures

    assert (refused.state, refused.exit_code) == ("published", 1)
    assert (failure.state, failure.code, failure.received_on) == ("failed", "FUTURE", "2042-09-05")
    assert "a day in the future" in failure.message
    assert "Fix: rename the folder" in failure.message
    assert [d.received_on for d in refused.deliveries if d.state == "loaded"] == ["2024-06-14"]
    assert [d.received_on for d in LoadLog.read(single).load(1).deliveries] == [
        dt.date(2024, 6, 14)
    ]

    wrong.rename(wrong.with_name("2024-09-05"))
    healed = run(single)
    assert (healed.exit_code, [d.received_on for d in healed.deliveries]) == (0, ["2024-09-05"])


def test_tomorrow_is_no_future_day_because_clocks_of_countries_differ(
    single: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "_today", lambda: dt.date(2024, 6, 13))
    assert not pull.pull_center(StudyFolder(single), "AA01").problems
    monkeypatch.setattr(pull, "_today", lambda: dt.date(2024, 6, 12))

    (problem,) = pull.pull_center(StudyFolder(single), "AA01").problems
    assert problem.code == "FUTURE"
    early = pull.pull_center(StudyFolder(single), "AA01", until=dt.date(2024, 6, 1))
    assert not early.problems, "what --until leaves alone is not judged"


def test_a_clock_that_is_behind_publishes_nothing_and_is_named(
    loaded_one: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    single = loaded_one
    published = (single / "published" / "warehouse.duckdb").read_bytes()
    small_study.deliver(single, "AA01", "2024-06-20", patients=7)
    monkeypatch.setattr(pull, "_today", lambda: dt.date(2023, 1, 5))
    behind = run(single)

    assert (behind.state, behind.exit_code) == ("nothing new", 1)
    assert [failure.code for failure in behind.failures] == ["FUTURE", "FUTURE"]
    assert "clock says 2023-01-05" in behind.failures[0].message
    assert "if it is the clock that is wrong" in behind.failures[0].message
    assert [load.load_id for load in LoadLog.read(single).loads] == [1]
    assert (single / "published" / "warehouse.duckdb").read_bytes() == published

    monkeypatch.undo()
    assert LoadLog.read(single).current("AA01")[-1].received_on == dt.date(2024, 6, 14)


def test_a_study_whose_first_deliveries_lie_ahead_of_the_clock_makes_no_load(
    single: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "_today", lambda: dt.date(2023, 1, 5))
    behind = run(single)

    assert (behind.state, behind.exit_code) == ("no delivery yet", 1)
    assert LoadLog.read(single).loads == []


def test_a_note_names_the_center_once(loaded_one: Path) -> None:
    for center_id in ("BB02", "CC03"):
        spec = small_study.spec(center_id)
        (loaded_one / "centers" / f"{center_id}.yaml").write_text(spec, encoding="utf-8")
    notes = messages(run(loaded_one)).splitlines()

    assert notes == ["note: BB02: no delivery yet", "note: CC03: no delivery yet"]


def test_a_file_beside_the_folders_of_the_centers_is_named(loaded_one: Path) -> None:
    (loaded_one / "inbox" / "2024-06-14_export.csv").write_text("id\n1\n", encoding="utf-8")
    (loaded_one / "inbox" / ".DS_Store").write_text("litter", encoding="utf-8")
    outcome = run(loaded_one)

    (note,) = outcome.messages
    assert note.startswith("note: inbox/2024-06-14_export.csv belongs to no center and is not read")
    assert note in messages(outcome)
    assert outcome.exit_code == 0


def test_a_center_of_the_report_order_that_nobody_knows_is_named(loaded_one: Path) -> None:
    with (loaded_one / "study.yaml").open("a", encoding="utf-8") as file:
        file.write("centers: [AA01, AT99]\n")
    (note,) = run(loaded_one).messages

    assert "names the center 'AT99' under 'centers'" in note


def test_accepting_fewer_patients_of_an_unknown_center_is_refused(
    single: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(single), "--accept-fewer", "AT99"]) == 2
    assert "The study has no center 'AT99'. Its centers: AA01." in capsys.readouterr().err
