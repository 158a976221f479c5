"""Excel and OpenDocument workbooks: exact text, physical rows, and what is refused."""

import datetime as dt
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import FileError
from transforms.read import Limits, ReadOptions, open_tables
from transforms.read.worker.values import date_text, float_text, format_kind, number_text

FILES = Path(__file__).parent / "files"
HOSTILE = Path(__file__).parent / "hostile"


def cells(table):
    return [row for batch in table.batches() for row in batch.rows()]


@pytest.fixture
def book(tmp_path):
    """A workbook under construction: `sheet, formats, read(**options)`."""

    class Book:
        def __init__(self, **options):
            self.path = tmp_path / "export.xlsx"
            self.file = xlsxwriter.Workbook(str(self.path), options)
            self.sheet = self.file.add_worksheet("Daten")

        def format(self, code):
            return self.file.add_format({"num_format": code})

        def tables(self, **options):
            self.file.close()
            return open_tables(self.path, ReadOptions(**options))

        def read(self, **options):
            [table] = self.tables(**options)
            return table

    return Book


def test_numbers_are_the_shortest_text_that_gives_them_back(book):
    made = book()
    made.sheet.write_row(0, 0, ["a", "b", "c", "d", "e"])
    made.sheet.write_row(1, 0, [5.2, 61.0, 1e-12, 0.6883285669624557, -0.5])
    assert cells(made.read()) == [(2, "5.2", "61", "1e-12", "0.6883285669624557", "-0.5")]


def test_texts_keep_their_zeros_and_blanks(book):
    made = book()
    made.sheet.write_row(0, 0, ["id", "wert"])
    made.sheet.write_string(1, 0, "00123")
    made.sheet.write_string(1, 1, "  3,2 ")
    assert cells(made.read()) == [(2, "00123", "  3,2 ")]


def test_dates_are_iso_and_times_show_only_where_there_is_one(book):
    made = book()
    made.sheet.write_row(0, 0, ["datum", "zeit", "uhr", "dauer"])
    made.sheet.write_datetime(1, 0, dt.datetime(2023, 3, 1), made.format("dd.mm.yyyy"))
    made.sheet.write_datetime(1, 1, dt.datetime(2023, 3, 1, 8, 30), made.format("d.m.yy hh:mm"))
    made.sheet.write_number(1, 2, 0.5, made.format("hh:mm"))
    made.sheet.write_number(1, 3, 1.5, made.format("[h]:mm"))
    assert cells(made.read()) == [(2, "2023-03-01", "2023-03-01T08:30:00", "12:00:00", "36:00:00")]


def test_a_date_that_shows_only_its_month_gets_no_day(book):
    made = book()
    made.sheet.write_row(0, 0, ["rezidiv", "jahr"])
    made.sheet.write_datetime(1, 0, dt.datetime(2023, 5, 1), made.format("mmm yy"))
    made.sheet.write_datetime(1, 1, dt.datetime(2023, 1, 1), made.format("yyyy"))
    made.sheet.write_datetime(2, 0, dt.datetime(2023, 5, 17), made.format("mmm yy"))
    table = made.read()
    assert cells(table) == [(2, "2023-05", "2023"), (3, "2023-05-17", None)]
    assert any("A2, B2" in note for note in table.info.notes)


def test_the_1904_system_is_obeyed_and_told(book):
    made = book(date_1904=True)
    made.sheet.write(0, 0, "datum")
    made.sheet.write_datetime(1, 0, dt.datetime(2023, 3, 1), made.format("yyyy-mm-dd"))
    table = made.read()
    assert table.info.date_system == 1904
    assert cells(table) == [(2, "2023-03-01")]


