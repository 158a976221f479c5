"""One demo study for all tests of the generator, and readers that share no code with it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pyreadstat
import pytest

from demo import write_demo_study
from demo.cohort import build_cohort
from demo.exports import WRITERS

Cells = dict[tuple[int, str], str]
CSV_DIALECT = {"DE01": ("cp1252", ";"), "DE04": ("utf-8-sig", ","), "DE07": ("utf-8", ";")}


def _text(value: Any) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, dt.datetime):
        value = value.date()
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def read_csv(content: bytes, center: str) -> Cells:
    encoding, delimiter = CSV_DIALECT.get(center, ("utf-8", ","))
    rows = list(csv.reader(io.StringIO(content.decode(encoding), newline=""), delimiter=delimiter))
    header = rows[0]
    assert len(set(header)) == len(header)
    cells = {(1, name): name for name in header}
    for number, row in enumerate(rows[1:], start=2):
        assert len(row) == len(header), number
        cells |= {(number, name): value for name, value in zip(header, row, strict=True)}
    return cells


def read_sheet(path: Path, sheet: str, header_rows: int, first: int) -> Cells:
    rows = list(openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True))
    names = [_text(v) for v in rows[first - 2]]
    if header_rows == 2:
        top = ""
        joined = []
        for above, below in zip(rows[first - 3], names, strict=True):
            top = _text(above) or top
            joined.append(f"{top} / {below}")
        names = joined
    cells = {(first - 1, name): name for name in names}
    for number, row in enumerate(rows[first - 1 :], start=first):
        cells |= {(number, n): _text(v) for n, v in zip(names, row, strict=True)}
    return cells


def read_statistical(path: Path) -> Cells:
    read = pyreadstat.read_sav if path.suffix == ".sav" else pyreadstat.read_xport
    extra = {"user_missing": True} if path.suffix == ".sav" else {}
    frame, _ = read(path, **extra)
    return {
        (number, name): _text(value)
        for name in frame.columns
        for number, value in enumerate(frame[name].tolist(), start=1)
    }


@cache
def read_table(delivery: Path, center: str, file: str, sheet: str) -> Cells:
    """(row, column header) → text of every cell of a sheet or file of a delivery."""
    if ".zip/" in file:
        outer, inner = file.split("/", 1)
        with zipfile.ZipFile(delivery / outer) as archive:
            return read_csv(archive.read(inner), center)
    path = delivery / file
    if path.suffix == ".xlsx":
        return read_sheet(path, sheet, *((2, 4) if center == "DE02" else (1, 2)))
    if path.suffix in (".sav", ".xpt"):
        return read_statistical(path)
    return read_csv(path.read_bytes(), center)


@pytest.fixture(scope="session")
def cohort() -> list[Any]:
    return build_cohort()


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo-study")
    write_demo_study(folder)
    return folder


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory, cohort: list[Any]) -> Path:
    """Round one as it would be without any planted fault."""
    folder = tmp_path_factory.mktemp("clean")
    for center, writer in WRITERS.items():
        (folder / center).mkdir()
        writer.write(writer.build([p for p in cohort if p.center == center], 1), folder / center)
    return folder


@pytest.fixture(scope="session")
def faults(study: Path) -> list[dict[str, str]]:
    with (study / "truth/faults.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["fault_id"].startswith("F")]


@pytest.fixture(scope="session")
def marked(study: Path) -> list[dict[str, str]]:
    """What the truth lists beside the faults: true records that a rule marks or asks about."""
    with (study / "truth/faults.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["fault_id"].startswith("M")]


@pytest.fixture(scope="session")
def table() -> Callable[[Path, str, str, str], Cells]:
    return read_table
