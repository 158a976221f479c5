from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from flows.tally import check_shrink, patients, tally
from schemas import staging
from schemas.errors import FileError


def staged(folder: Path, ids: list[str], held_back: list[str] | None = None) -> Path:
    """A staged delivery with nothing but its patients and one finding."""
    for part, members in (("core", ids), ("quarantine", held_back or [])):
        (folder / part).mkdir(parents=True)
        frame = pl.DataFrame({"patient_id": members}, schema={"patient_id": pl.String})
        frame.write_parquet(folder / part / "subject.parquet")
    finding = [1, "DAT-01", "error", "quarantine", "row", "lab", ids[0], 7, "unreadable date"]
    field = [1, 1, "lab", "lab_date", "a.csv", None, 3, "Datum", "x", None]
    ledger = [
        ["read", 1, None, "in", None, 10],
        ["read", 1, None, "out", None, 8],
        ["read", 1, None, "excluded", "legend", 2],
        ["map", 1, "lab", "excluded", "empty repeat", 40],
        ["check", 1, "lab", "out", None, 15],
        ["check", 1, "lab", "quarantined", "DAT-01", 1],
        ["check", 1, "lab", "excluded", "screened out", 3],
    ]
    unknown = ["STR-12", "warning", "subject", "not_run", 0, 0, "judged by the run"]
    for name, rows in (
        ("finding", [finding]),
        ("finding_field", [field]),
        ("ledger", ledger),
        ("check_run", [unknown]),
    ):
        schema = getattr(staging, name.upper())
        pl.DataFrame(rows, schema=schema, orient="row").write_parquet(folder / f"{name}.parquet")
    return folder


def outcome_of(folder: Path) -> tuple[str, int, int]:
    line = pl.read_parquet(folder / "check_run.parquet").filter(pl.col("rule_id") == "STR-12")
    return line.select("outcome", "numerator", "denominator").row(0)


def test_rows_are_counted_by_where_they_went(tmp_path: Path) -> None:
    counts = tally(staged(tmp_path, ["001"]))

    assert (counts.rows_read, counts.rows_loaded) == (10, 15)
    assert (counts.rows_quarantined, counts.rows_excluded) == (1, 5)
    assert (counts.errors, counts.warnings) == (1, 0)


def test_held_back_patients_count_as_delivered(tmp_path: Path) -> None:
    assert patients(staged(tmp_path, ["002", "001"], ["003"])).to_list() == ["001", "002", "003"]


def test_a_first_delivery_has_nothing_to_compare(tmp_path: Path) -> None:
    new = staged(tmp_path / "new", ["001"])

    assert check_shrink(new, None, accepted=False, name="d") == 0
    assert outcome_of(new) == ("not_applicable", 0, 0)


def test_a_delivery_with_all_patients_passes(tmp_path: Path) -> None:
    old = staged(tmp_path / "old", ["001", "002"])
    new = staged(tmp_path / "new", ["002", "001", "003"])

    assert check_shrink(new, old, accepted=False, name="d") == 0
    assert outcome_of(new) == ("passed", 0, 2)
    assert pl.read_parquet(new / "finding.parquet").height == 1


def test_each_missing_patient_becomes_a_finding_with_the_centers_own_id(tmp_path: Path) -> None:
    ids = [f"{n:03d}" for n in range(1, 11)]
    old = staged(tmp_path / "old", ids)
    new = staged(tmp_path / "new", ids[1:-1])

    assert check_shrink(new, old, accepted=False, name="d") == 2

    findings = pl.read_parquet(new / "finding.parquet")
    added = findings.filter(pl.col("rule_id") == "STR-12")
    assert findings.schema == staging.FINDING
    assert added["patient_id"].to_list() == ["001", "010"]
    assert added["finding_id"].to_list() == [2, 3]
    assert added["severity"].to_list() == ["warning", "warning"]
    fields = pl.read_parquet(new / "finding_field.parquet")
    assert fields.schema == staging.FINDING_FIELD
    assert fields["value"].to_list() == ["x", "001", "010"]
    assert outcome_of(new) == ("failed", 2, 10)


def test_a_loss_of_a_fifth_is_a_finding_and_one_patient_more_holds_the_delivery(
    tmp_path: Path,
) -> None:
    ids = [f"{n:03d}" for n in range(1, 11)]
    old = staged(tmp_path / "old", ids)
    fifth = staged(tmp_path / "fifth", ids[2:])
    more = staged(tmp_path / "more", ids[3:])

    assert check_shrink(fifth, old, accepted=False, name="inbox/AA01/2024-06-14") == 2
    with pytest.raises(FileError) as held:
        check_shrink(more, old, accepted=False, name="inbox/AA01/2024-06-14")

    assert held.value.code == "SHRINK"
    assert "3 of 10 patients" in str(held.value)
    assert "001" not in str(held.value)


def test_a_big_loss_that_was_accepted_is_taken_with_its_findings(tmp_path: Path) -> None:
    old = staged(tmp_path / "old", ["001", "002", "003"])
    new = staged(tmp_path / "new", ["003"])

    assert check_shrink(new, old, accepted=True, name="d") == 2
    assert outcome_of(new) == ("failed", 2, 3)
