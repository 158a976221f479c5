"""What fails now: the findings of the deliveries in force, one row per fact to ask about.

Findings of the same patient, record, field and rule are one fact, in whatever row or file they stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from schemas.catalog import Catalog, load_catalog
from schemas.query_frames import FACT
from schemas.staging import FINDING, FINDING_FIELD
from warehouse.loads import LoadLog, StagedDelivery
from warehouse.pseudonyms import Pseudonymizer
from warehouse.queries.ids import fingerprints
from warehouse.queries.instances import instance_expr
from warehouse.queries.others import with_other_records
from warehouse.queries.records import records_of, row_files
from warehouse.study_rules import StudyFindings

IDENTITY = ("center_id", "patient_id", "rule_id", "table", "instance", "field")
NEVER_ASKS = "keep_info"
WHOLE_TABLE = ("DAT-31", "DAT-32")  # judged on the first row of a table, about all of them
_DELIVERY = {"center_id": pl.String(), "delivery_key": pl.Int32()}
_SOURCE = ("file", "sheet", "source")
_HOME = ["delivery_key", "finding_id"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What fails now.

    `facts`: FACT. `fields`: FINDING_FIELD with `center_id`, `delivery_key` and `fact`, the row of
    `facts` that a finding belongs to; several findings of a fact follow each other.
    """

    facts: pl.DataFrame
    fields: pl.DataFrame


def key() -> pl.Expr:
    """The identity of a fact or query as one text, nulls included."""
    parts = [pl.col(name).fill_null("") for name in IDENTITY]
    return pl.concat_str(parts, separator="\x1f").alias("key")


def current_facts(study_folder: Path, *, study_id: str, including: int | None = None) -> Facts:
    """The facts of a study as its deliveries in force tell them.

    Args:
        study_folder: The study.
        study_id: Its STUDYID, for the key of the marks of values.
        including: A running load whose deliveries count as loaded.
    """
    history = LoadLog.read(study_folder).history(including=including)
    numbered = [(n, staged) for n, staged in enumerate(history, start=1) if staged.current]
    marks = Pseudonymizer.of_study(study_folder, study_id).key_for("values of queries")
    return facts_of(study_folder, numbered, load_catalog(), marks)


def facts_of(
    study_folder: Path,
    deliveries: Sequence[tuple[int, StagedDelivery]],
    catalog: Catalog,
    marks: bytes,
) -> Facts:
    """The facts of staged deliveries, each with its number in `quality.delivery`."""
    findings, fields = _findings(study_folder, deliveries)
    findings = findings.filter(pl.col("disposition") != NEVER_ASKS)
    fields = fields.join(findings.select(_HOME), on=_HOME, how="semi")
    fields = fields.join(
        _sources(deliveries), on=["delivery_key", "file", "sheet"], how="left", nulls_equal=True
    )
    placed = _placed(findings, deliveries, catalog)
    about = findings.select(*_HOME, "patient_id", pl.col("table").alias("about"))
    fields = fields.join(about, on=_HOME)
    told = _told(with_other_records(fields, deliveries, catalog))
    fields = fields.drop("patient_id", "about")
    # What is found of a whole file or table stands on one of its rows, which changes when it is sorted.
    whole = (pl.col("scope") == "file") & pl.col("rule_id").is_in(WHOLE_TABLE)
    facts = placed.join(told, on=_HOME, how="left").with_columns(
        pl.when(whole)
        .then(pl.lit(""))
        .when(pl.col("row_id").is_null())
        .then(pl.coalesce("place", pl.lit("")))
        .otherwise(pl.coalesce("instance", pl.lit("")))
        .alias("instance"),
        pl.when(~whole).then("patient_id").alias("patient_id"),
        pl.coalesce("field", pl.lit("")).alias("field"),
        pl.coalesce("text", pl.lit("")).alias("text"),
    )
    facts = _without_replaced(facts, deliveries, catalog)
    grouped = (
        facts.with_columns(key())
        .sort("center_id", "delivery_key", "finding_id")
        .group_by("key", maintain_order=True)
        .agg(
            *(pl.col(name).first() for name in IDENTITY),
            pl.col("severity").first(),
            pl.col("involved").first(),
            pl.col("known").first(),
            pl.col("delivery_key").last(),  # the newest delivery that tells it
            pl.col("finding_id").last(),
            pl.len().cast(pl.Int32).alias("n_findings"),
            pl.col("unread").fill_null(value=False).all(),
            pl.col("text").unique().sort().str.join("\x1e"),
            pl.struct(_HOME).alias("homes"),
        )
    )
    grouped = grouped.with_columns(
        pl.Series("fingerprint", fingerprints(grouped["text"], marks), dtype=pl.String)
    )
    homes = (
        grouped.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("fact"), "homes")
        .explode("homes")
        .unnest("homes")
    )
    ordered = fields.join(homes, on=_HOME).sort("fact", *_HOME, "position")
    return Facts(grouped.select(pl.col(n).cast(kind) for n, kind in FACT.items()), ordered)


