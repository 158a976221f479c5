"""A study of one center whose deliveries a test changes row by row, run for real."""

from __future__ import annotations

import csv
import datetime as dt
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "flows")]

import sending_help  # noqa: E402
import small_study  # noqa: E402

from schemas.query_frames import ANSWER  # noqa: E402
from warehouse.queries import QueryLog  # noqa: E402
from warehouse.queries.transitions import answer  # noqa: E402

CENTER = "AA01"
Outcomes = dict[tuple[str, str], str]  # number of the patient, rule


class Rounds:
    """The study; `rows` are the rows of the next delivery, by file."""

    def __init__(self, root: Path, spec: Callable[[str], str], patients: int = 12) -> None:
        self.root = root
        (root / "centers").mkdir(parents=True)
        settings = small_study.STUDY + "queries: {release: at_once}\n"
        (root / "study.yaml").write_text(settings, encoding="utf-8")
        text = spec(small_study.spec(CENTER))
        (root / "centers" / f"{CENTER}.yaml").write_text(text, encoding="utf-8")
        self.rows = {
            name: [dict(zip(small_study.FILES[name].split(","), row, strict=True)) for row in rows]
            for name, rows in small_study.rows_of(CENTER, patients).items()
        }

    def row(self, table: str, n: int) -> dict[str, str]:
        """The first row of a patient."""
        return next(row for row in self.rows[table] if row["id"] == patient(n))

    def remove(self, table: str, n: int) -> None:
        """Takes all rows of a patient out of a file."""
        self.rows[table] = [row for row in self.rows[table] if row["id"] != patient(n)]

    def deliver(
        self,
        day: str,
        *,
        without: Collection[str] = (),
        columns_gone: Mapping[str, str] | None = None,
    ) -> Path:
        """Writes the delivery of a day."""
        folder = self.root / "inbox" / CENTER / day
        folder.mkdir(parents=True)
        gone = columns_gone or {}
        for name, rows in self.rows.items():
            if name in without:
                continue
            header = [c for c in small_study.FILES[name].split(",") if c != gone.get(name)]
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, header, extrasaction="ignore", lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
        return folder

    def run(self) -> Any:
        """A run without report; its outcome."""
        return sending_help.run(self.root)

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of the published warehouse."""
        path = self.root / "published" / "warehouse.duckdb"
        with duckdb.connect(str(path), read_only=True) as con:
            return con.execute(statement).fetchall()

    def outcomes(self) -> Outcomes:
        """What the last load found of the queries on patients."""
        told = dict(self.ask("select query_id, outcome from quality.query"))
        log = QueryLog.read(self.root).queries.filter(pl.col("patient_id").is_not_null())
        return {
            (name[-3:].lstrip("0"), rule): told[id_]
            for id_, name, rule in log.select("query_id", "patient_id", "rule_id").iter_rows()
            if told[id_] is not None
        }

    def confirm(self, n: int, rule: str) -> None:
        """The center says that the value is correct."""
        log = QueryLog.read(self.root)
        about = (pl.col("patient_id") == patient(n)) & (pl.col("rule_id") == rule)
        ids = log.queries.filter(about)["query_id"]
        told = pl.DataFrame({"query_id": ids}).with_columns(
            pl.lit("correct").alias("answer"),
            *(pl.lit(None, kind).alias(c) for c, kind in ANSWER.items() if c not in ("query_id", "answer")),
        )  # fmt: skip
        events, problems = answer(log.queries, told, dt.datetime.now(dt.UTC))
        assert (events.height, problems) == (1, [])
        log.append("import", events)


def patient(n: int) -> str:
    """The center's id of a patient."""
    return f"{CENTER}-{n:03d}"
