"""Cells read again from a delivery in the vault: as the center wrote them, only those asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from transforms.harmonize import sources
from warehouse.delivered_cells import read_cells, with_delivered_values

SPEC = """\
center: {id: DE01, name: Test center, country: DE}
language: de
export_date: 2024-06-12
sources:
  p: {file: p.csv, delimiter: ";", encoding: cp1252, patient_id: ID}
  x: {file: "*.xlsx", sheet: Verlauf, header_rows: [2, 3], patient_id: "Pat / ID"}
  z: {file: "alt.zip/*.csv", patient_id: ID, optional: true}
tables:
  - {table: subject, from: p, columns: {sex: Geschlecht}}
"""
CELLS = pl.Schema(
    {"file": pl.String, "sheet": pl.String, "row": pl.Int32, "source_column": pl.String}
)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "centers").mkdir()
    (tmp_path / "centers" / "DE01.yaml").write_text(SPEC, encoding="utf-8")
    home = tmp_path / "vault" / "deliveries" / "DE01" / "d1"
    home.mkdir(parents=True)
    (home / "p.csv").write_bytes(
        'ID;Geschlecht;Größe;"Be;merkung"\n1;w;;=1+1\n2;m;"170,5";"zwei\nZeilen"\n3;w; 9 ;x\n'.encode(
            "cp1252"
        )
    )
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Verlauf"
    for row in (["Titel"], ["Pat", "Datum"], ["ID", "Rezidiv"], ["1", "01.02.2023"], ["2", None]):
        sheet.append(row)
    book.create_sheet("Anderes").append(["ID", "Rezidiv"])
    book.save(home / "v.xlsx")
    return tmp_path


def cells(*rows: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), CELLS, orient="row")


def test_cells_are_the_text_that_the_center_wrote(study: Path) -> None:
    asked = cells(
        ("p.csv", None, 2, "Geschlecht"),
        ("p.csv", None, 2, "Größe"),
        ("p.csv", None, 2, "Be;merkung"),
        ("p.csv", None, 3, "Größe"),
        ("p.csv", None, 3, "Be;merkung"),
        ("p.csv", None, 5, "Größe"),
        ("p.csv", None, 3, "Geschlecht | Größe"),
        ("v.xlsx", "Verlauf", 4, "Datum / Rezidiv"),
    )
    found = read_cells(study, "DE01", "d1", asked)
    assert found.drop("cell").equals(asked)
    assert found["cell"].to_list() == [
        "w", None, "=1+1", "170,5", "zwei\nZeilen", " 9 ", "m | 170,5", "01.02.2023",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "cell",
    [
        ("p.csv", None, 99, "Geschlecht"),  # no such row
        ("p.csv", None, 2, "Alter"),  # nor column
        ("q.csv", None, 2, "Geschlecht"),  # nor file
        ("v.xlsx", "Anderes", 2, "ID"),  # a sheet that the spec does not read
        ("v.xlsx", None, 4, "Datum / Rezidiv"),
        ("alt.zip/p.csv", None, 2, "ID"),
    ],
)
def test_what_is_not_there_stays_unknown(study: Path, cell: tuple[Any, ...]) -> None:
    assert read_cells(study, "DE01", "d1", cells(cell))["cell"].to_list() == [None]


def test_a_delivery_or_spec_that_is_gone_leaves_the_value_unknown(study: Path) -> None:
    asked = cells(("p.csv", None, 2, "Geschlecht"))
    assert read_cells(study, "DE01", "d2", asked)["cell"].to_list() == [None]
    (study / "centers" / "DE01.yaml").write_text("center: {", encoding="utf-8")
    assert read_cells(study, "DE01", "d1", asked)["cell"].to_list() == [None]
    (study / "centers" / "DE01.yaml").unlink()
    assert read_cells(study, "DE01", "d1", asked)["cell"].to_list() == [None]


def fields(*values: str | None) -> pl.DataFrame:
    return cells(*[("p.csv", None, n, "Geschlecht") for n in range(2, 2 + len(values))]).select(
        pl.lit("DE01").alias("center_id"),
        pl.lit("d1").alias("delivery_id"),
        *CELLS.names(),
        pl.Series("value", values, dtype=pl.String),
    )


def test_only_values_that_are_missing_are_filled(study: Path) -> None:
    asked = fields(None, "as told", None)
    found = with_delivered_values(study, asked)
    assert found.columns == asked.columns
    assert found["value"].to_list() == ["w", "as told", None]  # row 4 goes on the row before it


def test_no_file_is_opened_where_nothing_is_missing_or_all_is_known(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = with_delivered_values(study, fields(None, None))

    def opened(*_: Any, **__: Any) -> Any:
        raise AssertionError("a file was opened")

    monkeypatch.setattr(sources, "open_tables", opened)
    assert with_delivered_values(study, fields("a", "b"))["value"].to_list() == ["a", "b"]
    assert with_delivered_values(study, fields(None, None), known).equals(known)
    with pytest.raises(AssertionError, match="was opened"):
        with_delivered_values(study, fields(None, None))


def test_only_the_file_that_is_asked_for_is_opened(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = sources.open_tables

    def noted(path: Path, options: Any = None) -> Any:
        seen.append(path.name)
        return real(path, options)

    monkeypatch.setattr(sources, "open_tables", noted)
    read_cells(study, "DE01", "d1", cells(("p.csv", None, 2, "Geschlecht")))
    assert seen == ["p.csv"]
