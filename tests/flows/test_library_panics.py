"""A library that breaks down ends in a message and a log, not in a traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flows.cli import BUG, main
from flows.panics import LibraryPanicError, no_panics
from tests.flows.small_study import make_study

pytestmark = pytest.mark.usefixtures("lenient")


class PanicException(BaseException):  # noqa: N818 - the name that PyO3 gives
    """As libraries written in Rust raise it: no Exception."""


def breaks_down(*_: Any, **__: Any) -> None:
    raise PanicException("index 41 out of bounds, patient AA01-001")


def test_a_panic_becomes_an_error_without_its_text() -> None:
    with pytest.raises(LibraryPanicError) as caught, no_panics():
        breaks_down()
    assert str(caught.value) == "PanicException"
    with pytest.raises(KeyboardInterrupt), no_panics():
        raise KeyboardInterrupt


def test_a_panic_in_a_command_is_one_line_and_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("flows.cli._dispatch", breaks_down)
    assert main(["run", str(tmp_path)]) == BUG
    told = capsys.readouterr().err
    assert told.startswith("carmony: a bug in carmony (LibraryPanicError); please send this file: ")
    assert told.count("\n") == 1
    log = Path(told.rpartition(": ")[2].strip()).read_text(encoding="utf-8")
    assert "breaks_down" in log
    assert "AA01-001" not in told + log


def test_a_panic_over_one_delivery_is_the_fault_of_its_center(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_study(tmp_path / "study", ("AA01", "BB02"))
    from transforms import stage

    staged = stage.process_center

    def of_one(spec: Any, *rest: Any) -> Any:
        return breaks_down() if spec.center.id == "AA01" else staged(spec, *rest)

    monkeypatch.setattr(stage, "process_center", of_one)
    assert main(["run", str(root), "--no-report"]) == 1
    told = capsys.readouterr().err
    assert "[CRASH]" in told
    assert (root / "published" / "warehouse.duckdb").is_file()
