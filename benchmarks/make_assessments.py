"""Writes the exports of the ingest benchmark: assessments of twelve centers, with planted faults.

    python benchmarks/make_assessments.py N FOLDER

`FOLDER/inbox/<center>/` gets `patienten.csv` and `befunde.csv` (semicolon, German dates, decimal comma,
detection limits such as `<0,30`, spellings with case and space noise, quoted comments; 17 columns);
`FOLDER/centers/<center>.yaml` the spec; `FOLDER/truth.parquet` the planted faults (center, row, rule_id),
one per 1000 rows and kind. Independent of the readers and rules that it measures.
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import numpy as np
import polars as pl

CENTERS = [f"C{i:02d}" for i in range(1, 13)]
EXPORT_DATE = dt.date(2025, 10, 31)
FAULTS = (
    "DAT-01", "DAT-05", "DAT-06", "RSP-01", "STR-06", "LAB-01", "LAB-02", "LAB-08", "STR-03",
    "DAT-20", "DAT-24",
)  # fmt: skip
# A patient keeps a class: no response is lost without a progression, none is complete overnight.
RESPONSES = [
    ["sCR", "CR", "CR ", "komplette Remission"],
    ["VGPR", "vgpr", "VGPR ", "sehr gute partielle Remission"],
    ["PR", "PR", " PR", "Partielle Remission"],
    ["MR", "SD", "sd", "stabile Erkrankung", "minimale Remission", "MR"],
]
COMMENTS = ["", "", "", '"Kontrolle; ambulant"', '"sagt ""gut"""', "stationär", "telefonisch"]


