from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from flows.sending import by_folder
from flows.sending.failure import DeliveryError
from flows.sending.parcel import Parcel, newest_packet, part_of

sys.path.insert(0, str(Path(__file__).parent))

import sending_help  # noqa: E402

from flows.folder import StudyFolder  # noqa: E402

NAMES = ["SMALL_AA01_2024-07-31_000003_queries.csv", "SMALL_AA01_2024-07-31_000003_queries.xlsx"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "study"


@pytest.fixture
def parcel(root: Path) -> Parcel:
    return sending_help.make_packet(root)


@pytest.fixture
def share(tmp_path: Path) -> Path:
    (tmp_path / "share").mkdir()
    return tmp_path / "share"


def test_a_packet_is_copied_into_the_folder_of_its_center(
    parcel: Parcel, share: Path, root: Path
) -> None:
    by_folder.put(parcel, str(share), root, {})
    by_folder.put(parcel, "../share", root, {})

    assert sorted(p.name for p in share.iterdir()) == NAMES
    assert (share / NAMES[1]).read_bytes() == sending_help.WORKBOOK
    assert (share / NAMES[1]).stat().st_mode & 0o007 == 0


def test_a_folder_that_is_not_there_is_not_made(parcel: Parcel, share: Path, root: Path) -> None:
    with pytest.raises(DeliveryError, match="is not there"):
        by_folder.put(parcel, str(share / "AA01"), root, {})
    assert not list(share.iterdir())


@pytest.mark.parametrize("name", ["published", "inbox/AA01", "answers/AA01", "vault", "."])
def test_the_study_s_own_folders_take_no_packets(parcel: Parcel, root: Path, name: str) -> None:
    (root / name).mkdir(parents=True, exist_ok=True)
    with pytest.raises(DeliveryError, match="one of the study's own"):
        by_folder.put(parcel, name, root, {})


def test_a_link_into_what_is_published_is_seen_through(parcel: Parcel, root: Path) -> None:
    (root / "published").mkdir()
    (root / "out").symlink_to(root / "published")
    with pytest.raises(DeliveryError, match="one of the study's own"):
        by_folder.put(parcel, "out", root, {})


@pytest.mark.parametrize(
    ("number", "told"),
    [(errno.ENOSPC, "make room there"), (errno.EACCES, "let the person who runs carmony write")],
)
def test_a_full_disk_or_a_refusal_leaves_no_half_file(
    parcel: Parcel,
    share: Path,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    told: str,
) -> None:
    def fails(handle: int) -> None:
        raise OSError(number, os.strerror(number), str(share))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(DeliveryError) as error:
        by_folder.put(parcel, str(share), root, {})

    assert told in str(error.value)
    assert str(share) not in str(error.value)
    assert not list(share.iterdir())


def test_the_newest_packet_is_the_one_of_the_last_part_not_of_the_last_name(root: Path) -> None:
    folder = StudyFolder(root)
    assert newest_packet(folder, "AA01") is None
    for name in ("2024-07-31_000009", "2024-07-31_000010", "2024-06-30_000002", "notes", "x_old"):
        sending_help.make_packet(root, name=name)

    newest = newest_packet(folder, "AA01")
    assert newest is not None
    assert newest.name == "2024-07-31_000010"
    assert part_of(newest) == 10
    assert part_of(None) == 0


@pytest.mark.parametrize("other", ["{share}", "{share}/bb", "{base}", "{base}/link"])
def test_a_folder_that_leads_to_that_of_another_center_gets_nothing(
    parcel: Parcel, tmp_path: Path, other: str
) -> None:
    share = tmp_path / "share"
    (share / "bb").mkdir(parents=True)
    (tmp_path / "link").symlink_to(share)
    given = other.format(share=share, base=tmp_path)
    with pytest.raises(DeliveryError, match="AA01 and BB02"):
        by_folder.put(parcel, str(share), tmp_path / "study", {"BB02": given})
    assert [path.name for path in share.iterdir()] == ["bb"]
