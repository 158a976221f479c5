"""The salvage group of a set of drugs: talquetamab, teclistamab, IMiD/PI/CD38 or other."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import polars as pl

DRUGS = Path(__file__).parents[2] / "schemas" / "vocabularies" / "drugs.csv"
NO_ANTIMYELOMA = "NO_ANTIMYELOMA"

_BACKBONES = ("IMiD", "PI", "CD38", "CELMoD")
_NOVEL_PARTNERS = ("XPO1 inhibitor", "BCL2 inhibitor", "HDAC inhibitor", "protease inhibitor (HIV)")
_DECIDED_PARTNERS = ("XPO1 inhibitor", "BCL2 inhibitor")  # those that the study may move
_TARGETED = ("XPO1 inhibitor", "BCL2 inhibitor", "HDAC inhibitor")


class SalvageSettings(Protocol):
    """The decisions of the study that the groups rest on."""

    @property
    def dual_bispecific(self) -> str:
        """Group of two bispecifics in one line: OTHER, TALQ or TEC."""

    @property
    def celmod_group(self) -> str:
        """Group of a CELMoD without another backbone: IPC or OTHER."""

    @property
    def novel_partner_group(self) -> str:
        """Group of another backbone with selinexor or venetoclax: IPC or OTHER."""


@dataclass(frozen=True, slots=True)
class DefaultSettings:
    """The defaults of dossier section 0.3."""

    dual_bispecific: str = "OTHER"
    celmod_group: str = "IPC"
    novel_partner_group: str = "IPC"


@dataclass(frozen=True, slots=True)
class Drug:
    """What the groups need to know of a drug: see the columns of `drugs.csv`."""

    effect: str
    drug_class: str
    counts_as: str


@dataclass(frozen=True, slots=True)
class Group:
    """Where a set of drugs belongs."""

    group: str | None
    subgroup: str | None = None
    flags: tuple[str, ...] = ()


@cache
def load_drugs() -> Mapping[str, Drug]:
    """Drug id → effect on the group, class and what it counts as."""
    with DRUGS.open(encoding="utf-8", newline="") as file:
        return MappingProxyType(
            {
                row["drug_id"]: Drug(row["group4_effect"], row["class"], row["counts_as"])
                for row in csv.DictReader(file)
            }
        )


def salvage_groups(
    drug_sets: Sequence[Iterable[str] | None], settings: SalvageSettings | None = None
) -> pl.DataFrame:
    """The group of each set of drugs.

    Args:
        drug_sets: Drug ids of a line; call it with distinct sets. None: not known.
        settings: `dual_bispecific`, `celmod_group` and `novel_partner_group` of the study.

    Returns:
        One row per set in order: `group` (TALQ, TEC, IPC, OTHER; NO_ANTIMYELOMA for supportive
        drugs and lymphodepletion alone; null where a drug is not known), `subgroup` (of OTHER),
        `flags` (list, sorted: Q_ asks the center, W_ warns, I_ informs, BITEFL, ANYBISPFL),
        `any_bispecific`.

    Source:
        Dossier section 4.3: the first matching rule wins.
    """
    chosen = settings or DefaultSettings()
    groups = [_group(frozenset(drugs) if drugs else frozenset(), chosen) for drugs in drug_sets]
    return pl.DataFrame(
        {
            "group": [group.group for group in groups],
            "subgroup": [group.subgroup for group in groups],
            "flags": [sorted(group.flags) for group in groups],
            "any_bispecific": ["ANYBISPFL" in group.flags for group in groups],
        },
        schema={
            "group": pl.String(),
            "subgroup": pl.String(),
            "flags": pl.List(pl.String()),
            "any_bispecific": pl.Boolean(),
        },
    )


def antimyeloma(drugs: frozenset[str]) -> frozenset[str]:
    """The drugs without supportive ones, boosts and lymphodepletion."""
    known = load_drugs()
    kept = {drug for drug in drugs if known[drug].effect != "NONE"}
    if "fludarabine" in kept:
        kept -= {"fludarabine", "cyclophosphamide"}
    return frozenset(kept)


def _group(drugs: frozenset[str], settings: SalvageSettings) -> Group:
    known = load_drugs()
    if not drugs or not drugs <= known.keys():
        return Group(None, None, ("Q_UNKNOWN_DRUG",))
    kept = antimyeloma(drugs)
    steroids = {drug for drug in kept if known[drug].effect == "STEROID"}
    if not kept or ("fludarabine" in drugs and kept == steroids):
        lymphodepletion = "fludarabine" in drugs
        flag = "Q_LD_NOT_A_LINE" if lymphodepletion else "Q_NOT_A_LINE"
        return Group(NO_ANTIMYELOMA, None, (flag,))
    active = kept - steroids - {"radiotherapy"}
    bridge = ("I_RT_BRIDGE",) if active and "radiotherapy" in kept else ()
    found = (
        _cellular_or_bispecific(kept, active, settings)
        or _other_by_agent(active)
        or _by_backbone(active, settings)
        or _remaining(active, kept)
    )
    return Group(found.group, found.subgroup, (*found.flags, *bridge))


def with_effect(drugs: Iterable[str], *effects: str) -> set[str]:
    """The drugs whose `group4_effect` is one of these."""
    return {drug for drug in drugs if load_drugs()[drug].effect in effects}


def of_class(drugs: Iterable[str], *classes: str) -> set[str]:
    """The drugs whose `class` is one of these."""
    return {drug for drug in drugs if load_drugs()[drug].drug_class in classes}


def _cellular_or_bispecific(
    kept: frozenset[str], active: frozenset[str], settings: SalvageSettings
) -> Group | None:
    """Rules 1 to 5: a second CAR-T, two bispecifics, talquetamab, teclistamab, another bispecific."""
    bispecifics = of_class(kept, "bispecific", "trispecific")
    any_flag = ("ANYBISPFL",) if bispecifics else ()
    if with_effect(kept, "CART"):
        return Group("OTHER", "CART_RETREAT", ("Q_CONFIRM_SECOND_CART", *any_flag))
    if len(bispecifics) > 1:
        wanted = settings.dual_bispecific
        flags = ("Q_DUAL_BISPECIFIC", "ANYBISPFL")
        if wanted != "OTHER" and with_effect(bispecifics, wanted):
            return Group(wanted, None, (*flags, "BITEFL"))
        return Group("OTHER", "DUAL_BISPECIFIC", flags)
    for group in ("TALQ", "TEC"):
        if with_effect(kept, group):
            combined = ("W_COMBO",) if active - bispecifics else ()
            return Group(group, None, ("BITEFL", "ANYBISPFL", *combined))
    if bispecifics:
        return Group("OTHER", "BISP_OTHER", ("ANYBISPFL",))
    return None


def _other_by_agent(active: frozenset[str]) -> Group | None:
    """Rules 6 to 9: trial drug, transplant, antibody-drug conjugate, intensive chemotherapy."""
    known = load_drugs()
    novel = {drug for drug in active if known[drug].counts_as in _BACKBONES}
    if with_effect(active, "OTHER_QUERY"):
        return Group("OTHER", "TRIAL", ("Q_TRIAL",))
    if any(known[drug].counts_as == "SCT" for drug in active):
        return Group("OTHER", "SCT")
    if of_class(active, "ADC"):
        return Group("OTHER", "ADC", ("W_MIXED_BACKBONE",) if novel else ())
    if len(with_effect(active, "CYTOTOXIC", "CYTOTOXIC_LD")) > 1:
        return Group("OTHER", "CHEMO", ("W_CHEMO_PLUS_NOVEL",) if novel else ())
    return None


def _by_backbone(active: frozenset[str], settings: SalvageSettings) -> Group | None:
    """Rule 10: an IMiD, proteasome inhibitor, anti-CD38 antibody or CELMoD with any partner."""
    known = load_drugs()
    classes = {known[drug].counts_as for drug in active} & set(_BACKBONES)
    if not classes:
        return None
    flags = ["I_SINGLE_CLASS"] if len(classes) == 1 else []
    if of_class(active, *_NOVEL_PARTNERS):
        flags.append("W_NOVEL_PARTNER")
    if of_class(active, "anthracycline"):
        flags.append("W_CYTOTOXIC_PARTNER")
    if classes == {"CELMoD"}:
        flags.append("W_CELMOD")
        if settings.celmod_group == "OTHER":
            return Group("OTHER", "OTHER", tuple(flags))
    if settings.novel_partner_group == "OTHER" and of_class(active, *_DECIDED_PARTNERS):
        return Group("OTHER", "TARGETED", tuple(flags))
    return Group("IPC", None, tuple(flags))


def _remaining(active: frozenset[str], kept: frozenset[str]) -> Group:
    """Rule 11: what has no backbone."""
    if with_effect(active, "CYTOTOXIC", "CYTOTOXIC_LD"):
        return Group("OTHER", "CHEMO")
    if of_class(active, *_TARGETED) or {load_drugs()[drug].counts_as for drug in active} & {
        "TARGETED"
    }:
        return Group("OTHER", "TARGETED")
    if of_class(active, "anti-SLAMF7"):
        return Group("OTHER", "SLAMF7")
    if active:
        return Group("OTHER", "OTHER", ("Q_OTHER_DRUG",))
    if "radiotherapy" in kept:
        return Group("OTHER", "RT")
    return Group("OTHER", "STEROID", ("W_STEROID_ONLY",))
