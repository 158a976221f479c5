"""Courses of single patients from the first salvage: lines, responses, progressions, how they end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from reports.displays.context import Context
from reports.displays.estimate import ALL, Estimate, number_text
from reports.displays.registry import SUBJECT

if TYPE_CHECKING:
    from schemas.spec.plan import Swimmer

GROUP = "GRP4"
NEEDED = (GROUP, "TRTSDT", "DTHFL", "DTHDT", "LSTALVDT")
# Category as reported → what is drawn; worse ones bear no mark.
DEPTHS = {"sCR": "CR", "CR": "CR", "VGPR": "VGPR", "PR": "PR"}
DEPTH_ORDER = {"RSP": 1, "PR": 2, "VGPR": 3, "CR": 4}
PROGRESSION, RESPONSE, YES = "PD", "RSP", "Y"
MARKS = {
    "RSP": "First response, class not known",
    "PR": "PR",
    "VGPR": "VGPR",
    "CR": "CR or sCR",
    "PD": "Progression",
    "DIED": "Died",
    "ALIVE": "Alive at the last contact",
    "UNKNOWN": "Vital status unknown",
}
LENGTH = "From time zero to death or the last day known alive, at most to the data cut"
LINE = "Start to end of the line; to the next line, death or last contact where no end is known"


def estimates(planned: Swimmer, context: Context) -> Iterator[Estimate]:
    """A row per drawn patient, line and mark, and how many are drawn."""
    if absent := _absent(context):
        yield Estimate(
            display=planned.id, row="not_run", statistic="text",
            text=f"The table of patients has no {', '.join(absent)}: courses were not drawn.",
        )  # fmt: skip
        return
    courses = courses_of(planned, context)
    drawn = courses.head(planned.most)
    groups = context.variable(GROUP).levels
    yield from _sizes(planned, context, courses, drawn, groups)
    if drawn.is_empty():
        return
    labels = {group.code: group.label for group in context.study.groups}
    month = context.study.settings.days_per_month
    drawn = drawn.with_columns(months=pl.col("days") / month)
    yield from _patients(planned.id, drawn, groups)
    if not context.data.courses.lines.is_empty():
        yield from _lines(planned.id, context, drawn, labels)
    if not context.data.courses.responses.is_empty():
        yield from _marks(planned.id, context, drawn)


def _absent(context: Context) -> list[str]:
    return [name for name in NEEDED if name not in context.patients.columns]


def courses_of(planned: Swimmer, context: Context) -> pl.DataFrame:
    """The patients whose course can be drawn, the longest first.

    Returns:
        `USUBJID`, `rank` (place of the pseudonym among all patients of the cohort), `group`, `start`
        (Date), `days` (length), `end` (DIED, ALIVE, UNKNOWN).
    """
    cut = context.study.data_cut
    ranked = context.patients.with_columns(
        rank=pl.col("USUBJID").rank("ordinal").cast(pl.Int32).cast(pl.String)
    ).select("USUBJID", "rank")
    died = (pl.col("DTHFL") == "Y") & (pl.col("DTHDT").is_null() | (pl.col("DTHDT") <= cut))
    known = pl.when(died).then("DTHDT").otherwise("LSTALVDT")
    last = pl.when(known > cut).then(pl.lit(cut, pl.Date)).otherwise(known)
    end = (
        pl.when(pl.col("DTHFL").is_null())
        .then(pl.lit("UNKNOWN"))
        .when(died)
        .then(pl.lit("DIED"))
        .otherwise(pl.lit("ALIVE"))
    )
    return (
        context.chosen(planned.where)
        .join(ranked, on="USUBJID", maintain_order="left")
        .select(
            "USUBJID", "rank", start="TRTSDT", group=GROUP, end=end,
            days=_days(last, pl.col("TRTSDT")),
        )
        .filter(pl.col("days") >= 0)
        .sort("days", "USUBJID", descending=[True, False])
    )  # fmt: skip


def _days(day: pl.Expr, start: pl.Expr) -> pl.Expr:
    return (day - start).dt.total_days().cast(pl.Float64)


def _sizes(
    planned: Swimmer, context: Context, courses: pl.DataFrame, drawn: pl.DataFrame, groups: dict[str, str]
) -> Iterator[Estimate]:  # fmt: skip
    whole = context.chosen(planned.where)
    numbers = {ALL: (drawn.height, whole.height)} | {
        code: (int((drawn["group"] == code).sum()), int((whole[GROUP] == code).sum()))
        for code in groups
    }
    for code, (part, size) in numbers.items():
        yield Estimate(
            display=planned.id, population=code, population_label=groups.get(code, "All"),
            row="drawn", row_label="Patients drawn", statistic="n", value=float(part), n=size,
            text=f"{part} of {size}",
        )  # fmt: skip
    unknown = whole.height - courses.height
    yield Estimate(
        display=planned.id, row="excluded", row_label="Patients whose course has no start or end",
        statistic="n", value=float(unknown), n=unknown, text=str(unknown),
    )  # fmt: skip
    for table, frame in (
        ("salvage lines", context.data.courses.lines),
        ("responses", context.data.courses.responses),
    ):
        if frame.is_empty():
            yield Estimate(
                display=planned.id, row="not_run", statistic="text",
                text=f"The warehouse has no table of {table}: they are not drawn.",
            )  # fmt: skip


def _patients(display: str, drawn: pl.DataFrame, groups: dict[str, str]) -> Iterator[Estimate]:
    """Length and end of each course; the mark at its end."""
    for rank, group, months, end in drawn.select("rank", "group", "months", "end").iter_rows():
        yield Estimate(
            display=display, population=group or "UNKNOWN",
            population_label=groups.get(group, "Group not known"), row="patient",
            row_label="Course", level=rank, level_label=MARKS[end], statistic=end, value=months,
            time_months=months, n=1, method=LENGTH, text=f"{number_text(months, 1)} months",
        )  # fmt: skip


def _lines(
    display: str, context: Context, drawn: pl.DataFrame, labels: dict[str, str]
) -> Iterator[Estimate]:
    """Each line from its start to its end, both inside the course."""
    month = context.study.settings.days_per_month
    lines = context.data.courses.lines.sort("USUBJID", "SALVSEQ").with_columns(
        next_start=pl.col("ASTDT").shift(-1).over("USUBJID")
    )
    frame = drawn.join(lines, on="USUBJID", how="inner", maintain_order="left_right").with_columns(
        first=_days(pl.col("ASTDT"), pl.col("start")).clip(0, pl.col("days")),
        last=pl.min_horizontal(
            _days(pl.col("AENDT"), pl.col("start")),
            _days(pl.col("next_start"), pl.col("start")),
            "days",
        ),
    )
    placed = frame.filter(pl.col("first").is_not_null()).select(
        "rank", "group", "SALVSEQ", "SALVGRP", pl.col("first") / month,
        (pl.max_horizontal("first", "last") / month).alias("until"), pl.col("AENDT").is_null(),
    )  # fmt: skip
    for rank, group, number, kind, first, last, is_open in placed.iter_rows():
        yield Estimate(
            display=display, population=group or "UNKNOWN", row="line", row_label="Line",
            level=f"{rank}|{number}|{kind}", level_label=labels.get(kind, kind),
            statistic="open" if is_open else "line", value=first, lower=first, upper=last,
            time_months=first, n=1, method=LINE,
            text=f"{number_text(first, 1)} to {number_text(last, 1)} months",
        )  # fmt: skip


def _marks(display: str, context: Context, drawn: pl.DataFrame) -> Iterator[Estimate]:
    """Each response of a line that is deeper than all before it, and the first progression."""
    month = context.study.settings.days_per_month
    shown = (
        _dated(context.data.courses.responses)
        .join(drawn, on="USUBJID", how="inner")
        .with_columns(day=_days(pl.col("ADT"), pl.col("start")))
        .filter((pl.col("day") >= 0) & (pl.col("day") <= pl.col("days")))
        .with_columns(depth=pl.col("kind").replace_strict(DEPTH_ORDER, default=None))
        .sort("rank", "SALVN", "day", "depth", descending=[False, False, False, True])
    )
    line = ["rank", "SALVN"]
    responses = shown.filter(pl.col("depth").is_not_null())
    before = pl.col("depth").cum_max().shift(1).over(line).fill_null(0)
    deeper = responses.filter(pl.col("depth") > before)
    progressed = shown.filter(pl.col("kind") == PROGRESSION).unique(
        line, keep="first", maintain_order=True
    )
    marks = pl.concat([deeper, progressed]).sort(pl.col("rank").cast(pl.Int32), "day", "kind")
    rows = marks.select("rank", "group", "kind", pl.col("day") / month)
    for rank, group, kind, months in rows.iter_rows():
        yield Estimate(
            display=display, population=group or "UNKNOWN", row="mark", row_label="Mark", level=rank,
            level_label=MARKS[kind], statistic=kind, value=months, time_months=months, n=1,
            text=f"{number_text(months, 1)} months",
        )  # fmt: skip


def _dated(responses: pl.DataFrame) -> pl.DataFrame:
    """Responses and progressions with a day: assessments, the best response, the first response.

    A center that gives only the best response and its day has no assessments; the first response may have a day
    and no class.
    """
    parameter, category = pl.col("PARAMCD"), pl.col("AVALC")
    kind = (
        pl.when(parameter.is_in(["OVR", "BOR"]))
        .then(category.replace_strict({**DEPTHS, PROGRESSION: PROGRESSION}, default=None))
        .when((parameter == RESPONSE) & (category == YES))
        .then(pl.lit(RESPONSE))
        .when((parameter == PROGRESSION) & (category == YES))
        .then(pl.lit(PROGRESSION))
    )
    return responses.with_columns(kind=kind).filter(
        pl.col("kind").is_not_null() & pl.col("ADT").is_not_null()
    )


def subjects(planned: Swimmer, context: Context) -> pl.DataFrame:
    """The patient behind each course."""
    if _absent(context):
        return SUBJECT.to_frame()
    drawn = courses_of(planned, context).head(planned.most)
    return drawn.select(
        display=pl.lit(planned.id), population=pl.col("group").fill_null("UNKNOWN"),
        row=pl.lit("patient"), level="rank", usubjid="USUBJID",
    )  # fmt: skip
