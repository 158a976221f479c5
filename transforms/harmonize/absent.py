"""What is said when a source of a spec finds nothing: no file, no member of its zip, no sheet."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from schemas.errors import FileError, Place, SpecError
from schemas.spec import CenterSpec, Source
from schemas.spec.base import listed


class SheetMissingError(FileError, SpecError):
    """A workbook lacks the sheet, or a zip the member, that the spec names: one of the two is out of date."""


def no_table(
    spec: CenterSpec,
    name: str,
    source: Source,
    sheets: dict[str, list[str]],
    members: dict[str, list[str]],
    there: Iterable[str],
) -> SpecError:
    """The error for a source that found nothing; it names what there is, the nearest name first.

    Args:
        spec: The center's spec.
        name: Of the source in it.
        source: What it declares.
        sheets: Files that fit `source.file`, each with the sheets that hold anything.
        members: Zips in which the source looks for its file, each with its members.
        there: All files of the delivery.
    """
    what = f"under sources.{name} in {spec.path.name}"
    fix = f"{what}, mark it 'optional: true', or ask the center for "
    if source.sheet is not None and sheets:
        file, found = next(iter(sheets.items()))
        holds = f"it has {_listed(source.sheet, found)}" if found else "it is no workbook"
        return SheetMissingError(
            "MISSING_SHEET",
            Place(file),
            f"source '{name}' finds no sheet '{source.sheet}' with anything in it; {holds}",
            fix=f"correct 'sheet' {fix}the usual layout",
        )
    if members:
        file, found = next(iter(members.items()))
        wanted = source.file.rpartition("/")[2]
        return SheetMissingError(
            "MISSING_SHEET",
            Place(file),
            f"source '{name}' finds no member '{wanted}'; the zip holds "
            f"{_listed(wanted, found) or 'no file'}",
            fix=f"correct 'file' {fix}the usual layout",
        )
    sheet = f" with sheet '{source.sheet}'" if source.sheet else ""
    return SpecError(
        f"{spec.path.name}: source '{name}' finds no file '{source.file}'{sheet}; the delivery holds "
        f"{_listed(source.file, there) or 'no file'}",
        fix=f"correct sources.{name}, mark it 'optional: true', or ask the center for the file",
    )


def _listed(wanted: str, names: Iterable[str]) -> str:
    """The names in quotes, those most like the wanted one first, else in their order."""
    likeness = difflib.SequenceMatcher(b=wanted.casefold(), autojunk=False)

    def unlike(name: str) -> float:
        likeness.set_seq1(name.casefold())
        return -likeness.ratio()

    return listed(sorted(names, key=unlike))
