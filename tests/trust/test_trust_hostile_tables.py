"""Random tables in every dialect, read and run: each cell as written, or a refusal; no row lost."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from flows.center import process_center, pull_center
from schemas.errors import FileError
from tests.flows import small_study
from transforms.read import ReadOptions, open_tables

DELIMITERS = ";,\t|"
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1")
WORDS = (
    "", "P001", "00123", "0123", "123", "45,3", "45.3", "-0,5", "1e5", "NA", "null", "None", "TRUE",
    "2023-03-01", "01.03.2023", "2023-03-01T23:30-05:00", "Müller-Schäfer", "ß é ñ", "a b", " x ",
    "<1", ">=10", "'", "it's", "=1+1", "#N/A", "0x1F", "1_000", "１２", "½",
)  # fmt: skip
QUOTED = ('say "yes"', "a;b,c|d", "two\nlines", "tab\there", '"', ";", '""')


def table(chance: random.Random) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a random table; the last column is filled, so that no row is blank."""
    width = chance.randint(2, 7)
    some = WORDS if chance.random() < 0.5 else WORDS + QUOTED
    rows = [
        [*(chance.choice(some) for _ in range(width - 1)), f"v{at}"]
        for at in range(chance.randint(1, 40))
    ]
    return [f"h{at}" for at in range(width)], rows


def written(
    header: list[str], rows: list[list[str]], chance: random.Random
) -> tuple[bytes, ReadOptions]:
    """The bytes in a random dialect, and what a spec declares of it (often nothing)."""
    delimiter = chance.choice(DELIMITERS)
    encoding = chance.choice(ENCODINGS)
    end = chance.choice(("\n", "\r\n", "\r"))
    if any("\n" in cell for row in rows for cell in row):
        end = chance.choice(("\n", "\r\n"))
    quoting = chance.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC))
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(
        [header, *rows]
    )
    text = out.getvalue()
    if chance.random() < 0.3:
        text = text.removesuffix(end)
    data = text.encode(encoding, "replace")
    one_byte = encoding in ("cp1252", "latin-1") and not data.isascii()
    options = ReadOptions(
        delimiter=delimiter if chance.random() < 0.5 else None,
        encoding=encoding if one_byte else None,
        quote='"' if chance.random() < 0.3 else None,
    )
    return data, options


def expected(rows: list[list[str]], data: bytes, options: ReadOptions) -> list[list[str | None]]:
    """The cells, with `?` where the encoding has no such letter."""
    encoding = options.encoding
    lossy = encoding is not None or data.isascii()
    name = encoding or "ascii"
    return [
        [(cell.encode(name, "replace").decode(name) if lossy else cell) or None for cell in row]
        for row in rows
    ]


def difference(path: Path, rows: list[list[str]], data: bytes, options: ReadOptions) -> str:
    """Empty if every cell came back or the file was refused; else what is wrong."""
    path.write_bytes(data)
    try:
        [found] = open_tables(path, options)
        cells = [list(row[1:]) for batch in found.batches() for row in batch.rows()]
        if found.rejects().height:
            return "rows were rejected"
    except FileError as error:
        return "" if error.fix else "no advice"
    wanted = expected(rows, data, options)
    return "" if cells == wanted else f"{options}: {cells} for {wanted}"


def test_random_tables_in_every_dialect_come_back_or_are_refused(
    tmp_path: Path, tries: Callable[[int, int], int], figure: Callable[..., None]
) -> None:
    chance = random.Random(5)
    wrong, refused = [], 0
    n = tries(200, 2000)
    for _ in range(n):
        header, rows = table(chance)
        data, options = written(header, rows, chance)
        path = tmp_path / "export.csv"
        if told := difference(path, rows, data, options):
            wrong.append(told)
        refused += is_refused(path, options)
    for one in wrong[:3]:
        print(one)
    assert refused < n / 10, refused
    figure(
        "5", "random tables in random dialects: a cell differs", len(wrong), n, "0 bad, few refused"
    )


def is_refused(path: Path, options: ReadOptions) -> bool:
    """Whether the reader refuses a file."""
    try:
        open_tables(path, options)
    except FileError:
        return True
    return False


def test_a_cell_that_differs_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    assert difference(path, [["00123", "v0"]], b"h0;h1\n0123;v0\n", ReadOptions())
    assert difference(path, [["45,3", "1"]], b"h0;h1\n45;3\n", ReadOptions())
    assert difference(path, [["a", "b"]], b"h0;h1\na;b;c\n", ReadOptions()) == "rows were rejected"


