"""Damaged Parquet files of the vault: read again where that can be done, else told with what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest

from flows import parts
from flows.center import pull_center
from flows.cli import main
from flows.faults import study_fault
from flows.folder import StudyFolder
from flows.vault_damage import is_damaged

pytestmark = pytest.mark.usefixtures("lenient")


def _staged(study: Path) -> Path:
    (delivery,) = parts.current_deliveries(StudyFolder(study))
    return delivery.folder


def _cut(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:300])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4:40] = bytes(36)
    path.write_bytes(bytes(data))


def _subjects(study: Path) -> int:
    con = duckdb.connect(str(study / "published" / "warehouse.duckdb"), read_only=True)
    try:
        return int(con.execute("SELECT count(*) FROM core.subject").fetchall()[0][0])
    finally:
        con.close()


@pytest.mark.parametrize("inbox_is_empty", [False, True])
def test_a_cut_staged_file_is_seen_and_the_delivery_read_again_from_the_vault(
    loaded_one: Path, inbox_is_empty: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    before = pl.read_parquet(_staged(loaded_one) / "core" / "subject.parquet")
    _cut(_staged(loaded_one) / "core" / "subject.parquet")
    assert is_damaged(_staged(loaded_one))
    if inbox_is_empty:
        shutil.rmtree(loaded_one / "inbox" / "AA01")

    assert main(["run", str(loaded_one), "--no-report"]) == 0
    assert "its staged rows in the vault were damaged or gone; the delivery was read again" in (
        capsys.readouterr().err
    )
    assert _subjects(loaded_one) == 6
    assert not is_damaged(_staged(loaded_one))
    assert pl.read_parquet(_staged(loaded_one) / "core" / "subject.parquet").equals(before)
    assert pull_center(str(loaded_one), "AA01", None)["todo"] == []


def test_a_staged_folder_that_is_gone_is_read_again(loaded_one: Path) -> None:
    shutil.rmtree(_staged(loaded_one))
    (entry,) = pull_center(str(loaded_one), "AA01", None)["todo"]
    assert (entry["received_on"], entry["sequence"]) == ("2024-06-14", 1)


def test_damage_that_a_library_meets_is_told_with_the_file_and_what_to_do(loaded_one: Path) -> None:
    path = _staged(loaded_one) / "core" / "follow_up.parquet"
    _flip(path)
    assert not is_damaged(_staged(loaded_one))  # both ends stand
    with pytest.raises((duckdb.Error, OSError)) as met:
        duckdb.sql(f"SELECT * FROM read_parquet('{path}')").fetchall()
    told = study_fault(met.value, loaded_one)
    place = _staged(loaded_one).relative_to(loaded_one)
    assert told is not None
    assert f"are damaged: '{place}/core/follow_up.parquet'" in told.message
    assert told.fix.startswith(
        f"delete the folder '{place}'; 'carmony run' reads the delivery again"
    )
    shutil.rmtree(loaded_one / "vault" / "deliveries" / "AA01")
    told = study_fault(met.value, loaded_one)
    assert told is not None
    assert "let the center send the delivery again" in told.fix


def test_an_error_over_a_sound_vault_stays_a_bug(loaded_one: Path) -> None:
    with pytest.raises(duckdb.Error) as met:
        duckdb.sql("SELECT nothing")
    assert study_fault(met.value, loaded_one) is None


def test_a_damaged_id_map_is_told_by_forget_as_by_a_run(
    loaded_one: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _cut(loaded_one / "vault" / "id_map.parquet")
    for command in (["forget", "AA01", "AA01-002"], ["run"]):
        (loaded_one / "study.yaml").write_text(
            (loaded_one / "study.yaml").read_text() + f"# {command[0]}\n"
        )
        assert main([command[0], str(loaded_one), *command[1:]]) == 2
        told = capsys.readouterr().err
        assert "vault/id_map.parquet is damaged and cannot be read" in told
        assert "restore it from a backup of the vault" in told
