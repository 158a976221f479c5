"""The first salvage under each alternative of the study's decisions, to show what hangs on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

from transforms.derive.lines import find_first_salvage, windows_alike
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
_HEAD = pl.Schema(list(ALTERNATIVE_GROUP.items())[:4])


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
    values = [*_values(settings)]
    windows = [int(value) for setting, value, _ in values if setting == "bridge_days"]
    alike = windows_alike(lines, settings, windows)
    by_window = {alike[settings.bridge_days]: first}
    # The values under which the first salvages are the same, with the frame of them.
    same: dict[int, tuple[pl.DataFrame, list[tuple[str, str, int, bool]]]] = {}
    for position, (setting, value, chosen) in enumerate(values, start=1):
        other = settings.model_copy(update={setting: value})
        # time_zero moves the start of the clock to the bridge, never the line or its group.
        if chosen or setting == "time_zero":
            found = first
        elif setting in REGROUPING:
            found = _regrouped(first, settings, other)
        else:
            key = alike[int(value)]
            if key not in by_window:
                by_window[key] = find_first_salvage(lines, progressions, other)
            found = by_window[key]
        same.setdefault(id(found), (found, []))[1].append((setting, str(value), position, chosen))
    return pl.concat(
        pl.DataFrame(heads, schema=_HEAD, orient="row").join(
            found.select(name for name in ALTERNATIVE_GROUP if name not in _HEAD), how="cross"
        )
        for found, heads in same.values()
    ).sort("position", maintain_order=True)


def _values(settings: Settings) -> Iterator[tuple[str, str | int, bool]]:
    """Each setting with its alternatives and the study's own value, which need not be among them."""
    for setting, alternatives in ALTERNATIVES.items():
        own = getattr(settings, setting)
        values = [*alternatives, *([own] if own not in alternatives else [])]
        for value in sorted(values) if setting == "bridge_days" else values:
            yield setting, value, value == own


def _regrouped(first: pl.DataFrame, settings: Settings, other: Settings) -> pl.DataFrame:
    """The same lines with the groups of other settings, found once per distinct set of drugs.

    Where no group is another one it is the very same frame.
    """
    distinct = first["drugs"].drop_nulls().unique().sort()
    sets = [text.split("|") for text in distinct]
    groups = salvage_groups(sets, other)["group"]
    if groups.equals(salvage_groups(sets, settings)["group"]):
        return first
    renamed = pl.DataFrame({"drugs": distinct, "salvage_group": groups})
    return first.drop("salvage_group").join(renamed, on="drugs", how="left")
