"""A small study of hand-made staged deliveries, as `transforms.stage` would leave them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from schemas import staging
from schemas.catalog import Catalog, load_catalog
from schemas.spec.study import Study as Settings
from warehouse.build import BuildResult, build_study
from warehouse.loads import DeliveryOutcome, LoadLog
from warehouse.publish import publish
from warehouse.rules import declared_rules

STUDY = Settings(id="MM2024", title="Salvage after CAR-T", data_cut=dt.date(2024, 8, 31))
STUDY._hash = "f" * 64


def derive_subjects(con: duckdb.DuckDBPyConnection, study: Any) -> None:
    """A stand-in for the analysis step: one table that rests on core."""
    con.execute(
        "CREATE TABLE analysis.adsl AS "
        "SELECT usubjid AS USUBJID, center_id::VARCHAR AS SITEID, sex::VARCHAR AS SEX "
        "FROM core.subject"
    ).fetchall()
    con.execute("COMMENT ON COLUMN analysis.adsl.USUBJID IS 'Unique subject identifier'").fetchall()


@dataclass
class SmallStudy:
    """Writes staged folders and runs loads of them."""

    folder: Path
    catalog: Catalog = field(default_factory=load_catalog)
    study: Any = field(default_factory=lambda: STUDY)

    def stage(
        self,
        center: str,
        delivery: str,
        tables: dict[str, list[dict[str, Any]]],
        *,
        findings: Sequence[dict[str, Any]] = (),
        fields: Sequence[dict[str, Any]] = (),
        held_back: dict[str, list[dict[str, Any]]] | None = None,
        address: Sequence[dict[str, Any]] = (),
        lost: int = 0,
    ) -> str:
        """A staged folder with one source file; `lost` rows are in the ledger but in no file."""
        relative = f"vault/staged/{center}/{delivery}"
        out = self.folder / relative
        for part, content in (("core", tables), ("quarantine", held_back or {})):
            (out / part).mkdir(parents=True, exist_ok=True)
            for table, rows in content.items():
                frame = self._frame(center, delivery, table, rows)
                frame.write_parquet(out / part / f"{table}.parquet")
        every = {
            table: (len(tables.get(table, [])), len((held_back or {}).get(table, [])))
            for table in {**tables, **(held_back or {})}
        }
        n_file = sum(good + bad for good, bad in every.values()) + lost
        ledger = [_line("read", None, "in", n_file), _line("read", None, "out", n_file)]
        for table, (good, bad) in every.items():
            extra = lost if table == "subject" else 0
            ledger += [
                _line("map", table, "in", good + bad + extra),
                _line("map", table, "out", good + bad + extra),
                _line("check", table, "in", good + bad + extra),
                _line("check", table, "out", good + extra),
            ]
            ledger += [_line("check", table, "quarantined", bad, "DAT-06")] if bad else []
        source = {
            "source_id": 1,
            "name": "patients",
            "file": "patients.csv",
            "sha256": hashlib.sha256(delivery.encode()).hexdigest(),
            "kind": "csv",
            "n_rows": n_file,
        }
        column_map = [
            {
                "map_id": position,
                "table": table,
                "column": column.name,
                "slot": 1,
                "source_id": 1,
                "source_column": f"Spalte {column.name}",
                "rule": "column",
            }
            for position, table in enumerate(self.catalog.tables, start=1)
            for column in self.catalog.tables[table].columns
        ]
        check_run = [
            {"rule_id": rule["id"], "severity": rule["severity"], "outcome": "passed"}
            for rule in declared_rules(self.catalog)
        ]
        for name, schema, rows in (
            ("source", staging.SOURCE, [source]),
            ("column_map", staging.COLUMN_MAP, column_map),
            ("address", staging.ADDRESS, address),
            ("finding", staging.FINDING, findings),
            ("finding_field", staging.FINDING_FIELD, fields),
            ("ledger", staging.LEDGER, ledger),
            ("check_run", staging.CHECK_RUN, check_run),
        ):
            pl.DataFrame(list(rows), schema=schema).write_parquet(out / f"{name}.parquet")
        (out / "summary.json").write_text(json.dumps({"center_id": center}))
        return relative

    patient = staticmethod(lambda number, sex="F", **more: patient(number, sex, **more))

    def load(self, *outcomes: Any, derive: Callable[..., None] = derive_subjects) -> Path:
        """A whole load: build, publish, log; gives the published file."""
        log, result = self.build(outcomes, derive)
        content = publish(result.path, self.folder)
        log.finish(result.load_id, "published", content_hash=content)
        return self.folder / "published" / "warehouse.duckdb"

    def built(self, *outcomes: Any, derive: Callable[..., None] = derive_subjects) -> Path:
        """The warehouse of a load that is not published, for tests of what a build makes."""
        return self.build(outcomes, derive)[1].path

    def one(self, center: str, delivery: str, *numbers: str, **changes: Any) -> Any:
        """The log line of a staged delivery with these patients."""
        staged = self.stage(center, delivery, {"subject": [patient(n) for n in numbers]})
        return self.outcome(center, delivery, staged, **changes)

    def _frame(
        self, center: str, delivery: str, table: str, rows: list[dict[str, Any]]
    ) -> pl.DataFrame:
        map_id = list(self.catalog.tables).index(table) + 1
        full = [
            {
                "center_id": center,
                "row_id": _row_id(center, delivery, table, position),
                "source_id": 1,
                "source_row": position + 1,
                "map_id": map_id,
                **row,
            }
            for position, row in enumerate(rows, start=1)
        ]
        return pl.DataFrame(full, schema=self.catalog.tables[table].frame_schema)

    def outcome(self, center: str, delivery: str, staged: str | None, **changes: Any) -> Any:
        """A line of the load log."""
        values: dict[str, Any] = {
            "received_on": dt.date(2024, 6, 14),
            "sequence": 1,
            "spec_hash": "s1",
            "code_hash": "c1",
            "outcome": "loaded",
            "staged": staged,
        }
        return DeliveryOutcome(center, delivery, **{**values, **changes})

    def build(
        self, outcomes: Sequence[Any], derive: Callable[..., None] = derive_subjects
    ) -> tuple[LoadLog, BuildResult]:
        """Starts a load of these deliveries and builds its warehouse."""
        log = LoadLog.read(self.folder)
        load_id = log.start("f" * 64, {"duckdb": "1"})
        log.record(load_id, outcomes)
        return log, build_study(self.folder, self.study, load_id, derive=derive)


def patient(number: str, sex: str = "F", **more: Any) -> dict[str, Any]:
    """A row of subject."""
    return {"patient_id": number, "country": "DE", "sex": sex, "birth_year": 1956, **more}


def _row_id(*parts: Any) -> int:
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return int.from_bytes(digest[:7], "big") + 1


def _line(
    step: str, table: str | None, outcome: str, n_rows: int, reason: str | None = None
) -> dict[str, Any]:
    return {
        "step": step,
        "source_id": 1,
        "table": table,
        "outcome": outcome,
        "reason": reason,
        "n_rows": n_rows,
    }


def rows(path: Path, statement: str) -> list[tuple[Any, ...]]:
    """The answer of a statement from a warehouse file."""
    con = duckdb.connect(str(path), read_only=True)
    try:
        return con.execute(statement).fetchall()
    finally:
        con.close()


@pytest.fixture
def ask() -> Callable[[Path, str], list[tuple[Any, ...]]]:
    """Asks a warehouse file."""
    return rows


@pytest.fixture(scope="session")
def module_study() -> Callable[[Path], SmallStudy]:
    """Makes a small study in a folder, for tests that share one."""

    def make(folder: Path) -> SmallStudy:
        folder.mkdir(parents=True)
        return SmallStudy(folder)

    return make


@pytest.fixture
def small_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallStudy:
    """An empty study folder whose name holds characters that SQL and globs treat as special."""
    monkeypatch.delenv("CARMONY_KEY", raising=False)
    from tests.flows import lenient_runs

    lenient_runs.read_here(monkeypatch)
    folder = tmp_path / "study [1] o'clock"
    folder.mkdir()
    return SmallStudy(folder)
