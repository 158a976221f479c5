"""The changes of a delivery with values and ids, for the data manager: a workbook in the vault.

`vault/packets/<center>/changes/<received_on>_<delivery_id>.xlsx`; `.csv` where there are more lines than a
workbook should hold. Identified, in English, and not meant for sending.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import polars as pl

from schemas.queries import Words
from warehouse.loads import StagedDelivery
from warehouse.packet_files import (
    MOST_CHARACTERS,
    MOST_LINES,
    check_names,
    csv_bytes,
    new_workbook,
    write_closed,
)
from warehouse.paths import StudyPaths, private_folder

_TITLES = {
    "asked": "Asked for",
    "query_id": "Query",
    "level": "Level",
    "change": "Change",
    "patient_id": "Patient",
    "table": "Table",
    "instance": "Record",
    "column": "Column",
    "before": "Before",
    "after": "Now",
}
_WIDTHS = (9, 12, 9, 9, 14, 15, 34, 22, 40, 40)
_LEVELS = ("patient", "record", "value", "column")


def detail_path(study_folder: Path, staged: StagedDelivery) -> Path:
    """Where the changes of a delivery stand, without the ending."""
    check_names(staged.center_id, staged.delivery_id)
    folder = StudyPaths(study_folder).vault / "packets" / staged.center_id / "changes"
    return folder / f"{staged.received_on.isoformat()}_{staged.delivery_id}"


def is_written(study_folder: Path, staged: StagedDelivery) -> bool:
    """Whether the changes of a delivery stand there already."""
    place = detail_path(study_folder, staged)
    return any(place.with_name(place.name + ending).is_file() for ending in (".xlsx", ".csv"))


def write_detail(study_folder: Path, staged: StagedDelivery, diff: pl.DataFrame) -> Path:
    """Writes the changes of a delivery, in the place of those of an earlier reading; gives the file.

    Args:
        study_folder: The study.
        staged: The newer of the two deliveries.
        diff: DIFF of its center with `asked` and `query_id`.
    """
    place = detail_path(study_folder, staged)
    for level in (place.parents[2], place.parents[1], place.parent):
        private_folder(level)
    lines = _lines(diff)
    book, csv = (place.with_name(place.name + ending) for ending in (".xlsx", ".csv"))
    if lines.height > MOST_LINES:
        book.unlink(missing_ok=True)
        write_closed(csv, csv_bytes(lines, _TITLES, Words(None)))
        return csv
    csv.unlink(missing_ok=True)
    write_closed(book, _workbook(lines))
    return book


def _lines(diff: pl.DataFrame) -> pl.DataFrame:
    """Not asked for first, then whole patients, records, values, columns."""
    order = pl.col("level").replace_strict(
        {level: n for n, level in enumerate(_LEVELS)}, return_dtype=pl.Int8
    )
    return diff.sort(
        "asked", order, "patient_id", "table", "instance", "column", "before", nulls_last=True
    ).select(
        pl.when("asked").then(pl.lit("yes")).otherwise(pl.lit("no")).alias("asked"),
        *(name for name in _TITLES if name != "asked"),
    )


def _workbook(lines: pl.DataFrame) -> bytes:
    out = BytesIO()
    book = new_workbook(out, "Changes against the delivery before")
    bold = book.add_format({"bold": True})
    text = book.add_format({"quote_prefix": True})
    sheet = book.add_worksheet("Changes")
    for position, (title, width) in enumerate(zip(_TITLES.values(), _WIDTHS, strict=True)):
        sheet.set_column(position, position, width)
        sheet.write_string(0, position, title, bold)
    for number, row in enumerate(lines.iter_rows(), start=1):
        _row(sheet, number, row, text)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(lines.height, 1), len(_TITLES) - 1)
    book.close()
    return out.getvalue()


def _row(sheet: object, number: int, row: Sequence[str | None], text: object) -> None:
    for position, value in enumerate(row):
        if value:
            sheet.write_string(number, position, value[:MOST_CHARACTERS], text)  # type: ignore[attr-defined]
