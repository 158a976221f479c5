"""A zip of files: its members are read like files, under the name `outer.zip/inner.csv`."""

from __future__ import annotations

import fnmatch
import posixpath
import zipfile
from dataclasses import replace

from schemas.errors import FileError
from transforms.read.guard import check_archive
from transforms.read.registry import kind_of
from transforms.read.source import ZIP_ERRORS, Source, shown
from transforms.read.tables import ReadOptions, TableInfo, TableReader
from transforms.read.workbooks import FailedReader

_LITTER = {"thumbs.db", "desktop.ini"}


def is_zip(head: bytes) -> bool:
    """Whether the bytes begin a zip archive."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def member_names(source: Source) -> list[str]:
    """Names of the files in the zip's directory.

    Raises:
        FileError: TRUNCATED or CORRUPT: the directory cannot be read.
    """
    try:
        with source.open() as file, zipfile.ZipFile(file) as archive:
            return [info.filename for info in archive.infolist() if not info.is_dir()]
    except (*ZIP_ERRORS, ValueError):
        raise source.damaged() from None


def open_zip(source: Source, options: ReadOptions) -> list[TableReader]:
    """The tables of the members, in the order of their names; of one member if it is declared.

    Without a declared member, one that cannot be read (a letter, a PDF) does not stop the others: its
    reader fails when it is read.

    Raises:
        FileError: The archive, the declared member, or every member cannot be read.
    """
    members = check_archive(source, options.limits, workbook=False)
    wanted = sorted(
        (m for m in members if not _is_litter(m.filename) and _matches(m.filename, options.member)),
        key=lambda member: member.filename,
    )
    if not wanted:
        names = ", ".join(shown(member.filename) for member in members[:20])
        raise source.error(
            "MISSING_SHEET" if options.member else "NO_ROWS",
            f"has no member '{options.member}'; it holds {names}" if options.member else "is empty",
            "correct 'member' in the center's spec, or ask the center for the usual files",
        )
    readers: list[TableReader] = []
    errors: list[FileError] = []
    for member in wanted:
        try:
            readers += _open_member(source, member, options)
        except FileError as error:
            if options.member:
                raise
            errors.append(error)
            readers.append(FailedReader(_failed_info(source, member, error), error))
    if len(errors) == len(readers):
        raise errors[0]
    return readers


def _open_member(
    source: Source, member: zipfile.ZipInfo, options: ReadOptions
) -> list[TableReader]:
    inner = replace(
        source,
        name=f"{source.name}/{shown(member.filename)}",
        member=member.filename,
        size=member.file_size,
    )
    kind = options.kind if options.kind != "zip" else None
    plain = replace(options, kind=kind, member=None, sha256=None)
    found = kind_of(inner, plain)
    if found.name == "zip":
        raise inner.error("WRONG_TYPE", "is a zip inside a zip", "pack the files in one zip")
    return found.opener(inner, plain)


def _matches(name: str, wanted: str | None) -> bool:
    if wanted is None:
        return True
    return name == wanted or fnmatch.fnmatchcase(name, wanted)


def _is_litter(name: str) -> bool:
    base = posixpath.basename(name)
    return name.startswith("__MACOSX/") or base.startswith((".", "~$")) or base.lower() in _LITTER


def _failed_info(source: Source, member: zipfile.ZipInfo, error: FileError) -> TableInfo:
    return TableInfo(
        file=f"{source.name}/{shown(member.filename)}",
        sheet=None,
        kind="unknown",
        encoding=None,
        delimiter=None,
        decimal=None,
        date_system=None,
        sha256="",
        columns=(),
        notes=(f"cannot be a table: {error.message}",),
    )
