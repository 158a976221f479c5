"""CSV: dialects, encodings, headers, and what is refused."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.errors import FileError
from transforms.read import Limits, ReadOptions, open_tables


def opened(tmp_path, content, name="export.csv", **options):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    [table] = open_tables(path, ReadOptions(**options))
    return table


def rows(table):
    return [row for batch in table.batches() for row in batch.rows()]


def refusal(tmp_path, content, name="export.csv", **options):
    with pytest.raises(FileError) as error:
        rows(opened(tmp_path, content, name, **options))
    return error.value


@pytest.mark.parametrize("mark", [";", ",", "\t", "|"])
def test_the_delimiter_is_found_and_told(tmp_path, mark):
    table = opened(tmp_path, f"id{mark}wert\n007{mark}x\n")
    assert table.info.delimiter == mark
    assert rows(table) == [(2, "007", "x")]


def test_decimal_commas_do_not_make_the_comma_a_delimiter(tmp_path):
    table = opened(tmp_path, "id;m_protein;ferritin\n1;3,2;812,5\n2;4,1;45\n")
    assert (table.info.delimiter, table.info.decimal) == (";", ",")
    assert rows(table)[0] == (2, "1", "3,2", "812,5")


def test_a_declared_delimiter_is_obeyed(tmp_path):
    table = opened(tmp_path, "a,b;c\n1,2;3\n", delimiter=",")
    assert rows(table) == [(2, "1", "2;3")]


def test_cells_are_not_stripped_and_words_for_missing_stay(tmp_path):
    table = opened(tmp_path, 'a;b;c\n  x ;NA;null\n;"";-99\n')
    assert rows(table) == [(2, "  x ", "NA", "null"), (3, None, None, "-99")]


def test_headers_lose_their_outer_blanks_only(tmp_path):
    table = opened(tmp_path, ' id ;"Datum ; Uhrzeit"\n1;2\n')
    assert table.info.names == ["id", "Datum ; Uhrzeit"]


def test_a_column_without_a_header_is_named_by_its_place(tmp_path):
    table = opened(tmp_path, "a;b;\n1;2;\n")
    assert table.info.names == ["a", "b", "column 3"]


def test_blank_rows_are_counted_and_left_out(tmp_path):
    table = opened(tmp_path, "a;b\n1;2\n\n;\n  ; \n3;4\n")
    assert rows(table) == [(2, "1", "2"), (6, "3", "4")]
    assert table.n_blank == 3


def test_a_preamble_is_skipped_if_the_header_row_is_declared(tmp_path):
    table = opened(tmp_path, "Klinik X\nStand 2024\n\nid;wert\n1;2\n", header_rows=(4,))
    assert table.info.names == ["id", "wert"]
    assert rows(table) == [(5, "1", "2")]


def test_a_preamble_that_nobody_declared_is_pointed_out(tmp_path):
    table = opened(tmp_path, "Klinik X\nid;wert\n1;2\n3;4\n", delimiter=";")
    assert table.rejects()["code"].to_list() == ["FIELD_COUNT"] * 3
    assert "header_rows" in table.info.notes[0]


def test_two_header_rows_are_joined(tmp_path):
    text = "ID;Rezidiv;;Labor\n;Datum;Ort;LDH\n1;2023;Leber;200\n"
    table = opened(tmp_path, text, header_rows=(1, 2))
    assert table.info.names == ["ID", "Rezidiv / Datum", "Rezidiv / Ort", "Labor / LDH"]
    assert rows(table) == [(3, "1", "2023", "Leber", "200")]


def test_a_header_with_a_quoted_newline_moves_the_first_row_down(tmp_path):
    table = opened(tmp_path, 'id;"Datum\nInfusion"\n1;2\n')
    assert table.info.names == ["id", "Datum Infusion"]
    assert rows(table) == [(3, "1", "2")]


def test_quotes_can_be_switched_off(tmp_path):
    table = opened(tmp_path, 'a;b\n5" stent;x\n', quote="")
    assert rows(table) == [(2, '5" stent', "x")]


def test_single_quotes_are_found(tmp_path):
    table = opened(tmp_path, "'a';'b'\n'1;2';'it''s'\n")
    assert rows(table) == [(2, "1;2", "it's")]


def test_rejected_rows_name_their_line_and_the_others_load(tmp_path):
    text = 'a;b\n1;2\n1;2;3\n1\n5" x;2\n9;9\nx\x07;1\n'
    table = opened(tmp_path, text)
    assert rows(table) == [(2, "1", "2"), (6, "9", "9")]
    assert table.rejects().rows() == [
        (3, "FIELD_COUNT", "3 fields, the header has 2"),
        (4, "FIELD_COUNT", "1 fields, the header has 2"),
        (5, "QUOTING", 'a " stands inside a field that is not properly quoted'),
        (7, "CONTROL_CHAR", "holds control characters or invisible marks"),
    ]


def test_a_short_and_a_long_row_do_not_make_up_for_each_other(tmp_path):
    table = opened(tmp_path, "a;b;c\n1;2\n1;2;3;4\n1;2;3\n")
    assert rows(table) == [(4, "1", "2", "3")]
    assert table.rejects()["_row"].to_list() == [2, 3]


def test_a_reject_holds_no_value_of_the_row(tmp_path):
    table = opened(tmp_path, "a;b\n1;2\nMeier;1;2\n")
    assert "Meier" not in str(table.rejects().rows())


def test_a_quote_that_swallows_whole_rows_stops_the_file(tmp_path):
    text = 'a;b;c\n1;2;"offen\n4;5;6\n7;8;"zu"\n'
    assert refusal(tmp_path, text).code == "QUOTING"


def test_a_file_that_ends_inside_a_row_is_refused(tmp_path):
    assert refusal(tmp_path, "a;b;c\n1;2;3\n4;5").code == "TRUNCATED"


def test_a_file_that_ends_inside_a_character_is_refused(tmp_path):
    assert refusal(tmp_path, "a;b\n1;Mü".encode()[:-1]).code == "TRUNCATED"


def test_a_whole_last_row_needs_no_line_ending(tmp_path):
    assert rows(opened(tmp_path, "a;b\r\n1;2\r\n3;4")) == [(2, "1", "2"), (3, "3", "4")]


def test_excel_cells_with_line_breaks_inside_a_crlf_file_are_read(tmp_path):
    table = opened(tmp_path, 'a;b\r\n1;"x\ny"\r\n2;z\r\n')
    assert rows(table) == [(2, "1", "x\ny"), (4, "2", "z")]


def test_parts_with_other_line_endings_are_refused(tmp_path):
    assert refusal(tmp_path, "a;b\n1;2\r\n3;4\n").code == "LINE_ENDING"


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff", "a;b\n", "a;b\n;\n\n"])
def test_a_file_without_rows_is_refused(tmp_path, content):
    assert refusal(tmp_path, content).code == "NO_ROWS"


def test_a_header_named_like_our_row_number_is_refused(tmp_path):
    assert refusal(tmp_path, "_row;b\n1;2\n").code == "DUPLICATE_COLUMN"


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-8", "utf-8-sig", "utf-16"])
def test_umlauts_survive_each_encoding(tmp_path, encoding):
    declared = encoding if encoding in ("cp1252", "latin-1") else None
    table = opened(tmp_path, "id;größe\n1;Müller-Weiß\n".encode(encoding), encoding=declared)
    assert table.info.names == ["id", "größe"]
    assert rows(table) == [(2, "1", "Müller-Weiß")]


def test_utf16_without_a_mark_is_read_if_it_is_declared(tmp_path):
    table = opened(tmp_path, "id;wert\n1;ü\n".encode("utf-16-le"), encoding="utf-16-le")
    assert rows(table) == [(2, "1", "ü")]


def test_utf8_declared_as_cp1252_is_refused_instead_of_garbled(tmp_path):
    error = refusal(tmp_path, "id;name\n1;Müller\n", encoding="cp1252")
    assert error.code == "ENCODING"
    assert "utf-8" in error.fix


def test_a_mark_that_contradicts_the_declared_encoding_is_refused(tmp_path):
    assert refusal(tmp_path, b"\xef\xbb\xbfid;a\n1;2\n", encoding="cp1252").code == "ENCODING"


def test_the_likely_encoding_is_named_for_old_mac_text(tmp_path):
    assert "mac-roman" in str(refusal(tmp_path, "id;a\n1;Größe Mütze für\n".encode("mac-roman")))


def test_an_encoding_fault_deep_in_a_large_file_names_its_line(tmp_path):
    text = b"id;a\n" + b"1;x\n" * 500_000 + b"2;M\xfcller\n" + b"1;x\n" * 10
    error = refusal(tmp_path, text, limits=Limits(eager_bytes=1000, block_bytes=100_000))
    assert (error.code, error.place.row) == ("ENCODING", 500_002)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text("a;b\n" + "1;2\n" * 5000)
    [table] = open_tables(path, ReadOptions(limits=Limits(eager_bytes=10, block_bytes=1000)))
    batches = table.batches()
    next(batches)
    with path.open("a") as file:
        file.write("3;4\n")
    with pytest.raises(FileError) as error:
        list(batches)
    assert error.value.code == "CHANGING"


@pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"PK\x03\x04xx", b"\x1f\x8b\x08", b"<html><table>",
                                     b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])  # fmt: skip
def test_other_files_named_csv_are_refused(tmp_path, content):
    assert refusal(tmp_path, content).code == "WRONG_TYPE"


NAMES = [b"M\xfcller.csv", "quote'\"; DROP TABLE x;--.csv", "a\nb.csv", "\u202efdp.csv", "data*[1]?.csv",
         "<img src=x onerror=alert(1)>.csv", ";_$HOME_{0}.csv", "%s{}.csv", " leading.csv", "ünï.csv"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_no_file_name_does_harm(tmp_path, name):
    path = tmp_path / (os.fsdecode(name) if isinstance(name, bytes) else name)
    path.write_bytes(b"a;b\n1;2\n")
    [table] = open_tables(path)
    assert rows(table) == [(2, "1", "2")]
    shown = table.info.file
    assert shown.isprintable()
    shown.encode("utf-8")
    assert "\n" not in shown


def test_batches_hold_at_most_so_many_rows_as_declared(tmp_path):
    table = opened(tmp_path, "a\n" + "x\n" * 25, batch_rows=10)
    assert [batch.height for batch in table.batches()] == [10, 10, 5]


def test_a_large_file_can_be_read_twice(tmp_path):
    table = opened(
        tmp_path, "a;b\n" + "1;2\n1\n" * 3000, limits=Limits(eager_bytes=10, block_bytes=999)
    )
    first, rejects = rows(table), table.rejects().rows()
    assert rows(table) == first
    assert table.rejects().rows() == rejects
    assert len(first) == len(rejects) == 3000


MEMORY = """
import resource, sys
from pathlib import Path
import polars
from transforms.read import open_tables
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
[table] = open_tables(Path(sys.argv[1]))
rows = sum(batch.height for batch in table.batches())
print(rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path):
    path = tmp_path / "large.csv"
    line = ";".join(["P00017", "12.03.2023", "VGPR", "3,12", '"Kommentar; frei"'] + ["abcdef"] * 12)
    with path.open("w") as file:
        file.write(";".join(f"c{at}" for at in range(17)) + "\n")
        for _ in range(30):
            file.write((line + "\n") * 50_000)
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    count, megabytes = map(int, done.stdout.split())
    assert count == 1_500_000
    assert megabytes < 300


