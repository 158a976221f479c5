"""What a delivery is compared with: the state that stood before it, and its own last reading.

A delivery is read again when the spec, the study or the program has changed. The state in force is
then the delivery itself, so the load log is asked for what stood before: the newest delivery of the
center that came earlier. That is the same state as if all deliveries were read in one run.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from pathlib import Path

from flows import parts
from flows.folder import StudyFolder
from flows.outcome import DeliveryOutcome
from schemas.delivery import Delivery


@dataclass(frozen=True, slots=True)
class Earlier:
    """Staged folders to compare with; None where there is none.

    `before`: the delivery that this one replaces. `reading`: this delivery as it was read last.
    """

    before: Path | None
    reading: Path | None


@dataclass(frozen=True, slots=True)
class _Staged:
    received_on: dt.date
    sequence: int
    load: float  # infinite for what this run has read
    delivery_id: str
    folder: Path

    @property
    def order(self) -> tuple[dt.date, int, float]:
        """A corrected file has the day and sequence of what it corrects: then the load decides."""
        return (self.received_on, self.sequence, self.load)


class CenterHistory:
    """The loaded deliveries of a center: those of the log, and those that this run adds."""

    def __init__(self, folder: StudyFolder, center_id: str) -> None:
        self._root = folder.root
        rows = [r for r in parts.read_log(folder).history() if r.center_id == center_id]
        self._staged = [
            _Staged(r.received_on, r.sequence, r.load_id, r.delivery_id, r.folder) for r in rows
        ]
        self._newest = max((r.received_on for r in rows if r.current), default=dt.date.min)

    def earlier(self, delivery: Delivery, sequence: int) -> Earlier:
        """What a delivery has to be compared with.

        Args:
            delivery: the delivery that is read now.
            sequence: its place among the deliveries of its day.
        """
        own = [s for s in self._staged if s.delivery_id == delivery.delivery_id]
        reading = max(own, key=lambda s: s.load).folder if own else None
        if delivery.received_on < self._newest:
            # It came late and is older than what stands: history, which replaces nothing.
            return Earlier(None, reading)
        here = (delivery.received_on, sequence, self._load(own, delivery.received_on, sequence))
        others = [
            s for s in self._staged if s.delivery_id != delivery.delivery_id and s.order < here
        ]
        return Earlier(max(others, key=lambda s: s.order).folder if others else None, reading)

    def _load(self, own: list[_Staged], day: dt.date, sequence: int) -> float:
        """The load of a delivery that is read again; infinite for what is new or back in force."""
        last = max(own, key=lambda s: s.load, default=None)
        if last is None or (last.received_on, last.sequence) != (day, sequence):
            return math.inf
        place = [s.load for s in self._staged if (s.received_on, s.sequence) == (day, sequence)]
        return last.load if last.load == max(place) else math.inf

    def add(self, outcome: DeliveryOutcome) -> None:
        """Notes a delivery that this run has loaded."""
        day = dt.date.fromisoformat(outcome.received_on)
        self._staged.append(
            _Staged(
                day,
                outcome.sequence,
                math.inf,
                outcome.delivery_id,
                self._root / outcome.staged,
            )
        )
        self._newest = max(self._newest, day)
