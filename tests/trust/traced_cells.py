"""The demo's deliveries read without the product: cells by their address, and what a cell means.

The files are opened with other libraries than the product's, and what a cell means is told by the
writers of the demo: the words of each center, its date format, its units.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import re
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pyreadstat

from demo.cohort import build_cohort
from demo.exports import WRITERS
from demo.grid import Coded, Column, Dated
from demo.model import Patient
from demo.regimens import REGIMENS

Address = tuple[str, str, int, str]  # file, sheet, row, column
Place = tuple[str, str, str]  # file, sheet, column
Value = str | float | dt.date | None
HEADER_ROWS = {"CAR-T_Liste.xlsx": (2, 3)}
# Facts that stand in a column of another name: of a wide table, in one cell with another, in drugs.
FACTS = {
    "response.best": ("response.category",),
    "response.best_date": ("response.response_date",),
    "response.progression_date": ("response.response_date",),
    "response.best_and_date": ("response.category", "response.response_date"),
    "treatment_line.regimen_text": ("treatment_line.drugs",),
    "treatment_line.line_number": ("treatment_line.line_number", "response.line_number"),
    "exposure.status": ("exposure.exposed", "exposure.refractory"),
    "death.clinic": ("follow_up.death_date",),
    "death.registry": ("follow_up.death_date",),
    "lab.collected": ("lab.lab_date",),
    "lab.unit": ("lab.value_unit", "lab.upper_limit_unit"),
}
NO_VALUES = ("patient_id", "note", "remark", "complete", "event", "instrument", "study")
# Units that are kept: g/dL of hemoglobin, mg/dL of creatinine, g/L of protein, mg/L of light chains.
FACTORS = {
    ("HB", "g/l"): 1 / 10,
    ("CREATININE", "µmol/l"): 1 / 88.4,
    ("M_SERUM", "g/dl"): 10,
    ("ALBUMIN", "g/dl"): 10,
    ("FLC_KAPPA", "mg/dl"): 10,
    ("FLC_LAMBDA", "mg/dl"): 10,
}
UNITS = {"MSPIKE": "g/dL"}  # told by the code book alone
QUANTITIES = {"m_protein_serum": "M_SERUM", "albumin": "ALBUMIN"}
MONTHS = ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September",
          "Oktober", "November", "Dezember")  # fmt: skip
DRUGS = {
    spelling: regimen.drugs
    for regimen in REGIMENS.values()
    for texts in regimen.spellings.values()
    for spelling in texts
}


def cells_of(folder: Path) -> dict[Address, Any]:
    """Every filled cell of a delivery under its header."""
    found: dict[Address, Any] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        for file, sheet, cells in _tables(path):
            found |= {(file, sheet, row, column): cell for row, column, cell in cells}
    return found


def _tables(path: Path) -> Iterator[tuple[str, str, Iterator[tuple[int, str, Any]]]]:
    match path.suffix:
        case ".csv":
            yield path.name, "", _csv(path.read_bytes())
        case ".zip":
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    yield f"{path.name}/{name}", "", _csv(archive.read(name))
        case ".xlsx":
            book = openpyxl.load_workbook(path, data_only=True)
            for sheet in book.worksheets:
                yield path.name, sheet.title, _sheet(sheet, HEADER_ROWS.get(path.name, (1,)))
        case ".sav":
            frame, _ = pyreadstat.read_sav(path, user_missing=True, output_format="dict")
            yield path.name, "", _columns(frame)
        case ".xpt":
            frame, _ = pyreadstat.read_xport(path, output_format="dict")
            yield path.name, "", _columns(frame)


def _csv(content: bytes) -> Iterator[tuple[int, str, Any]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252")
    delimiter = ";" if text.split("\n", 1)[0].count(";") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header, line = next(reader), reader.line_num + 1
    for record in reader:
        for column, cell in zip(header, record, strict=False):
            if cell.strip():
                yield line, column.strip(), cell.strip()
        line = reader.line_num + 1


def _sheet(sheet: Any, header_rows: tuple[int, ...]) -> Iterator[tuple[int, str, Any]]:
    merged = {
        (row, column): sheet.cell(area.min_row, area.min_col).value
        for area in sheet.merged_cells.ranges
        for row, column in (
            (r, c)
            for r in range(area.min_row, area.max_row + 1)
            for c in range(area.min_col, area.max_col + 1)
        )
    }
    names = {}
    for column in range(1, sheet.max_column + 1):
        parts = [merged.get((r, column), sheet.cell(r, column).value) for r in header_rows]
        told = [str(part).strip() for part in parts if part is not None]
        names[column] = " / ".join(dict.fromkeys(told))
    for row in sheet.iter_rows(min_row=header_rows[-1] + 1):
        for cell in row:
            if cell.value is not None and str(cell.value).strip():
                yield cell.row, names[cell.column], cell.value


def _columns(frame: Mapping[str, list[Any]]) -> Iterator[tuple[int, str, Any]]:
    for column, values in frame.items():
        for row, value in enumerate(values, 1):
            filled = not (isinstance(value, float) and math.isnan(value)) and value not in (
                None,
                "",
            )
            if filled:
                yield row, column, value


@cache
def columns_of(center: str) -> dict[Place, Column]:
    """The columns of a center's export as its writer declares them."""
    members = [p for p in _cohort() if p.center == center]
    grids = WRITERS[center].build(members, 2).grids
    return {(grid.file, grid.sheet, c.header): c for grid in grids for c in grid.columns}


