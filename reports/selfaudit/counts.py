"""Counts and percentages: sums over levels and groups, one rounding rule, events among patients."""

from __future__ import annotations

import polars as pl

from reports.displays.estimate import ALL
from reports.selfaudit.finding import NEAR, PLACE, found

MISSING = "missing"
COUNTED = ("baseline", "response")  # tables whose levels are every patient's
COUNT_AND_PERCENT = r"^(\d+) \((\d+)\)$"
TIME_DEPENDENT = "TIME_DEPENDENT"  # a patient is counted at each level of the factor that changes
UNPLACED = "unplaced"  # statistic of the sentences that tell of patients without a group


def _levels(rows: pl.DataFrame) -> pl.DataFrame:
    """Counts of the levels of a variable, missing among them."""
    return rows.filter(
        pl.col("kind").is_in(COUNTED) & (pl.col("statistic") == "n") & pl.col("level").is_not_null()
    )


def events_among_patients(rows: pl.DataFrame) -> pl.DataFrame:
    """No row has more events than patients, or less than none."""
    wrong = rows.filter(
        (pl.col("events") > pl.col("n")) | (pl.col("n") < 0) | (pl.col("events") < 0)
    )
    return found(wrong, pl.format("{} events in {} patients", "events", "n"))


def levels_make_the_known(rows: pl.DataFrame) -> pl.DataFrame:
    """The counts of the levels of a variable add up to the patients whose value is known."""
    known = (
        _levels(rows)
        .filter(pl.col("level") != MISSING)
        .group_by([*PLACE, "row"], maintain_order=True)
        .agg(total=pl.col("value").sum(), n=pl.col("n").first(), n_kinds=pl.col("n").n_unique())
    )
    wrong = known.filter((pl.col("total") != pl.col("n")) | (pl.col("n_kinds") > 1))
    return found(
        wrong,
        pl.format(
            "the levels count {} patients, known are {}", pl.col("total").cast(pl.Int64), "n"
        ),
    )


def known_and_missing_make_all(rows: pl.DataFrame) -> pl.DataFrame:
    """Known and missing values of every row of a table are the patients of the column."""
    sizes = rows.filter((pl.col("row") == "N") & (pl.col("statistic") == "n")).select(
        *PLACE, size="value"
    )
    keys = [*PLACE, "row"]
    tables = rows.filter(pl.col("kind") == "baseline")
    missing = tables.filter((pl.col("level") == MISSING) & (pl.col("statistic") == "n")).select(
        *keys, missing="value"
    )
    known = (
        tables.filter(
            pl.col("statistic").is_in(["n", "median"])
            & (pl.col("row") != "N")
            & pl.col("level").fill_null("").ne(MISSING)
        )
        .group_by(keys, maintain_order=True)
        .agg(known=pl.col("n").max())
    )
    wrong = (
        known.join(missing, on=keys, how="left")
        .join(sizes, on=PLACE, how="inner")
        .with_columns(total=pl.col("known") + pl.col("missing").fill_null(0))
        .filter(pl.col("total") != pl.col("size"))
    )
    return found(
        wrong,
        pl.format(
            "known and missing are {} patients, the column has {}",
            pl.col("total").cast(pl.Int64),
            pl.col("size").cast(pl.Int64),
        ),
    )


def groups_make_all(rows: pl.DataFrame) -> pl.DataFrame:
    """The groups of a table add up to its column of all, but for patients told to have no group."""
    spare = rows.filter(pl.col("statistic") == UNPLACED)["value"].sum()
    keys = ["display", "row", "level"]
    counted = rows.filter(
        pl.col("kind").is_in(COUNTED)
        & (pl.col("statistic") == "n")
        & (pl.col("level").is_not_null() | (pl.col("row") == "N"))
    )
    whole = pl.col("population") == ALL
    sums = counted.group_by(keys, maintain_order=True).agg(
        groups=pl.col("value").filter(~whole).sum(),
        whole=pl.col("value").filter(whole).first(),
        n_groups=(~whole).sum(),
    )
    apart = pl.col("whole") - pl.col("groups")
    wrong = sums.filter((pl.col("n_groups") > 0) & ((apart < 0) | (apart > spare)))
    return found(
        wrong,
        pl.format(
            "the groups count {} patients, all are {}",
            pl.col("groups").cast(pl.Int64),
            pl.col("whole").cast(pl.Int64),
        ),
    )


