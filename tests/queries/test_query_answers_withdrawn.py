"""Answers about a patient who has withdrawn: told by the tombstone, and nothing of them is kept."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import polars as pl
import pytest

from flows.sending.answers import take_answers
from transforms.harmonize.privacy_withdrawn import OTHER as ANOTHER
from transforms.harmonize.privacy_withdrawn import Withdrawn, withdrawn_of
from warehouse.forget import add_marks, remove_patient, set_tombstone
from warehouse.pseudonyms import Pseudonymizer
from warehouse.queries import QueryLog
from warehouse.query_answers import ImportedFile, import_answers
from warehouse.query_answers.importing import IMPORTED, KNOWN, NOTHING_NEW, STILL_THERE
from warehouse.query_answers.withdrawn import mentions

sys.path[:0] = [str(Path(__file__).parent / "damage"), str(Path(__file__).parents[1] / "flows")]

import answer_books as books  # noqa: E402
from answer_books import CENTER, IDS, STUDY, Returned  # noqa: E402
from plain_search import files_with  # noqa: E402

PATIENT, COMMENT = "SECRET-2", "moved to Graz"  # of the second line


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study whose workbook was sent before its second patient was forgotten."""
    root = books.make_study(tmp_path / "study")
    forget(root, PATIENT)
    return root


def forget(root: Path, patient_id: str) -> None:
    key = Pseudonymizer.of_study(root, STUDY).key_for("withdrawn")
    set_tombstone(root, Withdrawn(CENTER, key, frozenset()), patient_id)
    remove_patient(root, CENTER, patient_id)


def returned(root: Path) -> Returned:
    """The workbook as it was sent, with two answers."""
    book = Returned(root / "answers" / CENTER / "queries.xlsx", center=CENTER)
    return book.fill(1, "correct").fill(2, "other", comment=COMMENT)


def run(root: Path) -> ImportedFile:
    [file] = import_answers(root, at=books.NOW)
    return file


def codes(file: ImportedFile) -> list[str]:
    return [problem.code for problem in file.problems]


def state(root: Path, query_id: str) -> str:
    return str(QueryLog.read(root).queries.filter(query_id=query_id)["state"].item())


def as_csv(path: Path) -> None:
    """The workbook's lines as a CSV in its place."""
    import openpyxl

    rows = openpyxl.load_workbook(path).worksheets[1].iter_rows(values_only=True)
    with path.with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(list(rows)[1:])
    path.unlink()


@pytest.mark.parametrize(("kind", "row"), [("xlsx", 4), ("csv", 3)])
def test_the_line_is_told_the_others_are_taken_and_nothing_of_it_is_kept(
    study: Path, kind: str, row: int
) -> None:
    path = returned(study).save()
    if kind == "csv":
        as_csv(path)
    file = run(study)

    assert (file.status, file.n_events, codes(file)) == (
        IMPORTED,
        1,
        ["WITHDRAWN_FILE", "WITHDRAWN"],
    )
    assert state(study, IDS[0]) == "closed"
    told = "\n".join(map(str, file.problems))
    assert "about a patient who has withdrawn; nothing of it is kept" in told
    assert f"row {row}:" in told
    for secret in (PATIENT, COMMENT, IDS[1]):
        assert secret not in told
        assert files_with(study / "vault", secret) == []
    assert file.content is not None
    assert file.content.n_lines == 8 == 1 + file.content.n_refused + file.content.n_unanswered
    assert file.kept is not None
    kept = pl.read_csv(file.kept)
    assert kept["query_id"].to_list() == [IDS[0], *IDS[2:8]]
    assert kept["patient"].to_list() == ["SECRET-1", *(f"SECRET-{n}" for n in range(3, 9))]
    assert kept["answer"].to_list() == [books.ANSWERS["de"]["correct"], *[None] * 6]


def test_without_the_tombstone_the_same_search_finds_it(tmp_path: Path) -> None:
    root = books.make_study(tmp_path / "study")
    returned(root).save()
    first = run(root)
    assert (first.status, codes(first), run(root).status) == (IMPORTED, [], KNOWN)
    assert any("answers/" in name for name in files_with(root / "vault", PATIENT))


