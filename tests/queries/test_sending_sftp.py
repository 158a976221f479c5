from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from flows.sending import by_sftp
from flows.sending.failure import DeliveryError
from flows.sending.parcel import Parcel
from schemas.spec.notification import Sftp

sys.path.insert(0, str(Path(__file__).parent))

import sending_help  # noqa: E402

NAMES = ["SMALL_AA01_2024-07-31_000003_queries.csv", "SMALL_AA01_2024-07-31_000003_queries.xlsx"]


@pytest.fixture
def parcel(tmp_path: Path) -> Parcel:
    return sending_help.make_packet(tmp_path / "study")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / "upload").mkdir(parents=True)
    return tmp_path / "home"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return sending_help.new_key(tmp_path / "id_carmony")


def settings(port: int, line: str, key: Path, **other: Any) -> Sftp:
    return Sftp(
        **{
            "host": "127.0.0.1",
            "port": port,
            "user": "carmony",
            "key_file": str(key),
            "host_key": line,
            **other,
        }
    )


def put(parcel: Parcel, server: Sftp, address: str = "/upload") -> None:
    by_sftp.put(parcel, address, parcel.folder.parents[4], server)


def test_a_packet_arrives_whole_under_names_that_tell_whose_it_is(
    parcel: Parcel, home: Path, key: Path
) -> None:
    with sending_help.sftp_server(home, key) as (port, host_key):
        put(parcel, settings(port, host_key, key))

    assert sorted(p.name for p in (home / "upload").iterdir()) == NAMES
    assert (home / "upload" / NAMES[1]).read_bytes() == sending_help.WORKBOOK


def test_a_password_from_the_environment_logs_in_as_well(
    parcel: Parcel, home: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPLOAD_PASSWORD", "secret")
    with sending_help.sftp_server(home, key) as (port, host_key):
        server = settings(port, host_key, key, key_file=None, password_env="UPLOAD_PASSWORD")
        put(parcel, server)

    assert len(list((home / "upload").iterdir())) == 2


def test_a_server_without_the_atomic_rename_gets_the_packet_too(
    parcel: Parcel, home: Path, key: Path
) -> None:
    with sending_help.sftp_server(home, key, "old server") as (port, host_key):
        put(parcel, settings(port, host_key, key))

    assert sorted(p.name for p in (home / "upload").iterdir()) == NAMES


def test_a_file_that_is_there_already_is_left_as_it_is(
    parcel: Parcel, home: Path, key: Path
) -> None:
    with sending_help.sftp_server(home, key) as (port, host_key):
        put(parcel, settings(port, host_key, key))
        before = [(home / "upload" / name).stat().st_ino for name in NAMES]
        put(parcel, settings(port, host_key, key))

    assert [(home / "upload" / name).stat().st_ino for name in NAMES] == before


def refused(parcel: Parcel, server: Sftp, address: str = "/upload") -> DeliveryError:
    with pytest.raises(DeliveryError) as told:
        put(parcel, server, address)
    text = str(told.value)
    assert "Fix:" in text
    assert "127.0.0.1" not in text
    assert "secret" not in text
    return told.value


def test_an_unknown_key_of_the_host_sends_nothing(parcel: Parcel, home: Path, key: Path) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    with sending_help.sftp_server(home, key) as (port, _):
        error = refused(parcel, settings(port, other, key))

    assert "not the one that study.yaml names" in str(error)
    assert not error.can_pass
    assert not list((home / "upload").iterdir())


def test_known_hosts_are_read_and_a_missing_file_is_no_permission(
    parcel: Parcel, home: Path, key: Path, tmp_path: Path
) -> None:
    known = tmp_path / "known_hosts"
    with sending_help.sftp_server(home, key) as (port, host_key):
        server = settings(port, host_key, key, host_key=None, known_hosts=str(known))
        assert "cannot be read" in str(refused(parcel, server))
        known.write_text(f"[127.0.0.2]:{port} {host_key}\n")
        assert "nothing was sent" in str(refused(parcel, server))
        known.write_text("")
        assert "nothing was sent" in str(refused(parcel, server))
        assert not list((home / "upload").iterdir())
        known.write_text(f"[127.0.0.1]:{port} {host_key}\n")
        put(parcel, server)

    assert len(list((home / "upload").iterdir())) == 2


def test_a_refused_login_is_told(
    parcel: Parcel, home: Path, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = sending_help.new_key(tmp_path / "id_stranger")
    monkeypatch.setenv("UPLOAD_PASSWORD", "wrong")
    with sending_help.sftp_server(home, key) as (port, host_key):
        by_key = refused(parcel, settings(port, host_key, stranger))
        server = settings(port, host_key, key, key_file=None, password_env="UPLOAD_PASSWORD")
        by_password = refused(parcel, server)
        monkeypatch.delenv("UPLOAD_PASSWORD")
        without = refused(parcel, server)

    assert "refused the login" in str(by_key)
    assert "refused the login" in str(by_password)
    assert "UPLOAD_PASSWORD is not set" in str(without)


def test_a_key_file_must_be_private_and_a_key(
    parcel: Parcel, home: Path, key: Path, tmp_path: Path
) -> None:
    nothing = tmp_path / "nothing"
    nothing.write_text("no key")
    nothing.chmod(0o600)
    key.chmod(0o644)
    line = asyncssh.read_private_key(key).export_public_key().decode().strip()

    assert "read by others" in str(refused(parcel, settings(1, line, key)))
    assert "no private key" in str(refused(parcel, settings(1, line, nothing)))
    assert "cannot be used" in str(refused(parcel, settings(1, line, tmp_path / "gone")))


@pytest.mark.parametrize(
    ("trouble", "told", "can_pass"),
    [("full", "may be full", False), ("no space", "takes nothing", False), ("lost", "lost", True)],
)
def test_a_full_disk_or_a_lost_connection_leaves_no_half_file(
    parcel: Parcel, home: Path, key: Path, trouble: str, told: str, can_pass: bool
) -> None:
    with sending_help.sftp_server(home, key, trouble) as (port, host_key):
        error = refused(parcel, settings(port, host_key, key))

    assert told in str(error)
    assert error.can_pass is can_pass
    assert not [p for p in (home / "upload").iterdir() if not p.name.startswith(".")]


def test_after_a_lost_connection_the_next_try_brings_the_packet(
    parcel: Parcel, home: Path, key: Path
) -> None:
    with sending_help.sftp_server(home, key, "lost") as (port, host_key):
        refused(parcel, settings(port, host_key, key))
    with sending_help.sftp_server(home, key) as (port, host_key):
        put(parcel, settings(port, host_key, key))

    assert sorted(p.name for p in (home / "upload").iterdir()) == NAMES


def test_a_folder_that_is_not_there_is_not_made(parcel: Parcel, home: Path, key: Path) -> None:
    with sending_help.sftp_server(home, key) as (port, host_key):
        error = refused(parcel, settings(port, host_key, key), "/uplaod")

    assert "it is not there" in str(error)
    assert [p.name for p in home.iterdir()] == ["upload"]


def test_nobody_listening_may_pass(parcel: Parcel, home: Path, key: Path) -> None:
    with sending_help.sftp_server(home, key) as (port, host_key):
        pass
    error = refused(parcel, settings(port, host_key, key))

    assert "does not answer" in str(error)
    assert error.can_pass
