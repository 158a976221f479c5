"""Which queries a command is about: by id, center, rule, severity and state."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from flows.folder import StudyFolder
from schemas.errors import StudyError

if TYPE_CHECKING:
    import polars as pl

    from warehouse.queries import QueryLog

_LIVE = ("candidate", "open", "answered")


def log_of(folder: StudyFolder) -> QueryLog:
    """The log of queries, read now."""
    from warehouse.queries import QueryLog

    return QueryLog.read(folder.root)


def states(asked: Sequence[str]) -> tuple[str, ...] | None:
    """The states that are asked for; None for all."""
    from schemas.query_frames import STATES

    for state in asked:
        if state not in (*STATES, "all"):
            raise unknown("state", state, (*STATES, "all"))
    return None if "all" in asked else tuple(asked) or _LIVE


def chosen(
    folder: StudyFolder, arguments: argparse.Namespace, states: tuple[str, ...] | None
) -> pl.DataFrame:
    """The queries in these states that center, rule and severity leave."""
    import polars as pl

    everything = found = log_of(folder).queries
    if states is not None:
        found = found.filter(pl.col("state").is_in(states))
    filters: tuple[tuple[str, str, Callable[[], list[str]]], ...] = (
        ("center", "center_id", lambda: centers_of(folder)),
        ("rule", "rule_id", _rules),
        ("severity", "severity", lambda: ["error", "warning", "info"]),
    )
    for key, column, known in filters:
        asked = getattr(arguments, key)
        if asked:
            names = sorted({*known(), *everything[column]})
            for word in asked:
                if word not in names:
                    raise unknown(key, word, names)
            found = found.filter(pl.col(column).is_in(asked))
    return found


def known_ids(found: pl.DataFrame, asked: Sequence[str]) -> list[str]:
    """The ids as the log writes them.

    Raises:
        StudyError: The study has no such query; with the nearest one.
    """
    known = found["query_id"].to_list()
    exact = frozenset(known)
    ids = [_as_written(text) for text in asked]
    for text, query_id in zip(asked, ids, strict=True):
        if query_id not in exact:
            raise unknown("query", text, known, query_id)
    return list(dict.fromkeys(ids))


def _as_written(text: str) -> str:
    """Small letters, and the letters that are read for digits, mean the same id."""
    body = text.strip().upper()
    body = body.removeprefix("Q-") if body.startswith("Q-") else body
    return "Q-" + body.translate(str.maketrans("OIL", "011"))


def centers_of(folder: StudyFolder) -> list[str]:
    """Ids of all centers of the study, sorted."""
    from flows.pull import inbox_centers

    specs = {path.stem for path in (folder.root / "centers").glob("*.yaml")}
    return sorted(specs | set(inbox_centers(folder)))


def _rules() -> list[str]:
    from schemas.rules import load_rules

    return [rule.id for rule in load_rules()]


def unknown(kind: str, word: str, known: Iterable[str], near: str = "") -> StudyError:
    """The message for a word that does not exist, with the nearest that does."""
    from schemas.spec.base import listed, nearest

    names = list(known)
    some = f" Known: {listed(names)}." if 0 < len(names) <= 20 else ""
    return StudyError(
        f"There is no {kind} '{word}'.{nearest(near or word, names)}{some}",
        fix="carmony queries STUDY list --state all shows what there is",
    )
