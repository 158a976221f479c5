"""A delivery that is read again, because its spec changed, is compared with what stood before it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
import small_study

from flows.outcome import RunOutcome
from flows.run import RunRequest, run_study
from flows.show import Silent

pytestmark = pytest.mark.usefixtures("lenient")


@pytest.fixture
def single(tmp_path: Path) -> Path:
    """A study of one center with six patients in June and five in August."""
    root = small_study.make_study(tmp_path / "study", ("AA01",))
    small_study.deliver(root, "AA01", "2024-08-30", patients=5)
    return root


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
    single: Path,
) -> None:
    run(single)
    assert missing_patients(single) == 1
    comment(single)
    outcome = run(single)

    assert [(d.received_on, d.state) for d in outcome.deliveries] == [("2024-08-30", "loaded")]
    assert missing_patients(single) == 1
    comment(single)
    run(single)
    assert missing_patients(single) == 1


def test_a_correction_of_the_same_day_is_compared_with_what_it_corrects(single: Path) -> None:
    run(single)
    for file in (single / "inbox" / "AA01" / "2024-08-30").iterdir():
        file.unlink()
    (single / "inbox" / "AA01" / "2024-08-30").rmdir()
    small_study.deliver(single, "AA01", "2024-08-30", patients=4)
    run(single)
    assert missing_patients(single) == 1
    comment(single)
    run(single)

    assert missing_patients(single) == 1, "the five of the first file of that day, not the six"


def test_what_was_accepted_with_fewer_patients_is_not_held_when_it_is_read_again(
    single: Path,
) -> None:
    small_study.deliver(single, "AA01", "2024-09-30", patients=2)
    assert run(single).exit_code == 1
    assert run(single, accept_fewer=("AA01",)).exit_code == 0
    comment(single)
    outcome = run(single)

    assert [d.state for d in outcome.deliveries] == ["loaded"]
    assert missing_patients(single) == 3


def test_a_change_of_the_spec_that_loses_many_patients_is_held(single: Path) -> None:
    run(single)
    keep_only(single, "AA01-00[1-3]")
    outcome = run(single)

    (held,) = outcome.failures
    assert (held.state, held.code, outcome.exit_code) == ("held", "SHRINK", 1)
    assert "loses 2 of the 5 patients that its last reading had" in held.message
    assert "the spec" in held.message.partition("Fix: ")[2]
    assert missing_patients(single) == 1


def test_a_change_of_the_spec_that_loses_a_patient_is_said(single: Path) -> None:
    run(single)
    keep_only(single, "AA01-00[1-4]")
    outcome = run(single)

    (read,) = outcome.deliveries
    assert read.state == "loaded"
    assert "1 patient(s) fewer than before" in read.message
    assert missing_patients(single) == 2
