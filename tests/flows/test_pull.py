from __future__ import annotations

import datetime as dt
import os
import stat
from pathlib import Path

import pytest

from flows import pull
from flows.folder import StudyFolder


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    (tmp_path / "inbox" / "AA01").mkdir(parents=True)
    return StudyFolder(tmp_path)


def put(folder: StudyFolder, name: str, content: str = "id;sex\n1;F\n") -> Path:
    path = folder.inbox / "AA01" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def test_a_folder_named_by_a_date_is_a_delivery_of_that_day(folder: StudyFolder) -> None:
    put(folder, "2024-06-14/patients.csv")
    put(folder, "2024-06-14/deep/labs.csv")

    (delivery,) = pull.pull_center(folder, "AA01").deliveries

    assert delivery.received_on == dt.date(2024, 6, 14)
    assert [file.name for file in delivery.files] == ["deep/labs.csv", "patients.csv"]
    assert (delivery.path / "deep" / "labs.csv").read_text() == "id;sex\n1;F\n"


def test_a_single_file_or_zip_named_by_a_date_is_a_delivery(folder: StudyFolder) -> None:
    put(folder, "2024-06-14.zip", "zip")
    put(folder, "2024-07-01_export of July.csv", "csv")

    found = pull.pull_center(folder, "AA01").deliveries

    assert [[file.name for file in d.files] for d in found] == [
        ["2024-06-14.zip"],
        ["2024-07-01_export of July.csv"],
    ]


def test_deliveries_come_oldest_first_and_until_leaves_later_ones_alone(
    folder: StudyFolder,
) -> None:
    for day in ("2024-08-30", "2024-06-14", "2024-07-02"):
        put(folder, f"{day}/a.csv", day)

    days = [str(d.received_on) for d in pull.pull_center(folder, "AA01").deliveries]
    early = pull.pull_center(folder, "AA01", until=dt.date(2024, 7, 2)).deliveries

    assert days == ["2024-06-14", "2024-07-02", "2024-08-30"]
    assert [str(d.received_on) for d in early] == ["2024-06-14", "2024-07-02"]


def test_the_copy_in_the_vault_is_private_and_cannot_be_changed_by_the_inbox(
    folder: StudyFolder,
) -> None:
    source = put(folder, "2024-06-14/patients.csv")
    (delivery,) = pull.pull_center(folder, "AA01").deliveries
    copy = delivery.path / "patients.csv"
    source.write_text("something else", encoding="utf-8")

    assert copy.read_text() == "id;sex\n1;F\n"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o400
    for place in (delivery.path, folder.deliveries("AA01")):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_a_corrected_file_under_the_same_date_is_a_new_delivery(folder: StudyFolder) -> None:
    source = put(folder, "2024-06-14/patients.csv")
    (first,) = pull.pull_center(folder, "AA01").deliveries
    source.write_text("id;sex\n1;M\n", encoding="utf-8")
    os.utime(source, ns=(1, 1))
    (second,) = pull.pull_center(folder, "AA01").deliveries

    assert first.delivery_id != second.delivery_id
    assert (first.path / "patients.csv").read_text() == "id;sex\n1;F\n"


def test_what_was_taken_before_is_not_copied_again(
    folder: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "2024-06-14/patients.csv")
    (first,) = pull.pull_center(folder, "AA01").deliveries
    monkeypatch.setattr(pull, "_copy", lambda *args: pytest.fail("copied again"))
    (again,) = pull.pull_center(folder, "AA01").deliveries

    assert again == first


def test_a_delivery_that_lost_its_copy_is_taken_again(folder: StudyFolder) -> None:
    put(folder, "2024-06-14/patients.csv")
    (first,) = pull.pull_center(folder, "AA01").deliveries
    first.path.rename(folder.root / "away")
    (again,) = pull.pull_center(folder, "AA01").deliveries

    assert again == first
    assert (again.path / "patients.csv").is_file()


def test_a_copy_that_a_crash_cut_off_is_taken_again(folder: StudyFolder) -> None:
    put(folder, "2024-06-14/patients.csv")
    (first,) = pull.pull_center(folder, "AA01").deliveries
    copy = first.path / "patients.csv"
    copy.chmod(0o600)
    copy.write_text("", encoding="utf-8")
    (again,) = pull.pull_center(folder, "AA01").deliveries

    assert again == first
    assert copy.read_text() == "id;sex\n1;F\n"


