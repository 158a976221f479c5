"""What each test says by itself: a level per element, null where it is missing.

Levels: 7 sCR, 6 CR, 5 VGPR, 4 PR, 3 MR, 2 SD, 1 PD, 0 not evaluable. An element that cannot hold a
response back has the level of CR; an element with a value that forbids CR only, the level of VGPR.
"""

from __future__ import annotations

import polars as pl

from transforms.derive.imwg.criteria import Criteria
from transforms.derive.imwg.frame import TOLERANCE

SCR, CR, VGPR, PR, MR, SD, PD, NE = 7, 6, 5, 4, 3, 2, 1, 0
NAMES = {SCR: "sCR", CR: "CR", VGPR: "VGPR", PR: "PR", MR: "MR", SD: "SD", PD: "PD", NE: "NE"}


def measurable(criteria: Criteria) -> list[pl.Expr]:
    """`serum_ok`, `urine_ok`, `flc_ok`: measurable at baseline (null: not known); `kind`.

    `kind` is SERUM, URINE, SERUM_URINE, FLC, MARROW, NONE or UNKNOWN. A lower rung of the ladder is
    taken only where every rung above is known not to be measurable.
    """
    limits = criteria.measurable
    serum = at_least("base_serum", limits["serum"])
    urine = at_least("base_urine", limits["urine"])
    involved = pl.when(pl.col("involved") == "KAPPA").then("base_kappa").otherwise("base_lambda")
    many = involved >= limits["flc_involved"] - TOLERANCE
    both_few = pl.max_horizontal("base_kappa", "base_lambda") < limits["flc_involved"] - TOLERANCE
    normal = _normal("base_ratio", criteria)
    flc = (
        pl.when(pl.col("base_kappa").is_null())
        .then(None)
        .when(normal | both_few)
        .then(pl.lit(False))
        .when(pl.col("involved").is_not_null() & ~many)
        .then(pl.lit(False))
        .when(pl.col("involved").is_not_null() & ~normal)
        .then(pl.lit(True))
    )
    marrow = at_least("base_marrow", limits["marrow"])
    kind = (
        pl.when(serum & urine)
        .then(pl.lit("SERUM_URINE"))
        .when(serum)
        .then(pl.lit("SERUM"))
        .when(urine)
        .then(pl.lit("URINE"))
        .when(serum.is_null() | urine.is_null() | flc.is_null())
        .then(pl.lit("UNKNOWN"))
        .when(flc)
        .then(pl.lit("FLC"))
        .when(marrow)
        .then(pl.lit("MARROW"))
        .when(marrow.is_null())
        .then(pl.lit("UNKNOWN"))
        .otherwise(pl.lit("NONE"))
    )
    return [
        serum.alias("serum_ok"),
        urine.alias("urine_ok"),
        flc.alias("flc_ok"),
        kind.alias("kind"),
    ]


def element_levels(criteria: Criteria) -> list[pl.Expr]:
    """Columns `at_serum`, `at_urine`, `at_flc`, `at_marrow`, `at_few_cells`, `at_plasmacytoma`.

    Also `at_fixation`, `ratio_normal`, and `lacks_*` for what is decisive and cannot be judged.
    """
    return [
        _serum(criteria).cast(pl.Int8).alias("at_serum"),
        _urine(criteria).cast(pl.Int8).alias("at_urine"),
        _flc(criteria).cast(pl.Int8).alias("at_flc"),
        _marrow(criteria).cast(pl.Int8).alias("at_marrow"),
        _few_cells(criteria).cast(pl.Int8).alias("at_few_cells"),
        _plasmacytoma(criteria).cast(pl.Int8).alias("at_plasmacytoma"),
        _fixation().cast(pl.Int8).alias("at_fixation"),
        _serum(criteria).is_null().alias("lacks_serum"),
        _lacks_urine(criteria).alias("lacks_urine"),
        _lacks_little_urine(criteria).alias("lacks_little_urine"),
        _lacks_plasmacytoma().alias("lacks_plasmacytoma"),
        _normal("ratio", criteria).alias("ratio_normal"),
    ]


def at_least(name: str, limit: float) -> pl.Expr:
    """The column reaches the limit; null where it is not known."""
    return pl.col(name) >= limit - TOLERANCE


def reduced(name: str, percent: float) -> pl.Expr:
    """The value fell by at least so many percent of its baseline, which must be above 0."""
    base = pl.col(f"base_{name}")
    return (base > 0) & (pl.col(name) <= base * (1 - percent / 100) + TOLERANCE)


def _normal(name: str, criteria: Criteria) -> pl.Expr:
    low, high = criteria.flc_ratio["low"], criteria.flc_ratio["high"]
    return pl.col(name).is_between(low - TOLERANCE, high + TOLERANCE)


def _not_seen(fluid: str) -> pl.Expr:
    """Negative on immunofixation, and no measured value that contradicts it."""
    return (pl.col(f"ife_{fluid}") == "NEGATIVE") & (pl.col(fluid) == 0)


