"""A patient who has withdrawn is gone from the bytes, and does not come back; any state is built again."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from flows import stages
from flows.forget import Forgotten, forget_patient
from flows.history import rebuild
from flows.run import RunRequest, run_study
from flows.show import Silent
from schemas.errors import StudyError
from tests.flows import lenient_runs
from warehouse.pseudonyms import Pseudonymizer
from warehouse.trail import entries_of, problems_of

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))

from plain_search import files_with, holding, texts_in  # noqa: E402
from small_study import deliver, make_study  # noqa: E402

Record = Callable[..., None]
CENTER, PATIENT = "AA01", "AA01-002"


def _rows(warehouse: Path, statement: str) -> list[tuple[object, ...]]:
    con = duckdb.connect(str(warehouse), read_only=True)
    try:
        return con.execute(statement).fetchall()
    finally:
        con.close()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    """What was found at each step; the study is run once, and the patient is forgotten once."""
    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.judge_here(patch)
        yield lived(tmp_path_factory.mktemp("forget") / "study", patch)


def lived(folder: Path, patch: pytest.MonkeyPatch) -> dict[str, object]:
    """The steps; the last run is about who is excluded, and is not judged."""
    root = make_study(folder)
    # A line after the data were cut: a finding and a query about the patient.
    late = [[PATIENT, "2", "2031-01-01", "Talquetamab"]]
    deliver(root, CENTER, "2024-06-15", treatment_line=late)
    run_study(RunRequest(str(root), report=False), Silent())
    word = Pseudonymizer.of_study(root, "SMALL").usubjid(CENTER, PATIENT)
    warehouse = root / "published" / "warehouse.duckdb"
    facts: dict[str, object] = {"root": root, "word": word}
    facts["published"] = files_with(root / "published", word)
    facts["vault"] = files_with(root / "vault", PATIENT)
    facts["queries"] = _rows(warehouse, f"FROM quality.query WHERE usubjid = '{word}'")
    facts["estimates"] = _rows(warehouse, "FROM analysis.estimate ORDER BY ALL")
    facts["rebuilt"] = again = rebuild(root, 1)
    facts["again"] = _rows(again.path, "FROM analysis.estimate ORDER BY ALL")
    facts["forgotten"] = forget_patient(root, CENTER, PATIENT, delete_deliveries=True)
    left = texts_in(root)
    facts["left"] = [*holding(left, word), *holding(left, PATIENT)]
    facts["balance"] = _rows(warehouse, "FROM quality.ledger_balance")
    deliver(root, CENTER, "2024-06-20", patients=7)
    patch.setattr(stages, "judge", lenient_runs.in_this_process(judged=False))
    facts["next"] = run_study(RunRequest(str(root), report=False), Silent())
    return facts


def test_the_search_finds_the_patient_before(told: dict[str, object]) -> None:
    # The control: the same search, which is not the product's, and the same words.
    assert told["published"]
    names = {Path(name).suffix for name in told["vault"]}  # type: ignore[attr-defined]
    assert {".csv", ".parquet"} <= names
    assert told["queries"], "the patient was to have a query"


def test_nothing_holds_the_patient_afterwards(told: dict[str, object], figure: Record) -> None:
    assert told["left"] == []
    figure("39", "files that hold a forgotten patient", len(told["left"]), 1)  # type: ignore[arg-type]


def test_what_was_done_is_told(told: dict[str, object]) -> None:
    forgotten = told["forgotten"]
    assert isinstance(forgotten, Forgotten)
    assert forgotten.complete
    assert forgotten.states_removed == [1]
    assert forgotten.load_id == 2
    assert forgotten.rows > 10
    assert forgotten.queries >= 1
    assert "inbox/AA01/2024-06-15" in forgotten.files_removed
    assert forgotten.deliveries == []


def test_the_ledger_balances_without_the_patient(told: dict[str, object]) -> None:
    assert told["balance"] == []


def test_the_next_delivery_of_the_patient_is_excluded(told: dict[str, object]) -> None:
    root = told["root"]
    assert isinstance(root, Path)
    warehouse = root / "published" / "warehouse.duckdb"
    assert told["next"].state == "published"  # type: ignore[attr-defined]
    found = _rows(
        warehouse,
        "SELECT sum(n_rows) FROM quality.ledger l JOIN quality.delivery USING (delivery_key) "
        "WHERE is_current AND step = 'read' AND l.reason = 'withdrawn'",
    )
    # subject, infusion, risk, relapse, line, follow-up: 1 each; five drugs; one response.
    assert found == [(12,)]
    assert _rows(warehouse, "SELECT count(*) FROM core.subject WHERE center_id = 'AA01'") == [(6,)]
    assert files_with(root / "published", str(told["word"])) == []
    id_map = pl.read_parquet(root / "vault" / "id_map.parquet")
    assert PATIENT not in id_map["patient_id"]


def test_a_state_is_built_again_bit_for_bit(told: dict[str, object], figure: Record) -> None:
    assert told["rebuilt"].same  # type: ignore[attr-defined]
    assert told["again"] == told["estimates"]
    assert told["estimates"]
    figure("12", "rows of analysis.estimate that differ when a state is built again", 0, 1)


def test_the_trail_tells_of_it_without_the_id(told: dict[str, object]) -> None:
    root = told["root"]
    assert isinstance(root, Path)
    assert problems_of(root) == []
    entries = entries_of(root)
    assert [entry["command"] for entry in entries] == ["run", "forget", "run"]
    marks = json.loads((root / "vault" / "withdrawn.json").read_text())
    assert entries[1]["tombstone"] in marks[CENTER]
    assert sorted(entries[1]["marks"]) == sorted(marks[CENTER])
    assert PATIENT not in json.dumps(entries)


def test_a_patient_who_is_not_there_is_an_error_that_does_not_repeat_the_id(
    told: dict[str, object],
) -> None:
    root = told["root"]
    assert isinstance(root, Path)
    with pytest.raises(StudyError) as caught:
        forget_patient(root, CENTER, "AA01-777")
    assert "AA01-777" not in str(caught.value)
