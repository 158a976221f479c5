"""A load compares its deliveries with those published before: findings, queries, counts, details."""

from __future__ import annotations

import datetime as dt
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from schemas.query_frames import ANSWER
from tests.flows import lenient_runs
from warehouse.packet_lines import packet_lines
from warehouse.queries import QueryLog
from warehouse.queries.transitions import answer, release
from warehouse.rules import declared_rules
from warehouse.study_rules import study_findings

SmallStudy = Any  # of conftest.py
Ask = Callable[[Path, str], list[tuple[Any, ...]]]


def delivered(
    small: SmallStudy, name: str, day: int, died: str | None, *, held: bool = False, **more: Any
) -> Any:
    """A delivery of center AA01 with patient 7, dead on a day or alive."""
    follow = {"patient_id": "7", "vital_status": "DEAD" if died else "ALIVE"}
    if died:
        follow |= {"death_date": dt.date.fromisoformat(died), "death_date_precision": "day"}
    tables = {"subject": [small.patient("7"), small.patient("8")], **more}
    rows = {"follow_up": [follow]}
    staged = small.stage(
        "AA01", name, tables if held else {**tables, **rows}, held_back=rows if held else None
    )
    return small.outcome("AA01", name, staged, received_on=dt.date(2024, 6, day))


FINDINGS = (
    'select f.rule_id, f."table", x.row, x.source_column from quality.finding f '
    "join quality.finding_field x using (delivery_key, finding_id) where f.rule_id like 'DLV%' order by all"
)
RUNS = (
    "select c.rule_id, c.outcome, c.numerator, c.denominator, c.reason from quality.check_run c "
    "join quality.delivery d using (delivery_key) where d.is_current and c.rule_id = 'DLV-01' and d.center_id = 'AA01'"
)
CHANGES = 'select load_id, "table", "column", level, change, asked, n from quality.delivery_change order by all'


@pytest.fixture(scope="module")
def after_first(
    module_study: Callable[[Path], SmallStudy], tmp_path_factory: pytest.TempPathFactory
) -> SmallStudy:
    """A study that has loaded a delivery with a death; copied, not changed."""
    small = module_study(tmp_path_factory.mktemp("first") / "study")
    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.read_here(patch)
        small.load(delivered(small, "d1", 1, "2024-03-02"))
    return small


