"""ADSL and ADTTE of others as what the displays read: keys, times and censoring checked and told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import polars as pl

from reports.displays.data import AnalysisData
from schemas.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.spec.plan import Endpoint

FirstDay = Literal[0, 1]
MONTHS = ("MONTHS", "MONTH")
UNITS = ("DAYS", "DAY", *MONTHS)
LARGEST_CODE = 99
# A longer time in days is a mistake: 200 years.
LONGEST = 200 * 365.25


@dataclass(frozen=True)
class Tables:
    """The analysis data, and sentences on how times were read."""

    data: AnalysisData
    sentences: dict[str, str]


@dataclass(frozen=True)
class Source:
    """A table and the name of its file, for messages."""

    frame: pl.DataFrame
    file: str

    def need(self, names: Iterable[str]) -> None:
        """Raises FileError for a column that is not there."""
        for name in names:
            if name not in self.frame.columns:
                raise self.fault(
                    "MISSING_COLUMN", f"there is no column '{name}'", f"add {name}, as ADaM has it"
                )

    def refuse(self, wrong: pl.Expr, column: str, problem: str, fix: str) -> None:
        """Raises FileError if a row is wrong; says how many, never which."""
        number = self.frame.select(wrong.fill_null(False).sum()).item()
        if number:
            rows = "1 row" if number == 1 else f"{number} rows"
            raise self.fault("WRONG_TYPE", f"column '{column}': {problem} ({rows})", fix)

    def fault(self, code: str, problem: str, fix: str) -> FileError:
        """What is wrong with the file."""
        return FileError(code, self.file, problem, fix=fix)


def analysis_data(
    adsl: Source,
    adtte: Source,
    endpoints: Mapping[str, Endpoint],
    *,
    days_per_month: float,
    first_day: FirstDay | None = None,
) -> Tables:
    """What the displays read.

    Args:
        adsl: One row per patient: USUBJID and the variables of the plan.
        adtte: One row per patient and endpoint: USUBJID, PARAMCD, AVAL, CNSR; perhaps AVALU (days, the
            default, or months), STARTDT and ADT. With ANALYSIS only the rows PRIMARY are taken.
        endpoints: Of the plan; other parameters are not read.
        days_per_month: Length of a month in days.
        first_day: What AVAL is on the day on which the clock starts; None: told by STARTDT and ADT, else
            1 (ADT - STARTDT + 1), as ADaM has it. Not for months.

    A patient without a row, a time or a censoring code of an endpoint is in `exclusion`.

    Raises:
        FileError: A column is missing, a patient or a patient's endpoint occurs twice, a patient of adtte
            is not in adsl, or AVAL, AVALU or CNSR hold what they cannot.
    """
    _check_patients(adsl)
    adtte = _own_rows(adtte, list(endpoints))
    _check_times(adsl, adtte)
    unit = "AVALU" if "AVALU" in adtte.frame.columns else None
    in_months = (
        pl.col("AVALU").str.to_uppercase().is_in(MONTHS).fill_null(False) if unit else pl.lit(False)
    )
    start, how = _first_day(adtte, in_months, first_day)
    days = (
        pl.when(in_months)
        .then(pl.col("AVAL").cast(pl.Float64) * days_per_month)
        .otherwise(pl.col("AVAL").cast(pl.Float64) - start)
    )
    timed = adtte.frame.with_columns(days=days)
    Source(timed, adtte.file).refuse(
        pl.col("days") < 0,
        "AVAL",
        "times that end before the clock starts",
        "correct AVAL, or say --first-day 0",
    )
    Source(timed, adtte.file).refuse(
        pl.col("days") > LONGEST,
        "AVAL",
        "times of more than 200 years",
        "correct AVAL, or AVALU where it is not in days",
    )
    known = pl.all_horizontal(pl.col("days", "CNSR").is_not_null())
    frame = timed.filter(known).select(
        "USUBJID", "PARAMCD", AVAL=pl.col("days") + 1, CNSR=pl.col("CNSR").cast(pl.Int32)
    )
    exclusion = _excluded(adsl, timed, list(endpoints))
    n_months = adtte.frame.select(in_months.sum()).item() if unit else 0
    units = {
        0: f"AVAL is in days and is {start} on the day on which the clock starts ({how}).",
        adtte.frame.height: f"AVAL is in months of {days_per_month:g} days.",
    }.get(
        n_months,
        f"AVAL is in days (first day {start}, {how}) or months of {days_per_month:g} days.",
    )
    data = AnalysisData(
        adsl=adsl.frame.sort("USUBJID"),
        adtte=frame.sort("PARAMCD", "USUBJID"),
        exclusion=exclusion,
        attrition=pl.DataFrame(
            schema={
                "center_id": pl.String, "step": pl.Int32, "reason": pl.String, "label": pl.String,
                "n_patients": pl.Int64,
            }
        ),
    )  # fmt: skip
    coded = "CNSR: 0 event, 2 competing event, any other number censored."
    return Tables(data, {"data_cut": _last_day(adtte), "times": f"{units} {coded}"})


def _last_day(adtte: Source) -> str:
    """What the tables tell of the data cut."""
    last = adtte.frame["ADT"].max() if "ADT" in adtte.frame.columns else None
    known = f" The last day in adtte is {last.isoformat()}." if isinstance(last, dt.date) else ""
    return f"The tables tell no data cut.{known}"


def _check_patients(adsl: Source) -> None:
    adsl.need(["USUBJID"])
    fix = "each patient needs one row"
    adsl.refuse(pl.col("USUBJID").is_null(), "USUBJID", "no patient", fix)
    adsl.refuse(pl.col("USUBJID").is_duplicated(), "USUBJID", "patients that occur twice", fix)


def _own_rows(adtte: Source, endpoints: list[str]) -> Source:
    adtte.need(["USUBJID", "PARAMCD", "AVAL", "CNSR"])
    rows = pl.col("PARAMCD").is_in(endpoints)
    if "ANALYSIS" in adtte.frame.columns:
        rows = rows & pl.col("ANALYSIS").eq("PRIMARY")
    own = adtte.frame.filter(rows)
    if not own.height:
        raise adtte.fault(
            "NO_ROWS",
            f"no row has an endpoint of the plan in PARAMCD ({', '.join(endpoints)})",
            "name the endpoints of the plan as PARAMCD has them",
        )
    return Source(own, adtte.file)


def _check_times(adsl: Source, adtte: Source) -> None:
    for name in ("AVAL", "CNSR"):
        if (
            not adtte.frame.schema[name].is_numeric()
            and adtte.frame[name].null_count() < adtte.frame.height
        ):
            raise adtte.fault(
                "WRONG_TYPE", f"column '{name}' holds something else than numbers", "write numbers"
            )
    twice = pl.struct("USUBJID", "PARAMCD").is_duplicated()
    adtte.refuse(twice, "PARAMCD", "patient and endpoint occur twice", "leave one")
    adtte.refuse(
        pl.col("USUBJID").is_null() | ~pl.col("USUBJID").is_in(adsl.frame["USUBJID"].implode()),
        "USUBJID", f"patients who are not in '{adsl.file}'", "give the adsl of the same patients",
    )  # fmt: skip
    code = pl.col("CNSR").cast(pl.Float64)
    adtte.refuse(
        (code < 0) | (code > LARGEST_CODE) | (code != code.round()),
        "CNSR", "what is no code", "0 is an event, 1 censored, 2 a competing event",
    )  # fmt: skip
    if "AVALU" in adtte.frame.columns:
        adtte.refuse(
            ~pl.col("AVALU").str.to_uppercase().is_in(UNITS),
            "AVALU", "units other than days and months", "write DAYS or MONTHS",
        )  # fmt: skip


def _first_day(adtte: Source, in_months: pl.Expr, asked: FirstDay | None) -> tuple[int, str]:
    """AVAL of the day on which the clock starts, and how it is known."""
    if not {"STARTDT", "ADT"} <= set(adtte.frame.columns):
        return (1, "as ADaM has it") if asked is None else (asked, "as asked for")
    between = (pl.col("ADT") - pl.col("STARTDT")).dt.total_days()
    offset = pl.when(~in_months).then(pl.col("AVAL") - between)
    found = adtte.frame.select(offset=offset)["offset"].drop_nulls().unique().to_list()
    if not found:
        return (1, "as ADaM has it") if asked is None else (asked, "as asked for")
    if len(found) > 1 or found[0] not in (0, 1):
        raise adtte.fault(
            "WRONG_TYPE",
            "column 'AVAL' is neither ADT - STARTDT nor ADT - STARTDT + 1 in all rows",
            "correct AVAL or the dates, or say AVALU where it is in months",
        )
    if asked is not None and asked != found[0]:
        raise adtte.fault(
            "WRONG_TYPE",
            f"column 'AVAL' is {int(found[0])} on the first day by STARTDT and ADT, not {asked}",
            "leave --first-day out",
        )
    return int(found[0]), "STARTDT and ADT tell"


def _excluded(adsl: Source, timed: pl.DataFrame, endpoints: list[str]) -> pl.DataFrame:
    """Patients without a time, of endpoints that occur."""
    present = [name for name in endpoints if timed["PARAMCD"].eq(name).any()]
    grid = adsl.frame.select("USUBJID").join(pl.DataFrame({"PARAMCD": present}), how="cross")
    rows = timed.select("USUBJID", "PARAMCD", "days", "CNSR", is_there=pl.lit(True))
    return (
        grid.join(rows, on=["USUBJID", "PARAMCD"], how="left")
        .with_columns(
            reason=pl.when(pl.col("is_there").is_null())
            .then(pl.lit("NO_ROW_IN_ADTTE"))
            .when(pl.col("days").is_null())
            .then(pl.lit("AVAL_IS_EMPTY"))
            .when(pl.col("CNSR").is_null())
            .then(pl.lit("CNSR_IS_EMPTY"))
        )
        .filter(pl.col("reason").is_not_null())
        .select("USUBJID", "PARAMCD", "reason")
        .sort("PARAMCD", "USUBJID")
    )
