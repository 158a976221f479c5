"""Findings as they are collected: one head per rule and fact, and the fields that it names."""

from __future__ import annotations

import polars as pl

from schemas.check_context import ContextBook
from schemas.check_copies import SIZE, others, told, with_size
from schemas.check_data import TableData, constant
from schemas.check_fields import (
    FIELD,
    addresses,
    other_field,
    own_field,
    repeated,
)
from schemas.check_issues import disposition, issue_dispositions
from schemas.check_plan import Plan, PlannedCheck
from schemas.staging import FINDING, FINDING_FIELD

HEAD = pl.Schema(
    {
        "hit": pl.UInt32(),
        "rule_id": pl.String(),
        "severity": pl.String(),
        "disposition": pl.String(),
        "scope": pl.String(),
        "table": pl.String(),
        "patient_id": pl.String(),
        "row_id": pl.Int64(),
        "message": pl.String(),
    }
)
# From this position on a field is only shown if a source column holds it.
COMPANION = 100
# Of one delivery: nobody can go through more, and each takes some 4 kB while the delivery is judged.
MOST_FINDINGS = 200_000


class TooManyFindingsError(Exception):
    """A delivery in which nearly everything is wrong: the spec, or the file as a whole.

    Attributes:
        table: the table whose rows gave the last of them.
    """

    def __init__(self, table: str) -> None:
        super().__init__(f"more than {MOST_FINDINGS:,} findings, table {table}")
        self.table = table