@pytest.fixture(scope="module")
def after_second(after_first: SmallStudy, tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    """The same after a second delivery with another day of death: DLV-01 asks about it."""
    small = type(after_first)(tmp_path_factory.mktemp("second") / "study")
    shutil.copytree(after_first.folder, small.folder)
    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.read_here(patch)
        small.load(delivered(small, "d2", 2, "2024-04-02"))
    return small


@pytest.fixture
def begun(small_study: SmallStudy, after_first: SmallStudy) -> SmallStudy:
    """A study of the test's own that has loaded the first delivery."""
    shutil.copytree(after_first.folder, small_study.folder, dirs_exist_ok=True)
    return small_study


@pytest.fixture
def changed(small_study: SmallStudy, after_second: SmallStudy) -> SmallStudy:
    """A study of the test's own that has loaded both."""
    shutil.copytree(after_second.folder, small_study.folder, dirs_exist_ok=True)
    return small_study


def test_a_first_delivery_is_compared_with_nothing(small_study: SmallStudy, ask: Ask) -> None:
    path = small_study.built(delivered(small_study, "d1", 1, "2024-03-02"))
    assert ask(path, RUNS) == [("DLV-01", "not_applicable", 0, 0, "there is no delivery before it")]
    assert ask(path, CHANGES) == []


def test_a_death_that_stays_passes(begun: SmallStudy, ask: Ask) -> None:
    path = begun.built(delivered(begun, "d2", 2, "2024-03-02"))
    assert ask(path, RUNS) == [("DLV-01", "passed", 0, 1, None)]
    assert ask(path, CHANGES) == []


@pytest.mark.parametrize("held", [False, True], ids=["kept", "held back"])
def test_a_changed_death_that_nobody_asked_about_is_a_finding_a_query_and_a_line_of_the_packet(
    begun: SmallStudy, ask: Ask, held: bool
) -> None:
    second = delivered(begun, "d2", 2, "2024-04-02", held=held)
    path = begun.built(second)

    assert ask(path, FINDINGS) == [("DLV-01", "follow_up", 2, "Spalte death_date")]
    assert ask(path, RUNS) == [("DLV-01", "failed", 1, 1, None)]
    assert ask(path, 'select rule_id, "table", field, outcome from quality.query') == [
        ("DLV-01", "follow_up", "death_date", "new")
    ]
    change = (2, "follow_up", "death_date", "value", "changed", False, 1)
    record = (2, "follow_up", None, "record", "changed", False, 1)
    patient = (2, None, None, "patient", "changed", False, 1)
    assert sorted(ask(path, CHANGES), key=repr) == sorted([change, record, patient], key=repr)
    further = study_findings(begun.folder, "AA01", "d2")
    lines = packet_lines(begun.folder / second.staged, declared_rules(begun.catalog), "de", further)
    assert lines["What is wrong"].to_list() == [
        "Nicht erfüllt: Todesdatum bleibt gleich. In der vorigen Lieferung stand 2024-03-02, in dieser steht "
        "2024-04-02."
    ]


def test_a_record_that_is_gone_is_told_at_its_patient(small_study: SmallStudy, ask: Ask) -> None:
    relapse = {
        "patient_id": "7",
        "relapse_number": 1,
        "relapse_date": dt.date(2023, 5, 4),
        "relapse_date_precision": "day",
    }
    small_study.load(delivered(small_study, "d1", 1, None, relapse=[relapse]))
    path = small_study.built(delivered(small_study, "d2", 2, None))
    assert [row[:3] for row in ask(path, FINDINGS)] == [("DLV-03", "subject", 2)]
    _, fields = study_findings(small_study.folder, "AA01", "d2")
    assert fields["understood"].to_list() == ["gone: relapse_number=1, 2023-05-04"]


def test_a_finding_stays_while_the_delivery_is_the_newest_and_ends_with_the_next(
    changed: SmallStudy, ask: Ask
) -> None:
    other = changed.one("BB02", "e1", "1")
    path = changed.load(other)  # of another center: this one is compared as before
    assert len(ask(path, FINDINGS)) == 1
    path = changed.built(delivered(changed, "d3", 3, "2024-04-02"))
    assert ask(path, RUNS) == [("DLV-01", "passed", 0, 1, None)]
    assert [row[0] for row in ask(path, CHANGES)] == [
        2,
        2,
        2,
    ]  # the counts of the delivery before stay


def test_what_a_center_was_asked_it_may_change_and_what_it_was_not_sent_it_may_not(
    changed: SmallStudy, ask: Ask
) -> None:
    log = QueryLog.read(changed.folder)
    now = dt.datetime.now(dt.UTC)
    events, problems = release(log.queries, log.queries["query_id"].to_list(), now)
    assert not problems
    log.append("release", events)
    path = changed.load(delivered(changed, "d3", 3, "2024-03-02"))

    assert ask(path, RUNS) == [("DLV-01", "passed", 0, 1, None)]
    value = "select asked from quality.delivery_change where load_id = 3 and level = 'value'"
    assert ask(path, value) == [(True,)]
    # Read again after the query has ended: what counts is what had been asked when it came.
    again = changed.built(changed.one("BB02", "e1", "1"))
    assert ask(again, value) == [(True,)]
    assert ask(again, RUNS) == [("DLV-01", "passed", 0, 1, None)]


def test_a_confirmed_change_stays_confirmed_and_a_further_one_is_asked_about_anew(
    changed: SmallStudy, ask: Ask
) -> None:
    log = QueryLog.read(changed.folder)
    (query_id,) = log.queries["query_id"]
    now = dt.datetime.now(dt.UTC)
    log.append("release", release(log.queries, [query_id], now)[0])
    told = pl.DataFrame([{"query_id": query_id, "answer": "correct"}], schema=ANSWER)
    log.append("import", answer(log.queries, told, now)[0])
    state = "select state, resolution from quality.query"
    path = changed.load(changed.one("BB02", "e1", "1"))
    assert ask(path, state) == [("closed", "confirmed_correct")]
    assert len(ask(path, FINDINGS)) == 1
    path = changed.built(delivered(changed, "d3", 3, "2024-05-02"))
    assert ask(path, "select outcome from quality.query") == [("reopened",)]


def test_the_detail_is_for_the_data_manager_alone(changed: SmallStudy) -> None:
    place = changed.folder / "vault/packets/AA01/changes"
    book = place / "2024-06-02_d2.xlsx"
    assert [path.name for path in place.iterdir()] == [book.name]
    assert stat.S_IMODE(book.stat().st_mode) == 0o600
    rows = list(openpyxl.load_workbook(book).active.iter_rows(values_only=True))
    assert rows == [
        ("Asked for", "Query", "Level", "Change", "Patient", "Table", "Record", "Column", "Before", "Now"),
        ("no", None, "value", "changed", "7", "follow_up", None, "death_date", "2024-03-02", "2024-04-02"),
    ]  # fmt: skip
