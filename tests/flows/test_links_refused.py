"""Folders and keys of a study that are links are refused before anything is read or written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import small_study

from flows.cli import main
from flows.folder import open_study_folder
from schemas.errors import StudyError


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A study with a key, never run."""
    root = small_study.make_study(tmp_path / "study", ("AA01",))
    (root / "vault").mkdir(mode=0o700)
    (root / "vault" / "pseudonym.key").write_bytes(bytes(32))
    (root / "vault" / "pseudonym.key").chmod(0o600)
    open_study_folder(root)  # the control
    return root


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("vault", ["run"]),
        ("inbox", ["run"]),
        ("published", ["run"]),
        ("published", ["report"]),
        ("published", ["forget", "AA01", "AA01-001"]),
        ("published", ["queries", "list"]),
    ],
)
def test_a_folder_of_the_study_that_is_a_link_is_told_at_the_start(
    fresh: Path, name: str, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = fresh.parent / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    if (fresh / name).exists():
        (fresh / name).rename(elsewhere / name)
    (fresh / name).symlink_to(elsewhere / name)
    (elsewhere / name).mkdir(mode=0o700, exist_ok=True)
    before = sorted(elsewhere.rglob("*"))

    assert main([command[0], str(fresh), *command[1:]]) == 2
    told = capsys.readouterr().err
    assert f"The folder '{name}' of the study is a symbolic link" in told
    assert "Fix: put the folder itself there" in told
    if name != "vault":  # the trail of a command that was refused stands in the vault
        assert sorted(elsewhere.rglob("*")) == before


@pytest.mark.parametrize("kind", ["symbolic", "hard"])
def test_a_key_that_has_another_name_is_refused(fresh: Path, kind: str) -> None:
    key, other = fresh / "vault" / "pseudonym.key", fresh.parent / "key.bin"
    if kind == "hard":
        os.link(key, other)
    else:
        key.rename(other)
        key.symlink_to(other)
    with pytest.raises(StudyError, match="closed to others") as caught:
        open_study_folder(fresh)
    assert f"vault/pseudonym.key is a {kind} link" in str(caught.value)
    assert os.system(caught.value.fix.partition("then: ")[2]) == 0  # what the message says helps
    open_study_folder(fresh)
    assert key.read_bytes() == bytes(32)


def test_the_second_name_that_a_killed_command_left_of_its_key_is_no_link(fresh: Path) -> None:
    key = fresh / "vault" / "pseudonym.key"
    os.link(key, fresh / "vault" / ".pseudonym.key.4711")
    open_study_folder(fresh)
