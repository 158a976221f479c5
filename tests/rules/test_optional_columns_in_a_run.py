"""Rules on columns that few centers have: judged where a spec maps them, not run where none does."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl

from schemas.delivery import read_delivery
from schemas.spec import load_spec, load_study
from transforms.stage import process_center

RULES = ("PRI-05", "PRI-07", "PRD-08", "RSP-15")
HEAD = """\
center: {id: XX01, name: Test center, country: DE}
sources:
  p: {file: p.csv, patient_id: ID}
  e: {file: e.csv, patient_id: ID}
tables:
  - {table: subject, from: p, columns: {sex: Sex}}
  - table: infusion
    from: p
    columns: {infusion_number: {constant: 1}, product: {constant: CILTA}, infusion_date: Day, prior_lines: Lines}
  - table: relapse
    from: p
    columns: {relapse_number: {constant: 1}, relapse_date: Relapse, emd: EMD}
  - table: response
    from: p
    columns: {line_number: {constant: 1}, kind: {constant: BEST}, response_date: Best day, category: Best}
"""
WITH = """\
  - table: exposure
    from: e
    columns:
      drug: Drug
      exposed: {constant: Y}
      refractory: Refractory
      last_line: Line
      last_dose_date: Last dose
      progression_date: PD
      best_response: Response
  - table: treatment_line
    from: p
    columns:
      line_number: {constant: 1}
      start_date: Start
      drugs: Regimen
      drug_dose_per_kg: {column: Dose, unit_column: Unit}
      response_imaging: Imaging
"""
WITHOUT = """\
  - {table: exposure, from: e, columns: {drug: Drug, exposed: {constant: Y}, refractory: Refractory}}
  - {table: treatment_line, from: p, columns: {line_number: {constant: 1}, start_date: Start, drugs: Regimen}}
"""
PATIENTS = """\
ID,Sex,Day,Lines,Relapse,EMD,Start,Regimen,Dose,Unit,Imaging,Best,Best day
1,F,2023-01-10,5,2023-06-01,Y,2023-07-01,Teclistamab,1500,ug/kg,PET-CT,CR,2023-09-01
2,M,2023-01-20,7,2023-06-02,Y,2023-07-02,Teclistamab,0.4,mg/kg,,VGPR,2023-09-02
"""
EXPOSED = """\
ID,Drug,Refractory,Line,Last dose,PD,Response
1,Bortezomib,Y,4,2021-03-01,2021-03-20,PR
1,Lenalidomide,Y,5,2022-03-01,2022-06-01,SD
2,Bortezomib,Y,5,2021-03-01,2021-08-01,VGPR
2,Lenalidomide,N,4,2020-03,2021-08,PR
"""


def stage(folder: Path, blocks: str) -> Path:
    """The staged folder of the two files, read by a spec with these blocks."""
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "p.csv").write_text(PATIENTS, encoding="utf-8")
    (folder / "in" / "e.csv").write_text(EXPOSED, encoding="utf-8")
    (folder / "XX01.yaml").write_text(HEAD + blocks, encoding="utf-8")
    (folder / "study.yaml").write_text(
        "id: SMALL\ntitle: Small\ndata_cut: 2024-06-30\n", encoding="utf-8"
    )
    delivery = read_delivery("XX01", folder / "in", dt.date(2024, 6, 14))
    process_center(load_spec(folder / "XX01.yaml"), delivery, folder / "staged", load_study(folder))
    return folder / "staged"


def outcomes(staged: Path) -> set[tuple[Any, ...]]:
    run = pl.read_parquet(staged / "check_run.parquet").filter(pl.col("rule_id").is_in(RULES))
    return set(run.select("rule_id", "outcome", "numerator").iter_rows())


def test_each_rule_finds_its_row_and_names_its_cells(tmp_path: Path) -> None:
    staged = stage(tmp_path, WITH)
    findings = pl.read_parquet(staged / "finding.parquet").filter(pl.col("rule_id").is_in(RULES))
    assert sorted(findings.select("rule_id", "severity", "patient_id").iter_rows()) == [
        ("PRD-08", "warning", "2"),
        ("PRI-05", "warning", "2"),
        ("PRI-07", "warning", "2"),
        ("RSP-15", "warning", "2"),
    ]
    fields = pl.read_parquet(staged / "finding_field.parquet").join(
        findings.select("finding_id", "rule_id"), on="finding_id"
    )
    cells = fields.sort("rule_id", "position").select("rule_id", "file", "row", "source_column")
    assert [row for row in cells.iter_rows() if row[0] != "PRI-07"] == [
        ("PRD-08", "p.csv", 3, "Dose"),
        ("PRD-08", "p.csv", 3, "Regimen"),
        ("PRI-05", "e.csv", 4, "Refractory"),
        ("PRI-05", "e.csv", 4, "Last dose"),
        ("PRI-05", "e.csv", 4, "PD"),
        ("RSP-15", "p.csv", 3, "Imaging"),
        ("RSP-15", "p.csv", 3, "EMD"),
    ]
    named = cells.filter(rule_id="PRI-07").select("file", "row", "source_column").rows()
    assert named[0] == ("p.csv", 3, "Lines")
    assert set(named[1:]) == {("e.csv", 4, "Line"), ("e.csv", 5, "Line")}


def test_a_dose_is_kept_in_its_canonical_unit_and_the_one_reported_beside_it(
    tmp_path: Path,
) -> None:
    lines = pl.read_parquet(stage(tmp_path, WITH) / "core" / "treatment_line.parquet")
    assert lines.sort("patient_id").select(
        "drug_dose_per_kg", "drug_dose_per_kg_unit", "response_imaging"
    ).rows() == [(1.5, "ug/kg", "PET_CT"), (0.4, "mg/kg", None)]


def test_where_no_column_is_mapped_the_rules_did_not_run(tmp_path: Path) -> None:
    staged = stage(tmp_path, WITHOUT)
    assert outcomes(staged) == {(rule, "not_run", 0) for rule in RULES}
    findings = pl.read_parquet(staged / "finding.parquet")
    assert not set(findings["rule_id"]) & set(RULES)
