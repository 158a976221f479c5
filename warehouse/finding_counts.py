"""How many findings a warehouse holds of each delivery: those of its reading, and those of the build."""

from __future__ import annotations

from pathlib import Path

from warehouse.connect import query

# A delivery that was read several times has the findings of its last reading.
_COUNTS = """
WITH reading AS (
  SELECT center_id, delivery_id, max_by(delivery_key, load_id) AS delivery_key
  FROM quality.delivery WHERE outcome = 'loaded' GROUP BY ALL
)
SELECT r.center_id, r.delivery_id,
  count(*) FILTER (f.severity = 'error'), count(*) FILTER (f.severity = 'warning')
FROM reading r LEFT JOIN quality.finding f USING (delivery_key)
GROUP BY ALL
"""


def finding_counts(warehouse: Path) -> dict[tuple[str, str], tuple[int, int]]:
    """Center and delivery → errors and warnings in `quality.finding`.

    Args:
        warehouse: a warehouse file, staged or published; opened read-only.

    Raises:
        CarmonyError: the file is damaged.
    """
    rows = query(warehouse, _COUNTS).rows
    return {(center, delivery): (errors, warnings) for center, delivery, errors, warnings in rows}
