"""What the deliveries in force hold of what queries rested on: cells, columns, tables that cannot be seen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from schemas.catalog import STREAMING, Catalog
from schemas.query_frames import HELD_RECORD, RECORD
from warehouse.queries.instances import instance_expr
from warehouse.queries.records import Numbered, records_of, row_files

# What a query rested on. `home`: the table of the cell; `other`: its record, null for the query's own.
NEED = pl.Schema(dict.fromkeys(("query_id", "home", "column", "other"), pl.String))
CELL = pl.Schema(
    {**RECORD, "delivery_key": pl.Int32(), "column": pl.String(), "filled": pl.Boolean()}
)
COLUMN = pl.Schema(
    {
        "center_id": pl.String(),
        "delivery_key": pl.Int32(),
        "table": pl.String(),
        "column": pl.String(),
    }
)
TABLE = pl.Schema(dict.fromkeys(("center_id", "table"), pl.String))
ON_CHANGES = (
    "delivery"  # category of the rules on what a delivery changes, which see held records too
)
_NEED = r"^(?:(?<home>\w+)\.)?(?<column>\w+)(?:@(?<other>.*))?$"
_ROWS_LOST = ("STR-01", "STR-11")  # a row without a patient, a row that cannot be read


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands now of what queries rested on.

    Attributes:
        needs: NEED.
        cells: CELL of the other tables that the queries looked at, and of their own where rows are hidden.
        columns: COLUMN: what the deliveries deliver.
        hidden: TABLE: records may be there that nobody can see, since rows could not be read or the whole
            table is not delivered.
        unseen: Queries on a file that is not delivered.
        sound: Rules that look past records which are held for their own sake.
        holding: Rules that hold records.
        beside: Rules that look at other records of the same table.
        study: Rules on the whole study, which see valid records only.
        valid: HELD_RECORD of the records that such rules saw.
    """

    needs: pl.DataFrame = field(default_factory=NEED.to_frame)
    cells: pl.DataFrame = field(default_factory=CELL.to_frame)
    columns: pl.DataFrame = field(default_factory=COLUMN.to_frame)
    hidden: pl.DataFrame = field(default_factory=TABLE.to_frame)
    unseen: frozenset[str] = frozenset()
    sound: frozenset[str] = frozenset()
    holding: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()
    study: frozenset[str] = frozenset()
    valid: pl.DataFrame = field(default_factory=HELD_RECORD.to_frame)


def standing_of(
    doubtful: pl.DataFrame,
    facts: pl.DataFrame,
    now: Sequence[Numbered],
    ever: Iterable[Numbered],
    catalog: Catalog,
    patients: Collection[str],
    held_records: pl.DataFrame,
) -> Standing:
    """Reads what is needed of the deliveries in force.

    Args:
        doubtful: QUERY whose fact fails no more.
        facts: FACT of now.
        now: The deliveries in force.
        ever: All that were staged: by them it is known which sources feed a table.
        catalog: Canonical tables and rules.
        patients: Whose cells are looked at.
        held_records: HELD_RECORD of the tables of the doubtful queries.
    """
    if doubtful.is_empty():
        return Standing()
    centers = set(doubtful["center_id"])
    now = [(n, d) for n, d in now if d.center_id in centers]
    needs = needs_of(doubtful, catalog)
    feeds = _feeds([(n, d) for n, d in ever if d.center_id in centers])
    rules = catalog.compiled["rules"]
    looked = doubtful.select("query_id", "center_id", "table").join(needs, on="query_id")
    own = pl.col("home") == pl.col("table")
    wanted = looked.select("center_id", pl.col("home").alias("table"), "column").unique()
    here = _sources(now)
    hidden = _hidden(looked, facts, feeds, here, held_records, doubtful)
    joined = looked.filter(own).join(hidden, on=["center_id", "table"], how="semi")
    study = frozenset(
        r["id"] for r in rules if r["engine"] == "study" and r["category"] != ON_CHANGES
    )
    asked = doubtful.filter(pl.col("rule_id").is_in(list(study)))
    return Standing(
        needs=needs,
        cells=_cells(now, pl.concat([looked.filter(~own), joined]), catalog, patients),
        columns=_columns(now, wanted, catalog),
        hidden=hidden,
        unseen=_unseen(doubtful, here),
        study=study,
        valid=records_of(now, catalog, asked, ("core",)),
        sound=_looking_at(catalog, lambda c, _: c["sound"] or c["table"] in STREAMING),
        # A context that is called like its table cannot be told from the rule's own columns.
        beside=_looking_at(
            catalog, lambda c, rule: c["table"] in rule["tables"] and c["name"] != c["table"]
        ),
        holding=frozenset(r["id"] for r in rules if r["disposition"] == "quarantine"),
    )


