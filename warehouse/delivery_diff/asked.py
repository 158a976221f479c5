"""Which changes a center was asked for: by a query about the cell, the record, the patient or the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from schemas.catalog import Catalog
from schemas.query_frames import CANCELLED, CANDIDATE, RESOLVED

_COMPANION = r"_(precision|comparator|unit)$"
# Where the row of a value stood: file, row, block of the mapping.
CELL = pl.Struct({"cell_source": pl.Int32, "cell_row": pl.Int32, "cell_map": pl.Int32})
_HIT = {"at": pl.UInt32(), "query_id": pl.String()}
_WHO = ["center_id", "patient_id"]
# Where a rule says nothing about a table but a record of it was missing or is the answer.
_STUDY_TABLES = {"DLV-03": ("relapse",), "DLV-04": ("infusion",), "DLV-05": ("treatment_line",),
                 "DLV-01": ("follow_up",), "DLV-02": ("follow_up",)}  # fmt: skip
# Columns that no block maps: the text from which the other one was understood.
_TEXT_OF = {"regimen_text": "drugs", "reported_category": "category"}
_ROWS_WITHOUT_PATIENT = ("STR-01", "STR-11")


@dataclass(frozen=True, slots=True)
class Asked:
    """What queries are held against: rules and keys, HEADER before, and the places of sources after."""

    catalog: Catalog
    headers: Callable[[], pl.DataFrame]
    places: Callable[[], pl.DataFrame]


def asking(queries: pl.DataFrame) -> pl.DataFrame:
    """Those by which a center is asked: released, and not settled in a way that ends the question."""
    confirmed = pl.col("resolution").is_in(["confirmed_correct", "duplicate", "rule_withdrawn"])
    void = pl.col("state").is_in([CANDIDATE, CANCELLED, RESOLVED])
    return queries.filter(~void & ~confirmed.fill_null(value=False))


def mark_asked(diff: pl.DataFrame, queries: pl.DataFrame | None, about: Asked) -> pl.DataFrame:
    """`diff` with `asked` and `query_id`."""
    numbered = diff.with_row_index("at")
    hits = pl.DataFrame(schema=_HIT)
    if queries is not None and diff.height:
        hits = _hits(numbered, asking(queries), about)
    told = hits.group_by("at").agg(pl.col("query_id").unique().sort().str.join(" "))
    return (
        numbered.join(told, on="at", how="left", maintain_order="left")
        .with_columns(asked=pl.col("query_id").is_not_null())
        .drop("at")
    )


def _hits(diff: pl.DataFrame, queries: pl.DataFrame, about: Asked) -> pl.DataFrame:
    """at, query_id: which changes each query asked for."""
    mine = queries.join(diff.select("center_id").unique(), on="center_id", how="semi")
    diff = diff.join(mine.select("center_id").unique(), on="center_id", how="semi")
    if diff.is_empty():
        return pl.DataFrame(schema=_HIT)
    of_rows = mine.filter(pl.col("patient_id").is_not_null() & pl.col("table").is_not_null())
    cells = _cells(of_rows, about.catalog)
    found = [
        pl.DataFrame(schema=_HIT),
        *_of_values(diff, cells),
        *_of_records(diff, cells, of_rows, about.catalog),
        *_of_files(diff, mine, about),
    ]
    direct = pl.concat(found).unique()
    records = pl.concat(
        [direct, _of_partners(diff, direct), _of_same_cells(diff, direct, about)]
    ).unique()
    return pl.concat([records, *_of_patients(diff, records, mine, about.catalog)]).unique()


def _cells(queries: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """What each query is about: own records by instance; other ones (`instance` null) by table."""
    entry = pl.col("involved").str.split(".")
    other = entry.list.len() > 1
    exploded = queries.select(
        "query_id", "rule_id", *_WHO, "table", "instance", "field", "involved"
    )
    exploded = exploded.explode("involved", empty_as_null=True, keep_nulls=True).with_columns(
        pl.col("involved").fill_null(pl.col("field"))
    )
    exploded = exploded.with_columns(times=pl.len().over("query_id", "involved"))
    cells = exploded.select(
        "query_id",
        "rule_id",
        *_WHO,
        pl.when(other).then(entry.list.first()).otherwise("table").alias("table"),
        pl.when(~other).then("instance").alias("instance"),
        entry.list.last().str.replace(_COMPANION, "").alias("column"),
        "times",
    )
    cells = _placed(cells, catalog)
    # A column that stands twice is asked for in the record and in another one of the same table.
    twice = cells.filter((pl.col("times") > 1) & pl.col("instance").is_not_null())
    return pl.concat([cells, twice.with_columns(instance=pl.lit(None, pl.String))]).unique()


def _placed(cells: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """The cells; a column that the query's table does not have is one of the tables that have it."""
    known = pl.DataFrame(
        [(t.name, c) for t in catalog.tables.values() for c in ("patient_id", *t.frame_schema)],
        {"table": pl.String(), "column": pl.String()},
        orient="row",
    ).unique()
    stray = cells.join(known, on=["table", "column"], how="anti")
    if stray.is_empty():
        return cells
    found = (
        stray.drop("table").join(known, on="column").with_columns(instance=pl.lit(None, pl.String))
    )
    own = cells.join(stray, on=cells.columns, how="anti", nulls_equal=True)
    return pl.concat([own, found.select(cells.columns)])


