"""Assessments as they come → sorted, with the line's baseline, nadirs and last known findings.

Every later step is an expression over columns of this frame; nothing looks at single patients.
"""

from __future__ import annotations

import polars as pl

from transforms.derive.imwg.criteria import Criteria
from transforms.derive.imwg.segments import accumulate, earlier, last_known, with_places

REQUIRED = ("patient_id", "line_number", "assessed_on")
NUMBERS = (
    "m_serum",
    "m_urine",
    "flc_kappa",
    "flc_lambda",
    "marrow",
    "plasmacytoma_spd",
    "n_lesions",
    "lesion_diameter",
    "lesion_short_axis",
)
CODES = ("involved_chain", "ife_serum", "ife_urine", "clonal_marrow", "progression_basis")
FLAGS = ("is_baseline", "marrow_by_flow", "new_lesion", "plasmacytoma_before")
DATES = ("line_start", "next_line_on")
TOLERANCE = 1e-7  # what units and binary fractions may add to a value that stands on a threshold

_BASELINES = ("serum", "urine", "marrow", "plasmacytoma_spd", "lesion_diameter")


def prepare(assessments: pl.DataFrame, criteria: Criteria) -> pl.DataFrame:
    """The frame that the levels are read from.

    Args:
        assessments: see `derive_response`.
        criteria: the normal ratio, and how the nadir is read.

    Returns:
        The dated rows sorted by line and date, with `index` (row of the input), `line` (0,
        1, ... per patient and line) and `is_after` (after the baseline). Per test: value, baseline
        (`base_*`) and lowest value before the row (`nadir_*`) of `serum`, `urine`, `dflc`,
        `marrow`, `plasmacytoma_spd`, `lesion_diameter`; `*_known` are the last findings since the
        baseline of what need not be repeated at each visit.

    Raises:
        ValueError: A required column is missing, or a patient has two rows of a line on one day.
    """
    frame = _with_lines(_complete(assessments))
    frame = frame.with_columns(_ratio(frame).alias("ratio"), *_effective())
    baselines = frame.group_by("line", maintain_order=True).agg(*_baseline_values())
    baselines = baselines.with_columns(_involved(criteria).alias("involved")).drop("given_chain")
    dflc = pl.col("base_kappa") - pl.col("base_lambda")
    baselines = baselines.with_columns(base_dflc=_directed(dflc))
    has = pl.col("has_plasmacytoma") | (pl.col("base_plasmacytoma_spd") > 0).fill_null(False)
    baselines = baselines.with_columns(has_plasmacytoma=has)
    # `line` counts 0, 1, ..., so a line's baseline is found by position.
    frame = frame.hstack(baselines.drop("line")[frame["line"]])
    frame = frame.with_columns(switched=_switched(criteria).fill_null(False))
    frame = frame.with_columns(
        dflc=pl.when(~pl.col("switched")).then(
            _directed(pl.col("flc_kappa") - pl.col("flc_lambda"))
        ),
    )
    return _with_nadirs(frame, criteria).with_columns(*_last_findings(criteria))


def require_columns(assessments: pl.DataFrame) -> None:
    """Refuses a frame without the columns that say whose row it is and of which day.

    Raises:
        ValueError: A required column is missing.
    """
    missing = [name for name in REQUIRED if name not in assessments.columns]
    if missing:
        raise ValueError(f"assessments lack the columns {', '.join(missing)}")


