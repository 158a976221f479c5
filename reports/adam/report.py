"""From two files and a plan to a report, without a study."""

from __future__ import annotations

import datetime as dt
import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from reports.adam.columns import check_numbers
from reports.adam.doubts import Doubt
from reports.adam.fit import fitted, sentences_of, with_response_source
from reports.adam.read import read_table
from reports.adam.tables import FirstDay, Source, Tables, analysis_data
from reports.displays import flow
from reports.displays.context import Context
from reports.displays.estimate import Estimate, to_frame
from reports.displays.registry import SUBJECT, estimates_of, planned_displays, subjects_of
from reports.plan_fit import check_groups, check_levels, differences, level_warnings
from reports.selfaudit import audit_estimates
from schemas.errors import StudyError
from schemas.spec.base import listed, nearest
from schemas.spec.plan import AnyDisplay, Plan, names_of
from schemas.spec.plans import read_plan, shipped_plans, with_cut_offs, with_groups
from schemas.spec.study import Study

# What is true of any data; the rest of the methods tells how a study's warehouse came about.
GENERAL = ("months", "survival", "follow_up", "tests", "sparse", "missing")


@dataclass(frozen=True)
class TablesRequest:
    """Files of adsl and adtte, a plan by file or name, where to write."""

    adsl: Path
    adtte: Path
    plan: str
    out: Path
    first_day: FirstDay | None = None


@dataclass(frozen=True)
class Made:
    """What was written: the page, its patients and displays, what was left out, and what to look at before using it."""

    page: Path
    patients: int
    displays: tuple[str, ...]
    left_out: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def report_on_tables(request: TablesRequest) -> Made:
    """Writes the report of ADaM tables.

    Args:
        request: Files, plan, folder; the folder is made, and an earlier report in it replaced.

    Returns:
        The page and what it holds.

    Raises:
        FileError: A table cannot be read, or is no adsl or adtte; with file, column and what to do.
        StudyError: The plan is wrong, or nothing of it can be made from these tables.
        AuditStoppedError: A table of the report contradicts itself.
    """
    plan_path = plan_file(request.plan)
    plan = read_plan(plan_path)
    adsl = Source(with_response_source(read_table(request.adsl)), request.adsl.name)
    adtte = Source(read_table(request.adtte), request.adtte.name)
    study = _study(plan)
    month = study.settings.days_per_month
    tables = analysis_data(
        adsl, adtte, plan.endpoints, days_per_month=month, first_day=request.first_day
    )
    context, told = context_of(plan, tables, study)
    run = {
        "plan": plan_path.name, "plan_sha256": _digest(plan_path),
        "adsl": request.adsl.name, "adsl_sha256": _digest(request.adsl),
        "adtte": request.adtte.name, "adtte_sha256": _digest(request.adtte),
    }  # fmt: skip
    estimates = to_frame(all_estimates(context, tables, told))
    audit_estimates(estimates)
    page = _written(estimates, _subjects(context), run, request.out, study)
    shown = tuple(display.id for display in planned_displays(context))
    warnings = (*(doubt.text for doubt in tables.doubts), *level_warnings(context))
    return Made(page, tables.data.adsl.height, shown, told, warnings)


def context_of(plan: Plan, tables: Tables, study: Study) -> tuple[Context, tuple[str, ...]]:
    """The context of the displays that the tables allow, and what is left out. Raises FileError and StudyError."""
    reduced, told = fitted(_grouped(plan, tables.data.adsl, study), tables.data)
    if not reduced.displays:
        raise StudyError(
            "No display of the plan can be made from these tables:\n" + "\n".join(told[:20]),
            fix="correct 'column' of the variables and the names of the endpoints in the plan",
        )
    check_numbers(reduced, tables.adsl)
    context = Context(tables.data, study, reduced)
    check_groups(context)
    check_levels(context)
    return context, told


def plan_file(name: str) -> Path:
    """The file of a plan that is given by path or by the name of one that comes with Carmony."""
    path = Path(name)
    if path.is_file():
        return path
    if name in shipped_plans():
        return shipped_plans()[name]
    raise StudyError(
        f"There is no analysis plan '{name}'.{nearest(name, shipped_plans())} "
        f"Plans that come with Carmony: {listed(shipped_plans())}",
        fix="give one of these, or the path of a YAML file",
    )


