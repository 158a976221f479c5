"""Files that have come back: an inbox entry in force was replaced by files that were loaded before.

A replay under a new date changes nothing. But where the very entry that is in force now holds files that
were loaded earlier (a correction taken back, or an older export put in its place), they have to stand
again, although nothing about them is new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.pull import Pulled
from schemas.delivery import Delivery

if TYPE_CHECKING:
    from warehouse.loads import LoadLog, StagedDelivery


def as_loaded(pulled: Pulled, log: LoadLog, center_id: str) -> Pulled:
    """The same entries; of files that stand under several dates, the date of their last load counts."""
    first, repeated = list(pulled.deliveries), list(pulled.repeated)
    for place, again in enumerate(repeated):
        last = _last_load(log, center_id, again.delivery_id)
        if last is not None and last.received_on == again.received_on:
            at = next(k for k, d in enumerate(first) if d.delivery_id == again.delivery_id)
            first[at], repeated[place] = again, first[at]
    first.sort(key=lambda delivery: delivery.received_on)
    return Pulled(tuple(first), tuple(repeated), pulled.problems)


def restored(pulled: Pulled, log: LoadLog, center_id: str) -> list[tuple[Delivery, int]]:
    """Deliveries that have come back in the place of one in force, each with its sequence of the day.

    Args:
        pulled: what `as_loaded` gave.
        log: the load log.
        center_id: the center.
    """
    there = {delivery.delivery_id for delivery in pulled.deliveries}
    found = []
    for gone in log.current(center_id):
        of_day = [
            delivery
            for delivery in (*pulled.deliveries, *pulled.repeated)
            if delivery.received_on == gone.received_on
        ]
        if gone.delivery_id in there or not of_day:
            continue
        back = of_day[-1]
        last = _last_load(log, center_id, back.delivery_id)
        if last is None:
            continue  # it is new, and read as such
        of_this_day = last.received_on == gone.received_on and last.load_id > gone.load_id
        if not (last.current and of_this_day):
            found.append((back, gone.sequence))
    return found


def _last_load(log: LoadLog, center_id: str, delivery_id: str) -> StagedDelivery | None:
    loaded = [
        staged
        for staged in log.history()
        if (staged.center_id, staged.delivery_id) == (center_id, delivery_id)
    ]
    return max(loaded, key=lambda staged: staged.load_id, default=None)
