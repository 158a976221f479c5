"""The first salvage under each alternative of the study's decisions, to show what hangs on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

from transforms.derive.lines import find_first_salvage
from transforms.derive.salvage import salvage_groups

if TYPE_CHECKING:
    from schemas.spec.study import Settings

# Setting → its alternatives. Those of `REGROUPING` only name another group for the same line.
ALTERNATIVES: Mapping[str, tuple[str | int, ...]] = MappingProxyType(
    {
        "dual_bispecific": ("OTHER", "TALQ", "TEC"),
        "celmod_group": ("IPC", "OTHER"),
        "novel_partner_group": ("IPC", "OTHER"),
        "bridge_days": (0, 14, 30, 60),
        "time_zero": ("systemic", "bridge"),
    }
)
REGROUPING = frozenset({"dual_bispecific", "celmod_group", "novel_partner_group"})

ALTERNATIVE_GROUP = pl.Schema(
    {
        "setting": pl.String(),
        "value": pl.String(),
        "position": pl.Int32(),
        "is_chosen": pl.Boolean(),
        "usubjid": pl.String(),
        "start_date": pl.Date(),
        "start_flag": pl.String(),
        "salvage_group": pl.String(),
    }
)


def alternative_groups(
    lines: pl.DataFrame,
    progressions: pl.DataFrame,
    first: pl.DataFrame,
    settings: Settings,
) -> pl.DataFrame:
    """The first salvage of each patient under each value of each setting that can move a group.

    Args:
        lines: As for `find_first_salvage`.
        progressions: As for `find_first_salvage`.
        first: What `find_first_salvage` gave under the study's settings.
        settings: The study's settings; all but the one in question stay as they are.

    Returns:
        Columns `ALTERNATIVE_GROUP`: one row per setting, value and patient with a salvage line.
        `position` counts the values of all settings; `is_chosen` marks the study's own value.

    Source:
        Dossier 0.3 and the last sentence of 4.3.
    """
    frames = []
    for position, (setting, value, chosen) in enumerate(_values(settings), start=1):
        # time_zero moves the start of the clock to the bridge, never the line or its group.
        if chosen or setting == "time_zero":
            found = first
        elif setting in REGROUPING:
            found = _regrouped(first, settings.model_copy(update={setting: value}))
        else:
            found = find_first_salvage(
                lines, progressions, settings.model_copy(update={setting: value})
            )
        frames.append(
            found.select(
                pl.lit(setting).alias("setting"),
                pl.lit(str(value)).alias("value"),
                pl.lit(position, pl.Int32).alias("position"),
                pl.lit(chosen).alias("is_chosen"),
                "usubjid",
                "start_date",
                "start_flag",
                "salvage_group",
            )
        )
    return pl.concat(frames).select(
        pl.col(name).cast(dtype) for name, dtype in ALTERNATIVE_GROUP.items()
    )


def _values(settings: Settings) -> Iterator[tuple[str, str | int, bool]]:
    """Each setting with its alternatives and the study's own value, which need not be among them."""
    for setting, alternatives in ALTERNATIVES.items():
        own = getattr(settings, setting)
        values = [*alternatives, *([own] if own not in alternatives else [])]
        for value in sorted(values) if setting == "bridge_days" else values:
            yield setting, value, value == own


def _regrouped(first: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """The same lines with the groups of other settings, found once per distinct set of drugs."""
    distinct = first.select(pl.col("drugs").drop_nulls().unique().sort())["drugs"]
    groups = salvage_groups([text.split("|") for text in distinct], settings)
    renamed = groups.select(distinct.alias("drugs"), salvage_group="group")
    return first.drop("salvage_group").join(renamed, on="drugs", how="left")