def needs_of(doubtful: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """NEED; of queries that older programs wrote, all columns that they are about."""
    declared = pl.DataFrame(
        [(t.name, c) for t in catalog.tables.values() for c in t.frame_schema],
        {"home": pl.String, "column": pl.String},
        orient="row",
    )
    told = pl.when(pl.col("known").is_null()).then("involved").otherwise("known")
    return (
        doubtful.select("query_id", "table", told.alias("need"))
        .explode("need")
        .drop_nulls("need")
        .with_columns(pl.col("need").str.extract_groups(_NEED).struct.unnest())
        .with_columns(home=pl.coalesce("home", "table"))
        .join(declared, on=["home", "column"], how="semi")
        .select(NEED.names())
        .unique()
    )


def _cells(
    now: Iterable[Numbered], looked: pl.DataFrame, catalog: Catalog, patients: Collection[str]
) -> pl.DataFrame:
    """CELL of the columns of other tables."""
    asked = dict(list(looked.unique(["center_id", "home", "column"]).group_by("center_id", "home")))
    people = pl.DataFrame({"patient_id": sorted(patients)}, {"patient_id": pl.String}).lazy()
    frames = [pl.DataFrame(schema=CELL)]
    for number, staged in now:
        for (center, home), part in asked.items():
            if center != staged.center_id:
                continue
            table = catalog.tables[str(home)]
            columns = part["column"].to_list()
            for path in row_files(staged, table.name):
                rows = pl.scan_parquet(path, glob=False).select(
                    pl.lit(staged.center_id).alias("center_id"),
                    pl.col("patient_id").cast(pl.String),
                    pl.lit(table.name).alias("table"),
                    instance_expr(table).alias("instance"),
                    pl.lit(number, pl.Int32).alias("delivery_key"),
                    *(pl.col(c).is_not_null().alias(f"?{c}") for c in columns),
                )
                rows = rows.join(people, on="patient_id", how="semi")
                long = rows.unpivot(
                    [f"?{c}" for c in columns], index=CELL.names()[:5],
                    variable_name="column", value_name="filled",
                )  # fmt: skip
                frames.append(
                    long.with_columns(pl.col("column").str.strip_prefix("?"))
                    .select(CELL.names())
                    .collect()
                )
    by = [name for name in CELL.names() if name != "filled"]
    return pl.concat(frames).group_by(by).agg(pl.col("filled").any()).select(CELL.names())


def _columns(now: Iterable[Numbered], wanted: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """COLUMN: those of `wanted` that a header feeds, or that hold a value without one."""
    frames = [pl.DataFrame(schema=COLUMN)]
    for number, staged in now:
        mine = wanted.filter(pl.col("center_id") == staged.center_id)
        mapped = pl.read_parquet(
            staged.folder / "column_map.parquet", columns=["table", "column"], glob=False
        )
        there = mine.join(mapped, on=["table", "column"], how="semi")
        rest = mine.join(mapped, on=["table", "column"], how="anti")
        made = [
            (table, column)
            for table, column in rest.select("table", "column").iter_rows()
            for path in row_files(staged, table)
            if column in catalog.tables[table].frame_schema
            and pl.scan_parquet(path, glob=False)
            .select(pl.col(column).is_not_null().any())
            .collect()
            .item()
        ]
        computed = pl.DataFrame(made, {"table": pl.String, "column": pl.String}, orient="row")
        for part in (there.select("table", "column"), computed):
            frames.append(
                part.select(
                    pl.lit(staged.center_id).alias("center_id"),
                    pl.lit(number, pl.Int32).alias("delivery_key"),
                    "table",
                    "column",
                )
            )
    return pl.concat(frames).unique()


def _sources(deliveries: Iterable[Numbered]) -> pl.DataFrame:
    """center_id, source: the sources of the specs that the deliveries have a file for."""
    frames = [pl.DataFrame(schema={"center_id": pl.String, "source": pl.String})]
    for _, staged in deliveries:
        read = pl.read_parquet(staged.folder / "source.parquet", columns=["name"], glob=False)
        frames.append(
            read.select(pl.lit(staged.center_id).alias("center_id"), source="name").unique()
        )
    return pl.concat(frames).unique()


def _feeds(deliveries: Iterable[Numbered]) -> pl.DataFrame:
    """center_id, table, source: by what sources of the spec a table was ever fed."""
    frames = [pl.DataFrame(schema={**TABLE, "source": pl.String})]
    for _, staged in deliveries:
        maps = pl.read_parquet(
            staged.folder / "column_map.parquet", columns=["table", "source_id"], glob=False
        )
        names = pl.read_parquet(
            staged.folder / "source.parquet", columns=["source_id", "name"], glob=False
        )
        fed = maps.unique().join(names, on="source_id")
        frames.append(
            fed.select(pl.lit(staged.center_id).alias("center_id"), "table", source="name").unique()
        )
    return pl.concat(frames).unique()


def _hidden(
    looked: pl.DataFrame,
    facts: pl.DataFrame,
    feeds: pl.DataFrame,
    here: pl.DataFrame,
    held_records: pl.DataFrame,
    doubtful: pl.DataFrame,
) -> pl.DataFrame:
    """TABLE: of which rows could not be read, and which are not delivered at all."""
    lost = facts.filter(pl.col("rule_id").is_in(_ROWS_LOST), pl.col("patient_id").is_null())
    tables = lost.select(TABLE.names()).drop_nulls()
    places = lost.select(
        "center_id", pl.col("instance").str.extract(r"^source=(.*)$").alias("source")
    )
    unreadable = feeds.join(places.drop_nulls(), on=["center_id", "source"], how="semi")
    asked = pl.concat(
        [
            doubtful.select(TABLE.names()).drop_nulls(),
            looked.select("center_id", pl.col("home").alias("table")),
        ]
    ).unique()
    with_file = feeds.join(here, on=["center_id", "source"], how="semi").select(TABLE.names())
    absent = asked.join(with_file, on=TABLE.names(), how="anti")
    absent = absent.join(held_records.select(TABLE.names()).unique(), on=TABLE.names(), how="anti")
    return pl.concat([tables, unreadable.select(TABLE.names()), absent]).unique()


def _unseen(doubtful: pl.DataFrame, here: pl.DataFrame) -> frozenset[str]:
    """Queries on a source that has no file now."""
    about = doubtful.filter(pl.col("patient_id").is_null()).select(
        "query_id", "center_id", pl.col("instance").str.extract(r"^source=(.*)$").alias("source")
    )
    gone = about.drop_nulls("source").join(here, on=["center_id", "source"], how="anti")
    return frozenset(gone["query_id"])


def _looking_at(
    catalog: Catalog, chosen: Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
) -> frozenset[str]:
    """Rules with a context that is chosen for them."""
    contexts = catalog.compiled["contexts"]
    return frozenset(
        rule["id"]
        for rule in catalog.compiled["rules"]
        for name in {field.partition(".")[0] for field in rule["fields"]}
        if name in contexts and chosen(contexts[name], rule)
    )
