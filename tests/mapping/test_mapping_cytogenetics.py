"""A free text on cytogenetics fills the columns of table risk; what is not understood is told once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.cli import main
from schemas.delivery import read_delivery
from schemas.errors import SpecError
from schemas.spec import load_spec, load_study
from schemas.spec.columns import CYTOGENETIC
from transforms.harmonize.values.common import read_csv
from transforms.stage import process_center

SPEC = """\
sources: {p: {file: p.csv, patient_id: ID}}
tables:
  - table: risk
    from: p
    columns:
      timepoint: {constant: BEFORE_CART}
      del_17p: {column: FISH, as: cytogenetics}
      del_17p_share: {column: FISH, as: cytogenetics}
      t_4_14: {column: FISH, as: cytogenetics}
      t_14_16: {column: FISH, as: cytogenetics}
      gain_1q: {column: FISH, as: cytogenetics}
      high_risk_cytogenetics: {column: FISH, as: cytogenetics}
"""
FLAGS = ("del_17p", "t_4_14", "t_14_16", "gain_1q", "high_risk_cytogenetics")


def read(deliver: Any, *cells: str) -> Any:
    rows = "".join(f'{number},"{cell}"\n' for number, cell in enumerate(cells, 1))
    return deliver(SPEC, p__csv=f"ID,FISH\n{rows}")


@pytest.mark.parametrize(
    ("cell", "flags", "share"),
    [
        ("del17p 15%", ("Y", None, None, None, None), 15.0),
        ("del(17p) 62,5 %, t(4;14) neg", ("Y", "N", None, None, None), 62.5),
        ("t(4;14) neg, 1q+ pos", (None, "N", None, "Y", None), None),
        ("t(14;16)", (None, None, "Y", None, None), None),
        ("FGFR3/IGH", (None, "Y", None, None, None), None),
        ("del17p 0%", ("N", None, None, None, None), 0.0),
        ("Standardrisiko", ("N", "N", "N", None, "N"), None),
        ("t(11;14), standard risk", ("N", "N", "N", None, "N"), None),
        ("gain 1q, standard risk", ("N", "N", "N", "Y", "N"), None),
        ("Hochrisiko", (None, None, None, None, "Y"), None),
        ("t(11;14)", (None, None, None, None, None), None),
        ("n.d.", ("U", "U", "U", "U", "U"), None),
        ("FISH not done", ("U", "U", "U", "U", "U"), None),
        ("k.A.", (None, None, None, None, None), None),
    ],
)
def test_each_column_takes_what_the_text_says_about_it(
    deliver: Any, cell: str, flags: tuple[str | None, ...], share: float | None
) -> None:
    got = read(deliver, cell, "t(4;14)")
    assert got.values("risk", *FLAGS)[0] == flags
    assert got.values("risk", "del_17p_share")[0] == (share,)
    assert got.rules("risk") == []


@pytest.mark.parametrize(
    "cell",
    [
        "siehe Brief",
        "del17p und etwas anderes",
        "del17p pos, del17p neg",
        "del17p <20%",
        "t(4;14), standard risk",
        "high risk, standard risk",
    ],
)
def test_a_text_that_is_not_understood_is_one_finding_and_no_value(deliver: Any, cell: str) -> None:
    got = read(deliver, "t(4;14)", cell)
    assert got.values("risk", *FLAGS)[1] == (None,) * 5
    assert got.rules("risk") == [("risk", 1, "del_17p", "STR-06")]


def test_many_rows_are_read_as_few(deliver: Any) -> None:
    cells = ["del17p 30%", "Standardrisiko", "t(4;14) neg, 1q+ pos", "n.d."] * 300
    got = read(deliver, *cells)
    assert got.values("risk", *FLAGS)[:4] == [
        ("Y", None, None, None, None),
        ("N", "N", "N", None, "N"),
        (None, "N", None, "Y", None),
        ("U", "U", "U", "U", "U"),
    ]
    assert got.frames["risk"]["del_17p_share"].to_list()[:4] == [30.0, None, None, None]
    assert got.frames["risk"].height == 1200


def test_another_column_cannot_be_read_so(deliver: Any) -> None:
    spec = SPEC.replace("del_17p: {", "iss: {", 1)
    with pytest.raises(SpecError, match="cytogenetics are read into columns of table risk"):
        deliver(spec, p__csv="ID,FISH\n1,x\n")


def test_every_column_that_can_be_read_so_is_a_word_of_the_vocabulary() -> None:
    codes = {row["code"] for row in read_csv("cytogenetics")}
    assert codes - {"standard_risk", "other", "not_done"} == set(CYTOGENETIC) - {"del_17p_share"}


def test_carmony_check_names_the_cell_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "centers").mkdir()
    (tmp_path / "study.yaml").write_text(
        "id: SMALL\ntitle: Small\ndata_cut: 2024-06-30\n", encoding="utf-8"
    )
    head = "center: {id: XX01, name: Test center, country: DE}\n"
    block = "  - table: subject\n    from: p\n    columns: {sex: Sex}\n"
    spec = head + SPEC.replace("  - table: risk\n", block + "  - table: risk\n")
    (tmp_path / "centers" / "XX01.yaml").write_text(spec, encoding="utf-8")
    (tmp_path / "2024-06-14").mkdir()
    file = tmp_path / "2024-06-14" / "p.csv"
    file.write_text(
        'ID,Sex,FISH\n1,F,"del17p 30%, t(4;14) neg"\n2,M,siehe Brief\n', encoding="utf-8"
    )
    spec_path = str(tmp_path / "centers" / "XX01.yaml")
    assert main(["check", str(file.parent), "--spec", spec_path]) == 1
    told = capsys.readouterr().out
    assert "1 error" in told
    assert "STR-06" in told
    assert "siehe" not in told
    assert told.count("FISH") == 1


def test_the_rules_see_what_the_text_said(tmp_path: Path) -> None:
    block = "  - table: subject\n    from: p\n    columns: {sex: Sex}\n"
    spec = SPEC.replace("  - table: risk\n", block + "  - table: risk\n")
    (tmp_path / "XX01.yaml").write_text(
        "center: {id: XX01, name: Test center, country: DE}\n" + spec, encoding="utf-8"
    )
    (tmp_path / "study.yaml").write_text(
        "id: SMALL\ntitle: Small\ndata_cut: 2024-06-30\n", encoding="utf-8"
    )
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "p.csv").write_text(
        'ID,Sex,FISH\n1,F,"del17p 30%, t(4;14) neg"\n2,M,Standardrisiko\n', encoding="utf-8"
    )
    delivery = read_delivery("XX01", tmp_path / "in", dt.date(2024, 6, 14))
    out = tmp_path / "staged"
    process_center(load_spec(tmp_path / "XX01.yaml"), delivery, out, load_study(tmp_path))
    risk = pl.read_parquet(out / "core" / "risk.parquet").sort("patient_id")
    assert risk.select("del_17p", "t_4_14", "t_14_16", "del_17p_share").rows() == [
        ("Y", "N", None, 30.0),
        ("N", "N", "N", None),
    ]
    run = pl.read_parquet(out / "check_run.parquet").filter(rule_id="STR-06", table="risk")
    assert run["outcome"].to_list() == ["passed"]
