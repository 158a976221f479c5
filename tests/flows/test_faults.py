"""An interrupt, and a study folder that refuses its user, are no bugs of the program."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import threading
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows import parts, results
from flows.cli import main
from flows.failures import safe
from flows.faults import study_fault, was_interrupted
from schemas.errors import StudyError
from warehouse.loads import LoadLog

pytestmark = pytest.mark.usefixtures("lenient")
LONG = "select count(*) from range(300000) a, range(1000) b where (a.range * b.range) % 7 = 3"


def interrupted_query(*_: Any) -> Any:
    """A long query and Ctrl-C in the midst of it."""
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    con = duckdb.connect(config={"threads": 1})  # as the build: the work is in this thread
    try:
        return con.execute(LONG).fetchall()
    finally:
        timer.join()
        con.close()


def denied(path: Path) -> PermissionError:
    return PermissionError(errno.EACCES, "Permission denied", str(path))


def test_ctrl_c_while_the_warehouse_is_built_ends_with_4_and_is_logged(
    study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results, "build", interrupted_query)

    assert main(["run", str(study), "--no-report"]) == 4
    assert "carmony: interrupted" in capsys.readouterr().err
    assert [load.outcome for load in LoadLog.read(study).loads] == ["interrupted"]
    assert not list((study / "vault" / "log").glob("bug-*"))


def test_ctrl_c_while_a_delivery_is_read_is_no_failure_of_its_center(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "stage", interrupted_query)

    assert main(["run", str(study), "--no-report"]) == 4
    assert LoadLog.read(study).loads == []


def test_a_published_folder_that_cannot_be_used_gives_one_message_and_2(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(study), "--no-report"]) == 0
    history = study / "published" / "history"
    history.write_text("a file where a folder belongs", encoding="utf-8")
    delivery = study / "inbox" / "AA01" / "2024-06-14"
    shutil.copytree(delivery, delivery.with_name("2024-07-01"))
    (delivery.with_name("2024-07-01") / "risk.csv").open("a").write("AA01-001,BEFORE_CART,I,\n")
    capsys.readouterr()

    assert main(["run", str(study), "--no-report"]) == 2
    shown = capsys.readouterr().err
    assert "The folder 'published' of the study cannot be written or read" in shown
    assert f"('{history}')" in shown
    assert "a bug" not in shown
    assert [load.outcome for load in LoadLog.read(study).loads] == ["published", "failed"]


@pytest.mark.parametrize("step", ["stage", "run_lock", "write_packet"])
def test_a_vault_that_refuses_the_user_gives_one_message_and_2(
    study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    def refuse(*_: Any) -> None:
        raise denied(study / "vault" / "staged" / "AA01" / "Huber.parquet")

    monkeypatch.setattr(parts, step, refuse)

    assert main(["run", str(study), "--no-report"]) == 2
    shown = capsys.readouterr().err
    assert shown.count("The vault of the study cannot be written") == 1
    assert f"Permission denied ('{study / 'vault' / 'staged'}')" in shown
    assert "Huber" not in shown
    assert "owns the study folder" in shown


def test_an_error_of_the_system_elsewhere_stays_what_it_is(tmp_path: Path) -> None:
    study = tmp_path / "study"

    assert study_fault(denied(tmp_path / "other"), study) is None
    assert study_fault(ValueError("x"), study) is None
    assert study_fault(denied(study / "inbox" / "AA01"), study) is not None


def test_a_fault_of_the_folder_and_an_interrupt_pass_through_a_task(tmp_path: Path) -> None:
    @safe
    def task(root: str, error: BaseException) -> None:
        raise error

    stopped = RuntimeError("Query interrupted")
    stopped.__cause__ = KeyboardInterrupt()

    assert was_interrupted(stopped)
    with pytest.raises(KeyboardInterrupt):
        task(str(tmp_path), stopped)
    with pytest.raises(StudyError, match="The vault of the study cannot be written"):
        task(str(tmp_path), denied(tmp_path / "vault" / "log"))
