"""Takes a patient's id out of the names of files and sheets in staged deliveries.

For deliveries whose files are deleted: while the files are kept, their cells are found by name. The hash of each
file stays, so that a delivery is known when it comes again.
"""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from transforms.harmonize.privacy_withdrawn import spelling_key
from warehouse.forget import ids_of, read_staged, staged_folders, write_staged
from warehouse.names_with_ids import FORGOTTEN, without_ids
from warehouse.paths import replace_durably

_NAMED = ("source.parquet", "finding_field.parquet")
_COLUMNS = ("file", "sheet")


def mask_names(study_folder: Path, center_id: str, patient_id: str) -> None:
    """Writes `[forgotten]` for the id in all names of the center's staged deliveries.

    Names that hold a longer id of another patient keep it; for the holder of the study's lock.
    """
    key = spelling_key(patient_id)
    mine = {one for place, one in ids_of(study_folder, center_id) if place == center_id}
    ids = {key, *map(spelling_key, mine)}
    for folder in staged_folders(study_folder, center_id):
        frames = {folder / name: read_staged(folder / name) for name in _NAMED}
        texts = [
            # Of the other files, marks are those of this removal, which was killed before it came to the sources.
            frame[column].drop_nulls().unique(maintain_order=True).to_list()
            for frame in frames.values()
            for column in _COLUMNS
        ]
        sources, others = sum(texts[: len(_COLUMNS)], []), sum(texts[len(_COLUMNS) :], [])
        names = [*sources, *(name for name in others if f"[{FORGOTTEN}" not in name)]
        masked = without_ids(names, lambda piece, _: piece in ids, FORGOTTEN, key)
        if not masked:
            continue
        _mask_notes(folder / "summary.json", masked)
        for path, frame in reversed(frames.items()):  # the sources last: they give the numbers
            held = frame.filter(pl.any_horizontal(pl.col(_COLUMNS).is_in(list(masked)))).height
            if held:
                write_staged(frame.with_columns(pl.col(_COLUMNS).replace(masked)), path)


def _mask_notes(path: Path, masked: dict[str, str]) -> None:
    """The notes of a staged delivery name files."""
    summary = json.loads(path.read_text(encoding="utf-8"))
    before = list(summary.get("notes", []))
    notes = before
    for name in sorted(masked, key=len, reverse=True):
        notes = [note.replace(name, masked[name]) for note in notes]
    if notes != before:
        temporary = path.with_name(f".{path.name}.tmp")
        temporary.write_text(json.dumps({**summary, "notes": notes}, indent=1), encoding="utf-8")
        temporary.chmod(0o600)
        replace_durably(temporary, path)
