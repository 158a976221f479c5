"""A returned file as a whole: which of its blocks are lines of queries, and what refuses all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from schemas.errors import Place
from warehouse.query_answers.blocks import Block, blocks_of, marks_of, with_ids
from warehouse.query_answers.grids import Grid
from warehouse.query_answers.lines import WRITTEN
from warehouse.query_answers.problems import Problem, told
from warehouse.query_answers.tell import place
from warehouse.query_book.columns import FORMAT


@dataclass(frozen=True)
class Sheets:
    """The sheets of a file.

    Attributes:
        blocks: Those in which a line can be read: ids, answers and clear titles.
        unusable: The other blocks in which the center can answer, each with the code of its problem.
        untitled: Rows with ids of queries that stand under no titles, by sheet.
        marks: What the workbook says of itself.
    """

    blocks: Sequence[Block]
    unusable: Sequence[tuple[Block, str]]
    untitled: Sequence[tuple[Grid, pl.DataFrame]]
    marks: Mapping[str, str]

    @property
    def center_id(self) -> str | None:
        """The center for which the workbook was written, as it says."""
        return self.marks.get("carmony_center")

    @property
    def part(self) -> int | None:
        """The part of the log with which the workbook was written, as it says."""
        text = self.marks.get("carmony_part", "")
        return int(text) if text.isdecimal() else None

    def problems(self, file: str) -> list[Problem]:
        """What is wrong with sheets, by sheet: lines that cannot be read as a whole."""
        found = [
            told(code, place(block), block.rows.height + block.rejects.height)
            for block, code in self.unusable
        ]
        found += [
            told("NO_TITLES", Place(grid.file, grid.sheet), rows.height, n=rows.height)
            for grid, rows in self.untitled
        ]
        if found or self.marks.get("carmony_lines") == "0":
            return found
        if not self.blocks:
            return [told("NO_QUERIES", Place(file))]
        if not any(block.rows.height + block.rejects.height for block in self.blocks):
            return [told("EMPTY", place(self.blocks[0]))]
        return []

    def refusal(
        self, file: str, study_id: str | None, center_id: str | None, centers: Sequence[str]
    ) -> Problem | None:
        """Why no line of the file is taken, if there is a reason.

        Args:
            file: Its name.
            study_id: The study; None is not compared.
            center_id: Whose answers they are to be.
            centers: Centers of the queries that the file names.
        """
        version = self.marks.get("carmony_format")
        if version is not None and version != str(FORMAT):
            shown = version if version.isdecimal() else "unknown"
            return told("OLD_FORMAT", Place(file), found=shown, expected=FORMAT)
        if study_id is not None and self.marks.get("carmony_study", study_id) != study_id:
            return told("OTHER_STUDY", Place(file))
        told_center = self.center_id or center_id
        if told_center != center_id or (centers and center_id and center_id not in centers):
            return told("WRONG_CENTER", Place(file))
        if center_id is None and len(centers) > 1:
            return told("CENTER_UNKNOWN", Place(file))
        return None


def sheets_of(grids: Sequence[Grid]) -> Sheets:
    """What the sheets of a file hold."""
    blocks: list[Block] = []
    unusable: list[tuple[Block, str]] = []
    untitled: list[tuple[Grid, pl.DataFrame]] = []
    for grid in grids:
        of_sheet, above = blocks_of(grid)
        for block in of_sheet:
            if not block.asks:
                continue  # a list of queries to read, without cells for answers
            if code := _fault(block):
                unusable.append((block, code))
            else:
                blocks.append(block)
        rows = with_ids(above)
        if rows.height:
            untitled.append((grid, rows))
    return Sheets(blocks, unusable, untitled, marks_of(grids))


def _fault(block: Block) -> str | None:
    if block.crossed:
        return "COLUMNS_CROSSED"
    if "query_id" not in block.places:
        return "NO_ID_COLUMN"
    return None if "answer" in block.places else "NO_ANSWER_COLUMN"


# Events after which a center is asked once more.
_ASKED_AGAIN = ("not_corrected", "changed_still_failing", "reopened")


def said_before(events: pl.DataFrame, part: int | None) -> pl.DataFrame:
    """The last answers of queries that were asked again after a part of the log was written.

    A workbook of that part that comes once more, saved anew, does not answer the new question with
    what it said to the old one.

    Args:
        events: QUERY_EVENT.
        part: The part; None: not known, so nothing is said.
    """
    in_order = events.filter(pl.lit(part is not None)).sort("part", "position")
    again = in_order.filter((pl.col("part") > (part or 0)) & pl.col("event").is_in(_ASKED_AGAIN))
    answers = in_order.filter(pl.col("answer").is_not_null()).join(again, on="query_id", how="semi")
    return answers.group_by("query_id").agg(pl.col(name).last() for name in WRITTEN)


def changed_since(events: pl.DataFrame, queries: pl.DataFrame, part: int | None) -> Sequence[str]:
    """Ids of queries whose value is another one now than when a part of the log was written.

    Args:
        events: QUERY_EVENT.
        queries: QUERY.
        part: The part; None: not known, so nothing is said.
    """
    if part is None:
        return []
    then = (
        events.filter((pl.col("part") <= part) & pl.col("fingerprint").is_not_null())
        .sort("part", "position")
        .group_by("query_id")
        .agg(pl.col("fingerprint").last().alias("then"))
    )
    now = queries.select("query_id", "fingerprint").join(then, on="query_id")
    return now.filter(pl.col("then") != pl.col("fingerprint"))["query_id"].to_list()