def test_the_day_that_excel_invented_stays_impossible():
    assert date_text(60, 1900, "date") == "1900-02-29"
    assert date_text(59, 1900, "date") == "1900-02-28"
    assert date_text(61, 1900, "date") == "1900-03-01"
    assert date_text(44986, 1900, "date") == "2023-03-01"
    assert date_text(44986.5, 1900, "date") == "2023-03-01T12:00:00"
    assert date_text(0, 1904, "date") == "1904-01-01"
    assert date_text(-1, 1900, "date") == "-1"
    assert date_text(3e6, 1900, "date") == "3000000"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("General", "number"), ("Standard", "number"), ("0.00", "number"), ("@", "number"),
        ('0" Tage"', "number"), ("#,##0.00 [$€-407]", "number"), ("[Red]0.0", "number"),
        ("dd/mm/yyyy", "date"), ("[$-407]d. mmmm yyyy;@", "date"), ("yyyy\\-mm\\-dd", "date"),
        ("mmm-yy", "month"), ("mmmm yyyy", "month"), ("yyyy", "year"), ("[h]:mm:ss", "duration"),
        ("hh:mm AM/PM", "date"), (14, "date"), (17, "month"), (22, "date"), (2, "number"), (49, "number"),
    ],
)  # fmt: skip
def test_number_formats_tell_dates_from_numbers(code, kind):
    assert format_kind(code) == kind


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(deadline=None)
def test_a_number_survives_as_text(number):
    assert float(float_text(number)) == number
    assert float(number_text(repr(number))) == number


@given(st.dates(dt.date(1900, 3, 1), dt.date(2100, 12, 31)), st.integers(0, 86_399))
@settings(deadline=None)
def test_each_moment_comes_back_from_its_serial(day, second):
    serial = (day - dt.date(1899, 12, 30)).days + second / 86_400
    moment = dt.datetime.combine(day, dt.time()) + dt.timedelta(seconds=second)
    expected = moment.isoformat() if second else day.isoformat()
    assert date_text(serial, 1900, "date") == expected


def test_rows_are_those_of_the_sheet_and_columns_too(book):
    made = book()
    made.sheet.write_row(3, 2, ["id", "wert"])
    made.sheet.write_row(5, 2, ["1", "x"])
    made.sheet.write_row(9, 2, ["2", "y"])
    table = made.read()
    assert cells(table) == [(6, "1", "x"), (10, "2", "y")]
    assert [column.position for column in table.info.columns] == [3, 4]
    assert table.n_blank == 4


def test_merged_two_row_headers_are_joined(book):
    made = book()
    made.sheet.merge_range(0, 0, 1, 0, "ID")
    made.sheet.merge_range(0, 1, 0, 2, "Rezidiv")
    made.sheet.write(0, 3, "Labor")
    made.sheet.write_row(1, 1, ["Datum", "Ort", "LDH", "Notiz"])
    made.sheet.write_row(2, 0, ["007", "2023", "Leber", 200, "x"])
    table = made.read(header_rows=(1, 2))
    assert table.info.names == ["ID", "Rezidiv / Datum", "Rezidiv / Ort", "Labor / LDH", "Notiz"]
    assert cells(table) == [(3, "007", "2023", "Leber", "200", "x")]


def test_a_merged_header_row_that_nobody_declared_is_pointed_out(book):
    made = book()
    made.sheet.merge_range(0, 0, 0, 1, "Rezidiv")
    made.sheet.write_row(1, 0, ["Datum", "Ort"])
    made.sheet.write_row(2, 0, ["2023", "Leber"])
    table = made.read()
    assert table.info.names == ["Rezidiv", "column 2"]
    assert "header_rows" in table.info.notes[0]


def test_formulas_errors_and_booleans(book):
    made = book()
    made.sheet.write_row(0, 0, ["alter", "fehler", "ja"])
    made.sheet.write_formula(1, 0, "=30+31", None, 61)
    made.sheet.write_formula(1, 1, "=NA()", None, "#N/A")
    made.sheet.write_boolean(1, 2, True)
    made.sheet.write_boolean(2, 2, False)
    table = made.read()
    assert cells(table) == [(2, "61", "#N/A", "TRUE"), (3, None, None, "FALSE")]
    notes = " ".join(table.info.notes)
    assert "2 (A2, B2)" in notes
    assert "error of Excel: 1 (B2)" in notes


