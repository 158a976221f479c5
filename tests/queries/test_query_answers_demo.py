"""Workbooks of the demo study filled in, shuffled and saved by LibreOffice: nothing is lost on the way."""

from __future__ import annotations

import datetime as dt
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from schemas.query_frames import ANSWER, ANSWERS
from warehouse.queries import QueryLog
from warehouse.query_answers import ImportedFile, import_answers

sys.path.insert(0, str(Path(__file__).parent / "damage"))

import answer_books as books  # noqa: E402
from answer_books import AT, FIRST  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
QUICK = "DE01"
AT_DAY = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
LANGUAGES = {"US": "en", "ES": "es"}  # of the others: German
ENDS = {
    "corrected": ("answered", None),
    "correct": ("closed", "confirmed_correct"),
    "not_available": ("closed", "not_available"),
    "patient_withdrawn": ("answered", None),
    "other": ("answered", None),
    None: ("open", None),
}


@dataclass(frozen=True)
class Sent:
    """The study after round one, and for each center its filled workbook and what it answers by id."""

    folder: Path
    filled: dict[str, Path]
    told: dict[str, dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory, demo_after_round: Callable[[int], Path]) -> Sent:
    folder = demo_after_round(1)
    out = tmp_path_factory.mktemp("filled")
    filled, told = {}, {}
    for home in sorted((folder / "vault" / "packets").iterdir()):
        [packet] = (home / "queries").iterdir()
        filled[home.name] = out / f"{home.name}.xlsx"
        told[home.name] = fill(packet / "queries.xlsx", filled[home.name])
    return Sent(folder, filled, told)


def fill(source: Path, target: Path) -> dict[str, dict[str, Any]]:
    """Answers four of five lines, shuffles lines and columns, hides some; gives what was answered."""
    words = books.ANSWERS[LANGUAGES.get(target.name[:2], "de")]
    book, draw = openpyxl.load_workbook(source), random.Random(target.name)
    sheet = book.worksheets[1]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=1)]
    told: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows[FIRST - 1 :]):
        answer = [*ANSWERS, None][number % 6]
        given: dict[str, Any] = dict.fromkeys(ANSWER.names()[1:])
        if answer is not None:
            given = {
                "answer": answer,
                "corrected_value": "0012,50" if answer == "corrected" else None,
                "comment": f"Zeile {number}: -1 < 5 & „ñ“\nzweite Zeile",
                "answered_by": "Dra. Núñez",
                "answered_on": dt.date(2024, 8, 1) + dt.timedelta(days=number),
            }
            for code, value in given.items():
                row[AT[code] - 1] = words[answer] if code == "answer" else value
        told.update(dict.fromkeys(str(row[0]).split(), given))
    lines = rows[FIRST - 1 :]
    draw.shuffle(lines)
    order = list(range(len(rows[0])))
    draw.shuffle(order)
    sheet.delete_rows(1, sheet.max_row)
    for at, row in enumerate([*rows[: FIRST - 1], *lines], 1):
        sheet.row_dimensions[at].hidden = at == 1 or at % 7 == 0
        for column, place in enumerate(order, 1):
            cell = sheet.cell(at, column)
            cell.value = row[place]
            cell.number_format = "DD.MM.YYYY" if isinstance(row[place], dt.date) else "@"
    book.save(target)
    return told


def through_libreoffice(files: list[Path], kind: str, out: Path) -> list[Path]:
    """The files as LibreOffice saves them."""
    profile = f"-env:UserInstallation={(out / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", kind, "--outdir", str(out)]
    subprocess.run([*command, *map(str, files)], check=True, capture_output=True, timeout=240)
    return [out / f"{file.stem}.{kind}" for file in files]