class FindingBook:
    """Collects findings of all tables; `finish` gives them numbers and addresses."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._heads: list[pl.DataFrame] = []
        self._fields: list[pl.DataFrame] = []
        self._files: list[pl.DataFrame] = []
        self._next = 0
        self._raised: list[pl.DataFrame] = []

    def add(
        self,
        check: PlannedCheck,
        data: TableData,
        rows: pl.DataFrame,
        positions: pl.Series,
        book: ContextBook,
    ) -> None:
        """One finding per failing row. `rows` are the judged rows at `positions`, with contexts."""
        numbered = self._number(rows, data.name)
        self._heads.append(
            _head(numbered, check.rule, check.severity, check.disposition, check.scope,
                  data.name, check.message)
        )  # fmt: skip
        for place, (owner, column) in enumerate(check.fields, start=1):
            if not owner:
                told = column in data.raw.columns or place == 1
                shown = place if told else COMPANION + place
                made = own_field(data, numbered, positions, column, shown)
            else:
                behind = book.rows_behind(owner, numbered)
                made = other_field(book.home(owner), behind, column, place)
            self._fields.append(made)

    def add_copies(
        self, check: PlannedCheck, data: TableData, marked: pl.DataFrame
    ) -> pl.DataFrame:
        """One finding per flagged row of a key that occurs twice; others of its rows are named too."""
        sized = with_size(marked)
        flagged = sized.filter("flagged")
        rows = data.frame[flagged["index"]]
        numbered = self._number(rows, data.name).with_columns(
            flagged["group"], flagged["identical"], flagged["index"], flagged[SIZE]
        )
        column = next(
            (name for name in (c for _, c in check.fields) if name in data.raw.columns),
            "patient_id",
        )
        for identical in (True, False):
            part = numbered.filter(pl.col("identical") == identical)
            if part.height:
                scope = "row" if identical else check.scope
                head = _head(part, check.rule, check.severity, check.disposition, scope,
                             data.name, check.message)  # fmt: skip
                self._heads.append(head.with_columns(part.select(told(check.message)).to_series()))
        self._fields.append(own_field(data, numbered, numbered["index"], column, 1))
        named = others(numbered, sized).with_columns(
            (pl.int_range(pl.len()).over("hit") + 2).cast(FIELD["position"]).alias("position")
        )
        mates = data.frame[named["index"]].with_columns(named["hit"])
        self._fields.append(own_field(data, mates, named["index"], column, named["position"]))
        return numbered

    def add_issues(self, data: TableData) -> pl.DataFrame:
        """Findings of what the mapping did not understand; gives index, rule, severity, disposition."""
        if data.issues.is_empty():
            return data.issues
        judged = issue_dispositions(self._plan, data)
        rows = data.frame[judged["index"]]
        numbered = self._number(rows, data.name)
        self._heads.append(
            numbered.select(
                "hit",
                judged["rule_id"],
                judged["severity"],
                judged["disposition"],
                judged["scope"],
                pl.lit(data.name).alias("table"),
                "patient_id",
                "row_id",
                judged["message"],
            ).cast(HEAD)
        )
        for (column,), part in judged.with_columns(numbered["hit"]).group_by(
            "column", maintain_order=True
        ):
            own = data.frame[part["index"]].with_columns(part["hit"], part["rule_id"])
            self._fields.append(own_field(data, own, part["index"], str(column), 1))
            self._companions(data, own, str(column))
        return judged

    def _companions(self, data: TableData, rows: pl.DataFrame, column: str) -> None:
        """A unit stands in a cell of its own: where the rule is about it, that cell is named too."""
        for kind in ("unit",):
            rules = [name for name, rule in self._plan.rules.items() if kind in rule["also"]]
            named = rows.filter(pl.col("rule_id").is_in(rules))
            name = f"{column}_{kind}"
            if named.height and name in data.frame.columns:
                made = own_field(data, named, pl.Series(dtype=pl.UInt32()), name, COMPANION)
                self._fields.append(made.with_columns(value="understood"))

    def raise_dispositions(self, held: pl.DataFrame) -> None:
        """Findings of issues whose row is held after all say so. `held`: row_id, rule_id."""
        if held.height:
            self._raised.append(held.with_columns(pl.lit(self._next, pl.UInt32()).alias("before")))

    def _with_raised(self, heads: pl.DataFrame) -> pl.DataFrame:
        """What `raise_dispositions` was told, put on the findings that were there at that time."""
        if not self._raised:
            return heads
        held = pl.concat(self._raised).group_by("row_id", "rule_id").agg(pl.col("before").max())
        joined = heads.join(held, on=["row_id", "rule_id"], how="left", maintain_order="left")
        raised = pl.col("hit") < pl.col("before")
        return joined.with_columns(
            pl.when(raised).then(pl.lit("quarantine")).otherwise("disposition").alias("disposition")
        ).drop("before")

    def add_events(self, check_of: PlannedCheck, about: TableData, events: pl.DataFrame) -> int:
        """One finding per blamed row: the row's own field, then the event that contradicts it."""
        rows = about.frame.with_row_index("index").join(
            events, on="patient_id", how="inner", suffix="_event", maintain_order="left"
        )
        numbered = self._number(rows, about.name)
        self._heads.append(
            _head(numbered, check_of.rule, check_of.severity, check_of.disposition,
                  check_of.scope, about.name, check_of.message)
        )  # fmt: skip
        column = check_of.fields[0][1]
        self._fields.append(own_field(about, numbered, numbered["index"], column, 1))
        event = numbered.select(
            "hit",
            pl.lit(2, dtype=pl.Int16).alias("position"),
            pl.col("event_table").alias("table"),
            pl.col("event_column").alias("column"),
            *(pl.col(f"{name}_event").alias(name)
              for name in ("row_id", "source_id", "source_row", "map_id")),
            "value",
            "understood",
        )  # fmt: skip
        self._fields.append(event.cast(FIELD))
        return numbered.height

    def add_file_issues(self, issues: pl.DataFrame) -> None:
        """Findings on files, sheets, columns or rows that never became canonical (`FILE_ISSUE`)."""
        if issues.is_empty():
            return
        issues = issues.with_columns(
            (pl.col("issue").rank("dense") + (self._next - 1)).cast(pl.UInt32()).alias("hit")
        ).sort("hit", "position", maintain_order=True)
        self._next += issues["hit"].n_unique()
        first = issues.unique("hit", keep="first", maintain_order=True)
        told = first.join(self._plan.told, on="rule_id", how="left", maintain_order="left")
        none = pl.lit(None, dtype=pl.String())
        self._heads.append(
            told.select(
                "hit",
                "rule_id",
                "severity",
                disposition(pl.lit(True)),
                pl.col("scope").fill_null("file"),
                none.alias("table"),
                "patient_id",
                pl.lit(None, dtype=pl.Int64()).alias("row_id"),
                pl.coalesce("note", "query", pl.lit("")).alias("message"),
            ).cast(HEAD)
        )
        self._files.append(
            issues.with_columns(none.alias("table"), none.alias("column"), none.alias("understood"))
        )

    def replace_rule(self, old: str, new: str, patients: pl.Series, message: str) -> pl.DataFrame:
        """Drop findings of rule `old` on patients whose finding of rule `new` says the same.

        Those of `new` then hold the rows and say `message`. Returns the `row_id` of the dropped ones.
        """
        if not self._heads or patients.is_empty():
            return pl.DataFrame(schema={"row_id": pl.Int64()})
        heads = pl.concat(self._heads)
        names = pl.col("patient_id").is_in(patients.implode())
        dropped = heads.filter((pl.col("rule_id") == old) & names)
        again = (pl.col("rule_id") == new) & pl.col("patient_id").is_in(
            dropped["patient_id"].implode()
        )
        kept = heads.join(dropped, on="hit", how="anti", maintain_order="left")
        told = {"disposition": "quarantine", "message": message}
        self._heads = [
            kept.with_columns(
                pl.when(again).then(pl.lit(text)).otherwise(name).alias(name)
                for name, text in told.items()
            )
        ]
        return dropped.select("row_id")

    def finish(
        self, sources: pl.DataFrame, column_map: pl.DataFrame, address: pl.DataFrame
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """FINDING and FINDING_FIELD, numbered in the order of tables, files and rows."""
        if not self._heads:
            return FINDING.to_frame(), FINDING_FIELD.to_frame()
        heads = self._with_raised(pl.concat(self._heads))
        fields = pl.concat(self._fields) if self._fields else FIELD.to_frame()
        placed = addresses(fields, sources, column_map, address).filter(
            (pl.col("position") < COMPANION) | pl.col("source_column").is_not_null()
        )
        if self._files:
            placed = pl.concat([placed, *(f[placed.columns] for f in self._files)])
        heads = heads.join(repeated(placed, heads), on="hit", how="anti", maintain_order="left")
        first = placed.filter(pl.col("position") == 1).select(
            "hit", at_file="file", at_sheet="sheet", at_row="row", at_column="source_column"
        )
        numbered = (
            heads.join(first, on="hit", how="left")
            .unique("hit", keep="first", maintain_order=True)
            .sort("at_file", "at_sheet", "at_row", "at_column", "rule_id", "hit", nulls_last=True)
            .with_row_index("finding_id", offset=1)
        )
        findings = numbered[list(FINDING)].cast(FINDING)
        listed = numbered[["finding_id", "hit"]].join(placed, on="hit")
        listed = (
            listed.sort("finding_id", "position", maintain_order=True)
            .with_columns((pl.int_range(pl.len()).over("finding_id") + 1).alias("position"))
            .select(list(FINDING_FIELD))
        )
        return findings, listed.cast(FINDING_FIELD)

    def counts(self) -> pl.DataFrame:
        """rule_id, table, n: findings so far."""
        heads = pl.concat(self._heads) if self._heads else HEAD.to_frame()
        return heads.group_by("rule_id", "table").len("n")

    def _number(self, rows: pl.DataFrame, table: str) -> pl.DataFrame:
        if self._next + rows.height > MOST_FINDINGS:
            raise TooManyFindingsError(table)
        numbered = rows.with_row_index("hit", offset=self._next)
        self._next += rows.height
        return numbered


def _head(
    rows: pl.DataFrame, rule: str, severity: str, disposition: str, scope: str, table: str,
    message: str,
) -> pl.DataFrame:  # fmt: skip
    told = {"rule_id": rule, "severity": severity, "disposition": disposition, "scope": scope,
            "table": table, "message": message}  # fmt: skip
    constants = [constant(name, value, rows.height) for name, value in told.items()]
    return rows[["hit", "patient_id", "row_id"]].hstack(constants)[list(HEAD)]
