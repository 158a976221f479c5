"""CSV cells and row numbers against a writer of our own, for random tables and dialects."""

import csv
import io
import tempfile
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from schemas.errors import FileError
from transforms.read import Limits, ReadOptions, open_tables
from transforms.read.csv_records import RecordParser

SETTINGS = settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))
PLAIN = st.text(alphabet="aB7 ü,;|\t.-'éß<", max_size=6)
MESSY = st.text(alphabet='aB7 ü,;|\t.\n\r"', max_size=6)


@st.composite
def tables(draw, cell=MESSY):
    width = draw(st.integers(1, 5))
    row = st.lists(cell, min_size=width, max_size=width)
    return [f"h{at}" for at in range(width)], draw(st.lists(row, min_size=1, max_size=12))


@st.composite
def dialects(draw):
    return {
        "delimiter": draw(st.sampled_from(";,\t|")),
        "terminator": draw(st.sampled_from(["\n", "\r\n", "\r"])),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])),
        "all_quoted": draw(st.booleans()),
        "last_newline": draw(st.booleans()),
    }


def written(header, rows, dialect):
    """The file's text and the physical line on which each record begins."""
    separator = "\r" if dialect["terminator"] == "\r" else "\n"
    text, lines = "", []
    for row in [header, *rows]:
        lines.append(text.count(separator) + 1)
        text += dialect["delimiter"].join(
            '"' + cell.replace('"', '""') + '"'
            if dialect["all_quoted"] or any(c in cell for c in ';,\t|"\n\r')
            else cell
            for cell in row
        )
        text += dialect["terminator"]
    if not dialect["last_newline"]:
        text = text.removesuffix(dialect["terminator"])
    return text, lines[1:]


def read(data, options):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        path.write_bytes(data)
        [table] = open_tables(path, options)
        batches = list(table.batches())
        assert all(0 < batch.height <= options.batch_rows for batch in batches)
        return table, batches


@given(tables(), dialects(), st.integers(1, 400), st.integers(1, 5))
@SETTINGS
def test_every_cell_and_row_number_comes_back_or_the_file_is_refused(
    table, dialect, block_bytes, batch_rows
):
    header, rows = table
    text, lines = written(header, rows, dialect)
    expected = [
        (line, *(cell or None for cell in row))
        for line, row in zip(lines, rows, strict=True)
        if any(cell.strip() for cell in row)
    ]
    encoding = dialect["encoding"]
    options = ReadOptions(
        delimiter=dialect["delimiter"],
        encoding=encoding if encoding in ("cp1252", "latin-1") else None,
        quote='"',
        batch_rows=batch_rows,
        limits=Limits(eager_bytes=0, block_bytes=block_bytes),
    )
    try:
        reader, batches = read(text.encode(encoding), options)
    except FileError as error:
        refusal = error.code
    else:
        refusal = None
    if refusal == "NO_ROWS":
        assert not expected
        return
    if refusal:  # a quoted line that is itself a whole record cannot be told from an unclosed quote
        assert refusal in ("QUOTING", "TRUNCATED")
        assert any("\n" in cell or "\r" in cell for row in rows for cell in row)
        return
    got = [row for batch in batches for row in batch.rows()]
    rejects = reader.rejects()
    assert got == expected
    assert rejects.is_empty()


@given(tables(cell=PLAIN), dialects())
@SETTINGS
def test_tables_without_newlines_in_cells_are_never_refused(table, dialect):
    header, rows = table
    assume(any(cell.strip() for row in rows for cell in row))
    text, lines = written(header, rows, dialect)
    encoding = dialect["encoding"]
    options = ReadOptions(
        delimiter=dialect["delimiter"],
        encoding=encoding if encoding in ("cp1252", "latin-1") else None,
        quote='"',
    )
    _, batches = read(text.encode(encoding), options)
    expected = [
        (line, *(cell or None for cell in row))
        for line, row in zip(lines, rows, strict=True)
        if any(cell.strip() for cell in row)
    ]
    assert [row for batch in batches for row in batch.rows()] == expected


@given(tables(), dialects(), st.data())
@SETTINGS
def test_both_ways_of_reading_agree_on_damaged_files(table, dialect, data):
    header, rows = table
    text, _ = written(header, rows, dialect)
    at = data.draw(st.integers(len(header), len(text)))
    damage = data.draw(
        st.sampled_from(['"', dialect["delimiter"], "\n", "\r", "\x00", "x", "\u202e"])
    )
    damaged = (text[:at] + damage + text[at:]).encode("utf-8")
    options = ReadOptions(delimiter=dialect["delimiter"], quote='"', limits=Limits(block_bytes=50))
    quick = outcome(damaged, options)
    proof = RecordParser._proof
    RecordParser._proof = lambda self, block: None  # every line is looked at on its own
    try:
        exact = outcome(damaged, options)
    finally:
        RecordParser._proof = proof
    assert quick[0] == exact[0]
    assert_frame_equal(quick[1], exact[1])
    assert_frame_equal(quick[2], exact[2])


def outcome(data, options):
    """Code of refusal, rows and rejects."""
    try:
        table, batches = read(data, options)
    except FileError as error:
        return error.code, pl.DataFrame(), pl.DataFrame()
    frame = pl.concat(batches) if batches else pl.DataFrame()
    return table.n_blank, frame, table.rejects()


@given(tables(), st.sampled_from(["\n", "\r\n"]))
@SETTINGS
def test_what_we_read_is_what_the_standard_library_reads(table, terminator):
    header, rows = table
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator=terminator, quoting=csv.QUOTE_ALL)
    writer.writerows([header, *rows])
    text = buffer.getvalue()
    expected = [
        [cell or None for cell in row]
        for row in list(csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True))[1:]
        if any(cell.strip() for cell in row)
    ]
    assume(expected)
    try:
        _, batches = read(text.encode(), ReadOptions(delimiter=";", quote='"'))
    except FileError as error:
        batches, refusal = [], error.code
    else:
        refusal = None
    if refusal:
        assert refusal == "QUOTING"
        assert "\n" in "".join(cell for row in rows for cell in row)
        return
    assert [list(row[1:]) for batch in batches for row in batch.rows()] == expected


@given(st.binary(max_size=300))
@SETTINGS
def test_no_bytes_make_the_reader_fail_without_a_reason(data):
    assert answer(b"a;b;c\n" + data)


@given(st.binary(max_size=200))
@SETTINGS
def test_no_bytes_at_all_make_the_reader_fail_without_a_reason(data):
    assert answer(data)


def answer(data):
    """What a user gets: rows, or a refusal with advice."""
    try:
        read(data, ReadOptions())
    except FileError as error:
        return error.fix
    return "rows"
