"""A study's folder may have a name that is also a pattern."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl

from schemas.delivery import read_delivery
from schemas.spec import load_spec, load_study
from transforms.stage import process_center

SPEC = """\
center: {id: XX01, name: Test center, country: DE}
sources:
  p: {file: p.csv, patient_id: ID}
  r: {file: r.csv, patient_id: ID}
tables:
  - {table: subject, from: p, columns: {sex: Sex}}
  - table: response
    from: r
    columns: {line_number: {constant: 1}, kind: {constant: ASSESSMENT}, response_date: D, category: R}
"""


def test_a_delivery_is_staged_in_a_folder_whose_name_is_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "study 1x").mkdir()  # what the pattern would find
    root = tmp_path / "study [1]*"
    (root / "in").mkdir(parents=True)
    (root / "study.yaml").write_text(
        "id: SMALL\ntitle: Small\ndata_cut: 2024-06-30\n", encoding="utf-8"
    )
    (root / "XX01.yaml").write_text(SPEC, encoding="utf-8")
    (root / "in" / "p.csv").write_text("ID,Sex\n1,F\n2,M\n", encoding="utf-8")
    rows = "1,2023-01-01,PR\n1,2023-02-01,CR\n1,2023-01-01,PR\n2,2023-01-01,SD\n"
    (root / "in" / "r.csv").write_text(f"ID,D,R\n{rows}", encoding="utf-8")
    delivery = read_delivery("XX01", root / "in", dt.date(2024, 6, 14))

    process_center(load_spec(root / "XX01.yaml"), delivery, root / "staged", load_study(root))

    def source_rows(part: str) -> list[int]:
        path = root / "staged" / part / "response.parquet"
        return pl.read_parquet(path, glob=False)["source_row"].sort().to_list()

    assert source_rows("core") == [2, 3, 5]  # the copy was found late, in the file already written
    assert source_rows("quarantine") == [4]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["study 1x", "study [1]*"]
