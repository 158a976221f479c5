"""`read_answers`: a returned workbook to answers and problems, with nothing lost in between."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from schemas.errors import FileError, Place
from schemas.query_frames import ANSWER, QUERY_EVENT
from transforms.harmonize.privacy_withdrawn import Withdrawn
from transforms.read.source import shown
from warehouse.query_answers.blocks import Block
from warehouse.query_answers.days import Order, days_of
from warehouse.query_answers.grids import read_grids
from warehouse.query_answers.judge import REPEATED, TAKEN, UNANSWERED, judged, units_of
from warehouse.query_answers.lines import lines_of
from warehouse.query_answers.problems import Problem, of_file, told
from warehouse.query_answers.sheets import changed_since, said_before, sheets_of
from warehouse.query_answers.tell import line_problems, remarks
from warehouse.query_answers.withdrawn import (
    holds_withdrawn,
    is_told_of,
    kept_lines,
    mentions,
    without_withdrawn,
)


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """What came back in a file: `n_lines` = answers + `n_repeated` + `n_unanswered` + `n_refused`.

    Attributes:
        file: Its name.
        answers: ANSWER: what is to be taken, one row per query.
        problems: What is wrong, in the order of the file.
        n_lines: Lines with queries; a line with several ids counts once for each.
        n_unanswered: Of these, those that the center has not filled in.
        n_repeated: Of these, those that say what another line, or an earlier file, said already.
        center_id: Whose answers they are; None if that is not known.
        sha256: Of the file; empty if it could not be read at all.
        is_read: Its lines were judged one by one; else the file as a whole was refused.
        without: None, or what may be kept of a file that names a patient who has withdrawn: the other lines,
            as `withdrawn.kept_lines`.
        name: Under which it may be kept.
    """

    file: str
    answers: pl.DataFrame
    problems: tuple[Problem, ...]
    n_lines: int = 0
    n_unanswered: int = 0
    n_repeated: int = 0
    center_id: str | None = None
    sha256: str = ""
    is_read: bool = False
    without: pl.DataFrame | None = None
    name: str = ""

    @property
    def n_refused(self) -> int:
        """Lines whose answer was not taken."""
        return sum(problem.n_lines for problem in self.problems)


def read_answers(
    path: Path,
    queries: pl.DataFrame,
    center_id: str | None = None,
    *,
    study_id: str | None = None,
    events: pl.DataFrame | None = None,
    date_order: Order = "dmy",
    today: dt.date | None = None,
    withdrawn_of: Callable[[str], Withdrawn | None] | None = None,
) -> AnswerFile:
    """The answers of a returned workbook or CSV; never raises for what is in the file.

    Args:
        path: The file: .xlsx, .xls, .ods or .csv, as it came back.
        queries: QUERY: the state of the queries now.
        center_id: Whose answers they are; None: as the workbook says, or as all its ids say.
        study_id: A workbook of another study is refused.
        events: QUERY_EVENT: with them, answers to a value that the center has changed since are told,
            and an old workbook that is saved anew does not answer what was asked again since.
        date_order: Of day and month in short dates.
        today: Answers of later days are told; default today.
        withdrawn_of: The tombstones of a center: lines about patients who have withdrawn are told, and
            nothing of them is in the result.
    """
    name = shown(path.name)
    nothing = AnswerFile(name, pl.DataFrame(schema=ANSWER), (), center_id=center_id, name=name)
    try:
        grids, sha256, failures = read_grids(path)
    except FileError as error:
        return replace(nothing, problems=(of_file(error),))
    sheets = sheets_of(grids)
    file = replace(nothing, sha256=sha256, center_id=center_id or sheets.center_id)
    of_sheets = [*map(of_file, failures), *sheets.problems(file.file)]
    lines = lines_of(sheets.blocks)
    units = units_of(lines)
    known = units.join(queries, on="query_id", how="semi")["query_id"].unique()
    centers = queries.filter(pl.col("query_id").is_in(known.implode()))["center_id"].unique()
    if file.center_id is None and centers.len() == 1:
        file = replace(file, center_id=str(centers[0]))
    refusal = sheets.refusal(file.file, study_id, file.center_id, centers.to_list())
    if refusal is not None:
        return _refused(file, units, refusal, of_sheets)
    withdrawn = withdrawn_of(file.center_id) if withdrawn_of and file.center_id else None
    if withdrawn is not None and sheets.blocks:
        lines = without_withdrawn(lines, sheets.blocks, withdrawn, queries["query_id"])
        units = units_of(lines)
        unread = failures or any(grid.rejects.height for grid in grids)  # may name such a patient
        if unread or is_told_of(lines) or holds_withdrawn(grids, withdrawn):
            of_sheets.append(told("WITHDRAWN_FILE", Place(file.file)))
            name = "answers" if mentions(path.stem, withdrawn) else file.file
            file = replace(file, without=kept_lines(lines, sheets.blocks, queries), name=name)
    events = pl.DataFrame(schema=QUERY_EVENT) if events is None else events
    changed = changed_since(events, queries, sheets.part)
    units = judged(units, queries, file.center_id, changed, said_before(events, sheets.part))
    units = _with_days(units, sheets.blocks, date_order, today or dt.date.today())
    problems = [*of_sheets, *line_problems(units, sheets.blocks), *remarks(units, sheets.blocks)]
    return replace(
        file,
        answers=_answers(units),
        problems=tuple(problems),
        n_lines=units.height + sum(problem.n_lines for problem in of_sheets),
        n_unanswered=units.filter(pl.col("outcome") == UNANSWERED).height,
        n_repeated=units.filter(pl.col("outcome") == REPEATED).height,
        is_read=bool(sheets.blocks),
    )


def _refused(
    file: AnswerFile, units: pl.DataFrame, refusal: Problem, of_sheets: list[Problem]
) -> AnswerFile:
    """The file as one problem: none of its answers is taken."""
    empty = units.filter(~pl.col("written") & pl.col("fault").is_null()).height
    n_others = sum(problem.n_lines for problem in of_sheets)
    whole = replace(refusal, n_lines=units.height - empty)
    return replace(
        file, problems=(whole, *of_sheets), n_lines=units.height + n_others, n_unanswered=empty
    )


def _with_days(
    units: pl.DataFrame, blocks: Sequence[Block], order: Order, today: dt.date
) -> pl.DataFrame:
    """The units with `day` and `remark` of their cell `answered_on`."""
    systems = [block.grid.date_system for block in blocks]
    system = pl.Series("date_system", systems, dtype=pl.Int32).gather(units["block"])
    cells = units.select("answered_on", system).drop_nulls().unique(maintain_order=True)
    keys = ["answered_on", "date_system"]
    days = days_of(cells, order, today)
    return units.with_columns(system).join(days, on=keys, how="left", maintain_order="left")


def _answers(units: pl.DataFrame) -> pl.DataFrame:
    taken = units.filter(pl.col("outcome") == TAKEN)
    return taken.select(
        "query_id",
        pl.col("answer_code").alias("answer"),
        "corrected_value",
        "comment",
        "answered_by",
        pl.col("day").alias("answered_on"),
    ).cast(ANSWER)