def _complete(assessments: pl.DataFrame) -> pl.DataFrame:
    """All columns in their types; a column that the caller has not is null; no NaN, no negatives."""
    require_columns(assessments)
    have = set(assessments.columns)

    def column(name: str, dtype: pl.DataType) -> pl.Expr:
        found = pl.col(name) if name in have else pl.lit(None)
        return found.cast(dtype).alias(name)

    number = pl.Float64()
    extra = [column("flc_ratio", number)] if "flc_ratio" in have else []
    frame = assessments.with_row_index("index").select(
        "index",
        pl.col("patient_id").cast(pl.String),
        pl.col("line_number").cast(pl.Int32),
        pl.col("assessed_on").cast(pl.Date),
        *(column(name, number) for name in NUMBERS),
        *(column(name, pl.String()) for name in CODES),
        *(column(name, pl.Boolean()) for name in FLAGS),
        *(column(name, pl.Date()) for name in DATES),
        *extra,
    )
    return frame.with_columns(
        pl.when(pl.col(name).is_finite() & (pl.col(name) >= 0)).then(pl.col(name)).alias(name)
        for name in NUMBERS
    )


def sort_lines(frame: pl.DataFrame) -> pl.DataFrame:
    """The dated rows by line and day; `line` counts patients and lines as they first appear.

    Raises:
        ValueError: A patient has two rows of a line on one day.
    """
    keys = list(REQUIRED[:2])
    frame = frame.filter(pl.col("assessed_on").is_not_null())
    lines = frame.select(keys).unique(maintain_order=True).with_row_index("line")
    frame = frame.join(lines, on=keys, how="left", nulls_equal=True, maintain_order="left")
    # One number per line and day sorts in a fraction of the time that names and dates take.
    number = pl.col("line").cast(pl.Int64) * 2**32 + pl.col("assessed_on").to_physical()
    frame = frame.with_columns(number=number).sort("number")
    if frame.select((pl.col("number") == pl.col("number").shift(1)).any()).item():
        raise ValueError("a patient has two rows of one line on one day: merge them first")
    return with_places(frame.drop("number"))


def _with_lines(frame: pl.DataFrame) -> pl.DataFrame:
    """Sorted rows, and whether each is after its line's baseline."""
    frame = sort_lines(frame)
    marked = pl.col("assessed_on").filter(pl.col("is_baseline")).max()
    before = pl.col("assessed_on").filter(pl.col("assessed_on") <= pl.col("line_start")).max()
    days = frame.group_by("line", maintain_order=True).agg(pl.coalesce(marked, before).alias("on"))
    on = days["on"].gather(frame["line"]).alias("baseline_on")
    return frame.with_columns(on).with_columns(
        is_after=pl.col("baseline_on").is_null() | (pl.col("assessed_on") > pl.col("baseline_on"))
    )


def _ratio(frame: pl.DataFrame) -> pl.Expr:
    """Kappa / lambda; null if one is not known or both are 0. A ratio of the caller's goes first."""
    if "flc_ratio" in frame.columns:
        given = pl.col("flc_ratio")
        return pl.when(~given.is_nan() & (given >= 0)).then(given)
    kappa, lambda_ = pl.col("flc_kappa"), pl.col("flc_lambda")
    return pl.when((kappa > 0) | (lambda_ > 0)).then(kappa / lambda_)


def _effective() -> list[pl.Expr]:
    """M-protein, 0 where only immunofixation is known and negative: it is the more sensitive test."""
    return [
        pl.coalesce(
            f"m_{fluid}", pl.when(pl.col(f"ife_{fluid}") == "NEGATIVE").then(pl.lit(0.0))
        ).alias(fluid)
        for fluid in ("serum", "urine")
    ]


def _baseline_values() -> list[pl.Expr]:
    """Last known value of each test on or before the baseline; light chains of one sample."""
    at = ~pl.col("is_after")
    paired = at & pl.col("flc_kappa").is_not_null() & pl.col("flc_lambda").is_not_null()
    return [
        *(
            pl.col(name).filter(at & pl.col(name).is_not_null()).last().alias(f"base_{name}")
            for name in _BASELINES
        ),
        pl.col("lesion_short_axis")
        .filter(at & pl.col("lesion_short_axis").is_not_null())
        .last()
        .alias("base_short_axis"),
        pl.col("plasmacytoma_before").any().alias("has_plasmacytoma"),
        pl.col("flc_kappa").filter(paired).last().alias("base_kappa"),
        pl.col("flc_lambda").filter(paired).last().alias("base_lambda"),
        pl.col("ratio").filter(paired).last().alias("base_ratio"),
        pl.col("involved_chain")
        .filter(pl.col("involved_chain").is_not_null())
        .first()
        .alias("given_chain"),
    ]


