"""ADaM tables of others: how times and censoring are read, what is counted as left out, what is refused."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from reports.adam.read import read_table
from reports.adam.tables import FirstDay, Source, analysis_data
from schemas.errors import FileError
from schemas.spec.plan import Endpoint

MONTH = 30.4375
ENDPOINTS = {
    "OS": Endpoint(label="Overall survival", event="death", events="deaths", origin="start"),
    "CIR": Endpoint(
        label="Relapse", event="relapse", events="relapses", origin="start", competing="death"
    ),
}
ADSL = "USUBJID,ARM\nP1,1\nP2,1\nP3,2\nP4,2\n"


def _read(folder: Path, adtte: str, adsl: str = ADSL, first_day: FirstDay | None = None):  # type: ignore[no-untyped-def]
    for name, text in (("adsl.csv", adsl), ("adtte.csv", adtte)):
        (folder / name).write_text(text, encoding="utf-8")
    own, times = (Source(read_table(folder / n), n) for n in ("adsl.csv", "adtte.csv"))
    return analysis_data(own, times, ENDPOINTS, days_per_month=MONTH, first_day=first_day)


def _days(tables) -> list[float]:  # type: ignore[no-untyped-def]
    return [value - 1 for value in tables.data.adtte["AVAL"].to_list()]


DATED = "USUBJID,PARAMCD,STARTDT,ADT,AVAL,CNSR\nP1,OS,2024-01-01,2024-01-11,{},0\nP2,OS,2024-01-01,2024-01-21,{},1\n"


def test_the_dates_tell_from_which_number_days_are_counted(tmp_path: Path) -> None:
    from_one, from_zero = (
        _read(tmp_path, DATED.format(*values)) for values in ((11, 21), (10, 20))
    )
    assert _days(from_one) == _days(from_zero) == [10.0, 20.0]
    assert "is 1 on the day" in from_one.sentences["times"]
    assert "is 0 on the day" in from_zero.sentences["times"]


def test_without_dates_days_count_from_one_unless_said_otherwise(tmp_path: Path) -> None:
    text = "usubjid,paramcd,aval,cnsr\nP1,OS,11,0\nP2,OS,21,1\n"
    assert _days(_read(tmp_path, text)) == [10.0, 20.0]
    assert _days(_read(tmp_path, text, first_day=0)) == [11.0, 21.0]


def test_months_are_turned_into_days(tmp_path: Path) -> None:
    text = "USUBJID,PARAMCD,AVAL,AVALU,CNSR\nP1,OS,2,Months,0\nP2,OS,11,DAYS,1\n"
    assert _days(_read(tmp_path, text)) == [2 * MONTH, 10.0]


def test_patients_without_a_time_are_counted_with_the_reason(tmp_path: Path) -> None:
    text = "USUBJID,PARAMCD,AVAL,CNSR\nP1,OS,5,0\nP2,OS,,1\nP3,OS,7,\nP1,XYZ,1,1\n"
    tables = _read(tmp_path, text)
    assert tables.data.exclusion.rows() == [
        ("P2", "OS", "AVAL_IS_EMPTY"),
        ("P3", "OS", "CNSR_IS_EMPTY"),
        ("P4", "OS", "NO_ROW_IN_ADTTE"),
    ]
    assert tables.data.adtte["USUBJID"].to_list() == ["P1"]


def test_only_primary_rows_are_read_where_analyses_are_several(tmp_path: Path) -> None:
    text = "USUBJID,PARAMCD,AVAL,CNSR,ANALYSIS\nP1,OS,5,0,PRIMARY\nP1,OS,9,0,LATEST\nP2,OS,4,2,PRIMARY\n"
    tables = _read(tmp_path, text)
    assert _days(tables) == [4.0, 3.0]
    assert tables.data.adtte["CNSR"].to_list() == [0, 2]


def test_an_analysis_column_without_primary_rows_is_named_and_not_paramcd(tmp_path: Path) -> None:
    text = "USUBJID,PARAMCD,AVAL,CNSR,ANALYSIS\nP1,OS,5,0,MAIN\nP2,OS,4,1,\n"
    with pytest.raises(FileError) as refused:
        _read(tmp_path, text)
    assert "column 'ANALYSIS' has no row PRIMARY (2 rows of endpoints of the plan" in str(
        refused.value
    )
    assert "PARAMCD" not in str(refused.value)


def test_an_endpoint_of_which_no_row_is_primary_is_told(tmp_path: Path) -> None:
    text = (
        "USUBJID,PARAMCD,AVAL,AVALU,CNSR,ANALYSIS\n"
        "P1,OS,5,DAYS,0,Primary\nP1,CIR,9,DAYS,0,LATEST\nP2,CIR,9,DAYS,0,\n"
    )
    tables = _read(tmp_path, text)
    assert _days(tables) == [4.0]
    assert [doubt.text for doubt in tables.doubts] == [
        "None of the 2 rows of 'CIR' is PRIMARY in ANALYSIS: they are not read."
    ]


@pytest.mark.parametrize(
    ("adtte", "words"),
    [
        ("USUBJID,PARAMCD,AVAL\nP1,OS,5\n", "there is no column 'CNSR'"),
        ("USUBJID,PARAMCD,AVAL,CNSR\nP1,TTE,5,0\n", "no row has an endpoint of the plan"),
        (
            "USUBJID,PARAMCD,AVAL,CNSR\nP1,OS,5,0\nP1,OS,6,0\n",
            "patient and endpoint occur twice (2 rows)",
        ),
        ("USUBJID,PARAMCD,AVAL,CNSR\nP9,OS,5,0\n", "patients who are not in 'adsl.csv' (1 row)"),
        ("USUBJID,PARAMCD,AVAL,CNSR\nP1,OS,long,0\n", "'AVAL' holds something else than numbers"),
        ("USUBJID,PARAMCD,AVAL,CNSR\nP1,OS,5,-1\n", "column 'CNSR': what is no code (1 row)"),
        ("USUBJID,PARAMCD,AVAL,CNSR\nP1,OS,5,0.5\n", "column 'CNSR': what is no code (1 row)"),
        ("USUBJID,PARAMCD,AVAL,CNSR\nP1,OS,0,0\n", "end before the clock starts"),
        (
            "USUBJID,PARAMCD,AVAL,AVALU,CNSR\nP1,OS,5,HOURS,0\n",
            "units other than days, weeks, months and years",
        ),
        (DATED.format(11, 20), "neither ADT - STARTDT nor ADT - STARTDT + 1"),
        (DATED.format(11, 21).replace("2024-01-21", "21.01.2024"), "something else than dates"),
        ("USUBJID,PARAMCD,AVAL,CNSR\n", "there are no rows"),
        ("USUBJID,usubjid,AVAL,CNSR\nP1,P1,5,0\n", "two columns 'USUBJID'"),
    ],
)
def test_an_adtte_that_cannot_be_right_is_refused(tmp_path: Path, adtte: str, words: str) -> None:
    with pytest.raises(FileError) as refused:
        _read(tmp_path, adtte)
    assert words in str(refused.value)
    assert "adtte.csv" in str(refused.value)
    assert refused.value.fix


def test_days_that_the_dates_contradict_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="is 1 on the first day by STARTDT and ADT, not 0"):
        _read(tmp_path, DATED.format(11, 21), first_day=0)


@pytest.mark.parametrize(
    ("adsl", "words"),
    [
        ("ID,ARM\nP1,1\n", "there is no column 'USUBJID'"),
        (ADSL + "P1,2\n", "patients that occur twice (2 rows)"),
        (ADSL + ",2\n", "no patient (1 row)"),
    ],
)
def test_an_adsl_that_cannot_be_right_is_refused(tmp_path: Path, adsl: str, words: str) -> None:
    with pytest.raises(FileError) as refused:
        _read(tmp_path, "USUBJID,PARAMCD,AVAL,CNSR\nP1,OS,5,0\n", adsl)
    assert words in str(refused.value)


def test_a_file_of_another_kind_and_a_broken_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "adsl.sav").write_bytes(b"x")
    (tmp_path / "adsl.parquet").write_bytes(b"no parquet")
    for name, words in (
        ("adsl.sav", "'.sav' files are not read here"),
        ("adsl.parquet", "cannot be read as parquet"),
        ("absent.csv", "there is no such file"),
    ):
        with pytest.raises(FileError) as refused:
            read_table(tmp_path / name)
        assert words in str(refused.value)


def test_csv_parquet_and_transport_files_give_the_same_table(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "USUBJID": ["001", "002", "003"],
            "ECOG": [0, 1, None],
            "EMDFL": ["Y", None, "N"],
            "AVAL": [1.5, 2.0, 3.0],
            "ADT": ["2024-01-31", "2024-02-29", None],
        }
    ).with_columns(pl.col("ADT").str.to_date())
    table.write_csv(tmp_path / "t.csv")
    table.write_parquet(tmp_path / "t.parquet")
    _transport(table, tmp_path / "t.xpt")
    found = [read_table(tmp_path / f"t.{kind}") for kind in ("csv", "parquet", "xpt")]
    for frame in found:
        assert frame.to_dict(as_series=False) == table.to_dict(as_series=False)
        assert frame.schema["ECOG"] == pl.Int64


def _transport(table: pl.DataFrame, path: Path) -> None:
    import pandas as pd
    import pyreadstat

    frame = pd.DataFrame(table.to_dict(as_series=False))
    pyreadstat.write_xport(frame, str(path), table_name="ADTTE")
