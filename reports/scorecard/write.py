"""Writes the pages of the scorecard into a study folder."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reports.exports.files import write_whole
from reports.scorecard.center_page import center_page
from reports.scorecard.read import read_scorecards
from reports.scorecard.study_page import study_page

if TYPE_CHECKING:
    from schemas.spec.study import Study

_CENTER = re.compile(r"[A-Z][A-Z0-9_]{1,15}")  # as `id` of a spec: nothing else names a folder


def write_scorecards(
    warehouse: Path, out: Path, study: Study, languages: Mapping[str, str]
) -> list[Path]:
    """Writes `published/quality/scorecard.html` and `vault/packets/<center>/scorecard.html`.

    Each file appears whole or not at all and refers to nothing outside. The pages of centers are for the
    holder of the vault until they are sent: their folder and file are readable by the owner alone.

    Args:
        warehouse: A warehouse with `quality.scorecard`; it is only read.
        out: The study folder.
        study: Gives the order of the centers.
        languages: Center → language of its spec; English where none is named.

    Returns:
        The pages, that of the study first; none where the warehouse holds no figures.
    """
    cards = read_scorecards(warehouse, study.centers)
    if cards is None:
        return []
    written = [write_whole(out / "published" / "quality" / "scorecard.html", study_page(cards))]
    for center in cards.centers:
        if not _CENTER.fullmatch(center):
            continue
        folder = out / "vault" / "packets" / center
        for level in (folder.parent, folder):
            level.mkdir(parents=True, exist_ok=True, mode=0o700)
            level.chmod(0o700)
        text = center_page(cards, center, languages.get(center))
        written.append(_write_private(folder / "scorecard.html", text))
    return written


def _write_private(path: Path, text: str) -> Path:
    """As `write_whole`, never readable by others."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode())
    return temporary.replace(path)
