"""What of a plan can be made from ADaM tables alone; what cannot is left out with a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from reports.displays.registry import MODULES
from schemas.spec.plan import names_of

if TYPE_CHECKING:
    from reports.displays.data import AnalysisData
    from schemas.spec.plan import AnyDisplay, Plan

# Kinds that need adsl and adtte only; the others read the lines, dates or deliveries of a warehouse.
FROM_TABLES = frozenset(
    ("baseline", "response", "survival", "forest", "model", "competing", "summary", "completeness")
)
# Keys that name what may be left out one by one, without the rest of the display.
LISTS = ("rows", "subgroups", "numbers", "shares", "variables", "medians")
# What a model shows beside itself only where a warehouse tells it.
FROM_WAREHOUSE = {"sensitivity": False, "time_dependent": False}
RESPONSES = ("CR", "VGPR", "PR", "LTPR")


def fitted(plan: Plan, data: AnalysisData) -> tuple[Plan, tuple[str, ...]]:
    """The plan without what the tables do not hold, and a sentence for each part that is left out."""
    absent = {
        name: f"adsl has no column '{column}'"
        for name, variable in plan.variables.items()
        if (column := variable.column or name) not in data.adsl.columns
    }
    present = set(data.adtte["PARAMCD"].unique().to_list())
    untimed = set(data.exclusion["PARAMCD"].unique().to_list())
    absent |= {
        name: f"adtte has no row of '{name}' with AVAL and CNSR"
        if name in untimed
        else f"adtte has no parameter '{name}'"
        for name in plan.endpoints
        if name not in present
    }
    displays: list[AnyDisplay] = []
    told: list[str] = []
    for display in plan.displays:
        why = _impossible(display, absent, data.adsl)
        if why:
            told.append(f"{display.id} is left out: {why}.")
            continue
        made, sentences = _reduced(display, absent)
        displays.append(made)
        told += sentences
    return plan.model_copy(update={"displays": tuple(displays)}), tuple(told)


def _impossible(display: AnyDisplay, absent: dict[str, str], adsl: pl.DataFrame) -> str:
    """Why a display cannot be made at all; empty if it can."""
    if display.kind not in FROM_TABLES & MODULES.keys():
        return "it is made from the warehouse of a study"
    if display.kind == "response":
        return _no_responses(adsl)
    needed = [name for key, name in names_of(display) if key not in (*LISTS, "replace")]
    lacking = [absent[name] for name in dict.fromkeys(needed) if name in absent]
    if lacking:
        return "; ".join(lacking)
    for key in LISTS:
        names = getattr(display, key, ())
        if names and all(name in absent for name in names) and _has_only(display, key):
            return f"the tables hold none of its {key}"
    return ""


def _has_only(display: AnyDisplay, key: str) -> bool:
    return not any(getattr(display, other, ()) for other in LISTS if other != key)


def _no_responses(adsl: pl.DataFrame) -> str:
    if "BESTRESP" not in adsl.columns:
        return "adsl has no column 'BESTRESP'"
    other = set(adsl["BESTRESP"].cast(pl.String).drop_nulls().unique()) - set(RESPONSES)
    return f"BESTRESP holds other codes than {', '.join(RESPONSES)}" if other else ""


def _reduced(display: AnyDisplay, absent: dict[str, str]) -> tuple[AnyDisplay, list[str]]:
    """The display without the rows that lack, and what was left out of it."""
    changes: dict[str, object] = {}
    told = []
    for key in LISTS:
        names = getattr(display, key, ())
        kept = tuple(name for name in names if name not in absent)
        if kept != tuple(names):
            changes[key] = kept
            told += [
                f"{display.id} without {name}: {absent[name]}." for name in names if name in absent
            ]
    replace = getattr(display, "replace", {})
    if any(name in absent for others in replace.values() for name in others):
        changes["replace"] = {
            term: kept
            for term, others in replace.items()
            if (kept := tuple(name for name in others if name not in absent))
        }
        lacking = [name for others in replace.values() for name in others if name in absent]
        told += [f"{display.id} without {name}: {absent[name]}." for name in lacking]
    for key, value in FROM_WAREHOUSE.items():
        if getattr(display, key, value) != value:
            changes[key] = value
            told.append(
                f"{display.id} without {key.replace('_', ' ')}: it is made from the warehouse of a study."
            )
    return display.model_copy(update=changes), told


def with_response_source(adsl: pl.DataFrame) -> pl.DataFrame:
    """Adsl with BESTRSRC, which tells missing responses from known ones."""
    if "BESTRESP" not in adsl.columns or "BESTRSRC" in adsl.columns:
        return adsl
    source = (
        pl.when(pl.col("BESTRESP").is_null()).then(pl.lit("MISSING")).otherwise(pl.lit("REPORTED"))
    )
    return adsl.with_columns(BESTRSRC=source)


def sentences_of(told: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Name and text of each sentence, as rows of METHODS."""
    for number, text in enumerate(told, start=1):
        yield f"left_out_{number}", text
