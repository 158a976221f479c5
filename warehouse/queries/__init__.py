"""The query loop: what a center is asked, what it answered, and what its next delivery settles.

`facts` reads what fails now from the staged deliveries in force, `reconcile` compares it with the
queries so far, `transitions` holds what people do, `log` keeps every event in the vault, `fold`
makes the state of every query from the events, and `fill` publishes it.
"""

from __future__ import annotations

from warehouse.queries.facts import current_facts
from warehouse.queries.log import QueryLog

__all__ = ["QueryLog", "current_facts"]
