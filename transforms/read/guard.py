"""A look at zip containers (workbooks, zips of files) before anything is unpacked or parsed.

Only the directory is read: sizes, ratios, member names, macros, passwords. What shows only inside the
XML (document types, stray cells) is refused by the child while it streams.
"""

from __future__ import annotations

import posixpath
import zipfile

from transforms.read.source import ZIP_ERRORS, Source, shown
from transforms.read.tables import Limits

_SMALL = 10_000_000


def check_archive(source: Source, limits: Limits, *, workbook: bool) -> list[zipfile.ZipInfo]:
    """The files of a zip container.

    Args:
        source: The container.
        limits: What it may ask for.
        workbook: It is an Excel or OpenDocument workbook, not a zip of files.

    Raises:
        FileError: CORRUPT, TRUNCATED, TOO_LARGE, ENCRYPTED or WRONG_TYPE.
    """
    try:
        with source.open() as file, zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            files = [member for member in members if not member.is_dir()]
    except (*ZIP_ERRORS, ValueError):
        raise source.damaged() from None
    if len(members) > limits.members:
        raise source.error(
            "TOO_LARGE", f"holds {len(members)} members", "send only the files of the study"
        )
    for member in files:
        _check_member(source, member, limits, workbook=workbook)
    if len({member.filename.lower() for member in files}) != len(files):
        raise source.error("CORRUPT", "holds two members of one name", "pack it again")
    total = sum(member.file_size for member in files)
    if total > (4 * limits.unpacked_bytes if workbook else limits.archive_bytes):
        raise source.error(
            "TOO_LARGE", f"would unpack to {total:,} bytes", "send large tables as CSV"
        )
    if workbook:
        _check_workbook(source, files)
    return files


def _check_member(
    source: Source, member: zipfile.ZipInfo, limits: Limits, *, workbook: bool
) -> None:
    name = member.filename
    if not _is_safe(name):
        raise source.error(
            "CORRUPT",
            f"its member '{shown(name)[:80]}' points outside the archive",
            "do not open it; ask the center where the file comes from",
        )
    if member.flag_bits & 1:
        raise source.error(
            "ENCRYPTED",
            "is protected by a password",
            "ask the center to remove the password (or send it by a secure way without one)",
        )
    ratio = member.file_size / max(member.compress_size, 1)
    bomb = member.file_size > _SMALL and ratio > limits.ratio
    if bomb or (workbook and member.file_size > limits.unpacked_bytes):
        raise source.error(
            "TOO_LARGE",
            f"its member '{shown(name)[:80]}' would unpack from {member.compress_size:,} "
            f"to {member.file_size:,} bytes",
            "save only the study's table in a new workbook, or send it as CSV",
        )


def _is_safe(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    absolute = name.startswith(("/", "\\")) or (len(parts[0]) == 2 and parts[0][1] == ":")
    return not (absolute or ".." in parts or "\\" in name or "\0" in name)


def _check_workbook(source: Source, files: list[zipfile.ZipInfo]) -> None:
    names = [member.filename.lower() for member in files]
    if b"encryption-data" in _part(source, files, "meta-inf/manifest.xml"):
        raise source.error(
            "ENCRYPTED", "is protected by a password", "ask the center to remove the password"
        )
    bases = {posixpath.basename(name) for name in names}
    content = _part(source, files, "[content_types].xml")
    if (
        "vbaproject.bin" in bases
        or b"macroenabled" in content
        or b"vbaproject" in content
        or any(name.startswith(("basic/", "scripts/")) for name in names)
    ):
        raise source.error(
            "WRONG_TYPE", "holds macros", "save it as a workbook without macros (.xlsx)"
        )
    if "workbook.bin" in bases:
        raise source.error("WRONG_TYPE", "is a binary workbook (.xlsb)", "save it as .xlsx")


def _part(source: Source, files: list[zipfile.ZipInfo], name: str) -> bytes:
    """A small part in lower case; nothing if it is not there."""
    for member in files:
        if member.filename.lower() == name and member.file_size < 1_000_000:
            with source.open() as file, zipfile.ZipFile(file) as archive:
                try:
                    return archive.read(member).lower()
                except (*ZIP_ERRORS, ValueError):
                    raise source.error(
                        "CORRUPT", "its zip container is damaged", "send the file again"
                    ) from None
    return b""
