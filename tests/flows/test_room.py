"""One center's delivery that is too large, or finds no room, is told of that center; the others go on."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import small_study

from flows import copying, pull, room
from flows.cli import main
from flows.folder import StudyFolder
from schemas.errors import FileError

pytestmark = pytest.mark.usefixtures("lenient")
MB = 2**20
DAY = "2024-06-14"


@pytest.fixture
def pair(tmp_path: Path) -> StudyFolder:
    """A study of two centers."""
    return StudyFolder(small_study.make_study(tmp_path / "study", ("AA01", "BB02")))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 96 MB, where the tests may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=96M", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("disks cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def enlarge(folder: StudyFolder, center_id: str, size: int, file: str = "response.csv") -> Path:
    """A delivered file gets that many bytes by holes, as `truncate -s` makes them."""
    path = folder.inbox / center_id / DAY / file
    os.truncate(path, size)
    return path


def run(folder: StudyFolder, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code of a run, and all that it says."""
    code = main(["run", str(folder.root), "--no-report"])
    said = capsys.readouterr()
    return code, said.out + said.err


def published(folder: StudyFolder) -> list[str]:
    with duckdb.connect(str(folder.warehouse), read_only=True) as con:
        found = con.execute("select distinct center_id from core.subject order by 1").fetchall()
    return [center_id for (center_id,) in found]


def in_vault(folder: StudyFolder, center_id: str) -> list[str]:
    """What stands of a center's deliveries in the vault, beside the index."""
    return sorted(p.name for p in folder.deliveries(center_id).iterdir() if p.name != "index.json")


