"""The hostile corpus as deliveries of centers: one study, a good center and one center per file."""

from __future__ import annotations

import csv
import socket
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from flows import run, stages
from flows.folder import StudyFolder
from flows.outcome import DeliveryOutcome, RunOutcome
from flows.parts import current_deliveries
from flows.run import RunRequest, run_study
from flows.show import Silent
from tests.study.hostile_study import DAY, GOOD, MANIFEST, ONE_PERSON, add, center_of

# The set 092 to 096 is one center's.
RESUBMITTED = sorted(name for name in MANIFEST if "_resub_" in name)
SINGLE = [name for name in MANIFEST if name not in RESUBMITTED]


@dataclass(frozen=True)
class Finished:
    """The run of the study and where it stands."""

    folder: Path
    outcome: RunOutcome

    def of(self, center: str) -> list[DeliveryOutcome]:
        return [d for d in self.outcome.deliveries if d.center_id == center]

    def loaded(self, center: str) -> tuple[int, int]:
        """Rows of the file that became patients, and those of them of which nothing is held back."""
        for staged in current_deliveries(StudyFolder(self.folder)):
            if staged.center_id == center:
                rows = read(staged.folder / "core" / "subject.parquet", "source_row")
                parts = sorted((staged.folder / "quarantine").glob("*.parquet"))
                held = {row for part in parts for row in read(part, "source_row")}
                return len(rows), len(set(rows) - held)
        return 0, 0


def read(path: Path, column: str) -> list[Any]:
    if not path.is_file():  # not one row of the table
        return []
    return pl.read_parquet(path, columns=[column], glob=False)[column].to_list()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """All files in one run, in a folder whose name is also a pattern; the judge has its own tests."""
    folder = tmp_path_factory.mktemp("hostile") / "study [1]*"
    (folder / "centers").mkdir(parents=True)
    study = "id: HOSTILE\ntitle: Hostile files\ndata_cut: 2026-12-31\n"
    (folder / "study.yaml").write_text(study, encoding="utf-8")
    add(folder, "GOOD")
    (folder / "inbox" / "GOOD" / DAY).mkdir(parents=True)
    (folder / "inbox" / "GOOD" / DAY / "export.csv").write_text(GOOD, encoding="utf-8")
    for name in SINGLE:
        decimal = "," if name.startswith("020") else "."
        year = name[:3] not in ONE_PERSON
        add(folder, center_of(name), (DAY, name, name), decimal=decimal, with_year=year)
    add(folder, "TWINS", (DAY, "062_sql_payloads.csv", "twins.csv"))
    days = [f"2026-06-0{n}" for n in range(1, 6)]
    sent = [(day, name, "export.csv") for day, name in zip(days, RESUBMITTED, strict=True)]
    add(folder, "LEI", *sent)

    judged = folder / "vault" / "audit" / "test"

    def passed(*_: Any) -> dict[str, Any]:
        judged.mkdir(parents=True)
        return {"passed": True, "critical_failures": [], "warnings": [], "results": str(judged)}

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        patch.setattr(stages, "judge", passed)
        patch.setattr(run, "anything_to_read", lambda _: nullcontext())
        yield Finished(folder, run_study(RunRequest(str(folder), report=False), Silent()))


def published(finished: Finished, statement: str) -> list[tuple[Any, ...]]:
    con = duckdb.connect(str(finished.folder / "published" / "warehouse.duckdb"), read_only=True)
    try:
        return con.execute(statement).fetchall()
    finally:
        con.close()


def files(expected: str) -> list[str]:
    return [name for name in SINGLE if MANIFEST[name]["expected"] == expected]


def test_the_good_center_is_published_whatever_the_others_send(finished: Finished) -> None:
    assert (finished.outcome.state, finished.outcome.exit_code) == ("published", 1)
    counts = dict(
        published(finished, "select center_id::text, count(*) from core.subject group by 1")
    )
    assert counts["GOOD"] == 2
    good = "select sex::text, birth_year from core.subject where center_id = 'GOOD' order by 2"
    assert published(finished, good) == [("M", 1949), ("F", 1958)]
    assert {center_of(name) for name in files("reject_file")}.isdisjoint(counts)


@pytest.mark.parametrize("name", files("reject_file"))
def test_a_file_that_must_be_refused_is_told_with_its_name_and_what_to_do(
    finished: Finished, name: str
) -> None:
    (told,) = finished.of(center_of(name))
    assert (told.state, told.code) == ("failed", MANIFEST[name]["reason_code"])
    assert RunOutcome(state="published", deliveries=[told]).exit_code == 1
    assert told.message.startswith(f"file '{name}'")
    assert "\n  Fix: " in told.message
    assert not any(word in told.message for word in ("Traceback", "Error(", ".py", "Meier"))
    assert socket.gethostname() not in told.message
    assert finished.loaded(center_of(name)) == (0, 0)


@pytest.mark.parametrize("name", files("accept"))
def test_a_good_file_is_loaded_whole(finished: Finished, name: str) -> None:
    (told,) = finished.of(center_of(name))
    rows = int(MANIFEST[name]["rows_accepted"])
    assert (told.state, told.rows_read, told.errors) == ("loaded", rows, 0)
    assert finished.loaded(center_of(name)) == (rows, rows)


