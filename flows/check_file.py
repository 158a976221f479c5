"""`carmony check`: what a center can run itself before it sends a file."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

from flows import parts
from flows.folder import StudyFolder
from flows.pull import date_in_name
from flows.room import refuse_too_large
from schemas.delivery import read_delivery
from schemas.errors import StudyError


def check_file(
    source: Path, spec_path: Path, scratch: Path, received_on: dt.date | None = None
) -> dict[str, Any]:
    """Findings of a file or folder as a run would raise them.

    Args:
        source: what would be sent.
        spec_path: the center's spec; `study.yaml` stands one folder above it.
        scratch: a private folder for the copy and the staged rows; the caller removes it.
        received_on: when it is sent; default `date_of(source)`.

    Returns:
        Counts, findings with their addresses, and the dates that were used, JSON-ready. No values
        of cells.

    Raises:
        CarmonyError: spec, study or file cannot be read.
    """
    import polars as pl

    from flows.tally import tally

    study = parts.load_study(StudyFolder(_study_of(spec_path)))
    spec = parts.load_spec(spec_path)
    refuse_too_large(source.name, _sizes(source))  # as a run would
    copy = scratch / "delivery"
    if source.is_dir():
        shutil.copytree(source, copy)
    else:
        copy.mkdir()
        shutil.copyfile(source, copy / source.name)
    sent_on = received_on or date_of(source)
    delivery = read_delivery(spec_path.stem, copy, sent_on)
    out = scratch / "staged"
    parts.stage(spec, delivery, out, study)
    counts = tally(out)
    findings = pl.read_parquet(out / "finding.parquet", glob=False).sort("finding_id").to_dicts()
    fields = pl.read_parquet(out / "finding_field.parquet", glob=False)
    fields = fields.sort("finding_id", "position")
    places: dict[int, list[dict[str, Any]]] = {}
    for field in fields.select("finding_id", "file", "sheet", "row", "source_column").to_dicts():
        number, column = field.pop("finding_id"), field.pop("source_column")
        places.setdefault(number, []).append({**field, "column": column})
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return {
        "received_on": str(sent_on),
        "export_date": summary["export_date"],
        "rows_read": counts.rows_read,
        "rows_quarantined": counts.rows_quarantined,
        "errors": counts.errors,
        "warnings": counts.warnings,
        "findings": [
            {
                "rule_id": finding["rule_id"],
                "severity": finding["severity"],
                "message": finding["message"],
                "fields": places.get(finding["finding_id"], []),
            }
            for finding in findings
        ],
    }


def _sizes(source: Path) -> list[tuple[str, int]]:
    if not source.is_dir():
        return [("", source.stat().st_size)]
    files = [path for path in sorted(source.rglob("*")) if path.is_file()]
    return [(path.relative_to(source).as_posix(), path.stat().st_size) for path in files]


def date_of(source: Path) -> dt.date:
    """When a file is sent: the date that begins its name or its folder's, as in the inbox, or today."""
    place = source.resolve()
    return date_in_name(place.name) or date_in_name(place.parent.name) or dt.date.today()


def _study_of(spec_path: Path) -> Path:
    for folder in (spec_path.resolve().parent.parent, spec_path.resolve().parent):
        if (folder / "study.yaml").is_file():
            return folder
    raise StudyError(
        f"No study.yaml stands beside or above '{spec_path}'.",
        fix="keep the spec in the folder centers/ of its study; the checks need the study's settings",
    )
