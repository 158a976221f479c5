"""The packets of queries of the demo study: whole, closed to others, and nothing of another center."""

from __future__ import annotations

import csv
import datetime as dt
import html
import re
import zipfile
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from warehouse.loads import LoadLog
from warehouse.query_book import Known, write_query_packet

ROOT = Path(__file__).resolve().parents[2]
ON = dt.date(2024, 8, 1)
PART = 900
IDS = re.compile(r"\bQ-[0-9A-Z]{8}\b")


@pytest.fixture(scope="module")
def study(demo_after_round: Callable[[int], Path]) -> Path:
    """The demo study after round one, with its queries open and every center's packet written."""
    folder = demo_after_round(1)
    known = Known.read(folder)
    for center in centers(known):
        write_query_packet(folder, center, PART, ON, known=known)
    return folder


@pytest.fixture(scope="module")
def known(study: Path) -> Known:
    return Known.read(study)


def centers(known: Known) -> list[str]:
    return sorted({staged.center_id for _, staged in known.deliveries})


def packet(study: Path, center: str) -> Path:
    return study / "vault" / "packets" / center / "queries" / f"{ON}_{PART}"


def table(study: Path, center: str) -> list[list[str]]:
    with (packet(study, center) / "queries.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def everything(study: Path, center: str) -> str:
    """All text of a center's packet: every part of the workbook, and the table."""
    with zipfile.ZipFile(packet(study, center) / "queries.xlsx") as archive:
        parts = [html.unescape(archive.read(name).decode()) for name in archive.namelist()]
    return "\n".join([*parts, (packet(study, center) / "queries.csv").read_text("utf-8-sig")])


def test_every_open_query_of_every_center_stands_in_its_workbook_once(
    study: Path, known: Known
) -> None:
    assert len(centers(known)) == 12
    opened = known.queries.filter(state="open")
    assert opened.height > 100
    for center in centers(known):
        sheet = openpyxl.load_workbook(packet(study, center) / "queries.xlsx").worksheets[1]
        found = [i for row in sheet.iter_rows(min_row=3) for i in IDS.findall(str(row[0].value))]
        assert sorted(found) == sorted(opened.filter(center_id=center)["query_id"])
        assert sorted(found) == sorted(
            i for row in table(study, center) for i in IDS.findall(row[0])
        )


def files(study: Path, center: str) -> set[str]:
    found = (study / "inbox" / center).rglob("*.*")
    return {path.name for path in found if path.is_file()}


def local_ids(known: Known, center: str) -> set[str]:
    """Ids of patients in all staged tables of a center; short numbers occur as values everywhere."""
    staged = next(staged for _, staged in known.deliveries if staged.center_id == center)
    paths = [path for part in ("core", "quarantine") for path in (staged.folder / part).glob("*")]
    ids = {i for path in paths for i in pl.read_parquet(path, glob=False)["patient_id"].to_list()}
    return {i for i in ids if i and len(i) >= 5}


def test_a_packet_holds_nothing_of_another_center(study: Path, known: Known) -> None:
    names = centers(known)
    texts = {center: everything(study, center) for center in names}
    words = {center: set(re.findall(r"[\w.+-]+", text)) for center, text in texts.items()}
    ids = {center: local_ids(known, center) for center in names}
    queries = {c: set(known.queries.filter(center_id=c)["query_id"]) for c in names}
    tried = 0
    for mine, other in permutations(names, 2):
        assert not words[mine] & (ids[other] - ids[mine]), (mine, other)
        assert not words[mine] & queries[other], (mine, other)
        assert other not in words[mine]
        for file in files(study, other) - files(study, mine):
            assert file not in texts[mine], (mine, other)
        tried += len(ids[other])
    assert tried > 500


def cells_of(row: list[str]) -> Iterator[str]:
    """The texts of the cells of a line with one or several cells."""
    value = row[8].removeprefix("'") if row[-1] else row[8]
    if ";" not in row[6] and ";" not in row[7]:
        yield value
    else:
        for part in value.split("; "):
            yield part.partition(": ")[2]


def test_every_value_as_delivered_stands_in_the_centers_own_files(study: Path) -> None:
    """Of centers that send text files; the value is looked up in the bytes, not by our readers."""
    looked = 0
    for center in ("DE01", "DE05"):
        delivered = "\n".join(
            path.read_bytes().decode("utf-8", "replace" if center != "DE01" else "ignore")
            + path.read_bytes().decode("cp1252", "ignore")
            for path in (study / "inbox" / center / "2024-06-14").rglob("*.csv")
        )
        for row in table(study, center)[1:]:
            for text in cells_of(row):
                if text not in ("", "–"):
                    assert text in delivered, (center, row)
                    looked += 1
    assert looked >= 25


def test_each_center_is_written_to_in_its_language(study: Path) -> None:
    first = {center: table(study, center)[0][0] for center in ("DE01", "ES01", "US01")}
    assert first == {"DE01": "Rückfrage", "ES01": "Consulta", "US01": "Query"}


def test_a_packet_is_closed_to_others_and_written_again_with_the_same_bytes(
    study: Path, known: Known
) -> None:
    folder = packet(study, "DE01")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(before) == ["queries.csv", "queries.xlsx"]
    assert write_query_packet(study, "DE01", PART, ON) == folder
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    for level in (folder, folder.parent, folder.parent.parent):
        assert level.stat().st_mode & 0o777 == 0o700


def test_a_center_with_all_settled_gets_a_workbook_that_says_so(study: Path, known: Known) -> None:
    settled = Known(
        known.study, known.title, known.queries.clear(), known.facts, known.fields, known.deliveries
    )
    folder = write_query_packet(study, "ES01", PART + 1, ON, known=settled)
    sheet = openpyxl.load_workbook(folder / "queries.xlsx")["Consultas"]
    texts = [one.value for row in sheet.iter_rows(min_row=3) for one in row if one.value]
    assert texts == ["No hay consultas abiertas para su centro. No hay que hacer nada."]
    assert LoadLog.read(study).loads  # the study itself is untouched
