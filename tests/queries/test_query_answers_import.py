"""Returned workbooks into the log of queries: each once, kept in the vault, none stopped by another."""

import datetime as dt
import os
import sys
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from warehouse.queries import QueryLog
from warehouse.query_answers import import_answers
from warehouse.query_answers.importing import IMPORTED, KNOWN, NOT_READ, NOTHING_NEW

sys.path.insert(0, str(Path(__file__).parent / "damage"))

import answer_books as books  # noqa: E402
from answer_books import CENTER, IDS, OTHER, Returned  # noqa: E402


@pytest.fixture
def study(tmp_path):
    return books.make_study(tmp_path / "study")


def put(study, name="queries.xlsx", center=CENTER, **how):
    return Returned(study / "answers" / center / name, center=center, **how)


def state(study, query_id):
    [row] = QueryLog.read(study).queries.filter(query_id=query_id).to_dicts()
    return row


def parts(study):
    return sorted(path.name for path in (study / "vault" / "queries").glob("*.parquet"))


def run(study, **more):
    return import_answers(study, at=books.NOW, **more)


def test_answers_reach_the_log_with_all_that_the_center_wrote(study):
    book = put(study)
    book.fill(1, "corrected", corrected_value="2023-02-28", comment="typed wrong")
    book.fill(1, answered_by="the study nurse", answered_on=dt.date(2024, 8, 2))
    book.fill(2, "correct").fill(3, "not_available").fill(4, "patient_withdrawn")
    book.fill(5, "other", comment="see our letter").save()
    [file] = run(study)
    assert (file.status, file.n_events, file.part, file.center_id) == (IMPORTED, 5, 2, CENTER)
    first = state(study, IDS[0])
    assert {key: first[key] for key in ("state", "answer", "corrected_value", "comment")} == {
        "state": "answered",
        "answer": "corrected",
        "corrected_value": "2023-02-28",
        "comment": "typed wrong",
    }
    assert (first["answered_by"], first["answered_on"]) == ("the study nurse", dt.date(2024, 8, 2))
    found = [(state(study, i)["state"], state(study, i)["resolution"]) for i in IDS[1:6]]
    assert found == [
        ("closed", "confirmed_correct"),
        ("closed", "not_available"),
        ("answered", None),
        ("answered", None),
        ("open", None),
    ]


def test_the_same_file_twice_adds_nothing_and_says_so(study):
    put(study).fill(1, "correct").save()
    run(study)
    before = parts(study)
    [file] = run(study)
    assert (file.status, file.n_events, parts(study)) == (KNOWN, 0, before)
    assert file.message == "queries.xlsx: imported before"


def test_the_same_file_under_another_name_is_known(study, tmp_path):
    path = put(study).fill(1, "correct").save()
    run(study)
    copy = tmp_path / "by mail.xlsx"
    copy.write_bytes(path.read_bytes())
    [file] = run(study, files=[copy])
    assert file.status == KNOWN


def test_the_same_answers_saved_anew_change_nothing(study):
    path = put(study).fill(1, "correct").fill(2, "corrected", corrected_value="5").save()
    run(study)
    before = parts(study)
    book = openpyxl.load_workbook(path)
    book.create_sheet("Notizen")
    book.save(path.with_name("again.xlsx"))
    known, again = run(study)
    assert (known.status, again.status) == (KNOWN, NOTHING_NEW)
    assert (again.content.n_repeated, again.content.n_unanswered) == (2, 6)
    assert parts(study) == before


def test_a_later_workbook_changes_an_answer_that_has_not_settled_the_query(study):
    put(study, "first.xlsx").fill(1, "corrected", corrected_value="5").save()
    run(study)
    put(study, "second.xlsx").fill(1, "corrected", corrected_value="6").save()
    run(study)
    assert state(study, IDS[0])["corrected_value"] == "6"


def test_older_files_are_taken_first(study):
    late = put(study, "a.xlsx").fill(1, "corrected", corrected_value="late").save()
    early = put(study, "b.xlsx").fill(1, "corrected", corrected_value="early").save()
    os.utime(early, (1_000_000, 1_000_000))
    os.utime(late, (2_000_000, 2_000_000))
    assert [file.path.name for file in run(study)] == ["b.xlsx", "a.xlsx"]
    assert state(study, IDS[0])["corrected_value"] == "late"


def test_a_broken_file_stops_no_other_and_is_told_until_it_is_mended(study):
    broken = study / "answers" / CENTER / "a_broken.xlsx"
    broken.write_bytes(b"%PDF-1.7")
    put(study, "b_good.xlsx").fill(1, "correct").save()
    done = {file.path.name: file for file in run(study)}
    assert done["a_broken.xlsx"].status == NOT_READ
    assert [problem.code for problem in done["a_broken.xlsx"].problems] == ["WRONG_TYPE"]
    assert done["b_good.xlsx"].status == IMPORTED
    again = {file.path.name: file.status for file in run(study)}
    assert again == {"a_broken.xlsx": NOT_READ, "b_good.xlsx": KNOWN}


def test_a_file_of_which_one_line_is_wrong_gives_its_other_answers(study):
    put(study).fill(1, "correct").fill(2, "vielleicht").save()
    [file] = run(study)
    assert (file.status, file.n_events) == (IMPORTED, 1)
    assert [problem.code for problem in file.problems] == ["UNKNOWN_ANSWER"]
    assert "1 answer(s), 0 known already, 6 without an answer, 1 not taken" in file.message