@pytest.fixture(scope="module")
def saved(sent: Sent, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`saved(kind)`: the folder with all workbooks as LibreOffice saves them as that kind; each is saved once."""
    folders: dict[str, Path] = {}

    def of_kind(kind: str) -> Path:
        if kind not in folders:
            folders[kind] = tmp_path_factory.mktemp(kind)
            through_libreoffice(sorted(sent.filled.values()), kind, folders[kind])
        return folders[kind]

    return of_kind


def returned(sent: Sent, centers: list[str], files: Path, study: Path) -> Path:
    """A copy of the study in which the workbooks of the centers came back as the files of a folder."""
    shutil.copytree(sent.folder, study, ignore=shutil.ignore_patterns("published", "inbox"))
    send_back(study, centers, files)
    return study


def send_back(study: Path, centers: list[str], files: Path) -> None:
    """The centers' files of a folder are answers of the study."""
    for center in centers:
        [file] = files.glob(f"{center}.*")
        home = study / "answers" / center
        home.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, home / f"{center}_{file.suffix[1:]}{file.suffix}")


def check(sent: Sent, study: Path, done: list[ImportedFile]) -> None:
    """Every id of every workbook has what its center wrote, in the log, and nothing is a problem."""
    now = {row["query_id"]: row for row in QueryLog.read(study).queries.to_dicts()}
    for file in done:
        assert file.center_id is not None
        told = sent.told[file.center_id]
        content = file.content
        assert content is not None
        assert file.problems == ()
        n_answered = sum(given["answer"] is not None for given in told.values())
        assert (content.n_lines, content.answers.height) == (len(told), n_answered)
        assert content.n_unanswered == len(told) - n_answered
        assert (file.status, file.n_events) == ("imported", n_answered)
        for query_id, given in told.items():
            row = now[query_id]
            assert {name: row[name] for name in given} == given, query_id
            assert (row["state"], row["resolution"]) == ENDS[given["answer"]]


def test_a_center_s_workbook_saved_by_libreoffice_loses_nothing(
    sent: Sent, saved: Callable[[str], Path], tmp_path: Path
) -> None:
    study = returned(sent, [QUICK], saved("xlsx"), tmp_path / "study")
    done = import_answers(study, at=AT_DAY)
    assert [file.center_id for file in done] == [QUICK]
    check(sent, study, done)
    assert [file.status for file in import_answers(study, at=AT_DAY)] == ["imported before"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["xlsx", "ods", "xls"])
def test_all_workbooks_saved_by_libreoffice_lose_nothing(
    kind: str, sent: Sent, saved: Callable[[str], Path], tmp_path: Path
) -> None:
    study = returned(sent, sorted(sent.filled), saved(kind), tmp_path / "study")
    done = import_answers(study, at=AT_DAY)
    assert len(done) == 12
    check(sent, study, done)


@pytest.mark.slow
def test_the_same_answers_as_another_kind_of_file_add_nothing(
    sent: Sent, saved: Callable[[str], Path], tmp_path: Path
) -> None:
    centers = [QUICK, "ES01"]
    study = returned(sent, centers, saved("xlsx"), tmp_path / "study")
    import_answers(study, at=AT_DAY)
    before = QueryLog.read(study).events
    shutil.rmtree(study / "answers")
    send_back(study, centers, saved("ods"))
    done = import_answers(study, at=AT_DAY)
    assert [file.status for file in done] == ["nothing new", "nothing new"]
    assert QueryLog.read(study).events.equals(before)


def test_the_table_of_a_packet_may_be_filled_in_instead(sent: Sent, tmp_path: Path) -> None:
    [packet] = (sent.folder / "vault" / "packets" / QUICK / "queries").iterdir()
    study = tmp_path / "study"
    shutil.copytree(sent.folder, study, ignore=shutil.ignore_patterns("published", "inbox"))
    (study / "answers" / QUICK).mkdir(parents=True)
    frame = pl.read_csv(packet / "queries.csv", infer_schema=False)
    words = books.ANSWERS["de"]["not_available"]
    filled = frame.with_columns(pl.lit(words).alias("Antwort"))
    filled.write_csv(study / "answers" / QUICK / "queries.csv", separator=";")
    [file] = import_answers(study, at=AT_DAY)
    assert file.problems == ()
    assert file.n_events == len(sent.told[QUICK])
