"""A real workbook of queries to damage: eight lines of center DE01, as the project writes it."""

from __future__ import annotations

import datetime as dt
from functools import cache
from io import BytesIO
from pathlib import Path

import openpyxl
import polars as pl

from schemas.queries import BOOK_WORDS, Words
from schemas.query_frames import QUERY, QUERY_EVENT
from warehouse.queries import QueryLog
from warehouse.query_book import About, write_book
from warehouse.query_book.columns import COLUMNS
from warehouse.query_book.lines import SCHEMA

STUDY, CENTER, OTHER = "SMALL", "DE01", "ES01"
DAY = dt.date(2024, 7, 31)
NOW = dt.datetime(2024, 8, 10, 12, tzinfo=dt.UTC)
# Ids by what the tests do with them.
IDS = [f"Q-0000000{n}" for n in "123456789"]
ENDED, CANDIDATE, FOREIGN, NOBODY = "Q-EEEEEEEE", "Q-CCCCCCCC", "Q-FFFFFFFF", "Q-NNNNNNNN"
FIRST = 3  # row of the first line; hidden codes and titles stand above
AT = {column.code: place for place, column in enumerate(COLUMNS, 1)}
ANSWERS = {
    "en": {
        "corrected": "corrected in next delivery",
        "correct": "value is correct",
        "not_available": "not available",
        "patient_withdrawn": "patient withdrawn",
        "other": "other",
    },
    "de": {
        "corrected": "wird in nächster Lieferung korrigiert",
        "correct": "Wert ist richtig",
        "not_available": "nicht verfügbar",
        "patient_withdrawn": "Patient ausgeschieden",
        "other": "Sonstiges",
    },
    "es": {
        "corrected": "se corrige en el próximo envío",
        "correct": "el valor es correcto",
        "not_available": "no disponible",
        "patient_withdrawn": "paciente retirado",
        "other": "otro",
    },
}


def queries(**states: str) -> pl.DataFrame:
    """QUERY: those of the workbook are open; one is ended, one a candidate, one of another center."""
    told = [(name, CENTER, "open") for name in IDS]
    told += [(ENDED, CENTER, "closed"), (CANDIDATE, CENTER, "candidate"), (FOREIGN, OTHER, "open")]
    return pl.DataFrame(
        [
            {
                "query_id": name,
                "center_id": center,
                "patient_id": f"SECRET-{at}",
                "rule_id": "DAT-01",
                "table": "subject",
                "instance": "",
                "field": "death_date",
                "severity": "error",
                "fingerprint": f"print-{at}",
                "state": states.get(name.replace("-", "_"), state),
                "resolution": "not_available" if state == "closed" else None,
                "answer": "not_available" if state == "closed" else None,
            }
            for at, (name, center, state) in enumerate(told, 1)
        ],
        schema=QUERY,
    )


def lines(ids: list[str]) -> pl.DataFrame:
    """Lines of a workbook, one per text of ids."""
    return pl.DataFrame(
        [
            {
                "query_id": name,
                "patient": f"SECRET-{at}",
                "record": "Linie 1",
                "field": "Todesdatum",
                "file": "Patienten.csv",
                "row": str(at + 1),
                "column": "Todesdatum",
                "value": "31.02.2023",
                "expected": "Ein Datum",
                "question": "Bitte prüfen Sie das Datum",
                "severity": "Fehler",
                "days_open": 3,
                "state": "open",
                "severity_code": "error",
                "rules": [{"rule_id": "DAT-01", "title": "Kein Datum"}],
            }
            for at, name in enumerate(ids, 1)
        ],
        schema=SCHEMA,
    )


def write(
    path: Path,
    ids: list[str] | None = None,
    *,
    language: str = "de",
    center: str = CENTER,
    part: int = 1,
    study: str = STUDY,
) -> Path:
    """The workbook as it is sent."""
    path.write_bytes(_bytes(tuple(IDS[:8] if ids is None else ids), language, center, part, study))
    return path


@cache
def _bytes(ids: tuple[str, ...], language: str, center: str, part: int, study: str) -> bytes:
    out = BytesIO()
    about = About(study, "Small study", center, part, DAY)
    write_book(lines(list(ids)), about, Words(language, further=BOOK_WORDS), out)
    return out.getvalue()


class Returned:
    """A sent workbook under change: `book["Rückfragen"]` by openpyxl, then `save`."""

    def __init__(self, path: Path, **how: object) -> None:
        self.path = write(path, **how)  # type: ignore[arg-type]
        self.book = openpyxl.load_workbook(self.path)
        self.sheet = self.book.worksheets[1]

    def fill(self, line: int, answer: str | None = None, **cells: object) -> Returned:
        """Fills the n-th line (from 1); cells by the code of their column."""
        if answer is not None:
            cells["answer"] = ANSWERS["de"].get(answer, answer)
        for code, value in cells.items():
            self.sheet.cell(FIRST + line - 1, AT[code]).value = value  # type: ignore[assignment]
        return self

    def save(self) -> Path:
        self.book.save(self.path)
        return self.path


def make_study(folder: Path) -> Path:
    """A study of two centers whose log holds the queries; only what an import reads."""
    (folder / "centers").mkdir(parents=True)
    (folder / "study.yaml").write_text(
        f"id: {STUDY}\ntitle: A small synthetic study\ndata_cut: 2024-06-30\n"
    )
    for center in (CENTER, OTHER):
        (folder / "answers" / center).mkdir(parents=True)
        (folder / "centers" / f"{center}.yaml").write_text(SPEC.format(center=center))
    QueryLog.read(folder).append("send", events(queries()))
    return folder


def events(told: pl.DataFrame) -> pl.DataFrame:
    """QUERY_EVENT: each query made, in the state that it has."""
    happened = told.select(
        "query_id",
        *("center_id", "patient_id", "rule_id", "table", "instance", "field"),
        *("severity", "fingerprint", "resolution", "answer"),
        pl.lit(NOW - dt.timedelta(days=9)).cast(pl.Datetime("us", "UTC")).alias("at"),
        pl.lit("data manager").alias("actor"),
        pl.lit("created").alias("event"),
        pl.col("state").alias("to_state"),
    )
    return pl.concat([pl.DataFrame(schema=QUERY_EVENT), happened], how="diagonal")


SPEC = """\
center: {{id: {center}, name: Center {center}, country: DE}}
dates: {{order: ymd}}
sources: {{subject: {{file: subject.csv, patient_id: id}}}}
tables:
  - {{table: subject, from: subject, columns: {{sex: sex}}}}
"""