def test_the_same_files_under_another_date_are_named_as_repeated(folder: StudyFolder) -> None:
    put(folder, "2024-06-14/a.csv", "same")
    put(folder, "2024-07-14/a.csv", "same")

    pulled = pull.pull_center(folder, "AA01")

    assert [str(d.received_on) for d in pulled.deliveries] == ["2024-06-14"]
    assert [str(d.received_on) for d in pulled.repeated] == ["2024-07-14"]


@pytest.mark.parametrize("name", ["export", "14.06.2024", "2024-6-14", "2024-13-40", "20240614"])
def test_a_name_without_a_date_is_a_problem_that_says_what_to_do(
    folder: StudyFolder, name: str
) -> None:
    put(folder, f"{name}/a.csv")
    put(folder, "2024-06-14/a.csv", "good")

    pulled = pull.pull_center(folder, "AA01")

    (problem,) = pulled.problems
    assert (problem.code, problem.can_pass) == ("NAME", False)
    assert name in problem.message
    assert "2024-06-14" in problem.message
    assert len(pulled.deliveries) == 1


def test_an_empty_folder_is_a_problem(folder: StudyFolder) -> None:
    (folder.inbox / "AA01" / "2024-06-14").mkdir()

    (problem,) = pull.pull_center(folder, "AA01").problems

    assert problem.code == "EMPTY"


def test_litter_of_other_programs_is_no_delivery(folder: StudyFolder) -> None:
    put(folder, ".DS_Store")
    put(folder, "Thumbs.db")
    put(folder, "2024-06-14/~$patients.xlsx")
    put(folder, "2024-06-14/patients.csv")

    pulled = pull.pull_center(folder, "AA01")

    assert not pulled.problems
    assert [file.name for file in pulled.deliveries[0].files] == ["patients.csv"]


def test_a_link_out_of_the_inbox_is_refused(folder: StudyFolder, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("key", encoding="utf-8")
    put(folder, "2024-06-14/patients.csv")
    (folder.inbox / "AA01" / "2024-06-14" / "more.csv").symlink_to(secret)

    pulled = pull.pull_center(folder, "AA01")

    assert not pulled.deliveries
    assert [problem.code for problem in pulled.problems] == ["WRONG_TYPE"]


def test_a_link_in_the_place_of_a_center_is_not_followed(folder: StudyFolder) -> None:
    put(folder, "2024-06-14/patients.csv")
    (folder.inbox / "BB02").symlink_to(folder.inbox / "AA01")

    pulled = pull.pull_center(folder, "BB02")

    assert not pulled.deliveries
    (problem,) = pulled.problems
    assert (problem.code, problem.can_pass) == ("WRONG_TYPE", False)
    assert "inbox/BB02" in problem.message
    assert "Fix:" in problem.message
    assert not list(folder.deliveries("BB02").glob("*/patients.csv"))


def test_a_file_that_grows_while_it_is_copied_waits_for_the_next_run(
    folder: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = put(folder, "2024-06-14/patients.csv")
    copy = pull._copy

    def slow_copy(entry: Path, target: Path) -> None:
        copy(entry, target)
        with source.open("a", encoding="utf-8") as file:
            file.write("2;M\n")

    monkeypatch.setattr(pull, "_copy", slow_copy)
    (problem,) = pull.pull_center(folder, "AA01").problems
    monkeypatch.undo()
    (delivery,) = pull.pull_center(folder, "AA01").deliveries

    assert (problem.code, problem.can_pass) == ("CHANGING", True)
    assert (delivery.path / "patients.csv").read_text() == "id;sex\n1;F\n2;M\n"
    assert not list(folder.deliveries("AA01").glob(".incoming-*"))


def test_what_a_killed_run_left_half_copied_is_removed(folder: StudyFolder) -> None:
    half = folder.deliveries("AA01") / ".incoming-x"
    half.mkdir(parents=True)
    (half / "patients.csv").write_text("half", encoding="utf-8")
    pull.pull_center(folder, "AA01")

    assert not half.exists()


def test_file_names_that_are_no_text_survive(folder: StudyFolder) -> None:
    place = folder.inbox / "AA01" / "2024-06-14"
    place.mkdir()
    name = os.fsdecode(b"pati\xebnten*[1].csv")
    (place / name).write_text("x", encoding="utf-8")

    (first,) = pull.pull_center(folder, "AA01").deliveries
    (again,) = pull.pull_center(folder, "AA01").deliveries

    assert [file.name for file in first.files] == [name]
    assert again == first
