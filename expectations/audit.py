"""The audit of a staged warehouse: may it be published?

DuckDB computes small frames (`expectations/sql`), Great Expectations judges them (`suite.yaml`). Only
counts come back: results hold no values of columns, and the frames hold no rows of patients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.engine import great_expectations, new_context
from expectations.frames import compute
from expectations.suite import Check, Suite, load_suite
from schemas.catalog import load_catalog

if TYPE_CHECKING:
    import duckdb

# Counts only: without the second key a result quotes up to 20 values.
RESULT_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": 0}
SHOWN = 50  # lines of a frame that are kept with a failed check


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What the audit found.

    `passed` is false if an expectation of severity critical failed or could not be judged;
    `critical_failures` and `warnings` are sentences; `results` is JSON-ready, one entry a check.
    """

    passed: bool
    critical_failures: tuple[str, ...]
    warnings: tuple[str, ...]
    results: dict[str, Any]


def audit(path: Path, suite: Suite | None = None) -> AuditResult:
    """Judges a staged warehouse.

    Args:
        path: the DuckDB file; opened read-only.
        suite: what is expected; the suite of `suite.yaml` if None.

    Returns:
        The result; a check that could not run counts as failed.
    """
    import duckdb

    chosen = suite or load_suite()
    # One definition for all frames: each registered one costs GX a round through its YAML store.
    asset = new_context().data_sources.add_pandas("warehouse").add_dataframe_asset("frame")
    frames = asset.add_batch_definition_whole_dataframe("all")
    con = duckdb.connect(str(path), read_only=True)
    try:
        entries = [_run(con, frames, check) for check in chosen.checks]
    finally:
        con.close()
    failures = [(entry, item) for entry in entries for item in entry["expectations"]]
    failed = [(entry, item) for entry, item in failures if not item["success"]]
    named = {check.id: check.named for check in chosen.checks}
    critical = _sentences([p for p in failed if p[1]["severity"] == "critical"], named)
    warnings = _sentences([p for p in failed if p[1]["severity"] != "critical"], named)
    results = {
        "suite": chosen.name,
        "passed": not critical,
        "great_expectations": great_expectations().__version__,
        "n_expectations": len(failures),
        "n_critical_failures": len(critical),
        "n_warnings": len(warnings),
        "checks": entries,
    }
    return AuditResult(not critical, critical, warnings, results)


def _run(con: duckdb.DuckDBPyConnection, frames: Any, check: Check) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": check.id, "title": check.title, "sentence": check.sentence}
    try:
        frame = compute(con, check, load_catalog())
    except Exception as error:  # a missing table or column: the check could not run
        return {**entry, "rows": 0, "expectations": _could_not_run(check, error), "lines": None}
    results = _validate(frames, check, frame)
    lines = None
    if not all(item["success"] for item in results):
        lines = _lines(frame)
    height = len(next(iter(frame.values()), []))
    return {**entry, "rows": height, "expectations": results, "lines": lines}


def _could_not_run(check: Check, error: Exception) -> list[dict[str, Any]]:
    import duckdb

    reason = type(error).__name__
    # These two name tables and columns; the text of other errors may quote a value.
    if isinstance(error, (duckdb.BinderException, duckdb.CatalogException)):
        reason = str(error).partition("\n")[0]
    return [
        {
            "type": expectation.type,
            "severity": expectation.severity,
            "success": False,
            "ran": False,
            "observed": f"could not run: {reason}",
        }
        for expectation in check.expectations
    ]


def _validate(frames: Any, check: Check, frame: dict[str, list[Any]]) -> list[dict[str, Any]]:
    import pandas as pd

    gx = great_expectations()
    suite = gx.ExpectationSuite(check.id)
    for number, expectation in enumerate(check.expectations):
        kind = getattr(gx.expectations, expectation.type)
        meta = {"rule_id": check.id, "number": number}
        suite.add_expectation(
            kind(**expectation.arguments, severity=expectation.severity, meta=meta)
        )
    batch = frames.get_batch({"dataframe": pd.DataFrame(frame)})
    outcome = batch.validate(suite, result_format=RESULT_FORMAT)
    judged = {item.expectation_config.meta["number"]: item for item in outcome.results}
    return [
        _judged(expectation, judged.get(number))
        for number, expectation in enumerate(check.expectations)
    ]


def _judged(expectation: Any, item: Any) -> dict[str, Any]:
    """Counts of one expectation; text of exceptions is left out, it may quote a value."""
    ran = item is not None and not any(
        info.get("raised_exception") for info in _infos(item.exception_info)
    )
    result = item.result if ran else {}
    if not ran:
        observed = "could not be judged"
    elif "unexpected_count" in result:
        observed = f"{result['unexpected_count']} of {result['element_count']} lines fail"
    else:
        observed = f"observed {result.get('observed_value')}"
    return {
        "type": expectation.type,
        "severity": expectation.severity,
        "success": bool(ran and item.success),
        "ran": ran,
        "observed": observed,
    }


def _infos(info: Any) -> list[dict[str, Any]]:
    """Great Expectations gives one record, or one per metric."""
    if not info:
        return []
    if "raised_exception" in info:
        return [info]
    return [entry for entry in info.values() if isinstance(entry, dict)]


def _lines(frame: dict[str, list[Any]]) -> dict[str, Any]:
    """The first lines of the frame that have the flag `bad`, or all of them without such a column."""
    names = [name for name in frame if name != "bad"]
    rows = list(zip(*(frame[name] for name in names), strict=True))
    if "bad" in frame:
        rows = [row for row, bad in zip(rows, frame["bad"], strict=True) if bad]
    return {
        "columns": names,
        "rows": [[_plain(value) for value in row] for row in rows[:SHOWN]],
        "n_more": max(0, len(rows) - SHOWN),
    }


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (int, float, bool)) else str(value)


def _sentences(
    failed: list[tuple[dict[str, Any], dict[str, Any]]], named: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """One sentence per failed expectation; the same one only once."""
    lines = [
        f"{entry['id']} {entry['title']}: {item['observed']}{_names(entry, named[entry['id']])}"
        for entry, item in failed
    ]
    return tuple(dict.fromkeys(lines))


def _names(entry: dict[str, Any], columns: Sequence[str]) -> str:
    """The declared ids of the lines that fail, in brackets; empty for checks that declare none."""
    lines = entry["lines"]
    if not columns or not lines or not lines["rows"]:
        return ""
    places = [lines["columns"].index(column) for column in columns]
    ids = [" ".join(str(row[place]) for place in places) for row in lines["rows"]]
    more = f", and {lines['n_more']} more" if lines["n_more"] else ""
    return f" ({', '.join(ids)}{more})"