def one_rounding_rule(rows: pl.DataFrame) -> pl.DataFrame:
    """`n (%)` shows its own count, and the percentage rounded half up from the exact ratio."""
    printed = rows.filter((pl.col("statistic") == "n") & pl.col("n").is_not_null()).with_columns(
        parts=pl.col("text").str.extract_groups(COUNT_AND_PERCENT)
    )
    shown = printed.select(
        pl.all(),
        count=pl.col("parts").struct.field("1").cast(pl.Int64),
        share=pl.col("parts").struct.field("2").cast(pl.Int64),
        rounded=(200 * pl.col("value").cast(pl.Int64) + pl.col("n")) // (2 * pl.col("n")),
    ).filter(pl.col("count").is_not_null() & (pl.col("n") > 0))
    wrong = shown.filter(
        (pl.col("count") != pl.col("value")) | (pl.col("share") != pl.col("rounded"))
    )
    return found(
        wrong,
        pl.format("printed '{}', counted {} of {}", "text", pl.col("value").cast(pl.Int64), "n"),
    )


def percentages_make_a_hundred(rows: pl.DataFrame) -> pl.DataFrame:
    """The percentages of the levels of a variable add up to 100."""
    shares = rows.filter(
        pl.col("kind").is_in(COUNTED)
        & (pl.col("statistic") == "percent")
        & pl.col("level").is_not_null()
        & pl.col("value").is_not_null()
    )
    sums = shares.group_by([*PLACE, "row"], maintain_order=True).agg(total=pl.col("value").sum())
    wrong = sums.filter((pl.col("total") - 100).abs() > 1e-6)
    return found(wrong, pl.format("the percentages add up to {}", pl.col("total").round(3)))


def shares_are_shares(rows: pl.DataFrame) -> pl.DataFrame:
    """Percentages lie between 0 and 100, and a rate with events is events of patients."""
    shares = rows.filter((pl.col("statistic") == "percent") & pl.col("value").is_not_null())
    outside = found(
        shares.filter((pl.col("value") < -NEAR) | (pl.col("value") > 100 + NEAR)),
        pl.format("the percentage is {}", pl.col("value").round(3)),
    )
    rated = shares.filter(pl.col("events").is_not_null() & (pl.col("n") > 0))
    apart = (pl.col("value") - 100 * pl.col("events") / pl.col("n")).abs() > 1e-6
    return pl.concat(
        [
            outside,
            found(
                rated.filter(apart),
                pl.format("{} percent is not {} of {}", pl.col("value").round(3), "events", "n"),
            ),
        ]
    )


def factors_of_a_model_hold_the_same_patients(rows: pl.DataFrame) -> pl.DataFrame:
    """The levels of every factor of a model add up to the same patients and events."""
    levels = rows.filter(
        (pl.col("kind") == "model") & (pl.col("statistic") == "hr")
        & pl.col("level").is_not_null() & pl.col("n").is_not_null() & (pl.col("row") != "CONTRAST")
    )  # fmt: skip
    sums = levels.group_by([*PLACE, "row"], maintain_order=True).agg(
        n=pl.col("n").sum(), events=pl.col("events").sum()
    )
    first = [pl.col(name).first().over(PLACE).alias(f"{name}_first") for name in ("n", "events")]
    wrong = sums.with_columns(first).filter(
        ((pl.col("n") != pl.col("n_first")) & (pl.col("population") != TIME_DEPENDENT))
        | (pl.col("events") != pl.col("events_first"))
    )
    return found(
        wrong,
        pl.format(
            "{} patients with {} events, another factor of the model has {} with {}",
            "n", "events", "n_first", "events_first",
        ),
    )  # fmt: skip


CHECKS = (
    events_among_patients,
    levels_make_the_known,
    known_and_missing_make_all,
    groups_make_all,
    one_rounding_rule,
    percentages_make_a_hundred,
    shares_are_shares,
    factors_of_a_model_hold_the_same_patients,
)
