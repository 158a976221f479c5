"""ADSL and ADTTE of others as what the displays read: keys, times and censoring checked and told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from reports.adam.doubts import Doubt
from reports.adam.source import FirstDay, Source
from reports.adam.times import times_of
from reports.displays.data import AnalysisData

if TYPE_CHECKING:
    from schemas.spec.plan import Endpoint

__all__ = ["FirstDay", "Source", "Tables", "analysis_data"]

LARGEST_CODE = 99
PRIMARY = pl.col("ANALYSIS").cast(pl.String).str.strip_chars().str.to_uppercase().eq("PRIMARY")


@dataclass(frozen=True)
class Tables:
    """The analysis data, sentences on how times were read, what is doubtful about them, and adsl as it was given."""

    data: AnalysisData
    sentences: dict[str, str]
    adsl: Source
    doubts: tuple[Doubt, ...] = ()


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
        adtte: One row per patient and endpoint: USUBJID, PARAMCD, AVAL, CNSR; perhaps AVALU or PARAM with the
            unit (else days), STARTDT and ADT. With ANALYSIS only the rows PRIMARY are taken.
        endpoints: Of the plan; other parameters are not read.
        days_per_month: Length of a month in days.
        first_day: What AVAL is on the day on which the clock starts; None: told by STARTDT and ADT, else
            1 (ADT - STARTDT + 1), as ADaM has it. Of days alone.

    A patient without a row, a time or a censoring code of an endpoint is in `exclusion`.

    Raises:
        FileError: A column is missing, a patient or a patient's endpoint occurs twice, a patient of adtte
            is not in adsl, AVAL, its unit or CNSR hold what they cannot, AVAL contradicts the dates, or an
            endpoint has no PRIMARY row.
    """
    _check_patients(adsl)
    adtte.need(["USUBJID", "PARAMCD", "AVAL", "CNSR"])
    unread = tuple(_without_primary(adtte, list(endpoints)))
    adtte = _own_rows(adtte, list(endpoints))
    _check_times(adsl, adtte)
    times = times_of(adtte, first_day, days_per_month)
    timed = times.frame
    known = pl.all_horizontal(pl.col("days", "CNSR").is_not_null())
    frame = timed.filter(known).select(
        "USUBJID", "PARAMCD", AVAL=pl.col("days") + 1, CNSR=pl.col("CNSR").cast(pl.Int32)
    )
    exclusion = _excluded(adsl, timed, list(endpoints))
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
    sentences = {"data_cut": _last_day(adtte), **times.sentences}
    return Tables(data, sentences, adsl, (*unread, *times.doubts))


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
    named = adtte.numbered().frame.filter(pl.col("PARAMCD").is_in(endpoints))
    if not named.height:
        raise adtte.fault(
            "NO_ROWS",
            f"no row has an endpoint of the plan in PARAMCD ({', '.join(endpoints)})",
            "name the endpoints of the plan as PARAMCD has them",
        )
    if "ANALYSIS" not in named.columns:
        return Source(named, adtte.file)
    own = named.filter(PRIMARY)
    if not own.height:
        raise adtte.fault(
            "NO_ROWS",
            f"column 'ANALYSIS' has no row PRIMARY ({named.height} rows of endpoints of the plan have another"
            " value or none), and only such rows are read",
            "write PRIMARY into ANALYSIS of the rows to analyse, or leave the column out where each patient and"
            " endpoint has one row",
        )
    return Source(own, adtte.file)


def _without_primary(adtte: Source, endpoints: list[str]) -> Iterator[Doubt]:
    """Endpoints that have rows, but none that is read."""
    if "ANALYSIS" not in adtte.frame.columns:
        return
    named = adtte.frame.filter(pl.col("PARAMCD").is_in(endpoints))
    counted = named.group_by("PARAMCD", maintain_order=True).agg(n=pl.len(), read=PRIMARY.sum())
    for name, number, read in counted.iter_rows():
        if not read:
            yield Doubt(
                name,
                f"None of the {number} rows of '{name}' is PRIMARY in ANALYSIS: they are not read.",
            )


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
