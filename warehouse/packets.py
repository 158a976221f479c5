"""The file of findings that goes to a center: its own ids, addresses and column names, as text.

`vault/packets/<center>/<received_on>_<delivery_id>/findings.xlsx` and `findings.csv`. Identified: they
stay in the vault until a data manager sends them. In the language of the center's spec, where the
project has its texts (`schemas/queries`). Nothing in them can run: the workbook holds text cells only,
the CSV neutralises what a spreadsheet would take for a formula.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from schemas.catalog import load_catalog
from schemas.queries import Words
from warehouse.packet_files import (
    MOST_LINES,
    check_names,
    csv_bytes,
    cut,
    new_workbook,
    packet_folder,
    write_closed,
)
from warehouse.packet_lines import COLUMNS, QUOTED, packet_lines
from warehouse.paths import StudyPaths
from warehouse.rules import declared_rules
from warehouse.study_rules import study_findings

_WIDTHS = (8, 14, 28, 16, 7, 26, 28, 60, 10, 26, 50, 9)


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
    check_names(center_id, delivery_id)
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
    folder = packet_folder(StudyPaths(study_folder).packet(center_id, delivery_id, received_on))
    titles = {title: words(title) for title in COLUMNS}
    write_closed(folder / "findings.xlsx", _workbook(lines, about, words))
    write_closed(folder / "findings.csv", csv_bytes(lines, titles, words))
    return folder


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


def _workbook(lines: pl.DataFrame, about: Sequence[tuple[str, str]], words: Words) -> bytes:
    out = BytesIO()
    book = new_workbook(out, words("Findings"))
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    text = book.add_format({"text_wrap": True, "valign": "top", "quote_prefix": True})
    sheet = book.add_worksheet(words("Findings"))
    for position, (title, width) in enumerate(zip(COLUMNS, _WIDTHS, strict=True)):
        sheet.set_column(position, position, width)
        sheet.write_string(0, position, words(title), bold)
    note = words(" … (cut; whole in findings.csv)")
    shown = lines.head(MOST_LINES).select(cut(title, note) for title in COLUMNS)
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
