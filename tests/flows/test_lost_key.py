"""A key that was lost is not silently replaced by another one."""

from __future__ import annotations

from pathlib import Path

import pytest
import small_study

from flows.cli import main

pytestmark = pytest.mark.usefixtures("lenient")


def test_a_lost_key_is_told_and_no_new_one_is_written(
    loaded_one: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CARMONY_KEY", raising=False)
    study = loaded_one
    key = study / "vault" / "pseudonym.key"
    lost = key.read_bytes()
    key.unlink()
    small_study.deliver(study, "AA01", "2024-08-30", patients=7)
    capsys.readouterr()

    assert main(["run", str(study), "--no-report"]) == 2
    shown = capsys.readouterr().err
    assert "vault/pseudonym.key is missing" in shown
    assert "restore vault/pseudonym.key from a backup" in shown
    assert not key.exists()

    monkeypatch.setenv("CARMONY_KEY", lost.hex())
    assert main(["run", str(study), "--no-report"]) == 0
    assert not key.exists()
