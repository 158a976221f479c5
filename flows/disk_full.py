"""A full disk is told as one: by the system's error number, or by what DuckDB and Polars say of it."""

from __future__ import annotations

import errno
import shutil
import sys
import tempfile
from pathlib import Path

from schemas.errors import StudyError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# DuckDB and Polars give no error number: their sentences quote the system's, or their own setting.
_SENTENCES = ("no space left on device", "disk quota exceeded", "max_temp_directory_size")
# Polars drops the system's error where the end of a Parquet file cannot be written.
_HIDDEN = "invalid thrift: transport error"
_WRITERS = frozenset({"write_parquet", "sink_parquet"})
_LITTLE = 2**20  # bytes: a disk with less is taken for the full one
_ALIKE = 4


class DiskFullError(StudyError):
    """No room is left; no single center's fault, so it ends the run."""


def is_disk_full(error: BaseException) -> bool:
    """True if an error says that a disk is full or a quota used up. Its causes are not looked at."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    library = type(error).__module__.partition(".")[0].lstrip("_")
    if not isinstance(error, OSError) and library not in {"duckdb", "polars"}:
        return False
    text = str(error).lower()
    return any(sentence in text for sentence in _SENTENCES) or _is_hidden(error)


def _is_hidden(error: BaseException) -> bool:
    """Whether Polars could not end a file; the same words while it reads one tell of a damaged file."""
    trace, names = error.__traceback__, set()
    while trace is not None:
        names.add(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    return _HIDDEN in str(error).lower() and not names.isdisjoint(_WRITERS)


def disk_full(error: BaseException, study: Path | None) -> DiskFullError:
    """The message for such an error.

    Args:
        error: what `is_disk_full` is true of.
        study: the study folder; None for a command without one.
    """
    or_else = ", or it refuses to be written" if _is_hidden(error) else ""
    return DiskFullError(
        f"No room is left on {_which(error, study)}{or_else}.",
        fix="make room there, or have the quota raised, and run again; what was published before "
        "stays, and deliveries in the inbox are untouched",
    )


def output_full() -> DiskFullError:
    """The message for standard output that takes no more."""
    return DiskFullError(
        "The output cannot be written: no room is left where standard output goes.",
        fix="make room there, or write it elsewhere; what is published stays",
    )


def _which(error: BaseException, study: Path | None) -> str:
    temporary = Path(tempfile.gettempdir())
    places = {} if study is None else {"the disk of the study folder": study}
    if study is None or not temporary.is_relative_to(study.resolve()):  # a run has its own there
        places["the disk of temporary files"] = temporary
    # An error of a copy names its source first and what could not be written second.
    for name in (getattr(error, "filename2", None), getattr(error, "filename", None)):
        if isinstance(name, str | Path):
            for what, place in places.items():
                if Path(name).absolute().is_relative_to(place.absolute()):
                    return f"{what} ('{place}')"
    quoted = str(error)
    named = [what for what, place in places.items() if str(place.absolute()) in quoted]
    chosen = named[:1] or _fullest(places)
    return " or ".join(f"{what} ('{places[what]}')" for what in chosen)


def _fullest(places: dict[str, Path]) -> list[str]:
    """The place without room, one per disk; what was cut off may have left room again: then the one with least."""
    room = {what: _free(place) for what, place in places.items()}
    disks = {what: _disk(place) for what, place in places.items()}
    alone = [what for n, what in enumerate(room) if disks[what] not in list(disks.values())[:n]]
    least = min(alone, key=lambda what: room[what])
    # Of two disks with about the same room either may be the full one.
    return [what for what in alone if room[what] < max(_LITTLE, _ALIKE * room[least])]


def _free(place: Path) -> int:
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return sys.maxsize


def _disk(place: Path) -> object:
    try:
        return place.stat().st_dev
    except OSError:
        return place
