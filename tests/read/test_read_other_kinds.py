"""Parquet, JSON lines, zips of files, REDCap dictionaries, and the registry."""

import datetime as dt
import zipfile
from pathlib import Path

import polars as pl
import pytest

from schemas.errors import FileError
from transforms.read import ReadOptions, open_tables
from transforms.read.registry import kinds, register

HOSTILE = Path(__file__).parent / "hostile"


def cells(table):
    return [row for batch in table.batches() for row in batch.rows()]


def code_of(path, **options):
    with pytest.raises(FileError) as error:
        read_all(path, options)
    return error.value.code


def read_all(path, options):
    for table in open_tables(path, ReadOptions(**options)):
        list(table.batches())


def test_parquet_cells_are_text(tmp_path):
    path = tmp_path / "export.parquet"
    pl.DataFrame(
        {
            "n": [1, None, 3],
            "f": [5.2, 61.0, float("nan")],
            "s": ["007", "", "ü"],
            "d": [dt.date(2023, 3, 1), None, None],
            "t": [dt.datetime(2023, 3, 1, 8, 30), dt.datetime(2023, 3, 2), None],
            "b": [True, None, False],
            "l": [[1, 2], None, []],
        }
    ).write_parquet(path)
    [table] = open_tables(path)
    assert cells(table) == [
        (1, "1", "5.2", "007", "2023-03-01", "2023-03-01T08:30:00", "TRUE", "[1,2]"),
        (2, None, "61", None, None, "2023-03-02", None, None),
        (3, "3", None, "ü", None, None, "FALSE", "[]"),
    ]


def test_parquet_comes_in_batches_with_running_rows(tmp_path):
    path = tmp_path / "export*[1].parquet"
    pl.DataFrame({"x": range(1000)}).write_parquet(path)
    [table] = open_tables(path, ReadOptions(batch_rows=300))
    assert [batch.height for batch in table.batches()] == [300, 300, 300, 100]
    assert [batch["_row"][0] for batch in table.batches()] == [1, 301, 601, 901]


def test_damaged_parquet_is_refused(tmp_path):
    path = tmp_path / "export.parquet"
    pl.DataFrame({"x": range(1000)}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:500])
    assert code_of(path) == "CORRUPT"


def test_json_lines(tmp_path):
    path = tmp_path / "export.jsonl"
    path.write_text(
        '{"id":"007","wert":5.2,"tief":{"a":[1,"ü"]}}\n\n{"id":"008","neu":true,"wert":null}\n'
        '[1]\n{"id":"009"\n{"id":"1","id":"2"}\n{"wert":1e-12}\n',
        encoding="utf-8",
    )
    [table] = open_tables(path)
    assert table.info.names == ["id", "wert", "tief", "neu"]
    assert cells(table) == [
        (1, "007", "5.2", '{"a": [1, "ü"]}', None),
        (3, "008", None, None, "TRUE"),
        (7, None, "1e-12", None, None),
    ]
    assert table.n_blank == 1
    assert table.rejects().rows() == [
        (4, "QUOTING", "is not a JSON object"),
        (5, "QUOTING", "is not a JSON object"),
        (6, "QUOTING", "names a key twice"),
    ]


def test_json_lines_that_break_off_are_refused(tmp_path):
    path = tmp_path / "export.jsonl"
    path.write_text('{"id":1}\n{"id":')
    assert code_of(path) == "TRUNCATED"


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "outer.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("daten/patienten.csv", "id;wert\n007;3,2\n")
        made.writestr("daten/labor.csv", "id;ldh\n007;200\n008;210\n")
        made.write(HOSTILE / "084_date_1904.xlsx", "buch.xlsx")
        made.writestr("brief.pdf", "%PDF-1.7")
        made.writestr("__MACOSX/._patienten.csv", "x")
    return path


def test_a_zip_of_files_names_its_members(archive):
    tables = {table.info.file: table for table in open_tables(archive)}
    assert list(tables) == [
        "outer.zip/brief.pdf",
        "outer.zip/buch.xlsx",
        "outer.zip/daten/labor.csv",
        "outer.zip/daten/patienten.csv",
    ]
    assert cells(tables["outer.zip/daten/patienten.csv"]) == [(2, "007", "3,2")]
    assert tables["outer.zip/buch.xlsx"].info.date_system == 1904
    with pytest.raises(FileError, match=r"brief\.pdf"):
        list(tables["outer.zip/brief.pdf"].batches())


def test_a_member_can_be_chosen(archive):
    [table] = open_tables(archive, ReadOptions(member="daten/labor.csv"))
    assert cells(table) == [(2, "007", "200"), (3, "008", "210")]
    assert code_of(archive, member="fehlt.csv") == "MISSING_SHEET"
    assert code_of(archive, member="brief.pdf") == "WRONG_TYPE"


def test_a_large_member_is_streamed(tmp_path):
    path = tmp_path / "outer.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(
            "gross.csv", "a;b\n" + "".join(f"{n};{n * 7919 % 100003}\n" for n in range(900_000))
        )
    [table] = open_tables(path)
    assert sum(batch.height for batch in table.batches()) == 900_000


@pytest.mark.parametrize("name", ["../evil.csv", "/etc/evil.csv", "C:/evil.csv", "a\\..\\evil.csv"])
def test_members_that_point_outside_are_refused(tmp_path, name):
    path = tmp_path / "outer.zip"
    with zipfile.ZipFile(path, "w") as made:
        info = zipfile.ZipInfo("x")
        info.filename = name
        made.writestr(info, "a;b\n1;2\n")
    assert code_of(path) == "CORRUPT"


