"""A file of a delivery as the readers hold it: opened by handle, hashed, watched for changes."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from schemas.errors import FileError, Place

# What zipfile raises over a damaged or unsupported container.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    EOFError,
    KeyError,
    IndexError,  # a member without a name
    UnicodeDecodeError,
)


WORKBOOKS = (".xlsx", ".xlsm", ".xltx", ".xltm", ".xlsb", ".ods")
_END = b"PK\x05\x06"  # opens the end of a zip's directory
_END_SIZE = 22  # of that end; its last two bytes say how long the comment after it is
_END_LENGTH = _END_SIZE + 65_535  # with the longest comment


def shown(name: str | bytes) -> str:
    """A file or member name that is safe to print, log and store: no raw bytes, no control marks."""
    text = os.fsdecode(name)
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in {"Cc", "Cf"} else c
        for c in text
    )


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or a member of a zip. `name` is what messages and `TableInfo.file` show."""

    path: Path
    name: str
    member: str | None
    size: int
    mtime_ns: int

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The bytes, read by handle: names with quotes, globs or broken bytes do no harm."""
        try:
            with self.path.open("rb") as file:
                if self.member is None:
                    yield file
                    return
                with zipfile.ZipFile(file) as archive, archive.open(self.member) as inner:
                    yield inner
        except ZIP_ERRORS as error:
            raise self.damaged() from error
        except OSError as error:
            raise self.error(
                "CORRUPT", f"cannot be opened ({error.strerror})", "check the file and its rights"
            ) from error

    def head(self, size: int = 65_536) -> bytes:
        """The first bytes."""
        with self.open() as file:
            return file.read(size)

    def read(self) -> bytes:
        """All bytes; for files that are known to be small."""
        with self.open() as file:
            return file.read()

    def sha256(self) -> str:
        """Hash of the bytes in hex."""
        digest = hashlib.sha256()
        with self.open() as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()

    def check_unchanged(self) -> None:
        """FileError CHANGING if the file is not what it was when it was opened."""
        try:
            now = self.path.stat()
            same = now.st_mtime_ns == self.mtime_ns and (
                self.member is not None or now.st_size == self.size
            )
        except OSError:
            same = False
        if not same:
            raise self.error(
                "CHANGING",
                "changed while it was read",
                "wait until the sender has finished writing, then run again",
            )

    def damaged(self) -> FileError:
        """What is wrong with a zip or workbook that cannot be unpacked: broken off, or damaged."""
        workbook = self.member is None and self.path.suffix.lower() in WORKBOOKS
        what = "workbook" if workbook else "zip"
        if _is_broken_off(self.path):
            return self.error(
                "TRUNCATED",
                f"the {what} ends in the middle: its end is missing",
                "the upload broke off; ask the center to send the file again",
            )
        return self.error(
            "CORRUPT",
            f"the {what} is damaged and cannot be unpacked",
            "ask the center to send the file again",
        )

    def error(self, code: str, problem: str, fix: str = "", **place: Any) -> FileError:
        """A FileError about this file; `place` may name sheet, row and column.

        What the file says of itself (sheets, headers, members) is made printable.
        """
        named: dict[str, Any] = {
            key: shown(at) if isinstance(at, str) else at for key, at in place.items()
        }
        return FileError(code, Place(self.name, **named), shown(problem), fix=shown(fix))


def _is_broken_off(path: Path) -> bool:
    """Whether a file starts as a zip and the end of its directory is missing or cut."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _END_LENGTH))
            tail = file.read()
    except OSError:
        return False
    end = tail[tail.rfind(_END) :] if _END in tail else b""
    comment = int.from_bytes(end[_END_SIZE - 2 : _END_SIZE], "little")
    return start == b"PK\x03\x04" and len(end) < _END_SIZE + comment


def source_of(path: Path) -> Source:
    """The source of a file in the delivery.

    Raises:
        FileError: There is no such file, or it cannot be read.
    """
    name = shown(path.name)
    try:
        status = path.stat()
    except OSError as error:
        raise FileError(
            "CORRUPT",
            Place(name),
            f"cannot be read ({error.strerror})",
            fix="check that the file is there and may be read",
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise FileError(
            "WRONG_TYPE", Place(name), "is not a file", fix="name a file of the delivery"
        )
    return Source(path, name, None, status.st_size, status.st_mtime_ns)
