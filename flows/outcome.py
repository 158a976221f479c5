"""What a run says about itself: small records of ids, counts and paths, never values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

# States of a delivery in a run.
LOADED = "loaded"  # staged and part of the history of the warehouse
FAILED = "failed"  # could not be read or mapped; the center's last good state stays
HELD = "held"  # readable, but lost too many patients; waits for a decision
WAITING = "waiting"  # still changing; the next run tries again
UNCHANGED = "unchanged"  # nothing new from this center
REPEATED = "repeated"  # the files of an earlier delivery under another date
TROUBLE = frozenset({FAILED, HELD, WAITING})
FUTURE = "FUTURE"  # code of a delivery whose day has not come by this machine's clock

# States of a run.
PUBLISHED = "published"
NOTHING_NEW = "nothing new"
NO_DELIVERY = "no delivery yet"
NOT_PUBLISHED = "not published"
AUDIT_STOPPED = "stopped by the audit"

# What became of a packet of questions.
WRITTEN = "written"
DELIVERED = "delivered"
NOT_SENT = "failed"
NO_ADDRESS = "no address"


@dataclass(slots=True)
class DeliveryOutcome:
    """What became of one delivery (or of a center as a whole, where `delivery_id` is empty)."""

    center_id: str
    state: str
    delivery_id: str = ""
    received_on: str = ""
    sequence: int = 1  # order among the deliveries of one day
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_excluded: int = 0
    rows_alike: int = 0  # held: their id is almost that of a withdrawn patient
    errors: int = 0
    warnings: int = 0
    message: str = ""
    code: str = ""
    staged: str = ""
    spec_hash: str = ""
    mode: str = "snapshot"
    can_pass: bool = False  # the cause may be gone at the next try (network, file still growing)

    @property
    def trouble(self) -> bool:
        """True if somebody has to do something about it."""
        return self.state in TROUBLE

    @property
    def told_in_load(self) -> bool:
        """True if a load says what became of it; of days that have not come, only the run does."""
        return self.state == LOADED or (self.trouble and self.code != FUTURE)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; passed between tasks."""
        return asdict(self)


@dataclass(slots=True)
class RunOutcome:
    """What a run did."""

    state: str = NOTHING_NEW
    load_id: int | None = None
    deliveries: list[DeliveryOutcome] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)  # beside those of the deliveries
    not_read_again: list[str] = field(default_factory=list)  # notes: a change has no effect yet
    warnings: list[str] = field(default_factory=list)
    warehouse: str = ""
    report: str = ""
    quality: str = ""
    content_hash: str = ""
    answers: list[dict[str, Any]] = field(default_factory=list)  # files of answers that were read
    packets: list[dict[str, Any]] = field(default_factory=list)  # of questions, written or brought
    seconds: dict[str, float] = field(default_factory=dict)  # wall clock by stage

    @property
    def failures(self) -> list[DeliveryOutcome]:
        """Deliveries and centers that somebody has to look at."""
        return [delivery for delivery in self.deliveries if delivery.trouble]

    @property
    def exit_code(self) -> int:
        """0 all fine, 1 some center failed, 3 the audit stopped the publishing."""
        if self.state == AUDIT_STOPPED:
            return 3
        return 1 if self.failures or self.state == NOT_PUBLISHED else 0

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "exit_code": self.exit_code}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> RunOutcome:
        """The record that `to_dict` gave."""
        fields = {key: value for key, value in content.items() if key != "exit_code"}
        fields["deliveries"] = [DeliveryOutcome(**entry) for entry in fields["deliveries"]]
        return cls(**fields)
