"""Who went on to what after which first salvage: lines in order, and the ends of those without a further one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from reports.displays.columns import small_columns
from reports.displays.context import Context
from reports.displays.estimate import ALL, Estimate, count_text
from reports.displays.registry import SUBJECT

if TYPE_CHECKING:
    from schemas.spec.plan import LineFlow

MOST_LINES = 4  # drawn; those with more lines end as having had more
ENDS = {"ALIVE": "No further line, alive", "DIED": "No further line, died", "UNKNOWN": "No further line, vital status unknown"}  # fmt: skip
MORE = "MORE"
NO_LINES = "The warehouse has no table of salvage lines: the flow was not made."
METHOD = "Counts; the class of a line is its group by the rules of the first salvage"
ORDINALS = {1: "First", 2: "Second", 3: "Third", 4: "Fourth"}


def estimates(planned: LineFlow, context: Context) -> Iterator[Estimate]:
    """Sizes of the groups, further lines by first salvage, and every step from line to line."""
    patients = context.chosen(planned.where)
    if context.data.courses.lines.is_empty():
        yield Estimate(display=planned.id, row="not_run", statistic="text", text=NO_LINES)
        return
    labels = {group.code: group.label for group in context.study.groups}
    courses = courses_of(patients, context.data.courses.lines, context.study.data_cut)
    observed = courses.filter(pl.col("place") <= pl.col("n_lines"))["node"].unique().sort()
    labels |= {code: code for code in observed if code not in labels and code != MORE}
    yield from _nodes(planned.id, courses, labels)
    yield from _further(planned.id, courses, labels)
    firsts = courses.unique("USUBJID")["first"]
    sizes = {code: int((firsts == code).sum()) for code in labels} | {ALL: firsts.len()}
    yield from small_columns(planned.id, {**labels, ALL: "All"}, sizes, context.plan.small_group)
    yield from _by_first(planned.id, courses, labels)
    yield from _steps(planned.id, courses, labels)
    yield from _without_lines(planned.id, patients, courses)


def courses_of(patients: pl.DataFrame, lines: pl.DataFrame, data_cut: dt.date) -> pl.DataFrame:
    """One row per patient and stage of the flow; deaths after the data cut are not counted.

    Returns:
        `USUBJID`, `place` (1: first salvage), `node` (group of the line, or a code of `ENDS`, or MORE at the
        place after the last line), `first` (group of the first salvage), `n_lines`.
    """
    known = lines.join(patients.select("USUBJID"), on="USUBJID", how="semi").select(
        "USUBJID", place=pl.col("SALVSEQ").cast(pl.Int32), node="SALVGRP"
    )
    n_lines = known.group_by("USUBJID").agg(
        n_lines=pl.col("place").max(), first=pl.col("node").sort_by("place").first()
    )
    died = (pl.col("DTHFL") == "Y") & (pl.col("DTHDT").is_null() | (pl.col("DTHDT") <= data_cut))
    vital = (
        pl.when(pl.col("DTHFL").is_null())
        .then(pl.lit("UNKNOWN"))
        .when(died)
        .then(pl.lit("DIED"))
        .otherwise(pl.lit("ALIVE"))
    )
    ends = patients.join(n_lines, on="USUBJID").select(
        "USUBJID",
        place=pl.min_horizontal(pl.col("n_lines"), MOST_LINES) + 1,
        node=pl.when(pl.col("n_lines") > MOST_LINES).then(pl.lit(MORE)).otherwise(vital),
    )
    drawn = known.filter(pl.col("place") <= MOST_LINES)
    return pl.concat([drawn, ends.select(drawn.columns)], how="vertical_relaxed").join(
        n_lines, on="USUBJID"
    )


def _node_labels(labels: dict[str, str]) -> dict[str, str]:
    return {**labels, **ENDS, MORE: f"More than {MOST_LINES} lines"}


def _nodes(display: str, courses: pl.DataFrame, labels: dict[str, str]) -> Iterator[Estimate]:
    """Patients in each node of each stage."""
    names = _node_labels(labels)
    for place, node, number in _in_order(courses.group_by("place", "node").len(), names):
        yield Estimate(
            display=display, row="node", row_label=_stage(place), level=f"{place}|{node}",
            level_label=names.get(node, node), statistic="n", value=float(number), n=number,
            time_months=None, method=METHOD, text=str(number),
        )  # fmt: skip


def _in_order(counted: pl.DataFrame, names: dict[str, str]) -> Iterator[tuple[int, str, int]]:
    """Stages ascending; in each the groups of the study, then the ends."""
    order = {name: position for position, name in enumerate(names)}
    sort = pl.col("node").replace_strict(order, default=len(order), return_dtype=pl.Int64)
    for place, node, number in (
        counted.sort("place", sort, "node").select("place", "node", "len").iter_rows()
    ):
        yield int(place), str(node), int(number)


def _stage(place: int) -> str:
    return f"{ORDINALS.get(place, f'{place}th')} salvage" if place <= MOST_LINES else "Later"


def _further(display: str, courses: pl.DataFrame, labels: dict[str, str]) -> Iterator[Estimate]:
    """Patients with a further line, by first salvage and in all, and how many lines there were."""
    one = courses.unique("USUBJID").sort("USUBJID")
    for code, label in {**labels, ALL: "All"}.items():
        mine = one if code == ALL else one.filter(pl.col("first") == code)
        more = int((mine["n_lines"] > 1).sum())
        yield Estimate(
            display=display, population=code, population_label=label, row="patients",
            row_label="Patients", statistic="n", value=float(mine.height), n=mine.height,
            text=str(mine.height),
        )  # fmt: skip
        yield Estimate(
            display=display, population=code, population_label=label, row="further",
            row_label="With a further line", statistic="n", value=float(more), n=mine.height,
            method=METHOD, text=count_text(more, mine.height),
        )  # fmt: skip
        third = int((mine["n_lines"] > 2).sum())
        yield Estimate(
            display=display, population=code, population_label=label, row="third",
            row_label="With a third line", statistic="n", value=float(third), n=mine.height,
            method=METHOD, text=count_text(third, mine.height),
        )  # fmt: skip


def _by_first(display: str, courses: pl.DataFrame, labels: dict[str, str]) -> Iterator[Estimate]:
    """What each line after the first was, by group of the first salvage; percent of the group."""
    names = _node_labels(labels)
    sizes = {
        code: int(((courses["place"] == 1) & (courses["node"] == code)).sum()) for code in labels
    }
    sizes[ALL] = int((courses["place"] == 1).sum())
    counts = {
        (int(place), str(first), str(node)): int(number)
        for place, first, node, number in courses.group_by("place", "first", "node")
        .len()
        .iter_rows()
    }
    for place in range(2, int(courses["place"].max() or 1) + 1):  # type: ignore[arg-type]
        seen = [
            n for p, n, _ in _in_order(courses.group_by("place", "node").len(), names) if p == place
        ]
        for node in seen:
            for code in sizes:
                number = (
                    sum(counts.get((place, first, node), 0) for first in labels)
                    if code == ALL
                    else counts.get((place, code, node), 0)
                )
                yield Estimate(
                    display=display, population=code,
                    population_label=labels.get(code, "All"), row=f"line_{place}",
                    row_label=_stage(place), level=node, level_label=names.get(node, node),
                    statistic="n", value=float(number), n=sizes[code], method=METHOD,
                    text=count_text(number, sizes[code]),
                )  # fmt: skip


def _steps(display: str, courses: pl.DataFrame, labels: dict[str, str]) -> Iterator[Estimate]:
    """Patients who went from a node to a node of the next stage, by first salvage."""
    names = _node_labels(labels)
    order = {name: position for position, name in enumerate(names)}
    following = courses.select("USUBJID", place=pl.col("place") - 1, following="node")
    counted = (
        courses.join(following, on=["USUBJID", "place"])
        .group_by("place", "first", "node", "following")
        .len()
    )
    keys = [
        pl.col(name).replace_strict(order, default=len(order), return_dtype=pl.Int64)
        for name in ("first", "node", "following")
    ]
    rows = counted.sort("place", *keys).select("place", "first", "node", "following", "len")
    for place, first, node, later, number in rows.iter_rows():
        yield Estimate(
            display=display, population=first, population_label=names.get(first, first), row="step",
            row_label=f"From the {_stage(place).lower()}", level=f"{place}|{node}|{later}",
            level_label=f"{names.get(node, node)} → {names.get(later, later)}", statistic="n",
            value=float(number), n=int(number), method=METHOD, text=str(number),
        )  # fmt: skip


def _without_lines(
    display: str, patients: pl.DataFrame, courses: pl.DataFrame
) -> Iterator[Estimate]:
    """Patients of the cohort of whom the table has no line."""
    number = patients.join(courses, on="USUBJID", how="anti").height
    yield Estimate(
        display=display, row="excluded", row_label="Patients without a salvage line in the table",
        statistic="n", value=float(number), n=number, text=str(number),
    )  # fmt: skip


def subjects(planned: LineFlow, context: Context) -> pl.DataFrame:
    """The patients behind each node, by first salvage."""
    if context.data.courses.lines.is_empty():
        return SUBJECT.to_frame()
    courses = courses_of(
        context.chosen(planned.where), context.data.courses.lines, context.study.data_cut
    )
    return courses.sort("USUBJID", "place").select(
        display=pl.lit(planned.id),
        population="first",
        row=pl.lit("node"),
        level=pl.concat_str("place", "node", separator="|"),
        usubjid="USUBJID",
    )
