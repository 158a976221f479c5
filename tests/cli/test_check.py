from __future__ import annotations

import datetime as dt
import json
import sys
import tempfile
from pathlib import Path

import pytest

from flows.cli import main

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))

import small_study  # noqa: E402


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return small_study.make_study(tmp_path / "study", ("AA01",))


def check(study: Path, *options: str) -> int:
    delivery = study / "inbox" / "AA01" / "2024-06-14"
    return main(["check", str(delivery), "--spec", str(study / "centers" / "AA01.yaml"), *options])


def test_a_clean_delivery_has_no_errors(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(study) == 0
    assert "74 rows read, 0 would be held back; 0 errors" in capsys.readouterr().out


def test_errors_come_with_rule_and_address_and_exit_code_1(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = study / "inbox" / "AA01" / "2024-06-14" / "follow_up.csv"
    rows = file.read_text().splitlines()
    rows[3] = rows[3].replace("DEAD,", "DEAD,31.31.2023-")
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")

    assert check(study, "--json") == 1
    result = json.loads(capsys.readouterr().out)
    (error,) = (f for f in result["findings"] if f["severity"] == "error")
    assert error["rule_id"] == "DAT-01"
    assert error["fields"] == [
        {"file": "follow_up.csv", "sheet": None, "row": 4, "column": "death_date"}
    ]


def test_the_output_of_check_holds_no_value(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = study / "inbox" / "AA01" / "2024-06-14" / "follow_up.csv"
    file.write_text(file.read_text().replace("DEAD,", "DEAD,Canary-"), encoding="utf-8")
    check(study)
    text = "".join(capsys.readouterr())

    assert "DAT-01" in text
    assert "Canary" not in text
    assert "AA01-0" not in text


def test_a_spec_that_is_not_there_is_named(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    delivery = study / "inbox" / "AA01" / "2024-06-14"

    assert main(["check", str(delivery), "--spec", str(tmp_path / "nothere.yaml")]) == 2
    shown = capsys.readouterr().err
    assert "nothere.yaml' is not there" in shown
    assert "study.yaml" not in shown


def test_check_stores_nothing(study: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    before = sorted(study.rglob("*"))
    check(study)

    assert sorted(study.rglob("*")) == before
    assert not list(scratch.glob("carmony-check-*"))


def test_a_missing_file_or_study_gives_one_message(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = study / "centers" / "AA01.yaml"
    lonely = tmp_path / "elsewhere" / "AA01.yaml"
    lonely.parent.mkdir()
    lonely.write_text(spec.read_text(), encoding="utf-8")
    delivery = study / "inbox" / "AA01" / "2024-06-14"

    assert main(["check", str(tmp_path / "no.csv"), "--spec", str(spec)]) == 2
    assert main(["check", str(delivery), "--spec", str(lonely)]) == 2
    errors = capsys.readouterr().err
    assert "no.csv' does not exist" in errors
    assert "No study.yaml" in errors
    assert "Traceback" not in errors


def test_check_says_which_date_it_used_and_takes_it_from_the_folder(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = str(study / "centers" / "AA01.yaml")
    dated = study / "2024-07-01"
    dated.mkdir()
    sent = (study / "inbox" / "AA01" / "2024-06-14").rename(dated / "export")

    assert main(["check", str(sent), "--spec", spec]) == 0
    assert "checked as received on 2024-07-01, export of 2024-07-01" in capsys.readouterr().out
    assert main(["check", str(sent), "--spec", spec, "--received", "2024-08-02", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["received_on"], result["export_date"]) == ("2024-08-02", "2024-08-02")
    sent = sent.rename(study / "export")
    assert main(["check", str(sent), "--spec", spec]) == 0
    assert f"checked as received on {dt.date.today()}" in capsys.readouterr().out


def test_the_day_of_receipt_decides_which_dates_lie_in_the_future(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(study, "--received", "2024-05-01") == 1  # last contacts are of 2024-06-01
    assert "error DAT-" in capsys.readouterr().out
    assert check(study) == 0


def test_a_received_day_that_is_no_date_is_wrong_usage(study: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        check(study, "--received", "14.06.2024")
    assert ended.value.code == 2