def test_a_formula_that_gives_empty_text_is_an_empty_cell(tmp_path):
    row = "<row r='2'><c r='A2'><v>1</v></c><c r='B2' t='str'><f>A9</f><v></v></c></row>"
    head = "<row r='1'><c r='A1'><v>8</v></c><c r='B1'><v>9</v></c></row>"
    [table] = open_tables(changed(tmp_path, sheet=SHEET.format(head + row)))
    assert cells(table) == [(2, "1", None)]


def test_a_formula_that_was_never_calculated_is_not_an_empty_cell(tmp_path):
    path = tmp_path / "export.xlsx"
    made = openpyxl.Workbook()
    made.active.append(["id", "summe"])
    made.active.append(["1", "=1+1"])
    made.save(path)
    [table] = open_tables(path)
    assert cells(table) == [(2, "1", "#FORMULA")]
    assert any("never calculated" in note and "B2" in note for note in table.info.notes)


def test_hidden_sheets_rows_and_columns_are_read_and_told(book):
    made = book()
    made.sheet.write_row(0, 0, ["a", "b"])
    made.sheet.write_row(1, 0, ["1", "2"])
    made.sheet.write_row(2, 0, ["3", "4"])
    made.sheet.set_row(1, None, None, {"hidden": True})
    made.sheet.set_column(1, 1, None, None, {"hidden": True})
    second = made.file.add_worksheet("Alt")
    second.write_row(0, 0, ["c"])
    second.write_row(1, 0, ["5"])
    second.hide()
    first, hidden = made.tables()
    assert cells(first) == [(2, "1", "2"), (3, "3", "4")]
    assert any("hidden rows" in note and "(2)" in note for note in first.info.notes)
    assert any("hidden columns" in note for note in first.info.notes)
    assert cells(hidden) == [(2, "5")]
    assert hidden.info.notes == ("the sheet is hidden, read like the others",)


def test_a_legend_sheet_does_not_stop_the_others(book):
    made = book()
    made.sheet.write_row(0, 0, ["a"])
    made.sheet.write_row(1, 0, ["1"])
    legend = made.file.add_worksheet("Legende")
    legend.write_row(0, 0, ["x", "x"])
    legend.write_row(1, 0, ["1", "2"])
    made.file.add_worksheet("Leer")
    data, other = made.tables()
    assert cells(data) == [(2, "1")]
    assert (other.info.sheet, other.info.columns) == ("Legende", ())
    with pytest.raises(FileError) as error:
        list(other.batches())
    assert error.value.code == "DUPLICATE_COLUMN"


def test_one_sheet_can_be_chosen_and_a_missing_one_is_named(book):
    made = book()
    made.sheet.write_column(0, 0, ["a", "1"])
    made.file.add_worksheet("Zwei").write_column(0, 0, ["b", "2"])
    assert cells(made.read(sheet="Zwei")) == [(2, "2")]
    with pytest.raises(FileError, match="'Daten', 'Zwei'") as error:
        open_tables(made.path, ReadOptions(sheet="Drei"))
    assert error.value.code == "MISSING_SHEET"


def test_control_marks_in_a_cell_reject_the_row(book):
    made = book()
    made.sheet.write_column(0, 0, ["a", "gut", "b\x07se", "zwei\nZeilen"])
    table = made.read()
    assert cells(table) == [(2, "gut"), (4, "zwei\nZeilen")]
    assert table.rejects().select("_row", "code").rows() == [(3, "CONTROL_CHAR")]


def test_rich_text_is_joined(book):
    made = book()
    bold = made.file.add_format({"bold": True})
    made.sheet.write(0, 0, "a")
    made.sheet.write_rich_string(1, 0, "Tec ", bold, "mono", " ab März")
    assert cells(made.read()) == [(2, "Tec mono ab März")]


def test_many_rows_come_in_batches(book):
    made = book()
    made.sheet.write_column(0, 0, ["a", *range(5000)])
    table = made.read(batch_rows=1500)
    batches = list(table.batches())
    assert [batch.height for batch in batches] == [1500, 1500, 1500, 500]
    assert batches[-1].row(-1) == (5001, "4999")


