"""What kind of zip or OLE container a file is, by its content."""

from __future__ import annotations

import zipfile

from transforms.read.registry import look_of
from transforms.read.source import ZIP_ERRORS, Source
from transforms.read.tables import ReadOptions, TableReader
from transforms.read.workbooks import open_workbook

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"


def is_office_container(head: bytes) -> bool:
    """Whether a file can be an Excel or OpenDocument workbook of any age."""
    return head.startswith((OLE, ZIP)) or _is_old_biff(head)


def _is_old_biff(head: bytes) -> bool:
    return (
        head[:1] == b"\x09"
        and head[1:2] in b"\x00\x02\x04\x08"
        and head[2:4] in (b"\x04\x00", b"\x06\x00", b"\x08\x00")
    )


def open_xlsx(source: Source, options: ReadOptions) -> list[TableReader]:
    """A workbook of Excel 2007 and later; one with a password or of an older kind is refused."""
    if source.name.lower().endswith((".xlsm", ".xltm")):
        raise source.error(
            "WRONG_TYPE", "may hold macros", "save it as a workbook without macros (.xlsx)"
        )
    return _open(source, options, "xlsx")


def open_xls(source: Source, options: ReadOptions) -> list[TableReader]:
    """A workbook of Excel 97 to 2003."""
    return _open(source, options, "xls")


def open_ods(source: Source, options: ReadOptions) -> list[TableReader]:
    """An OpenDocument spreadsheet."""
    return _open(source, options, "ods")


def _open(source: Source, options: ReadOptions, kind: str) -> list[TableReader]:
    found = container_kind(source)
    if found == "encrypted":
        raise source.error(
            "ENCRYPTED",
            "is protected by a password",
            "ask the center to remove the password (or send it by a secure way without one)",
        )
    if found != kind:
        seems = {
            "zip": "a zip archive",
            "ole": "a file of another program of Office, not a workbook",
        }.get(found, f"a workbook of kind {found}")
        readable = found in ("xlsx", "xls", "ods", "zip")
        declare = f"set 'kind: {found}' in the center's spec, or save it as .{kind}"
        raise source.error(
            "WRONG_TYPE",
            f"is named like {kind}, but is {seems}",
            declare if readable else f"ask the center for the table, saved as .{kind}",
        )
    return open_workbook(source, options, kind)


def container_kind(source: Source) -> str:
    """xlsx, xlsb, ods, zip, xls, ole or encrypted.

    Raises:
        FileError: TRUNCATED for a zip whose end is missing, CORRUPT for one that is damaged.
    """
    head = source.head()
    if head.startswith(OLE):
        return _ole_kind(source)
    if _is_old_biff(head):
        return "xls"
    if not head.startswith(ZIP):
        return look_of(head)
    try:
        with source.open() as file, zipfile.ZipFile(file) as archive:
            names = {name.lower() for name in archive.namelist()[:5000]}
            if "[content_types].xml" in names and any(n.startswith("xl/") for n in names):
                return "xlsx"
            if "content.xml" in names and "mimetype" in names:
                return "ods"
    except (*ZIP_ERRORS, ValueError):
        raise source.damaged() from None
    return "zip"


def _ole_kind(source: Source) -> str:
    """By the names of the streams in the container's directory."""
    with source.open() as file:
        data = file.read(200_000_000)
    if "EncryptedPackage".encode("utf-16-le") in data:
        return "encrypted"
    if "_VBA_PROJECT".encode("utf-16-le") in data:
        raise source.error(
            "WRONG_TYPE", "holds macros", "save it as a workbook without macros (.xlsx)"
        )
    if "Workbook".encode("utf-16-le") in data or "Book".encode("utf-16-le") in data:
        return "xls"
    return "ole"