def patients(n: int, rng: np.random.Generator) -> pl.DataFrame:
    """One row per patient: id, dates in their order, one line of salvage, a third of them dead."""
    # Patients of one birth year are infused four days apart or more, whatever their sex: no two look
    # like one person.
    infusion = (np.arange(n) // 100 * 2 + np.arange(n) % 2) * 4 % 680
    start = infusion + rng.integers(60, 200, n)
    dead = rng.random(n) < 1 / 3
    death = np.where(dead, start + rng.integers(500, 560, n), 10_000)
    base = dt.date(2021, 10, 1).toordinal() - dt.date(1970, 1, 1).toordinal()
    return pl.DataFrame(
        {
            "id": pl.Series(np.arange(1, n + 1)).cast(pl.String).str.zfill(7),
            "infusion": pl.Series((base + infusion).astype(np.int32)).cast(pl.Date),
            "start": pl.Series((base + start).astype(np.int32)).cast(pl.Date),
            "death": pl.Series((base + death).astype(np.int32)).cast(pl.Date),
            "dead": dead,
            "sex": pl.Series(np.arange(n) % 2).replace_strict([0, 1], ["w", "m"]),
            "birth_year": pl.Series(1935 + (np.arange(n) // 2) % 50).cast(pl.String),
        }
    )


def german(column: str) -> pl.Expr:
    """A date column as dd.mm.yyyy."""
    return pl.col(column).dt.strftime("%d.%m.%Y")


def decimal_comma(values: np.ndarray, limit: float) -> pl.Series:
    """Numbers as hospitals write them: two decimals with a comma, `<limit` below the limit."""
    text = pl.Series((values * 100).round().astype(np.int64)).cast(pl.String).str.zfill(3)
    whole = text.str.slice(0, text.str.len_chars() - 2) + "," + text.str.slice(-2)
    below = "<" + f"{limit:.2f}".replace(".", ",")
    return pl.select(
        pl.when(pl.Series(values < limit)).then(pl.lit(below)).otherwise(whole)
    ).to_series()


def pick(options: list[str], n: int, rng: np.random.Generator) -> pl.Series:
    """n values drawn from a list."""
    return pl.Series(options).gather(rng.integers(0, len(options), n))


def assessments(people: pl.DataFrame, n: int, rng: np.random.Generator) -> pl.DataFrame:
    """n assessment rows in the 480 days after the start of the line, one a day and patient at most."""
    order = rng.permutation(n)
    who = people.select("id", "start", "death")[(order % people.height).tolist()]
    step = 480 // (n // people.height + 1)
    day = pl.Series("day", 1 + order // people.height * step + rng.integers(0, step, n))
    frame = who.with_columns(
        date=pl.col("start") + pl.duration(days=day),
    )
    kind = order % people.height % len(RESPONSES)
    response = pick(RESPONSES[0], n, rng)
    for number, spellings in enumerate(RESPONSES):
        response = response.zip_with(pl.Series(kind != number), pick(spellings, n, rng))
    complete = kind == 0
    mrd = pick(["negativ", "positiv", "nicht durchgeführt", ""], n, rng)
    mrd = mrd.zip_with(pl.Series(complete) | (mrd != "negativ"), pl.Series(["positiv"]))
    method = pick(["NGS", "NGF"], n, rng)
    method = method.zip_with(mrd.is_in(["negativ", "positiv"]), pl.Series([""]))
    kappa = rng.gamma(1.0, 60.0, n).clip(0.2, 9000)
    fixed = pick(["negativ", "positiv", "n.d."], n, rng)
    return frame.select(
        pl.col("id").alias("Pat-ID"),
        pl.lit("1").alias("Linie"),
        german("date").alias("Datum"),
        response.alias("Ansprechen"),
        pl.lit("IMWG 2016").alias("Kriterien"),
        pick(["ja", "nein", "Ja"], n, rng).alias("Bestätigt"),
        mrd.alias("MRD"),
        method.alias("MRD-Methode"),
        decimal_comma(np.where(complete, 0.1, rng.gamma(1.0, 12.0, n).clip(0, 110)), 0.3).alias(
            "M-Protein Serum (g/l)"
        ),
        decimal_comma(rng.gamma(1.0, 150.0, n).clip(0, np.where(complete, 99, 4000)), 10.0).alias(
            "M-Protein Urin (mg/24h)"
        ),
        decimal_comma(kappa, 0.3).alias("FLC kappa (mg/l)"),
        decimal_comma(
            np.where(complete, kappa, rng.gamma(1.0, 60.0, n).clip(0.2, 9000)), 0.3
        ).alias("FLC lambda (mg/l)"),
        decimal_comma((rng.beta(1, 6, n) * 100).clip(0, np.where(complete, 4.9, 100)), 0.5).alias(
            "Plasmazellen (%)"
        ),
        fixed.zip_with(pl.Series(~complete) | (fixed != "positiv"), pl.Series(["negativ"])).alias(
            "Immunfixation"
        ),
        pick(["Serum", "Bildgebung", "FLC", ""], n, rng).alias("Progress durch"),
        pick(["ambulant", "stationär", "Tagesklinik"], n, rng).alias("Ort"),
        pick(COMMENTS, n, rng).alias("Bemerkung"),
    )


def plant(
    frame: pl.DataFrame, people: pl.DataFrame, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One fault per kind and 1000 rows; returns the frame and row (physical line) per rule."""
    n = frame.height
    each = max(1, n // 1000)
    chosen = rng.choice(n, size=each * len(FAULTS), replace=False)
    dead = people.filter("dead")
    planted = []
    frame = frame.with_row_index("_i")
    for k, rule in enumerate(FAULTS):
        rows = np.sort(chosen[k * each : (k + 1) * each])
        planted.append(pl.DataFrame({"row": (rows + 2).astype(np.int64), "rule_id": [rule] * each}))
        match rule:
            case "DAT-01":
                edit = {"Datum": pl.Series(["31.02.2023"] * each)}
            case "DAT-05":
                edit = {"Datum": pl.Series(["01.01.1900"] * each)}
            case "DAT-06":
                alive = people.filter(~pl.col("dead"))["id"]
                edit = {
                    "Pat-ID": alive.gather(rng.choice(alive.len(), each, replace=False)),
                    "Datum": pl.Series(["15.03.2026"] * each),
                }
            case "RSP-01":
                edit = {"Ansprechen": pl.Series(["gut"] * each)}
            case "STR-06":
                edit = {"MRD": pl.Series(["vielleicht"] * each)}
            case "LAB-01":
                edit = {"M-Protein Serum (g/l)": pl.Series(["320,00"] * each)}
            case "LAB-02":
                edit = {"FLC kappa (mg/l)": pl.Series(["45000,00"] * each)}
            case "LAB-08":
                edit = {"Plasmazellen (%)": pl.Series(["240,00"] * each)}
            case "STR-03":
                edit = {"Pat-ID": pl.Series([str(9_000_000 + i) for i in range(each)])}
            case "DAT-20":
                early = dt.date(2019, 6, 1)
                days = [early + dt.timedelta(days=i % 800) for i in range(each)]
                edit = {"Datum": pl.Series(days).dt.strftime("%d.%m.%Y")}
            case "DAT-24":
                some = dead[rng.choice(dead.height, each, replace=False).tolist()]
                late = some.select((pl.col("death") + pl.duration(days=3)).dt.strftime("%d.%m.%Y"))
                edit = {"Pat-ID": some["id"], "Datum": late.to_series()}
        if rule in ("DAT-06", "DAT-24", "LAB-01", "LAB-02", "LAB-08"):
            # A row that moves or shows much disease fits no complete response: only the planted rule fires.
            edit |= {"Ansprechen": pl.Series(["MR"] * each), "MRD": pl.Series([""] * each)}
        change = pl.DataFrame({"_i": pl.Series(rows).cast(pl.UInt32), **edit})
        frame = frame.update(change, on="_i", how="left")
    return frame.drop("_i"), pl.concat(planted)


SPEC = Path(__file__).with_name("assessments.yaml")


def write(n: int, folder: Path) -> None:
    """The whole study of n assessment rows in twelve files."""
    rng = np.random.default_rng(20240630)
    truth = []
    template = SPEC.read_text(encoding="utf-8")
    for index, center in enumerate(CENTERS):
        rows = n // 12 + (1 if index < n % 12 else 0)
        people = patients(max(20, rows // 100), rng)
        frame, planted = plant(assessments(people, rows, rng), people, rng)
        target = folder / "inbox" / center
        target.mkdir(parents=True, exist_ok=True)
        write_csv(frame, target / "befunde.csv")
        write_csv(
            people.select(
                pl.col("id").alias("Pat-ID"),
                pl.col("sex").alias("Geschlecht"),
                pl.col("birth_year").alias("Geburtsjahr"),
                pl.lit(f"05.{index + 1:02d}.2018").alias("Diagnose"),
                german("infusion").alias("Infusion"),
                pl.lit("ide-cel").alias("Produkt"),
                german("start").alias("Beginn Linie 1"),
                pl.lit("Carfilzomib").alias("Therapie"),
                pl.when("dead")
                .then(pl.lit("verstorben"))
                .otherwise(pl.lit("lebt"))
                .alias("Status"),
                pl.when("dead").then(german("death")).otherwise(pl.lit("")).alias("Tod"),
                pl.when("dead")
                .then(german("death"))
                .otherwise(pl.lit("20.10.2025"))
                .alias("Letzter Kontakt"),
            ),
            target / "patienten.csv",
        )
        (folder / "centers").mkdir(exist_ok=True)
        (folder / "centers" / f"{center}.yaml").write_text(template.replace("@CENTER@", center))
        truth.append(planted.with_columns(center_id=pl.lit(center)))
    pl.concat(truth).write_parquet(folder / "truth.parquet")


def write_csv(frame: pl.DataFrame, path: Path) -> None:
    """Semicolons; comments carry their own quotes."""
    frame.write_csv(path, separator=";", quote_style="never")


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