def test_macros_are_refused_by_content_under_an_innocent_name(tmp_path):
    path = tmp_path / "export.xlsx"
    path.write_bytes((HOSTILE / "087_macro.xlsm").read_bytes())
    with pytest.raises(FileError, match="macros") as error:
        open_tables(path)
    assert error.value.code == "WRONG_TYPE"


def changed(tmp_path, **parts):
    """The lying-dimension workbook of the corpus with some parts replaced."""
    path = tmp_path / "export.xlsx"
    with zipfile.ZipFile(HOSTILE / "080_lying_dimension.xlsx") as model:
        content = {name: model.read(name) for name in model.namelist()}
    for part, text in parts.items():
        content[{"sheet": "xl/worksheets/sheet1.xml", "book": "xl/workbook.xml"}[part]] = text
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in content.items():
            made.writestr(name, data)
    return path


SHEET = "<worksheet xmlns='x'><sheetData>{}</sheetData></worksheet>"


@pytest.mark.parametrize(
    ("sheet", "code"),
    [
        ("<!DOCTYPE a [<!ENTITY b 'c'>]>" + SHEET.format("<row r='1'><c r='A1'><v>&b;</v></c></row>"), "DTD"),
        (SHEET.format("<row r='1'><c r='A1'><v>1</v></row>"), "CORRUPT"),
        (SHEET.format("<row r='1'><c r='A1' t='s'><v>99</v></c></row>"), "CORRUPT"),
        (SHEET.format("<row r='1'><c r='A7'><v>1</v></c></row>"), "CORRUPT"),
        (SHEET.format("<row r='2'><c r='A2'><v>1</v></c></row><row r='1'><c r='A1'><v>1</v></c></row>"), "CORRUPT"),
        (SHEET.format("<row r='1'>" + "<c><v>1</v></c>" * 5001 + "</row>"), "TOO_MANY_COLUMNS"),
        (SHEET.format(""), "NO_ROWS"),
        (SHEET.format("<row r='1'><c r='A1'><v>1</v></c></row>"), "NO_ROWS"),
    ],
)  # fmt: skip
def test_broken_sheets_are_refused_with_their_reason(tmp_path, sheet, code):
    with pytest.raises(FileError) as error:
        open_tables(changed(tmp_path, sheet=sheet))
    assert error.value.code == code


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("<c r='A2' t='s'><v>-1</v></c>", "a text is missing from the workbook"),
        ("<c r='A2' t='s'><v>0_0</v></c>", "a text is missing from the workbook"),
        ("<c r='A2'><v>74</v></c><c r='A2'><v>34</v></c>", "column A stands twice in a row"),
        ("<c r='A2'/><c r='A2'><v>34</v></c>", "column A stands twice in a row"),
        ("<c r='A2'><v>7</v><v>4</v></c>", "a cell has two values"),
        ("<c r='A2' t='inlineStr'><is><t>7</t></is><v>4</v></c>", "a cell has two values"),
        ("<c r='A2' s='-1'><v>74</v></c>", "the style of a cell is no number"),
        ("<c r='A2'><t>9</t><v>1</v></c>", "a text stands outside of its cell's value"),
    ],
)
def test_a_cell_that_could_be_another_value_is_refused(tmp_path, cell, problem):
    rows = f"<row r='1'><c r='A1' t='inlineStr'><is><t>h</t></is></c></row><row r='2'>{cell}</row>"
    with pytest.raises(FileError, match=problem) as error:
        open_tables(changed(tmp_path, sheet=SHEET.format(rows)))
    assert (error.value.code, error.value.place.row) == ("CORRUPT", 2)


