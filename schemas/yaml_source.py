"""YAML with positions: what a person wrote, and on which line each key and value stands.

Every scalar is text and only a plain `null`, `~` or nothing is null: the model that reads it decides
about numbers and dates. So `no: N` in a value map is the word "no" and `01` keeps its zero.
"""

from __future__ import annotations

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
        error: If the file is missing, is not UTF-8, is not YAML or names a key twice; with the line.
    """
    try:
        content = path.read_bytes()
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
        root = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise error(
            f"{path.name}{where}: this is not YAML: {problem.problem or problem.context}",
            fix="check indentation, colons, and quotes around text that holds '{', ':' or '#'",
        ) from None
    except yaml.YAMLError as problem:
        raise error(f"{path.name}: this is not YAML: {problem}") from None
    builder = _Builder(path, error)
    data = builder.value(root, ()) if root is not None else {}
    return YamlFile(path, data, builder.lines, content)


class _Builder:
    """Turns YAML nodes into plain values and notes where they stand."""

    def __init__(self, path: Path, error: type[CarmonyError]) -> None:
        self.path = path
        self.error = error
        self.lines: dict[Loc, int] = {}
        self.count = 0

    def value(self, node: Any, place: Loc) -> Any:
        self.count += 1
        if self.count > _MAX_NODES or len(place) > 60:
            raise self.error(f"{self.path.name}: the file is too large or nested too deep")
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
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
            if key == "<<" and not key_node.style:
                merged.update(self.value(value_node, (*place, "<<")))
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
