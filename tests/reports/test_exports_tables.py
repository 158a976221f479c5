"""Tables as CSV, workbook and Word document: complete, as printed, never formulas, the same bytes every time."""

import datetime as dt
import io
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import docx
import pytest
from openpyxl import load_workbook

from reports.content import Content, read_content
from reports.exports import write_exports, write_light
from reports.exports.document import journal, undated, write_document
from reports.exports.figures import write_print, write_svg
from reports.exports.files import write_whole
from reports.exports.ruled_table import TEXT_MM, fitted
from reports.exports.tables import sheet_name, write_csv, write_workbook
from reports.figures.survival_curve import Curve, Step, survival_curves
from reports.sections.model import Bullets, Facts, Figure, Line, Note, Rows, Section, Table

FORMULA = '=HYPERLINK("http://192.0.2.1")'
TABLE = Table(
    "Variable",
    ("A (n = 10)", "P"),
    (
        Line("Sex", ("", "<0.001"), is_head=True),
        Line("Female", ("4 (40)", ""), is_level=True),
        Line("Survival, months", ("not reached", "")),
        Line(FORMULA, ("+1", "")),
    ),
)
FIGURE = Figure("F9", None, ("Log-rank test P <0.001.",), "Nobody to draw.")
BLOCKS = (
    TABLE,
    FIGURE,
    Note("Months > 3 are late."),
    Bullets(("One.",)),
    Facts("Model", (("Patients", "9"),)),
)
ROWS = [
    {"display": "T1", "row": "x", "value": 0.1 + 0.2, "n": 3, "text": FORMULA},
    {"display": "T1", "row": "y", "value": float("nan"), "n": None, "text": None},
]


@pytest.fixture(scope="module")
def exported(warehouse, study, tmp_path_factory) -> Path:
    """A folder with all files of the synthetic cohort."""
    folder = tmp_path_factory.mktemp("exported")
    made = write_exports(warehouse, folder, study)
    assert set(made) == {path for path in folder.rglob("*") if path.is_file()}
    return folder


@pytest.fixture
def content() -> Content:
    section = Section("T1", "Table 1. Patients", "Table 1", BLOCKS)
    named = {"T1": Rows([], {"value": 1.0})}
    return Content(
        "A title", dt.date(2024, 12, 31), list(ROWS[0]), ROWS, named, (section,),
        {"title": "A title", "data_cut": "Data cut 2024-12-31.", "tests": "Two-sided, P <0.05."},
    )  # fmt: skip


def test_the_workbook_has_every_table_as_printed_and_every_estimate(content, tmp_path):
    book = load_workbook(write_workbook(content, tmp_path))
    assert book.sheetnames == ["T1", "estimates"]
    printed = [[cell.value for cell in row] for row in book["T1"].iter_rows()]
    assert printed[0][0] == "Table 1. Patients"
    assert printed[2] == ["Variable", "A (n = 10)", "P"]
    assert printed[3:6] == [
        ["Sex", None, "<0.001"],
        ["Female", "4 (40)", None],
        ["Survival, months", "not reached", None],
    ]
    numbers = [[cell.value for cell in row] for row in book["estimates"].iter_rows()]
    assert numbers[0] == ["display", "row", "value", "n", "text"]
    assert numbers[1][2:4] == pytest.approx([0.1 + 0.2, 3], rel=1e-15)
    assert numbers[2] == ["T1", "y", None, None, None]


def test_no_cell_of_the_workbook_is_a_formula_or_a_link(content, tmp_path):
    book = load_workbook(write_workbook(content, tmp_path))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell.value for cell in cells].count(FORMULA) == 2
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]


def test_names_of_sheets_are_allowed_and_differ_without_regard_to_case():
    taken: set[str] = set()
    assert sheet_name("a/b:c", taken) == "a_b_c"
    assert sheet_name("A_B_C", taken) == "A_B_C_2"
    long = sheet_name("x" * 40, taken)
    again = sheet_name("x" * 40, taken)
    assert (len(long), len(again) <= 31, again != long) == (31, True, True)


def test_csv_has_formulas_as_text(content, tmp_path):
    write_csv(content, tmp_path)
    shown = (tmp_path / "tables" / "T1.csv").read_text("utf-8")
    assert shown.startswith("Variable,A (n = 10),P\n")
    assert "\"'=HYPERLINK(" in shown
    assert ",'+1," in shown


def test_the_document_has_title_tables_figures_notes_and_methods(content, tmp_path):
    document = docx.Document(str(write_document(content, tmp_path, {})))
    texts = [paragraph.text for paragraph in document.paragraphs]
    for wanted in (
        "A title",
        "Table 1. Patients",
        "Nobody to draw.",
        "Log-rank test P <\u00a00.001.",
        "Months > 3 are late.",
        "One.",
        "Model. Patients: 9.",
        "Two-sided, P <\u00a00.05.",
    ):
        assert wanted in [text.strip() for text in texts], wanted
    (table,) = document.tables
    assert [[cell.text for cell in row.cells] for row in table.rows][:4] == [
        ["Variable", "A (n = 10)", "P"],
        ["Sex", "", "<\u00a00.001"],
        ["Female", "4 (40)", ""],
        ["Survival, months", "not reached", ""],
    ]