def test_an_empty_value_beside_a_text_is_no_second_one(tmp_path):
    cell = "<c r='A2' t='inlineStr'><is><r><t>a</t></r><r><t>b</t></r></is></c><c r='B2' t='inlineStr'><v></v><is><t>q</t></is></c>"
    rows = f"<row r='1'><c r='A1' t='inlineStr'><is><t>h</t></is></c><c r='B1' t='inlineStr'><is><t>i</t></is></c></row><row r='2'>{cell}</row>"
    [table] = open_tables(changed(tmp_path, sheet=SHEET.format(rows)))
    assert cells(table) == [(2, "ab", "q")]


@pytest.mark.parametrize("text", ["7_4", "\u0667\u0664", "1_0.5", "infinity", "0x1A", "1e5_0"])
@pytest.mark.parametrize("style", ["", " s='1'"])
def test_what_no_workbook_program_writes_as_a_number_stays_text(tmp_path, text, style):
    rows = f"<row r='1'><c r='A1' t='inlineStr'><is><t>h</t></is></c></row><row r='2'><c r='A2'{style}><v>{text}</v></c></row>"
    [table] = open_tables(changed(tmp_path, sheet=SHEET.format(rows)))
    assert cells(table) == [(2, text)]


def test_cells_without_addresses_and_prefixed_names_are_read(tmp_path):
    sheet = (
        "<m:worksheet xmlns:m='x'><m:sheetData><m:row><m:c><m:v>1</m:v></m:c></m:row>"
        "<m:row><m:c t='inlineStr'><m:is><m:t>ä</m:t></m:is></m:c></m:row></m:sheetData></m:worksheet>"
    )
    [table] = open_tables(changed(tmp_path, sheet=sheet))
    assert table.info.names == ["1"]
    assert cells(table) == [(2, "ä")]


def test_too_many_cells_are_refused_while_streaming(tmp_path):
    rows = "".join(f"<row r='{r}'><c r='A{r}'><v>1</v></c></row>" for r in range(1, 400))
    with pytest.raises(FileError) as error:
        open_tables(
            changed(tmp_path, sheet=SHEET.format(rows)), ReadOptions(limits=Limits(cells=300))
        )
    assert error.value.code == "TOO_LARGE"


def test_an_xlsx_named_xls_is_refused_with_what_to_declare(tmp_path):
    path = tmp_path / "export.xls"
    path.write_bytes((HOSTILE / "080_lying_dimension.xlsx").read_bytes())
    with pytest.raises(FileError, match="kind: xlsx") as error:
        open_tables(path)
    assert error.value.code == "WRONG_TYPE"
    [table] = open_tables(path, ReadOptions(kind="xlsx"))
    assert table.info.names[0] == "center"


def test_an_excel_97_workbook(tmp_path):
    # files/excel97.xls: header in row 2 from column B, row 4 empty, row 5 hidden, a hidden sheet.
    data, hidden = open_tables(FILES / "excel97.xls")
    assert cells(data) == [
        (3, "007", "2023-03-01", "0.6883285669624557", "Grün"),
        (5, "61", "2023-05", "1e-12", "TRUE"),
    ]
    assert data.info.date_system == 1900
    assert hidden.info.sheet == "Versteckt"
    assert "the sheet is hidden, read like the others" in hidden.info.notes


ODS = """<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x" xmlns:style="s"
 xmlns:number="n" xmlns:calcext="c"><office:automatic-styles>
<number:date-style style:name="N1"><number:month/><number:year/></number:date-style>
<style:style style:name="ce1" style:data-style-name="N1"/></office:automatic-styles>
<office:body><office:spreadsheet><table:table table:name="Daten">
<table:table-column table:number-columns-repeated="4"/>
<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="1024"/></table:table-row>
<table:table-row>{header}</table:table-row>
<table:table-row table:visibility="collapse">
<table:table-cell office:value-type="string"><text:p>007</text:p></table:table-cell>
<table:table-cell office:value-type="float" office:value="5.2"><text:p>5,20</text:p></table:table-cell>
<table:table-cell office:value-type="date" office:date-value="2023-03-01"><text:p>01.03.23</text:p></table:table-cell>
<table:table-cell table:style-name="ce1" office:value-type="date" office:date-value="2023-05-01"><text:p>Mai 23</text:p></table:table-cell>
</table:table-row>
<table:table-row table:number-rows-repeated="3"><table:table-cell/></table:table-row>
<table:table-row table:number-rows-repeated="2">
<table:table-cell office:value-type="string"><office:annotation><text:p>Notiz</text:p></office:annotation><text:p>a<text:s text:c="2"/>b</text:p><text:p>c</text:p></table:table-cell>
<table:table-cell table:formula="of:=1/0" office:value-type="string" calcext:value-type="error"><text:p>#DIV/0!</text:p></table:table-cell>
<table:table-cell office:value-type="time" office:time-value="PT08H30M00S"/>
<table:table-cell office:value-type="boolean" office:boolean-value="true"/>
</table:table-row>
<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>
</table:table></office:spreadsheet></office:body></office:document-content>"""


