"""A published file that is damaged, or another one, is told and written again from the vault."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from flows.cli import main
from flows.folder import StudyFolder
from flows.recovery import published_fault
from warehouse.readback import read

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
