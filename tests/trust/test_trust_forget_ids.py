"""A patient whose id no file holds as it is written: XML, JSON and CSV escape it. Searched with code of its own."""

from __future__ import annotations

import csv
import html
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

from flows.forget import Forgotten, forget_patient
from flows.run import RunRequest, run_study
from flows.show import Silent
from tests.flows import lenient_runs
from warehouse.pseudonyms import Pseudonymizer

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))

import small_study  # noqa: E402
from plain_search import files_with, holding, texts_in  # noqa: E402

Record = Callable[..., None]

CENTER = "AA01"
PREFIX, LONGER = "AB-1", "AB-1-2"
ODD = ("R&D-0012", 'O"Neil <7>', "a,b", "Ä-1", "O'Hara-3", PREFIX)
IDS = dict(enumerate((*ODD, LONGER), start=1))
DELETED = ODD[1]  # with its deliveries
SHARED = ODD[0]  # a patient of another center has the same id


@dataclass
class Told:
    """What was found of each id, before and after it was forgotten in a copy of the study; paths below it."""

    roots: dict[str, Path] = field(default_factory=dict)
    before: dict[str, list[str]] = field(default_factory=dict)
    after: dict[str, list[str]] = field(default_factory=dict)
    done: dict[str, Forgotten] = field(default_factory=dict)
    subjects: dict[str, int] = field(default_factory=dict)


def _renamed(study: Path, center: str, ids: dict[int, str]) -> None:
    """The center's delivery with other ids, and a line long after the cut for each: a finding, and a query."""
    folder = study / "inbox" / center / "2024-06-14"
    names = {f"{center}-{n:03d}": one for n, one in ids.items()}
    for path in folder.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = [[names.get(cell, cell) for cell in row] for row in csv.reader(file)]
        if path.stem == "treatment_line":
            rows += [[one, "2", "2031-01-01", "Talquetamab"] for one in ids.values()]
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)


def _sent_back(study: Path) -> None:
    """What the center sends beside: the workbook as it came, and each id in a page and in JSON."""
    home = study / "answers" / CENTER
    home.mkdir(parents=True)
    for book in (study / "vault" / "packets" / CENTER / "queries").glob("*/queries.xlsx"):
        shutil.copyfile(book, home / "queries.xlsx")
    for n, one in IDS.items():
        (home / f"{n}.html").write_text(f"<p>{html.escape(one)}</p>", encoding="utf-8")
        (home / f"{n}.json").write_text(json.dumps({"note": f"see\n{one}"}), encoding="utf-8")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """The study is run once; each of the patients is forgotten in a copy of its own."""
    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.let_all_pass(patch)
        home = tmp_path_factory.mktemp("odd")
        first = small_study.make_study(home / "study", (CENTER, "BB02"))
        with (first / "study.yaml").open("a", encoding="utf-8") as file:
            file.write("queries: {release: at_once, answers: by_hand}\n")
        shutil.rmtree(first / "inbox" / CENTER)
        small_study.deliver(first, CENTER, "2024-06-14", patients=len(IDS))
        _renamed(first, CENTER, IDS)
        _renamed(first, "BB02", {1: SHARED})
        run_study(RunRequest(str(first), report=False), Silent())
        _sent_back(first)
        told = Told({"": first}, subjects={"": _subjects(first)})
        texts = texts_in(first)
        for n, one in enumerate(ODD):
            but = (LONGER,) if one == PREFIX else ()
            told.before[one] = holding(texts, one, but)
            root = told.roots[one] = Path(shutil.copytree(first, home / str(n), symlinks=True))
            told.done[one] = forget_patient(root, CENTER, one, delete_deliveries=one == DELETED)
            told.after[one] = files_with(root, one, but)
            told.subjects[one] = _subjects(root)
        yield told


def _subjects(root: Path) -> int:
    con = duckdb.connect(str(root / "published" / "warehouse.duckdb"), read_only=True)
    try:
        return int(con.execute("SELECT count(*) FROM core.subject").fetchall()[0][0])
    finally:
        con.close()


@pytest.mark.parametrize("one", ODD)
def test_the_id_stands_in_files_of_all_kinds_before(told: Told, one: str) -> None:
    kinds = {Path(name).suffix for name in told.before[one] if "BB02" not in name}
    assert {".xlsx", ".parquet", ".html", ".json"} <= kinds
    assert any("packets/AA01/queries" in name for name in told.before[one])
    assert f"answers/{CENTER}/queries.xlsx" in told.before[one]


@pytest.mark.parametrize("one", ODD)
def test_afterwards_only_named_deliveries_hold_it(told: Told, one: str) -> None:
    done = told.done[one]
    left = [name for name in told.after[one] if not name.startswith(tuple(done.deliveries))]
    if one == SHARED:  # the other center's patient stays
        assert {"vault/id_map.parquet", "inbox/BB02/2024-06-14/subject.csv"} <= set(left)
        left = [name for name in left if f"/{CENTER}" in name]
    assert left == []
    assert done.complete
    assert done.still_found == []
    assert done.queries >= 1


def test_no_id_is_left_but_in_named_deliveries(told: Told, figure: Record) -> None:
    named = {one: tuple(told.done[one].deliveries) for one in ODD}
    left = {
        (one, name)
        for one in ODD
        for name in told.after[one]
        if not name.startswith(named[one]) and (one != SHARED or f"/{CENTER}" in name)
    }
    assert left == set()
    figure(
        "39", "files that hold a forgotten id with signs that formats escape", len(left), len(ODD)
    )


def test_deliveries_are_named_until_they_are_deleted(told: Told) -> None:
    for one in {*ODD} - {DELETED}:
        assert f"inbox/{CENTER}/2024-06-14" in told.done[one].deliveries
        assert any(name.endswith("/subject.csv") for name in told.after[one])
    assert told.done[DELETED].deliveries == []
    assert told.after[DELETED] == []
    assert not (told.roots[DELETED] / "inbox" / CENTER / "2024-06-14").exists()


def test_one_patient_goes_and_no_other(told: Told) -> None:
    assert {told.subjects[""] - told.subjects[one] for one in ODD} == {1}


def test_nothing_goes_of_a_patient_whose_id_begins_with_the_id(told: Told) -> None:
    root = told.roots[PREFIX]
    word = Pseudonymizer.of_study(root, "SMALL").usubjid(CENTER, LONGER)
    texts = texts_in(root)
    assert "published/warehouse.duckdb" in holding(texts, word)
    left = holding(texts, LONGER)
    assert {"vault/id_map.parquet", f"answers/{CENTER}/7.html", f"answers/{CENTER}/7.json"} <= {
        *left
    }
    assert any(name.startswith(f"vault/packets/{CENTER}") for name in left)
    assert any(name.startswith("vault/queries/") for name in left)
