"""Numbers of ADaM tables that cannot be used are refused before they reach a model."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from reports.adam.read import read_table
from reports.adam.tables import Source, analysis_data
from schemas.errors import FileError
from schemas.spec.plan import Endpoint

OS = Endpoint(label="Overall survival", event="death", events="deaths", origin="start")


@pytest.mark.parametrize("word", ["inf", "-Inf", "Infinity", "1e999"])
def test_an_infinite_number_of_a_csv_file_is_refused_with_its_column(
    tmp_path: Path, word: str
) -> None:
    file = tmp_path / "adsl.csv"
    file.write_text(f"USUBJID,COPPER\nP1,12\nP2,{word}\nP3,\n", encoding="utf-8")
    with pytest.raises(FileError, match=r"column 'COPPER': infinite numbers \(1 row\)") as refused:
        read_table(file)
    assert refused.value.fix == "leave the cell empty where the value is not known"


def test_an_infinite_number_of_a_parquet_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "adsl.parquet"
    infinite = float("inf")
    pl.DataFrame({"USUBJID": ["P1", "P2"], "AGE": [infinite, -infinite]}).write_parquet(file)
    with pytest.raises(FileError, match=r"column 'AGE': infinite numbers \(2 rows\)"):
        read_table(file)


def test_nan_is_missing_and_a_column_of_words_stays_text(tmp_path: Path) -> None:
    file = tmp_path / "adsl.csv"
    file.write_text("USUBJID,COPPER,NOTE\nP1,12,nan\nP2,NaN,inf\n", encoding="utf-8")
    frame = read_table(file)
    assert frame["COPPER"].to_list() == [12, None]
    assert frame["NOTE"].to_list() == ["nan", "inf"]


def test_a_time_that_nobody_lives_is_refused(tmp_path: Path) -> None:
    adsl, adtte = tmp_path / "adsl.csv", tmp_path / "adtte.csv"
    adsl.write_text("USUBJID\nP1\n", encoding="utf-8")
    adtte.write_text("USUBJID,PARAMCD,AVAL,CNSR\nP1,OS,1e300,0\n", encoding="utf-8")
    patients, times = (Source(read_table(file), file.name) for file in (adsl, adtte))
    with pytest.raises(FileError, match=r"column 'AVAL': times of more than 200 years \(1 row\)"):
        analysis_data(patients, times, {"OS": OS}, days_per_month=30.4375)
