"""Which deliveries are compared: those in force of a center, and what was published before the newest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from warehouse.loads import PUBLISHED, LoadLog, StagedDelivery


@dataclass(frozen=True, slots=True)
class Sides:
    """The staged folders of a center before and after, oldest first.

    Several on a side: the center adds to what it sent, and the state is that of all of them.
    """

    center_id: str
    before: tuple[Path, ...]
    after: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """The newest delivery of a center, with the folders to compare.

    `first_load`: the load that took it in first. What was asked by then is what it answers, whenever
    it is read again.
    """

    sides: Sides
    newest: StagedDelivery
    first_load: int


def pairs_of(
    history: Sequence[StagedDelivery], log: LoadLog, load_id: int | None = None
) -> list[Pair]:
    """One pair per center of which a delivery was published before the newest; a first one has none.

    Args:
        history: All loaded deliveries, oldest first (`LoadLog.history`).
        log: The load log.
        load_id: A running load, whose deliveries count.
    """
    centers: dict[str, list[StagedDelivery]] = {}
    for staged in history:
        centers.setdefault(staged.center_id, []).append(staged)
    first = _first_loads(log, load_id)
    pairs = []
    for center_id, mine in centers.items():
        current = [s for s in mine if s.current]
        if not current:
            continue
        newest = current[-1]
        before = _before(mine, current, newest, first)
        if before:
            after = [s.folder for s in current]
            sides = Sides(center_id, tuple(s.folder for s in before), tuple(after))
            pairs.append(Pair(sides, newest, _first(newest, first)))
    return pairs


_First = Mapping[tuple[str, str], int]


def _before(
    staged: Sequence[StagedDelivery],
    current: Sequence[StagedDelivery],
    newest: StagedDelivery,
    first: _First,
) -> list[StagedDelivery]:
    """What was published before the newest delivery came, as it was read last.

    What came in the same load was never asked about, and is passed over.
    """
    came = _first(newest, first)
    if len(current) > 1:
        return [s for s in current if _first(s, first) < came]
    here = (newest.received_on, newest.sequence, newest.load_id)
    earlier = [
        s
        for s in staged
        if s.delivery_id != newest.delivery_id
        and (s.received_on, s.sequence, s.load_id) < here
        and _first(s, first) < came
    ]
    return earlier[-1:]


def _first(staged: StagedDelivery, first: _First) -> int:
    return first.get((staged.center_id, staged.delivery_id), staged.load_id)


def _first_loads(log: LoadLog, load_id: int | None) -> _First:
    """Delivery → the load that took it in first."""
    out: dict[tuple[str, str], int] = {}
    for load in log.loads:
        if load.outcome == PUBLISHED or load.load_id == load_id:
            for delivery in load.deliveries:
                if delivery.outcome == "loaded":
                    out.setdefault((delivery.center_id, delivery.delivery_id), load.load_id)
    return out
