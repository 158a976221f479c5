"""CPU seconds of the IMWG response of a million assessments.

    python benchmarks/imwg.py [--rows 1000000] [--repeats 3] [--limit 5]

Draws lines of therapy as the tests do (tests/imwg/drawn_series.py: gaps, every kind of measurable
disease, values around the thresholds), repeats them under new patients until there are enough rows,
shuffles them and derives response, confirmation and best responses. CPU seconds are user and system
time of this process with all its threads; the median is compared with the limit.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import polars as pl

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from tests.imwg.drawn_series import draw_lines  # noqa: E402
from transforms.derive.imwg import derive_response  # noqa: E402


def make_rows(rows: int) -> pl.DataFrame:
    """At least so many assessments, in no order, without a part of a line."""
    drawn = pl.DataFrame(
        [row for line in draw_lines(7, 10_000) for row in line], infer_schema_length=None
    )
    copies = -(-rows // drawn.height)
    return pl.concat(
        drawn.with_columns(patient_id=pl.col("patient_id") + f"-{copy:03d}")
        for copy in range(copies)
    ).sample(fraction=1, shuffle=True, seed=1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--limit", type=float, default=5.0, help="CPU seconds per million rows")
    options = parser.parse_args()
    frame = make_rows(options.rows)
    seconds = []
    for _ in range(options.repeats):
        start = time.process_time()
        derived = derive_response(frame)
        seconds.append(time.process_time() - start)
    per_million = statistics.median(seconds) / frame.height * 1e6
    print(f"{frame.height:,} assessments, {derived.lines.height:,} lines")
    print("CPU seconds:", ", ".join(f"{value:.2f}" for value in seconds))
    print(f"per million assessments: {per_million:.2f} CPU seconds (limit {options.limit})")
    return 0 if per_million <= options.limit else 1


if __name__ == "__main__":
    raise SystemExit(main())
