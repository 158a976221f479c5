"""What differs between a center's delivery and the one before it, and whether anybody asked for it.

`pairs` says which deliveries are compared, `rows` reads them, `pairing` finds which row is which,
`values` what differs in them, `columns` what is delivered newly or no longer, `asked` which query is
about a change, `findings` which changes that nobody asked about become findings, `fill` publishes.
"""

from __future__ import annotations

from warehouse.delivery_diff.changes import delivery_changes

__all__ = ["delivery_changes"]
