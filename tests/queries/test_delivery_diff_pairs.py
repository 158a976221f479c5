"""Which deliveries are compared with which."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest

from warehouse.delivery_diff.pairs import pairs_of
from warehouse.loads import DeliveryOutcome, LoadLog

# center, delivery, day of June, mode, staged folder
Line = tuple[str, str, int, str, str]


def compared(
    folder: Path, loads: Sequence[Sequence[Line]]
) -> dict[str, tuple[list[str], list[str], int]]:
    """Center → names of the folders before and after, and the load in which the newest came."""
    log = LoadLog.read(folder)
    load_id = 0
    for lines in loads:
        load_id = log.start("f" * 64, {})
        outcomes = [
            DeliveryOutcome(
                center, delivery, dt.date(2024, 6, day), 1, "s", "c", "loaded", mode, staged
            )
            for center, delivery, day, mode, staged in lines
        ]
        log.record(load_id, outcomes)
        if lines is not loads[-1]:
            log.finish(load_id, "published")
    return {
        pair.sides.center_id: (
            [path.name for path in pair.sides.before],
            [path.name for path in pair.sides.after],
            pair.first_load,
        )
        for pair in pairs_of(log.history(including=load_id), log, load_id)
    }


def snap(delivery: str, day: int, staged: str = "") -> Line:
    return ("AA01", delivery, day, "snapshot", staged or delivery)


def add(delivery: str, day: int) -> Line:
    return ("AA01", delivery, day, "append", delivery)


@pytest.mark.parametrize(
    ("loads", "expected"),
    [
        ([[snap("d1", 1)]], {}),
        ([[snap("d1", 1)], [snap("d2", 9)]], {"AA01": (["d1"], ["d2"], 2)}),
        ([[snap("d1", 1), snap("d2", 9)]], {}),
        ([[snap("d1", 1)], [snap("d2", 8), snap("d3", 9)]], {"AA01": (["d1"], ["d3"], 2)}),
        ([[snap("d1", 1)], [snap("d2", 9)], [snap("d0", 5)]], {"AA01": (["d1"], ["d2"], 2)}),
        ([[snap("d1", 1)], [snap("d2", 9)], [snap("d2", 9, "d2 again")]], {"AA01": (["d1"], ["d2 again"], 2)}),
        ([[snap("d1", 1)], [snap("d1", 1, "d1 again"), snap("d2", 9)]], {"AA01": (["d1 again"], ["d2"], 2)}),
        ([[add("d1", 1)], [add("d2", 9)]], {"AA01": (["d1"], ["d1", "d2"], 2)}),
        ([[add("d1", 1)], [add("d2", 8), add("d3", 9)]], {"AA01": (["d1"], ["d1", "d2", "d3"], 2)}),
        ([[add("d1", 1), add("d2", 9)]], {}),
    ],
    ids=[
        "the first delivery", "the one before", "two of the first load", "what came in the same load is passed over",
        "a late one is not between them", "read again", "the one before read again with the new one",
        "added to", "two added at once", "two of the first load, adding",
    ],
)  # fmt: skip
def test_the_newest_is_compared_with_what_was_published_before_it_came(
    loads: list[list[Line]],
    expected: dict[str, tuple[list[str], list[str], int]],
    tmp_path: Path,
) -> None:
    assert compared(tmp_path, loads) == expected


def test_centers_do_not_mix(tmp_path: Path) -> None:
    other = ("BB02", "e1", 2, "snapshot", "e1")
    assert compared(tmp_path, [[snap("d1", 1), other], [snap("d2", 9)]]) == {
        "AA01": (["d1"], ["d2"], 2)
    }