def _of_values(diff: pl.DataFrame, cells: pl.DataFrame) -> list[pl.DataFrame]:
    values = diff.filter(pl.col("level") == "value").select(
        "at", *_WHO, "table", "instance", "column"
    )
    cell = [*_WHO, "table", "column"]
    own = cells.filter(pl.col("instance").is_not_null())
    other = cells.filter(pl.col("instance").is_null())
    return [
        values.join(own, on=[*cell, "instance"]).select("at", "query_id"),
        values.join(other, on=cell).select("at", "query_id"),
    ]


def _of_records(
    diff: pl.DataFrame, cells: pl.DataFrame, queries: pl.DataFrame, catalog: Catalog
) -> list[pl.DataFrame]:
    """Records that are gone or new because of a query on them, or on what a rule looks at beside."""
    records = diff.filter(pl.col("level") == "record").select(
        "at", *_WHO, "table", "instance", "change"
    )
    removed = records.filter(pl.col("change") == "removed")
    added = records.filter(pl.col("change") == "added")
    record = [*_WHO, "table"]
    beside = cells.filter(pl.col("instance").is_null())
    keys = pl.DataFrame(
        [(t.name, c) for t in catalog.tables.values() for c in (*t.instance, "patient_id")],
        {"table": pl.String(), "column": pl.String()},
        orient="row",
    )
    on_keys = cells.join(keys, on=["table", "column"], how="semi")
    looked_at = queries.select("query_id", "rule_id", *_WHO).join(
        _tables_of_rules(catalog), on="rule_id"
    )
    return [
        removed.join(queries.select("query_id", *record, "instance"), on=[*record, "instance"]).select("at", "query_id"),
        removed.join(beside, on=record).select("at", "query_id"),
        *(added.join(q, on=record).select("at", "query_id") for q in (beside, on_keys, looked_at)),
    ]  # fmt: skip


def _tables_of_rules(catalog: Catalog) -> pl.DataFrame:
    """rule_id, table: tables beside its own that a rule looks into."""
    contexts: Mapping[str, Any] = catalog.compiled.get("contexts", {})
    pairs = {
        (check["rule"], contexts[name]["table"])
        for check in catalog.compiled.get("checks", ())
        for name in check["contexts"]
        if name in contexts
    }
    pairs |= {(rule, table) for rule, tables in _STUDY_TABLES.items() for table in tables}
    return pl.DataFrame(sorted(pairs), {"rule_id": pl.String(), "table": pl.String()}, orient="row")