def ods(tmp_path, content):
    path = tmp_path / "export.ods"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        made.writestr("content.xml", content)
    return path


def test_an_opendocument_sheet(tmp_path):
    names = ["id", "wert", "datum", "monat"]
    header = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{name}</text:p></table:table-cell>'
        for name in names
    )
    [table] = open_tables(ods(tmp_path, ODS.format(header=header)))
    assert table.info.names == names
    assert cells(table) == [
        (4, "007", "5.2", "2023-03-01", "2023-05"),
        (8, "a  b\nc", "#DIV/0!", "08:30:00", "TRUE"),
        (9, "a  b\nc", "#DIV/0!", "08:30:00", "TRUE"),
    ]
    assert table.n_blank == 3
    assert any("hidden rows" in note and "(4)" in note for note in table.info.notes)


def test_a_value_repeated_over_a_million_rows_is_refused(tmp_path):
    row = '<table:table-cell office:value-type="float" office:value="1"/></table:table-row><table:table-row table:number-rows-repeated="1000000"><table:table-cell office:value-type="float" office:value="1"/>'
    with pytest.raises(FileError) as error:
        open_tables(ods(tmp_path, ODS.format(header=row)))
    assert error.value.code == "TOO_LARGE"


@given(
    st.lists(
        st.tuples(st.text(alphabet="aß ü<&7.,;_x0\n", max_size=8), st.floats(-1e12, 1e12)),
        min_size=1, max_size=8,
    )
)  # fmt: skip
@settings(deadline=None, max_examples=30)
def test_what_openpyxl_writes_comes_back(tmp_path_factory, pairs):
    path = tmp_path_factory.mktemp("x") / "export.xlsx"
    made = openpyxl.Workbook()
    made.active.append(["text", "zahl"])
    for text, number in pairs:
        made.active.append([text or None, number])
    made.save(path)
    [table] = open_tables(path)
    got = cells(table)
    assert [row[1] for row in got] == [text or None for text, _ in pairs]
    # openpyxl itself writes 16 digits
    assert [float(row[2]) for row in got] == pytest.approx([n for _, n in pairs], rel=1e-15)


@pytest.mark.parametrize("name", ["export.xlsx", "export.ods", "export.zip"])
def test_a_workbook_or_zip_whose_end_is_missing_is_called_truncated(tmp_path, name):
    path = tmp_path / name
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("content.csv", "a;b\n" + "1;2\n" * 2000)
    path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(FileError) as refused:
        open_tables(path)
    assert refused.value.code == "TRUNCATED"
    assert ("workbook" in str(refused.value)) == (not name.endswith(".zip"))


def test_a_workbook_whose_directory_is_damaged_is_corrupt_and_called_a_workbook(tmp_path, book):
    made = book()
    made.sheet.write_row(0, 0, ["a"])
    made.file.close()
    data = bytearray(made.path.read_bytes())
    start = data.index(b"PK\x01\x02")
    data[start : start + 4] = b"XXXX"
    made.path.write_bytes(data)
    with pytest.raises(FileError) as refused:
        open_tables(made.path)
    assert refused.value.code == "CORRUPT"
    assert "the workbook is damaged" in str(refused.value)
