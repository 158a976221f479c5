"""A packet is put into a folder: a share of the center, or one that another program takes away."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from flows.failures import may_pass
from flows.sending.failure import DeliveryError, reason
from flows.sending.parcel import Parcel

_OWN = ("published", "inbox", "centers", "answers", "vault")
_MODE = 0o640  # who takes it away may be another user of the group


def put(parcel: Parcel, address: str, root: Path, others: Mapping[str, str]) -> None:
    """Copies the packet; each file appears whole or not at all.

    Args:
        parcel: the packet.
        address: the folder; absolute, or beside `study.yaml`.
        root: the study folder.
        others: the other centers and their folders.

    Raises:
        DeliveryError: The folder is not there, is one of the study's own or leads to another
            center's, or takes nothing.
    """
    target = (root / address).resolve()
    for center, given in others.items():
        if _shared(target, (root / given).resolve()):
            raise DeliveryError(
                f"The folders of {parcel.center_id} and {center} in 'notification' are one, or one is in the "
                "other: a center would read patients of the other.",
                fix="give each center a folder of its own; links count as where they lead",
            )
    if (
        any(target.is_relative_to(root.resolve() / name) for name in _OWN)
        or target == root.resolve()
    ):
        raise DeliveryError(
            f"The folder of {parcel.center_id} in 'notification' is one of the study's own.",
            fix="give one that only the center and the data manager read",
        )
    if not target.is_dir():
        # A share that is not mounted must not be made anew on this machine's disk.
        raise DeliveryError(
            f"The folder of {parcel.center_id} in 'notification' is not there.",
            fix="make it, or mount it, or correct the address in study.yaml",
        )
    try:
        for name, source in parcel.files():
            _copy(source, target / name)
        with suppress(OSError):  # some file systems know no such wish
            _flush(target)
    except OSError as error:
        raise _failed(parcel, error) from None


def _shared(one: Path, other: Path) -> bool:
    if one.is_relative_to(other) or other.is_relative_to(one):
        return True
    try:
        return one.samefile(other)  # two mounts of one share, or names that differ in case
    except OSError:
        return False


def _copy(source: Path, target: Path) -> None:
    content = source.read_bytes()
    if target.is_file() and target.read_bytes() == content:
        return
    temporary = target.with_name(f".{target.name}.part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError):  # shares of other systems have no modes
            temporary.chmod(_MODE)
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _failed(parcel: Parcel, error: OSError) -> DeliveryError:
    what = reason(error)
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return DeliveryError(
        f"The folder of {parcel.center_id} in 'notification' takes nothing: {what}.",
        fix="make room there"
        if full
        else "let the person who runs carmony write there, or look whether the share answers",
        can_pass=may_pass(error),
    )
