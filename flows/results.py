"""The calls that turn staged deliveries into what is published: build, judge, publish, render, ask."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import parts
from flows.folder import StudyFolder
from flows.outcome import RunOutcome
from schemas.errors import CarmonyError

if TYPE_CHECKING:
    from warehouse.build import BuildResult


def build(folder: StudyFolder, load_id: int) -> BuildResult:
    """Builds the staged warehouse of a running load, analysis tables included."""
    from warehouse.build import build_study

    return build_study(folder.root, parts.load_study(folder), load_id)


def warm_up_judge() -> None:
    """Imports what `judge` needs, while the parent still reads deliveries."""
    from expectations.engine import great_expectations
    from expectations.lean import lean_import

    great_expectations()
    # Formulas of regression models, which we do not fit; what reads Fortran, which NumPy names.
    with lean_import(late=("formulaic", "numpy.f2py")):
        import lifelines.statistics  # noqa: F401
        import scipy.stats

        _ = scipy.stats.chi2  # deferred until now by the import above
    from reports import estimates  # noqa: F401


def judge(warehouse: Path, study: Path, results: Path) -> dict[str, Any]:
    """Writes the estimates into a staged warehouse and audits it.

    Returns:
        `passed`, `critical_failures`, `warnings`.
    """
    from expectations import advice, audit_load
    from reports.estimates import write_estimates
    from warehouse.trail import keep_head

    folder = StudyFolder(study)
    settings = parts.load_study(folder)
    write_estimates(warehouse, settings)
    last = parts.last_published(folder)
    profiles = folder.vault / "profiles"
    verdict = audit_load(warehouse, results, profiles, last, settings.audit, _changed(folder))
    keep_head(study, results)  # the folder takes the place of the published one, in one step
    return {
        "passed": verdict.passed,
        "critical_failures": [
            text for text in (*verdict.critical_failures, advice(verdict)) if text
        ],
        "warnings": list(verdict.warnings),
    }


def _changed(folder: StudyFolder) -> list[tuple[str, str, str, str | None, int]]:
    """How many patients of each center are others than published before, as the audit takes counts."""
    from schemas.catalog import load_catalog
    from warehouse.kept_values import kept_values

    log = parts.read_log(folder)
    running = max(load.load_id for load in log.loads)
    rows: list[tuple[str, str, str, str | None, int]] = []
    for one in kept_values(log, running, load_catalog()):
        told = {
            "both": one.n_both,
            "changed": one.n_changed,
            "twice": one.n_twice,
            "dead": one.n_dead,
            "dead_gone": one.n_dead_gone,
            "published": int(one.was_published),
        }
        rows += [(figure, one.center_id, "patients", None, n) for figure, n in told.items()]
        rows += [("column", one.center_id, name, None, n) for name, n in one.columns.items()]
    return rows


def publish(folder: StudyFolder, staged_file: Path, *, replaces_damaged: bool = False) -> str:
    """Puts a staged warehouse in the place of the published one; returns its content hash."""
    from warehouse.publish import publish as put

    shift(folder, staged_file)
    return put(staged_file, folder.root, replaces_damaged=replaces_damaged)


def shift(folder: StudyFolder, staged_file: Path) -> None:
    """Moves the dates of a judged warehouse, if `study.yaml` says so."""
    study = parts.load_study(folder)
    if study.privacy.shift_dates:
        from warehouse.privacy_shift import shift_dates
        from warehouse.pseudonyms import Pseudonymizer

        shift_dates(staged_file, Pseudonymizer.of_study(folder.root, study.id))


def render(folder: StudyFolder, out: Path) -> Path:
    """Renders the report from the published warehouse."""
    from reports.render import render as write

    content = str(parts.published_state(folder).get("content_hash", ""))
    facts = {"content hash": content} if content else {}
    return write(folder.warehouse, out, parts.load_study(folder), facts)


def scorecards(folder: StudyFolder) -> list[Path]:
    """Writes the pages on the quality of the data: one for the study, one per center in the vault."""
    from reports.scorecard.write import write_scorecards

    study = parts.load_study(folder)
    languages = {}
    for path in study.center_specs:
        with suppress(CarmonyError, OSError):  # a spec that is broken now has no language
            languages[path.stem] = parts.load_spec(path).language or ""
    return write_scorecards(folder.warehouse, folder.root, study, languages)


def export(folder: StudyFolder, out: Path) -> None:
    """Writes what journals ask for beside the page."""
    from reports.exports import write_exports

    write_exports(folder.warehouse, out, parts.load_study(folder))


def query(root: Path, statement: str, as_of: int | None) -> tuple[Sequence[str], list[Any]]:
    """Names of columns and rows that answer one reading statement."""
    from warehouse.query_apart import query_apart

    answer = query_apart(root, statement, as_of)
    return answer.columns, answer.rows


def fill_places(outcome: RunOutcome, root: str) -> None:
    """Notes where the published results stand."""
    folder = StudyFolder(Path(root))
    state = parts.published_state(folder)
    outcome.content_hash = str(state.get("content_hash", ""))
    outcome.load_id = state.get("load_id", outcome.load_id)
    for name, path in (
        ("warehouse", folder.warehouse),
        ("report", folder.report / "report.html"),
        ("quality", folder.quality / "audit.html"),
    ):
        if path.is_file():
            setattr(outcome, name, str(path))
