"""The page of the canonical tables, against the models and the file of codelists themselves."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pandera.polars as pa
import pytest

from schemas.tables.infusion import Infusion
from schemas.tables.lesion import Lesion
from schemas.tables.toxicity import Toxicity
from schemas.tables_docs import PAGE, page

CODELISTS = Path(__file__).parents[2] / "schemas" / "codelists.csv"


@pytest.fixture(scope="module")
def text() -> str:
    return page()


def section(text: str, heading: str) -> str:
    return text.split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0].split("\n### ", 1)[0]


def test_the_page_of_tables_is_current(text: str) -> None:
    assert PAGE.read_text(encoding="utf-8") == text, "run: python -m schemas.tables_docs"


@pytest.mark.parametrize(
    ("name", "model"), [("infusion", Infusion), ("lesion", Lesion), ("toxicity", Toxicity)]
)
def test_every_column_of_a_model_has_its_line_in_order(
    text: str, name: str, model: type[pa.DataFrameModel]
) -> None:
    lines = [line for line in section(text, f"## {name}").splitlines() if line.startswith("| `")]
    rows = [line.split(" | ") for line in lines]
    told = [(row[0].strip("| `"), row[1], row[2], row[6].strip("| ")) for row in rows]
    columns = model.to_schema().columns
    assert told == [
        (
            column,
            declared.metadata["label"],
            declared.metadata["kind"],
            "yes" if declared.metadata["required"] else "",
        )
        for column, declared in columns.items()
    ]


@pytest.mark.parametrize(
    "line",
    [
        "| `infusion_number` | Number of the CAR-T infusion | integer |  |  | 1 to 5 | yes |",
        "| `infusion_date` | Date of infusion | date |  |  |  | yes |",
        "| `b2m` | Beta-2 microglobulin | number | mg/L |  | from 0 |  |",
        "| `sex` | Sex | code |  | [sex](#codelist-sex): `F`, `M`, `U` |  | yes |",
        "| `drugs` | Drug ids of the line, sorted, joined by \\| | text |  |  |  | yes |",
    ],
)
def test_a_column_is_told_with_kind_unit_codes_range_and_whether_it_is_required(
    text: str, line: str
) -> None:
    assert line in text.splitlines()


def test_every_code_of_every_codelist_is_told_with_its_label(text: str) -> None:
    with CODELISTS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 200
    missing = [
        (row["codelist"], row["code"])
        for row in rows
        if row["codelist"] != "exposure_drug"
        and f"| `{row['code']}` | {row['label']} |"
        not in section(text, f"### Codelist {row['codelist']}")
    ]
    assert missing == []
    assert "| `PENTA` | Penta-drug |" in section(text, "### Codelist exposure_drug")


def test_every_link_in_the_page_leads_to_one_heading_or_to_a_file(text: str) -> None:
    headings = [
        line.lstrip("# ").lower().replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#")
    ]
    anchors = set(re.findall(r"\]\(#([^)]+)\)", text))
    assert {"subject", "codelist-drug"} <= anchors
    assert [name for name in anchors if headings.count(name) != 1] == []
    files = set(re.findall(r"\]\(([^#)]+)\)", text))
    assert "../schemas/vocabularies/sex.csv" in files
    assert [name for name in files if not (PAGE.parent / name).is_file()] == []
