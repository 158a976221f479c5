"""`carmony-golden FOLDER`: our statistics against R's results in a folder."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reports.golden.records import GoldenError, read_folder
from reports.golden.run import DIFFERING, MATCHED, UNSUPPORTED, Checked, check

SHOWN = 40


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 only when every result of the folder matches, 2 when the folder holds none."""
    parser = argparse.ArgumentParser(
        prog="carmony-golden",
        description="Compute every result of R in a folder of golden_*.json again, and compare.",
    )
    parser.add_argument("folder", type=Path, help="folder with golden_*.json and their CSV files")
    parser.add_argument("--all", action="store_true", help="name every record that does not match")
    options = parser.parse_args(argv)
    try:
        checked = list(check(read_folder(options.folder)))
    except GoldenError as error:
        print(f"carmony-golden: {error}", file=sys.stderr)
        return 2
    if not checked:
        print("carmony-golden: the golden files hold no results", file=sys.stderr)
        return 2
    print("\n".join(summary(checked)))
    for note, records in _notes(checked).items():
        print(f"{note}: {', '.join(records)}")
    failed = [one for one in checked if one.verdict != MATCHED]
    shown = failed if options.all else failed[:SHOWN]
    for one in shown:
        print(line(one))
    if len(failed) > len(shown):
        print(f"... and {len(failed) - len(shown)} more; --all names them")
    return 1 if failed else 0


def summary(checked: Sequence[Checked]) -> list[str]:
    """One line per analysis, and the sum; the worst difference is in tolerances."""
    width = max(len(one.record.analysis) for one in checked)
    head = f"{'analysis':{width}}  matched  differing  unsupported  numbers  worst difference"
    lines = [head]
    for name in [*dict.fromkeys(one.record.analysis for one in checked), None]:
        mine = [one for one in checked if name in (None, one.record.analysis)]
        counts = {
            verdict: sum(one.verdict == verdict for one in mine)
            for verdict in (MATCHED, DIFFERING, UNSUPPORTED)
        }
        worst = max(one.worst for one in mine)
        lines.append(
            f"{name or 'all':{width}}  {counts[MATCHED]:7}  {counts[DIFFERING]:9}"
            f"  {counts[UNSUPPORTED]:11}  {sum(one.n_compared for one in mine):7}"
            f"  {worst:.2g} of the tolerance"
        )
    return lines


def _notes(checked: Sequence[Checked]) -> dict[str, list[str]]:
    """The records that match on other grounds than numbers, by these grounds."""
    notes: dict[str, list[str]] = {}
    for one in checked:
        if one.note and one.verdict == MATCHED:
            notes.setdefault(one.note, []).append(one.record.id)
    return notes


def line(one: Checked) -> str:
    """A record that does not match, with its first and worst difference or why it has none."""
    if one.verdict == UNSUPPORTED:
        return f"unsupported  {one.record.id}: {one.reason}"
    worst = max(one.differences, key=lambda d: d.size)
    return (
        f"differing    {one.record.id}: {worst.place} is {worst.ours!r}, R has {worst.theirs!r}"
        f" ({worst.size:.3g} tolerances; {len(one.differences)} of {one.n_compared} numbers)"
    )


if __name__ == "__main__":
    sys.exit(main())