def test_a_file_above_the_limit_fails_its_center_by_name_and_the_others_are_published(
    pair: StudyFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    enlarge(pair, "AA01", room.FILE_LIMIT + 1)
    code, said = run(pair, capsys)

    assert code == 1
    assert said.count("[TOO_LARGE]") == 1
    assert f"AA01: file 'inbox/AA01/{DAY}/response.csv': the file has 5.1 GB" in said
    assert "more than the 5 GB that one file may have" in said
    assert "Fix: ask the center" in said
    assert published(pair) == ["BB02"]
    assert in_vault(pair, "AA01") == []


def test_the_next_run_takes_the_delivery_when_its_file_is_replaced(
    pair: StudyFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    path = pair.inbox / "AA01" / DAY / "response.csv"
    good = path.read_bytes()
    enlarge(pair, "AA01", room.FILE_LIMIT + 1)
    assert run(pair, capsys)[0] == 1
    path.write_bytes(good)

    assert run(pair, capsys)[0] == 0
    assert published(pair) == ["AA01", "BB02"]


def test_files_that_are_too_large_together_are_not_taken(pair: StudyFolder) -> None:
    for name in ("response", "subject", "risk", "relapse", "exposure"):
        enlarge(pair, "AA01", room.FILE_LIMIT, f"{name}.csv")
    (problem,) = pull.pull_center(pair, "AA01").problems

    assert (problem.code, problem.can_pass) == ("TOO_LARGE", False)
    assert f"file 'inbox/AA01/{DAY}': the files of the delivery have 25.1 GB" in problem.message
    assert in_vault(pair, "AA01") == []


def test_files_at_the_limits_are_allowed() -> None:
    parts = [(f"{n}.csv", room.FILE_LIMIT) for n in range(room.DELIVERY_LIMIT // room.FILE_LIMIT)]
    room.refuse_too_large("inbox/AA01/2024-06-14", parts)
    with pytest.raises(FileError, match=r"inbox/AA01/2024-06-14.csv': the file has 5.1 GB"):
        room.refuse_too_large("inbox/AA01/2024-06-14.csv", [("", room.FILE_LIMIT + 1)])


def test_a_file_that_grows_beyond_the_limit_while_it_is_copied_is_not_copied_to_its_end(
    pair: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FILE_LIMIT", 4 * MB)
    copy = pull._copy

    def grown(entry: Path, target: Path) -> None:
        enlarge(pair, "AA01", 64 * MB)
        copy(entry, target)

    monkeypatch.setattr(pull, "_copy", grown)
    (problem,) = pull.pull_center(pair, "AA01").problems

    assert problem.code == "TOO_LARGE"
    assert "file 'response.csv': the file grew while it was copied" in problem.message
    assert in_vault(pair, "AA01") == []


def test_a_disk_with_less_room_than_a_delivery_needs_is_told_of_its_center_before_the_copy(
    pair: StudyFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    enlarge(pair, "AA01", 30 * MB)
    monkeypatch.setattr(room, "_free", lambda home: 50 * 10**6)
    copied = []
    copy = pull._copy
    monkeypatch.setattr(
        pull, "_copy", lambda *args: copied.append(args[0].parts[-2]) or copy(*args)
    )
    code, said = run(pair, capsys)

    assert code == 1
    assert said.count("[NO_ROOM]") == 1
    assert f"AA01: file 'inbox/AA01/{DAY}': the delivery of center AA01 needs 63 MB" in said
    assert "its files have 31.5 MB, the largest, 'response.csv', 31.5 MB;" in said
    assert "50 MB are free" in said
    assert "Fix: make room" in said
    assert copied == ["BB02"]
    assert published(pair) == ["BB02"]
    assert in_vault(pair, "AA01") == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_gets_full_while_a_delivery_is_copied_fails_its_center_and_keeps_no_part(
    pair: StudyFolder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: int,
) -> None:
    def full(path: Path, copy: Path) -> None:
        copying.copy_file(path, copy)
        if path.parts[-3:] == ("AA01", DAY, "response.csv"):
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(pull, "copy_file", full)
    code, said = run(pair, capsys)

    assert code == 1
    assert said.count("[NO_ROOM]") == 1
    assert "while the delivery of center AA01 was copied" in said
    assert "No room is left" not in said
    assert published(pair) == ["BB02"]
    assert in_vault(pair, "AA01") == []
    monkeypatch.undo()
    assert [problem.code for problem in pull.pull_center(pair, "AA01").problems] == []
    assert len(in_vault(pair, "AA01")) == 1


def test_a_delivery_without_room_waits_and_is_asked_for_again(
    pair: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_free", lambda home: 0)
    (problem,) = pull.pull_center(pair, "AA01").problems
    monkeypatch.undo()

    assert (problem.code, problem.can_pass) == ("NO_ROOM", True)
    assert len(pull.pull_center(pair, "AA01").deliveries) == 1


def test_what_was_taken_before_needs_no_room(
    pair: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pull.pull_center(pair, "AA01").deliveries
    monkeypatch.setattr(room, "_free", lambda home: 0)
    monkeypatch.setattr(room, "FILE_LIMIT", 1)

    assert pull.pull_center(pair, "AA01") == pull.Pulled(first, (), ())


def test_a_disk_that_does_not_tell_its_room_stops_nothing(
    pair: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"total": 0, "used": 0, "free": 0})
    monkeypatch.setattr("shutil.disk_usage", lambda home: usage)
    assert len(pull.pull_center(pair, "AA01").deliveries) == 1

    def refused(home: Path) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr("shutil.disk_usage", refused)
    assert len(pull.pull_center(pair, "BB02").deliveries) == 1


def test_a_file_of_holes_takes_no_more_room_in_the_vault_than_in_the_inbox(
    pair: StudyFolder,
) -> None:
    source = enlarge(pair, "AA01", 300 * MB + 7)
    (delivery,) = pull.pull_center(pair, "AA01").deliveries
    copy = delivery.path / "response.csv"

    assert copy.stat().st_size == 300 * MB + 7
    assert copy.stat().st_blocks * 512 < 4 * MB
    assert _sha256(copy) == _sha256(source)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"id\n",
        bytes(10),
        bytes(MB),
        b"id\n" + bytes(2 * MB),
        bytes(3 * MB) + b"id\n",
        b"i" * MB + bytes(2 * MB) + b"d" * MB,
        b"i" * MB + bytes(MB),
        bytes(2 * MB + 1),
    ],
)
def test_a_copy_has_the_bytes_of_its_file_wherever_zeros_stand(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "source").write_bytes(content)
    copying.copy_file(tmp_path / "source", tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == content


@pytest.mark.parametrize("size", [2**31, 40 * MB])
def test_on_a_small_disk_one_large_file_leaves_the_other_centers_theirs(
    small_disk: Path, capsys: pytest.CaptureFixture[str], size: int
) -> None:
    folder = StudyFolder(small_study.make_study(small_disk / "study", ("AA01", "BB02")))
    enlarge(folder, "AA01", size)
    if size < 96 * MB:  # by bytes, not by holes: the copy would fit, nothing after it
        (folder.inbox / "AA01" / DAY / "response.csv").write_bytes(b"x\n" * (size // 2))
    code, said = run(folder, capsys)

    assert code == 1
    assert said.count("[NO_ROOM]") == 1
    assert published(folder) == ["BB02"]
    assert in_vault(folder, "AA01") == []


def test_a_small_disk_that_the_copy_itself_fills_is_empty_of_it_afterwards(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = StudyFolder(small_study.make_study(small_disk / "study", ("AA01", "BB02")))
    (folder.inbox / "AA01" / DAY / "response.csv").write_bytes(b"x\n" * (30 * MB))
    monkeypatch.setattr(room, "_free", lambda home: None)  # as with a quota, which it does not see
    code, said = run(folder, capsys)

    assert code == 1
    assert said.count("[NO_ROOM]") == 1
    assert (
        "while the delivery of center AA01 was copied (its files have 63 MB, the largest, " in said
    )
    assert published(folder) == ["BB02"]
    assert in_vault(folder, "AA01") == []


def test_a_file_above_the_limit_is_refused_by_a_check_too(
    pair: StudyFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    path = enlarge(pair, "AA01", room.FILE_LIMIT + 1)
    code = main(["check", str(path), "--spec", str(pair.spec("AA01"))])

    assert code == 2
    assert "file 'response.csv': the file has 5.1 GB" in capsys.readouterr().err


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
