"""The twelve specs of the demo map its exports to what is true of its patients."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from demo import write_demo_study
from schemas.catalog import load_catalog
from schemas.delivery import read_delivery
from schemas.spec import load_spec, load_study
from transforms.harmonize import Mapping, plan_delivery

LAST = "2024-08-30"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_demo_study(folder)
    return folder


@pytest.fixture(scope="module")
def mapped(study: Path) -> dict[str, tuple[Mapping, dict[str, pl.DataFrame]]]:
    """Per center: the mapping of the last delivery and its tables."""
    found = {}
    for path in load_study(study).center_specs:
        delivery = read_delivery(
            path.stem, study / "inbox" / path.stem / LAST, dt.date.fromisoformat(LAST)
        )
        mapping = Mapping(plan_delivery(load_spec(path), delivery, load_catalog()))
        tables: dict[str, list[pl.DataFrame]] = {}
        for batch in mapping.batches():
            tables.setdefault(batch.table, []).append(batch.frame)
        found[path.stem] = (mapping, {name: pl.concat(parts) for name, parts in tables.items()})
    return found


def rows_of(study: Path, center: str) -> Iterator[dict[str, str]]:
    with (study / "truth" / "cohort.csv").open(encoding="utf-8", newline="") as file:
        yield from (row for row in csv.DictReader(file) if row["center"] == center)


def test_all_centers_map_and_every_row_is_accounted_for(mapped: dict[str, Any]) -> None:
    assert len(mapped) == 12
    for center, (mapping, tables) in mapped.items():
        sign = pl.when(pl.col("outcome") == "in").then("n_rows").otherwise(-pl.col("n_rows"))
        off = (
            mapping.ledger.group_by("step", "source_id", "table")
            .agg(n=sign.sum())
            .filter(pl.col("n") != 0)
        )
        assert off.height == 0, center
        for name, frame in tables.items():
            assert frame.schema == load_catalog().tables[name].frame_schema
            assert frame["row_id"].is_unique().all(), (center, name)


def test_the_specs_use_each_table_and_every_header_is_named(mapped: dict[str, Any]) -> None:
    used = {name for _, tables in mapped.values() for name in tables}
    assert used == set(load_catalog().tables)
    for center, (mapping, _) in mapped.items():
        unknown = mapping.issues.filter(pl.col("rule_id") == "STR-07")
        assert unknown.height == 0, (center, unknown["source_column"].to_list())


def one(frame: pl.DataFrame, patient: str, **where: Any) -> dict[str, Any]:
    chosen = frame.filter(
        pl.col("patient_id") == patient, *[pl.col(k) == v for k, v in where.items()]
    )
    assert chosen.height == 1, (patient, where)
    return chosen.row(0, named=True)


def test_what_is_mapped_is_what_is_true_of_each_patient(
    study: Path, mapped: dict[str, Any]
) -> None:
    n = 0
    for center, (_, tables) in mapped.items():
        for truth in rows_of(study, center):
            n += 1
            patient = truth["patient_id"]
            infusion = one(tables["infusion"], patient, infusion_number=1)
            assert one(tables["subject"], patient)["sex"] == truth["sex"]
            assert infusion["product"] == truth["product"]
            assert str(infusion["infusion_date"]) == truth["infusion_date"]
            assert infusion["age_at_infusion"] == int(truth["age"])
            assert infusion["ecog"] == int(truth["ecog"])
            risk = one(tables["risk"], patient)
            assert (risk["r_iss"], risk["mycare"]) == (truth["r_iss"], truth["mycare"])
            assert str(one(tables["relapse"], patient)["relapse_date"]) == truth["relapse_date"]
            lines = tables["treatment_line"].filter(pl.col("patient_id") == patient)
            assert lines.height == int(truth["lines"])
            line = one(lines, patient, line_number=1)
            assert str(line["start_date"]) == truth["salvage_date"]
            assert line["drugs"] == "|".join(sorted(truth["drugs"].split("|")))
            best = one(tables["response"], patient, line_number=1, kind="BEST")
            assert best["category"] == truth["best_response"]
            follow_up = one(tables["follow_up"], patient)
            assert follow_up["vital_status"] == ("DEAD" if truth["dead"] == "Y" else "ALIVE")
            assert str(follow_up["death_date"] or "") == truth["death_date"]
            assert str(follow_up["last_contact_date"]) == truth["last_contact_date"]
    assert n == 139
