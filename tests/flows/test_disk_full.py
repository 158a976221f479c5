"""A full disk is one message with exit code 2, wherever it is met; nobody is told of a bug."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import small_study

from flows import center, disk_full, parts, pull, results
from flows.cli import main
from flows.disk_full import is_disk_full
from flows.faults import study_fault
from warehouse.loads import LoadLog

pytestmark = pytest.mark.usefixtures("lenient")
# What Polars says if a disk has room for the rows of a file and not for its end (seen on a tmpfs).
HIDDEN = "parquet: File out of specification: Invalid thrift: transport error"
SENTENCE = 'Could not write file "x.duckdb": No space left on device'


def system_error(study: Path) -> Exception:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def copy_error(study: Path) -> Exception:
    source, target = study / "inbox" / "a", study / "vault" / "b"
    return OSError(errno.ENOSPC, "No space left", str(source), None, str(target))


def duckdb_error(study: Path) -> Exception:
    return duckdb.FatalException(f"FATAL Error: {SENTENCE}")


def polars_error(study: Path) -> Exception:
    return OSError("No space left on device (os error 28)")


@pytest.fixture
def single(tmp_path: Path) -> Path:
    """A study of one center."""
    return small_study.make_study(tmp_path / "study", ("AA01",))


@pytest.mark.parametrize(
    ("place", "step", "error"),
    [
        (pull, "write_json", system_error),  # of one delivery: test_room.py
        (parts, "stage", copy_error),
        (parts, "stage", system_error),
        (parts, "stage", polars_error),
        (results, "build", duckdb_error),
        (results, "publish", system_error),
    ],
)
def test_a_full_disk_ends_the_run_with_one_message(
    single: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    place: Any,
    step: str,
    error: Callable[[Path], Exception],
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise error(single)

    monkeypatch.setattr(place, step, full)
    code = main(["run", str(single), "--no-report"])
    shown = capsys.readouterr().err

    assert code == 2
    assert shown.count("carmony: No room is left on ") == 1
    assert f"the disk of the study folder ('{single}')" in shown
    assert "Fix: make room there" in shown
    assert "a bug" not in shown
    assert not list((single / "vault" / "log").glob("bug-*"))
    assert not (single / "published" / "warehouse.duckdb").exists()
    assert "published" not in [load.outcome for load in LoadLog.read(single).loads]


def test_a_full_disk_in_the_process_of_a_big_delivery_is_no_fault_of_its_center(
    single: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(center, "BIG_DELIVERY", 1)
    hook = single / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(
        "import errno, pathlib, sys\n"
        "if sys.orig_argv[1:] == ['-m', 'flows.stage_child']:\n"
        "    def full(*_, **__):\n"
        "        raise OSError(errno.ENOSPC, 'No space left on device')\n"
        "    pathlib.Path.mkdir = full\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(hook))

    assert main(["run", str(single), "--no-report"]) == 2
    assert capsys.readouterr().err.count("carmony: No room is left on ") == 1


def test_only_the_system_and_the_libraries_tell_of_a_full_disk() -> None:
    assert is_disk_full(OSError(errno.EDQUOT, "Disk quota exceeded"))
    assert is_disk_full(duckdb.IOException(SENTENCE))
    assert is_disk_full(pl.exceptions.ComputeError("No space left on device (os error 28)"))
    assert not is_disk_full(ValueError("no space left on device"))
    assert not is_disk_full(OSError(errno.EACCES, "Permission denied"))
    assert not is_disk_full(duckdb.BinderException("no such column"))


def test_a_file_that_polars_could_not_end_tells_of_a_full_disk_and_one_that_it_cannot_read_does_not(
    tmp_path: Path,
) -> None:
    def write_parquet() -> None:
        raise pl.exceptions.ComputeError(HIDDEN)

    with pytest.raises(pl.exceptions.ComputeError) as writing:
        write_parquet()
    with pytest.raises(pl.exceptions.ComputeError) as reading:
        raise pl.exceptions.ComputeError(HIDDEN)
    told = study_fault(writing.value, tmp_path)
    assert told is not None
    assert told.message.startswith("No room is left on the disk")
    assert told.message.endswith(", or it refuses to be written.")
    assert study_fault(reading.value, tmp_path) is None


GB = 2**30


@pytest.mark.parametrize(
    ("disks", "room", "told"),
    [
        ((1, 2), (0, 9 * GB), "study"),
        ((1, 2), (60 * 2**20, 9 * GB), "study"),  # what could not be written has left room again
        ((1, 2), (9 * GB, 0), "temporary"),
        ((1, 1), (5 * GB, 5 * GB), "study"),  # one disk: it is named once
        ((1, 2), (0, 0), "study temporary"),
    ],
)
def test_only_the_disk_without_room_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    disks: tuple[int, int],
    room: tuple[int, int],
    told: str,
) -> None:
    study, temporary = tmp_path / "study", tmp_path / "tmp"
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(temporary))
    monkeypatch.setattr(disk_full, "_disk", dict(zip((study, temporary), disks, strict=True)).get)
    monkeypatch.setattr(disk_full, "_free", dict(zip((study, temporary), room, strict=True)).get)
    message = disk_full.disk_full(duckdb_error(study), study).message
    names = {"study": "disk of the study folder", "temporary": "disk of temporary files"}
    assert [key for key, name in names.items() if name in message] == told.split()


def test_the_place_that_the_error_quotes_is_the_one_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, temporary = tmp_path / "study", tmp_path / "tmp"
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(temporary))
    error = duckdb.IOException(f'Could not write file "{temporary}/x.tmp": No space left on device')
    message = disk_full.disk_full(error, study).message
    assert "disk of temporary files" in message
    assert "disk of the study folder" not in message


@pytest.mark.parametrize("rows", [1, 100_000])
def test_output_that_takes_no_more_is_told_in_one_message(tmp_path: Path, rows: int) -> None:
    (tmp_path / "published").mkdir()
    con = duckdb.connect(str(tmp_path / "published" / "warehouse.duckdb"))
    con.execute("create schema meta; create table meta.run as select 1 as load_id")
    con.close()
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli", "sql", str(tmp_path), f"from range({rows})"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 2
    assert done.stderr.startswith("carmony: The output cannot be written: no room is left")
    assert done.stderr.count("\n") == 2
