"""Lines after CAR-T → the first salvage of each patient, its group, and what followed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from transforms.derive.salvage import NO_ANTIMYELOMA, bridge_gaps, first_salvage, salvage_groups

if TYPE_CHECKING:
    from schemas.spec.study import Settings

FIRST_SALVAGE = pl.Schema(
    {
        "usubjid": pl.String(),
        "line_number": pl.Int32(),
        "start_date": pl.Date(),
        "start_flag": pl.String(),
        "bridge_start_date": pl.Date(),
        "drugs": pl.String(),
        "salvage_group": pl.String(),
        "salvage_subgroup": pl.String(),
        "any_bispecific": pl.Boolean(),
        "flags": pl.String(),
        "n_salvage": pl.Int32(),
        "next_line_on": pl.Date(),
        "next_line_flag": pl.String(),
        "next_line_number": pl.Int32(),
    }
)
SALVAGE_SEQUENCE = pl.Schema(
    {
        "usubjid": pl.String(),
        "salvage_number": pl.Int32(),
        "line_number": pl.Int32(),
        "start_date": pl.Date(),
        "start_flag": pl.String(),
        "drugs": pl.String(),
        "salvage_group": pl.String(),
        "salvage_subgroup": pl.String(),
    }
)


def find_first_salvage(
    lines: pl.DataFrame, progressions: pl.DataFrame, settings: Settings
) -> pl.DataFrame:
    """The first salvage line of each patient who had one.

    A line without any anti-myeloma agent is no salvage. Bridges (radiotherapy, a steroid pulse or one
    alkylator shortly before a systemic line) and two bispecifics started together are resolved by
    `transforms.derive.salvage`. Groups are found once per distinct set of drugs.

    Args:
        lines: `usubjid`, `line_number`, `start_date` (Date, imputed), `start_flag`, `end_date`,
            `drugs` (ids joined by |), `bridge_start_date` as reported; any order.
        progressions: `patient_id`, `progression_date`; one between a bridge and the systemic line
            makes the bridge a line of its own.
        settings: Bridging window, group of two bispecifics, group of CELMoDs.

    Returns:
        Columns `FIRST_SALVAGE`, one row per patient, sorted by `usubjid`. `n_salvage` counts the
        first salvage and every anti-myeloma line after it; `next_line_on` is the start of the second,
        `next_line_flag` says which part of it was imputed.

    Source:
        Dossier 4.3 and 4.4.
    """
    salvage = _with_groups(lines, settings).filter(pl.col("salvage_group") != NO_ANTIMYELOMA)
    if salvage.is_empty():
        return pl.DataFrame(schema=FIRST_SALVAGE)
    chosen = first_salvage(_to_choose_from(salvage), settings.bridge_days, progressions)
    first = _with_groups(
        chosen.select(
            "line_number",
            "start_date",
            usubjid="patient_id",
            bridge_derived="bridge_start_date",
            drugs=_joined("drugs"),
            timing_flags=_joined("flags"),
            is_merged=pl.col("flags").list.contains("I_DUAL_MERGED"),
        ),
        settings,
    )
    reported = lines.select("usubjid", "line_number", "start_flag", "bridge_start_date")
    found = (
        first.join(reported, on=["usubjid", "line_number"], how="left")
        .join(_what_followed(salvage, first), on="usubjid", how="left")
        .with_columns(
            bridge_start_date=pl.coalesce("bridge_derived", "bridge_start_date"),
            flags=pl.concat_str("timing_flags", "flags", separator="|", ignore_nulls=True)
            .str.strip_chars("|")
            .replace("", None),
            n_salvage=1 + pl.col("n_after").fill_null(0),
        )
    )
    return found.select(pl.col(name).cast(dtype) for name, dtype in FIRST_SALVAGE.items()).sort(
        "usubjid"
    )


def windows_alike(
    lines: pl.DataFrame, settings: Settings, windows: Sequence[int]
) -> Mapping[int, int]:
    """Bridging window → a number that two windows share if they give the same first salvages.

    Args:
        lines: As for `find_first_salvage`.
        settings: As for `find_first_salvage`; its own window counts for nothing.
        windows: In days.
    """
    salvage = _with_groups(lines, settings).filter(pl.col("salvage_group") != NO_ANTIMYELOMA)
    gaps = bridge_gaps(_to_choose_from(salvage))
    return {days: sum(gap <= days for gap in gaps) for days in windows}


def finds_the_same(
    lines: pl.DataFrame, first: pl.DataFrame, settings: Settings, other: Settings
) -> bool:
    """Whether other settings find the same salvage lines in the same groups; it costs little to know.

    Args:
        lines: As for `find_first_salvage`.
        first: What it gave under `settings`; only `drugs` is read.
        settings: As for `find_first_salvage`.
        other: What is compared with them.
    """
    alike = windows_alike(lines, settings, (settings.bridge_days, other.bridge_days))
    if alike[settings.bridge_days] != alike[other.bridge_days]:
        return False
    # Those of two lines that are one stand in `first` only.
    distinct = pl.concat([lines["drugs"], first["drugs"]]).drop_nulls().unique().sort()
    sets = [text.split("|") for text in distinct]
    return salvage_groups(sets, settings).equals(salvage_groups(sets, other))


def _to_choose_from(salvage: pl.DataFrame) -> pl.DataFrame:
    return salvage.select(
        "line_number", "start_date", "end_date", "drugs", patient_id=pl.col("usubjid")
    )


def _with_groups(lines: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    distinct = lines.select(pl.col("drugs").drop_nulls().unique().sort())["drugs"]
    groups = salvage_groups([text.split("|") for text in distinct], settings)
    vocabulary = groups.select(
        distinct.alias("drugs"),
        "any_bispecific",
        salvage_group="group",
        salvage_subgroup="subgroup",
        flags=_joined("flags"),
    )
    return lines.join(vocabulary, on="drugs", how="left", maintain_order="left")


def _what_followed(salvage: pl.DataFrame, first: pl.DataFrame) -> pl.DataFrame:
    """Lines after the first salvage; the one merged into it (two bispecifics) is not after it."""
    return (
        _later(salvage, first)
        .group_by("usubjid", maintain_order=True)
        .agg(
            n_after=pl.len(),
            next_line_on=pl.col("start_date").first(),
            next_line_flag=pl.col("start_flag").first(),
            next_line_number=pl.col("line_number").first(),
        )
    )


def _later(salvage: pl.DataFrame, first: pl.DataFrame) -> pl.DataFrame:
    """The lines after the first salvage in order; `is_merged` tells that it is made of two."""
    chosen = first.select("usubjid", "is_merged", first_line="line_number")
    return (
        salvage.join(chosen, on="usubjid")
        .filter(pl.col("line_number") > pl.col("first_line"))
        .sort("usubjid", "line_number")
        .with_columns(place=pl.int_range(pl.len()).over("usubjid"))
        .filter(pl.col("place") >= pl.col("is_merged").cast(pl.Int64))
    )


def salvage_sequence(lines: pl.DataFrame, first: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """The first salvage and every anti-myeloma line after it, each with its group.

    Args:
        lines: As for `find_first_salvage`.
        first: What it gave for these lines.
        settings: As for `find_first_salvage`.

    Returns:
        Columns `SALVAGE_SEQUENCE`, `n_salvage` rows per patient, sorted by patient and line;
        `salvage_number` is 1 for the first salvage, whose drugs are those of both lines where two
        bispecifics were started together.
    """
    salvage = _with_groups(lines, settings).filter(pl.col("salvage_group") != NO_ANTIMYELOMA)
    marked = first.with_columns(
        is_merged=pl.col("flags").str.contains("I_DUAL_MERGED").fill_null(False)
    )
    columns = [name for name in SALVAGE_SEQUENCE if name != "salvage_number"]
    found = pl.concat(
        [first.select(columns), _later(salvage, marked).select(columns)], how="vertical_relaxed"
    )
    return (
        found.sort("usubjid", "line_number", maintain_order=True)
        .with_columns(salvage_number=pl.int_range(1, pl.len() + 1).over("usubjid"))
        .select(pl.col(name).cast(dtype) for name, dtype in SALVAGE_SEQUENCE.items())
    )


def _joined(name: str) -> pl.Expr:
    """A column of lists as text joined by |."""
    return pl.col(name).list.sort().list.join("|")
