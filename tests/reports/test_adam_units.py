"""The unit of AVAL in ADaM tables of others: who tells it, what dates say of it, what is doubted aloud."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest

from flows.cli import main
from reports.adam.read import read_table
from reports.adam.source import FirstDay
from reports.adam.tables import Source, Tables, analysis_data
from reports.adam.units import unit_in
from schemas.errors import FileError
from schemas.spec.plan import Endpoint

MONTH = 30.4375
ENDPOINTS = {
    name: Endpoint(label=name, event="death", events="deaths", origin="start")
    for name in ("OS", "PFS")
}
START = dt.date(2021, 1, 1)
# Days between both dates, of twelve patients.
DAYS = (20, 41, 80, 130, 199, 240, 301, 350, 420, 499, 610, 700)


def _table(
    values: list[float] | None = None, name: str = "OS", **columns: str | list[str | None]
) -> pl.DataFrame:
    """One endpoint of all patients, `ADT - STARTDT + 1` unless said otherwise."""
    frame = pl.DataFrame(
        {
            "USUBJID": [f"P{i:02d}" for i in range(len(DAYS))],
            "PARAMCD": name,
            "AVAL": [float(v) for v in (values or [n + 1 for n in DAYS])],
            "CNSR": 0,
        }
    )
    return frame.with_columns(
        pl.lit(value).alias(key) if isinstance(value, str) else pl.Series(key, value)
        for key, value in columns.items()
    )


def _dated(frame: pl.DataFrame, known: int = len(DAYS)) -> pl.DataFrame:
    """The same with dates; only the first patients have the last day."""
    ends = [START + dt.timedelta(days=n) if i < known else None for i, n in enumerate(DAYS)]
    return frame.with_columns(
        STARTDT=pl.lit(START), ADT=pl.Series(ends * (frame.height // len(DAYS)), dtype=pl.Date)
    )


def _read(folder: Path, adtte: pl.DataFrame, first_day: FirstDay | None = None) -> Tables:
    patients = adtte.select("USUBJID").unique(maintain_order=True)
    patients.write_csv(folder / "adsl.csv")
    adtte.write_csv(folder / "adtte.csv")
    adsl, times = (Source(read_table(folder / n), n) for n in ("adsl.csv", "adtte.csv"))
    return analysis_data(adsl, times, ENDPOINTS, days_per_month=MONTH, first_day=first_day)


def _refused(folder: Path, adtte: pl.DataFrame, first_day: FirstDay | None = None) -> FileError:
    with pytest.raises(FileError) as refused:
        _read(folder, adtte, first_day)
    assert refused.value.fix
    assert "P0" not in str(refused.value)
    return refused.value


def _days(tables: Tables) -> list[float]:
    return [value - 1 for value in tables.data.adtte["AVAL"].to_list()]


def _in(length: float) -> list[float]:
    return [n / length for n in DAYS]


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("Overall Survival (Months)", "MONTHS"),
        ("Overall Survival (OS) [in weeks]", "WEEKS"),
        ("Survival (months from CAR-T)", "MONTHS"),
        ("Survival (month(s))", "MONTHS"),
        ("Survival (yrs.)", "YEARS"),
        ("Überleben (Monate)", "MONTHS"),
        ("Time to relapse in days", "DAYS"),
        ("Time to relapse, weeks", "WEEKS"),
        ("Overall survival", None),
        ("Survival at 6 months", None),
        ("Infection (Day 30)", None),
        ("Time (days), in months", "SEVERAL"),
    ],
)
def test_the_unit_is_read_where_a_parameter_names_it(text: str, unit: str | None) -> None:
    assert unit_in(text) == unit


@pytest.mark.parametrize(
    ("spelling", "length"),
    [("WEEKS", 7), ("wk", 7), ("Months", MONTH), ("mo.", MONTH), ("Years", 365.25), ("year(s)", 365.25)],
)  # fmt: skip
@pytest.mark.parametrize("column", ["AVALU", "PARAM"])
def test_every_unit_becomes_days_whoever_tells_it(
    tmp_path: Path, spelling: str, length: float, column: str
) -> None:
    told = spelling if column == "AVALU" else f"Overall survival ({spelling})"
    for frame in (
        _table(_in(length), **{column: told}),
        _dated(_table(_in(length), **{column: told})),
    ):
        tables = _read(tmp_path, frame)
        assert _days(tables) == pytest.approx(list(DAYS))
        assert f"told by {column}" in tables.sentences["times"]
        assert tables.doubts == ()


def test_without_a_unit_it_is_days_and_the_page_says_that_none_is_named(tmp_path: Path) -> None:
    tables = _read(tmp_path, _table(PARAM="Overall survival"))
    assert _days(tables) == list(DAYS)
    assert "AVAL is in days (no unit is named) and is 1 on the day" in tables.sentences["times"]
    assert tables.sentences["times_checked"].startswith("AVAL could not be checked")


def test_units_may_differ_between_endpoints(tmp_path: Path) -> None:
    frame = pl.concat([_table(AVALU="DAYS"), _table(_in(MONTH), "PFS", AVALU="MONTHS")])
    tables = _read(tmp_path, frame)
    assert _days(tables) == pytest.approx([*DAYS, *DAYS])
    assert "AVAL of OS is in days (told by AVALU)" in tables.sentences["times"]
    assert "AVAL of PFS is in months of 30.4375 days (told by AVALU)" in tables.sentences["times"]


def test_contradicting_and_missing_units_are_refused_with_endpoint_count_and_row(
    tmp_path: Path,
) -> None:
    lying = _table(AVALU="MONTHS", PARAM="Overall survival (days)")
    assert "column 'AVALU': says another unit than PARAM ('OS': 12 of 12 rows, the first is row 2)" in str(
        _refused(tmp_path, lying)
    )  # fmt: skip
    some = _table(_in(MONTH), AVALU=["MONTHS"] * 9 + [None] * 3)
    assert "no unit, beside rows of the endpoint that are not in days ('OS': 3 of 12 rows, the first is row 11)" in str(
        _refused(tmp_path, some)
    )  # fmt: skip
    two = _table(PARAM="Survival (days) (months)")
    assert "column 'PARAM': names more than one unit" in str(_refused(tmp_path, two))
    hours = pl.concat([_table(AVALU="DAYS"), _table(name="PFS", AVALU="HOURS")])
    assert "units other than days, weeks, months and years ('PFS': 12 of 12 rows, the first is row 14)" in str(
        _refused(tmp_path, hours)
    )  # fmt: skip


def test_a_row_without_a_time_needs_no_unit(tmp_path: Path) -> None:
    frame = _table(_in(MONTH), AVALU=["MONTHS"] * 11 + [None]).with_columns(
        AVAL=pl.when(pl.col("USUBJID") != "P11").then("AVAL")
    )
    assert _read(tmp_path, frame).data.adtte.height == 11


@pytest.mark.parametrize(
    ("unit", "length"), [("DAYS", 1.0), ("WEEKS", 7.0), ("MONTHS", MONTH), ("YEARS", 365.25)]
)
def test_one_row_that_contradicts_its_dates_is_refused_in_every_unit(
    tmp_path: Path, unit: str, length: float
) -> None:
    values = [round(n / length, 2) for n in DAYS]
    first_day: FirstDay | None = 0 if unit == "DAYS" else None
    right = _read(tmp_path, _dated(_table(values, AVALU=unit)), first_day)
    assert right.data.adtte.height == len(DAYS)
    values[6] += 10 / length  # ten days
    error = _refused(tmp_path, _dated(_table(values, AVALU=unit)), first_day)
    assert "column 'AVAL'" in str(error)
    assert "('OS': 1 of 12 rows, the first is row 8)" in str(error)


def test_days_called_months_are_refused_and_the_unit_that_agrees_is_proposed(
    tmp_path: Path,
) -> None:
    error = _refused(tmp_path, _dated(_table(AVALU="MONTHS")))
    assert "contradicts STARTDT and ADT ('OS': 12 of 12 rows, the first is row 2)" in str(error)
    assert "as DAYS it agrees in 12 of 12 rows" in error.fix
    error = _refused(tmp_path, _dated(_table([round(v, 1) for v in _in(MONTH)])))
    assert "as MONTHS it agrees in 12 of 12 rows" in error.fix


def test_rounded_months_that_count_the_first_day_agree_and_are_taken_as_they_are(
    tmp_path: Path,
) -> None:
    exact = [(n + 1) / MONTH for n in DAYS]
    tables = _read(tmp_path, _dated(_table(exact, AVALU="MONTHS")))
    assert _days(tables) == pytest.approx([n + 1 for n in DAYS])
    assert "the first day is counted in AVAL of OS (months)" in tables.sentences["times"]
    for decimals in (0, 1, 2):
        rounded = _dated(_table([round(v, decimals) for v in exact], AVALU="MONTHS"))
        assert _read(tmp_path, rounded).data.adtte.height == len(DAYS)
    shorter = _dated(_table([n / (365 / 12) for n in DAYS], AVALU="MONTHS"))
    assert _read(tmp_path, shorter).data.adtte.height == len(DAYS)


def test_days_that_count_from_zero_in_one_row_and_from_one_in_others_are_refused(
    tmp_path: Path,
) -> None:
    values: list[float] = [n + 1 for n in DAYS]
    values[3] -= 1
    error = _refused(tmp_path, _dated(_table(values)))
    assert "neither ADT - STARTDT nor ADT - STARTDT + 1" in str(error)
    assert "'OS': 1 of 12 rows, the first is row 5" in str(error)


def test_the_page_says_how_many_rows_the_dates_confirm(tmp_path: Path) -> None:
    frame = pl.concat([_dated(_table(), known=8), _dated(_table(name="PFS"))])
    checked = _read(tmp_path, frame).sentences["times_checked"]
    assert checked == (
        "AVAL agrees with STARTDT and ADT where both are there: OS in 8 of 12 rows, PFS in 12 of 12 rows."
        " The others could not be checked."
    )


def _halves(factor: float, undated: int) -> pl.DataFrame:
    """Forty patients in two equal halves by time; the last `undated` have no last day, and other times."""
    days = [30 + 10 * (i % 20) for i in range(40)]
    with_dates = 40 - undated
    return pl.DataFrame(
        {
            "USUBJID": [f"P{i:02d}" for i in range(40)],
            "PARAMCD": "OS",
            "AVAL": [(n + 1) * (1.0 if i < with_dates else factor) for i, n in enumerate(days)],
            "CNSR": 0,
            "STARTDT": START,
            "ADT": [START + dt.timedelta(days=n) if i < with_dates else None for i, n in enumerate(days)],
        }
    )  # fmt: skip


def test_many_rows_without_dates_of_another_size_are_refused(tmp_path: Path) -> None:
    for factor in (10, 0.1):
        error = _refused(tmp_path, _halves(factor, undated=20))
        than = "longer" if factor > 1 else "shorter"
        assert f"the times of 20 rows without STARTDT and ADT of 'OS' (the first is row 22) are 10.0 times {than}" in (
            str(error)
        )  # fmt: skip
    for factor in (1, 4):
        assert _read(tmp_path, _halves(factor, undated=20)).doubts == ()


def test_few_rows_without_dates_of_another_size_are_doubted_aloud(tmp_path: Path) -> None:
    told = [doubt.text for doubt in _read(tmp_path, _halves(30, undated=4)).doubts]
    assert len(told) == 2
    assert "4 rows without STARTDT and ADT" in told[0]
    assert "(median) than those of the 36 rows that agree with their dates" in told[0]
    assert "more than 5 times as long as the longest of the 36" in told[1]


def test_an_endpoint_without_dates_is_compared_with_those_that_have_them(tmp_path: Path) -> None:
    for factor, words in ((10, "10.0 times longer"), (0.1, "10.0 times shorter"), (2, None)):
        dated = _dated(_table())
        undated = _table([factor * n for n in dated["AVAL"].to_list()], "PFS", AVALU="MONTHS")
        nothing = pl.lit(None, pl.Date)
        undated = undated.with_columns(AVAL=pl.col("AVAL") / MONTH, STARTDT=nothing, ADT=nothing)
        both = pl.concat(
            [dated.with_columns(AVALU=pl.lit("DAYS")).select(undated.columns), undated]
        )
        told = [doubt.text for doubt in _read(tmp_path, both).doubts]
        assert len(told) == (1 if words else 0)
        assert words is None or words in told[0]


def test_times_that_look_like_another_unit_are_doubted(tmp_path: Path) -> None:
    def told(frame: pl.DataFrame) -> list[str]:
        return [doubt.text for doubt in _read(tmp_path, frame).doubts]

    fractions = told(_table([n + 1.5 for n in DAYS], AVALU="DAYS"))
    assert len(fractions) == 1
    assert "12 of 12 rows have fractions of days" in fractions[0]
    whole_months = told(_table([1 + n // 30 for n in DAYS]))
    assert len(whole_months) == 1
    assert "no time is longer than 60 days" in whole_months[0]
    assert told(_table([1 + n // 30 for n in DAYS], AVALU="DAYS")) == []
    centuries = told(_table(AVALU="MONTHS"))
    assert len(centuries) == 1
    assert "longer than 25 years when taken as months" in centuries[0]
    mentioned = told(_table(PARAM="Survival (years/days)"))
    assert len(mentioned) == 1
    assert "PARAM has the word of another unit" in mentioned[0]


PLAN = """\
title: All
variables: {}
endpoints:
  OS: {label: Overall survival, event: death, events: deaths, origin: start}
