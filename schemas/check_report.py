"""The outcome of every rule on every table it is about: never green because nobody looked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import polars as pl

from schemas.check_plan import Plan, PlannedCheck
from schemas.check_rows import SHIFTED, Tallies, Tally
from schemas.staging import CHECK_RUN

_NOT_REPORTED = {
    "mapping": "the mapping did not report that it looked",
    "reader": "the reader did not report that it looked",
    "run": "judged by the run, which compares deliveries",
    "study": "judged when the warehouse is built, over all centers",
}

# The mapping looks wherever a center's spec declares these; a rule on what is not declared has no rows.
_NOT_DECLARED = {
    "STR-04": "the center's spec declares no form of patient ids",
    "STR-09": "the center's spec declares no group of checkboxes",
}


def check_run(
    plan: Plan,
    tallies: Tallies,
    delivered: Collection[str],
    found: pl.DataFrame,
    looked: Collection[str],
) -> pl.DataFrame:
    """CHECK_RUN: one row per rule and table.

    `found` counts findings by `rule_id` and `table`; `looked` are the rules that earlier stages
    report to have judged. A rule is `passed` only if at least one row was judged.
    """
    counts = {(rule, table): n for rule, table, n in found.iter_rows()}
    rows: list[tuple[object, ...]] = []
    for rule_id, rule in plan.rules.items():
        by_table = plan.by_rule.get(rule_id, {})
        seen = {table for found_rule, table in counts if found_rule == rule_id}
        for table, checks in by_table.items():
            n = counts.get((rule_id, table), 0)
            rows.append(_row(rule, table, checks, tallies, delivered, n))
        if rule["engine"] != "rows" or seen - by_table.keys():
            n = sum(counts[rule_id, table] for table in seen - by_table.keys())
            outcome, reason = _by_stage(rule, n, looked)
            if rule["engine"] != "rows" or n:
                table_name = _only(seen - by_table.keys())
                rows.append((rule_id, rule["severity"], table_name, outcome, n, None, reason))
    unknown = {rule for rule, _ in counts} - plan.rules.keys()
    for rule_id in sorted(unknown):
        n = sum(n for (rule, _), n in counts.items() if rule == rule_id)
        rows.append((rule_id, "error", None, "failed", n, None, "the rule is not in the rule pack"))
    return pl.DataFrame(rows, schema=CHECK_RUN, orient="row")


def _only(tables: Iterable[str | None]) -> str | None:
    named = [table for table in tables if table is not None]
    return named[0] if len(named) == 1 else None


def _by_stage(rule: Mapping[str, str], n: int, looked: Collection[str]) -> tuple[str, str | None]:
    if n:
        return "failed", None
    if rule["id"] in looked:
        return "passed", None
    if looked and rule["id"] in _NOT_DECLARED:
        return "not_applicable", _NOT_DECLARED[rule["id"]]
    return "not_run", _NOT_REPORTED.get(rule["engine"])


def _row(
    rule: Mapping[str, str],
    table: str,
    checks: Iterable[PlannedCheck],
    tallies: Tallies,
    delivered: Collection[str],
    found: int,
) -> tuple[object, ...]:
    head = (rule["id"], rule["severity"], table)
    if table not in delivered:
        absent = f"table {table} is not delivered"
        return (*head, "failed" if found else "not_run", found, 0, absent)
    told = [tallies.by_check.get(check.number, Tally()) for check in checks]
    errors = [tally.error for tally in told if tally.error]
    ran = [tally for tally in told if tally.ran]
    missing = [tally.missing for tally in told if tally.missing and not tally.ran]
    judged = max((tally.judged for tally in ran), default=0)
    lacking = _lacking(missing, len(told))
    if errors:
        return (*head, "error", found, judged, errors[0])
    if found:
        return (*head, "failed", found, max(judged, found), lacking)
    if not ran:
        outcome = "not_applicable" if set(missing) == {SHIFTED} else "not_run"
        return (*head, outcome, 0, 0, lacking or "no row was looked at")
    if judged == 0:
        return (*head, "not_applicable", 0, 0, lacking)
    return (*head, "passed", 0, judged, lacking)


def _lacking(missing: list[str], total: int) -> str | None:
    """What was not judged of a rule, in one line."""
    if not missing:
        return None
    told = "; ".join(sorted(set(missing))[:3]) + ("; ..." if len(set(missing)) > 3 else "")
    if len(missing) == total and len(set(missing)) == 1:
        return told
    return f"{len(missing)} of {total} checks did not run: {told}"