# Where our rules say otherwise than the manifest: rows that are loaded whole, and why.
OTHERWISE = {
    "037_id_leading_zeros.csv": (3, "STR-04 asks about an id of another form and keeps the row"),
    "041_id_scientific.csv": (3, "STR-04 asks and keeps"),
    "045_case_id.csv": (2, "STR-04 asks and keeps; DUP-01 holds both if the year of birth is sent"),
    "049_dates_excel_serial.csv": (2, "DAT-04 reads a day number of a workbook and asks; 60 is none"),
    "055_numbers_float_as_int.csv": (4, "an age not understood is empty and asked about; 6e1 is 60"),
    "067_plain_identifiers.csv": (2, "no canonical table has a comment: the column is not taken over"),
    "081_formula_cells.xlsx": (2, "the value that Excel calculated is taken; a note says so"),
}  # fmt: skip
ASKED = {
    "037": ("STR-04", 3), "038": ("STR-04", 2), "041": ("STR-04", 3), "045": ("STR-04", 1),
    "049": ("DAT-04", 2), "055": ("STR-06", 2),
}  # fmt: skip


# Every row holds characters that no reader may pass on: a delivery without a readable patient.
NO_ROW_READ = "068_unicode_stress.csv"
# Every row is held, or another center's: nobody would be left. What is told of it.
NOBODY_LEFT = {
    "046_dates_impossible.csv": "all 5 rows with a patient are held back or left out (DAT-01 4, DAT-05 1)",
    "047_dates_extreme.csv": "all 5 rows with a patient are held back or left out (DAT-01 1, DAT-05 4)",
    "048_dates_ambiguous.csv": "all 3 rows with a patient are held back or left out (DAT-02 3)",
    "064_sql_keyword_center.csv": "all 5 rows with a patient are held back or left out (filtered 5)",
}


@pytest.mark.parametrize("name", NOBODY_LEFT)
def test_a_delivery_that_leaves_nobody_of_its_center_fails_with_the_reasons(
    finished: Finished, name: str
) -> None:
    (told,) = finished.of(center_of(name))
    assert (told.state, told.code) == ("failed", "ALL_HELD")
    assert NOBODY_LEFT[name] in told.message
    assert "\n  Fix: " in told.message


@pytest.mark.parametrize(
    "name", [f for f in files("reject_row") if f != NO_ROW_READ and f not in NOBODY_LEFT]
)
def test_rows_that_must_be_held_are_held_or_asked_about(finished: Finished, name: str) -> None:
    row = MANIFEST[name]
    (told,) = finished.of(center_of(name))
    assert told.state == "loaded"
    assert told.rows_read == int(row["rows_accepted"]) + int(row["rows_rejected"])
    whole = finished.loaded(center_of(name))[1]
    assert whole == (OTHERWISE[name][0] if name in OTHERWISE else int(row["rows_accepted"]))
    assert whole == told.rows_read or told.errors or told.rows_excluded
    if name[:3] in ASKED:
        rule, times = ASKED[name[:3]]
        of_center = f"center_id = '{center_of(name)}' and rule_id = '{rule}'"
        asked = f"select count(*) from quality.finding where {of_center}"
        assert published(finished, asked) == [(times,)]


def test_a_file_of_which_every_row_is_rejected_fails_and_the_center_gets_each_row(
    finished: Finished,
) -> None:
    (told,) = finished.of(center_of(NO_ROW_READ))
    assert (told.state, told.code) == ("failed", "NO_ROWS")
    assert f"CONTROL_CHAR {MANIFEST[NO_ROW_READ]['rows_rejected']}" in told.message
    assert "\n  Fix: " in told.message
    (packet,) = (finished.folder / "vault" / "packets" / center_of(NO_ROW_READ)).iterdir()
    (lines,) = packet.glob("*.csv")
    with lines.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert sorted(row["Row"] for row in rows) == ["2", "3", "4"]


def test_numbers_of_the_corpus_are_never_another_number(finished: Finished) -> None:
    ferritin = "select ferritin from core.risk where center_id = 'H052'"
    assert [str(number) for (number,) in published(finished, ferritin)] == ["0.0"]
    ages = "select age_at_infusion from core.infusion where center_id = 'H055' order by row_id"
    assert published(finished, ages) == [(61,), (None,), (60,), (None,)]
    decimal = "select ferritin from core.risk where center_id = 'H020' order by row_id"
    assert published(finished, decimal) == [(812.5,), (45.0,), (812.5,)]
    day = "select infusion_date::text from core.infusion where center_id = 'H084'"
    assert published(finished, day) == [("2023-03-01",)]


def test_patients_that_agree_in_all_but_what_is_not_known_are_asked_about(
    finished: Finished,
) -> None:
    (told,) = finished.of("TWINS")
    assert (told.state, told.rows_read) == ("loaded", 10)
    assert finished.loaded("TWINS") == (10, 10)  # the month of diagnosis might tell them apart
    asked = (
        "select count(*) > 0, list(distinct severity::text) from quality.finding "
        "where center_id = 'TWINS' and rule_id = 'DUP-01'"
    )
    assert published(finished, asked) == [(True, ["warning"])]


def test_a_center_that_sends_again_has_its_last_edit_once(finished: Finished) -> None:
    told = {d.received_on: (d.state, d.code) for d in finished.of("LEI")}
    assert told == {
        "2026-06-01": ("loaded", ""),
        "2026-06-02": ("repeated", ""),
        "2026-06-03": ("loaded", ""),
        "2026-06-04": ("held", "SHRINK"),
        "2026-06-05": ("loaded", ""),
    }
    ages = "select age_at_infusion from core.infusion where center_id = 'LEI' order by 1"
    assert published(finished, ages) == [(52,), (61,), (67,)]


def test_the_data_manager_is_told_of_the_delivery_that_lost_patients(finished: Finished) -> None:
    (held,) = [d for d in finished.of("LEI") if d.state == "held"]
    assert "2 of 3 patients" in held.message
    assert "--accept-fewer" in held.message
