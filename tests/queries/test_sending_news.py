"""Which centers have something new: small logs by hand."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from flows.sending.news import centers_with_news, outdated, unsent
from schemas.query_frames import QUERY_EVENT
from warehouse.queries.fold import fold

START = dt.datetime(2024, 7, 1, tzinfo=dt.UTC)


def log(*lines: str) -> pl.DataFrame:
    """QUERY_EVENT from `part query event from to [actor]`; the center is the query's first letter."""
    rows = []
    for position, line in enumerate(lines):
        part, query, event, before, after, *actor = line.split()
        rows.append(
            {
                "part": int(part),
                "position": position,
                "at": START + dt.timedelta(days=position),
                "actor": actor[0] if actor else "load",
                "query_id": query,
                "event": event,
                "from_state": before,
                "to_state": after,
                "center_id": query[0],
            }
        )
    return pl.DataFrame(rows, schema_overrides=QUERY_EVENT).select(
        pl.col(name).cast(kind) if name in rows[0] else pl.lit(None, kind).alias(name)
        for name, kind in QUERY_EVENT.items()
    )


SENT = ("1 A1 created - candidate", "2 A1 released candidate open", "3 A1 sent open open")


def due(told: int, *lines: str) -> list[str]:
    events = log(*lines)
    return centers_with_news(events, fold(events), lambda center: told)


@pytest.mark.parametrize(
    ("told", "lines", "expected"),
    [
        (0, ("1 A1 created - candidate",), []),
        (0, ("1 A1 created - open",), ["A"]),
        (0, SENT[:2], ["A"]),
        (3, SENT, []),
        # asked again
        (3, (*SENT, "4 A1 changed_still_failing open open"), ["A"]),
        (3, (*SENT, "4 A1 resolved open resolved"), []),
        (3, (*SENT, "4 A1 resolved open resolved", "5 A1 reopened resolved open"), ["A"]),
        (3, (*SENT, "4 A1 resolved open resolved", "5 A1 reopened resolved candidate"), []),
        # answers
        (3, (*SENT, "4 A1 answered open answered center"), []),
        (
            3,
            (*SENT, "4 A1 answered open answered center", "5 A1 not_corrected answered open"),
            ["A"],
        ),
        (
            3,
            (*SENT, "4 A1 answered open answered center", "5 A1 resolved answered resolved"),
            ["A"],
        ),
        (3, (*SENT, "4 A1 confirmed open closed center"), ["A"]),
        (3, (*SENT, "4 A1 closed open closed manager"), []),
        (4, (*SENT, "4 A1 confirmed open closed center"), []),
        # marked as sent, and the packet was not written
        (2, SENT, ["A"]),
        (0, (*SENT, "4 A1 resolved open resolved"), ["A"]),
        # each center for itself
        (1, ("1 B1 created - open", "2 B1 sent open open", "3 A1 created - open"), ["A", "B"]),
    ],
)
def test_what_is_new(told: int, lines: tuple[str, ...], expected: list[str]) -> None:
    assert due(told, *lines) == expected


def test_a_log_without_events_has_no_news() -> None:
    events = pl.DataFrame(schema=QUERY_EVENT)

    assert centers_with_news(events, fold(events), lambda center: 0) == []
    assert unsent(events, fold(events)).is_empty()
    assert outdated(events, fold(events), {"A": 1}) == set()


def test_only_what_changed_since_its_packet_is_unsent() -> None:
    events = log(*SENT, "4 A2 created - open", "4 B1 created - candidate")

    assert unsent(events, fold(events)).rows() == [("A2", "A")]


@pytest.mark.parametrize(("told", "expected"), [(2, set()), (3, set()), (4, set())])
def test_being_sent_makes_no_packet_out_of_date(told: int, expected: set[str]) -> None:
    events = log(*SENT)

    assert outdated(events, fold(events), {"A": told}) == expected


def test_whatever_happened_later_makes_a_packet_out_of_date() -> None:
    events = log(*SENT, "4 A1 resolved open resolved", "5 B1 created - open")

    assert outdated(events, fold(events), {"A": 3, "B": 5}) == {"A"}
    assert outdated(events, fold(events), {"B": 4}) == {"B"}
