"""Confirmation by the next assessment, and the best response of each line."""

from __future__ import annotations

import polars as pl

from transforms.derive.imwg.criteria import Criteria
from transforms.derive.imwg.levels import MR, NAMES, NE, PD, SD
from transforms.derive.imwg.segments import accumulate, earlier, next_known

BEST = pl.Schema(
    {
        "patient_id": pl.String(),
        "line_number": pl.Int32(),
        "kind": pl.String(),
        "n_assessments": pl.Int32(),
        "best": pl.String(),
        "best_on": pl.Date(),
        "best_confirmed": pl.String(),
        "best_confirmed_on": pl.Date(),
        "pd_on": pl.Date(),
        "confirmed_pd_on": pl.Date(),
    }
)
_HELD = 8  # progression while categories are accumulated: above all, so that it stays
_PLACES = 2**32
_NAMES = pl.Series([NAMES[level] for level in sorted(NAMES)])
_NEED_NO_REPEAT = ("MARROW", "IMAGING", "CLINICAL")


def confirm(frame: pl.DataFrame, criteria: Criteria) -> pl.DataFrame:
    """Adds `confirmed_level`, `confirmation`, `confirmation_days` and `warning`.

    The confirming assessment is the next one of the line that is evaluable. A response whose next
    is at least as deep stands; with a shallower one that one stands; before progression, a new line
    or no further assessment stable disease stands. Biochemical progression stands if the next
    assessment of the patient progresses too, be it on the next therapy, and is not evaluable
    otherwise; other progression stands. From there a line keeps its deepest confirmed level until
    progression, and progression to its end.

    Args:
        frame: sorted by line and date, with `row`, `line`, `patient_id`, `line_number`, `level`
            (null up to the baseline), `pd_*`, `assessed_on`, `next_line_on`.
        criteria: which confirmations and runs are marked.

    Returns:
        `confirmed_level` (0 to 7), `confirmation` (Y confirmed, N the next says otherwise, U no next
        in the line, or of a progression one on the next therapy that says otherwise; null for SD
        and NE), `confirmation_days` to the next assessment, `warning`
        (CONFIRMED_LATE, NOT_EVALUABLE_RUN).

    Source:
        Dossier 1.1 and 1.3 and, for the table of cases, section 6.
    """
    evaluable = pl.col("level") > NE
    frame = frame.with_columns(
        next_known(pl.col("level"), evaluable).alias("next"),
        next_known(pl.col("assessed_on"), evaluable).alias("next_on"),
    )
    new_line = (pl.col("next_on") > pl.col("next_line_on")).fill_null(False)
    level, after = pl.col("level"), pl.col("next")
    frame = frame.with_columns(
        is_open=after.is_null() | new_line,
        needs_none=pl.any_horizontal(f"pd_{basis}" for basis in _NEED_NO_REPEAT),
    )
    frame = _with_next_therapy(frame)
    frame = frame.with_columns(_standing().alias("standing"), _confirmation().alias("confirmation"))
    days = (pl.col("next_on") - pl.col("assessed_on")).dt.total_days().cast(pl.Int32)
    frame = frame.with_columns(
        held=pl.col("standing"),
        confirmation_days=pl.when(pl.col("confirmation").is_in(["Y", "N"]) & ~_stands_alone()).then(
            days
        ),
    )
    frame = accumulate(frame, ["held"], pl.max_horizontal)
    run = int(criteria.confirmation["not_evaluable_run"])
    in_run = pl.all_horizontal(earlier(level, back) == NE for back in range(run))
    late = (pl.col("confirmation") == "Y") & (
        pl.col("confirmation_days") > criteria.confirmation["late_after_days"]
    )
    return frame.with_columns(
        confirmed_level=pl.when(pl.col("held") == _HELD).then(PD).otherwise("held"),
        warning=pl.when(late.fill_null(False))
        .then(pl.lit("CONFIRMED_LATE"))
        .when(in_run.fill_null(False))
        .then(pl.lit("NOT_EVALUABLE_RUN")),
    )


def _with_next_therapy(frame: pl.DataFrame) -> pl.DataFrame:
    """Where a biochemical progression is open, `next` and `next_on` look into later lines too."""
    is_asked = (pl.col("level") == PD) & pl.col("is_open") & ~pl.col("needs_none")
    keys = ["patient_id", "line_number", "assessed_on"]
    asked = frame.filter(is_asked).select("row", *keys)
    evaluable = frame.filter(pl.col("level") > NE).select(*keys, "level")
    found = (
        asked.join(evaluable, on="patient_id", suffix="_later")
        .filter(
            (pl.col("line_number_later") > pl.col("line_number"))
            & (pl.col("assessed_on_later") > pl.col("assessed_on"))
        )
        .sort("row", "assessed_on_later", "line_number_later")
        .unique("row", keep="first", maintain_order=True)
        .select("row", later="level", later_on="assessed_on_later")
    )
    if found.is_empty():
        return frame
    is_sooner = (pl.col("later_on") < pl.col("next_on")) | pl.col("next_on").is_null()
    is_later = pl.col("later_on").is_not_null() & is_sooner
    return (
        frame.join(found, on="row", how="left", maintain_order="left")
        .with_columns(
            next=pl.when(is_later).then("later").otherwise("next"),
            next_on=pl.when(is_later).then("later_on").otherwise("next_on"),
        )
        .drop("later", "later_on")
    )


