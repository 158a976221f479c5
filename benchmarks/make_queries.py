"""Writes two deliveries of twelve centers for the benchmark of queries: many faults, and what became of them.

    python benchmarks/make_queries.py N FOLDER

`FOLDER/inbox/<center>/2025-10-31` and `2025-11-30` get N faults in all, each one finding, in four times as
many assessments (make_assessments.py says how they look). Of the faults of the first delivery the second
has corrected a fourth, keeps more than half, exchanged some for another wrong value, lost some with
their rows, and it has about as many new ones as are gone. `FOLDER/truth.parquet` (center_id, rule_id,
outcome, n) counts the outcomes of the second load.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
from make_assessments import CENTERS, SPEC, assessments, german, patients, write_csv

ROUNDS = ("2025-10-31", "2025-11-30")
ROWS_PER_FAULT = 4
# Rule → column and its wrong values in the first and, where it changed, in the second delivery.
VALUES = {
    "RSP-01": ("Ansprechen", "gut", "besser"),
    "STR-06": ("MRD", "vielleicht", "vielleicht nicht"),
    "LAB-01": ("M-Protein Serum (g/l)", "320,00", "330,00"),
    "LAB-02": ("FLC kappa (mg/l)", "45000,00", "46000,00"),
    "LAB-08": ("Plasmazellen (%)", "240,00", "250,00"),
}
EARLY = "DAT-20"  # days before the line, in one row of a patient: the row's own key is wrong
DAYS, OTHER_DAYS = 1000, 1010
SHARES = {
    "resolved": 0.25,
    "still_failing": 0.53,
    "changed_still_failing": 0.15,
    "withdrawn": 0.07,
}
# A row that shows much disease fits no complete response: only the planted rule fires.
MODEST = {"Ansprechen": "MR", "MRD": ""}


def fates(n: int, rng: np.random.Generator) -> pl.DataFrame:
    """Rule and outcome of every row; most rows have none, and some are new in the second delivery."""
    rules = np.array(list(VALUES))
    outcomes = np.array([*SHARES, "new"])
    gone = SHARES["resolved"] + SHARES["withdrawn"]
    count = n // ROWS_PER_FAULT
    many = count + round(count * gone)
    chosen = rng.choice(n, many, replace=False)
    kind = np.full(many, len(SHARES))
    kind[:count] = rng.choice(len(SHARES), count, p=list(SHARES.values()))
    return pl.DataFrame(
        {
            "_i": pl.Series(chosen).cast(pl.UInt32),
            "rule_id": rules[rng.integers(0, len(rules), many)],
            "outcome": outcomes[kind],
        }
    ).sort("_i")


def early_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """One row of every patient that has no other fault: its date lies before the line."""
    free = frame.filter(pl.col("rule_id").is_null())
    first = free.group_by("Pat-ID", maintain_order=True).agg(pl.col("_i").first()).sort("_i")
    kinds = [*("resolved",) * 2, "still_failing", "changed_still_failing"]
    number = pl.int_range(pl.len()) % len(kinds)
    return first.select(
        "_i",
        pl.lit(EARLY).alias("rule_id"),
        number.replace_strict(list(range(len(kinds))), kinds, return_dtype=pl.String).alias("outcome"),
    )  # fmt: skip


def delivered(frame: pl.DataFrame, second: bool) -> pl.DataFrame:
    """The rows of one delivery, faults included."""
    outcome = pl.col("outcome")
    wrong = outcome != "resolved" if second else outcome != "new"
    other = (outcome == "changed_still_failing") if second else pl.lit(value=False)
    edits: dict[str, pl.Expr] = {}
    for rule, (column, one, two) in VALUES.items():
        here = (wrong & (pl.col("rule_id") == rule)).fill_null(value=False)
        before = edits.get(column, pl.col(column))
        edits[column] = pl.when(here).then(pl.when(other).then(pl.lit(two)).otherwise(pl.lit(one)))\
            .otherwise(before)  # fmt: skip
    # In both deliveries alike, so that a corrected row differs in the fault alone.
    planted = pl.col("rule_id").str.starts_with("LAB").fill_null(value=False)
    for column, value in MODEST.items():
        edits[column] = pl.when(planted).then(pl.lit(value)).otherwise(edits[column])
    early = (wrong & (pl.col("rule_id") == EARLY)).fill_null(value=False)
    back = pl.when(other).then(OTHER_DAYS).otherwise(DAYS)
    day = pl.col("Datum").str.to_date("%d.%m.%Y") - pl.duration(days=back)
    edits["Datum"] = pl.when(early).then(day.dt.strftime("%d.%m.%Y")).otherwise("Datum")
    kept = frame.filter((outcome != "withdrawn").fill_null(value=True)) if second else frame
    return kept.with_columns(**edits).drop("_i", "rule_id", "outcome")


def people_rows(people: pl.DataFrame, index: int) -> pl.DataFrame:
    """The patients as a center writes them."""
    dead = pl.when("dead")
    return people.select(
        pl.col("id").alias("Pat-ID"),
        pl.col("sex").alias("Geschlecht"),
        pl.col("birth_year").alias("Geburtsjahr"),
        pl.lit(f"05.{index + 1:02d}.2018").alias("Diagnose"),
        german("infusion").alias("Infusion"),
        pl.lit("ide-cel").alias("Produkt"),
        german("start").alias("Beginn Linie 1"),
        pl.lit("Carfilzomib").alias("Therapie"),
        dead.then(pl.lit("verstorben")).otherwise(pl.lit("lebt")).alias("Status"),
        dead.then(german("death")).otherwise(pl.lit("")).alias("Tod"),
        dead.then(german("death")).otherwise(pl.lit("20.10.2025")).alias("Letzter Kontakt"),
    )


def write(n: int, folder: Path) -> None:
    """Both deliveries of all centers with n faults in the first of them."""
    rng = np.random.default_rng(20240630)
    template = SPEC.read_text(encoding="utf-8")
    truth = []
    (folder / "centers").mkdir(parents=True, exist_ok=True)
    for index, center in enumerate(CENTERS):
        # Early rows come on top of the others: about one of a hundred rows.
        rows = n * ROWS_PER_FAULT // len(CENTERS)
        people = patients(max(20, rows // 100), rng)
        frame = assessments(people, rows, rng).with_row_index("_i")
        frame = frame.join(fates(rows, rng), on="_i", how="left", maintain_order="left")
        frame = frame.update(early_rows(frame), on="_i", how="left")
        for round_, day in enumerate(ROUNDS):
            target = folder / "inbox" / center / day
            target.mkdir(parents=True)
            write_csv(delivered(frame, second=round_ == 1), target / "befunde.csv")
            write_csv(people_rows(people, index), target / "patienten.csv")
        (folder / "centers" / f"{center}.yaml").write_text(template.replace("@CENTER@", center))
        counts = frame.drop_nulls("outcome").group_by("rule_id", "outcome").agg(n=pl.len())
        truth.append(counts.with_columns(center_id=pl.lit(center)))
    pl.concat(truth).write_parquet(folder / "truth.parquet")


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
