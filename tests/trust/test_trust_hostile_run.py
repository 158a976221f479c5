"""A run with eleven good centers and every hostile delivery at once, as a user starts it."""

from __future__ import annotations

import json
import os
import pickle
import re
import resource
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.flows import small_study
from tests.study.hostile_study import GOOD, MANIFEST, ONE_PERSON, SPEC, add, center_of
from tests.trust.conftest import FULL
from tests.trust.one_table import plan_one_table

ROOT = Path(__file__).parents[2]
DAY = "2024-06-14"
GOOD_CENTERS = tuple(f"{letter}{letter}01" for letter in "ABCDEFGIJKL")
# All rows of these are held: the delivery fails, as nobody of its center would be left.
NOBODY_LEFT = {"046", "047", "048", "064"}
SMALL = {"026", "047", "031", "034", "052", "068", "072", "075", "076", "088"}  # fmt: skip
CORPUS = [
    name for name in MANIFEST
    if "_resub_" not in name and (FULL or name[:3] in SMALL)
]  # fmt: skip

# What we call the manifest's reasons where a row is held or asked about.
RULES = {
    "CONTROL_CHAR": {"STR-11"},
    "FIELD_COUNT": {"STR-11"},
    "QUOTING": {"STR-11"},
    "BAD_ID": {"STR-04"},
    "DUPLICATE_ROW": {"STR-02", "STR-10"},
    "BAD_DATE": {"DAT-01", "DAT-02", "DAT-04", "DAT-05"},
    "DATE_ORDER": {"DAT-24"},
    "DATE_RANGE": {"DAT-05"},
    "BAD_NUMBER": {"STR-06"},
    "RANGE": {"STR-06", "ELG-08"},
}
# Where our rules go another way than the manifest, as docs/trust.md says; no finding then.
OTHER_WAY = {"030", "055", "067", "081"}

EVERY_NAME = [
    b"M\xfcller.csv", b"quote'\"; DROP TABLE x;--.csv", b"a\nb.csv", "\u202efdp.csv".encode(),
    b"data*[1]?.csv", b"<img src=x onerror=alert(1)>.csv", b";_$HOME_{0}.csv", b"%s{}.csv",
    b" leading.csv", "ünï.csv".encode(), b"esc\x1b[31mred.csv", b"cr\rvt\x0b.csv", b"=1+1.csv",
    b"-rf.csv", "\u2066hid\u2069\u200b.csv".encode(), b"`id`$(id).csv", b"{{7*7}}.csv",
]  # fmt: skip
NAMES = EVERY_NAME if FULL else [*EVERY_NAME[:6], EVERY_NAME[10]]


@dataclass(frozen=True)
class Ran:
    """The run, by what it printed and left."""

    folder: Path
    code: int
    out: str
    err: str
    kilobytes: int

    def of(self, center: str) -> list[dict[str, Any]]:
        """What was told of a center's deliveries."""
        return [d for d in json.loads(self.out)["deliveries"] if d["center_id"] == center]


class Bomb:
    """A pickle that makes a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def inbox(folder: Path, center: str, *parts: str) -> Path:
    """A place in a center's inbox; the center gets a spec."""
    (folder / "centers" / f"{center}.yaml").write_text(
        SPEC.format(center=center, decimal=".", ignored="", year=", birth_year: birth_year"),
        encoding="utf-8",
    )
    place = folder.joinpath("inbox", center, *parts)
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def rows(first: int) -> str:
    """Two good rows of patients that no other center has, and one with a field too many."""
    header = GOOD.splitlines()[0]
    return (
        f"{header}\nLEI,P{first:04},{1930 + first % 50},f,2022-{first % 12 + 1:02}-{first % 27 + 1:02},64,31,2,,\n"
        f"LEI,P{first + 1:04},{1931 + first % 50},m,2021-{first % 12 + 1:02}-{first % 27 + 1:02},64,31,2,,\n"
        "LEI,P9999,1950,f,2022-01-01,64,31,2,,,too many\n"
    )