def test_excels_own_separator_line_is_obeyed(tmp_path):
    table = opened(tmp_path, "sep=;\r\nid;a,b\r\n1;2\r\n")
    assert (table.info.delimiter, table.info.names) == (";", ["id", "a,b"])
    assert rows(table) == [(3, "1", "2")]


def test_very_wide_tables_are_read_exactly(tmp_path):
    header = ";".join(f"c{at}" for at in range(4000))
    row = ";".join(['"x;1"'] + ["7"] * 3999)
    table = opened(tmp_path, f"{header}\n{row}\n{row};8\n{row}\n")
    assert [cells[:3] for cells in rows(table)] == [(2, "x;1", "7"), (4, "x;1", "7")]
    assert table.rejects()["_row"].to_list() == [3]


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path):
    error = refusal(tmp_path, b"a;b\n1;2\n" + b"x" * 60_000_000)
    assert error.code == "CORRUPT"


def test_a_pipe_or_folder_in_place_of_a_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "export.csv")
    with pytest.raises(FileError) as error:
        open_tables(tmp_path / "export.csv")
    assert error.value.code == "WRONG_TYPE"


def test_ten_thousand_columns_cost_little(tmp_path):
    before = resource.getrusage(resource.RUSAGE_SELF)
    text = ",".join(f"c{at}" for at in range(10_002)) + "\n" + ",".join(["1"] * 10_002) + "\n"
    assert refusal(tmp_path, text).code == "TOO_MANY_COLUMNS"
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime - before.ru_utime < 1
    assert after.ru_maxrss - before.ru_maxrss < 200_000
