"""A REDCap data dictionary: labels and choices for the columns of raw and of label exports."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

from transforms.read.source import source_of
from transforms.read.tables import ColumnInfo, ReadOptions

_TAG = re.compile(r"<[^>]*>")
_WITHOUT_COLUMN = {"descriptive"}
_FIXED = {
    "yesno": {"1": "Yes", "0": "No"},
    "truefalse": {"1": "True", "0": "False"},
}
_CHECKED = {"0": "Unchecked", "1": "Checked"}
_COMPLETE = {"0": "Incomplete", "1": "Unverified", "2": "Complete"}
# The dictionary's columns have a fixed order; their names depend on REDCap's language.
_NAME, _FORM, _TYPE, _LABEL, _CHOICES = 0, 1, 3, 4, 5
# Columns that REDCap itself adds: header in raw and in label exports.
_SYSTEM = {
    "redcap_event_name": "Event Name",
    "redcap_repeat_instrument": "Repeat Instrument",
    "redcap_repeat_instance": "Repeat Instance",
    "redcap_data_access_group": "Data Access Group",
    "redcap_survey_identifier": "Survey Identifier",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One column of an export: its header in raw exports, its header in label exports."""

    raw: str
    labelled: str
    label: str
    choices: dict[str, str] = field(default_factory=dict)


def read_dictionary(path: Path) -> list[Field]:
    """The columns that a project's exports have, in order.

    Raises:
        FileError: The file cannot be read, or is not a data dictionary.
    """
    from transforms.read.opening import open_source  # which reads files with dictionaries

    source = source_of(path)
    table = open_source(source, ReadOptions())[0]
    rows = [
        ["" if cell is None else cell for cell in row]
        for batch in table.batches()
        for row in batch.drop("_row").rows()
    ]
    if len(table.info.columns) <= _CHOICES or table.rejects().height:
        raise source.error(
            "WRONG_TYPE",
            "is not a REDCap data dictionary: fewer than six columns, or rows that cannot be read",
            "download it again in REDCap (Project Setup, Data Dictionary)",
        )
    fields = [Field(raw, label, label) for raw, label in _SYSTEM.items()]
    form = ""
    for row in rows:
        if not row[_NAME].strip():
            continue
        if form and row[_FORM] != form:
            fields.append(_complete(form))
        form = row[_FORM]
        fields += _fields(row)
    return [*fields, _complete(form)] if form else fields


def unique_header(header: Sequence[str], fields: Sequence[Field]) -> list[str]:
    """The header of a label export with repeated labels told apart as `Label [variable]`.

    Several fields may share a label (`Date`, `Complete?`). They stand in the order of the dictionary,
    so the n-th column of a label is its n-th field, if their numbers agree; else nothing is changed.
    """
    counts = Counter(header)
    variables: dict[str, list[str]] = {}
    for entry in fields:
        variables.setdefault(entry.labelled, []).append(entry.raw)
    names = []
    seen: Counter[str] = Counter()
    for name in header:
        known = variables.get(_plain(name), [])
        if counts[name] > 1 and len(known) == counts[name]:
            names.append(f"{name} [{known[seen[name]]}]")
            seen[name] += 1
        else:
            names.append(name)
    return names


def described(columns: Sequence[ColumnInfo], fields: Sequence[Field]) -> tuple[ColumnInfo, ...]:
    """The columns with label and choices, where the dictionary knows them."""
    known: dict[str, Field] = {}
    for entry in fields:
        known.setdefault(entry.labelled, entry)
        known[f"{entry.labelled} [{entry.raw}]"] = entry
    known.update({entry.raw: entry for entry in fields})
    result = []
    for column in columns:
        entry = known.get(_plain(column.name))  # type: ignore[assignment]
        result.append(
            column
            if entry is None
            else ColumnInfo(column.name, column.position, entry.label, entry.choices)
        )
    return tuple(result)


def _fields(row: list[str]) -> list[Field]:
    name, kind, label = row[_NAME].strip(), row[_TYPE].strip().lower(), _plain(row[_LABEL])
    if kind in _WITHOUT_COLUMN:
        return []
    if kind == "checkbox":
        return [
            Field(
                f"{name}___{code.lower().replace('-', '_')}",
                f"{label} (choice={choice})",
                choice,
                _CHECKED,
            )
            for code, choice in _choices(row[_CHOICES]).items()
        ]
    choices = _FIXED.get(kind) or (_choices(row[_CHOICES]) if kind in ("radio", "dropdown") else {})
    return [Field(name, label, label, choices)]


def _choices(text: str) -> dict[str, str]:
    """`1, Male | 2, Female` → {'1': 'Male', '2': 'Female'}."""
    choices = {}
    for part in re.split(r"\||\n", text):
        code, comma, label = part.partition(",")
        if comma and code.strip():
            choices[code.strip()] = _plain(label)
    return choices


def _complete(form: str) -> Field:
    return Field(f"{form}_complete", "Complete?", "Complete?", _COMPLETE)


def _plain(label: str) -> str:
    """A label as exports show it: without markup and line breaks."""
    return " ".join(unescape(_TAG.sub(" ", label)).split())
