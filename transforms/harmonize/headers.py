"""Headers that a spec names and a file lacks, headers that no spec names, headers that name people."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from schemas.errors import FileError, Place, SpecError
from schemas.spec.base import listed
from transforms.harmonize.identifiers import BIRTH, identifying_header
from transforms.harmonize.sources import OpenSource, nfc

if TYPE_CHECKING:
    from transforms.harmonize.plan import MappingPlan


class ColumnsMissingError(FileError, SpecError):
    """A file lacks headers that the spec names: the spec is out of date, or the file is."""


def check_headers(plan: MappingPlan, unread: list[tuple[str, str | None]]) -> None:
    """Compares every opened file with what the spec uses; unknown headers become issues.

    Raises:
        ColumnsMissingError: With the missing and the available headers and the nearest names.
        FileError: FORBIDDEN_COLUMN, or UNKNOWN_COLUMN where the spec refuses unknown headers.
    """
    required, optional = _used(plan)
    for source in plan.sources:
        _refuse_identifiers(plan, source)
    for source in plan.sources:
        wanted = required.get(source.name, {})
        known = set(wanted) | optional.get(source.name, set())
        added = {nfc(header) for header in source.spec.adds}
        missing = [name for name in wanted if name not in source.columns and name not in added]
        unknown = [name for name in source.columns if not _is_known(name, known, source)]
        if unknown and plan.spec.unknown_columns == "refuse":
            _refuse_unknown(plan, source, unknown, missing)
        if missing:
            _refuse_missing(plan, source, unknown, missing)
        plan.issues += [_unknown_issue(source, name) for name in unknown]
    for file, sheet in unread:
        what = "sheet" if sheet else "file"
        plan.issues.append(
            {
                "rule_id": "STR-07",
                "severity": "warning",
                "file": file,
                "sheet": sheet,
                "note": f"no source of the spec reads this {what}; name it there or under ignore_{what}s",
            }
        )


def _used(plan: MappingPlan) -> tuple[dict[str, dict[str, None]], dict[str, set[str]]]:
    """Per source of the spec: headers that must be there, headers that may be."""
    from transforms.harmonize.plan import fill, join_of, rule_headers

    required: dict[str, dict[str, None]] = {}
    optional: dict[str, set[str]] = {}
    for name, spec in plan.spec.sources.items():
        must = required.setdefault(name, {})
        must[nfc(spec.patient_id)] = None
        conditions = [*(spec.where or ()), *(c for e in spec.exclude for c in e.when or ())]
        must.update({nfc(c.column): None for c in conditions})
        for group in spec.checkboxes:
            must.update({nfc(header): None for header in (group.none, *group.others)})
    for block in plan.blocks:
        own = block.block.source

        def note(header: str, may_lack: bool, block: Any = block, own: str = own) -> None:
            join = join_of(block.block, header)
            name, bare = (join[0].source, join[1]) if join else (own, header)
            if may_lack:
                optional.setdefault(name, set()).add(bare)
            else:
                required.setdefault(name, {})[bare] = None

        for join in block.block.join:
            if join.on:
                required.setdefault(own, {})[nfc(join.on)] = None
                required.setdefault(join.source, {})[nfc(join.on)] = None
        for words in block.bindings:
            for condition in (*(block.block.where or ()), *(block.block.keep_when or ())):
                note(fill(condition.column, words), False)
            for column in block.columns:
                for header in rule_headers(column.rule, words):
                    note(header, column.rule.optional)
    return required, optional


def _is_known(name: str, used: set[str], source: OpenSource) -> bool:
    patterns = (*source.spec.ignore, *source.spec.drop)
    return name in used or any(fnmatchcase(name, nfc(p)) or name == nfc(p) for p in patterns)


def _refuse_identifiers(plan: MappingPlan, source: OpenSource) -> None:
    known = {nfc(header) for header in (*source.spec.drop, *source.spec.allow)}
    for name in source.columns:
        what = identifying_header(name)
        if not what or name in known or (what == BIRTH and _is_year_only(plan, source.name, name)):
            continue
        fix = (
            "ask the center to send the file without it; if the column may come but not be "
            "kept, name it under 'drop' of the source; if it tells of nobody, under 'allow'"
        )
        if what == BIRTH:
            fix = "map it to birth_year alone (as: year), which keeps the year; or " + fix
        raise FileError(
            "FORBIDDEN_COLUMN",
            Place(source.file, source.sheet, column=name),
            f"the header says that the column holds {what}",
            fix=fix,
        )


def _is_year_only(plan: MappingPlan, source: str, header: str) -> bool:
    """Whether a header is mapped to the year of birth, and to nothing else."""
    from transforms.harmonize.plan import join_of, rule_headers

    found = set()
    for block in plan.blocks:
        for words in block.bindings:
            for column in block.columns:
                for named in rule_headers(column.rule, words):
                    join = join_of(block.block, named)
                    place = (join[0].source, join[1]) if join else (block.block.source, named)
                    if place == (source, header):
                        found.add(column.column.name)
    return found == {"birth_year"}


def _refuse_unknown(
    plan: MappingPlan, source: OpenSource, unknown: list[str], missing: list[str]
) -> None:
    text = f"unknown columns {_all_shown(unknown)}"
    if missing:
        text += f"; missing columns {listed(missing)}"
    raise FileError(
        "UNKNOWN_COLUMN",
        Place(source.file, source.sheet),
        f"{text}; the spec knows {listed(name for name in source.columns if name not in unknown)}",
        fix=f"map them in {plan.spec.path.name} or name them under 'ignore' of source '{source.name}'",
    )


def _refuse_missing(
    plan: MappingPlan, source: OpenSource, unknown: list[str], missing: list[str]
) -> None:
    parts = []
    for name in missing:
        near = difflib.get_close_matches(name, unknown or list(source.columns), n=1, cutoff=0.7)
        parts.append(f"'{name}'" + (f" (nearest: {_shown(near[0])})" if near else ""))
    text = f"missing columns: {', '.join(parts)}; the file has {listed(source.columns)}"
    if unknown:
        text += f"; no key of the spec names {_all_shown(unknown)}"
    raise ColumnsMissingError(
        "MISSING_COLUMN",
        Place(source.file, source.sheet),
        text,
        fix=f"correct the names in {plan.spec.path.name} (source '{source.name}'), mark a column "
        "'optional: true', or ask the center for the columns",
    )


def _all_shown(names: list[str], most: int = 40) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(_shown, names[:most])) + more


def _shown(name: str) -> str:
    """A header in quotes, with the code points of letters that only look Latin."""
    strange = [
        f"U+{ord(char):04X} {unicodedata.name(char, 'unnamed')}"
        for char in dict.fromkeys(name)
        if ord(char) > 0x7F and not unicodedata.name(char, "").startswith("LATIN")
    ]
    return f"'{name}'" + (f" ({', '.join(strange)})" if strange else "")


def _unknown_issue(source: OpenSource, name: str) -> dict[str, Any]:
    rows: Iterable[int] = source.spec.header_rows or (1,)
    return {
        "rule_id": "STR-07",
        "severity": "warning",
        "source_id": source.source_id,
        "file": source.file,
        "sheet": source.sheet,
        "row": max(rows),
        "source_column": source.columns[name].name,
        "note": "no key of the spec names this column: map it, or name it under 'ignore'",
    }
