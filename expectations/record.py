"""The audit's results as rows of `quality.check_run`, beside those of the rules on records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from expectations.profile import literal
from expectations.suite import STOP, WARN, Check
from expectations.told import Frame, height

_NOTHING = "nothing to judge, or nothing to compare with"
Row = tuple[str, str | None, str, str | None, str, int | None, int | None, str | None]


def rows_of(check: Check, frame: Frame, results: Sequence[Mapping[str, Any]]) -> list[Row]:
    """What `quality.check_run` holds of a check: one row per center and table that its lines name.

    Args:
        check: the check.
        frame: its lines; empty if it could not run.
        results: what became of its expectations.

    Returns:
        (check, center, severity, table, outcome, lines that fail, lines judged, reason).
    """
    missed = [item for item in results if not item["ran"]]
    if missed:
        worst = STOP if any(item["severity"] == STOP for item in missed) else WARN
        return [(check.id, None, worst, None, "error", None, None, missed[0]["observed"])]
    failed = [item for item in results if not item["success"]]
    if not height(frame):
        outcome, reason = ("failed", failed[0]["observed"]) if failed else ("not_run", _NOTHING)
        return [(check.id, None, check.severity, None, outcome, None, 0, reason)]
    counts: dict[tuple[str | None, str | None], list[int]] = {}
    nothing = [None] * height(frame)
    bad = frame.get("bad", nothing)
    severities = {expectation.severity for expectation in check.expectations}
    stops: Sequence[Any] = nothing  # which of the bad lines stop
    if STOP in severities:
        stops = bad if severities == {STOP} else frame.get("stops", bad)
    lines = zip(
        frame.get("center_id", nothing), frame.get("table_name", nothing), bad, stops, strict=True
    )
    for center_id, table, is_bad, is_stop in lines:
        count = counts.setdefault((center_id, table), [0, 0, 0])
        count[0] += 1
        count[1] += bool(is_bad)
        count[2] += bool(is_stop)
    return [
        (
            check.id,
            center_id,
            STOP if stopping or not n_bad and check.severity == STOP else WARN,
            table,
            "failed" if n_bad else "passed",
            n_bad,
            n,
            None,
        )
        for (center_id, table), (n, n_bad, stopping) in counts.items()
    ]


def write_check_runs(path: Path, rows: Sequence[Row]) -> None:
    """Adds the rows to a staged warehouse; those of a center lead to its newest delivery in force.

    Args:
        path: the DuckDB file, which nobody else has open.
        rows: of `rows_of`.
    """
    import duckdb

    if not rows:
        return
    values = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
    con = duckdb.connect(str(path))
    try:
        con.execute(
            "insert into quality.check_run "
            "with newest as (select center_id::varchar as center_id, max_by(delivery_key, "
            "row(received_on, sequence, delivery_key)) as delivery_key from quality.delivery "
            "where is_current and outcome = 'loaded' group by all) "
            'select n.delivery_key, (select load_id from meta.run), v.rule_id, v.severity, v."table", '
            "v.outcome, v.numerator, v.denominator, v.reason "
            f'from (values {values}) as v(rule_id, center_id, severity, "table", outcome, numerator, '
            "denominator, reason) left join newest as n on n.center_id = v.center_id::varchar"
        ).fetchall()
        con.execute("checkpoint").fetchall()
    finally:
        con.close()
