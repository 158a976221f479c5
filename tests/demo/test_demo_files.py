"""Twelve exports in two rounds: same bytes for the same seed, and other readers can open them."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pyreadstat
import pytest

from demo import write_demo_study
from demo.cohort import build_cohort
from demo.describe import describe, kinds
from demo.exports import WRITERS

REPO = Path(__file__).parents[2]
ROUND_TWO = "2024-08-30"


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes_in_another_process(study: Path, tmp_path: Path):
    code = "import sys; from pathlib import Path; from demo import write_demo_study; "
    code += "write_demo_study(Path(sys.argv[1]))"
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "TZ": "Asia/Tokyo"}
    subprocess.run([sys.executable, "-c", code, tmp_path], cwd=REPO, env=environment, check=True)
    assert hashes(tmp_path) == hashes(study)


def test_another_seed_gives_other_patients(study: Path, tmp_path: Path):
    write_demo_study(tmp_path, seed=3)
    one, two = hashes(study), hashes(tmp_path)
    assert one["truth/cohort.csv"] != two["truth/cohort.csv"]
    assert (
        one["inbox/DE06/2024-08-30/cart_kohorte.sav"]
        != two["inbox/DE06/2024-08-30/cart_kohorte.sav"]
    )


def test_every_center_sends_two_deliveries(study: Path):
    sent = sorted(p.relative_to(study / "inbox").as_posix() for p in (study / "inbox").glob("*/*"))
    assert len(sent) == 24
    assert {name.split("/")[1] for name in sent} == {"2024-06-14", "2024-08-30"}


@pytest.mark.parametrize("center", WRITERS)
def test_each_table_opens_elsewhere_and_has_its_rows_and_columns(center, study, cohort, table):
    export = WRITERS[center].build([p for p in cohort if p.center == center], 2)
    delivery = study / "inbox" / center / ROUND_TWO
    for grid in export.grids:
        cells = table(delivery, center, grid.file, grid.sheet)
        headers = {name for _, name in cells}
        assert {c.header for c in grid.columns} == headers
        ids = {
            row for row, name in cells if name == grid.columns[0].header and row >= grid.first_row
        }
        assert len(ids) >= len(grid.records)


def test_ids_keep_their_leading_zeros(study, table):
    csv_ids = table(study / "inbox/DE01" / ROUND_TWO, "DE01", "Patienten.csv", "")
    assert csv_ids[2, "Pat-Nr"] == "003"
    sav_ids = table(study / "inbox/DE06" / ROUND_TWO, "DE06", "cart_kohorte.sav", "")
    assert sav_ids[1, "PATNR"] == "0003"


def test_spss_labels_and_user_missing_codes_survive(study):
    path = study / "inbox/DE06" / ROUND_TWO / "cart_kohorte.sav"
    frame, meta = pyreadstat.read_sav(path, user_missing=True)
    assert meta.variable_value_labels["SEX"] == {1: "männlich", 2: "weiblich", 9: "fehlt"}
    assert meta.missing_ranges["ISS"] == [{"lo": 9.0, "hi": 9.0}]
    assert (frame["ISS"] == 9).sum() == 3
    assert meta.column_names_to_labels["INFDAT"] == "CAR-T-Infusion"


def test_the_swiss_laboratory_counts_days_from_1904(study):
    folder = study / "inbox/CH01" / ROUND_TWO
    book = openpyxl.load_workbook(folder / "CART_Labor_1904.xlsx")
    assert book.epoch.year == 1904
    assert book["Labor"]["B2"].value.year in (2021, 2022, 2023, 2024)
    assert openpyxl.load_workbook(folder / "CART_Klinik.xlsx").epoch.year == 1899


def test_two_row_headers_are_merged_cells(study):
    path = study / "inbox/DE02" / ROUND_TWO / "CAR-T_Liste.xlsx"
    merged = {str(r) for r in openpyxl.load_workbook(path)["Patienten"].merged_cells.ranges}
    assert "A2:D2" in merged


def test_the_registry_sends_rows_of_another_study(study):
    with zipfile.ZipFile(study / "inbox/DE07" / ROUND_TWO / "registerexport.zip") as archive:
        text = archive.read("patient.csv").decode()
    studies = [row["STUDIE"] for row in csv.DictReader(io.StringIO(text), delimiter=";")]
    assert studies.count("MM-CART") == 10
    assert studies.count("LYMPHOM-7") == 2


def test_the_laboratory_extract_has_operators_units_and_offsets(study):
    text = (study / "inbox/US03" / ROUND_TWO / "ehr_lab_extract.csv").read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert any(row["VALUE"] == ">2000" for row in rows)
    assert any(row["VALUE"].startswith("<") for row in rows)
    assert {row["UNIT"] for row in rows} >= {"g/dL", "mg/dL", "U/L", "mg/24h"}
    assert all(row["COLLECTED_AT"][-6:] in ("-05:00", "-04:00") for row in rows)


@pytest.mark.parametrize("center", WRITERS)
def test_every_delivery_says_that_it_is_synthetic(center, study):
    said = b""
    for path in (study / "inbox" / center / ROUND_TWO).iterdir():
        content = path.read_bytes()
        said += content
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                said += b"".join(archive.read(name) for name in archive.namelist())
    assert b"synthet" in said.lower()


def test_the_second_round_knows_later_last_contacts(study, table):
    days = [
        table(study / "inbox/DE04" / day, "DE04", "CART_Salvage_LABELS.csv", "")
        for day in ("2024-06-14", "2024-08-30")
    ]
    last = [
        max(v for (_, name), v in cells.items() if name == "Datum letzter Kontakt" and v[:1] == "2")
        for cells in days
    ]
    assert last[0] <= "2024-06-14" < last[1] <= "2024-08-30"


def test_the_list_of_columns_in_the_docs_is_current(cohort):
    text = (REPO / "docs/demo-study.md").read_text("utf-8")
    assert describe(cohort) in text
    assert kinds() in text


def test_a_study_of_any_size_is_written(tmp_path: Path):
    few = write_demo_study(tmp_path / "few", patients=5)
    assert few["patients"] == 5
    many = write_demo_study(tmp_path / "many", patients=400)
    assert many["patients"] == 400
    assert many["not_planted"] == []
    assert len(build_cohort(1)) == 1


def test_a_filter_was_left_on_in_a_us_workbook(study):
    path = study / "inbox/US01" / ROUND_TWO / "CART_salvage_database.xlsx"
    sheet = openpyxl.load_workbook(path)["Salvage"]
    hidden = [row for row, shape in sheet.row_dimensions.items() if shape.hidden]
    assert hidden
    assert all(sheet.cell(row, 2).value > 1 for row in hidden)
    assert sheet.auto_filter.ref
