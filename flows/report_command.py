"""The command `report`: a study's report again, or one on ADaM tables."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flows.folder import StudyFolder, private_files, refuse_links
from schemas.errors import StudyError

PAGE = "report.html"
SMALLEST = 2  # below it a threshold withholds nothing


def report(arguments: argparse.Namespace) -> int:
    """Writes a report and says where it is."""
    given = {name: getattr(arguments, name) for name in ("adsl", "adtte", "plan")}
    own = [*given.values(), arguments.out, arguments.first_day]
    if arguments.threshold is not None and not arguments.external:
        raise StudyError(
            "A threshold is of an external report; this one prints every count.",
            fix="add --external, or leave --threshold out",
        )
    if arguments.threshold is not None and arguments.threshold < SMALLEST:
        raise StudyError(
            f"A threshold of {arguments.threshold} withholds nothing.",
            fix=f"give {SMALLEST} or more",
        )
    for name in ("another_threshold", "another_release"):
        if getattr(arguments, name) and not arguments.external:
            raise StudyError(
                f"--{name.replace('_', '-')} is of an external report.",
                fix="add --external, or leave it out",
            )
    if arguments.study is None:
        if arguments.external:
            raise StudyError(
                "An external report is made of a study alone.",
                fix="carmony report STUDY --external",
            )
        lacking = [f"--{name}" for name, value in given.items() if value is None]
        if lacking == [f"--{name}" for name in given]:
            raise StudyError(
                "There is neither a study nor tables to report on.",
                fix="carmony report STUDY, or carmony report --adsl FILE --adtte FILE --plan PLAN",
            )
        if lacking:
            raise StudyError(
                f"A report on tables also needs {' and '.join(lacking)}.", fix="add what is missing"
            )
        return _of_tables(arguments)
    if any(value is not None for value in own):
        raise StudyError(
            "A report is of a study or of tables, not of both.",
            fix="leave out the study folder, or the options --adsl, --adtte, --plan, --out, --first-day",
        )
    return _of_study(arguments)


def _of_study(arguments: argparse.Namespace) -> int:
    """Renders what is published; nothing is computed again, so that page and warehouse agree."""
    from flows.recovery import published_fault

    root = Path(arguments.study)
    if not root.is_dir():
        raise StudyError(f"There is no folder '{root}'.", fix="give the folder of a study")
    folder = StudyFolder(root.resolve())
    refuse_links(folder)
    if not folder.warehouse.is_file():
        raise StudyError(
            f"Study '{root.name}' has no published warehouse.", fix="run 'carmony run' first"
        )
    from warehouse.soundness import damage_told, unsound

    if fault := published_fault(folder):
        raise unsound(folder.warehouse, fault)
    with damage_told(folder.warehouse):
        return _external(arguments, folder) if arguments.external else _internal(arguments, folder)


def _internal(arguments: argparse.Namespace, folder: StudyFolder) -> int:
    """The report of a run, once more."""
    from flows import parts, stages

    with private_files(), parts.run_lock(str(folder.root)):
        page = stages.report(str(folder.root), exports=True)
    _warn(levels_that_differ(folder.warehouse))
    changed = changed_since_the_run(folder)
    lines = [f"report     {page}"]
    if changed:
        lines.append(
            f"{' and '.join(changed)} changed since the run: the report shows what ran. "
            "Run 'carmony run' to apply the change."
        )
    content = {"report": page, **({"changed_since_run": list(changed)} if changed else {})}
    _answer(arguments, content, "\n".join(lines))
    return 0


def changed_since_the_run(folder: StudyFolder) -> tuple[str, ...]:
    """Which of `study.yaml` and the analysis plan are not those that the published warehouse was made with.

    What cannot be read now counts as changed; what the warehouse does not record is not compared.
    """
    import duckdb

    from reports.displays.flow import plan_digest
    from schemas.spec.load import load_study

    con = duckdb.connect(str(folder.warehouse), read_only=True)
    try:
        ran = con.execute("select study_hash from meta.run").fetchone()
        plan = con.execute(
            "select method from analysis.estimate where display = 'METHODS' and level = 'analysis'"
        ).fetchone()
    finally:
        con.close()
    try:
        study = load_study(folder.root)
    except StudyError:
        return ("study.yaml",)
    changed = []
    if ran and ran[0] != study.study_hash:
        changed.append("study.yaml")
    try:
        digest = f"sha256 {plan_digest(study)}"
    except StudyError:
        digest = ""
    if plan and plan[0] and plan[0] != digest:
        changed.append("the analysis plan")
    return tuple(changed)


def _external(arguments: argparse.Namespace, folder: StudyFolder) -> int:
    """The report that may leave, in a folder of its own; the internal one stays as it is."""
    from flows import parts
    from flows.folder import open_to_readers
    from flows.recovery import replace_folder
    from flows.released import numbers_of, other_release, patients_of, refuse_another_threshold
    from flows.trail_run import note
    from reports.disclosure.external import DEFAULT_THRESHOLD, threshold_of, write_external
    from schemas.spec.plans import load_plan

    fresh, place = folder.published / ".report-external.new", folder.published / "report-external"
    with private_files(), parts.run_lock(str(folder.root)):
        shutil.rmtree(fresh, ignore_errors=True)
        study = parts.load_study(folder)
        threshold = threshold_of(load_plan(study), arguments.threshold)
        facts = {
            "external": True,
            "threshold": threshold,
            "load_id": parts.published_state(folder).get("load_id"),
            "content_hash": parts.published_state(folder).get("content_hash"),
            "numbers": numbers_of(folder.warehouse),
            "patients": patients_of(folder.warehouse),
            "another_threshold": arguments.another_threshold,
            "another_release": arguments.another_release,
        }
        if not arguments.another_threshold:
            refuse_another_threshold(folder.root, facts)
        _warn(other_release(folder.root, facts, allowed=arguments.another_release))
        made = write_external(folder.warehouse, fresh, study, threshold)
        # Before the report can be taken from its place: a command that is killed here has made none.
        note(folder.root, "report", {**facts, "outcome": "done", "exit_code": 0})
        arguments.noted = True
        replace_folder(fresh, place)
        open_to_readers(place)
    if made.threshold < DEFAULT_THRESHOLD:
        _warn(
            [
                f"a threshold of {made.threshold} withholds counts below {made.threshold} alone; usual is "
                f"{DEFAULT_THRESHOLD} or more"
            ]
        )
    page = place / made.page.name
    content = {
        "report": str(page),
        "threshold": made.threshold,
        "cells": made.cells,
        "withheld": made.withheld,
        "left_out": list(made.left_out),
    }
    counted = f"threshold  {made.threshold}: {made.withheld} of {made.cells} counts withheld"
    _answer(arguments, content, "\n".join([*made.left_out, counted, f"report     {page}"]))
    return 0


def _of_tables(arguments: argparse.Namespace) -> int:
    from reports.adam import TablesRequest, report_on_tables

    out = Path(arguments.out or "report")
    _try_to_write(out)
    made = report_on_tables(
        TablesRequest(
            adsl=Path(arguments.adsl),
            adtte=Path(arguments.adtte),
            plan=arguments.plan,
            out=out,
            first_day=arguments.first_day,
        )
    )
    content = {
        "report": str(made.page.resolve()),
        "patients": made.patients,
        "displays": list(made.displays),
        "left_out": list(made.left_out),
        "warnings": list(made.warnings),
    }
    _warn(made.warnings)
    lines = [
        *made.left_out,
        f"{made.patients} patients, {len(made.displays)} displays",
        f"report     {made.page}",
    ]
    _answer(arguments, content, "\n".join(lines))
    return 0


def _try_to_write(out: Path) -> None:
    """Whether a report can be written there; what is made to see that is removed.

    Raises:
        StudyError: Something else is there, or it cannot be written; with the system's reason.
    """
    made: list[Path] = []
    try:
        if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not _holds_report(out))):
            raise StudyError(
                f"'{out}' exists and holds no report.", fix="give a new or empty folder with --out"
            )
        place = out.absolute()
        missing = [folder for folder in (place, *place.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir()
            made.append(folder)
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        from flows.disk_full import is_disk_full

        if is_disk_full(error):
            raise
        raise StudyError(
            f"'{out}' cannot be written: {error.strerror or type(error).__name__}.",
            fix="give a folder that you may write to with --out",
        ) from None
    finally:
        for folder in reversed(made):
            folder.rmdir()


def _warn(texts: Iterable[str]) -> None:
    for text in texts:
        print(f"warning: {text}", file=sys.stderr)


def levels_that_differ(warehouse: Path) -> list[str]:
    """Sentences of the published methods on levels of the plan that nobody has, and values that no level names."""
    import duckdb

    con = duckdb.connect(str(warehouse), read_only=True)
    try:
        rows = con.execute(
            "select text from analysis.estimate where display = 'METHODS'"
            " and (starts_with(row, 'levels_') or starts_with(row, 'undeclared_')) order by position"
        ).fetchall()
    finally:
        con.close()
    return [text for (text,) in rows]


def _answer(arguments: argparse.Namespace, content: dict[str, Any], text: str) -> None:
    print(json.dumps(content) if arguments.json else text)


def _holds_report(folder: Path) -> bool:
    """Whether a folder is one that this command wrote, perhaps not to its end."""
    return (folder / PAGE).is_file() or (folder / "tables" / "estimates.csv").is_file()