def _involved(criteria: Criteria) -> pl.Expr:
    """The involved chain: as given, else the one that the ratio at baseline leans to."""
    low, high = criteria.flc_ratio["low"], criteria.flc_ratio["high"]
    by_ratio = (
        pl.when(pl.col("base_ratio") > high + TOLERANCE)
        .then(pl.lit("KAPPA"))
        .when(pl.col("base_ratio") < low - TOLERANCE)
        .then(pl.lit("LAMBDA"))
    )
    return pl.coalesce("given_chain", by_ratio)


def _directed(kappa_minus_lambda: pl.Expr) -> pl.Expr:
    """Involved minus uninvolved; null where the involved chain is not known."""
    return (
        pl.when(pl.col("involved") == "KAPPA")
        .then(kappa_minus_lambda)
        .when(pl.col("involved") == "LAMBDA")
        .then(-kappa_minus_lambda)
    )


def _switched(criteria: Criteria) -> pl.Expr:
    """The other chain is now the one in excess, so high that it would be measurable disease.

    Involved minus uninvolved says nothing then: it falls however much of the other chain there is.
    """
    kappa, lambda_ = pl.col("flc_kappa"), pl.col("flc_lambda")
    low, high = criteria.flc_ratio["low"], criteria.flc_ratio["high"]
    much = criteria.measurable["flc_involved"] - TOLERANCE
    to_lambda = (kappa < low * lambda_ - TOLERANCE) & (lambda_ >= much)
    to_kappa = (kappa > high * lambda_ + TOLERANCE) & (kappa >= much)
    return ((pl.col("involved") == "KAPPA") & to_lambda) | (
        (pl.col("involved") == "LAMBDA") & to_kappa
    )


def _with_nadirs(frame: pl.DataFrame, criteria: Criteria) -> pl.DataFrame:
    """Lowest value of baseline and line before the row, under the reading of the criteria."""
    found = {}
    for name in ("serum", "urine", "dflc", "marrow", "plasmacytoma_spd", "lesion_diameter"):
        value = pl.when("is_after").then(name)
        if criteria.nadir == "lowest_confirmed":
            before = earlier(last_known(value))
            value = pl.when(before.is_not_null() & value.is_not_null()).then(
                pl.max_horizontal(value, before)
            )
        found[f"nadir_{name}"] = value
    frame = accumulate(frame.with_columns(**found), list(found), pl.min_horizontal)
    lowest = {
        name: pl.min_horizontal(name.replace("nadir_", "base_"), earlier(pl.col(name)))
        for name in found
    }
    # Where the other chain is in excess there is no involved one left: not less than none.
    lowest["nadir_dflc"] = lowest["nadir_dflc"].clip(lower_bound=0)
    return frame.with_columns(expr.alias(name) for name, expr in lowest.items())


def _last_findings(criteria: Criteria) -> list[pl.Expr]:
    """Marrow and imaging need not be repeated: their last findings since the baseline.

    Flow cytometry cannot prove few plasma cells: such a count is no finding here.
    """
    after = pl.col("is_after")
    by_flow = pl.col("marrow_by_flow").fill_null(False)
    few = pl.col("marrow") < criteria.below["marrow_cr"] - TOLERANCE
    axis = earlier(last_known(pl.when(after).then("lesion_short_axis")))
    return [
        last_known(pl.when(after & ~(by_flow & few)).then("marrow")).alias("marrow_known"),
        last_known(pl.when(after).then("clonal_marrow")).alias("clonal_known"),
        last_known(pl.when(after).then("plasmacytoma_spd")).alias("plasmacytoma_known"),
        pl.coalesce(axis, "base_short_axis").alias("short_axis_before"),
    ]
