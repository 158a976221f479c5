"""The file of findings that goes to a center: its own ids, addresses and column names, as text.

`vault/packets/<center>/<received_on>_<delivery_id>/findings.xlsx` and `findings.csv`. Identified: they
stay in the vault until a data manager sends them. In the language of the center's spec, where the
project has its texts (`schemas/queries`). Nothing in them can run: the workbook holds text cells only,
the CSV neutralises what a spreadsheet would take for a formula.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from schemas.catalog import load_catalog
from schemas.errors import CarmonyError
from schemas.queries import Words
from warehouse.packet_lines import COLUMNS, QUOTED, packet_lines, safe_for_csv
from warehouse.paths import StudyPaths, private_folder
from warehouse.rules import declared_rules
from warehouse.study_rules import study_findings

MOST_LINES = 50_000  # of the workbook; the CSV holds every line
MOST_CHARACTERS = 32_000  # Excel's limit is 32,767
_WIDTHS = (8, 14, 28, 16, 7, 26, 28, 60, 10, 26, 50, 9)
_NAME = re.compile(r"[\w.+-]{1,80}", re.ASCII)
_CREATED = dt.datetime(2000, 1, 1)  # fixed, so that the same findings give the same bytes


def write_packet(
    study_folder: Path,
    center_id: str,
    delivery_id: str,
    staged_folder: Path,
    *,
    received_on: dt.date,
    rules: Sequence[Mapping[str, Any]] | None = None,
) -> Path:
    """Writes the findings of a staged delivery for its center; gives the folder.

    Args:
        study_folder: The study.
        center_id: The center.
        delivery_id: The delivery.
        staged_folder: Its staged folder.
        received_on: The day on which it came; the folder's name begins with it.
        rules: Rule entries with title and query; default the project's.

    Raises:
        CarmonyError: The names of center or delivery cannot be names of folders.
    """
    for part in (center_id, delivery_id):
        if not _NAME.fullmatch(part) or part.startswith("."):
            raise CarmonyError(
                "The name of a center or delivery is no name of a folder.",
                fix="use letters, digits, - and _ in the center's id",
            )
    summary = json.loads((staged_folder / "summary.json").read_text(encoding="utf-8"))
    words = Words(summary.get("language"))
    lines = packet_lines(
        staged_folder,
        declared_rules(load_catalog()) if rules is None else rules,
        words.language,
        study_findings(study_folder, center_id, delivery_id),
    )
    about = [
        (words("Center"), center_id),
        (words("Delivery"), delivery_id),
        (words("Received on"), received_on.isoformat()),
        (words("Export date"), str(summary.get("export_date") or words("not known"))),
        *_files(staged_folder, words),
    ]
    folder = StudyPaths(study_folder).packet(center_id, delivery_id, received_on)
    for level in (folder.parents[1], folder.parent, folder):
        private_folder(level)
    _write(folder / "findings.xlsx", _workbook(lines, about, words))
    _write(folder / "findings.csv", _csv(lines, words))
    return folder


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    temporary.replace(path)


def _files(staged_folder: Path, words: Words) -> list[tuple[str, str]]:
    """What tells the center which export this is: each file or sheet with its rows."""
    sources = pl.read_parquet(
        staged_folder / "source.parquet", columns=["file", "sheet", "n_rows"], glob=False
    )
    return [
        (
            words("File {file}, sheet {sheet}", file=file, sheet=sheet)
            if sheet
            else words("File {file}", file=file),
            words("{n} rows read", n=n_rows or 0),
        )
        for file, sheet, n_rows in sources.unique().sort("file", "sheet").iter_rows()
    ]


def _csv(lines: pl.DataFrame, words: Words) -> bytes:
    out = BytesIO()
    named = lines.rename({title: words(title) for title in COLUMNS})
    safe_for_csv(named, words(QUOTED)).write_csv(
        out, include_bom=True, quote_style="always", line_terminator="\r\n"
    )
    return out.getvalue()


def _workbook(lines: pl.DataFrame, about: Sequence[tuple[str, str]], words: Words) -> bytes:
    import xlsxwriter

    out = BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {
            "in_memory": True,  # no temporary files with patient data
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    book.set_properties({"title": words("Findings"), "created": _CREATED})
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    text = book.add_format({"text_wrap": True, "valign": "top", "quote_prefix": True})
    sheet = book.add_worksheet(words("Findings"))
    for position, (title, width) in enumerate(zip(COLUMNS, _WIDTHS, strict=True)):
        sheet.set_column(position, position, width)
        sheet.write_string(0, position, words(title), bold)
    shown = lines.head(MOST_LINES).select(_cut(title, words) for title in COLUMNS)
    for number, row in enumerate(shown.iter_rows(), start=1):
        for position, value in enumerate(row):
            if value:
                sheet.write_string(number, position, value, text)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(shown.height, 1), len(COLUMNS) - 1)
    rows = [*about, *_explained(lines, words)]
    _about(book.add_worksheet(words("About")), bold, text, rows)
    book.close()
    return out.getvalue()


def _cut(column: str, words: Words) -> pl.Expr:
    """Text that fits into a cell; what is cut says so."""
    text = pl.col(column).cast(pl.String)
    cut = text.str.slice(0, MOST_CHARACTERS) + words(" … (cut; whole in findings.csv)")
    return pl.when(text.str.len_chars() > MOST_CHARACTERS).then(cut).otherwise(text).alias(column)


def _explained(lines: pl.DataFrame, words: Words) -> list[tuple[str, str]]:
    """What the columns mean, and how many findings each rule has."""
    findings = lines.unique("Number")
    counts = findings.group_by("Rule", "Severity").len().sort("Rule", "Severity")
    shown = words(
        "{all}, of which {shown} in this workbook",
        all=lines.height,
        shown=min(lines.height, MOST_LINES),
    )
    safe = words(
        "All lines; the column “{quoted}” names cells that were made safe so", quoted=words(QUOTED)
    )
    private = "Holds ids and values of patients: send it only to the center itself"
    return [
        (words("Findings"), str(findings.height)),
        (words("Lines"), shown),
        (words("Number"), words("Lines with the same number belong to one finding")),
        (words("Patient"), words("Your own id of the patient")),
        (words("Row"), words("Row of your file or sheet, counted from 1; the header counts")),
        (words("Column"), words("Header as it stands in your file")),
        (words("Value as read"), words("The text of the cell; empty where the cell was empty")),
        ("findings.csv", safe),
        (words("Privacy"), words(private)),
        *(
            (
                words("Rule {rule}", rule=rule),
                words("{count} finding(s), {severity}", count=count, severity=severity),
            )
            for rule, severity, count in counts.rows()
        ),
    ]


def _about(sheet: Any, bold: Any, text: Any, rows: Sequence[tuple[str, str]]) -> None:
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 90)
    for number, (title, content) in enumerate(rows):
        sheet.write_string(number, 0, title, bold)
        sheet.write_string(number, 1, content, text)
