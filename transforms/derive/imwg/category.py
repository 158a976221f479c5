"""Element levels → category: the lowest level decides, a missing element costs one level."""

from __future__ import annotations

import polars as pl

from transforms.derive.imwg.levels import CR, MR, NE, PD, PR, SCR, SD, VGPR
from transforms.derive.imwg.progression import BASES

# One level down, per ladder; below SD nothing can be said.
_DOWN = {
    "protein": {CR: VGPR, VGPR: PR, PR: MR, MR: SD, SD: NE},
    "flc": {CR: VGPR, VGPR: PR, PR: SD, SD: NE},
    "marrow": {CR: PR, PR: SD, SD: NE},
}
_PROTEIN = ("SERUM", "URINE", "SERUM_URINE")
KINDS = (*_PROTEIN, "FLC", "MARROW", "NONE", "UNKNOWN")
# Element, its level, the kinds of disease in which it counts; the measure of the disease goes first.
_ELEMENTS = (
    ("URINE", "at_urine", ("URINE",)),
    ("SERUM", "at_serum", ("PROTEIN",)),
    ("URINE", "at_urine", ("PROTEIN",)),
    ("FLC", "at_flc", ("FLC",)),
    ("MARROW", "at_marrow", ("MARROW",)),
    ("PLASMACYTOMA", "at_plasmacytoma", ("PROTEIN", "FLC", "MARROW")),
    ("MARROW_CELLS", "at_few_cells", ("PROTEIN", "FLC")),
    ("IMMUNOFIXATION", "at_fixation", ("PROTEIN", "FLC")),
)


def categorize(frame: pl.DataFrame, relapsed: bool) -> pl.DataFrame:
    """Adds `level`, `criterion`, `missing` and `pd_basis`.

    Args:
        frame: with the columns of `measurable`, `element_levels` and `progression`.
        relapsed: whether minimal response is a category; it is one in relapsed disease only.

    Returns:
        `level` (0 to 7, null for rows up to the baseline), `criterion` (the element that holds the
        level down, CR or SCR where all are met, BASELINE, or why nothing can be said: MISSING,
        CHAIN_SWITCHED, NOT_MEASURABLE, BASELINE_UNKNOWN), `missing` (decisive elements without a value, joined by
        |; the category is one level lower for them), `pd_basis` (joined by |).
    """
    if not relapsed:
        frame = frame.with_columns(
            pl.when(pl.col(name) == MR).then(SD).otherwise(name).cast(pl.Int8).alias(name)
            for name in ("at_serum", "at_urine")
        )
    frame = frame.with_columns(
        *((pl.col("kind") == kind).alias(f"is_{kind}") for kind in KINDS),
        pl.col("kind").is_in(_PROTEIN).alias("is_PROTEIN"),
    )
    frame = frame.with_columns(*_adjusted())
    frame = frame.with_columns(known=_lowest())
    frame = frame.with_columns(_missing().alias("missing"))
    level = _one_down(relapsed).cast(pl.Int8)
    frame = frame.with_columns(level=level)
    is_pd = pl.any_horizontal(f"pd_{basis}" for basis in BASES)
    stringent = (
        (pl.col("level") == CR)
        & pl.col("ratio_normal").fill_null(False)
        & (pl.col("clonal_known") == "NEGATIVE").fill_null(False)
    )
    frame = frame.with_columns(
        level=pl.when("is_after").then(
            pl.when(is_pd).then(PD).when(stringent).then(SCR).otherwise("level")
        ),
        pd_basis=pl.when(is_pd).then(
            pl.concat_str(
                (pl.when(f"pd_{basis}").then(pl.lit(basis)) for basis in BASES),
                separator="|",
                ignore_nulls=True,
            )
        ),
        missing=pl.when(pl.col("is_after") & ~is_pd & (pl.col("missing") != "")).then("missing"),
    )
    return frame.with_columns(_criterion().alias("criterion"))


def _is(*kinds: str) -> pl.Expr:
    return pl.any_horizontal(f"is_{kind}" for kind in kinds)


def _adjusted() -> list[pl.Expr]:
    """Light chains and marrow reach the level of CR by the criteria of CR, not by a reduction."""
    plasmacytoma_open = pl.col("at_plasmacytoma").is_null() | (pl.col("at_plasmacytoma") == CR)
    cells_open = pl.col("at_few_cells").is_null() | (pl.col("at_few_cells") == CR)
    by_flc = (
        (pl.col("at_fixation").is_null() | (pl.col("at_fixation") == CR))
        & pl.col("ratio_normal").fill_null(False)
        & plasmacytoma_open
        & cells_open
        & pl.col("at_flc").is_not_null()
    )
    few_now = (pl.col("at_few_cells") == CR) & pl.col("marrow").is_not_null()
    by_marrow = (
        few_now.fill_null(False)
        & (pl.col("at_fixation") == CR)
        & plasmacytoma_open
        & pl.col("at_marrow").is_not_null()
    )
    return [
        pl.when(by_flc).then(CR).otherwise("at_flc").cast(pl.Int8).alias("at_flc"),
        pl.when(by_marrow).then(CR).otherwise("at_marrow").cast(pl.Int8).alias("at_marrow"),
    ]


