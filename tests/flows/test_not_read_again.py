"""Deliveries whose files were deleted with a patient: a change that would have them read again is told, in every run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import small_study

from flows import cli, not_read_again
from flows.forget import forget_patient
from flows.outcome import NOTHING_NEW, PUBLISHED, RunOutcome
from flows.run import RunRequest, run_study
from flows.show import Silent, messages, summary
from tests.flows import lenient_runs

CENTER, PATIENT = "AA01", "AA01-002"
NOTE = (
    "note: AA01: its spec, study.yaml or Carmony has changed since its delivery of 2024-06-14 was read, and the "
    "files are no longer kept (as after 'carmony forget --delete-deliveries'): what is published of it is as "
    "read before; the change takes effect with the next delivery"
)


@pytest.fixture(scope="module")
def forgotten(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of which a patient was forgotten with the deliveries of the center; nobody writes into it."""
    root = small_study.make_study(tmp_path_factory.mktemp("forgotten") / "study", (CENTER, "BB02"))
    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.let_all_pass(patch)
        run(root)
        assert forget_patient(root, CENTER, PATIENT, delete_deliveries=True).complete
    return root


@pytest.fixture
def study(forgotten: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lenient_runs.let_all_pass(monkeypatch)
    return Path(shutil.copytree(forgotten, tmp_path / "study"))


def run(study: Path) -> RunOutcome:
    outcome = run_study(RunRequest(str(study), report=False), Silent())
    assert outcome.exit_code == 0
    return outcome


def change(path: Path) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("# another line\n")


def test_without_a_change_nothing_is_told(study: Path) -> None:
    outcome = run(study)

    assert (outcome.state, outcome.not_read_again) == (NOTHING_NEW, [])
    assert "nothing new: what is published is up to date" in summary(outcome)


def test_a_changed_spec_is_told_in_every_run_until_a_delivery_comes(study: Path) -> None:
    change(study / "centers" / f"{CENTER}.yaml")
    for outcome in (run(study), run(study)):
        assert outcome.state == NOTHING_NEW
        assert NOTE in messages(outcome).splitlines()
        assert "up to date" not in summary(outcome)

    small_study.deliver(study, CENTER, "2024-06-20", patients=7)
    outcome = run(study)
    assert (outcome.state, outcome.not_read_again) == (PUBLISHED, [])


def test_the_command_says_so_and_ends_well(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(study / "centers" / f"{CENTER}.yaml")

    assert cli.main(["run", str(study), "--no-report"]) == 0
    told = capsys.readouterr()
    assert NOTE in (told.out + told.err).splitlines()
    assert "up to date" not in told.out + told.err


def test_a_changed_data_cut_is_told_of_the_center_that_cannot_be_read_again(study: Path) -> None:
    settings = study / "study.yaml"
    settings.write_text(settings.read_text().replace("2024-06-30", "2024-06-25"))

    outcome = run(study)

    assert outcome.state == PUBLISHED  # BB02 is read again
    assert outcome.not_read_again == [NOTE]


def test_another_version_of_the_program_is_told(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(not_read_again, "staging_code", lambda: "another")

    assert not_read_again.notes(str(study), [CENTER]) == [NOTE]


def test_of_deliveries_that_add_up_each_day_is_named(study: Path) -> None:
    spec = study / "centers" / f"{CENTER}.yaml"
    spec.write_text("mode: append\n" + spec.read_text())
    small_study.deliver(study, CENTER, "2024-06-20", patients=7)
    run(study)
    forget_patient(study, CENTER, "AA01-003", delete_deliveries=True)
    change(spec)

    [told] = run(study).not_read_again

    assert "its deliveries of 2024-06-14, 2024-06-20 were read" in told
    assert told.endswith("the change takes effect for what the center sends again")