def build(folder: Path) -> Path:
    """The study; gives the file that no run may make."""
    small_study.make_study(folder, GOOD_CENTERS)
    if not FULL:
        plan_one_table(folder)
    for name in CORPUS:
        add(
            folder, center_of(name), (DAY, name, name),
            decimal="," if name.startswith("020") else ".", with_year=name[:3] not in ONE_PERSON,
        )  # fmt: skip
    for at, raw in enumerate(NAMES):
        place = inbox(folder, f"N{at:03}", DAY, "x").parent
        place.mkdir(parents=True, exist_ok=True)
        (place / os.fsdecode(raw)).write_text(rows(100 + 7 * at), encoding="utf-8")
    made = folder.parent / "opened.txt"
    secret = folder.parent / "secret.csv"
    secret.write_text(rows(900), encoding="utf-8")
    inbox(folder, "LINKFILE", DAY, "x.csv").symlink_to(secret)
    (folder.parent / "elsewhere").mkdir()
    (folder.parent / "elsewhere" / "x.csv").write_text(rows(910), encoding="utf-8")
    inbox(folder, "LINKDIR", DAY).symlink_to(folder.parent / "elsewhere")
    inbox(folder, "PICKLE", f"{DAY}.pkl").write_bytes(pickle.dumps(Bomb(made)))
    with duckdb.connect(str(inbox(folder, "DATABASE", f"{DAY}.duckdb"))) as con:
        con.execute("create table p as select 1 as patient_id")
    inbox(folder, "DISGUISE", f"{DAY}.csv").write_bytes(
        (folder / "inbox" / "DATABASE" / f"{DAY}.duckdb").read_bytes()
    )
    # The very files of another center, and another center's rows of its own.
    same = (folder / "inbox" / "N000" / DAY / os.fsdecode(NAMES[0])).read_bytes()
    swapped = inbox(folder, "SWAPSAME", DAY, os.fsdecode(NAMES[0]))
    swapped.parent.mkdir(exist_ok=True)
    swapped.write_bytes(same)
    foreign = rows(930).replace("LEI,", "BER,").splitlines(keepends=True)[1:3]
    inbox(folder, "SWAPROWS", f"{DAY}_x.csv").write_text(rows(950) + "".join(foreign), "utf-8")
    inbox(folder, "ODDENTRY", os.fsdecode(b"\x1b[31mno date\n\xe2\x80\xae\xff.csv")).write_text("x")
    stranger = folder / "inbox" / "<img src=x onerror=alert(2)>\n\x1b[31m\u202e" / DAY
    stranger.mkdir(parents=True)
    (stranger / "x.csv").write_text(rows(940), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One run of everything, by the command line."""
    base = tmp_path_factory.mktemp("hostile")
    folder = base / "study [1]*"
    build(folder)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "run", str(folder), "--json", *([] if FULL else ["--no-report"])],
        capture_output=True, cwd=ROOT, check=False, timeout=900,
        env={k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")},
    )  # fmt: skip
    # A child begins with what this process held; a peak below that says nothing and is no fault.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return Ran(
        folder, done.returncode, done.stdout.decode(), done.stderr.decode(), max(0, peak - before)
    )


def verdict(ran: Ran, name: str) -> str:
    """What is wrong with how a file of the corpus was judged; empty if nothing is."""
    case = MANIFEST[name]
    accepted, rejected = int(case["rows_accepted"]), int(case["rows_rejected"])
    told = ran.of(center_of(name))
    if len(told) != 1:
        return f"{len(told)} outcomes"
    (one,) = told
    if case["expected"] == "reject_file" or name.startswith("068"):  # of 068 no row is readable
        wanted = "NO_ROWS" if name.startswith("068") else case["reason_code"]
        good = (one["state"], one["code"], one["rows_loaded"]) == ("failed", wanted, 0)
        good = good and "Fix: " in one["message"]
        return "" if good else f"{one['state']} {one['code']}, wanted {wanted}"
    if name[:3] in NOBODY_LEFT:
        rules = {"filtered"} if name.startswith("064") else RULES.get(case["reason_code"], set())
        told_why = set(re.findall(r"[(, ]([A-Z]{3}-[0-9]{2}|filtered) [0-9]+", one["message"]))
        good = (one["state"], one["code"]) == ("failed", "ALL_HELD") and told_why & rules
        return "" if good else f"{one['state']} {one['code']}"
    if (one["state"], one["rows_read"]) != ("loaded", accepted + rejected):
        return f"{one['state']}, {one['rows_read']} rows read"
    if case["expected"] == "accept":
        return "" if (one["errors"], one["rows_quarantined"]) == (0, 0) else "good rows are held"
    if name[:3] in OTHER_WAY:
        return ""
    staged = ran.folder / one["staged"]
    found = pl.read_parquet(
        staged / "finding.parquet", columns=["rule_id", "finding_id"], glob=False
    )
    fields = pl.read_parquet(
        staged / "finding_field.parquet", columns=["finding_id", "row"], glob=False
    )
    named = found.filter(pl.col("rule_id").is_in(RULES[case["reason_code"]])).join(
        fields, on="finding_id"
    )
    n = named["row"].n_unique()
    return "" if n >= rejected else f"{n} rows are asked about, wanted {rejected}"


def test_every_file_of_the_corpus_gets_the_verdict_of_the_manifest(
    ran: Ran, figure: Callable[..., None]
) -> None:
    assert ran.code == 1, ran.err
    wrong = {name: told for name in CORPUS if (told := verdict(ran, name))}
    print(wrong)
    figure(
        "5, 8, 23, 53, 55",
        "hostile corpus in one run: wrong verdict, rows or reason",
        len(wrong),
        len(CORPUS),
    )


def test_a_verdict_that_is_wrong_is_seen(ran: Ran) -> None:
    out = ran.out.replace('"code": "TOO_LARGE"', '"code": "CORRUPT"').replace(
        '"errors": ', '"errors": 9'
    )
    other = Ran(ran.folder, 1, out, "", 0)
    assert any(
        verdict(other, name) for name in CORPUS if MANIFEST[name]["reason_code"] == "TOO_LARGE"
    )


def test_the_good_centers_are_loaded_whatever_the_others_send(
    ran: Ran, figure: Callable[..., None]
) -> None:
    whole = [
        center for center in GOOD_CENTERS
        for one in ran.of(center)
        if (one["state"], one["rows_loaded"], one["rows_quarantined"]) == ("loaded", 74, 0)
    ]  # fmt: skip
    with duckdb.connect(str(ran.folder / "published" / "warehouse.duckdb"), read_only=True) as con:
        counted = dict(
            con.execute("select center_id::text, count(*) from core.subject group by 1").fetchall()
        )
        unbalanced = con.execute("select count(*) from quality.ledger_balance").fetchall()
    lost = [center for center in GOOD_CENTERS if center not in whole or counted.get(center) != 6]
    figure(
        "23",
        "good centers not published whole beside the hostile ones",
        len(lost),
        len(GOOD_CENTERS),
    )
    assert unbalanced == [(0,)]
    assert ran.kilobytes < 1_000_000


EXPECTED = {
    "LINKFILE": ("failed", "WRONG_TYPE"),
    "LINKDIR": ("failed", "WRONG_TYPE"),
    "PICKLE": ("failed", "WRONG_TYPE"),
    "DATABASE": ("failed", "WRONG_TYPE"),
    "ODDENTRY": ("failed", "NAME"),
    "SWAPSAME": ("failed", "FOREIGN_CENTER"),
}


def test_links_pickles_databases_and_swapped_folders_are_not_opened(
    ran: Ran, figure: Callable[..., None]
) -> None:
    wrong = []
    for center, (state, code) in EXPECTED.items():
        (one,) = ran.of(center)
        if (one["state"], one["code"]) != (state, code) or "Fix: " not in one["message"]:
            wrong.append((center, one))
    (disguised,), (swapped,) = ran.of("DISGUISE"), ran.of("SWAPROWS")
    if (disguised["state"], disguised["rows_loaded"]) != ("failed", 0):
        wrong.append(("DISGUISE", disguised))
    if (swapped["state"], swapped["rows_loaded"], swapped["rows_excluded"]) != ("loaded", 10, 2):
        wrong.append(("SWAPROWS", swapped))
    if (ran.folder.parent / "opened.txt").exists():
        wrong.append(("the pickle was opened", {}))
    print(wrong)
    figure(
        "50, 51, 55, 56",
        "links, pickles, databases and swapped folders in the inbox: opened or loaded",
        len(wrong),
        8,
    )


def unsafe(text: str) -> list[str]:
    """Characters that must reach no log, page or terminal, and halves of characters."""
    return [
        repr(c) for c in set(text)
        if c not in "\n\t" and (unicodedata.category(c) in ("Cc", "Cs") or c in "\u202e\u2066\u2069\u200b")
    ]  # fmt: skip


def texts(ran: Ran) -> dict[str, str]:
    """Everything that a person or program reads after the run, as text."""
    found = {"standard output": ran.out, "standard error": ran.err}
    for path in ran.folder.rglob("*"):
        place = path.relative_to(ran.folder).as_posix()
        if not path.is_file() or place.startswith(("inbox/", "vault/deliveries/", "centers/")):
            continue
        if path.suffix in {".json", ".jsonl", ".log", ".html", ".md", ".txt", ".svg"}:
            found[place] = path.read_text(encoding="utf-8")
        elif path.suffix == ".csv":
            found[place] = path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
        elif path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                for part in book.namelist():
                    found[f"{place}/{part}"] = book.read(part).decode("utf-8").replace("\r\n", "\n")
    return found


def test_no_name_reaches_a_log_page_workbook_or_terminal_as_more_than_text(
    ran: Ran, figure: Callable[..., None]
) -> None:
    read = texts(ran)
    wrong = []
    for place, text in read.items():
        if found := unsafe(text):
            wrong.append((place, found))
        if "Traceback" in text or "panicked at" in text:
            wrong.append((place, "a traceback"))
        if place.endswith((".html", ".xml")) and "<img src=x" in text:
            wrong.append((place, "markup"))
        if place.endswith(".jsonl"):
            for line in text.splitlines():
                json.loads(line)
    json.loads(ran.out)
    names = " ".join(
        text for place, text in read.items() if "/xl/" in place or place.endswith(".csv")
    )
    assert "fdp.csv" in names  # the file of that name was asked about, so its name went all the way
    assert "M\\xfcller.csv" in names
    for at in range(len(NAMES)):
        (one,) = ran.of(f"N{at:03}")
        if (one["state"], one["rows_read"], one["errors"]) != ("loaded", 3, 1):
            wrong.append((f"N{at:03}", one))
    for one in wrong:
        print(one)
    figure(
        "24, 29, 50, 54",
        "places of a run where a hostile name is more than text, or a traceback",
        len(wrong),
        len(read),
    )


def test_an_unsafe_text_is_seen() -> None:
    assert unsafe("a\u202eb")
    assert unsafe("a\x1b[31m")
    assert unsafe("a\udcfcb")
    assert not unsafe("Müller\t\n")