def disturbed(root: Path, chance: random.Random) -> Counter[str]:
    """Hurts random lines of every file of the study; gives the lines of data of each center."""
    lines_of: Counter[str] = Counter()
    for path in sorted(root.glob("inbox/*/*/*.csv")):
        header, *lines = path.read_text(encoding="utf-8").splitlines()
        for _ in range(chance.randint(0, 4)):
            if not lines:
                break
            at = chance.randrange(len(lines))
            match chance.randrange(6):
                case 0:
                    lines[at] += ",more"
                case 1:
                    lines[at] = lines[at].rpartition(",")[0]
                case 2:
                    lines.insert(at, lines[at])
                case 3:
                    lines[at] = "\x00" + lines[at]
                case 4:
                    cells = lines[at].split(",")
                    cells[chance.randrange(len(cells))] = chance.choice(
                        ("", "31.02.2023", "x", "9999-12-31", "-1", "nan")
                    )
                    lines[at] = ",".join(cells)
                case 5:
                    lines[at] = "," + lines[at].partition(",")[2]
        path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
        lines_of[path.parts[-3]] += len(lines)
    return lines_of


def staged(root: Path, center: str) -> list[dict[str, Any]]:
    """What became of a center's deliveries, up to the staged rows."""
    return process_center(str(root), pull_center(str(root), center, None), accept_fewer=False)


def imbalances(folder: Path, lines: int) -> list[str]:
    """Steps and tables of a staged delivery in which a row is neither passed on, held nor excluded."""
    ledger = pl.read_parquet(folder / "ledger.parquet", glob=False)
    sides = (
        ledger.with_columns(
            side=pl.when(pl.col("outcome") == "in").then(1).otherwise(-1) * pl.col("n_rows")
        )
        .group_by("step", "source_id", "table")
        .agg(pl.col("side").sum())
    )
    wrong = [f"{row}" for row in sides.filter(pl.col("side") != 0).rows()]
    read = ledger.filter((pl.col("step") == "read") & (pl.col("outcome") == "in"))["n_rows"].sum()
    if read != lines:
        wrong.append(f"{read} of {lines} lines were read")
    for side, outcome in (("core", "out"), ("quarantine", "quarantined")):
        told = ledger.filter((pl.col("step") == "check") & (pl.col("outcome") == outcome))
        for table, n in told.group_by("table").agg(pl.col("n_rows").sum()).rows():
            path = folder / side / f"{table}.parquet"
            there = (
                pl.read_parquet(path, columns=["row_id"], glob=False).height
                if path.is_file()
                else 0
            )
            if there != n:
                wrong.append(f"{side} {table}: {there} of {n}")
    return wrong


def test_no_row_vanishes_in_random_deliveries(
    tmp_path: Path, tries: Callable[[int, int], int], figure: Callable[..., None]
) -> None:
    n = tries(6, 500)
    centers = ("AA01", "BB02", "CC03")
    wrong: list[str] = []
    loaded = 0
    for at in range(n):
        root = small_study.make_study(tmp_path / f"study{at}", centers)
        lines_of = disturbed(root, random.Random(at))
        for center in centers:
            (one,) = staged(root, center)
            if one["state"] == "loaded":
                wrong += imbalances(root / one["staged"], lines_of[center])
                loaded += 1
            elif "Fix: " not in one["message"]:
                wrong.append(f"{center}: {one['state']} without advice")
    print(wrong[:5])
    assert loaded > n, loaded
    figure(
        "6",
        "damaged deliveries: a row neither loaded, held nor excluded",
        len(wrong),
        n * len(centers),
    )


def test_a_line_or_row_that_nobody_counts_is_seen(tmp_path: Path) -> None:
    root = small_study.make_study(tmp_path / "study", ("AA01",))
    lines_of = disturbed(root, random.Random(0))
    (one,) = staged(root, "AA01")
    folder = root / one["staged"]
    assert not imbalances(folder, lines_of["AA01"])
    assert imbalances(folder, lines_of["AA01"] + 1)
    subject = folder / "core" / "subject.parquet"
    pl.read_parquet(subject, glob=False)[1:].write_parquet(subject)
    assert imbalances(folder, lines_of["AA01"])
