"""Findings over the whole study hold the values as delivered and as understood, in the vault alone."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from transforms.harmonize import sources
from warehouse.packets import write_packet
from warehouse.study_rules import study_findings

SmallStudy = Any  # of conftest.py
CAME = dt.date(2024, 6, 14)
SPEC = """\
center: {{id: {center}, name: Test center, country: DE}}
export_date: 2024-06-12
sources: {{p: {{file: patients.csv, patient_id: ID}}}}
tables:
  - {{table: subject, from: p, columns: {{sex: ID}}}}
"""


def rows(number: str, month_only: bool) -> dict[str, list[dict[str, Any]]]:
    diagnosed = dt.date(2018, 3, 1)
    born = {
        "diagnosis_date": diagnosed,
        "diagnosis_date_precision": "month" if month_only else "day",
    }
    infused = {"infusion_date": dt.date(2022, 6, 20), "infusion_date_precision": "day"}
    return {
        "subject": [{"patient_id": number, "sex": "F", "birth_year": 1956, **born}],
        "infusion": [{"patient_id": number, "infusion_number": 1, "product": "CILTA", **infused}],
    }  # fmt: skip


def deliver(folder: Path, center: str, day: str, product: str) -> None:
    """The file in the vault whose rows were staged, and the spec by which it is read."""
    home = folder / "vault" / "deliveries" / center / f"{center}-1"
    home.mkdir(parents=True)
    text = f"ID,Spalte infusion_date,Spalte product\n1,{day},{product}\n"
    (home / "patients.csv").write_text(text, encoding="utf-8")
    (folder / "centers").mkdir(exist_ok=True)
    (folder / "centers" / f"{center}.yaml").write_text(SPEC.format(center=center), encoding="utf-8")


@pytest.fixture
def built(small_study: SmallStudy) -> SmallStudy:
    """The same person in two centers; the file of the second is not in the vault any more."""
    s = small_study
    deliver(s.folder, "AA01", "20.06.22", "=Carvykti")
    load(s)
    return s


def load(s: SmallStudy) -> None:
    s.load(
        *[
            s.outcome(c, f"{c}-1", s.stage(c, f"{c}-1", rows(n, month_only=c == "BB02")))
            for c, n in (("AA01", "1"), ("BB02", "7"))
        ]
    )


def told(s: SmallStudy, center: str) -> list[tuple[Any, ...]]:
    _, fields = study_findings(s.folder, center, f"{center}-1")
    return fields.select("column", "row", "value", "understood").rows()


def test_values_are_read_where_the_delivery_is_there_and_else_not_known(built: SmallStudy) -> None:
    assert told(built, "AA01") == [
        ("infusion_date", 2, "20.06.22", "2022-06-20"),
        ("product", 2, "=Carvykti", "CILTA"),
    ]
    assert told(built, "BB02") == [
        ("infusion_date", 2, None, "2022-06-20"),
        ("product", 2, None, "CILTA"),
    ]
    home = built.folder / "vault" / "study_findings"
    assert {path.stat().st_mode & 0o777 for path in home.iterdir()} == {0o600}


def test_the_file_of_findings_shows_them(built: SmallStudy) -> None:
    staged = built.folder / "vault/staged/AA01/AA01-1"
    folder = write_packet(built.folder, "AA01", "AA01-1", staged, received_on=CAME)
    with (folder / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        read = {row["Column"]: row["Value as read"] for row in csv.DictReader(file)}
    assert read == {"Spalte infusion_date": "20.06.22", "Spalte product": "'=Carvykti"}


def test_what_the_build_before_read_is_not_read_again(
    built: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def refused(path: Path, *_: Any) -> Any:
        opened.append(path.name)
        raise OSError

    monkeypatch.setattr(sources, "open_tables", refused)
    load(built)
    assert told(built, "AA01")[0] == ("infusion_date", 2, "20.06.22", "2022-06-20")
    assert opened == []
