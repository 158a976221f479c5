"""Which line after CAR-T is the first salvage: bridges and double starts resolved."""

from __future__ import annotations

import polars as pl

from transforms.derive.salvage_group import (
    NO_ANTIMYELOMA,
    DefaultSettings,
    antimyeloma,
    load_drugs,
    of_class,
    salvage_groups,
    with_effect,
)

__all__ = ["NO_ANTIMYELOMA", "DefaultSettings", "first_salvage", "salvage_groups"]

DUAL_DAYS = 28  # rule SAL-03: started further apart, two bispecifics are two lines
_GAP = (pl.col("systemic_on") - pl.col("start_date")).dt.total_days()


def _bridge_flags(drugs: frozenset[str]) -> list[str] | None:
    """Which bridge a line can be: radiotherapy, steroids, one alkylator; None: it is systemic."""
    kept = antimyeloma(drugs)
    alkylators = of_class(kept, "alkylator")
    steroids = with_effect(kept, "STEROID")
    if len(alkylators) > 1 or kept - alkylators - steroids - {"radiotherapy"}:
        return None
    flags = ["I_RT_BRIDGE"] if "radiotherapy" in kept else []
    flags += ["I_ALKYLATOR_BRIDGE"] if alkylators else []
    return flags or ["I_STEROID_BRIDGE"]


