"""SPSS, SAS and Stata: codes as text, labels, user-missing codes, dates."""

import datetime as dt
import random

import polars as pl
import pyreadstat
import pytest

from schemas.errors import FileError
from transforms.read import ReadOptions, open_tables

FRAME = pl.DataFrame(
    {
        "id": ["007", "0123", "P 3"],
        "sex": [1.0, 2.0, 9.0],
        "ldh": [5.2, None, -99.0],
        "infusion": [dt.date(2023, 3, 1), None, dt.date(2024, 2, 29)],
        "time": [dt.datetime(2023, 3, 1, 8, 30), None, dt.datetime(2023, 3, 2)],
        "comment": ["Grün", "", None],
    }
)
CELLS = [
    (1, "007", "1", "5.2", "2023-03-01", "2023-03-01T08:30:00", "Grün"),
    (2, "0123", "2", None, None, None, None),
    (3, "P 3", "9", "-99", "2024-02-29", "2023-03-02", None),
]


def cells(table):
    return [row for batch in table.batches() for row in batch.rows()]


@pytest.mark.parametrize("name", ["export.sav", "export.zsav"])
def test_spss_codes_labels_and_user_missing_codes_survive(tmp_path, name):
    path = tmp_path / name
    pyreadstat.write_sav(
        FRAME, path, column_labels={"sex": "Geschlecht"}, row_compress=name.endswith("zsav"),
        variable_value_labels={"sex": {1: "männlich", 2: "weiblich", 9: "unbekannt"}},
        missing_ranges={"sex": [9], "ldh": [{"lo": -99, "hi": -97}]},
    )  # fmt: skip
    [table] = open_tables(path)
    assert cells(table) == CELLS
    sex, ldh = table.info.columns[1:3]
    assert sex.label == "Geschlecht"
    assert sex.value_labels == {"1": "männlich", "2": "weiblich", "9": "unbekannt"}
    assert sex.missing_values == ("9",)
    assert ldh.missing_values == ("-99", "-98", "-97")
    assert table.info.kind == "sav"
    assert table.info.encoding == "UTF-8"


def test_a_wide_missing_range_is_told_by_its_ends(tmp_path):
    path = tmp_path / "export.sav"
    frame = pl.DataFrame({"x": [1.0, 1e5]})
    pyreadstat.write_sav(frame, path, missing_ranges={"x": [{"lo": 1e4, "hi": 1e6}]})
    [table] = open_tables(path)
    assert table.info.columns[0].missing_values == ("10000..1000000",)


def test_a_sas_transport_file(tmp_path):
    path = tmp_path / "dm.xpt"
    pyreadstat.write_xport(FRAME, path, table_name="DM", column_labels={"sex": "Geschlecht"})
    [table] = open_tables(path)
    assert cells(table) == CELLS
    assert table.info.sheet is None
    assert table.info.columns[1].label == "Geschlecht"


def test_a_transport_file_of_several_data_sets_gives_all_of_them(tmp_path):
    one, two, both = (tmp_path / name for name in ("dm.xpt", "lb.xpt", "both.xpt"))
    pyreadstat.write_xport(FRAME, one, table_name="DM", file_format_version=5)
    pyreadstat.write_xport(
        pl.DataFrame({"TEST": ["LDH", "CRP"]}), two, table_name="LB", file_format_version=5
    )
    both.write_bytes(one.read_bytes() + two.read_bytes()[240:])  # one library header, two members
    first, second = open_tables(both)
    assert (first.info.sheet, second.info.sheet) == ("DM", "LB")
    assert cells(first) == CELLS
    assert cells(second) == [(1, "LDH"), (2, "CRP")]
    [chosen] = open_tables(both, ReadOptions(sheet="LB"))
    assert chosen.info.names == ["TEST"]
    with pytest.raises(FileError) as error:
        open_tables(both, ReadOptions(sheet="AE"))
    assert error.value.code == "MISSING_SHEET"


def test_stata_codes_and_labels(tmp_path):
    path = tmp_path / "export.dta"
    pyreadstat.write_dta(
        FRAME, path, variable_value_labels={"sex": {1: "m", 2: "w"}}, column_labels={"sex": "Sex"}
    )
    [table] = open_tables(path)
    assert cells(table) == CELLS
    assert table.info.columns[1].value_labels == {"1": "m", "2": "w"}


def test_stata_months_are_months(tmp_path):
    path = tmp_path / "export.dta"
    pyreadstat.write_dta(pl.DataFrame({"m": [759.0, None]}), path, variable_format={"m": "%tm"})
    [table] = open_tables(path)
    assert cells(table) == [(1, "2023-04")]


def test_spss_months_get_no_day(tmp_path):
    path = tmp_path / "export.sav"
    seconds = (dt.datetime(2023, 5, 1) - dt.datetime(1582, 10, 14)).total_seconds()
    pyreadstat.write_sav(pl.DataFrame({"m": [seconds]}), path, variable_format={"m": "MOYR8"})
    [table] = open_tables(path)
    assert cells(table) == [(1, "2023-05")]


@pytest.mark.parametrize("name", ["export.sav", "export.xpt", "export.dta"])
def test_a_truncated_file_is_refused(tmp_path, name):
    path = tmp_path / name
    frame = pl.DataFrame({"a": [float(n) for n in range(5000)], "b": ["x" * 20] * 5000})
    write = {
        "sav": pyreadstat.write_sav,
        "xpt": pyreadstat.write_xport,
        "dta": pyreadstat.write_dta,
    }
    write[name[-3:]](frame, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2 + 7])
    with pytest.raises(FileError) as error:
        open_tables(path)
    assert error.value.code in ("TRUNCATED", "CORRUPT")


def test_a_file_without_rows_is_refused(tmp_path):
    path = tmp_path / "export.sav"
    pyreadstat.write_sav(FRAME.clear(), path)
    with pytest.raises(FileError) as error:
        open_tables(path)
    assert error.value.code == "NO_ROWS"


@pytest.mark.parametrize("suffix", ["sav", "xpt", "dta", "sas7bdat"])
def test_text_under_a_statistical_name_is_refused(tmp_path, suffix):
    path = tmp_path / f"export.{suffix}"
    path.write_text("a;b\n1;2\n")
    with pytest.raises(FileError) as error:
        open_tables(path)
    assert error.value.code == "WRONG_TYPE"


@pytest.mark.parametrize("suffix", ["sav", "xpt", "dta"])
def test_mutated_files_never_hurt_the_run(tmp_path, suffix):
    write = {
        "sav": pyreadstat.write_sav,
        "xpt": pyreadstat.write_xport,
        "dta": pyreadstat.write_dta,
    }
    path = tmp_path / f"export.{suffix}"
    write[suffix](FRAME, path)
    whole = path.read_bytes()
    chance = random.Random(7)
    answers = set()
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data[: chance.choice([len(data), len(data), chance.randrange(len(data))])])
        answers.add(answer(path))
    assert "no advice" not in answers
    assert answers & {"CORRUPT", "TRUNCATED", "WRONG_TYPE"}


def answer(path):
    """What a user gets: a number of rows, or the reason of a refusal."""
    try:
        return sum(batch.height for table in open_tables(path) for batch in table.batches())
    except FileError as error:
        return error.code if error.fix else "no advice"
