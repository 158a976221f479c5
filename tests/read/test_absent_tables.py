"""What is told when a file of a delivery is there, but not the table in it that the spec names."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from schemas.delivery import read_delivery
from schemas.errors import FileError, SpecError
from schemas.spec import load_spec
from transforms.harmonize.sources import Opened, open_sources

TABLES = "tables: [{table: subject, from: p, columns: {sex: Sex}}]\n"


def opened(folder: Path, spec: str, files: dict[str, bytes]) -> Opened:
    inbox = folder / "in"
    for name, content in files.items():
        (inbox / name).parent.mkdir(parents=True, exist_ok=True)
        (inbox / name).write_bytes(content)
    path = folder / "XX01.yaml"
    path.write_text(
        "center: {id: XX01, name: Test center, country: DE}\n" + spec + TABLES, encoding="utf-8"
    )
    return open_sources(load_spec(path), read_delivery("XX01", inbox, dt.date(2024, 6, 14)))


def refusal(folder: Path, spec: str, files: dict[str, bytes]) -> FileError:
    with pytest.raises(FileError) as caught:
        opened(folder, spec, files)
    return caught.value


def packed(**members: str) -> bytes:
    """A zip; `patient__csv=` is `patient.csv`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "."), text)
    return buffer.getvalue()


def workbook(*sheets: str) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        for name in sheets:
            book.add_worksheet(name).write_column(0, 0, ["ID", "a"])
    return buffer.getvalue()


ZIP = packed(
    patient__csv="ID,Sex\n" + "".join(f"p{n},w\n" for n in range(400)), cart__csv="ID\n1\n"
)
INSIDE = "sources: {p: {file: export.zip/patient.csv, patient_id: ID%s}}\n"


@pytest.mark.parametrize("missing", [1, 21, 22, 60, 300, len(ZIP) - 4])
def test_a_zip_that_broke_off_is_told_as_truncated(tmp_path: Path, missing: int) -> None:
    error = refusal(tmp_path, INSIDE % "", {"export.zip": ZIP[:-missing]})
    assert error.code == "TRUNCATED"
    assert "file 'export.zip': the zip ends in the middle" in str(error)
    assert "ask the center to send the file again" in error.fix


def test_a_zip_whose_directory_is_damaged_is_told_as_corrupt(tmp_path: Path) -> None:
    at = ZIP.index(b"PK\x01\x02")
    error = refusal(tmp_path, INSIDE % "", {"export.zip": ZIP[:at] + b"XXXX" + ZIP[at + 4 :]})
    assert error.code == "CORRUPT"


def test_a_zip_that_is_none_is_told_with_what_it_is(tmp_path: Path) -> None:
    error = refusal(tmp_path, INSIDE % "", {"export.zip": b"%PDF-1.7 ..."})
    assert error.code == "WRONG_TYPE"
    assert "a PDF" in str(error)


@pytest.mark.parametrize(
    "file", ["patient.csv", "*.csv", "*.zip/patient.csv", "exp*/patient.csv", "export.zip/p*"]
)
def test_a_broken_zip_loses_no_rows_in_silence_though_its_source_may_be_missing(
    tmp_path: Path, file: str
) -> None:
    spec = (INSIDE % ", optional: yes").replace("export.zip/patient.csv", f"'{file}'")
    files = {"export.zip": ZIP[:-30], "patient.csv": b"ID,Sex\na,w\n"}
    assert refusal(tmp_path, spec, files).code == "TRUNCATED"


@pytest.mark.parametrize("ignored", ["old.zip", "old.zip/*"])
def test_a_broken_zip_that_the_spec_ignores_stops_nothing(tmp_path: Path, ignored: str) -> None:
    spec = f"ignore_files: ['{ignored}']\n" + (INSIDE % "").replace("export.zip/", "")
    got = opened(tmp_path, spec, {"old.zip": ZIP[:-30], "patient.csv": b"ID,Sex\na,w\n"})
    assert [source.file for source in got.sources] == ["patient.csv"]


def test_a_broken_zip_in_which_no_source_looks_is_reported_as_unread(tmp_path: Path) -> None:
    got = opened(tmp_path, INSIDE % "", {"other.zip": ZIP[:-30], "export.zip": ZIP})
    assert sum(frame.height for frame in got.sources[0].reader.batches()) == 400
    assert got.unread == [("export.zip/cart.csv", None), ("other.zip", None)]


def test_a_renamed_sheet_is_told_with_the_sheets_there_are_the_nearest_first(
    tmp_path: Path,
) -> None:
    spec = "sources: {p: {file: Liste.xlsx, sheet: Patienten, patient_id: ID}}\n"
    error = refusal(tmp_path, spec, {"Liste.xlsx": workbook("Legende", "Patienten (2)", "Labor")})
    assert error.code == "MISSING_SHEET"
    assert isinstance(error, SpecError)
    assert (
        "file 'Liste.xlsx': source 'p' finds no sheet 'Patienten' with anything in it; "
        "it has 'Patienten (2)', " in str(error)
    )
    assert "'Legende'" in str(error)
    assert "sources.p in XX01.yaml" in error.fix


def test_a_sheet_of_a_file_without_sheets_is_told_as_that(tmp_path: Path) -> None:
    spec = "sources: {p: {file: p.csv, sheet: Patienten, patient_id: ID}}\n"
    error = refusal(tmp_path, spec, {"p.csv": b"ID,Sex\na,w\n"})
    assert error.code == "MISSING_SHEET"
    assert "it is no workbook" in str(error)


def test_a_renamed_member_is_told_with_the_members_there_are_the_nearest_first(
    tmp_path: Path,
) -> None:
    files = {"export.zip": packed(cart__csv="ID\n1\n", patienten__csv="ID,Sex\na,w\n")}
    error = refusal(tmp_path, INSIDE % "", files)
    assert error.code == "MISSING_SHEET"
    assert (
        "file 'export.zip': source 'p' finds no member 'patient.csv'; "
        "the zip holds 'patienten.csv', 'cart.csv'" in str(error)
    )


def test_a_renamed_file_is_told_with_the_nearest_file_first(tmp_path: Path) -> None:
    spec = "sources: {p: {file: patients.csv, patient_id: ID}}\n"
    files = {"labs.csv": b"ID\n1\n", "patients_2024.csv": b"ID,Sex\na,w\n"}
    with pytest.raises(SpecError) as caught:
        opened(tmp_path, spec, files)
    assert not isinstance(caught.value, FileError)
    assert (
        "finds no file 'patients.csv'; the delivery holds 'patients_2024.csv', 'labs.csv'"
        in str(caught.value)
    )
