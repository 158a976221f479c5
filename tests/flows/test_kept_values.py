"""Of how many patients a value that does not change is another than was published before."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import small_study

from flows.outcome import PUBLISHED, RunOutcome
from flows.run import RunRequest, run_study
from flows.show import Silent
from schemas.catalog import load_catalog
from warehouse.kept_values import KeptValues, kept_values
from warehouse.loads import LoadLog

pytestmark = pytest.mark.usefixtures("lenient")
Rows = list[list[str]]


def run(study: Path) -> RunOutcome:
    outcome = run_study(RunRequest(str(study), report=False), Silent())
    assert outcome.state == PUBLISHED, outcome.messages
    return outcome


def counted(study: Path) -> dict[str, KeptValues]:
    """The counts of the newest load, as the audit had them while it ran."""
    log = LoadLog.read(study)
    log.loads[-1] = replace(log.loads[-1], outcome="running")
    found = kept_values(log, log.loads[-1].load_id, load_catalog())
    return {one.center_id: one for one in found}


def send(folder: Path, table: str, change: Callable[[Rows], Rows]) -> None:
    """Changes the rows of a file of a delivery."""
    path = folder / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *change(rows)])


def moved(rows: Rows) -> Rows:
    """Every patient id one row further down."""
    return [[rows[n - 1][0], *row[1:]] for n, row in enumerate(rows)]


def cell(row: int, column: int, text: str) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        rows[row][column] = text
        return rows

    return change


def test_ids_that_are_moved_against_the_rest_change_every_patient(loaded_one: Path) -> None:
    folder = small_study.deliver(loaded_one, "AA01", "2024-07-01")
    for table in ("subject", "infusion"):
        send(folder, table, moved)
    run(loaded_one)

    # Sexes alternate and birth years are all different; products and dates of diagnosis are all the same.
    assert counted(loaded_one) == {
        "AA01": KeptValues(
            "AA01", True, 6, 6, 6, 2, 0,
            {"infusion.infusion_date": 6, "subject.birth_year": 6, "subject.sex": 6},
        )
    }  # fmt: skip


def test_a_corrected_value_is_counted_once_and_what_is_known_better_is_not(
    loaded_one: Path,
) -> None:
    folder = small_study.deliver(loaded_one, "AA01", "2024-07-01")
    send(folder, "subject", cell(0, 2, "1961"))  # a birth year corrected
    send(folder, "subject", cell(1, 1, "U"))  # a sex that is unknown now
    send(folder, "subject", cell(2, 2, ""))  # a birth year left empty
    send(folder, "subject", cell(3, 3, "2017-05"))  # a date known by its month
    run(loaded_one)

    assert counted(loaded_one) == {
        "AA01": KeptValues("AA01", True, 6, 1, 0, 2, 0, {"subject.birth_year": 1})
    }


def test_deaths_that_are_no_longer_told_are_counted_and_a_new_one_is_not(loaded_one: Path) -> None:
    folder = small_study.deliver(loaded_one, "AA01", "2024-07-01")
    at = small_study.FILES["follow_up"].split(",").index("vital_status")
    send(folder, "follow_up", cell(0, at, "DEAD"))
    send(folder, "follow_up", lambda rows: [_alive(row, at) if row[0] == "AA01-003" else row for row in rows])  # fmt: skip
    run(loaded_one)

    found = counted(loaded_one)["AA01"]
    assert (found.n_both, found.n_dead, found.n_dead_gone) == (6, 2, 1)


def _alive(row: list[str], at: int) -> list[str]:
    return [*row[:at], "ALIVE", ""]  # and no date of death


def test_patients_who_are_new_or_gone_are_not_compared(loaded_one: Path) -> None:
    small_study.deliver(loaded_one, "AA01", "2024-07-01", patients=9)
    run(loaded_one)
    assert counted(loaded_one) == {"AA01": KeptValues("AA01", True, 6, 0, 0, 2, 0, {})}


def test_a_center_with_nothing_new_is_not_compared_again(loaded: Path) -> None:
    folder = small_study.deliver(loaded, "AA01", "2024-07-01")
    send(folder, "subject", moved)
    run(loaded)
    assert counted(loaded)["AA01"].n_changed == 6

    small_study.deliver(loaded, "BB02", "2024-07-01", patients=7)
    run(loaded)
    assert set(counted(loaded)) == {"BB02"}


def test_of_several_deliveries_at_once_the_newest_is_compared_with_what_was_published(
    loaded_one: Path,
) -> None:
    wrong = small_study.deliver(loaded_one, "AA01", "2024-07-01")
    send(wrong, "subject", moved)
    small_study.deliver(loaded_one, "AA01", "2024-07-02", patients=7)
    run(loaded_one)

    assert counted(loaded_one) == {"AA01": KeptValues("AA01", True, 6, 0, 0, 2, 0, {})}


def test_what_was_never_published_is_compared_with_the_delivery_before_it(tmp_path: Path) -> None:
    study = small_study.make_study(tmp_path / "study", ("AA01", "BB02"))
    folder = small_study.deliver(study, "AA01", "2024-07-01")
    send(folder, "subject", moved)
    run(study)

    assert counted(study) == {
        "AA01": KeptValues(
            "AA01", False, 6, 6, 6, 2, 0, {"subject.birth_year": 6, "subject.sex": 6}
        )
    }


def test_of_a_center_that_adds_the_new_delivery_is_compared_with_all_before(tmp_path: Path) -> None:
    study = small_study.make_study(tmp_path / "study", ("AA01",))
    spec = study / "centers" / "AA01.yaml"
    spec.write_text("mode: append\n" + spec.read_text("utf-8"), encoding="utf-8")
    run(study)
    folder = small_study.deliver(study, "AA01", "2024-07-01")
    for table in small_study.FILES:  # three of the six patients, two under each other's id
        send(folder, table, lambda rows: [r for r in rows if r[0][-3:] in ("001", "002", "003")])
    send(
        folder,
        "subject",
        lambda rows: [[rows[1 - n][0] if n < 2 else r[0], *r[1:]] for n, r in enumerate(rows)],
    )
    run(study)

    assert counted(study) == {
        "AA01": KeptValues("AA01", True, 3, 2, 2, 1, 0, {"subject.birth_year": 2, "subject.sex": 2})
    }


def test_a_spec_that_takes_another_column_is_seen_when_the_delivery_is_read_anew(
    loaded_one: Path,
) -> None:
    spec = loaded_one / "centers" / "AA01.yaml"
    text = spec.read_text("utf-8").replace(
        "infusion_date: infusion_date", "infusion_date: {constant: 2023-01-05}"
    )
    spec.write_text(text, encoding="utf-8")
    run(loaded_one)

    assert counted(loaded_one)["AA01"].columns == {"infusion.infusion_date": 6}


def with_mode_append(root: Path) -> Path:
    study = small_study.make_study(root / "study", ("AA01",))
    spec = study / "centers" / "AA01.yaml"
    spec.write_text("mode: append\n" + spec.read_text("utf-8"), encoding="utf-8")
    run(study)
    return study


def test_rows_of_earlier_deliveries_of_a_center_that_adds_are_not_gone(tmp_path: Path) -> None:
    study = with_mode_append(tmp_path)
    folder = small_study.deliver(study, "AA01", "2024-07-01", patients=7)
    for table in set(small_study.FILES) - {"subject"}:  # the roster, and what is new
        send(folder, table, lambda rows: [r for r in rows if r[0][-3:] == "007"])
    run(study)

    assert counted(study) == {"AA01": KeptValues("AA01", True, 6, 0, 0, 2, 0, {})}


def test_a_second_infusion_that_a_center_adds_changes_no_first_one(tmp_path: Path) -> None:
    study = with_mode_append(tmp_path)
    folder = small_study.deliver(study, "AA01", "2024-07-01")
    send(folder, "infusion", lambda rows: [[r[0], "2", "cilta-cel", r[3], "2024-05-02", r[5]] for r in rows])  # fmt: skip
    run(study)

    assert counted(study)["AA01"].columns == {}