def test_the_file_is_told_until_somebody_removes_it_and_read_once(study: Path) -> None:
    path = returned(study).save()
    run(study)
    parts = sorted((study / "vault" / "queries").glob("*.parquet"))
    [again] = take_answers(str(study))
    assert (again["file"], again["state"]) == (f"answers/{CENTER}/queries.xlsx", STILL_THERE)
    [problem] = again["problems"]
    assert problem.startswith(f"file 'answers/{CENTER}/queries.xlsx': the file names a patient who")
    assert "delete the file" in problem
    assert sorted((study / "vault" / "queries").glob("*.parquet")) == parts
    path.unlink()
    assert take_answers(str(study)) == []


def test_other_places_of_a_file_that_name_the_patient(study: Path) -> None:
    book = returned(study)
    book.fill(1, comment=f"the same as {PATIENT}.").fill(3, "correct")
    book.sheet.cell(4, books.AT["patient"]).value = "SECRET-99"  # and no query has its id
    book.book.create_sheet("Notizen").append(["see", PATIENT])
    book.save()
    file = run(study)
    assert codes(file) == ["WITHDRAWN_FILE", "WITHDRAWN_NAMED", "UNKNOWN_ID"]
    assert (state(study, IDS[0]), state(study, IDS[2])) == ("open", "closed")
    assert files_with(study / "vault", PATIENT) == []


def test_a_note_alone_is_not_kept_either(study: Path) -> None:
    book = returned(study)
    book.sheet.delete_rows(4)
    book.book.create_sheet("Notizen").append(["see", PATIENT])
    book.save()
    assert codes(run(study)) == ["WITHDRAWN_FILE"]
    assert state(study, IDS[0]) == "closed"
    assert files_with(study / "vault", PATIENT) == []


def test_a_row_that_cannot_be_read_may_be_about_the_patient(study: Path) -> None:
    book = returned(study)
    book.fill(2, comment=f"{COMMENT}\u202e").save()  # an invisible mark: the row is rejected
    file = run(study)
    assert codes(file) == ["WITHDRAWN_FILE", "CONTROL_CHAR"]
    assert state(study, IDS[0]) == "closed"
    assert [files_with(study / "vault", secret) for secret in (PATIENT, COMMENT)] == [[], []]


def test_another_spelling_is_told_as_one_unless_it_is_another_patients(study: Path) -> None:
    book = returned(study)
    book.sheet.cell(4, books.AT["patient"]).value = "secret 002"
    path = book.save()
    file = run(study)
    assert (file.status, codes(file)) == (IMPORTED, ["WITHDRAWN_FILE", "WITHDRAWN_ALIKE"])
    assert files_with(study / "vault", "secret 002") == []

    withdrawn = withdrawn_of(study, CENTER)
    assert withdrawn is not None
    add_marks(study, {CENTER: [withdrawn.other("secret 002")]})
    book.sheet.cell(5, books.AT["comment"]).value = "-"  # other bytes
    book.save()
    again = run(study)
    assert withdrawn.other("secret 002").startswith(ANOTHER)
    assert (again.status, codes(again)) == (NOTHING_NEW, ["UNKNOWN_ID", "NO_ANSWER"])
    assert path.is_file()


def test_a_number_is_the_patient_in_the_column_of_patients_alone(study: Path) -> None:
    forget(study, "31")
    book = returned(study)
    book.sheet.delete_rows(4)
    book.fill(2, "other", comment="seen on day 31").save()
    assert codes(run(study)) == []
    book.sheet.cell(4, books.AT["patient"]).value = 31
    book.save()
    assert codes(run(study)) == ["WITHDRAWN_FILE", "WITHDRAWN"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see O'Neil <7>, please", True),
        ("queries_O'Neil <7>_new", True),
        ("(O'Neil <7>)", True),
        ("O'Neil <8>", False),
        ("O'Neil", False),
        ("", False),
    ],
)
def test_an_id_of_several_words_is_found_in_a_text(study: Path, text: str, found: bool) -> None:
    forget(study, "O'Neil <7>")
    withdrawn = withdrawn_of(study, CENTER)
    assert withdrawn is not None
    assert mentions(text, withdrawn) is found
