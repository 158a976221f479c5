"""What a judged check says: the lines that fail, and one sentence per failure. Places, never values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from expectations.suite import STOP, Check

SHOWN = 50  # lines of a frame that are kept with a failed check
NAMED = 8  # places that a sentence names

Frame = Mapping[str, Sequence[Any]]


def height(frame: Frame) -> int:
    """Lines of a frame."""
    return len(next(iter(frame.values()), []))


def failing_lines(frame: Frame) -> dict[str, Any]:
    """The first lines that have the flag `bad`, or all of them without such a column."""
    names = [name for name in frame if name not in ("bad", "stops")]
    rows = [[plain(frame[name][line]) for name in names] for line in _lines(frame, "bad")]
    return {"columns": names, "rows": rows[:SHOWN], "n_more": max(0, len(rows) - SHOWN)}


def sentence(check: Check, frame: Frame, observed: str, severity: str) -> str:
    """What failed and where: `AUD-23 Rows ...: 2 of 90 lines fail (DE01 response, DE01 lab)`.

    Args:
        check: the check.
        frame: its frame; empty if it could not run.
        observed: what Great Expectations saw, for failures that are not about single lines.
        severity: of the failure; where some lines stop, a stop names only those.
    """
    lines = _lines(frame, "bad") if "bad" in frame else []
    if severity == STOP and any(frame.get("stops", ())):
        lines = _lines(frame, "stops")
    what = f"{len(lines)} of {height(frame)} lines fail" if lines else observed
    fix = f"; {check.fix}" if check.fix and lines else ""
    return f"{check.id} {check.title}: {what}{_places(check, frame, lines)}{fix}"


def plain(value: Any) -> Any:
    """A value of a frame, ready for JSON."""
    return value if value is None or isinstance(value, (int, float, bool)) else str(value)


def _lines(frame: Frame, flag: str) -> list[int]:
    if flag not in frame:
        return list(range(height(frame)))
    return [line for line, bad in enumerate(frame[flag]) if bad]


def _places(check: Check, frame: Frame, lines: Sequence[int]) -> str:
    """The declared ids of the lines that fail, in brackets; empty for checks that declare none."""
    if not check.named or not lines:
        return ""
    places = [" ".join(str(frame[name][line]) for name in check.named) for line in lines]
    more = f", and {len(places) - NAMED} more" if len(places) > NAMED else ""
    return f" ({', '.join(places[:NAMED])}{more})"