def _fixation() -> pl.Expr:
    """CR if no M-protein is seen in both fluids, VGPR if one is or may be seen, null if not known.

    A measured value of 0 without immunofixation shows at most VGPR. Where only marrow is measurable,
    what is not known does not matter; a protein that is seen forbids complete response.
    """
    seen = pl.any_horizontal(
        ((pl.col(f"ife_{fluid}") == "POSITIVE") | (pl.col(fluid) > 0)).fill_null(False)
        for fluid in ("serum", "urine")
    )
    negative = [_not_seen(fluid).fill_null(False) for fluid in ("serum", "urine")]
    unknown = [pl.col(fluid).is_null() for fluid in ("serum", "urine")]
    return (
        pl.when(seen)
        .then(VGPR)
        .when((pl.col("kind") == "MARROW") | pl.all_horizontal(negative))
        .then(CR)
        .when(~pl.any_horizontal(~n & ~u for n, u in zip(negative, unknown, strict=True)))
        .then(None)
        .otherwise(VGPR)
    )


def _serum(criteria: Criteria) -> pl.Expr:
    fall = criteria.reduction
    return (
        pl.when(_not_seen("serum"))
        .then(CR)
        .when(~pl.col("serum_ok"))
        .then(pl.when(pl.col("serum").is_null()).then(CR).otherwise(VGPR))
        .when(pl.col("serum").is_null())
        .then(None)
        .when(pl.col("serum_ok").is_null())
        .then(pl.when(pl.col("serum") == 0).then(VGPR))
        .when(reduced("serum", fall["serum_vgpr"]))
        .then(VGPR)
        .when(reduced("serum", fall["serum_pr"]))
        .then(PR)
        .when(reduced("serum", fall["serum_mr"]))
        .then(MR)
        .otherwise(SD)
    )


def _urine(criteria: Criteria) -> pl.Expr:
    fall, below = criteria.reduction, criteria.below
    urine = pl.col("urine")
    return (
        pl.when(_not_seen("urine"))
        .then(CR)
        .when(urine < below["urine_vgpr"] - TOLERANCE)
        .then(VGPR)
        .when(urine < below["urine_pr"] - TOLERANCE)
        .then(PR)
        .when(urine.is_null())
        # Not measurable before and not repeated: nothing to hold partial response back.
        .then(pl.when(~pl.col("urine_ok")).then(CR))
        .when(pl.col("urine_ok").is_null())
        .then(PR)  # at most; how far it fell is missing
        .when(pl.col("urine_ok") & reduced("urine", fall["urine_pr"]))
        .then(PR)
        .when(pl.col("urine_ok") & reduced("urine", fall["urine_mr"]))
        .then(MR)
        .otherwise(SD)
    )


def _flc(criteria: Criteria) -> pl.Expr:
    fall = criteria.reduction
    return (
        pl.when(pl.col("dflc").is_null() | ~(pl.col("base_dflc") > 0).fill_null(False))
        .then(None)
        .when(reduced("dflc", fall["flc_vgpr"]))
        .then(VGPR)
        .when(reduced("dflc", fall["flc_pr"]))
        .then(PR)
        .otherwise(SD)
    )


def _marrow(criteria: Criteria) -> pl.Expr:
    return (
        pl.when(pl.col("marrow").is_null() | pl.col("base_marrow").is_null())
        .then(None)
        .when(reduced("marrow", criteria.reduction["marrow_pr"]))
        .then(PR)
        .otherwise(SD)
    )


def _few_cells(criteria: Criteria) -> pl.Expr:
    """CR with fewer plasma cells in the marrow than the limit, VGPR with more."""
    return (
        pl.when(pl.col("marrow_known") < criteria.below["marrow_cr"] - TOLERANCE)
        .then(CR)
        .when(pl.col("marrow_known").is_not_null())
        .then(VGPR)
    )


def _plasmacytoma(criteria: Criteria) -> pl.Expr:
    size, base = pl.col("plasmacytoma_known"), pl.col("base_plasmacytoma_spd")
    left = base * (1 - criteria.reduction["plasmacytoma"] / 100) + TOLERANCE
    return (
        pl.when(size == 0)
        .then(CR)
        .when(size.is_null())
        .then(pl.when(~pl.col("has_plasmacytoma")).then(CR))
        .when(base.is_null())
        .then(VGPR)  # at most; how far it shrank is missing
        .when((base > 0) & (size <= left))
        .then(VGPR)
        .otherwise(SD)
    )


def _lacks_urine(criteria: Criteria) -> pl.Expr:
    """No urine value where one is needed, or one that only a reduction could judge."""
    high = pl.col("urine") >= criteria.below["urine_pr"] - TOLERANCE
    return _urine(criteria).is_null() | (pl.col("urine_ok").is_null() & high).fill_null(False)


def _lacks_little_urine(criteria: Criteria) -> pl.Expr:
    """Not repeated, and not low enough at baseline for very good partial response."""
    base = pl.col("base_urine") >= criteria.below["urine_vgpr"] - TOLERANCE
    return (pl.col("urine").is_null() & ~pl.col("urine_ok") & base).fill_null(False)


def _lacks_plasmacytoma() -> pl.Expr:
    size, base = pl.col("plasmacytoma_known"), pl.col("base_plasmacytoma_spd")
    unseen = size.is_null() & pl.col("has_plasmacytoma")
    unmeasured_before = (size > 0).fill_null(False) & base.is_null()
    return unseen | unmeasured_before