def all_estimates(context: Context, tables: Tables, told: tuple[str, ...]) -> list[Estimate]:
    """Rows of every display, methods first."""
    return [
        *_methods(context, tables, told),
        *differences(context),
        *flow.cohort(context.data),
        *[
            row
            for number, display in enumerate(planned_displays(context), start=1)
            for row in with_doubts(display, estimates_of(display, context, number), tables.doubts)
        ],
    ]


def with_doubts(
    display: AnyDisplay, rows: Iterator[Estimate], doubts: tuple[Doubt, ...]
) -> Iterator[Estimate]:
    """The rows of a display, and a WARNING for each doubt about the times of its endpoints."""
    yield from rows
    names = {name for key, name in names_of(display) if key in ("endpoint", "medians")}
    for number, doubt in enumerate(doubts, start=1):
        if doubt.endpoint in names:
            yield Estimate(
                display=display.id, endpoint=doubt.endpoint, row="WARNING", row_label="Caution",
                level=f"TIMES_{number}", statistic="text", text=doubt.text,
            )  # fmt: skip


def _methods(context: Context, tables: Tables, told: tuple[str, ...]) -> Iterator[Estimate]:
    cohort = (
        "All patients of the adsl that was given. It and the adtte were made elsewhere: how patients were"
        " chosen, and how times, events and variables were derived, is not known here."
    )
    own = {
        "title": context.plan.title,
        "cohort": cohort,
        **tables.sentences,
        **{f"doubt_{number}": doubt.text for number, doubt in enumerate(tables.doubts, start=1)},
        **dict(sentences_of(told)),
    }
    for row, text in own.items():
        yield Estimate(display="METHODS", row=row, statistic="text", text=text)
    for estimate in flow.methods(context.study):
        if estimate.row in GENERAL:
            yield replace(
                estimate, text=(estimate.text or "").replace("; analyses use whole days", "")
            )
    yield from flow.methods_of_plan(context.plan)


def _study(plan: Plan) -> Study:
    """Settings of the report by default; no data cut is printed, as none is known."""
    return Study(id="TABLES", title=plan.title, data_cut=dt.date.max)


def _grouped(plan: Plan, adsl: pl.DataFrame, study: Study) -> Plan:
    """The usual cut-offs in the texts, and the usual groups as levels of GRP4 where the data hold no others."""
    plan = with_cut_offs(plan, study)
    codes = {group.code for group in study.groups}
    if "GRP4" in adsl.columns and set(adsl["GRP4"].cast(pl.String).drop_nulls().unique()) <= codes:
        return with_groups(plan, study)
    return plan


def _subjects(context: Context) -> pl.DataFrame:
    return pl.concat(
        [SUBJECT.to_frame(), *[subjects_of(d, context) for d in planned_displays(context)]]
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _written(
    estimates: pl.DataFrame, subjects: pl.DataFrame, run: dict[str, str], out: Path, study: Study
) -> Path:
    """Puts the estimates into a file as a warehouse has them, and renders it; with all files beside the page."""
    import duckdb

    from reports.exports import write_exports
    from reports.render import render

    with tempfile.TemporaryDirectory(prefix="carmony-") as folder:
        place = Path(folder) / "estimates.duckdb"
        con = duckdb.connect(str(place))
        try:
            tables = {
                "analysis.estimate": estimates,
                "analysis.estimate_subject": subjects,
                "meta.run": pl.DataFrame([run]),
            }
            con.execute("create schema analysis").fetchall()
            con.execute("create schema meta").fetchall()
            for name, rows in tables.items():
                file = Path(folder) / f"{name}.parquet"
                rows.write_parquet(file)
                quoted = str(file).replace("'", "''")
                con.execute(
                    f"create table {name} as select * from read_parquet('{quoted}')"
                ).fetchall()
        finally:
            con.close()
        page = render(place, out, study)
        write_exports(place, out, study)
        return page