displays:
  - {id: F1, kind: survival, heading: Figure 1, endpoint: OS}
  - {id: X2, kind: summary, heading: Numbers, by: ARM, medians: [OS]}
"""


def test_a_doubt_stands_on_the_page_in_its_displays_and_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = _table([n / MONTH + 1 for n in DAYS])
    frame.write_csv(tmp_path / "adtte.csv")
    frame.select("USUBJID", ARM=pl.lit("A")).write_csv(tmp_path / "adsl.csv")
    plan = PLAN.replace("variables: {}", "variables: {ARM: {label: Arm, levels: {A: Arm A}}}")
    (tmp_path / "plan.yaml").write_text(plan, encoding="utf-8")
    arguments = [f"--{name}={tmp_path / name}.csv" for name in ("adsl", "adtte")]
    out = f"--out={tmp_path / 'out'}"
    assert main(["report", *arguments, f"--plan={tmp_path / 'plan.yaml'}", out, "--json"]) == 0
    printed = capsys.readouterr()
    warnings = json.loads(printed.out)["warnings"]
    assert len(warnings) == 2
    assert "fractions of days" in warnings[0]
    assert printed.err.splitlines() == [f"warning: {text}" for text in warnings]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for name in ("F1", "X2", "METHODS"):
        section = page.split(f'id="{name}"')[1].split("</section>")[0]
        assert "12 of 12 rows have fractions of days" in section, name