def test_a_copy_with_its_problems_is_kept_for_the_data_manager_alone(study):
    path = put(study, "Rückfragen (2).xlsx").fill(1, "correct").fill(2, "vielleicht").save()
    [file] = run(study)
    assert file.kept.read_bytes() == path.read_bytes()
    assert file.kept.parent == study / "vault" / "answers" / CENTER
    assert file.kept.name == f"{file.content.sha256[:16]}_Rückfragen_2_.xlsx"
    told = file.kept.with_name(f"{file.kept.name}.problems.csv")
    assert "UNKNOWN_ANSWER" in told.read_text()
    assert "vielleicht" not in told.read_text()
    for made in (file.kept, told):
        assert made.stat().st_mode & 0o777 == 0o600
    assert file.kept.parent.stat().st_mode & 0o777 == 0o700


def test_a_workbook_in_the_folder_of_another_center_is_refused(study):
    path = put(study).fill(1, "correct").save()
    moved = path.rename(study / "answers" / OTHER / path.name)
    [file] = run(study)
    assert (file.path, file.status) == (moved, NOT_READ)
    assert [problem.code for problem in file.problems] == ["WRONG_CENTER"]
    assert len(parts(study)) == 1


def test_a_folder_of_no_center_is_told(study):
    put(study).fill(1, "correct").save()
    (study / "answers" / CENTER).rename(study / "answers" / "DE99")
    [file] = run(study)
    assert [problem.code for problem in file.problems] == ["NO_SUCH_CENTER"]


def test_files_of_editors_and_systems_are_passed_over(study):
    for name in (".~lock.queries.xlsx#", "~$queries.xlsx", ".DS_Store", "Thumbs.db"):
        (study / "answers" / CENTER / name).write_bytes(b"x")
    assert run(study) == []


def test_a_study_without_a_folder_of_answers_has_none(study):
    for center in (CENTER, OTHER):
        (study / "answers" / center).rmdir()
    (study / "answers").rmdir()
    assert run(study) == []


def test_a_file_from_elsewhere_is_of_the_center_that_it_names(study, tmp_path):
    path = Returned(tmp_path / "mail.xlsx").fill(1, "correct").save()
    [file] = run(study, files=[path])
    assert (file.status, file.center_id) == (IMPORTED, CENTER)


def test_a_crash_between_log_and_copy_leads_to_no_second_event(study, monkeypatch):
    """The events are appended first; when the file comes again its answers are known."""
    put(study).fill(1, "correct").fill(2, "corrected", corrected_value="5").save()

    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("warehouse.query_answers.importing.write_closed", crash)
        with pytest.raises(KeyboardInterrupt):
            run(study)
    before = parts(study)
    [file] = run(study)
    assert (file.status, file.content.n_repeated, parts(study)) == (NOTHING_NEW, 2, before)
    assert run(study)[0].status == KNOWN


def test_an_answer_that_the_log_refuses_is_told_and_counted(study, monkeypatch):
    put(study).fill(1, "correct").fill(2, "not_available").save()
    real = import_answers.__globals__["answer"]

    def strict(queries, answers, at):
        events, problems = real(queries, answers.filter(query_id=IDS[0]), at)
        return events, [*problems, f"{IDS[1]}: no longer"]

    monkeypatch.setattr("warehouse.query_answers.importing.answer", strict)
    [file] = run(study)
    [problem] = file.problems
    assert (problem.code, problem.query_ids) == ("NOT_TAKEN", (IDS[1],))
    content = file.content
    parts_of_it = (content.answers.height, content.n_unanswered, content.n_refused)
    assert (content.n_lines, *parts_of_it) == (8, 1, 6, 1)


def asked_again(study, query_id):
    """The next delivery of the center held the same value: its query is open once more."""
    log = QueryLog.read(study)
    told = log.queries.filter(query_id=query_id).with_columns(state=pl.lit("open"))
    again = books.events(told).with_columns(
        event=pl.lit("not_corrected"), answer=pl.lit(None, pl.String)
    )
    log.append("load", again)


def saved_anew(path):
    """The same cells in other bytes."""
    book = openpyxl.load_workbook(path)
    book.create_sheet("Notizen")
    book.save(path.with_name("again.xlsx"))


def test_an_old_workbook_saved_anew_does_not_answer_what_was_asked_again(study):
    path = put(study).fill(1, "corrected", corrected_value="5").save()
    run(study)
    asked_again(study, IDS[0])
    saved_anew(path)
    again = run(study)[1]
    assert (again.status, again.content.n_repeated) == (NOTHING_NEW, 1)
    assert state(study, IDS[0])["state"] == "open"


def test_the_newest_workbook_may_answer_what_was_asked_again_alike(study):
    put(study).fill(1, "corrected", corrected_value="5").save()
    run(study)
    asked_again(study, IDS[0])
    put(study, "newest.xlsx", part=3).fill(1, "corrected", corrected_value="5").save()
    assert run(study)[1].status == IMPORTED
    assert state(study, IDS[0])["state"] == "answered"


def test_an_old_workbook_with_a_new_answer_answers_what_was_asked_again(study):
    """The value is the same as when the workbook was written, so the answer is about it."""
    put(study).fill(1, "corrected", corrected_value="5").save()
    run(study)
    asked_again(study, IDS[0])
    put(study, "second.xlsx").fill(1, "correct").save()
    assert run(study)[1].status == IMPORTED
    assert state(study, IDS[0])["resolution"] == "confirmed_correct"
