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


@pytest.mark.parametrize(
    "instead",
    [bytes(range(32)), b"not a key", b"", None],
    ids=["another", "text", "empty", "gone"],
)
def test_a_key_that_is_gone_or_another_one_is_told_where_nothing_is_new(
    loaded_one: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    instead: bytes | None,
) -> None:
    monkeypatch.delenv("CARMONY_KEY", raising=False)
    key = loaded_one / "vault" / "pseudonym.key"
    own = key.read_bytes()
    key.unlink() if instead is None else key.write_bytes(instead)
    capsys.readouterr()

    assert main(["run", str(loaded_one), "--no-report"]) == 2
    shown = capsys.readouterr().err
    assert "key" in shown
    assert "pseudonym.key" in shown
    assert key.exists() == (instead is not None)  # none is made

    key.write_bytes(own)
    key.chmod(0o600)
    assert main(["run", str(loaded_one), "--no-report"]) == 0
