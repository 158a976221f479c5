"""Ways in which a withdrawn patient could come back: another spelling, lost tombstones, a delivery that failed."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest
import small_study

from flows.cli import main
from flows.forget import another_patient, forget_patient
from flows.history import _verify
from flows.outcome import RunOutcome
from flows.run import RunRequest, run_study
from flows.show import Silent, messages
from schemas.errors import StudyError
from tests.flows import lenient_runs
from transforms.harmonize.privacy_withdrawn import Withdrawn, read_marks, spelling_key
from warehouse.pseudonyms import Pseudonymizer
from warehouse.trail import entries_of, head_file, problems_of

pytestmark = pytest.mark.usefixtures("lenient")
CENTER, PATIENT = "AA01", "AA01-002"


def run(study: Path) -> RunOutcome:
    return run_study(RunRequest(str(study), report=False), Silent())


@pytest.fixture(scope="module")
def after_forgetting(first_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study after its first run whose patient has been forgotten; nobody writes into it."""
    made = tmp_path_factory.mktemp("forgotten") / "study"
    study = Path(shutil.copytree(first_run, made, symlinks=True))
    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.let_all_pass(patch)
        forget_patient(study, CENTER, PATIENT)
    return study


@pytest.fixture
def forgotten(after_forgetting: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(after_forgetting, tmp_path / "study", symlinks=True))


