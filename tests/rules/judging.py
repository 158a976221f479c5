"""Small frames for the checker, written as plain rows: what the mapping would hand over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from schemas.catalog import load_catalog
from schemas.check import Checker, CheckOutcome
from schemas.check_data import CheckFacts
from schemas.staging import ADDRESS, COLUMN_MAP, FILE_ISSUE, ISSUE, SOURCE

CATALOG = load_catalog()
FACTS = CheckFacts("DE01", "DE", dt.date(2024, 6, 14), dt.date(2024, 8, 31))
PRECISIONS = {4: "year", 7: "month", 10: "day"}

# What a row of a table holds unless the test says otherwise.
USUAL: dict[str, dict[str, Any]] = {
    "subject": {"country": "DE", "sex": "F"},
    "infusion": {"infusion_number": 1, "product": "CILTA", "infusion_date": "2022-06-20"},
    "risk": {"timepoint": "BEFORE_CART"},
    "exposure": {"drug": "lenalidomide", "exposed": "Y", "refractory": "Y"},
    "relapse": {"relapse_number": 1, "relapse_date": "2023-01-10"},
    "lesion": {"site": "LIVER", "category": "EXTRAOSSEOUS", "timepoint": "RELAPSE"},
    "treatment_line": {"line_number": 1, "start_date": "2023-02-01", "drugs": "teclistamab"},
    "follow_up": {"vital_status": "ALIVE", "last_contact_date": "2024-05-20"},
    "response": {
        "line_number": 1, "kind": "ASSESSMENT", "response_date": "2023-03-01", "category": "PR",
    },
    "lab": {"lab_date": "2022-06-01", "test": "HB", "value": 10.2},
    "toxicity": {"kind": "CRS", "grade": 1},
}  # fmt: skip


@dataclass(frozen=True)
class Mapped:
    """What the mapping hands over, as far as the checker looks at it."""

    table: str
    frame: pl.DataFrame
    raw: pl.DataFrame
    issues: pl.DataFrame


def batch(
    table: str,
    rows: Sequence[Mapping[str, Any]],
    issues: Sequence[Mapping[str, Any]] = (),
    *,
    first_row: int = 2,
    unmapped: Sequence[str] = (),
) -> Mapped:
    """Rows of one table as a batch. Dates are ISO text, '2023-05' for a month, '2023' for a year.

    All columns that a row or `USUAL` names are mapped, except `unmapped` (constants of a spec).
    """
    declared = CATALOG.tables[table]
    number = list(CATALOG.tables).index(table) + 1
    full, texts = [], []
    names = {name for row in rows for name in row} | USUAL[table].keys() | {"patient_id"}
    names -= set(unmapped)
    for position, given in enumerate(rows):
        row = {"patient_id": "1", **USUAL[table], **given}
        texts.append({n: None if row.get(n) is None else str(row[n]) for n in names})
        for column in declared.columns:
            if column.kind == "date" and row.get(column.name) is not None:
                text = str(row[column.name])
                row[column.name] = dt.date.fromisoformat((text + "-01-01")[:10])
                row[f"{column.name}_precision"] = PRECISIONS[len(text)]
        full.append(
            {
                "center_id": "DE01",
                "row_id": number * 1_000_000 + first_row + position,
                "source_id": number,
                "source_row": first_row + position,
                "map_id": number,
                **row,
            }
        )
    noted = [{"severity": "error", "note": "what was expected", **issue} for issue in issues]
    return Mapped(
        table,
        pl.DataFrame(full, schema=declared.frame_schema),
        pl.DataFrame(texts, schema=dict.fromkeys(sorted(names), pl.String())),
        pl.DataFrame(noted, schema=ISSUE),
    )


def sources() -> pl.DataFrame:
    """One file per table, named after it."""
    names = list(CATALOG.tables)
    return pl.DataFrame(
        {"source_id": range(1, len(names) + 1), "name": names, "file": [f"{n}.csv" for n in names]},
        schema_overrides={"source_id": pl.Int32()},
    ).select(
        (pl.col(name) if name in ("source_id", "name", "file") else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in SOURCE.items()
    )  # fmt: skip


def column_map() -> pl.DataFrame:
    """Every column comes from a source column of its own name in capitals."""
    rows = [
        (number, name, column, 1, number, column.upper(), "column")
        for number, (name, table) in enumerate(CATALOG.tables.items(), start=1)
        for column in ("patient_id", *(c.name for c in table.columns))
    ]
    return pl.DataFrame(rows, schema=COLUMN_MAP, orient="row")


def judge(
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    issues: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    *,
    facts: CheckFacts = FACTS,
    file_issues: Sequence[Mapping[str, Any]] = (),
    looked: Sequence[str] = (),
    derived: Any = None,
) -> CheckOutcome:
    """The outcome of a delivery with these tables; a subject row is made for patient 1 if none is."""
    checker = Checker(CATALOG, facts, derived)
    tables = {"subject": [{}], **tables}
    for name in CATALOG.tables:
        if name in tables:
            checker.add(batch(name, tables[name], (issues or {}).get(name, ())))
    told = [{"issue": number, "position": 1, **row} for number, row in enumerate(file_issues)]
    return checker.finish(
        sources(),
        column_map(),
        pl.DataFrame(schema=ADDRESS),
        file_issues=pl.DataFrame(told, schema=FILE_ISSUE),
        looked=looked,
    )


def rules_found(outcome: CheckOutcome) -> list[str]:
    """Rule ids of all findings, sorted."""
    return sorted(outcome.findings["rule_id"].to_list())
