"""The audit of one load of a study: with what was published before it, and what the study has set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from expectations.audit import AuditResult, audit
from expectations.page import write_results
from expectations.profile import Count, profile_path, read_profile, write_profile
from expectations.record import write_check_runs
from expectations.suite import STOP, WARN, Suite, load_suite
from schemas.errors import StudyError
from schemas.spec.study import Audit


def audit_load(
    warehouse: Path,
    results: Path,
    profiles: Path,
    last: int | None,
    settings: Audit,
    changed: Sequence[Count] = (),
) -> AuditResult:
    """Audits a staged warehouse, writes the results beside it and into its `quality.check_run`.

    Args:
        warehouse: the staged DuckDB file, estimates included; nobody else has it open.
        results: folder for the page and the JSON files.
        profiles: folder of the vault in which each published load's counts are kept.
        last: the load that was published last; None if none was.
        settings: `audit` of `study.yaml`.
        changed: as for `audit`.

    Raises:
        StudyError: the settings name a check that is not there, or that must stop.
    """
    before = read_profile(profile_path(profiles, last)) if last is not None else None
    verdict = audit(warehouse, chosen_suite(settings), before, settings.medians, changed)
    write_results(verdict, results)
    write_check_runs(warehouse, verdict.check_runs)
    if verdict.passed and verdict.profile:
        profiles.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_profile(verdict.profile, profiles)
    return verdict


def advice(verdict: AuditResult) -> str:
    """What somebody can do about a stop that may be meant so; empty for the others."""
    stopped = {text.partition(" ")[0] for text in verdict.critical_failures}
    meant = sorted(stopped & load_suite().acceptable)
    if not meant or stopped - set(meant):
        return ""
    return (
        "  Fix: see the page of the audit; correct the spec or study.yaml, ask the center, or take the delivery out of the inbox; if it is "
        f"meant so, set audit: {{warn_only: [{', '.join(meant)}]}} in study.yaml, run, and take it out again"
    )


def chosen_suite(settings: Audit) -> Suite:
    """The declared suites with the severities of the study.

    Raises:
        StudyError: as `audit_load`.
    """
    suite = load_suite()
    known = [check.id for check in suite.checks]
    for ids, key, allowed in (
        (settings.warn_only, "warn_only", sorted(suite.acceptable)),
        (settings.stop, "stop", known),
    ):
        wrong = sorted(set(ids) - set(allowed))
        if wrong:
            told = f"{known[0]} to {known[-1]}" if allowed == known else ", ".join(allowed)
            raise StudyError(
                f"study.yaml: audit.{key} names {', '.join(wrong)}; possible: {told}.",
                fix="docs/audit.md lists the checks; those that guard the file itself always stop",
            )
    return suite.with_severity(frozenset(settings.warn_only), WARN).with_severity(
        frozenset(settings.stop), STOP
    )
