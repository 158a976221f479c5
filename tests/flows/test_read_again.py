"""A delivery that is read again, because its spec changed, is compared with what stood before it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
import small_study

from flows.outcome import RunOutcome
from flows.run import RunRequest, run_study
from flows.show import Silent
from tests.flows import lenient_runs

pytestmark = pytest.mark.usefixtures("lenient")


def two_deliveries(root: Path) -> Path:
    small_study.make_study(root, ("AA01",))
    small_study.deliver(root, "AA01", "2024-08-30", patients=5)
    return root


@pytest.fixture(scope="module")
def both_read(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of one center with six patients in June and five in August, after a run; nobody writes into it."""
    root = two_deliveries(tmp_path_factory.mktemp("both") / "study")
    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.let_all_pass(patch)
        assert run(root).exit_code == 0
    return root


@pytest.fixture
def read_once(both_read: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(both_read, tmp_path / "study"))


def run(study: Path, **options: Any) -> RunOutcome:
    return run_study(RunRequest(str(study), report=False, **options), Silent())


def missing_patients(study: Path) -> int:
    """Findings of STR-12 in the delivery in force."""
    con = duckdb.connect(str(study / "published" / "warehouse.duckdb"), read_only=True)
    try:
        rows = con.execute(
            "select count(*) from quality.finding f join quality.delivery d using (delivery_key) "
            "where f.rule_id = 'STR-12' and d.is_current"
        ).fetchall()
        return int(rows[0][0])
    finally:
        con.close()


def comment(study: Path) -> None:
    with (study / "centers" / "AA01.yaml").open("a", encoding="utf-8") as file:
        file.write("# a comment\n")


def keep_only(study: Path, ids: str) -> None:
    """Changes the spec so that other patients of the file of patients are left out."""
    spec = study / "centers" / "AA01.yaml"
    text = spec.read_text(encoding="utf-8")
    source = "subject: {file: subject.csv, patient_id: id"
    assert source in text
    rule = f', exclude: [{{reason: other_study, id_does_not_match: "{ids}"}}]'
    spec.write_text(text.replace(source, source + rule), encoding="utf-8")


def test_patients_that_are_gone_stay_findings_when_the_delivery_is_read_again(
    read_once: Path,
) -> None:
    assert missing_patients(read_once) == 1
    comment(read_once)
    outcome = run(read_once)

    assert [(d.received_on, d.state) for d in outcome.deliveries] == [("2024-08-30", "loaded")]
    assert missing_patients(read_once) == 1
    comment(read_once)
    run(read_once)
    assert missing_patients(read_once) == 1


def test_a_correction_of_the_same_day_is_compared_with_what_it_corrects(read_once: Path) -> None:
    for file in (read_once / "inbox" / "AA01" / "2024-08-30").iterdir():
        file.unlink()
    (read_once / "inbox" / "AA01" / "2024-08-30").rmdir()
    small_study.deliver(read_once, "AA01", "2024-08-30", patients=4)
    run(read_once)
    assert missing_patients(read_once) == 1
    comment(read_once)
    run(read_once)

    assert missing_patients(read_once) == 1, "the five of the first file of that day, not the six"


def test_what_was_accepted_with_fewer_patients_is_not_held_when_it_is_read_again(
    tmp_path: Path,
) -> None:
    single = two_deliveries(tmp_path / "study")
    small_study.deliver(single, "AA01", "2024-09-30", patients=2)
    assert run(single).exit_code == 1
    assert run(single, accept_fewer=("AA01",)).exit_code == 0
    comment(single)
    outcome = run(single)

    assert [d.state for d in outcome.deliveries] == ["loaded"]
    assert missing_patients(single) == 3


def test_a_change_of_the_spec_that_loses_many_patients_is_held(read_once: Path) -> None:
    keep_only(read_once, "AA01-00[1-3]")
    outcome = run(read_once)

    (held,) = outcome.failures
    assert (held.state, held.code, outcome.exit_code) == ("held", "SHRINK", 1)
    assert "loses 2 of the 5 patients that its last reading had" in held.message
    assert "the spec" in held.message.partition("Fix: ")[2]
    assert missing_patients(read_once) == 1


def test_a_change_of_the_spec_that_loses_a_patient_is_said(read_once: Path) -> None:
    keep_only(read_once, "AA01-00[1-4]")
    outcome = run(read_once)

    (read,) = outcome.deliveries
    assert read.state == "loaded"
    assert "1 patient(s) fewer than before" in read.message
    assert missing_patients(read_once) == 2