@pytest.fixture(scope="module")
def after_a_look_alike(after_forgetting: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after another run, which held the rows of one of seven patients, who looks like the forgotten one."""
    made = tmp_path_factory.mktemp("alike") / "study"
    study = Path(shutil.copytree(after_forgetting, made, symlinks=True))
    deliver_as(study, "2024-06-20", "aa01-002", patients=7)
    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.let_all_pass(patch)
        assert "held back" in messages(run(study))
    return study


@pytest.fixture
def held(after_a_look_alike: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(after_a_look_alike, tmp_path / "study", symlinks=True))


def rows(study: Path, statement: str) -> list[tuple[object, ...]]:
    con = duckdb.connect(str(study / "published" / "warehouse.duckdb"), read_only=True)
    try:
        return con.execute(statement).fetchall()
    finally:
        con.close()


def loaded_subjects(study: Path) -> int:
    found = rows(study, f"SELECT count(*) FROM core.subject WHERE center_id = '{CENTER}'")
    return int(str(found[0][0]))


def deliver_as(study: Path, day: str, spelling: str, patients: int = 6) -> None:
    """A delivery in which the patient has another spelling."""
    for path in small_study.deliver(study, CENTER, day, patients).glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            cells = [[spelling if c == PATIENT else c for c in row] for row in csv.reader(file)]
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(cells)


def lose_tombstones(study: Path) -> None:
    (study / "vault" / "withdrawn.json").unlink()


# Other spellings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelling",
    ["aa01-002", "AA01 002", "AA01–002", "AA01_2", "AA1-2", "ＡＡ01-002", "Ää01-002", "AA01-002."],
)
def test_spellings_of_one_id_share_a_key(spelling: str) -> None:
    assert spelling_key(spelling) == spelling_key(PATIENT)


@pytest.mark.parametrize(
    ("one", "other"),
    [("AA01-002", "AA01-020"), ("1-11", "11-1"), ("A-12", "A-1-2"), ("AB", "A-B"), ("10", "1")],
)
def test_ids_of_two_patients_do_not(one: str, other: str) -> None:
    assert spelling_key(one) != spelling_key(other)


def test_a_number_that_went_through_a_spreadsheet_is_the_same_and_no_id_is_empty() -> None:
    assert spelling_key("0012") == spelling_key("12.0") == "12"
    assert spelling_key("0.5") != spelling_key("5")
    assert spelling_key("<>") == "<>"


def test_another_spelling_of_a_withdrawn_patient_is_held_and_told_of_at_each_run(
    forgotten: Path,
) -> None:
    deliver_as(forgotten, "2024-06-20", "aa01-2", patients=7)
    first, again = run(forgotten), run(forgotten)

    assert loaded_subjects(forgotten) == 6  # seven came
    held = rows(
        forgotten,
        "SELECT sum(n_rows) FROM quality.ledger l JOIN quality.delivery USING (delivery_key) "
        "WHERE is_current AND step = 'read' AND l.outcome = 'quarantined' AND l.reason = 'withdrawn_alike'",
    )
    assert held == [
        (12,)
    ]  # subject, infusion, risk, relapse, line, follow-up, response: 1; drugs: 5
    assert rows(forgotten, "FROM quality.ledger_balance") == []
    for outcome in (first, again):
        assert "12 row(s) of the delivery of 2024-06-20 are held back" in messages(outcome)
        assert "--another-patient" in messages(outcome)
    asked = rows(
        forgotten,
        "SELECT count(*), count(usubjid) FROM quality.finding WHERE rule_id = 'STR-04'",
    )
    assert asked == [(8, 0)]  # one a file, and none names the patient
    ids = pl.read_parquet(forgotten / "vault" / "id_map.parquet")["patient_id"]
    assert "aa01-2" not in ids


def test_the_held_spelling_can_be_forgotten_too(held: Path) -> None:
    done = forget_patient(held, CENTER, "aa01-002")
    assert any("2024-06-20" in place for place in done.deliveries)
    deliver_as(held, "2024-06-21", "aa01-002", patients=8)

    assert "held back" not in messages(run(held))
    assert loaded_subjects(held) == 7  # eight came


def test_an_id_that_is_another_patients_is_loaded_once_somebody_has_said_so(held: Path) -> None:
    told = another_patient(held, CENTER, "aa01-002")
    healed = run(held)

    assert told.complete
    assert (healed.state, "held back" in messages(healed)) == ("published", False)
    assert loaded_subjects(held) == 7
    assert entries_of(held)[-2]["marks"][0].startswith("other:")
    for one in ("AA01-777", PATIENT):  # looks like nobody; is the patient
        with pytest.raises(StudyError, match="looks like that of no other patient"):
            another_patient(held, CENTER, one)


# Lost tombstones ----------------------------------------------------------------------------------


def test_tombstones_that_were_deleted_come_back_from_the_trail(
    forgotten: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marks = read_marks(forgotten)
    assert _verify(forgotten) == []
    lose_tombstones(forgotten)
    (problem,) = _verify(forgotten)
    assert "2 mark(s) of patients who have withdrawn" in problem
    small_study.deliver(forgotten, CENTER, "2024-06-20", patients=7)
    run(forgotten)

    assert loaded_subjects(forgotten) == 6
    assert {c: set(m) for c, m in read_marks(forgotten).items()} == {
        c: set(m) for c, m in marks.items()
    }
    assert "had lost 1 patient(s) who have withdrawn; they are restored" in capsys.readouterr().err
    assert _verify(forgotten) == []
    assert entries_of(forgotten)[-2]["outcome"] == "restored"


def test_a_vault_from_an_older_backup_learns_the_tombstones_from_the_head_of_the_trail(
    loaded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(loaded / "vault", tmp_path / "backup", symlinks=True)
    forget_patient(loaded, CENTER, PATIENT)
    word = Pseudonymizer.of_study(loaded, "SMALL").usubjid(CENTER, PATIENT)
    shutil.rmtree(loaded / "vault")
    shutil.copytree(tmp_path / "backup", loaded / "vault", symlinks=True)
    assert any("withdrawn" in problem for problem in _verify(loaded))
    outcome = run(loaded)

    told = capsys.readouterr().err
    assert "1 of them had been loaded again and are taken out" in told
    assert outcome.state == "published"
    assert loaded_subjects(loaded) == 5
    assert rows(loaded, f"SELECT count(*) FROM core.subject WHERE usubjid = '{word}'") == [(0,)]
    assert PATIENT not in pl.read_parquet(loaded / "vault" / "id_map.parquet")["patient_id"]
    assert json.loads(head_file(loaded).read_text())["withdrawn"] == {
        center: sorted(marks) for center, marks in read_marks(loaded).items()
    }
    (broken,) = problems_of(loaded)  # that the vault was an older one stays in the trail
    assert "line 2 of the trail tells of a break before it: it was to end with entry 2" in broken


def test_a_damaged_list_of_tombstones_stops_the_run_and_can_be_written_again(
    forgotten: Path,
) -> None:
    (forgotten / "vault" / "withdrawn.json").write_text("{")
    with pytest.raises(StudyError, match=r"withdrawn\.json is damaged") as caught:
        run(forgotten)
    assert "written again from the audit trail" in caught.value.fix
    lose_tombstones(forgotten)
    run(forgotten)
    assert set(read_marks(forgotten)) == {CENTER}


# Deliveries that failed, and nobody yet -------------------------------------------------------------


def test_a_patient_of_a_failed_delivery_alone_is_forgotten_there(loaded: Path) -> None:
    failed = small_study.deliver(loaded, CENTER, "2024-06-20", patients=8)
    (failed / "subject.csv").write_text("id\n1;2;3\nAA01-008,F\n", encoding="utf-8")
    assert [d.state for d in run(loaded).failures] == ["failed"]
    before = (loaded / "published" / "warehouse.duckdb").read_bytes()
    done = forget_patient(loaded, CENTER, "AA01-008", delete_deliveries=True)

    assert (done.rows, done.load_id, done.complete) == (0, None, True)
    assert not done.in_advance
    assert f"inbox/{CENTER}/2024-06-20" in done.files_removed
    assert any(place.startswith(f"vault/deliveries/{CENTER}/") for place in done.files_removed)
    assert not failed.exists()
    assert (loaded / "inbox" / CENTER / "2024-06-14").is_dir()
    assert (loaded / "published" / "warehouse.duckdb").read_bytes() == before
    small_study.deliver(loaded, CENTER, "2024-06-21", patients=8)
    run(loaded)
    assert loaded_subjects(loaded) == 7


def test_somebody_of_whom_nothing_came_is_entered_in_advance_on_purpose_only(
    loaded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["forget", str(loaded), CENTER, "AA01-007"]
    assert main(command) == 2
    assert "add --in-advance" in capsys.readouterr().err
    assert main([*command, "--in-advance"]) == 0
    assert "entered in advance: nothing of the study holds this id" in capsys.readouterr().out
    small_study.deliver(loaded, CENTER, "2024-06-20", patients=8)
    run(loaded)

    assert loaded_subjects(loaded) == 7


def test_outputs_of_states_with_the_patient_are_named(
    loaded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = loaded / "published" / "report-external"
    outside.mkdir()
    (outside / "report.html").write_text("<p>139 patients</p>", encoding="utf-8")
    assert main(["forget", str(loaded), CENTER, PATIENT]) == 0
    told = capsys.readouterr().out

    assert "made of states with the patient" in told
    assert "\n  published/report-external\n" in told
    assert "published/warehouse.duckdb" not in told


def test_the_mark_of_an_id_does_not_lead_to_that_of_its_spellings() -> None:
    withdrawn = Withdrawn(CENTER, b"k" * 32, frozenset())
    elsewhere = Withdrawn("BB02", b"k" * 32, frozenset())
    assert withdrawn.alike("aa01-2") == withdrawn.alike(PATIENT) != elsewhere.alike(PATIENT)
    assert withdrawn.mark(PATIENT) not in withdrawn.alike(PATIENT)