def test_a_zip_in_a_zip_and_a_bomb_are_refused(tmp_path):
    path = tmp_path / "outer.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("inner.zip", b"PK\x05\x06" + b"\0" * 18)
    assert code_of(path) == "WRONG_TYPE"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.csv", "a;b\n" + "1;2\n" * 5_000_000)
    assert code_of(path) == "TOO_LARGE"


def test_a_member_with_a_wrong_checksum_is_refused(archive):
    data = bytearray(archive.read_bytes())
    data[data.index(b"007;3,2")] = ord("9")
    archive.write_bytes(data)
    assert code_of(archive, member="daten/patienten.csv") == "CORRUPT"


def test_an_encrypted_member_is_refused(archive):
    data = bytearray(archive.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1
    archive.write_bytes(data)
    assert code_of(archive) == "ENCRYPTED"


DICTIONARY = """"Variable / Field Name","Form Name","Section Header","Field Type","Field Label","Choices, Calculations, OR Slider Labels"
pid,base,,text,"Patient <b>ID</b>",
sex,base,,radio,Geschlecht,"1, männlich | 2, weiblich, auch divers"
info,base,,descriptive,Hinweis,
emd_site,rel,,checkbox,Ort,"1, Leber | -9, unbekannt"
rel_date,rel,,text,Datum,
resp_date,rel,,text,Datum,
dead,rel,,yesno,Verstorben,
"""


@pytest.fixture
def dictionary(tmp_path):
    path = tmp_path / "dictionary.csv"
    path.write_text(DICTIONARY, encoding="utf-8")
    return path


def test_a_redcap_raw_export_gets_labels_and_choices(tmp_path, dictionary):
    path = tmp_path / "raw.csv"
    path.write_text(
        "pid,redcap_event_name,redcap_repeat_instance,sex,base_complete,emd_site___1,emd_site____9,rel_date,dead\n"
        "017,baseline_arm_1,,1,2,1,0,2023-03-01,0\n"
    )
    [table] = open_tables(path, ReadOptions(dictionary=dictionary))
    columns = {column.name: column for column in table.info.columns}
    assert columns["pid"].label == "Patient ID"
    assert columns["sex"].value_labels == {"1": "männlich", "2": "weiblich, auch divers"}
    assert columns["emd_site___1"].label == "Leber"
    assert columns["emd_site____9"].label == "unbekannt"
    assert columns["emd_site___1"].value_labels == {"0": "Unchecked", "1": "Checked"}
    assert columns["dead"].value_labels == {"1": "Yes", "0": "No"}
    assert columns["base_complete"].value_labels["2"] == "Complete"
    assert columns["redcap_event_name"].label == "Event Name"
    assert cells(table)[0][:4] == (2, "017", "baseline_arm_1", None)


def test_repeated_labels_of_a_label_export_are_told_apart(tmp_path, dictionary):
    path = tmp_path / "labels.csv"
    path.write_text(
        "Patient ID,Geschlecht,Complete?,Ort (choice=Leber),Ort (choice=unbekannt),Datum,Datum,Verstorben,Complete?\n"
        "017,männlich,Complete,Checked,Unchecked,2023-03-01,2023-04-01,No,Complete\n",
        encoding="utf-8",
    )
    assert code_of(path) == "DUPLICATE_COLUMN"
    [table] = open_tables(path, ReadOptions(dictionary=dictionary))
    assert table.info.names == [
        "Patient ID", "Geschlecht", "Complete? [base_complete]", "Ort (choice=Leber)",
        "Ort (choice=unbekannt)", "Datum [rel_date]", "Datum [resp_date]", "Verstorben",
        "Complete? [rel_complete]",
    ]  # fmt: skip
    assert table.info.columns[3].label == "Leber"
    assert table.info.columns[1].value_labels["1"] == "männlich"


def test_another_file_is_no_dictionary(tmp_path, dictionary):
    path = tmp_path / "raw.csv"
    path.write_text("a,b\n1,2\n")
    assert code_of(path, dictionary=path) == "WRONG_TYPE"


def test_a_new_kind_is_one_registration(tmp_path, monkeypatch):
    monkeypatch.setattr("transforms.read.registry._KINDS", {kind.name: kind for kind in kinds()})
    by_name = {kind.name: kind for kind in kinds()}
    register("dat", (".dat",), lambda head: head.startswith(b"a|"), by_name["csv"].opener)
    path = tmp_path / "export.dat"
    path.write_text("a|b\n1|2\n")
    [table] = open_tables(path)
    assert cells(table) == [(2, "1", "2")]


def test_unknown_suffixes_kinds_and_missing_files_are_refused(tmp_path):
    path = tmp_path / "export.docx"
    path.write_text("x")
    assert code_of(path) == "WRONG_TYPE"
    assert code_of(path, kind="word") == "WRONG_TYPE"
    assert code_of(tmp_path / "nothing.csv") == "CORRUPT"


def test_a_declared_kind_is_read_whatever_the_suffix(tmp_path):
    path = tmp_path / "export.out"
    path.write_text("a;b\n1;2\n")
    [table] = open_tables(path, ReadOptions(kind="csv"))
    assert cells(table) == [(2, "1", "2")]
