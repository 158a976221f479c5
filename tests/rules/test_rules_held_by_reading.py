"""Rules of the catalogue that the reading and the derivation hold: their violations cannot come about."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from schemas.delivery import read_delivery
from schemas.spec import load_spec, load_study
from transforms.derive.imwg import derive_response
from transforms.stage import process_center

SPEC = """\
center: {id: XX01, name: Test center, country: DE}
numbers: {decimal: ","}
sources:
  main: {file: main.csv, patient_id: ID}
  tox: {file: tox.csv, patient_id: ID}
  labs: {file: labs.csv, patient_id: ID, optional: yes}
  lines: {file: lines.csv, patient_id: ID, optional: yes}
tables:
  - {table: subject, from: main, columns: {sex: Sex}}
  - table: infusion
    from: main
    join: {source: tox, columns: [ECOG]}
    columns: {infusion_number: {constant: 1}, product: {constant: CILTA}, infusion_date: Day, ecog: ECOG}
  - table: lab
    from: labs
    columns: {lab_date: Day, test: {constant: M_SERUM}, value: {column: M, unit: g/L}}
  - table: treatment_line
    from: lines
    columns: {line_number: {constant: 1}, start_date: Day, drugs: Regimen}
"""
MAIN = "ID;Sex;Day\na;F;2022-06-20\nb;M;2022-06-21\nc;F;2022-07-01\n"
TOX = "ID;ECOG\na;0\nb;1\nc;2\n"


def stage(folder: Path, **files: str) -> Path:
    """The staged folder of a delivery of these files."""
    (folder / "in").mkdir(parents=True)
    for name, content in {"main": MAIN, "tox": TOX, **files}.items():
        (folder / "in" / f"{name}.csv").write_text(content, encoding="utf-8")
    (folder / "XX01.yaml").write_text(SPEC, encoding="utf-8")
    (folder / "study.yaml").write_text(
        "id: SMALL\ntitle: Small\ndata_cut: 2024-06-30\n", encoding="utf-8"
    )
    delivery = read_delivery("XX01", folder / "in", dt.date(2024, 6, 14))
    process_center(load_spec(folder / "XX01.yaml"), delivery, folder / "staged", load_study(folder))
    return folder / "staged"


def kept(staged: Path, table: str, *columns: str) -> list[tuple[Any, ...]]:
    frame = pl.read_parquet(staged / "core" / f"{table}.parquet")
    return frame.sort("patient_id", "row_id").select(columns).rows()


def found(staged: Path, rule: str) -> int:
    return pl.read_parquet(staged / "finding.parquet").filter(pl.col("rule_id") == rule).height


def test_str_05_a_sheet_in_another_order_gives_every_patient_its_own_values(tmp_path: Path) -> None:
    plain = stage(tmp_path / "plain")
    sorted_otherwise = stage(tmp_path / "sorted", tox="ID;ECOG\nc;2\nb;1\na;0\n")
    wanted = [("a", 0), ("b", 1), ("c", 2)]
    assert kept(plain, "infusion", "patient_id", "ecog") == wanted
    assert kept(sorted_otherwise, "infusion", "patient_id", "ecog") == wanted


def test_str_05_ids_that_only_one_sheet_has_are_told_and_never_moved_up(tmp_path: Path) -> None:
    staged = stage(tmp_path, tox="ID;ECOG\na;0\nx;1\nc;2\n")
    assert kept(staged, "infusion", "patient_id", "ecog") == [("a", 0), ("b", None), ("c", 2)]
    assert found(staged, "STR-03") == 1


def test_lab_07_a_sign_or_a_word_in_the_place_of_a_number_is_kept_and_never_zero(
    tmp_path: Path,
) -> None:
    cells = ["<0,1", "0,1", "0", "neg", "n.d."]
    rows = "".join(f"a;2022-06-0{day};{cell}\n" for day, cell in enumerate(cells, 1))
    staged = stage(tmp_path, labs=f"ID;Day;M\n{rows}")
    assert kept(staged, "lab", "value", "value_comparator", "result") == [
        (0.1, "<", None),
        (0.1, None, None),
        (0.0, None, None),
        (None, None, "NEGATIVE"),
        (None, None, "NOT_DONE"),
    ]


# One letter apart: what is read is what is written, and what is not a name is asked about.
NAMES = {
    "Tal-Dex": "dexamethasone|talquetamab",
    "Thal-Dex": "dexamethasone|thalidomide",
    "Elo-Pd": "dexamethasone|elotuzumab|pomalidomide",
    "Isa-Pd": "dexamethasone|isatuximab|pomalidomide",
    "Ixa-Rd": "dexamethasone|ixazomib|lenalidomide",
    "Elranatamab": "elranatamab",
    "Teclistamab": "teclistamab",
    "Benda-Dex": "bendamustine|dexamethasone",
    "Cisplatin": "cisplatin",
}


@pytest.mark.parametrize(("text", "drugs"), NAMES.items())
def test_sal_09_dangerous_pairs_of_names_are_never_mixed(
    tmp_path: Path, text: str, drugs: str
) -> None:
    staged = stage(tmp_path, lines=f"ID;Day;Regimen\na;2023-02-01;{text}\n")
    assert kept(staged, "treatment_line", "drugs") == [(drugs,)]
    assert found(staged, "SAL-01") == 0


@pytest.mark.parametrize("text", ["Tall-Dex", "Tecentriq", "Elotu-Pd", "Isax", "Cilt", "Bendam"])
def test_sal_09_a_word_that_is_nearly_a_name_is_held_back(tmp_path: Path, text: str) -> None:
    staged = stage(tmp_path, lines=f"ID;Day;Regimen\na;2023-02-01;{text}\n")
    assert not (staged / "core" / "treatment_line.parquet").is_file()
    assert pl.read_parquet(staged / "quarantine" / "treatment_line.parquet").height == 1
    assert found(staged, "SAL-01") == 1


@pytest.mark.parametrize(
    ("baseline", "now", "categories"),
    [
        (10.0, 0.5, ["VGPR"]),  # measurable: 95 % less
        (9.9, 0.5, ["NE"]),
        (3.0, 0.1, ["NE"]),
    ],
)
def test_rsp_10_no_percentage_of_an_m_protein_that_was_not_measurable(
    baseline: float, now: float, categories: list[str]
) -> None:
    start = dt.date(2023, 3, 1)
    rows = [
        {"m_serum": baseline, "assessed_on": start},
        {"m_serum": now, "assessed_on": start + dt.timedelta(days=28)},
    ]
    same = {"patient_id": "A", "line_number": 1, "line_start": start, "m_urine": 0.0}
    derived = derive_response(pl.DataFrame([{**same, **row} for row in rows])).assessments
    assert derived["category"].to_list()[1:] == categories
