"""Partial dates that may violate a rule: the second clause of a rule on the order of dates.

A condition on `earliest()` and `latest()` is written so that it is true where every day that the
partial dates can be violates. With both words exchanged it is true where some of these days do: that
holds as long as the condition grows or falls with each date, as comparisons of two dates, and of their
distance, do. Such rows are kept and the center is asked for the full date.
"""

from __future__ import annotations

import re

# What a center is asked; the other languages stand in queries/notes.yaml.
MAY_VIOLATE = (
    "A date is known only by its month or year and may contradict another date. "
    "Please give the full date."
)
_END = re.compile(r"\b(earliest|latest)(\s*\(\s*)([a-z_][a-z0-9_.]*|\{column\})")
_YEAR = re.compile(r"\bYEAR\s*\(\s*(earliest|latest)\s*\([^)]*\)\s*\)")


def may_violate(fails: str) -> str | None:
    """The condition that some days of partial dates violate, from the one that all days do.

    None where the condition reads no end of a date, or its year only: the days of a partial date all
    lie in one year.
    """
    if not _END.search(_YEAR.sub("", fails)):
        return None
    return _END.sub(lambda m: ("latest" if m[1] == "earliest" else "earliest") + m[2] + m[3], fails)


def partial_dates(fails: str) -> tuple[tuple[str, str], ...]:
    """(owner, column) of each date whose ends a condition reads; the owner of an own one is empty."""
    names = dict.fromkeys(match[3] for match in _END.finditer(fails))
    parts = (name.rpartition(".") for name in names)
    return tuple((owner, column) for owner, _, column in parts)
