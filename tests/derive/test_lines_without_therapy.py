"""Supportive care alone is no line: from the file to the cohort, with the next line as the first salvage."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pytest

from schemas.delivery import read_delivery
from schemas.spec import load_spec, load_study
from tests.flows import small_study
from transforms.stage import process_center
from warehouse.analysis import derive
from warehouse.build import build_study
from warehouse.loads import DeliveryOutcome, LoadLog

# Everybody: infused 2023-01-10 (and days after), relapsed 2023-05-10, alive on 2024-06-01.
LINES = {
    "BSC-FIRST": [(1, "2023-05-12", "BSC"), (2, "2023-07-01", "Talquetamab")],
    "NO-START": [(1, "", "watch and wait"), (2, "2023-07-01", "Tec")],
    "TWO-NONE": [
        (1, "", "keine Therapie"),
        (2, "", "best supportive care"),
        (3, "2023-07-01", "DPd"),
    ],
    "BSC-ONLY": [(1, "2023-05-12", "best supportive care")],
    "BSC-LAST": [(1, "2023-06-01", "Tec"), (2, "2023-10-01", "hospice")],
    "BSC-BETWEEN": [
        (1, "2023-06-01", "Tec"),
        (2, "2023-10-01", "BSC"),
        (3, "2023-12-01", "Talquetamab"),
    ],
    "REAL-GAP": [(1, "", "BSC"), (3, "2023-07-01", "Tec")],
    "BSC-THEN-LD": [
        (1, "2023-05-12", "BSC"),
        (2, "2023-06-20", "Flu/Cy"),
        (3, "2023-07-01", "Carvykti"),
    ],
    "BSC-THEN-RT": [
        (1, "2023-05-12", "BSC"),
        (2, "2023-06-20", "RT"),
        (3, "2023-07-01", "Talvey"),
    ],
    "RT-ONLY": [(1, "2023-06-01", "RT")],
    # Supportive drugs make a row, and no line all the same; nobody needs their start.
    "IVIG-LATER": [
        (1, "2023-06-01", "Elranatamab"),
        (2, "", "IVIG + Zometa"),
        (3, "2023-11-01", "DVd"),
    ],
    "IVIG-FIRST": [(1, "", "IVIG"), (2, "2023-07-01", "Elranatamab")],
}
RESPONSES = {
    # Progression while nothing was given, before the salvage: of the CAR-T, no event of the salvage.
    "BSC-FIRST": [
        (1, "PROGRESSION", "2023-06-10", "PD"),
        (2, "ASSESSMENT", "2023-08-01", "PR"),
        (2, "BEST", "2023-09-01", "VGPR"),
        (2, "PROGRESSION", "2024-01-05", "PD"),
    ],
    # A progression after teclistamab, told of the time without therapy, is that of teclistamab.
    "BSC-BETWEEN": [
        (1, "BEST", "2023-08-01", "PR"),
        (2, "BEST", "2023-11-01", "PD"),
        (3, "BEST", "2024-02-01", "CR"),
    ],
    # Told of supportive care, but of a day on which teclistamab was given.
    "NO-START": [(1, "PROGRESSION", "2023-09-01", "PD"), (1, "BEST", "", "SD")],
}


def files(folder: Path) -> None:
    rows: dict[str, list[list[str]]] = {name: [] for name in small_study.FILES}
    for n, pid in enumerate(LINES):
        infused = str(dt.date(2023, 1, 10) + dt.timedelta(days=5 * n))
        rows["subject"].append([pid, "FM"[n % 2], str(1950 + n), "2017-05-02", "Y"])
        rows["infusion"].append([pid, "1", "IDE", "COMMERCIAL", infused, "4"])
        rows["relapse"].append([pid, "1", "2023-05-10", "N"])
        rows["treatment_line"] += [[pid, *map(str, line)] for line in LINES[pid]]
        rows["response"] += [[pid, *map(str, told)] for told in RESPONSES.get(pid, [])]
        rows["follow_up"].append([pid, "2024-06-01", "ALIVE", ""])
    folder.mkdir(parents=True)
    for name, found in rows.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([small_study.FILES[name].split(","), *found])


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The staged warehouse of one center with a patient for each of `LINES`."""
    root = tmp_path_factory.mktemp("study")
    (root / "centers").mkdir()
    (root / "study.yaml").write_text(small_study.STUDY, encoding="utf-8")
    (root / "centers" / "AA01.yaml").write_text(small_study.spec("AA01"), encoding="utf-8")
    files(root / "inbox" / "AA01" / "2024-06-14")
    study = load_study(root)
    delivery = read_delivery("AA01", root / "inbox" / "AA01" / "2024-06-14", dt.date(2024, 6, 14))
    staged = "vault/staged/AA01/2024-06-14"
    (root / staged).parent.mkdir(parents=True)
    process_center(load_spec(root / "centers" / "AA01.yaml"), delivery, root / staged, study)
    log = LoadLog.read(root)
    load_id = log.start("f" * 64, {"duckdb": "1"})
    told = DeliveryOutcome(
        "AA01", "2024-06-14", dt.date(2024, 6, 14), 1, "s", "c", "loaded", staged=staged
    )
    log.record(load_id, [told])
    return build_study(root, study, load_id, derive=derive).path