def first_salvage(
    lines: pl.DataFrame, bridge_days: int = 30, progressions: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The line that is the first salvage of each patient, bridges and double starts resolved.

    A first line of radiotherapy, steroids or one alkylator alone is a bridge if the first systemic
    line starts within `bridge_days` of it and no progression lies between. Two bispecifics that
    started within 28 days of each other, the first not ended before, are one line. Lines of
    supportive drugs or lymphodepletion alone are no lines.

    Args:
        lines: `patient_id`, `line_number`, `start_date` (Date), `drugs` (list, or text joined by
            |); `end_date` if known.
        bridge_days: Longest time from the bridge's start to the systemic line's start.
        progressions: `patient_id`, `progression_date`.

    Returns:
        One row per patient with a salvage line: `patient_id`, `line_number`, `start_date`,
        `bridge_start_date`, `drugs` (list, sorted), `flags` (list), sorted by patient.

    Source:
        Dossier section 4.4; rules SAL-03 and SAL-05.
    """
    by_patient = _in_order(lines)
    first = by_patient.group_by("patient_id", maintain_order=True).first()
    bridged = _bridged(_with_systemic(first, by_patient), bridge_days, progressions)
    chosen = by_patient.join(
        first.select("patient_id", first_line="line_number", first_on="start_date"), on="patient_id"
    ).join(bridged, on="patient_id", how="left")
    is_chosen = pl.col("line_number") == pl.coalesce("systemic_line", "first_line")
    is_before = pl.col("line_number") < pl.col("systemic_line")
    bridge_flags = (
        chosen.filter(is_before)
        .select("patient_id", flag="bridge")
        .explode("flag")
        .group_by("patient_id")
        .agg(bridge_flags=pl.col("flag").unique().sort())
    )
    row = (
        chosen.filter(is_chosen)
        .unique("patient_id", keep="first", maintain_order=True)
        .join(bridge_flags, on="patient_id", how="left")
        .with_columns(
            bridge_start_date=pl.when(pl.col("systemic_line").is_not_null()).then("first_on"),
            flags=pl.col("bridge_flags").fill_null(pl.lit([], pl.List(pl.String()))),
        )
    )
    return _with_second_bispecific(row, by_patient).sort("patient_id")


def bridge_gaps(lines: pl.DataFrame) -> list[int]:
    """Days from each line that may be a bridge to its systemic line: what a bridging window decides.

    Args:
        lines: As for `first_salvage`.

    Returns:
        One number per patient whose first line can be a bridge, none below 0. Two windows that reach equally
        many of them give the same first salvages.
    """
    texts = lines["drugs"].drop_nulls().unique()
    known = load_drugs()
    if not any(_bridge_flags(frozenset(text.split("|")) & known.keys()) for text in texts):
        return []
    by_patient = _in_order(lines)
    first = by_patient.group_by("patient_id", maintain_order=True).first()
    pairs = _with_systemic(first, by_patient).filter(pl.col("bridge").is_not_null() & (_GAP >= 0))
    return pairs.select(_GAP).to_series().to_list()


def _in_order(lines: pl.DataFrame) -> pl.DataFrame:
    """The lines of therapy of each patient in order, with the columns of `_with_kinds`."""
    return (
        _with_kinds(lines)
        .filter(~pl.col("is_empty").fill_null(False))
        .sort("patient_id", "line_number", "start_date")
    )


def _with_systemic(first: pl.DataFrame, by_patient: pl.DataFrame) -> pl.DataFrame:
    """The first line of each patient beside the first one that is no possible bridge."""
    systemic = (
        by_patient.filter(pl.col("bridge").is_null())
        .group_by("patient_id", maintain_order=True)
        .first()
        .select("patient_id", systemic_line="line_number", systemic_on="start_date")
    )
    return first.join(systemic, on="patient_id", how="inner")


def _with_kinds(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines with `drugs` as list, `bridge` (flags, null if systemic), `bispecific`, `is_empty`."""
    frame = lines
    if frame.schema["drugs"] == pl.String:
        frame = frame.with_columns(pl.col("drugs").str.split("|"))
    if "end_date" not in frame.columns:
        frame = frame.with_columns(end_date=pl.lit(None, pl.Date))
    frame = frame.filter(pl.col("drugs").is_not_null()).with_columns(
        key=pl.col("drugs").list.sort().list.join("|")
    )
    keys = frame["key"].unique().sort()
    known = load_drugs()
    sets = [frozenset(key.split("|")) & known.keys() for key in keys]
    kinds = pl.DataFrame(
        {
            "key": keys,
            "bridge": [_bridge_flags(drugs) if drugs else None for drugs in sets],
            "bispecific": [sorted(of_class(drugs, "bispecific", "trispecific")) for drugs in sets],
            "is_empty": salvage_groups(sets).select(pl.col("group") == NO_ANTIMYELOMA).to_series(),
        },
        schema={
            "key": pl.String(),
            "bridge": pl.List(pl.String()),
            "bispecific": pl.List(pl.String()),
            "is_empty": pl.Boolean(),
        },
    )
    return frame.join(kinds, on="key", how="left", maintain_order="left")


def _bridged(
    pairs: pl.DataFrame, bridge_days: int, progressions: pl.DataFrame | None
) -> pl.DataFrame:
    """Patients whose first line is a bridge, with the systemic line it leads to."""
    found = pairs.filter(pl.col("bridge").is_not_null() & _GAP.is_between(0, bridge_days))
    if progressions is not None:
        between = (
            found.join(progressions, on="patient_id", how="inner")
            .filter(
                (pl.col("progression_date") > pl.col("start_date"))
                & (pl.col("progression_date") <= pl.col("systemic_on"))
            )
            .select("patient_id")
        )
        found = found.join(between, on="patient_id", how="anti")
    return found.select("patient_id", "systemic_line")


def _with_second_bispecific(row: pl.DataFrame, by_patient: pl.DataFrame) -> pl.DataFrame:
    """Adds the drugs of a second bispecific line that started within 28 days."""
    later = by_patient.select(
        "patient_id",
        next_line="line_number",
        next_on="start_date",
        next_drugs="drugs",
        next_bispecific="bispecific",
    )
    gap = (pl.col("next_on") - pl.col("start_date")).dt.total_days()
    together = (
        row.join(later, on="patient_id", how="inner")
        .filter(pl.col("next_line") > pl.col("line_number"))
        .sort("patient_id", "next_line")
        .unique("patient_id", keep="first", maintain_order=True)
        .filter(
            (pl.col("bispecific").list.len() > 0)
            & (pl.col("next_bispecific").list.set_difference("bispecific").list.len() > 0)
            & gap.is_between(0, DUAL_DAYS)
            & (pl.col("end_date").is_null() | (pl.col("end_date") > pl.col("next_on")))
        )
        .select("patient_id", "next_drugs")
    )
    merged = pl.col("next_drugs").is_not_null()
    union = pl.col("drugs").list.set_union(pl.col("next_drugs"))
    flagged = pl.concat_list("flags", pl.lit(["I_DUAL_MERGED"], pl.List(pl.String())))
    return row.join(together, on="patient_id", how="left").select(
        "patient_id",
        "line_number",
        "start_date",
        "bridge_start_date",
        drugs=pl.when(merged).then(union).otherwise("drugs").list.sort(),
        flags=pl.when(merged).then(flagged).otherwise("flags"),
    )
