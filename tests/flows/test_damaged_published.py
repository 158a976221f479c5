"""A published file that is damaged, or another one, is told and written again from the vault."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import duckdb
import pytest
import small_study

from flows.cli import main
from flows.folder import StudyFolder
from flows.recovery import published_fault
from warehouse.readback import read
from warehouse.trail import problems_of, trail_file
from warehouse.trail_breaks import head_file

pytestmark = pytest.mark.usefixtures("lenient")
DAMAGED = "'warehouse.duckdb' is damaged and cannot be opened or read."


@pytest.fixture
def study(loaded: Path) -> Path:
    """A study with one published load."""
    return loaded


def warehouse(study: Path) -> Path:
    return study / "published" / "warehouse.duckdb"


def content(study: Path) -> dict[str, str]:
    """Hash of each table's content, but of those that have a row per load."""
    tables = read(str(warehouse(study)))["tables"]
    return {
        name: table["content"]
        for name, table in tables.items()
        if name not in {"quality.load", "quality.scorecard"}
    }


def cut(path: Path, size: int) -> None:
    path.chmod(0o640)
    os.truncate(path, size)


@pytest.mark.parametrize("size", [0, 1000, 100_000])
def test_a_run_with_nothing_new_writes_a_cut_file_again(
    study: Path, size: int, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(study)
    cut(warehouse(study), size)
    capsys.readouterr()

    assert main(["run", str(study), "--no-report"]) == 0

    told = capsys.readouterr()
    assert "it is written again from the vault" in told.out + told.err
    assert "published as load 2" in told.out
    assert content(study) == before
    assert not published_fault(StudyFolder(study))
    assert main(["run", str(study), "--no-report"]) == 0
    assert "nothing new" in capsys.readouterr().out


def test_another_file_in_its_place_is_not_taken_for_what_was_published(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(study)
    warehouse(study).unlink()
    with duckdb.connect(str(warehouse(study))) as con:
        con.execute("CREATE SCHEMA meta")
        con.execute("CREATE TABLE meta.run AS SELECT 99 AS load_id")
    assert published_fault(StudyFolder(study)) == "is not the file that was published"
    capsys.readouterr()
    assert main(["run", str(study), "--no-report"]) == 0
    assert "published as load 2" in capsys.readouterr().out
    assert content(study) == before


def test_a_file_that_nobody_touched_stays(study: Path) -> None:
    assert not published_fault(StudyFolder(study))


@pytest.mark.parametrize(
    "command",
    [["sql", "STUDY", "select 1"], ["report", "STUDY"], ["report", "STUDY", "--external"]],
)
def test_commands_on_a_cut_file_say_that_a_run_writes_it_again(
    study: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    cut(warehouse(study), 1000)
    capsys.readouterr()
    assert main([str(study) if word == "STUDY" else word for word in command]) == 2
    told = capsys.readouterr().err
    assert DAMAGED in told
    assert "'carmony run' writes it again" in told
    assert "Traceback" not in told


def test_a_block_that_was_overwritten_is_told_by_the_query_that_reads_it(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = warehouse(study)
    path.chmod(0o640)
    with path.open("r+b") as file:
        file.seek(3 * 4096)  # the blocks begin after three headers
        size = path.stat().st_size - 3 * 4096
        for at in range(0, size - 262_144, 262_144):
            file.seek(3 * 4096 + at + 1000)
            file.write(os.urandom(2000))
    capsys.readouterr()
    code = main(["sql", str(study), "select count(distinct usubjid) from core.subject"])
    told = capsys.readouterr().err
    assert (code, DAMAGED in told) == (2, True)


def test_a_damaged_id_map_is_told_and_can_be_made_again(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    id_map = study / "vault" / "id_map.parquet"
    before = content(study)
    os.truncate(id_map, 200)
    cut(warehouse(study), 1000)  # so that the run builds
    capsys.readouterr()
    assert main(["run", str(study), "--no-report"]) == 2
    told = capsys.readouterr().err
    assert "vault/id_map.parquet is damaged" in told
    assert "restore it from a backup" in told

    id_map.unlink()
    assert main(["run", str(study), "--no-report"]) == 0
    assert content(study) == before


# Changed by a program that can write ---------------------------------------------------------------


@pytest.fixture
def changed(study: Path) -> Path:
    """Every patient of the published file is a woman; its size is the same."""
    before = warehouse(study).stat().st_size
    alter(warehouse(study))
    assert warehouse(study).stat().st_size == before
    return study


def alter(path: Path) -> None:
    path.chmod(0o640)
    with duckdb.connect(str(path)) as con:
        con.execute("UPDATE core.subject SET sex = 'F'")
        con.execute("CHECKPOINT")


def test_changed_rows_are_told_by_history_and_report(
    changed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("flows.results.judge", lambda *_: {"passed": True})
    name = "published/warehouse.duckdb DIFFERS from what load 1 published"
    capsys.readouterr()
    assert main(["history", str(changed), "--verify"]) == 1
    assert f"BROKEN: {name}" in capsys.readouterr().out
    assert main(["history", str(changed), "--rebuild", "1"]) == 1
    told = capsys.readouterr().out
    assert "every table holds the rows that were published" in told
    assert f"BROKEN: {name}" in told
    assert main(["report", str(changed)]) == 2
    assert "is not the file that was published: somebody" in capsys.readouterr().err


def test_a_run_writes_a_changed_file_again_and_does_not_keep_it(
    changed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(changed), "--no-report"]) == 0
    assert not (changed / "published" / "history").exists()
    capsys.readouterr()
    assert main(["history", str(changed), "--verify"]) == 0
    assert "every published state that is kept holds what was published" in capsys.readouterr().out


def test_a_changed_kept_state_is_told_with_its_load(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small_study.deliver(study, "AA01", "2024-06-21", patients=8)
    assert main(["run", str(study), "--no-report"]) == 0
    kept = study / "published" / "history" / "000001.duckdb"
    other = kept.with_name("000007.duckdb")
    shutil.copyfile(kept, other)
    alter(kept)
    capsys.readouterr()
    assert main(["history", str(study), "--verify"]) == 1
    told = capsys.readouterr().out
    assert "published/history/000001.duckdb DIFFERS from what load 1 published" in told
    assert "published/history/000007.duckdb is not the file of a published load" in told
    assert "warehouse.duckdb DIFFERS" not in told


def test_a_state_of_another_version_of_duckdb_is_not_compared_and_said_so(
    changed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(duckdb, "__version__", "99.0")
    capsys.readouterr()
    assert main(["history", str(changed), "--verify"]) == 0
    told = capsys.readouterr().out
    assert "NOT COMPARED: published/warehouse.duckdb" in told


def test_opening_the_file_for_writing_without_writing_is_no_change(study: Path) -> None:
    warehouse(study).chmod(0o640)
    with duckdb.connect(str(warehouse(study))) as con:
        con.execute("SELECT count(*) FROM core.subject").fetchall()
    assert not published_fault(StudyFolder(study))


def test_a_trail_that_was_removed_with_its_head_is_told_and_stays_told(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trail_file(study).unlink()
    head_file(study).unlink()
    capsys.readouterr()
    assert main(["history", str(study), "--verify"]) == 1
    assert "loads were published, and the trail has no entry" in capsys.readouterr().out
    assert main(["run", str(study), "--no-report"]) == 0
    capsys.readouterr()
    assert main(["history", str(study), "--verify"]) == 1
    assert "tells of a break before it: loads had been published" in capsys.readouterr().out


def test_a_first_load_killed_before_its_entry_is_no_break(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = small_study.make_study(tmp_path / "study")
    monkeypatch.setattr("flows.run.note_run", lambda *_: None)  # as if killed before it
    assert main(["run", str(study), "--no-report"]) == 0
    monkeypatch.undo()
    assert not trail_file(study).exists()
    assert problems_of(study) == []
    assert main(["run", str(study), "--no-report"]) == 0
    assert trail_file(study).exists()
    assert problems_of(study) == []