def _findings(
    study_folder: Path, deliveries: Sequence[tuple[int, StagedDelivery]]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """FINDING and FINDING_FIELD of all deliveries with center and number, study rules included."""
    both: tuple[list[pl.DataFrame], list[pl.DataFrame]] = ([], [])
    of_study = StudyFindings.read(study_folder)
    for number, staged in deliveries:
        own = of_study.of(staged.center_id, staged.delivery_id)
        for place, name in enumerate(("finding", "finding_field")):
            file = staged.folder / f"{name}.parquet"
            for frame in (pl.read_parquet(file, glob=False), own[place]):
                both[place].append(
                    frame.select(
                        pl.lit(staged.center_id).alias("center_id"),
                        pl.lit(number, pl.Int32).alias("delivery_key"),
                        *(FINDING, FINDING_FIELD)[place].names(),
                    )
                )
    empty = [pl.DataFrame(schema={**_DELIVERY, **schema}) for schema in (FINDING, FINDING_FIELD)]
    return pl.concat([empty[0], *both[0]], rechunk=True), pl.concat(
        [empty[1], *both[1]], rechunk=True
    )


def _sources(deliveries: Sequence[tuple[int, StagedDelivery]]) -> pl.DataFrame:
    """delivery_key, file, sheet, source: what the spec calls each file or sheet."""
    frames = [pl.DataFrame(schema={"delivery_key": pl.Int32, **dict.fromkeys(_SOURCE, pl.String)})]
    for number, staged in deliveries:
        read = pl.read_parquet(
            staged.folder / "source.parquet", columns=["name", "file", "sheet"], glob=False
        )
        frames.append(
            read.select(
                pl.lit(number, pl.Int32).alias("delivery_key"),
                "file",
                "sheet",
                pl.col("name").alias("source"),
            )
        )
    return pl.concat(frames).unique(["delivery_key", "file", "sheet"])


def _placed(
    findings: pl.DataFrame, deliveries: Sequence[tuple[int, StagedDelivery]], catalog: Catalog
) -> pl.DataFrame:
    """The findings with the instance of their row, which may be valid or held."""
    rows = findings.select("delivery_key", "table", "row_id").drop_nulls().unique()
    asked = {pair: part["row_id"] for pair, part in rows.group_by("delivery_key", "table")}
    none = pl.DataFrame(schema={"delivery_key": pl.Int32, "table": pl.String,
                                "row_id": pl.Int64, "instance": pl.String})  # fmt: skip
    parts = []
    for number, staged in deliveries:
        for table in catalog.tables.values():
            wanted = asked.get((number, table.name))
            if wanted is None:
                continue
            for path in row_files(staged, table.name):
                parts.append(
                    pl.scan_parquet(path, glob=False)
                    .filter(pl.col("row_id").is_in(wanted.implode()))
                    .select(
                        pl.lit(number, pl.Int32).alias("delivery_key"),
                        pl.lit(table.name).alias("table"),
                        pl.col("row_id"),
                        instance_expr(table).alias("instance"),
                    )
                )
    frames = [none, *pl.collect_all(parts)]  # at once: most files are small
    found = pl.concat(frames, rechunk=True).unique(["delivery_key", "table", "row_id"])
    return findings.join(found, on=["delivery_key", "table", "row_id"], how="left")


def _told(fields: pl.DataFrame) -> pl.DataFrame:
    """Per finding: its first field, all fields, which held a value, where it stands without a row, its values.

    Columns of another table than the finding's carry that table's name (`subject.diagnosis_date`).
    The place of a finding on a file is the source that the spec calls it; of a file that no source reads
    its name without numbers, which change from export to export, and the sheet.
    """
    place = pl.coalesce(
        pl.format("source={}", "source"),
        pl.format(
            "file={} sheet={}",
            pl.col("file").fill_null("").str.replace_all(r"\d+", "#"),
            pl.col("sheet").fill_null(""),
        ),
    )
    named = (
        pl.when(pl.col("column").is_null())
        .then("source_column")
        .when(pl.col("table").ne_missing(pl.col("about")))
        .then(pl.format("{}.{}", "table", "column"))
        .otherwise("column")
    )
    known = pl.when(
        pl.col("column").is_not_null(),
        pl.col("value").is_not_null() | pl.col("understood").is_not_null(),
    ).then(pl.coalesce(pl.format("{}@{}", "named", "other"), "named"))
    value = pl.coalesce("understood", pl.format("read {}", "value"), pl.lit(""))
    return (
        fields.sort(*_HOME, "position")
        .with_columns(named=named.fill_null(""))
        .with_columns(known=known)
        .with_columns(text=pl.concat_str(["named", value], separator="\x1d"))
        .group_by(_HOME, maintain_order=True)
        .agg(
            pl.col("named").first().alias("field"),
            pl.col("named").alias("involved"),
            pl.col("known").drop_nulls().unique(maintain_order=True),
            (pl.col("understood").is_null() & pl.col("column").is_not_null())
            .first()
            .alias("unread"),
            pl.col("text").str.join("\x1f"),
            place.first().alias("place"),
        )
    )


def _without_replaced(
    facts: pl.DataFrame, deliveries: Sequence[tuple[int, StagedDelivery]], catalog: Catalog
) -> pl.DataFrame:
    """Of centers that add to what they sent: not the records that a later delivery sent again."""
    several = [
        n for n, d in deliveries if sum(d.center_id == o.center_id for _, o in deliveries) > 1
    ]
    if not several:
        return facts
    keyed = {name for name, table in catalog.tables.items() if table.key}
    wanted = facts.filter(pl.col("delivery_key").is_in(several), pl.col("table").is_in(keyed))
    by = ["center_id", "patient_id", "table", "instance"]
    newest = records_of([d for d in deliveries if d[0] in several], catalog, wanted)
    newest = newest.rename({"delivery_key": "later"})
    joined = facts.join(newest, on=by, how="left", nulls_equal=True)
    replaced = (pl.col("later") > pl.col("delivery_key")) & pl.col("table").is_in(keyed)
    return joined.filter(~replaced.fill_null(value=False)).drop("later")
