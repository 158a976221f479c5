"""Progression: which tests show it at each assessment."""

from __future__ import annotations

import polars as pl

from transforms.derive.imwg.criteria import Criteria
from transforms.derive.imwg.frame import TOLERANCE

# In the order in which they are named; the first is the deciding one. The first three are biochemical.
BASES = ("SERUM", "URINE", "FLC", "MARROW", "IMAGING", "CLINICAL")


def progression(criteria: Criteria) -> list[pl.Expr]:
    """Columns `pd_<basis>` (Boolean, never null): the test shows progression over its nadir.

    Light chains count only where neither serum nor urine was measurable at baseline, marrow only
    where light chains were not either. Without an earlier value nothing has risen. A relative rise
    from a nadir near zero is met by itself, so the absolute one decides.

    Source:
        Dossier 1.3, items 1 to 5. A clinical progression, and one on imaging without measures, is
        taken from what the center gave as its basis.
    """
    rise = criteria.progression
    no_protein = ~pl.col("serum_ok") & ~pl.col("urine_ok")
    reported = pl.col("progression_basis")
    serum = (_rose("serum", rise["serum"]) & _relative("serum", criteria)) | (
        (pl.col("nadir_serum") >= rise["serum_high_nadir"] - TOLERANCE)
        & _rose("serum", rise["serum_high_rise"])
    )
    flc_rise = pl.col("dflc") - pl.col("nadir_dflc") > rise["flc"] + TOLERANCE
    found = {
        "SERUM": serum,
        "URINE": _rose("urine", rise["urine"]) & _relative("urine", criteria),
        "FLC": no_protein & flc_rise & _relative("dflc", criteria),
        "MARROW": no_protein
        & ~pl.col("flc_ok")
        & _rose("marrow", rise["marrow"])
        & _relative("marrow", criteria),
        "IMAGING": pl.col("new_lesion").fill_null(False)
        | _larger_lesions(criteria).fill_null(False)
        | (reported == "IMAGING").fill_null(False),
        "CLINICAL": reported == "CLINICAL",
    }
    return [
        (found[basis].fill_null(False) & pl.col("is_after")).alias(f"pd_{basis}") for basis in BASES
    ]


def _rose(name: str, least: float) -> pl.Expr:
    return pl.col(name) - pl.col(f"nadir_{name}") >= least - TOLERANCE


def _relative(name: str, criteria: Criteria) -> pl.Expr:
    nadir = pl.col(f"nadir_{name}")
    return pl.col(name) - nadir >= nadir * criteria.progression["relative"] / 100 - TOLERANCE


def _larger_lesions(criteria: Criteria) -> pl.Expr:
    """A lesion where none was, several lesions larger together, or one larger in diameter."""
    factor = 1 + criteria.progression["lesion"] / 100
    spd, lowest = pl.col("plasmacytoma_spd"), pl.col("nadir_plasmacytoma_spd")
    new = (lowest == 0) & (spd > 0)
    together = (pl.col("n_lesions") > 1) & (lowest > 0) & (spd >= lowest * factor - TOLERANCE)
    diameter, least = pl.col("lesion_diameter"), pl.col("nadir_lesion_diameter")
    one = (
        (pl.col("short_axis_before") > criteria.progression["lesion_short_axis"] + TOLERANCE)
        & (least > 0)
        & (diameter >= least * factor - TOLERANCE)
    )
    return new.fill_null(False) | together.fill_null(False) | one.fill_null(False)
