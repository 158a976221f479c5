"""The days on which answers were given."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import polars as pl

from transforms.harmonize.values import DateFormat, parse_dates

Order = Literal["dmy", "mdy", "ymd"]
DAYS = pl.Schema(
    {
        "answered_on": pl.String(),
        "date_system": pl.Int32(),
        "day": pl.Date(),  # null where it cannot be told
        "remark": pl.String(),  # BAD_DATE, FUTURE_DATE
    }
)


def days_of(cells: pl.DataFrame, order: Order, today: dt.date) -> pl.DataFrame:
    """DAYS of distinct cells.

    Args:
        cells: `answered_on` as read and `date_system` of its sheet; distinct, not null.
        order: Of day and month in short dates.
        today: A later day is in the future; one day more is allowed, for centers further east.
    """
    frames = [pl.DataFrame(schema=DAYS)]
    for (system,), part in cells.group_by("date_system", maintain_order=True):
        form = DateFormat(order=order, excel_serials=True, date_system=int(str(system)))
        parsed = parse_dates(part["answered_on"].to_list(), form)
        full = (pl.col("status") != "error") & (pl.col("precision") == "day")
        day = pl.when(full).then("date")
        future = day > today + dt.timedelta(days=1)
        empty = pl.col("status") == "missing"
        frames.append(
            parsed.select(
                pl.col("value").alias("answered_on"),
                pl.lit(system, pl.Int32).alias("date_system"),
                pl.when(~future).then(day).alias("day"),
                pl.when(future)
                .then(pl.lit("FUTURE_DATE"))
                .when(day.is_null() & ~empty)
                .then(pl.lit("BAD_DATE"))
                .alias("remark"),
            )
        )
    return pl.concat(frames)
