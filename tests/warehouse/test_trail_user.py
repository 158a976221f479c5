"""Who an entry of the trail names: the account of the process, whatever the environment says."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from warehouse import trail


def test_the_user_is_the_account_and_what_the_environment_says_stands_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setenv("LOGNAME", "mallory")
    told = trail.note(tmp_path, "run", {})
    monkeypatch.setenv("LOGNAME", account)
    monkeypatch.setenv("USER", "mallory")
    usual = trail.note(tmp_path, "run", {})

    assert (told["user"], told["uid"], told["logname"]) == (account, os.getuid(), "mallory")
    assert (usual["user"], usual["uid"]) == (account, os.getuid())
    assert "logname" not in usual
    assert trail.problems_of(tmp_path) == []


def test_an_account_without_a_name_is_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr("pwd.getpwuid", nobody)
    monkeypatch.delenv("LOGNAME", raising=False)
    entry = trail.note(tmp_path, "run", {})

    assert (entry["user"], entry["uid"]) == (f"uid {os.getuid()}", os.getuid())
