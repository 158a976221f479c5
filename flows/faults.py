"""Faults that no single center has: the user's interrupt, and a study folder that cannot be used."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from flows.disk_full import DiskFullError, disk_full, is_disk_full
from flows.folder import StudyFolder
from schemas.errors import StudyError

_NAMES = {
    "vault": "The vault of the study",
    "published": "The folder 'published' of the study",
    "inbox": "The inbox of the study",
    "centers": "The folder 'centers' of the study",
}
# A disk or its connection fails, or is read-only: no file has to be named for that.
_OF_DISKS = (errno.EIO, errno.EROFS, errno.ESTALE, errno.ENODEV, errno.ENXIO)
_SHOWN = 2  # parts of a path below the study: deeper ones may be names of delivered files


def was_interrupted(error: BaseException) -> bool:
    """True if the user's Ctrl-C stands behind an error: DuckDB makes a RuntimeError of it."""
    return any(isinstance(cause, KeyboardInterrupt) for cause in _causes(error))


def study_fault(error: BaseException, study: Path | None) -> StudyError | None:
    """The message for a full disk, an error of the system over a path of the study, or a damaged file of its vault.

    Args:
        error: what ended the run; its causes count.
        study: the study folder; None for a command without one.

    Returns:
        What to tell the user; None for every other error.
    """
    for cause in _causes(error):
        if is_disk_full(cause):
            return disk_full(cause, study)
    if study is None:
        return None
    root = study.resolve()
    for cause in _causes(error):
        if not isinstance(cause, OSError):
            if (refused := _told_by_library(cause)) is not None:
                return _study_error(refused, root, ())
            continue
        for name in (cause.filename, cause.filename2):
            if isinstance(name, (str, Path)) and (path := Path(name).absolute()).is_relative_to(
                root
            ):
                return _study_error(cause, root, path.relative_to(root).parts)
        if cause.filename is None and (
            isinstance(cause, PermissionError) or cause.errno in _OF_DISKS
        ):
            return _study_error(cause, root, ())
    from flows.vault_damage import damage_met

    found = (damage_met(cause, root) for cause in _causes(error))
    return next((damage for damage in found if damage), None)


def _told_by_library(cause: BaseException) -> OSError | None:
    """What the system refused to DuckDB or Polars, which quote it without its number."""
    if type(cause).__module__.partition(".")[0].lstrip("_") not in {"duckdb", "polars"}:
        return None
    text = str(cause).lower()
    for number in (*_OF_DISKS, errno.EACCES, errno.EPERM):
        if os.strerror(number).lower() in text:
            return OSError(number, os.strerror(number))
    if "fsync failed" in text:  # all that DuckDB tells of it
        return OSError(errno.EIO, os.strerror(errno.EIO))
    return None


def refuse_to_go_on(error: Exception, folder: StudyFolder) -> None:
    """Lets no fault of the whole run pass for a fault of one center.

    Raises:
        KeyboardInterrupt: The user has interrupted.
        StudyError: The vault refuses this user, so that nothing can be staged, or a disk is full.
    """
    if was_interrupted(error):
        raise KeyboardInterrupt from error
    if isinstance(error, DiskFullError):
        raise error
    for cause in _causes(error):
        if is_disk_full(cause):
            raise disk_full(cause, folder.root) from error
        if (refused := _told_by_library(cause)) is not None:
            raise _study_error(refused, folder.root, ()) from error
    if isinstance(error, PermissionError):
        vault = folder.vault.resolve()
        places = [Path(name) for name in (error.filename, error.filename2) if name is not None]
        if not places or any(place.is_relative_to(vault) for place in places):
            raise study_fault(error, folder.root) or error


def unreadable(error: OSError, root: Path, otherwise: str) -> str:
    """What is told of a file that the system does not let us read; its center waits.

    Args:
        error: of the system.
        root: the study folder.
        otherwise: what to name where the error names nothing outside of the vault.
    """
    what = otherwise
    for name in (error.filename, error.filename2):
        if isinstance(name, str | Path) and Path(name).is_relative_to(root):
            path = Path(name).relative_to(root)
            if path.parts and path.parts[0] in {"inbox", "centers"}:
                what = path.as_posix()
                break
    return (
        f"'{what}' cannot be read: {error.strerror or type(error).__name__} [UNREADABLE]\n"
        "  Fix: let the person who runs carmony read it (permissions), or mend the disk or network; "
        "the next run tries again"
    )


def _study_error(cause: OSError, root: Path, parts: tuple[str, ...]) -> StudyError:
    what = _NAMES.get(parts[0], "The study folder") if parts else "The study folder"
    place = root.joinpath(*parts[:_SHOWN])
    return StudyError(
        f"{what} cannot be written or read: {cause.strerror or 'permission denied'} ('{place}').",
        fix="run as the person who owns the study folder, or correct its permissions; what was "
        "published before stays",
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__
