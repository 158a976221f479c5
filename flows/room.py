"""How large a delivery may be, and whether the vault's disk has room for it.

Both are asked before a byte is copied, so that one center's file takes no room from the others. What
is refused here fails its center alone.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from flows.disk_full import is_disk_full
from schemas.errors import FileError, Place
from transforms.read.source import shown

# Far above real exports: ten million assessments of 120 bytes (docs/benchmark.md) are 1.2 GB.
FILE_LIMIT = 5 * 10**9  # bytes
DELIVERY_LIMIT = 20 * 10**9  # bytes, of all files of a delivery
# Times the size of the delivery: its copy, and as much again for what is made of its rows. Without
# that the copy would fit, and the stages after it would find the disk full for every center.
NEEDED = 2
_ASK = (
    "ask the center for an export of what the study needs (one so large is mostly damaged, or holds "
    "much else)"
)


def refuse_too_large(place: str, files: Sequence[tuple[str, int]]) -> None:
    """Lets no delivery through that is larger than any real one.

    Args:
        place: the delivery, as `inbox/DE05/2024-06-14`.
        files: name inside the delivery (empty: it is the file itself) and size in bytes of each file.

    Raises:
        FileError: TOO_LARGE, naming center and file.
    """
    for name, size in files:
        if size > FILE_LIMIT:
            path = Place(shown(f"{place}/{name}" if name else place))
            raise too_large(path, f"the file has {_text(size)}")
    total = sum(size for _, size in files)
    if total > DELIVERY_LIMIT:
        raise FileError(
            "TOO_LARGE",
            Place(shown(place)),
            f"the files of the delivery have {_text(total)}, more than the {_text(DELIVERY_LIMIT)} that "
            "a delivery may have; nothing of it is taken",
            fix=_ASK,
        )


def too_large(place: Place, found: str) -> FileError:
    """The message for a file above the limit.

    Args:
        place: the file.
        found: what was seen of its size, as the beginning of the sentence.
    """
    return FileError(
        "TOO_LARGE",
        place,
        f"{found}, more than the {_text(FILE_LIMIT)} that one file may have; nothing of the delivery "
        "is taken",
        fix=f"{_ASK}; a table that is really so large can come as Parquet",
    )


@contextmanager
def room_for(
    place: str, center_id: str, files: Sequence[tuple[str, int]], home: Path
) -> Iterator[None]:
    """Around the copying of one delivery: a disk without room for it is told of this center alone.

    Args:
        place: the delivery, as `inbox/DE05/2024-06-14`.
        center_id: the center.
        files: name inside the delivery (empty: it is the file itself) and size in bytes of each file.
        home: an existing folder on the disk that the copy goes to.

    Raises:
        FileError: NO_ROOM, before anything is copied or when the disk is full all the same (others
            write too, and a quota is seen only when it is used up).
    """
    size = sum(size for _, size in files)
    free = _free(home)
    if free is not None and free < NEEDED * size:
        raise _no_room(
            place,
            f"the delivery of center {center_id} needs {_text(NEEDED * size)} on the disk of the vault "
            f"({_told(files)}; what is made of them takes room too); "
            f"{_text(free, math.floor)} are free. It is not taken",
        )
    try:
        yield
    except OSError as error:
        if not is_disk_full(error):
            raise
        raise _no_room(
            place,
            f"no room was left on the disk of the vault, or the quota was used up, while the delivery "
            f"of center {center_id} was copied ({_told(files)}). What was copied of it is "
            "removed",
        ) from error


def _no_room(place: str, problem: str) -> FileError:
    return FileError(
        "NO_ROOM",
        Place(shown(place)),
        problem,
        fix="make room on that disk, or have the quota raised, and run again; if the files are larger "
        "than they should be, ask the center",
    )


def _told(files: Sequence[tuple[str, int]]) -> str:
    name, largest = max(files, key=lambda file: file[1])
    told = f"its files have {_text(sum(size for _, size in files))}"
    return f"{told}, the largest, '{shown(name)}', {_text(largest)}" if name else told


def _free(home: Path) -> int | None:
    """Bytes free for this user; None where the disk does not tell (some network disks)."""
    try:
        usage = shutil.disk_usage(home)
    except OSError:
        return None
    return usage.free if usage.total else None


def _text(n: int, rounded: Callable[[float], int] = math.ceil) -> str:
    """A number of bytes to read; needs are rounded up and what is there down, so that they never look alike."""
    for unit, name in ((10**9, "GB"), (10**6, "MB")):
        if n >= unit:
            return f"{rounded(10 * n / unit) / 10:g} {name}"
    return f"{rounded(n / 1000)} kB"
