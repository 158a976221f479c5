"""Dates that a study publishes shifted: intervals and results stay, no real date is left."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows import results
from flows.folder import StudyFolder
from flows.forget_search import found_in
from flows.history import rebuild
from flows.run import RunRequest, run_study
from flows.show import Silent
from tests.flows import lenient_runs
from warehouse.privacy_shift import _pattern_of_dates, days_back
from warehouse.pseudonyms import Pseudonymizer

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))

from small_study import deliver, make_study  # noqa: E402

Record = Callable[..., None]
CUT = "2024-06-01"  # the last contact of the living: they are censored on it
LATE = "2031-03-07"  # a line after the data were cut: a finding on a date, and its query

TOLD = "Teclistamab (ab 12.02.2024)"  # a regimen as written tells its day again


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same load before and after the shift, and built again."""
    place = tmp_path_factory.mktemp("shift")
    root = make_study(place / "study")
    lines = [["AA01-002", "2", LATE, "Talquetamab"], ["AA01-001", "2", "2024-02-12", TOLD]]
    deliver(root, "AA01", "2024-06-15", treatment_line=lines)
    settings = (root / "study.yaml").read_text(encoding="utf-8").replace("2024-06-30", CUT)
    (root / "study.yaml").write_text(settings + "privacy: {shift_dates: true}\n", encoding="utf-8")
    real = place / "real" / "real.duckdb"
    real.parent.mkdir()
    shift = results.shift

    def keep_and_shift(folder: StudyFolder, staged_file: Path) -> None:
        if not real.is_file():
            shutil.copyfile(staged_file, real)
        shift(folder, staged_file)

    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.judge_here(patch)
        patch.setattr(results, "shift", keep_and_shift)
        outcome = run_study(RunRequest(str(root)), Silent())
        again = rebuild(root, 1)
    return {"root": root, "real": real, "outcome": outcome, "again": again}


def _both(pair: dict[str, Any], statement: str) -> list[list[tuple[Any, ...]]]:
    answers = []
    for path in (pair["real"], pair["root"] / "published" / "warehouse.duckdb"):
        con = duckdb.connect(str(path), read_only=True)
        answers.append(con.execute(statement).fetchall())
        con.close()
    return answers


def _columns(pair: dict[str, Any]) -> list[tuple[str, str, str]]:
    real, _ = _both(
        pair,
        "SELECT schema_name, table_name, column_name FROM duckdb_columns() "
        "WHERE data_type = 'DATE' AND schema_name IN ('core', 'analysis') ORDER BY ALL",
    )
    return real  # type: ignore[return-value]


def test_every_date_of_a_patient_moves_by_the_same_days(
    pair: dict[str, Any], figure: Record
) -> None:
    assert pair["outcome"].state == "published"
    key = Pseudonymizer.of_study(pair["root"], "SMALL").key_for("dates")
    wrong = n = left_out = 0
    for schema, table, column in _columns(pair):
        # Rows in the order in which they were written: the same in both files.
        statement = f'SELECT usubjid, "{column}", rowid FROM {schema}.{table} ORDER BY rowid'
        for (usubjid, real, _), (same, moved, _) in zip(*_both(pair, statement), strict=True):
            assert usubjid == same
            if real is None:
                assert moved is None
                continue
            n += 1
            if moved is None:
                left_out += 1
                wrong += schema != "analysis" or str(real) != CUT
                continue
            wrong += (real - moved).days != days_back(key, str(usubjid))
    assert 0 < left_out < n / 2  # who is censored at the data cut
    figure("42", "dates that are not shifted by the days of their patient", wrong, n)


def test_results_are_those_of_the_real_dates(pair: dict[str, Any], figure: Record) -> None:
    bad = n = 0
    for statement in (
        "FROM analysis.estimate ORDER BY ALL",
        "SELECT USUBJID, PARAMCD, AVAL, CNSR, ANALYSIS FROM analysis.adtte ORDER BY ALL",
        "SELECT USUBJID, TTRLPM, GRP4, EARLY3FL, RISS FROM analysis.adsl ORDER BY ALL",
    ):
        real, moved = _both(pair, statement)
        n += len(real)
        bad += sum(a != b for a, b in zip(real, moved, strict=True))
    figure("42", "results that differ from those of the real dates", bad, n)


def test_intervals_between_dates_stay(pair: dict[str, Any]) -> None:
    real, moved = _both(
        pair,
        "SELECT usubjid, relapse_date - infusion_date FROM core.infusion JOIN core.relapse "
        "USING (usubjid) ORDER BY ALL",
    )
    assert real == moved
    assert real


def test_dates_in_texts_are_shifted_too(pair: dict[str, Any]) -> None:
    statement = "SELECT understood FROM quality.finding_field WHERE \"column\" = 'start_date'"
    real, moved = _both(pair, statement)
    assert (LATE,) in real  # the control
    assert (LATE,) not in moved
    assert all(text is None or text < LATE for (text,) in moved)
    assert found_in(pair["real"].parent, [LATE])  # the control of the search
    assert found_in(pair["root"] / "published", [LATE]) == []


def test_a_text_of_the_center_with_a_date_in_it_is_left_out(pair: dict[str, Any]) -> None:
    statement = "SELECT regimen_text, drugs FROM core.treatment_line"
    real, moved = _both(pair, statement)
    assert (TOLD, "teclistamab") in real  # the control
    assert sorted(drugs for _, drugs in real) == sorted(drugs for _, drugs in moved)
    texts = {text for text, _ in moved}
    assert texts == {text for text, _ in real} - {TOLD} | {None}
    assert found_in(pair["real"].parent, ["12.02.2024"])
    assert found_in(pair["root"] / "published", ["12.02.2024"]) == []


@pytest.mark.parametrize(
    "text",
    ["Tec (ab 12.03.2024)", "Tal 16/03/24", "Tec bis 15. März 2024", "Tec 03/24", "Tec 20240312", "Tec ab '24",
     "Tec 15 de marzo", "12MAR24 Tec", "Tec seit Mai", "Tec 12. 3. 24", "Tec KW 12", "Tec 2024"],
)  # fmt: skip
def test_dates_are_seen_in_any_form(text: str) -> None:
    assert duckdb.execute(
        "SELECT regexp_matches(?, ?)", [text, _pattern_of_dates()]
    ).fetchone() == (True,)


@pytest.mark.parametrize(
    "text", ["Teclistamab", "Dara-KRd", "Tec 1,5 mg/kg C1D8", "VTD-PACE x2", "Carfilzomib 56 mg/m2"]
)
def test_regimens_without_a_date_stay(text: str) -> None:
    assert duckdb.execute(
        "SELECT regexp_matches(?, ?)", [text, _pattern_of_dates()]
    ).fetchone() == (False,)


def test_a_shifted_state_is_built_again(pair: dict[str, Any]) -> None:
    assert pair["again"].same


def test_days_are_the_patients_own_and_the_studys() -> None:
    days = [days_back(b"k" * 32, f"S-AA01-{n}") for n in range(2000)]
    assert min(days) == 1
    assert max(days) == 364
    assert days[7] == days_back(b"k" * 32, "S-AA01-7")
    other = [days_back(b"j" * 32, f"S-AA01-{n}") for n in range(2000)]
    assert sum(a == b for a, b in zip(days, other, strict=True)) < 30
