"""Real deliveries that lack something: nothing that could not be judged is taken for corrected."""

from __future__ import annotations

import copy
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import sending_help  # noqa: E402
from rounds_case import Rounds, patient  # noqa: E402

BEFORE_INFUSION = "2023-01-05"


@pytest.fixture(autouse=True)
def lenient() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        sending_help.let_all_pass(patch)
        yield


def with_optional_parts(spec: str) -> str:
    """A column and a file may be missing."""
    spec = spec.replace("birth_year: birth_year", "birth_year: {column: birth_year, optional: yes}")
    return spec.replace("risk.csv, patient_id: id}", "risk.csv, patient_id: id, optional: yes}")


def test_what_cannot_be_judged_stays_open_until_it_can(tmp_path: Path) -> None:
    study = Rounds(tmp_path / "study", with_optional_parts)
    study.row("subject", 1)["birth_year"] = "1850"
    study.row("response", 1)["category"] = "Bananen"
    for n in (2, 4, 5):
        study.row("relapse", n)["relapse_date"] = BEFORE_INFUSION
    study.rows["risk"] = [study.row("risk", 7) | {"mycare": "Bananen"}]  # few rows may be gone
    study.row("exposure", 8)["exposed"] = "Bananen"
    study.row("treatment_line", 10)["regimen_text"] = "Quatsch"
    study.row("response", 11)["category"] = "Bananen"
    study.deliver("2024-06-14")
    assert study.run().exit_code == 0
    asked = {("1", "STR-06"), ("1", "RSP-01"), ("2", "DAT-13"), ("4", "DAT-13"), ("5", "DAT-13"),
             ("7", "STR-06"), ("8", "STR-06"), ("10", "SAL-01"), ("11", "RSP-01")}  # fmt: skip
    first = study.outcomes()
    assert {key: first[key] for key in asked} == dict.fromkeys(asked, "new")
    study.confirm(11, "RSP-01")
    sent = copy.deepcopy(study.rows)

    # A column and a file are gone, values of another table unreadable, empty or gone with their row, a row cannot
    # be read, a record is replaced by one of another line or kind, the date of a confirmed one is corrected.
    study.remove("response", 1)
    new = {
        "line_number": "1",
        "kind": "PROGRESSION",
        "response_date": "2024-05-01",
        "category": "PD",
    }
    study.rows["response"].append({"id": patient(1), **new})
    study.row("infusion", 2)["infusion_date"] = "bananas"
    study.row("infusion", 4)["infusion_date"] = ""
    study.remove("infusion", 5)
    study.row("treatment_line", 10).update(line_number="2", regimen_text="Talquetamab")
    moved = study.row("response", 11)
    moved["response_date"] = moved["response_date"][:-2] + "15"
    folder = study.deliver("2024-06-15", without=["risk"], columns_gone={"subject": "birth_year"})
    file = folder / "exposure.csv"
    text = file.read_text(encoding="utf-8")
    assert text.count("Bananen,") == 1
    file.write_text(text.replace("Bananen,", "Bananen,x,"), encoding="utf-8")
    assert study.run().exit_code == 0
    unjudged = {("1", "STR-06"), ("2", "DAT-13"), ("4", "DAT-13"), ("7", "STR-06"), ("8", "STR-06")}
    withdrawn = {("1", "RSP-01"), ("5", "DAT-13"), ("10", "SAL-01")}
    foretold = {
        **dict.fromkeys(unjudged, "not_judged"),
        **dict.fromkeys(withdrawn, "withdrawn"),
        ("11", "RSP-01"): "confirmed",
    }
    second = study.outcomes()
    assert {key: second[key] for key in asked} == foretold
    changes = study.ask(
        'select "table", level, change, asked, n from quality.delivery_change '
        "where \"column\" = 'birth_year'"
    )
    assert changes == [("subject", "column", "removed", False, 1)]

    # A delivery that fails tells nothing new.
    failing = study.deliver("2024-06-16", without=["relapse"])
    assert study.run().exit_code == 1
    third = study.outcomes()
    assert {key: third.get(key) for key in unjudged} == dict.fromkeys(unjudged, "not_judged")

    # And all of it is back, as wrong as it was.
    shutil.rmtree(failing)
    sent["response"] = study.rows["response"]
    study.rows = sent
    study.deliver("2024-06-17")
    assert study.run().exit_code == 0
    last = study.outcomes()
    assert {key: last[key] for key in unjudged} == dict.fromkeys(unjudged, "still_failing")
    assert (last["5", "DAT-13"], last["10", "SAL-01"]) == ("reopened", "reopened")
    assert last["11", "RSP-01"] == "confirmed"
    assert study.ask("select rule_id, holds from quality.exception") == [("RSP-01", True)]


def adding(spec: str) -> str:
    """The center adds to what it sent, and sends only some files."""
    spec = spec.replace("patient_id: id}", "patient_id: id, optional: yes}")
    return spec.replace("dates:", "mode: append\ndates:", 1)


def test_a_record_in_a_delivery_that_the_rule_could_not_judge_is_not_corrected(
    tmp_path: Path,
) -> None:
    study = Rounds(tmp_path / "study", adding, patients=6)
    for n in (4, 5):
        study.row("relapse", n)["relapse_date"] = BEFORE_INFUSION
    study.deliver("2024-06-14")
    assert study.run().exit_code == 0
    wrong = {("4", "DAT-13"), ("5", "DAT-13")}
    first = study.outcomes()
    assert {key: first[key] for key in wrong} == dict.fromkeys(wrong, "new")

    # One is corrected, the other is not; the infusions, with which they are compared, stand in the other delivery.
    study.row("relapse", 4)["relapse_date"] = "2023-09-06"
    study.row("relapse", 5)["relapse_date"] = "2023-01-06"
    infusions = study.rows["infusion"]
    sent = ("subject", "relapse", "follow_up")
    some = [patient(4), patient(5)]
    study.rows = {n: [r for r in study.rows[n] if r["id"] in some] for n in sent}
    study.deliver("2024-06-15")
    assert study.run().exit_code == 0
    second = study.outcomes()
    assert {key: second[key] for key in wrong} == dict.fromkeys(wrong, "not_judged")

    # With the infusions beside them they are judged.
    study.rows["infusion"] = [row for row in infusions if row["id"] in some]
    study.deliver("2024-06-16")
    assert study.run().exit_code == 0
    third = study.outcomes()
    assert third["4", "DAT-13"] == "resolved"
    assert third["5", "DAT-13"] == "changed_still_failing"