@pytest.fixture
def ask(warehouse: Path) -> Any:
    """Rows of a statement on the staged warehouse."""

    def rows(statement: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(warehouse), read_only=True) as con:
            return con.execute(statement).fetchall()

    return rows


def of(ask: Any, columns: str, table: str = "analysis.adsl", where: str = "true") -> dict[str, Any]:
    """Values by local id: the patients are told apart by their year of birth."""
    names = {1950 + n: pid for n, pid in enumerate(LINES)}
    found = ask(
        f"select s.birth_year, {columns} from {table} t "
        f"join core.subject s on s.usubjid = t.usubjid where {where} order by all"
    )
    return {names[year]: values for year, *values in found}


def days(*texts: str | None) -> list[dt.date | None]:
    return [dt.date.fromisoformat(text) if text else None for text in texts]


def test_the_line_after_supportive_care_is_the_first_salvage(ask: Any) -> None:
    found = of(ask, "TRTSDT, GRP4, SALVLN, NSALV")
    assert found == {
        "BSC-FIRST": [*days("2023-07-01"), "TALQ", 1, 1],
        "NO-START": [*days("2023-07-01"), "TEC", 1, 1],
        "TWO-NONE": [*days("2023-07-01"), "IPC", 1, 1],
        "BSC-LAST": [*days("2023-06-01"), "TEC", 1, 1],
        "BSC-BETWEEN": [*days("2023-06-01"), "TEC", 1, 2],
        "BSC-THEN-LD": [*days("2023-07-01"), "OTHER", 2, 1],
        "BSC-THEN-RT": [*days("2023-07-01"), "TALQ", 2, 1],
        "RT-ONLY": [*days("2023-06-01"), "OTHER", 1, 1],
        "IVIG-LATER": [*days("2023-06-01"), "OTHER", 1, 2],
        "IVIG-FIRST": [*days("2023-07-01"), "OTHER", 2, 1],
    }
    # Nobody whose line is missing without a word, and nobody without any line.
    assert dict(ask("select reason, sum(n_patients)::int from analysis.attrition "
                    "where reason is not null and n_patients > 0 group by 1")) == {
        "NO_SALVAGE": 1, "SALVAGE_HELD": 1,
    }  # fmt: skip


def test_times_and_responses_are_those_of_the_line_that_was_given(ask: Any) -> None:
    best = of(ask, "BESTRESP, RESPFL, BRGSDT")
    assert best["BSC-FIRST"] == ["VGPR", "Y", None]
    assert best["BSC-BETWEEN"] == ["PR", "Y", None]
    assert best["BSC-THEN-RT"][2] == dt.date(2023, 6, 20)

    def clock(code: str) -> dict[str, Any]:
        where = f"PARAMCD = '{code}' and ANALYSIS = 'PRIMARY'"
        return of(ask, "ADT, CNSR", "analysis.adtte", where)

    assert clock("PFS")["BSC-FIRST"] == [dt.date(2024, 1, 5), 0]
    assert clock("PFS")["BSC-BETWEEN"] == [dt.date(2023, 11, 1), 0]
    assert clock("PFS")["NO-START"] == [dt.date(2023, 9, 1), 0]
    assert clock("TTRSP")["BSC-FIRST"] == [dt.date(2023, 8, 1), 0]
    assert clock("TTNT")["BSC-BETWEEN"] == [dt.date(2023, 12, 1), 0]
    assert clock("TTNT")["IVIG-LATER"] == [dt.date(2023, 11, 1), 0]
    assert clock("TTNT")["BSC-LAST"] == [dt.date(2024, 6, 1), 1]
    assert clock("TTNT")["BSC-FIRST"] == [dt.date(2024, 6, 1), 1]


def test_the_center_is_asked_whether_there_was_no_line(ask: Any) -> None:
    found = ask(
        "select rule_id, severity, disposition, count(*) from quality.finding "
        "where rule_id = 'SAL-04' group by all order by all"
    )
    # BSC-FIRST, NO-START, TWO-NONE, BSC-BETWEEN, REAL-GAP, BSC-THEN-LD, BSC-THEN-RT; line 2 of REAL-GAP is missing.
    assert found == [
        ("SAL-04", "error", "quarantine", 1),
        ("SAL-04", "warning", "keep_query", 7),
    ]
    assert ask("select count(*) from quality.ledger_balance") == [(0,)]
    told = ask(
        "select \"table\", sum(n_rows)::int from quality.ledger where reason = 'no therapy' group by 1"
    )
    assert sorted(told) == [("response", 1), ("treatment_line", 10)]
