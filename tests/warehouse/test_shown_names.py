"""A finding over all centers on a file with a patient's id as name: masked where published, as it came in the vault."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import polars as pl

from warehouse.study_rules import study_findings

NAME = "aa-007_labs.csv"


def test_the_vault_keeps_the_name_of_the_file_and_the_warehouse_masks_it(small_study: Any) -> None:
    born = {"diagnosis_date": dt.date(2018, 3, 5), "diagnosis_date_precision": "day"}
    infused = {"infusion_number": 1, "product": "CILTA", "infusion_date": dt.date(2022, 6, 20)}
    lines = []
    for center, one in (("AA01", "AA-007"), ("BB02", "BB-009")):
        tables = {
            "subject": [small_study.patient(one, **born)],
            "infusion": [{"patient_id": one, "infusion_date_precision": "day", **infused}],
        }
        staged = small_study.stage(center, f"{center}-1", tables)
        path = small_study.folder / staged / "source.parquet"
        pl.read_parquet(path, glob=False).with_columns(file=pl.lit(NAME)).write_parquet(path)
        lines.append(small_study.outcome(center, f"{center}-1", staged))
    warehouse = small_study.built(*lines)

    with duckdb.connect(str(warehouse), read_only=True) as con:
        published = con.execute(
            "SELECT DISTINCT f.center_id, x.file FROM quality.finding f "
            "JOIN quality.finding_field x USING (delivery_key, finding_id) "
            "WHERE f.rule_id = 'DUP-02' ORDER BY ALL"
        ).fetchall()
    _, kept = study_findings(small_study.folder, "AA01", "AA01-1")

    # The id is one of AA01 only: in BB02 the same name says nothing.
    assert published == [("AA01", "[id]_labs.csv"), ("BB02", NAME)]
    assert set(kept["file"]) == {NAME}