def _of_files(diff: pl.DataFrame, queries: pl.DataFrame, about: Asked) -> list[pl.DataFrame]:
    """Changes that answer a query on a header, or on a row that could not be read."""
    on_files = queries.filter(pl.col("table").is_null())
    if on_files.is_empty():
        return []
    out = []
    header = ["center_id", "header"]
    columns = diff.filter(pl.col("level") == "column").with_columns(
        header=pl.coalesce("after", "before").str.split(" | ")
    )
    columns = columns.explode("header", empty_as_null=True, keep_nulls=True)
    named = on_files.select("query_id", "rule_id", *_WHO, "instance", header="field")
    out.append(columns.join(named, on=header).select("at", "query_id"))
    of_patients = named.filter(pl.col("patient_id").is_not_null())
    if of_patients.height:
        mapped = about.headers().with_columns(header=pl.col("source_column").str.split(" | "))
        mapped = mapped.explode("header", empty_as_null=True, keep_nulls=True)
        cells = of_patients.join(mapped, on=header)
        values = diff.filter(pl.col("level") == "value")
        out.append(values.join(cells, on=[*_WHO, "table", "column"]).select("at", "query_id"))
    if of_patients.height:  # an id that was not understood, and stands under another one now
        gone = diff.filter((pl.col("level") == "patient") & (pl.col("change") == "removed"))
        records = diff.filter((pl.col("level") == "record") & (pl.col("change") == "removed"))
        moved = pl.col("partner").is_not_null()
        left = pl.concat([records.filter(moved), records.join(gone, on=_WHO, how="semi")])
        out.append(left.join(of_patients, on=_WHO).select("at", "query_id"))
    lost = named.filter(
        pl.col("patient_id").is_null() & pl.col("rule_id").is_in(_ROWS_WITHOUT_PATIENT)
    )
    if lost.height:
        new = diff.filter((pl.col("level") == "patient") & (pl.col("change") == "added"))
        records = diff.filter((pl.col("level") == "record") & (pl.col("change") == "added"))
        records = records.join(new, on=_WHO, how="anti")  # of patients that were there before
        placed = records.join(about.places(), on=["center_id", "source_id"])
        out.append(
            placed.join(
                lost.select("query_id", "center_id", place="instance"), on=["center_id", "place"]
            ).select("at", "query_id")
        )
    return out


def _of_partners(diff: pl.DataFrame, hits: pl.DataFrame) -> pl.DataFrame:
    """Who asked about a record asked for the one under the corrected id too."""
    pair = ["center_id", "partner"]
    ends = diff.filter(pl.col("partner").is_not_null()).select("at", *pair)
    asked = ends.join(hits, on="at").select(*pair, "query_id")
    return ends.join(asked, on=pair).select("at", "query_id")


def _of_same_cells(diff: pl.DataFrame, hits: pl.DataFrame, about: Asked) -> pl.DataFrame:
    """One cell can feed several values (a drug and its text, a date of several samples)."""
    near = diff.join(hits, on="at", how="semi").select(_WHO).unique()
    values = diff.filter(pl.col("level") == "value").join(near, on=_WHO, how="semi")
    if values.is_empty():
        return pl.DataFrame(schema=_HIT)
    mapped = about.headers().drop_nulls("source_column")
    cells = (
        values.select("at", "center_id", "table", pl.col("column").replace(_TEXT_OF), "cell")
        .unnest("cell")
        .join(
            mapped,
            left_on=["center_id", "cell_map", "table", "column"],
            right_on=["center_id", "map_id", "table", "column"],
        )
        .with_columns(header=pl.col("source_column").str.split(" | "))
        .explode("header", empty_as_null=True, keep_nulls=True)
    )
    place = ["center_id", "cell_source", "cell_row", "header"]
    asked = cells.join(hits, on="at").select(*place, "query_id").unique()
    return cells.join(asked, on=place).select("at", "query_id")


def _of_patients(
    diff: pl.DataFrame, hits: pl.DataFrame, queries: pl.DataFrame, catalog: Catalog
) -> list[pl.DataFrame]:
    """Patients that are gone because of a query on the patient, with their records.

    Else a patient is gone or new on request if all records are.
    """
    patients = diff.filter(pl.col("level") == "patient").select("at", *_WHO, "change")
    records = diff.filter(pl.col("level") == "record").select(*_WHO, "change", record="at")
    whole = [rule["id"] for rule in catalog.compiled.get("rules", ()) if rule["scope"] == "patient"]
    on_patient = (
        pl.col("rule_id").is_in(whole)
        | (pl.col("table") == "subject").fill_null(value=False)
        | (pl.col("answer") == "patient_withdrawn").fill_null(value=False)
    )
    gone = patients.filter(pl.col("change") == "removed").join(
        queries.filter(on_patient).select("query_id", *_WHO), on=_WHO
    )
    theirs = records.join(gone.drop("at"), on=[*_WHO, "change"])
    by_record = (
        patients.join(records, on=[*_WHO, "change"])
        .join(hits, left_on="record", right_on="at", how="left")
        .filter(pl.col("query_id").is_not_null().all().over("at"))
    )
    return [
        gone.select("at", "query_id"),
        theirs.select(at="record", query_id="query_id"),
        by_record.select("at", "query_id"),
    ]
