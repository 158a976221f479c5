"""Numbers are finite, intervals have a width and hold their estimates, hazard ratios agree with their P values, P values are probabilities."""

from __future__ import annotations

import polars as pl

from reports.selfaudit.finding import NEAR, found

RATIOS = ("hr", "shr", "hazard_ratio", "subhazard_ratio", "csh", "or")
EDGE = 1e-4  # a P value so near to 0.05 may fall on either side of the interval's limit
LEVEL = 0.05
PRINTED = r"^(\d+\.\d+)(?: months)? \((?:95% CI )?(\d+\.\d+) to (\d+\.\d+)\)"


def numbers_are_finite(rows: pl.DataFrame) -> pl.DataFrame:
    """What is printed as known is a number: an estimate with a standard error of 0 has an infinite statistic."""
    columns = [pl.col(name) for name in ("value", "lower", "upper", "p")]
    wrong = rows.filter(
        pl.any_horizontal(column.is_not_null() & ~column.is_finite() for column in columns)
    )
    return found(wrong, pl.format("{} ({} to {}), P {} is not finite", *_as_text()))


def intervals_have_a_width(rows: pl.DataFrame) -> pl.DataFrame:
    """The interval of a ratio is wider than rounding: no data tell a ratio exactly."""
    width = pl.col("upper") - pl.col("lower")
    wrong = rows.filter(
        pl.col("statistic").str.to_lowercase().is_in([*RATIOS, "hr_firth"])
        & (width <= NEAR * pl.col("value").abs())
    )
    return found(wrong, pl.format("{} ({} to {}), P {} has no standard error", *_as_text()))


def _as_text() -> list[pl.Expr]:
    """Estimate, limits and P of a row, for a sentence."""
    return [
        pl.col(name).round(4).cast(pl.String).fill_null("?")
        for name in ("value", "lower", "upper", "p")
    ]


def estimates_inside_intervals(rows: pl.DataFrame) -> pl.DataFrame:
    """An estimate lies inside its interval, and the lower limit is not above the upper one."""
    slack = NEAR * pl.max_horizontal(pl.col("value").abs(), pl.lit(1.0))
    wrong = rows.filter(
        (pl.col("value") < pl.col("lower") - slack)
        | (pl.col("value") > pl.col("upper") + slack)
        | (pl.col("lower") > pl.col("upper") + slack)
    )
    return found(
        wrong,
        pl.format(
            "{} is outside its interval {} to {}",
            *_as_text()[:3],
        ),
    )


def p_values_are_probabilities(rows: pl.DataFrame) -> pl.DataFrame:
    """P lies between 0 and 1, and an adjusted P is not below the one it adjusts."""
    outside = rows.filter((pl.col("p") < 0) | (pl.col("p") > 1))
    keys = ["display", "population", "row", "level"]
    raw = rows.select(*keys, of="statistic", raw="p")
    adjusted = (
        rows.filter(pl.col("statistic").str.ends_with("_holm"))
        .with_columns(of=pl.col("statistic").str.strip_suffix("_holm"))
        .join(raw, on=[*keys, "of"], how="inner", nulls_equal=True)
    )
    return pl.concat(
        [
            found(outside, pl.format("P is {}", "p")),
            found(adjusted.filter(pl.col("p") < pl.col("raw") - NEAR), "the adjusted P is smaller"),
        ]
    )


def ratios_agree_with_p(rows: pl.DataFrame) -> pl.DataFrame:
    """A ratio is positive; its 95% interval leaves out 1 exactly where P is below 0.05.

    A P value by a likelihood ratio is another test than a Wald interval and is not compared.
    """
    ratios = rows.filter(pl.col("statistic").str.to_lowercase().is_in(RATIOS))
    positive = found(
        ratios.filter((pl.col("value") <= 0) | (pl.col("lower") < 0)), "a ratio is not positive"
    )
    told = ratios.filter(
        pl.all_horizontal(pl.col("p", "lower", "upper").is_not_null())
        & ~pl.col("method").fill_null("").str.to_lowercase().str.contains("likelihood")
        & ((pl.col("p") - LEVEL).abs() > EDGE)
    )
    apart = (pl.col("lower") > 1) | (pl.col("upper") < 1)
    wrong = told.filter(apart != (pl.col("p") < LEVEL))
    return pl.concat(
        [
            positive,
            found(
                wrong,
                pl.format(
                    "P is {} but the interval is {} to {}",
                    pl.col("p").round(4),
                    pl.col("lower").round(3),
                    pl.col("upper").round(3),
                ),
            ),
        ]
    )


def printed_as_computed(rows: pl.DataFrame) -> pl.DataFrame:
    """`1.57 (0.57 to 4.32)`, also with months, shows its own value and limits, rounded."""
    shown = (
        rows.with_columns(parts=pl.col("text").str.extract_groups(PRINTED))
        .filter(pl.col("parts").struct.field("1").is_not_null())
        .with_columns(
            slack=0.5 * 10.0 ** -pl.col("parts").struct.field("1").str.split(".").list[-1].str.len_chars().cast(pl.Float64)
            + 1e-6
        )
    )  # fmt: skip
    apart = [
        (pl.col("parts").struct.field(part).cast(pl.Float64) - pl.col(name)).abs() > pl.col("slack")
        for part, name in (("1", "value"), ("2", "lower"), ("3", "upper"))
    ]
    wrong = shown.filter(pl.any_horizontal(apart))
    return found(
        wrong,
        pl.format(
            "printed '{}', computed {} ({} to {})", "text", *_as_text()[:3]
        ),
    )  # fmt: skip


CHECKS = (
    numbers_are_finite,
    intervals_have_a_width,
    estimates_inside_intervals,
    p_values_are_probabilities,
    ratios_agree_with_p,
    printed_as_computed,
)
