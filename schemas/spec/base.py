"""What all models of specs and studies share: unknown keys and wrong values become one clear message."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from schemas.errors import CarmonyError
from schemas.yaml_source import Loc, YamlFile

_MOST = 20


class Declared(BaseModel):
    """A frozen part of a spec or study; a key that is not declared is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, coerce_numbers_to_str=True
    )

    @model_validator(mode="before")
    @classmethod
    def _only_known_keys(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = {field.alias or name: name for name, field in cls.model_fields.items()}
        unknown = [key for key in data if key not in known and key not in known.values()]
        if unknown:
            raise PydanticCustomError(
                "unknown_keys", "unknown keys", {"keys": unknown, "known": list(known)}
            )
        return data


Problem = tuple[Loc, str]
M = TypeVar("M", bound=BaseModel)


def nearest(word: str, names: Iterable[str]) -> str:
    """` Did you mean 'x'?` for the closest name, or nothing if none is close."""
    choices = list(names)
    by_fold = {name.casefold(): name for name in choices}
    close = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return f" Did you mean '{by_fold[close[0]]}'?" if close else ""


def listed(names: Iterable[str], most: int = 40) -> str:
    """Names in quotes, joined by commas, cut after `most`."""
    choices = list(names)
    more = f" and {len(choices) - most} more" if len(choices) > most else ""
    return ", ".join(f"'{name}'" for name in choices[:most]) + more


def validated(
    model: type[M],
    source: YamlFile,
    error: type[CarmonyError],
    check: Callable[[M], list[Problem]],
    guide: str = "docs/center-specs.md",
) -> M:
    """The model filled from the file.

    Args:
        model: What the file declares.
        source: The file.
        error: Raised with every problem found, each with line, key path and what is allowed.
        check: Looks at what one model cannot see alone; gives places and sentences.
        guide: The page that explains the keys.
    """
    try:
        filled = model.model_validate(source.data)
    except ValidationError as problem:
        items = [dict(item) for item in problem.errors()]
        inner = [item for item in items if not _hollow(item, items)]
        found = [entry for item in inner for entry in _problems(item, source)]
        raise _error(source, found, error, guide) from None
    found = check(filled)
    if found:
        raise _error(source, found, error, guide)
    return filled


def _hollow(item: dict[str, Any], items: list[dict[str, Any]]) -> bool:
    """A list counts as empty only because what stands in it is wrong, which is said already."""
    place = item["loc"]
    return item["type"] == "too_short" and any(
        other["loc"][: len(place)] == place for other in items if other is not item
    )


def _problems(item: dict[str, Any], source: YamlFile) -> list[Problem]:
    place = tuple(item["loc"])
    if item["type"] == "unknown_keys":
        known = item["ctx"]["known"]
        return [
            (
                (*place, key),
                f"unknown key '{key}'.{nearest(key, known)} Known keys: {listed(known)}",
            )
            for key in item["ctx"]["keys"]
        ]
    if item["type"] == "missing":
        return [(place, f"key '{place[-1]}' is missing")]
    if item["type"] == "literal_error":
        allowed = str(item["ctx"]["expected"])
        names = [part.strip("' ") for part in allowed.replace(" or ", ", ").split(", ")]
        return [
            (
                place,
                f"'{item['input']}' is not allowed.{nearest(str(item['input']), names)} Allowed: {allowed}",
            )
        ]
    message = str(item["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return [(place, message[:1].lower() + message[1:])]


def _error(
    source: YamlFile, found: list[Problem], error: type[CarmonyError], guide: str
) -> CarmonyError:
    ordered = sorted(dict.fromkeys(found), key=lambda entry: source.line(entry[0]))
    lines = [
        f"{source.path.name}, line {source.line(place)}{_path(place)}: {sentence}"
        for place, sentence in ordered[:_MOST]
    ]
    if len(ordered) > _MOST:
        lines.append(f"... and {len(ordered) - _MOST} more problems")
    return error("\n".join(lines), fix=f"correct the file; {guide} explains every key")


def _path(place: Loc) -> str:
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return f", {text}" if text else ""
