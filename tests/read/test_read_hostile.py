"""The hostile corpus at the level of the readers: what is refused, what is held back, what is read."""

import csv
import resource
import time
from pathlib import Path

import pytest

from schemas.errors import FileError
from tests.read.hostile_files import HERE, made
from transforms.read import ReadOptions, open_tables

with (HERE / "manifest.csv").open(encoding="utf-8", newline="") as manifest:
    MANIFEST = list(csv.DictReader(manifest))

# What the reader itself refuses or holds back; other reasons are judged by the mapping and the rules.
FILE_CODES = {
    "ENCODING", "NO_ROWS", "DUPLICATE_COLUMN", "LINE_ENDING", "QUOTING", "TRUNCATED", "TOO_MANY_COLUMNS",
    "WRONG_TYPE", "TOO_LARGE", "DTD", "ENCRYPTED", "CORRUPT",
}  # fmt: skip
ROW_CODES = {"FIELD_COUNT", "QUOTING", "CONTROL_CHAR"}


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """The folder where the two large files of the corpus are made."""
    return tmp_path_factory.mktemp("large")


def data_rows_in(path: Path) -> int:
    """Records below the header of a plain CSV, counted without our reader."""
    data = path.read_bytes()
    encoding = "utf-16" if data.startswith(b"\xff\xfe") else "utf-8-sig"
    text = data.decode(encoding)
    return (
        sum(
            1
            for row in csv.reader(text.replace("\r\n", "\n").replace("\r", "\n").splitlines(True))
            if row
        )
        - 1
    )


@pytest.mark.parametrize("case", MANIFEST, ids=lambda case: case["file"])
def test_each_hostile_file_is_read_whole_or_refused_with_its_reason(case, large):
    path = made(case["file"], large)
    started = time.process_time()
    refused = case["expected"] == "reject_file" and case["reason_code"] in FILE_CODES
    if refused:
        with pytest.raises(FileError) as error:
            list(open_tables(path)[0].batches())
        assert error.value.code == case["reason_code"]
        assert case["file"] in str(error.value)
        assert error.value.fix
        assert time.process_time() - started < 2
        return
    [table] = open_tables(path)
    rows = sum(batch.height for batch in table.batches())
    rejects = table.rejects()
    expected = int(case["rows_accepted"]) + int(case["rows_rejected"])
    if case["expected"] == "reject_file":  # by the columns, or by comparison with what was loaded
        expected = data_rows_in(path)
    assert rows + rejects.height == expected
    if case["reason_code"] in ROW_CODES:
        assert rejects.height == int(case["rows_rejected"])
        assert set(rejects["code"]) == {case["reason_code"]}
    else:
        assert rejects.height == 0


def test_the_corpus_is_complete():
    here = {path.name for path in HERE.iterdir()} - {"manifest.csv"}
    assert {case["file"] for case in MANIFEST} - here == {
        "031_10k_columns.csv",
        "075_zip_bomb_300MB.xlsx",
    }


def test_bombs_take_no_memory_of_the_run(large):
    names = ["075_zip_bomb_300MB.xlsx", "076_sparse_corner.xlsx", "077_sparse_200_columns.xlsx"]
    paths = [made(name, large) for name in names]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for path in paths:
        with pytest.raises(FileError) as error:
            open_tables(path)
        assert error.value.code == "TOO_LARGE"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100_000  # kB


def test_the_entity_of_a_workbook_is_never_resolved():
    with pytest.raises(FileError) as error:
        open_tables(HERE / "079_xxe.xlsx")
    assert error.value.code == "DTD"
    assert Path("/etc/hostname").read_text().strip() not in str(error.value)


def test_a_path_out_of_the_archive_makes_no_file():
    with pytest.raises(FileError):
        open_tables(HERE / "088_zip_path_traversal.xlsx")
    assert not Path("/tmp/evil2.txt").exists()


def test_a_quoted_newline_keeps_the_row_numbers_of_the_file():
    [table] = open_tables(HERE / "025_quoted_newline.csv")
    [batch] = table.batches()
    assert batch["_row"].to_list() == [2, 3, 5]
    assert batch["comment"].to_list() == [None, "line one\nline two, with comma", None]


def test_a_latin1_file_is_read_if_it_is_declared():
    [table] = open_tables(HERE / "005_latin1_umlaut.csv", ReadOptions(encoding="latin-1"))
    assert next(table.batches())["comment"].to_list() == [None, "Müller-Schäfer Straße"]


def test_the_message_for_a_latin1_file_names_the_likely_encoding():
    with pytest.raises(FileError, match="cp1252"):
        open_tables(HERE / "005_latin1_umlaut.csv")


def test_a_workbook_of_the_1904_system_keeps_its_dates():
    [table] = open_tables(HERE / "084_date_1904.xlsx")
    assert table.info.date_system == 1904
    assert next(table.batches())["infusion_date"].to_list() == ["2023-03-01"]


def test_a_text_among_dates_stays_the_text_it_is():
    [table] = open_tables(HERE / "085_mixed_types_column.xlsx")
    assert next(table.batches())["infusion_date"].to_list() == [
        "2023-03-01",
        "31.02.2023",
        "2023-03-01",
    ]


def test_a_formula_is_read_by_its_value_and_its_place_is_told():
    [table] = open_tables(HERE / "081_formula_cells.xlsx")
    assert next(table.batches())["age"].to_list() == ["61", "61"]
    assert any("F3" in note for note in table.info.notes)


def test_payloads_arrive_byte_for_byte():
    [table] = open_tables(HERE / "062_sql_payloads.csv")
    comments = next(table.batches())["comment"].to_list()
    assert comments[0] == "'; DROP TABLE patient; --"
    assert comments[2] == "\"; ATTACH '/etc/passwd' AS x; --"
    assert comments[9] == "\\'; --"


def test_ids_keep_their_zeros():
    [table] = open_tables(HERE / "037_id_leading_zeros.csv")
    assert next(table.batches())["patient_id"].to_list() == ["00123", "0123", "123"]
