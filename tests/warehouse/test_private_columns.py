"""What a private column holds is judged, asked about, and never published."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pytest

from flows.cli import main
from schemas.catalog import load_catalog

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))

import small_study  # noqa: E402

from tests.flows import lenient_runs  # noqa: E402

SECRET = "UPN-REGISTRY-4711"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of one center, two of whose patients have one id in another registry."""
    root: Path = small_study.make_study(tmp_path_factory.mktemp("private") / "study", ("AA01",))
    spec = root / "centers" / "AA01.yaml"
    text = spec.read_text(encoding="utf-8")
    assert "      consent: consent\n" in text
    spec.write_text(
        text.replace(
            "      consent: consent\n", "      consent: consent\n      registry_id: EBMT\n"
        ),
        encoding="utf-8",
    )
    file = root / "inbox" / "AA01" / "2024-06-14" / "subject.csv"
    head, *rows = file.read_text(encoding="utf-8").splitlines()
    ids = [SECRET, SECRET, *[f"{SECRET}-{n}" for n in range(2, len(rows))]]
    told = [f"{row},{own}" for row, own in zip(rows, ids, strict=True)]
    file.write_text("\n".join([f"{head},EBMT", *told]) + "\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.judge_here(patch)
        assert main(["run", str(root), "--no-report"]) == 0
    return root


def test_the_only_private_column_is_the_id_in_another_registry() -> None:
    private = [
        f"{table.name}.{column.name}"
        for table in load_catalog().tables.values()
        for column in table.columns
        if column.private
    ]
    assert private == ["subject.registry_id"]


def test_both_patients_are_asked_about(study: Path) -> None:
    with duckdb.connect(str(study / "published" / "warehouse.duckdb"), read_only=True) as con:
        found = con.execute(
            "select f.severity, x.source_column, count(*) from quality.finding f "
            "join quality.finding_field x using (delivery_key, finding_id) "
            "where f.rule_id = 'DUP-04' group by all"
        ).fetchall()
    assert found == [("warning", "EBMT", 2)]


def test_no_table_has_the_column_and_no_published_file_the_value(study: Path) -> None:
    with duckdb.connect(str(study / "published" / "warehouse.duckdb"), read_only=True) as con:
        columns = con.execute(
            "select table_schema, table_name from information_schema.columns "
            "where column_name = 'registry_id'"
        ).fetchall()
        tables = con.execute(
            "select table_schema, table_name from information_schema.tables"
        ).fetchall()
        cells = [
            str(cell)
            for schema, table in tables
            for row in con.execute(f'select * from "{schema}"."{table}"').fetchall()
            for cell in row
        ]
    assert columns == []
    assert len(cells) > 1000
    assert not [cell for cell in cells if SECRET in cell]
    for path in (study / "published").rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
