"""What a plan says twice: names in a list, levels of one label."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from schemas.spec.base import Problem

if TYPE_CHECKING:
    from schemas.spec.plan import AnyDisplay, Variable

# Lists in which a name or a month stands once.
LISTED = (
    "by", "rows", "subgroups", "terms", "numbers", "shares", "variables", "medians", "at_months", "landmarks_months",
)  # fmt: skip


def printed_alike(variables: Mapping[str, Variable]) -> Iterator[Problem]:
    """Levels that are printed alike: nobody could tell their columns or curves apart."""
    for name, variable in variables.items():
        first: dict[str, str] = {}
        for code, label in variable.levels.items():
            other = first.setdefault(" ".join(label.split()), code)
            if other != code:
                text = f"levels '{other}' and '{code}' have one label, '{label}'; join them with 'recode'"
                yield ("variables", name, "levels", code), text


def repeated(display: AnyDisplay) -> Iterator[Problem]:
    """What stands twice in a list of a display, with its place there."""
    for key in LISTED:
        names = getattr(display, key, ())
        if isinstance(names, str):
            continue
        for index, name in enumerate(names):
            if name in names[:index]:
                word = name if isinstance(name, str) else f"{name:g}"
                yield (key, index), f"'{word}' stands twice in {key}; write it once"
    for name, others in getattr(display, "replace", {}).items():
        for index, other in enumerate(others):
            if other in others[:index]:
                yield ("replace", name, index), f"'{other}' stands twice; write it once"
            elif other in getattr(display, "terms", ()):
                yield ("replace", name, index), f"'{other}' is a term of this model already"
