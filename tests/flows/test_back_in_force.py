"""Files that were loaded before and stand in the inbox again, in the place of what is in force."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
import small_study

from flows.outcome import RunOutcome
from flows.run import RunRequest, run_study
from flows.show import Silent

pytestmark = pytest.mark.usefixtures("lenient")
DAY = "2024-06-14"


def run(study: Path, **options: Any) -> RunOutcome:
    return run_study(RunRequest(str(study), report=False, **options), Silent())


@pytest.fixture
def one(loaded_one: Path) -> Path:
    """A study of one center, loaded once."""
    return loaded_one


def entry(study: Path, day: str = DAY) -> Path:
    return study / "inbox" / "AA01" / day


def put(study: Path, files: Path, day: str = DAY) -> None:
    """Files in the place of an entry, or as a new one."""
    shutil.rmtree(entry(study, day), ignore_errors=True)
    shutil.copytree(files, entry(study, day))


def edited(study: Path, files: Path, name: str) -> Path:
    """A copy of a delivery in which one patient's R-ISS is another."""
    made = Path(shutil.copytree(files, study.parent / name))
    with (made / "risk.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    rows[1][2] = "III" if rows[1][2] != "III" else "I"
    with (made / "risk.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return made


def published(study: Path) -> list[Any]:
    """The R-ISS of everybody, and the deliveries in force."""
    con = duckdb.connect(str(study / "published" / "warehouse.duckdb"), read_only=True)
    found = con.execute(
        "select r_iss::varchar from core.risk order by usubjid, timepoint"
    ).fetchall()
    days = con.execute(
        "select received_on::varchar from quality.delivery where is_current"
    ).fetchall()
    balance = con.execute("select count(*) from quality.ledger_balance").fetchall()
    con.close()
    return [found, days, balance]


def said(outcome: RunOutcome) -> list[tuple[str, str]]:
    return [(d.received_on, d.state) for d in outcome.deliveries]


def change_spec(study: Path) -> None:
    with (study / "centers" / "AA01.yaml").open("a", encoding="utf-8") as file:
        file.write("# a comment\n")


def test_a_correction_that_is_taken_back_in_place_gives_the_first_state_again(one: Path) -> None:
    kept = Path(shutil.copytree(entry(one), one.parent / "kept"))
    before = published(one)
    put(one, edited(one, kept, "corrected"))
    run(one)
    assert published(one)[0] != before[0]

    put(one, kept)
    assert said(run(one)) == [(DAY, "loaded")]
    assert published(one) == before
    assert run(one).state == "nothing new"
    put(one, edited(one, kept, "corrected again"))
    assert said(run(one)) == [(DAY, "loaded")]
    assert published(one)[0] != before[0]


def test_an_older_export_put_in_the_place_of_the_newest_stands(one: Path) -> None:
    other = edited(one, entry(one), "other")
    put(one, other, "2024-06-13")  # late: history
    before = published(one)
    run(one)
    assert published(one) == before

    put(one, other)
    assert said(run(one)) == [(DAY, "loaded")]
    after = published(one)
    assert after[0] != before[0]
    assert after[1:] == before[1:]
    assert ("2024-06-13", "repeated") in said(run(one))
    change_spec(one)
    run(one)
    assert published(one) == after


def test_what_stands_again_is_compared_with_what_it_replaces(one: Path) -> None:
    kept = Path(shutil.copytree(entry(one), one.parent / "kept"))
    shutil.rmtree(entry(one))
    small_study.deliver(one, "AA01", DAY, patients=7)
    run(one)
    put(one, kept)
    outcome = run(one, accept_fewer=("AA01",))

    con = duckdb.connect(str(one / "published" / "warehouse.duckdb"), read_only=True)
    missing = con.execute(
        "select count(distinct usubjid) from quality.finding f join quality.delivery d using (delivery_key) "
        "where f.rule_id = 'STR-12' and d.is_current"
    ).fetchall()
    people = con.execute("select count(*) from core.subject").fetchall()
    con.close()
    assert outcome.exit_code == 0
    assert (missing, people) == ([(1,)], [(6,)])


def test_a_replay_under_a_new_date_still_changes_nothing(one: Path) -> None:
    kept = Path(shutil.copytree(entry(one), one.parent / "kept"))
    put(one, edited(one, kept, "later"), "2024-06-15")
    run(one)
    before = published(one)
    put(one, kept, "2024-06-16")
    assert ("2024-06-16", "repeated") in said(run(one))
    assert published(one) == before


def test_files_that_are_gone_from_the_inbox_stay_in_force(one: Path) -> None:
    before = published(one)
    shutil.rmtree(entry(one))
    assert run(one).state == "nothing new"
    assert published(one) == before
