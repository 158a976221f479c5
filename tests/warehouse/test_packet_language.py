"""The file of findings in the language of the center."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from schemas.delivery import read_delivery
from schemas.queries import QueryError, Words
from schemas.rule_partial import MAY_VIOLATE
from schemas.spec import load_spec, load_study
from transforms.stage import process_center
from warehouse.packets import write_packet

Study = Any
CAME = dt.date(2024, 6, 14)
GERMAN = [
    "Nummer", "Patient", "Datei", "Blatt", "Zeile", "Spalte", "Gelesener Wert", "Was nicht stimmt",
    "Schweregrad", "Was mit der Zeile geschah", "Was zu tun ist", "Regel",
]  # fmt: skip
SPANISH = [
    "Número", "Paciente", "Archivo", "Hoja", "Fila", "Columna", "Valor leído", "Qué no es correcto",
    "Gravedad", "Qué pasó con la fila", "Qué hay que hacer", "Regla",
]  # fmt: skip
RELAPSE = "The relapse lies before, on or just after the day of infusion. Which date is wrong?"


def packet(study: Study, language: str | None, *findings: dict[str, Any]) -> Path:
    """The packet of these findings, one field each, for a center of that language."""
    heads = [
        {
            "finding_id": number,
            "rule_id": "DAT-13",
            "severity": "error",
            "disposition": "quarantine",
            "scope": "row",
            "table": "relapse",
            "patient_id": "001",
            "row_id": number,
            "message": RELAPSE,
            **{key: value for key, value in told.items() if key not in ("column", "value")},
        }
        for number, told in enumerate(findings, 1)
    ]
    fields = [
        {
            "finding_id": number,
            "position": 1,
            "table": told.get("table", "relapse"),
            "column": told.get("column", "relapse_date"),
            "file": "verlauf.csv",
            "sheet": "Blatt 1",
            "row": 7,
            "source_column": "Rezidiv am",
            "value": told.get("value", "01.03.2022"),
            "understood": told.get("value", "01.03.2022"),
        }
        for number, told in enumerate(findings, 1)
    ]
    tables = {"subject": [study.patient("001")]}
    staged = study.folder / study.stage("DE01", "a", tables, findings=heads, fields=fields)
    summary = {"export_date": "2024-06-12", **({"language": language} if language else {})}
    (staged / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    folder: Path = write_packet(study.folder, "DE01", "a", staged, received_on=CAME)
    return folder


def csv_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def cell(study: Study, language: str, title: str, **finding: Any) -> str:
    """What one finding shows in a column."""
    return csv_rows(packet(study, language, finding))[0][title]


@pytest.mark.parametrize(
    ("language", "titles", "shown"),
    [
        (
            "de",
            GERMAN,
            [
                "Nicht erfüllt: Infusion vor Rezidiv. Ein Rezidiv liegt nach der Infusion, in der "
                "Regel mindestens 10 Tage.",
                "Fehler",
                "wird erst nach der Korrektur verwendet",
                "Das Rezidiv liegt vor, an oder unmittelbar nach dem Tag der Infusion. Welches "
                "Datum ist falsch?",
                "DAT-13",
            ],
        ),
        (
            "es",
            SPANISH,
            [
                "No se cumple: Infusión antes de la recaída. Una recaída es posterior a la "
                "infusión, por lo general en al menos 10 días.",
                "error",
                "no se usa hasta que se corrija",
                "La recaída es anterior a la infusión, del mismo día o de los días inmediatamente "
                "posteriores. ¿Qué fecha es incorrecta?",
                "DAT-13",
            ],
        ),
    ],
)
def test_titles_and_texts_are_in_the_language_of_the_center(
    small_study: Study, language: str, titles: list[str], shown: list[str]
) -> None:
    folder = packet(small_study, language, {})
    book = openpyxl.load_workbook(folder / "findings.xlsx")
    header, row = ([c.value for c in line] for line in book.worksheets[0].iter_rows())
    assert header == titles
    assert row[:7] == ["1", "001", "verlauf.csv", "Blatt 1", "7", "Rezidiv am", "01.03.2022"]
    assert row[7:] == shown
    assert [dict(zip(titles, row, strict=True))] == [
        {title: line[title] for title in titles} for line in csv_rows(folder)
    ]


@pytest.mark.parametrize(
    ("language", "sheets", "lines"),
    [
        (
            "de",
            ["Auffälligkeiten", "Erläuterung"],
            {
                "Zentrum": "DE01",
                "Eingegangen am": "2024-06-14",
                "Datum des Exports": "2024-06-12",
                "Datei patients.csv": "1 Zeile(n) gelesen",
                "Auffälligkeiten": "2",
                "Zeilen dieser Liste": "2, davon 2 in dieser Arbeitsmappe",
                "Regel DAT-13": "2 Auffälligkeit(en), Fehler",
            },
        ),
        (
            "es",
            ["Incidencias", "Información"],
            {
                "Centro": "DE01",
                "Recibido el": "2024-06-14",
                "Fecha de la exportación": "2024-06-12",
                "Archivo patients.csv": "1 fila(s) leída(s)",
                "Incidencias": "2",
                "Líneas de esta lista": "2, de las cuales 2 en este libro",
                "Regla DAT-13": "2 incidencia(s), error",
            },
        ),
    ],
)
def test_the_second_sheet_explains_in_the_language_of_the_center(
    small_study: Study, language: str, sheets: list[str], lines: dict[str, str]
) -> None:
    book = openpyxl.load_workbook(packet(small_study, language, {}, {}) / "findings.xlsx")
    assert book.sheetnames == sheets
    about = {row[0].value: row[1].value for row in book.worksheets[1].iter_rows()}
    assert {title: about.get(title) for title in lines} == lines


def test_what_became_of_a_row_and_how_bad_it_is_are_told_in_each_language(
    small_study: Study,
) -> None:
    outcomes = (
        {"severity": "error", "disposition": "screen_out"},
        {"severity": "warning", "disposition": "keep_query"},
        {"severity": "info", "disposition": "keep_info"},
        {"severity": "warning", "disposition": "keep_query", "value": None, "scope": "file"},
    )
    rows = csv_rows(packet(small_study, "de", *outcomes))
    assert [(r["Schweregrad"], r["Was mit der Zeile geschah"]) for r in rows] == [
        ("Fehler", "Patient gehört nicht zur Studie"),
        ("Warnung", "wird unverändert verwendet; bitte prüfen"),
        ("Hinweis", "wird unverändert verwendet; zur Kenntnis"),
        ("Warnung", "wird unverändert verwendet; bitte prüfen"),
    ]
    rows = csv_rows(packet(small_study, "es", *outcomes))
    assert [(r["Gravedad"], r["Qué pasó con la fila"]) for r in rows][:3] == [
        ("error", "el paciente no pertenece al estudio"),
        ("advertencia", "se usa tal como está; por favor, compruébelo"),
        ("información", "se usa tal como está; para su información"),
    ]


@pytest.mark.parametrize(
    ("language", "wrong", "do"),
    [
        (
            "de",
            "Möglicherweise nicht erfüllt: Infusion vor Rezidiv. Von einem Datum ist nur Monat "
            "oder Jahr bekannt, es kann einem anderen Datum widersprechen. Bitte geben Sie das "
            "vollständige Datum an.",
            "Bitte geben Sie das vollständige Datum an.",
        ),
        (
            "es",
            "Es posible que no se cumpla: Infusión antes de la recaída. De una fecha solo se "
            "conoce el mes o el año y puede contradecir otra fecha. Por favor, indique la fecha "
            "completa.",
            "Por favor, indique la fecha completa.",
        ),
    ],
)
def test_a_partial_date_that_may_contradict_is_not_called_wrong(
    small_study: Study, language: str, wrong: str, do: str
) -> None:
    found = {"message": MAY_VIOLATE, "severity": "warning", "disposition": "keep_query"}
    row = csv_rows(packet(small_study, language, found))[0]
    titles = GERMAN if language == "de" else SPANISH
    assert [row[titles[7]], row[titles[10]]] == [wrong, do]


def test_what_was_said_of_a_value_is_told_and_an_unknown_sentence_stays(
    small_study: Study,
) -> None:
    unit = "unknown unit after the number; expected g/L"
    told = csv_rows(packet(small_study, "de", {"message": unit}, {"message": "Something new."}))
    assert [row["Was nicht stimmt"] for row in told] == [
        "Nicht erfüllt: Infusion vor Rezidiv. Unbekannte Einheit nach der Zahl; erwartet wird g/L",
        "Nicht erfüllt: Infusion vor Rezidiv. Something new.",
    ]


def test_a_question_by_kind_of_column_is_filled_in_the_language_of_the_center(
    small_study: Study,
) -> None:
    unknown = {"rule_id": "STR-06", "value": "viel"}
    sex = cell(small_study, "de", "Was zu tun ist", table="subject", column="sex", **unknown)
    assert sex == (
        "Bitte geben Sie einen dieser Werte an: F (Weiblich), M (Männlich), U (Unbekannt). "
        "Sie können auch Ihre eigenen Bezeichnungen verwenden, wenn sie in Ihrer Zuordnung stehen."
    )
    lines = {"table": "infusion", "column": "prior_lines", **unknown}
    spanish = cell(small_study, "es", "Qué hay que hacer", **lines)
    assert spanish.startswith("Por favor, indique un número entero")
    assert "{" not in spanish


def test_numbers_have_the_decimal_mark_of_the_language() -> None:
    assert Words("de").number(0.5) == "0,5"
    assert Words("es").number(0.5) == "0,5"
    assert Words("en").number(0.5) == "0.5"
    assert Words("de")(" from {low} to {high}", low="0,5", high="5") == " von 0,5 bis 5"


@pytest.mark.parametrize("language", [None, "en", "fr"])
def test_a_language_without_texts_is_told_in_english(
    small_study: Study, language: str | None
) -> None:
    folder = packet(small_study, language, {})
    assert openpyxl.load_workbook(folder / "findings.xlsx").sheetnames == ["Findings", "About"]
    (row,) = csv_rows(folder)
    assert row["What is wrong"].startswith("Not met: Infusion before relapse. A relapse lies after")
    assert row["What to do"] == RELAPSE


def test_cells_made_safe_are_named_by_their_translated_titles(small_study: Study) -> None:
    (row,) = csv_rows(packet(small_study, "de", {"value": "=1+1"}))
    assert row["Gelesener Wert"] == "'=1+1"
    assert row["Zellen mit vorangestelltem '"] == "Gelesener Wert"


def test_a_word_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(QueryError, match=r"words.yaml, 'Centre': is not there; .*'Center'"):
        Words("de")("Centre")


def test_a_value_that_looks_like_a_placeholder_is_not_filled() -> None:
    told = Words("de")("File {file}, sheet {sheet}", file="{sheet}.csv", sheet="A")
    assert told == "Datei {sheet}.csv, Blatt A"


SPEC = """\
center: {id: XX01, name: Test center, country: DE}
language: de
sources:
  p: {file: p.csv, patient_id: ID}
tables:
  - {table: subject, from: p, columns: {sex: Geschlecht}}
"""


def test_the_language_of_a_spec_reaches_the_packet(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "study.yaml").write_text(
        "id: SMALL\ntitle: Small\ndata_cut: 2024-06-30\n", encoding="utf-8"
    )
    (tmp_path / "XX01.yaml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "in" / "p.csv").write_text("ID,Geschlecht\n1,w\n2,grün\n", encoding="utf-8")
    delivery = read_delivery("XX01", tmp_path / "in", CAME)
    staged = tmp_path / "staged"
    process_center(load_spec(tmp_path / "XX01.yaml"), delivery, staged, load_study(tmp_path))
    rows = csv_rows(write_packet(tmp_path, "XX01", "a", staged, received_on=CAME))
    (found,) = [row for row in rows if row["Gelesener Wert"] == "grün"]
    assert found["Regel"] == "STR-06"
    assert found["Was zu tun ist"].startswith("Bitte geben Sie einen dieser Werte an: F")
