"""Reports for readers outside that were made before: the difference of two can tell what each of them withholds.

Of one state, two thresholds print what the other withholds. Of two states that differ by a few patients, every count
of the one less that of the other is a count of these few. The audit trail holds threshold, state and number of patients
of every report, so that it does not matter where the earlier one was moved to.
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


def patients_of(warehouse: Path) -> int:
    """Number of patients that a report of the warehouse is about."""
    import duckdb

    con = duckdb.connect(str(warehouse), read_only=True)
    try:
        return int(con.execute("SELECT count(*) FROM analysis.adsl").fetchall()[0][0])
    finally:
        con.close()


def other_release(root: Path, facts: dict[str, Any], *, allowed: bool) -> list[str]:
    """What has to be told about earlier external reports of other states.

    Args:
        root: the study folder.
        facts: `threshold`, `numbers`, `content_hash` and `patients` of the report that is asked for.
        allowed: the person says that the earlier report has left nobody's hands.

    Raises:
        StudyError: one of them is about nearly the same patients, and it is not allowed.
    """
    from warehouse.trail import entries_of

    made = [e for e in entries_of(root) if e.get("external") and e.get("outcome") == "done"]
    if any(_is_same_state(entry, facts) for entry in made):
        return []
    allowances = [n for n, entry in enumerate(made) if entry.get("another_release")]
    made = made[allowances[-1] :] if allowances else made  # those before have left nobody's hands
    if not made:
        return []
    near = [entry for entry in made if _is_near(entry, facts)]
    told = (
        "An external report of another state of the study was made on "
        f"{str((near or made)[-1].get('at', ''))[:10]}"
    )
    if near and not allowed:
        raise StudyError(
            f"{told}, which has fewer than {facts['threshold']} patients more or less than this one: whoever has "
            "both reports finds every answer about these few from the difference.",
            fix="release one of the two alone; if the earlier report has left nobody's hands and is deleted, add "
            "--another-release",
        )
    return [
        f"{told}: whoever has both reports can subtract them, and finds what was corrected in between; "
        "release one of the two alone"
    ]


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


def _is_near(entry: dict[str, Any], facts: dict[str, Any]) -> bool:
    """Whether a report was about a few patients more or less."""
    before = entry.get("patients")
    return isinstance(before, int) and 0 < abs(before - facts["patients"]) < facts["threshold"]


def _is_same_state(entry: dict[str, Any], facts: dict[str, Any]) -> bool:
    return any(facts[key] and entry.get(key) == facts[key] for key in ("numbers", "content_hash"))
