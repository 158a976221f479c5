"""The copy of one delivered file: the bytes as they are, from a file and nothing else."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from flows import room
from schemas.errors import FileError, Place
from transforms.read.source import shown

_BLOCK = 1 << 20
_ZEROS = bytes(_BLOCK)


def copy_file(path: Path, copy: Path) -> None:
    """Copies a file; what became a link or a pipe since it was looked at is not followed or waited for.

    Blocks of zeros become holes: a file of holes takes no more room in the vault than in the inbox.
    They are seen in the bytes that were read, as not every disk tells rightly where its holes are.

    Raises:
        FileError: WRONG_TYPE, or TOO_LARGE for a file that grew beyond the limit meanwhile.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise no_file(path) from None
        raise
    with os.fdopen(handle, "rb") as source:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise no_file(path)
        with copy.open("xb") as target:
            copied, is_hole = 0, False
            while block := source.read(_BLOCK):
                copied += len(block)
                if copied > room.FILE_LIMIT:
                    raise room.too_large(
                        Place(shown(path.name)), "the file grew while it was copied"
                    )
                is_hole = block == _ZEROS
                if is_hole:
                    target.seek(_BLOCK, os.SEEK_CUR)
                else:
                    target.write(block)
            if is_hole:
                target.truncate()  # a hole at the end is nothing until the file has its length


def no_file(path: Path) -> FileError:
    """What is said of a link, a pipe or a device in a delivery."""
    return FileError(
        "WRONG_TYPE",
        Place(shown(path.name)),
        "this is a link or a device, not a file",
        fix="put the file itself into the delivery",
    )
