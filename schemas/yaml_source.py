"""YAML with positions: what a person wrote, and on which line each key and value stands.

Every scalar is text and only a plain `null`, `~` or nothing is null: the model that reads it decides
about numbers and dates. So `no: N` in a value map is the word "no" and `01` keeps its zero.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from schemas.errors import CarmonyError

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_MAX_NODES = (
    200_000  # a file that people keep has some thousands; aliases could multiply without end
)
_MAX_BYTES = 5_000_000
_MAX_DEPTH = 60  # libyaml's composer calls itself for each level, until the stack ends
# Tags that plain YAML gives its nodes. Any other would ask a loader for more than a value.
_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{word}"
    for word in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "seq", "map")
)
# Controls but tab and newline, and marks that reorder text: they reach terminals, logs and pages.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)

Loc = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class YamlFile:
    """Content of a YAML file as plain values, and the line of each place in it.

    `lines` maps a path of keys and list positions to the 1-based line of its key (or item).
    """

    path: Path
    data: Any
    lines: dict[Loc, int]
    content: bytes

    def line(self, place: Loc) -> int:
        """Line of a place, or of the nearest place around it that is written in the file."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read_yaml(path: Path, error: type[CarmonyError]) -> YamlFile:
    """The file's content with positions.

    Raises:
        error: If the file is missing, too large, not UTF-8, not YAML, nested too deep, names a key
            twice, or holds a tag or unseen characters; with the line.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise error(f"{path.name}: the file is larger than {_MAX_BYTES:,} bytes")
        text = content.decode("utf-8-sig")
    except FileNotFoundError:
        raise error(f"{path.name}: there is no such file", fix=f"write {path}") from None
    except UnicodeDecodeError as problem:
        line = content[: problem.start].count(b"\n") + 1
        raise error(
            f"{path.name}, line {line}: the file is not UTF-8", fix="save it as UTF-8"
        ) from None
    except OSError as problem:
        raise error(f"{path.name}: cannot be read ({problem.strerror})") from None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check_depth(text, loader, path, error)
        root = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise error(
            f"{path.name}{where}: this is not YAML: {problem.problem or problem.context}",
            fix="check indentation, colons, and quotes around text that holds '{', ':' or '#'",
        ) from None
    except yaml.YAMLError as problem:
        raise error(f"{path.name}: this is not YAML: {' '.join(str(problem).split())}") from None
    builder = _Builder(path, error)
    data = builder.value(root, ()) if root is not None else {}
    return YamlFile(path, data, builder.lines, content)


def _check_depth(text: str, loader: Any, path: Path, error: type[CarmonyError]) -> None:
    """Counts levels and nodes by the parser's events, which come one by one."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=loader)):
        if count > 2 * _MAX_NODES:
            raise error(f"{path.name}: the file is too large or nested too deep")
        if isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            depth += 1
            if depth > _MAX_DEPTH:
                line = f", line {event.start_mark.line + 1}" if event.start_mark else ""
                raise error(f"{path.name}{line}: the file is nested too deep")
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            depth -= 1


class _Builder:
    """Turns YAML nodes into plain values and notes where they stand."""

    def __init__(self, path: Path, error: type[CarmonyError]) -> None:
        self.path = path
        self.error = error
        self.lines: dict[Loc, int] = {}
        self.count = 0

    def value(self, node: Any, place: Loc) -> Any:
        self.count += 1
        line = node.start_mark.line + 1
        if self.count > _MAX_NODES or len(place) > _MAX_DEPTH:
            raise self.error(f"{self.path.name}: the file is too large or nested too deep")
        if node.tag not in _PLAIN_TAGS:
            raise self.error(
                f"{self.path.name}, line {line}: tags such as !x have no meaning here",
                fix="remove the word that begins with '!', or put the text in quotes",
            )
        self.lines.setdefault(place, line)
        if isinstance(node, yaml.ScalarNode):
            self._refuse_unseen(node.value, line)
            plain = not node.style  # libyaml says '', PyYAML itself None
            return None if plain and node.value in _NULLS else node.value
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*place, index)) for index, item in enumerate(node.value)]
        return self.mapping(node, place)

    def mapping(self, node: Any, place: Loc) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise self.error(f"{self.path.name}, line {line}: a key must be one word or text")
            key = key_node.value
            self._refuse_unseen(key, line)
            if key == "<<" and not key_node.style:
                merged.update(self._merged(value_node, (*place, "<<"), line))
                continue
            if key in own:
                first = self.lines[(*place, key)]
                raise self.error(
                    f"{self.path.name}, line {line}: key '{key}' is written twice (first in line {first})",
                    fix="keep one of them",
                )
            self.lines[(*place, key)] = line
            own[key] = self.value(value_node, (*place, key))
        return {**merged, **own}

    def _merged(self, node: Any, place: Loc, line: int) -> dict[str, Any]:
        """What `<<` brings: a mapping, or several of which the first counts most."""
        found = self.value(node, place)
        parts = found if isinstance(found, list) else [found]
        if not all(isinstance(part, dict) for part in parts):
            raise self.error(
                f"{self.path.name}, line {line}: '<<' must be followed by an alias of a mapping",
                fix="write '<<: *name' where '&name' marks a mapping",
            )
        return {key: value for part in reversed(parts) for key, value in part.items()}

    def _refuse_unseen(self, text: str, line: int) -> None:
        if _UNSEEN.search(text):
            raise self.error(
                f"{self.path.name}, line {line}: the text holds control characters or unseen marks",
                fix="type the text again",
            )
