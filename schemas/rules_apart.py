"""Rules of the catalogue that are no rules of the pack: judged at another place, or by nobody.

`rules/elsewhere.yaml` tells what refuses or finds a violation instead of a finding to a center;
`rules/undecided.yaml` why a rule cannot be judged at all. Together with the pack they are the whole
catalogue. `rules/limits.yaml` tells where a rule of the pack goes less far than its entry there.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from schemas.rules import FOLDER, RuleError, load_rules, only_keys, read_yaml

PLACES = ("refusal", "audit", "reading", "derivation")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A rule that another part of the system holds.

    `by`: `refusal` (the delivery is not read), `audit` (the warehouse is not published), `reading` (a
    value cannot be read otherwise), `derivation` (the analysis tables are made so). `how`: in a sentence.
    """

    id: str
    title: str
    by: str
    how: str


@dataclass(frozen=True, slots=True)
class Undecided:
    """A rule of the catalogue that nothing here judges, and why."""

    id: str
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class Limit:
    """Where a rule of the pack goes less far than its entry in the catalogue, and why."""

    id: str
    limit: str


_Kind = TypeVar("_Kind", Elsewhere, Undecided, Limit)


def load_elsewhere(folder: Path = FOLDER) -> tuple[Elsewhere, ...]:
    """The rules of `elsewhere.yaml`, by id. Raises RuleError if one is also a rule of the pack."""
    found = _load(folder / "elsewhere.yaml", Elsewhere)
    for each in found:
        if each.by not in PLACES:
            told = f"'{each.by}' is not one of {', '.join(PLACES)}"
            raise RuleError("elsewhere.yaml", each.id, "by", told)
    return found


def load_undecided(folder: Path = FOLDER) -> tuple[Undecided, ...]:
    """The rules of `undecided.yaml`, by id. Raises RuleError if one is also judged."""
    found = _load(folder / "undecided.yaml", Undecided)
    elsewhere = {each.id for each in load_elsewhere(folder)}
    for each in found:
        if each.id in elsewhere:
            raise RuleError("undecided.yaml", each.id, "id", "this rule is judged elsewhere")
    return found


def load_limits(folder: Path = FOLDER) -> tuple[Limit, ...]:
    """The limits of `limits.yaml`, by id. Raises RuleError if one is of no rule of the pack."""
    found = _entries(folder / "limits.yaml", Limit)
    judged = {rule.id for rule in load_rules(folder)}
    for each in found:
        if each.id not in judged:
            raise RuleError("limits.yaml", each.id, "id", "there is no such rule")
    return tuple(sorted(found, key=lambda each: each.id))


def _entries(path: Path, kind: type[_Kind]) -> list[_Kind]:
    names = [field.name for field in fields(kind)]
    if not path.is_file():
        return []
    return [_entry(path, kind, names, entry) for entry in read_yaml(path)]


def _load(path: Path, kind: type[_Kind]) -> tuple[_Kind, ...]:
    found = _entries(path, kind)
    judged = {rule.id for rule in load_rules(path.parent)}
    for each in found:
        if each.id in judged:
            raise RuleError(path.name, each.id, "id", "this rule is judged; take it out of here")
    return tuple(sorted(found, key=lambda each: each.id))


def _entry(path: Path, kind: type[_Kind], names: list[str], entry: Any) -> _Kind:
    name = str(entry.get("id", "?")) if isinstance(entry, dict) else "?"
    only_keys(path.name, name, entry, set(names))
    for key in names:
        if not isinstance(entry.get(key), str):
            raise RuleError(path.name, name, key, "is missing or not text")
    return kind(**entry)
