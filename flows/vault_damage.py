"""Parquet files of the vault that are cut, damaged or gone: seen before they are read, told where a library met them.

A look at both ends of a file (`is_damaged`) costs every run next to nothing and sees what a full disk, a copy that
was interrupted or a crash leave. Damage inside is met by Polars or DuckDB; then all of the vault is read to name it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from flows.folder import StudyFolder
from flows.panics import LibraryPanicError
from schemas.errors import StudyError

if TYPE_CHECKING:
    from schemas.delivery import Delivery
    from warehouse.loads import StagedDelivery

_MAGIC, _FOOTER = b"PAR1", 8  # a Parquet file ends with the length of its directory and the magic
_LIBRARIES = frozenset({"duckdb", "polars"})
_BACKUP = "restore it from a backup of the vault"


def is_damaged(staged: Path) -> bool:
    """Whether a staged delivery is gone, or one of its files is not whole."""
    try:
        json.loads((staged / "summary.json").read_bytes())
        return not all(map(_has_both_ends, staged.rglob("*.parquet")))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return True


def _has_both_ends(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if size < len(_MAGIC) + _FOOTER:
            return False
        file.seek(-_FOOTER, 2)
        end = file.read(_FOOTER)
        file.seek(0)
        length = int.from_bytes(end[:4], "little")
        return file.read(4) == _MAGIC == end[4:] and length + len(_MAGIC) + _FOOTER <= size


def to_read_again(
    folder: StudyFolder, current: list[StagedDelivery], deliveries: tuple[Delivery, ...]
) -> list[tuple[Delivery, int]]:
    """Deliveries in force whose staged rows are damaged, with their sequence of the day.

    Args:
        folder: the study.
        current: what is in force of one center.
        deliveries: those of its inbox; one that is there no more is read from its copy in the vault.
    """
    from schemas.delivery import read_delivery

    there = {delivery.delivery_id: delivery for delivery in deliveries}
    found = []
    for staged in current:
        if not is_damaged(staged.folder):
            continue
        delivery = there.get(staged.delivery_id)
        copy = folder.deliveries(staged.center_id) / staged.delivery_id
        if delivery is None and copy.is_dir():
            delivery = read_delivery(staged.center_id, copy, staged.received_on)
        if delivery is not None and delivery.delivery_id == staged.delivery_id:
            found.append((delivery, staged.sequence))
    return found


def usable(staged: Path | None) -> Path | None:
    """A staged delivery to compare with; None if there is none.

    Raises:
        StudyError: it is damaged: what cannot be compared is not taken unseen.
    """
    if staged is None or not staged.is_dir():
        return None
    if is_damaged(staged):
        raise _staged_damaged(staged, staged)
    return staged


def damage_met(error: BaseException, root: Path) -> StudyError | None:
    """The message for an error of Polars or DuckDB over a file of the vault that is damaged; else None.

    Args:
        error: what ended a command.
        root: the study folder.
    """
    library = type(error).__module__.partition(".")[0].lstrip("_")
    broke_down = isinstance(error, LibraryPanicError)
    if not (broke_down or library in _LIBRARIES) or type(error).__name__ == "OutOfMemoryException":
        return None
    from warehouse.pseudonyms import read_id_map

    folder = StudyFolder(root)
    try:
        read_id_map(folder.vault / "id_map.parquet")
    except StudyError as damage:
        return damage
    for staged in sorted((folder.vault / "staged").glob("*/*")):
        for path in sorted(staged.rglob("*.parquet")):
            if not _can_be_read(path):
                return _staged_damaged(staged, path)
    for path in sorted(folder.vault.glob("[!.]*/**/*.parquet")):
        if path.relative_to(folder.vault).parts[0] != "deliveries" and not _can_be_read(path):
            return StudyError(f"'{path.relative_to(root)}' is damaged.", fix=_BACKUP)
    return None


def _can_be_read(path: Path) -> bool:
    import polars as pl

    if not path.is_file():
        return True
    try:
        pl.read_parquet(path, glob=False, memory_map=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return False
    return True


def _staged_damaged(staged: Path, path: Path) -> StudyError:
    """The message, by whether the delivery can be read again."""
    center, root = staged.parent.name, staged.parents[3]
    delivery = staged.name.partition("-")[0]
    fix = f"{_BACKUP}, or let the center send the delivery again"
    if (root / "vault" / "deliveries" / center / delivery).is_dir():
        place = staged.relative_to(root)
        fix = f"delete the folder '{place}'; 'carmony run' reads the delivery again from its copy in the vault"
    return StudyError(
        f"The staged rows of center '{center}' are damaged: '{path.relative_to(root)}'.", fix=fix
    )
