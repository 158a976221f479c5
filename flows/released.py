"""Reports for readers outside that were made of the same numbers before: two thresholds give small counts away.

What one withholds and the other prints is the difference of both. The audit trail holds every threshold, so that it
does not matter where the earlier report was moved to.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from schemas.errors import StudyError

NUMBERS = """
-- All that a report prints, but its words on method.
SELECT * FROM analysis.estimate WHERE display <> 'METHODS' ORDER BY ALL
"""


def numbers_of(warehouse: Path) -> str:
    """SHA-256 of the numbers that a report of the warehouse prints: another plan or load may have the same."""
    import duckdb

    con = duckdb.connect(str(warehouse), read_only=True)
    try:
        rows = con.execute(NUMBERS).fetchall()
    finally:
        con.close()
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr(row).encode("utf-8", "backslashreplace") + b"\n")
    return digest.hexdigest()


def refuse_another_threshold(root: Path, facts: dict[str, Any]) -> None:
    """Refuses a second threshold for the same published state.

    Args:
        root: the study folder.
        facts: `threshold`, `numbers` and `content_hash` of the report that is asked for.

    Raises:
        StudyError: the last report of this state was made under another threshold.
    """
    from warehouse.trail import entries_of

    made = [e for e in entries_of(root) if e.get("external") and _is_same_state(e, facts)]
    if not made or made[-1].get("threshold") == facts["threshold"]:
        return
    earlier = made[-1]["threshold"]
    raise StudyError(
        f"An external report of what is published was made with the threshold {earlier} before; with "
        f"{facts['threshold']} as well, small counts could be found from the difference of the two.",
        fix=f"give --threshold {earlier}; another one can be taken from the next data cut on, and that of "
        "every report stands under `disclosure` in the analysis plan; if the earlier report has left nobody's "
        "hands and is deleted, add --another-threshold",
    )


def _is_same_state(entry: dict[str, Any], facts: dict[str, Any]) -> bool:
    return any(facts[key] and entry.get(key) == facts[key] for key in ("numbers", "content_hash"))