def _stands_alone() -> pl.Expr:
    return (pl.col("level") == PD) & pl.col("needs_none")


def _standing() -> pl.Expr:
    level, after = pl.col("level"), pl.col("next")
    return (
        pl.when((level == PD) & (pl.col("needs_none") | (after == PD).fill_null(False)))
        .then(_HELD)
        .when(level <= PD)
        .then(NE)
        .when(level == SD)
        .then(SD)
        .when(level.is_not_null() & (pl.col("is_open") | (after == PD)))
        .then(SD)
        .when(level.is_not_null())
        .then(pl.min_horizontal("level", "next"))
        .cast(pl.Int8)
    )


def _confirmation() -> pl.Expr:
    level, after = pl.col("level"), pl.col("next")
    return (
        pl.when(_stands_alone())
        .then(pl.lit("Y"))
        .when(level.is_null() | (level == NE) | (level == SD))
        .then(None)
        .when((level == PD) & (after == PD))
        .then(pl.lit("Y"))
        .when(pl.col("is_open"))
        .then(pl.lit("U"))
        .when((level >= MR) & (after >= level))
        .then(pl.lit("Y"))
        .otherwise(pl.lit("N"))
    )


def best_of_lines(frame: pl.DataFrame) -> pl.DataFrame:
    """The best response of each line: until its first progression and the next line, both included.

    Args:
        frame: as `confirm` gives it.

    Returns:
        Columns `BEST`, one row per patient and line with an assessment after the baseline: `kind`,
        `n_assessments`, `best` with `best_on`, `best_confirmed` with `best_confirmed_on`, `pd_on`
        and `confirmed_pd_on` (first). NE only where nothing else was found; PD where nothing but
        PD and NE was.
    """
    day, level, confirmed = pl.col("assessed_on"), pl.col("level"), pl.col("confirmed_level")
    in_line = pl.col("is_after") & ~(day > pl.col("next_line_on")).fill_null(False)
    progressed = (level == PD).fill_null(False).cast(pl.Int8)
    frame = accumulate(frame.with_columns(progressed=progressed), ["progressed"], pl.max_horizontal)
    window = in_line & (earlier(pl.col("progressed")).fill_null(0) == 0)
    frame = frame.with_columns(
        best=pl.when(window).then(_ranked(level)),
        best_confirmed=pl.when(in_line).then(_ranked(confirmed)),
        pd_on=pl.when(level == PD).then(day),
        confirmed_pd_on=pl.when(confirmed == PD).then(day),
        first_place=pl.when("is_after").then("place"),
    )
    frame = accumulate(frame, ["best", "best_confirmed"], pl.max_horizontal)
    frame = accumulate(frame, ["pd_on", "confirmed_pd_on", "first_place"], pl.min_horizontal)
    found = frame.filter((pl.col("left") == 0) & pl.col("first_place").is_not_null())
    days = frame["assessed_on"]
    return found.select(
        "patient_id",
        "line_number",
        "kind",
        (pl.col("place") - pl.col("first_place") + 1).cast(pl.Int32).alias("n_assessments"),
        named(pl.col("best") // _PLACES).alias("best"),
        days.gather(found.select(_row_of("best")).to_series()).alias("best_on"),
        named(pl.col("best_confirmed") // _PLACES).alias("best_confirmed"),
        days.gather(found.select(_row_of("best_confirmed")).to_series()).alias("best_confirmed_on"),
        "pd_on",
        "confirmed_pd_on",
    )


def named(level: pl.Expr) -> pl.Expr:
    """Levels as categories."""
    return pl.lit(_NAMES).gather(level.cast(pl.UInt32))


def _ranked(level: pl.Expr) -> pl.Expr:
    """Level and place in one number, the deeper first and of these the earlier."""
    return level.cast(pl.Int64) * _PLACES + (_PLACES - 1 - pl.col("place"))


def _row_of(ranked: str) -> pl.Expr:
    """The row of the frame that a number of `_ranked` was made for."""
    place = _PLACES - 1 - pl.col(ranked) % _PLACES
    return (pl.col("row") - pl.col("place") + place).cast(pl.UInt32)
