"""Rules about a streaming table as a whole."""

from __future__ import annotations

from schemas.catalog import Table
from schemas.check_data import TableData
from schemas.check_plan import Plan


class LateRows:
    """A few numbers per row of a streaming table."""

    def __init__(self, table: Table, plan: Plan) -> None:
        self._table = table
        self._plan = plan

    def add(self, data: TableData) -> None:
        """Remember."""