def test_tables_of_the_document_have_three_rules_and_repeat_their_heads(content, tmp_path):
    document = docx.Document(str(write_document(content, tmp_path, {})))
    (table,) = document.tables
    edges = [row.cells[0]._tc.xpath(".//w:tcBorders/*") for row in table.rows]
    named = [[edge.tag.split("}")[1] for edge in found] for found in edges]
    assert named == [["top", "bottom"], [], [], [], ["bottom"]]
    assert len(table._tbl.xpath(".//w:tblHeader")) == 1


def test_a_picture_of_the_document_has_a_text_for_those_who_do_not_see_it(
    exported, warehouse, study
):
    document = docx.Document(str(exported / "report.docx"))
    told = [shape._inline.docPr.get("descr") for shape in document.inline_shapes]
    drawn = read_content(warehouse, study)
    planned = {section.id for section in drawn.planned}
    figures = [s.heading for s, _ in drawn.figures().values() if s.id in planned]
    assert len(told) == len(figures) > 10
    assert all(text.startswith(head) for text, head in zip(told, figures, strict=True))


def test_a_sign_before_a_number_stands_apart_as_in_journals():
    assert journal("P <0.001; P >0.99") == "P <\u00a00.001; P >\u00a00.99"
    assert journal("> 3 months, a<b, x<5") == "> 3 months, a<b, x<5"


def test_the_same_report_gives_the_same_files(exported, warehouse, study, tmp_path):
    content = read_content(warehouse, study)
    again = tmp_path / "again"
    write_light(content, again)
    write_workbook(content, again)
    files = [path.relative_to(again) for path in again.rglob("*.*")]
    assert len(files) > 30
    for file in files:
        assert (again / file).read_bytes() == (exported / file).read_bytes(), file
    documents = [write_document(content, tmp_path / place, {}).read_bytes() for place in "ab"]
    assert documents[0] == documents[1]


def test_an_archive_without_times_holds_the_same_members():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("b", "two")
        archive.writestr("a", "one")
    with zipfile.ZipFile(io.BytesIO(undated(buffer.getvalue()))) as made:
        assert {name: made.read(name) for name in made.namelist()} == {"b": b"two", "a": b"one"}
        assert {info.date_time for info in made.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_no_word_of_a_table_is_torn_while_letters_can_be_smaller():
    columns = [
        ["Variable", "Time to relapse"],
        *([f"Talquetamab {k}", "12 (34)"] for k in range(7)),
    ]
    size, widths = fitted(columns)
    assert sum(widths) <= TEXT_MM + 1e-9
    assert 5.5 <= size <= 8.5
    # Eleven letters of the size taken, bold: 11 * 0.6 of it, and both margins.
    assert min(widths[1:]) >= 11 * size * 25.4 / 72 * 0.6
    few, _ = fitted([["A", "b"], ["C", "d"]])
    assert few == 8.5


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = write_whole(tmp_path / "x" / "file.txt", "old")

    def full(self: Path, data: bytes) -> int:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, "new")
    assert path.read_text("utf-8") == "old"
    assert [found.name for found in path.parent.iterdir()] == ["file.txt"]


def test_every_display_of_the_page_has_its_files(exported, warehouse, study):
    made = {path.relative_to(exported).as_posix() for path in exported.rglob("*.*")}
    for name in ("tables/T1.csv", "tables/estimates.csv", "tables/tables.xlsx", "report.docx"):
        assert name in made
    for kind in ("svg", "pdf", "png"):
        assert f"figures/F1C.{kind}" in made
    sheets = load_workbook(exported / "tables" / "tables.xlsx").sheetnames
    assert set(sheets) == {*read_content(warehouse, study).tables(), "estimates"}


def test_texts_that_xml_cannot_hold_or_too_long_ones_stop_no_file(content, study, tmp_path):
    odd = "a\x01b\ud800" + "c" * 400
    table = Table(odd, (odd,), (Line(odd, (odd,)),), odd)
    drawing = survival_curves(
        [Curve(odd, (Step(0.0, 1.0, None, None, odd),), (), ((0.0, 1), (3.0, 0)))], odd, "x"
    )
    figure = Figure("T1", drawing, (odd,))
    section = Section("T1", odd, odd, (table, figure, Note(odd), Facts(odd, ((odd, odd),))))
    made = replace(content, title=odd, sections=(section,), sentences={"x": odd})
    pictures = {name: png for name, (_, png) in write_print(made, tmp_path).items()}
    document = docx.Document(str(write_document(made, tmp_path, pictures)))
    assert document.tables[0].cell(0, 0).text == "ab" + "c" * 400
    assert len(document.inline_shapes) == 1
    ElementTree.parse(write_svg(made, tmp_path)[0])


def test_a_cohort_of_nobody_still_gives_all_files(tmp_path, study, create_core):
    import duckdb

    from reports.estimates import write_estimates
    from warehouse.analysis import derive

    path = tmp_path / "empty.duckdb"
    con = duckdb.connect(str(path))
    create_core(con)
    derive(con, study)
    write_estimates(con, study)
    con.close()
    made = write_exports(path, tmp_path / "out", study)
    assert (tmp_path / "out" / "report.docx") in made
    texts = [p.text for p in docx.Document(str(tmp_path / "out" / "report.docx")).paragraphs]
    assert "No patient of this display has a survival time." in texts
