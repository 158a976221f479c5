"""The audit of a staged warehouse: may it be published?

DuckDB computes small frames (`expectations/sql`), Great Expectations judges them (`suite.yaml`). Only
counts come back: results hold no values of columns, and the frames hold no rows of patients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.engine import great_expectations, new_context
from expectations.frames import compute
from expectations.profile import CHANGED, Count, Profile, put_counts, set_bounds, take_profile
from expectations.record import Row, rows_of
from expectations.suite import SEVERITIES, STOP, WARN, Check, Expectation, Suite, load_suite
from expectations.told import Frame, failing_lines, height, sentence
from schemas.catalog import load_catalog

if TYPE_CHECKING:
    import duckdb

# Counts only: without the second key a result quotes up to 20 values.
RESULT_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": 0}


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What the audit found.

    `passed` is false if an expectation of severity stop failed or could not be judged;
    `critical_failures` and `warnings` are sentences; `results` is JSON-ready, one entry a check;
    `suites` are the suites as Great Expectations writes them, with the SQL of each frame;
    `check_runs` are rows for `quality.check_run`; `profile` is what the next load is compared with.
    """

    passed: bool
    critical_failures: tuple[str, ...]
    warnings: tuple[str, ...]
    results: dict[str, Any]
    suites: list[dict[str, Any]] = field(default_factory=list)
    check_runs: list[Row] = field(default_factory=list)
    profile: Profile | None = None


@dataclass(frozen=True, slots=True)
class _Judged:
    """A check with its frame (empty if it could not run) and what became of its expectations."""

    check: Check
    frame: Frame
    items: list[dict[str, Any]]
    declared: dict[str, Any]  # the suite, as Great Expectations writes it


def audit(
    path: Path,
    suite: Suite | None = None,
    before: Profile | None = None,
    bounds: Mapping[str, Sequence[float]] | None = None,
    changed: Sequence[Count] = (),
) -> AuditResult:
    """Judges a staged warehouse.

    Args:
        path: the DuckDB file; opened read-only.
        suite: what is expected; the suites of `suite.yaml` if None.
        before: of the load that was published last; without it nothing is compared.
        bounds: of medians, as `study.yaml` sets them.
        changed: patients in whom something that does not change is another than published before
            (figure `both`, `changed`, `twice`, or `column` with its name).

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
        profile = _prepare(con, before, bounds or {}, changed)
        judged = [_run(con, frames, check) for check in chosen.checks]
    finally:
        con.close()
    told = {severity: _sentences(judged, severity) for severity in (STOP, WARN)}
    results = {
        "suite": chosen.name,
        "passed": not told[STOP],
        "great_expectations": great_expectations().__version__,
        "compared_with": before.load_id if before else None,
        "n_expectations": sum(len(one.items) for one in judged),
        "n_critical_failures": len(told[STOP]),
        "n_warnings": len(told[WARN]),
        "checks": [_entry(one) for one in judged],
    }
    return AuditResult(
        not told[STOP],
        told[STOP],
        told[WARN],
        results,
        [one.declared for one in judged],
        [row for one in judged for row in rows_of(one.check, one.frame, one.items)],
        profile,
    )


def _prepare(
    con: duckdb.DuckDBPyConnection,
    before: Profile | None,
    bounds: Mapping[str, Sequence[float]],
    changed: Sequence[Count],
) -> Profile | None:
    """Counts to compare; None if the file is no warehouse: each check then says what it misses."""
    import duckdb

    try:
        set_bounds(con, bounds)
        put_counts(con, CHANGED, changed)
        load_id = con.execute("select load_id from meta.run").fetchall()[0][0]
        return take_profile(con, load_id, before)
    except (duckdb.Error, IndexError):
        return None


def _run(con: duckdb.DuckDBPyConnection, frames: Any, check: Check) -> _Judged:
    suite = _declare(check)
    try:
        frame = compute(con, check, load_catalog())
    except Exception as error:  # a missing table or column: the check could not run
        return _Judged(check, {}, _could_not_run(check, error), _written(suite, check))
    return _Judged(check, frame, _validate(frames, suite, check, frame), _written(suite, check))


def _declare(check: Check) -> Any:
    """The check as a suite of Great Expectations."""
    gx = great_expectations()
    suite = gx.ExpectationSuite(check.id)
    for number, expectation in enumerate(check.expectations):
        kind = getattr(gx.expectations, expectation.type)
        severity = SEVERITIES[expectation.severity]
        meta = {"rule_id": check.id, "number": number}
        suite.add_expectation(kind(**expectation.arguments, severity=severity, meta=meta))
    return suite


def _written(suite: Any, check: Check) -> dict[str, Any]:
    """The suite as JSON, with what makes the frame that it judges."""
    told = suite.to_json_dict()
    told["meta"] |= {
        "suite": check.suite,
        "title": check.title,
        "sentence": check.sentence,
        "sql": check.sql,
        "for_each": check.for_each,
        "limits": dict(check.limits),
    }
    return dict(told)


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


def _validate(frames: Any, suite: Any, check: Check, frame: Frame) -> list[dict[str, Any]]:
    import pandas as pd

    batch = frames.get_batch({"dataframe": pd.DataFrame(dict(frame))})
    outcome = batch.validate(suite, result_format=RESULT_FORMAT)
    judged = {item.expectation_config.meta["number"]: item for item in outcome.results}
    return [
        _judged(expectation, judged.get(number))
        for number, expectation in enumerate(check.expectations)
    ]


def _judged(expectation: Expectation, item: Any) -> dict[str, Any]:
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
        column = expectation.arguments.get("column")
        observed = f"observed {result.get('observed_value')}{f' in {column}' if column else ''}"
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


def _entry(one: _Judged) -> dict[str, Any]:
    """A check in the results; lines of its frame only where it failed."""
    check = one.check
    failed = not all(item["success"] for item in one.items)
    return {
        "id": check.id,
        "suite": check.suite,
        "title": check.title,
        "sentence": check.sentence,
        "rows": height(one.frame),
        "expectations": one.items,
        "lines": failing_lines(one.frame) if failed and one.frame else None,
    }


def _sentences(judged: Sequence[_Judged], severity: str) -> tuple[str, ...]:
    """One sentence per failed expectation of a severity; the same one only once.

    A check of which some lines stop is not told again as a warning.
    """
    lines = []
    for one in judged:
        failed = [item for item in one.items if not item["success"]]
        if severity == WARN and any(item["severity"] == STOP for item in failed):
            failed = []
        for item in failed:
            if item["severity"] == severity:
                frame = one.frame if item["ran"] else {}
                lines.append(sentence(one.check, frame, item["observed"], severity))
    return tuple(dict.fromkeys(lines))