def _lowest() -> pl.Expr:
    """The level that the known elements allow; null where the measure of the disease is missing."""
    serum, urine = pl.col("at_serum"), pl.col("at_urine")
    protein_known = (pl.col("serum_ok") & serum.is_not_null()).fill_null(False) | (
        pl.col("urine_ok") & urine.is_not_null()
    ).fill_null(False)
    limits = ("at_plasmacytoma", "at_few_cells", "at_fixation")
    everything = (
        (pl.col("at_fixation") == CR)
        & (pl.col("at_few_cells") == CR)
        & (pl.col("at_plasmacytoma") == CR)
        & pl.col("ratio_normal")
    )
    return (
        pl.when(_is("PROTEIN"))
        .then(pl.when(protein_known).then(pl.min_horizontal("at_serum", "at_urine", *limits)))
        .when(_is("FLC"))
        .then(pl.when(pl.col("at_flc").is_not_null()).then(pl.min_horizontal("at_flc", *limits)))
        .when(_is("MARROW"))
        .then(
            pl.when(pl.col("at_marrow").is_not_null()).then(
                pl.min_horizontal("at_marrow", "at_plasmacytoma")
            )
        )
        .otherwise(pl.when(everything.fill_null(False)).then(CR))
    )


def _missing() -> pl.Expr:
    """Decisive elements without a value."""
    protein = _is("PROTEIN")
    judged = _is("PROTEIN", "FLC", "MARROW")
    complete = (pl.col("known") == CR).fill_null(False)
    elements = {
        "SERUM": protein & pl.col("lacks_serum"),
        "URINE": protein
        & (pl.col("lacks_urine") | (pl.col("lacks_little_urine") & (pl.col("known") >= VGPR))),
        "FLC": _is("FLC") & pl.col("at_flc").is_null(),
        "MARROW": _is("MARROW") & pl.col("at_marrow").is_null(),
        "IMMUNOFIXATION": complete
        & pl.col("at_fixation").is_null()
        & (_is("FLC") | (protein & ~pl.col("lacks_serum") & ~pl.col("lacks_urine"))),
        "MARROW_CELLS": _is("PROTEIN", "FLC") & complete & pl.col("at_few_cells").is_null(),
        "PLASMACYTOMA": (judged & pl.col("lacks_plasmacytoma"))
        | (_is("MARROW") & complete & pl.col("plasmacytoma_known").is_null()),
    }
    return pl.concat_str(
        (pl.when(lacks.fill_null(False)).then(pl.lit(name)) for name, lacks in elements.items()),
        separator="|",
        ignore_nulls=True,
    )


def _one_down(relapsed: bool) -> pl.Expr:
    def lowered(ladder: str) -> pl.Expr:
        steps = dict(_DOWN[ladder])
        if not relapsed and ladder == "protein":
            steps[PR] = SD
        return pl.col("known").replace_strict(steps, default=NE, return_dtype=pl.Int32)

    return (
        pl.when(pl.col("known").is_null())
        .then(NE)
        .when(pl.col("missing") == "")
        .then("known")
        .when(_is("FLC"))
        .then(lowered("flc"))
        .when(_is("MARROW"))
        .then(lowered("marrow"))
        .otherwise(lowered("protein"))
    )


def _criterion() -> pl.Expr:
    """The first element at the lowest level; for the other outcomes, what they rest on."""
    deciding = pl.coalesce(
        pl.when((pl.col(column) == pl.col("known")) & _is(*kinds)).then(pl.lit(name))
        for name, column, kinds in _ELEMENTS
    )
    return (
        pl.when(~pl.col("is_after"))
        .then(pl.lit("BASELINE"))
        .when(pl.col("level") == PD)
        .then(pl.coalesce(pl.when(f"pd_{basis}").then(pl.lit(basis)) for basis in BASES))
        .when(pl.col("level") == SCR)
        .then(pl.lit("SCR"))
        .when(pl.col("level") == CR)
        .then(pl.lit("CR"))
        .when(pl.col("known").is_not_null() & (pl.col("level") != NE))
        .then(deciding)
        .when(_is("UNKNOWN"))
        .then(pl.lit("BASELINE_UNKNOWN"))
        .when(_is("NONE"))
        .then(pl.lit("NOT_MEASURABLE"))
        .when(_is("FLC") & pl.col("switched"))
        .then(pl.lit("CHAIN_SWITCHED"))
        .otherwise(pl.lit("MISSING"))
    )
