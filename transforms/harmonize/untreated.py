"""Lines without therapy before a treated one: they are no lines, so the treated one takes their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from transforms.harmonize.batch import ISSUE
from transforms.harmonize.lines import SHIFT, moved_up
from transforms.harmonize.part import Part, without_rows

RULE = "SAL-04"
NOTE = "the line before it says that there was no therapy: it is not counted, and this line is taken in its place"
# Lines without therapy that a treated one follows. `number` is that of the treated line afterwards.
UNTREATED = pl.Schema(
    {
        "patient_id": pl.String(),
        "line_number": pl.Int32(),
        "number": pl.Int32(),
        "next_start": pl.Date(),
    }
)


def close_gaps(
    parts: Sequence[Part], idle: pl.DataFrame | None, shifts: pl.DataFrame
) -> tuple[list[Part], pl.DataFrame, pl.DataFrame]:
    """Numbers the lines of all blocks anew where one was split, or one was without therapy.

    The last line of a patient may be without therapy: then nothing follows, and nothing moves. The center
    is asked about each line that takes the place of one without therapy.

    Args:
        parts: Treatment lines; `line_number` as the center told it, `steps` the place in a split cell.
        idle: `patient_id`, `line_number` of the cells that say that there was no therapy, if any.
        shifts: SHIFT of the cells that were split.

    Returns:
        The parts with their numbers; SHIFT of both kinds; UNTREATED.
    """
    gaps = _gaps(parts, idle)
    down = gaps.select("patient_id", after="line_number", extra=pl.lit(-1, pl.Int32))
    both = pl.concat([shifts, down.cast(SHIFT)])
    numbered = [_numbered(part, both, gaps) for part in parts]
    numbers = moved_up(gaps.select("patient_id", line_number="next"), both)
    untreated = gaps.select(
        "patient_id", "line_number", number=numbers, next_start="start_date"
    ).cast(UNTREATED)
    return numbered, both, untreated


def _gaps(parts: Sequence[Part], idle: pl.DataFrame | None) -> pl.DataFrame:
    """Numbers without therapy, the number of the treated line after each (`next`), and its start."""
    told = [part.frame.select("patient_id", "line_number", "start_date") for part in parts]
    kept = pl.concat(told).group_by("patient_id", "line_number").agg(pl.col("start_date").min())
    key = ["patient_id", "line_number"]
    return (
        (kept.select(key).clear() if idle is None else idle.drop_nulls().unique())
        .join(kept, on=key, how="anti")
        .join(kept.rename({"line_number": "next"}), on="patient_id")
        .filter(pl.col("next") > pl.col("line_number"))
        .sort(*key, "next")
        .unique(key, keep="first", maintain_order=True)
    )


def _numbered(part: Part, shifts: pl.DataFrame, gaps: pl.DataFrame) -> Part:
    if not shifts.height:
        return part
    frame = part.frame
    steps = pl.lit(0, pl.Int32) if part.steps is None else part.steps
    places = frame.select(
        "patient_id", "line_number", index=pl.int_range(pl.len(), dtype=pl.UInt32), step=steps
    )
    asked = (
        places.filter(pl.col("step") == 0)
        .join(
            gaps.select("patient_id", line_number="next").unique(), on=["patient_id", "line_number"]
        )
        .sort("index")
        .select(
            "index",
            column=pl.lit("drugs"),
            rule_id=pl.lit(RULE),
            severity=pl.lit("warning"),
            note=pl.lit(NOTE),
        )
    )
    return Part(
        frame.with_columns(line_number=moved_up(frame, shifts) + places["step"]),
        part.raw,
        pl.concat([part.issues, asked.select(list(ISSUE))]),
        part.address,
    )


def responses_moved(
    part: Part, shifts: pl.DataFrame, untreated: pl.DataFrame
) -> tuple[Part, Mapping[int, int]]:
    """Responses with the numbers of their lines, and without what tells of no line.

    What is told of a line without therapy belongs to the line before it, or to the CAR-T (0), unless its
    date is not before the start of the treated line after it. The best response to no therapy is an
    assessment of its day, or a progression; without a date it is only a progression, or nothing.

    Args:
        part: Responses with the line numbers that the center told.
        shifts: As `close_gaps` gives them.
        untreated: Likewise.

    Returns:
        The part, and the rows left out per source id.
    """
    frame = part.frame
    if not shifts.height:
        return part, {}
    moved = frame.with_columns(moved_up(frame, shifts))
    if not untreated.height:
        return Part(moved, part.raw, part.issues, part.address), {}
    place = frame.select("patient_id", "line_number").join(
        untreated, on=["patient_id", "line_number"], how="left", maintain_order="left"
    )
    number = place["number"]
    is_before = ~(frame["response_date"] >= place["next_start"]).fill_null(False)
    best = number.is_not_null() & (frame["kind"] == "BEST").fill_null(False)
    progressed = (frame["category"] == "PD").fill_null(False)
    lost = best & ~progressed & frame["response_date"].is_null()
    kinds = pl.when(best & progressed).then(pl.lit("PROGRESSION")).when(best)
    moved = moved.with_columns(
        line_number=pl.when(number.is_not_null())
        .then(number - is_before.cast(pl.Int32))
        .otherwise("line_number")
        .cast(pl.Int32),
        kind=kinds.then(pl.lit("ASSESSMENT")).otherwise("kind").cast(frame.schema["kind"]),
    )
    rest = Part(moved, part.raw, part.issues, part.address)
    return without_rows(rest, lost)
