"""Files beside the page: `write_light` for every run, `write_exports` for journals (`carmony report`).

A run writes CSV, XLSX and SVG, which cost little; PDF, PNG and DOCX are written when the report is asked for by
itself. A new run puts a new folder in the place of the old one, so that no older file stands beside a newer page.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports.content import Content
    from schemas.spec.study import Study


def write_light(content: Content, folder: Path) -> tuple[Path, ...]:
    """`tables/*.csv`, `tables/tables.xlsx` and `figures/*.svg`.

    Every number is in `estimates.csv`; the workbook has the printed tables alone, to cost a run little.
    """
    from reports.exports.figures import write_svg
    from reports.exports.tables import write_csv, write_workbook

    return (
        *write_csv(content, folder),
        write_workbook(content, folder, with_estimates=False),
        *write_svg(content, folder),
    )


def write_exports(
    warehouse_path: str | Path, out_folder: str | Path, study: Study
) -> tuple[Path, ...]:
    """What journals ask for: figures as SVG, PDF and PNG, tables as CSV and XLSX, all as DOCX.

    Args:
        warehouse_path: A warehouse whose `analysis.estimate` is filled; it is only read.
        out_folder: The folder of the page; made if missing.
        study: As for `reports.render.render`.

    Returns:
        The paths of the files.
    """
    from reports.content import read_content
    from reports.exports.document import write_document
    from reports.exports.figures import write_print, write_svg
    from reports.exports.tables import write_csv, write_workbook

    content, folder = read_content(warehouse_path, study), Path(out_folder)
    printed = write_print(content, folder)
    pictures = {name: png for name, (_, png) in printed.items()}
    return (
        *write_csv(content, folder),
        write_workbook(content, folder),
        *write_svg(content, folder),
        *(path for pair in printed.values() for path in pair),
        write_document(content, folder, pictures),
    )