@cache
def _cohort() -> list[Patient]:
    return build_cohort()


def facts_of(column: Column) -> tuple[str, ...]:
    """`table.column` of the canonical columns that the fact of a column may reach."""
    fact = column.fact.split("#")[0]
    return FACTS.get(fact, (fact,))


def is_no_value(center: str, address: Address, cells: Mapping[Address, Any]) -> bool:
    """Whether a cell is not meant to become a value: remarks, keys, missing values, other studies."""
    file, sheet, row, header = address
    columns = columns_of(center)
    if not any(place[:2] == (file, sheet) for place in columns):
        return True  # a code book, a sheet of notes
    column = columns[file, sheet, header]
    table, _, name = column.fact.split("#")[0].partition(".")
    if table in NO_VALUES or cells.get((file, sheet, row, "STUDIE"), "MM-CART") != "MM-CART":
        return True
    if header == "redcap_repeat_instance":
        return bool(cells.get((file, sheet, row, "redcap_repeat_instrument")) != "therapy")
    if column.fact.startswith("lesion.site#"):
        return cells[address] in ("0", "Unchecked") or column.fact.endswith("#NONE")
    try:
        return meaning(address, cells, column, name, "") is None
    except (ValueError, KeyError):
        return False


def meaning(
    address: Address, cells: Mapping[Address, Any], column: Column, of: str, quantity: str
) -> Value:
    """What a cell says of the canonical column `of`, by the words of the center that wrote it.

    Args:
        address: which cell.
        cells: all cells of the delivery: the unit may stand beside a number.
        column: as the writer declares it.
        of: name of the canonical column.
        quantity: of a number, what is measured (`HB`), else empty.

    Raises:
        ValueError: It is not in the form in which the center writes.
    """
    cell = cells[address]
    if cell == column.empty or (column.empty is not None and _plain(cell) == _plain(column.empty)):
        return None
    if column.fact == "response.best_and_date":
        word, _, day = str(cell).partition(" ")
        return _dated(day, "%m/%d/%Y") if of == "response_date" else word
    if column.fact.startswith("exposure.status"):
        status = _coded(cell, column.write)
        return "Y" if status == "REFRACTORY" or (status, of) == ("EXPOSED", "exposed") else "N"
    if isinstance(column.write, Coded):
        return _coded(cell, column.write)
    if isinstance(column.write, Dated):
        return _dated(str(cell), column.write.pattern)
    if isinstance(cell, dt.datetime | dt.date):
        return cell.date() if isinstance(cell, dt.datetime) else cell
    if of.endswith("_date"):
        month, _, year = str(cell).partition(" ")
        if month in MONTHS:
            return dt.date(int(year), MONTHS.index(month) + 1, 1)
        return dt.date.fromisoformat(str(cell)[:10])
    if of == "drugs":
        return "|".join(DRUGS[str(cell)])
    if quantity:
        return _number(cell) * FACTORS.get((quantity, _unit(address, cells, column)), 1)
    return cell.strip() if isinstance(cell, str) else float(cell)


def agrees(said: Value, value: Any) -> bool:
    """Whether the warehouse holds what a cell says."""
    if value is None or said is None or isinstance(value, dt.date):
        return bool(said == value)
    if isinstance(value, int | float):
        return math.isclose(_number(said), value, rel_tol=1e-9)
    return str(said) == str(value) or (isinstance(said, float) and _plain(said) == str(value))


def _coded(cell: Any, words: Any) -> str:
    codes = {_plain(own): code for code, own in words.codes.items()}
    if _plain(cell) not in codes:
        raise ValueError("no word of the center")
    return str(codes[_plain(cell)])


def _dated(text: str, pattern: str) -> dt.date:
    return dt.datetime.strptime(text, pattern).date()  # noqa: DTZ007  (a day has no zone)


def _plain(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip()


def _number(cell: Any) -> float:
    """The number in a cell: `2,5`, `<1.0`, `1'250`, `38 g/l`."""
    if isinstance(cell, int | float):
        return float(cell)
    found = re.match(r"[<>]?\s*(-?[\d.,']+)", str(cell))
    if found is None:
        raise ValueError("no number")
    return float(found[1].replace("'", "").replace(",", "."))


def _unit(address: Address, cells: Mapping[Address, Any], column: Column) -> str:
    """The unit as the center tells it: in the header, beside the number, or elsewhere."""
    file, sheet, row, header = address
    beside = [cells.get((file, sheet, row, name)) for name in ("UNIT", "EINHEIT")]
    told = re.search(r"\(([^()]+)\)$", header)
    return str(
        next(filter(None, beside), told[1] if told else UNITS.get(column.header, ""))
    ).lower()
