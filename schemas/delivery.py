"""A delivery: the files that one center sent at one time, as they came."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DeliveredFile:
    """One file: its path inside the delivery (with /), SHA-256 of its bytes and size in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a center sent: immutable, named by its content.

    `delivery_id` is the first 16 hex digits of the SHA-256 over names and hashes of the files, so the
    same files sent twice are the same delivery.
    """

    center_id: str
    delivery_id: str
    path: Path
    received_on: dt.date
    files: tuple[DeliveredFile, ...]


def read_delivery(center_id: str, path: Path, received_on: dt.date) -> Delivery:
    """The delivery that stands in a folder (or is a single file), with hashes of all its files."""
    members = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    root = path.parent if path.is_file() else path
    files = tuple(
        DeliveredFile(member.relative_to(root).as_posix(), _sha256(member), member.stat().st_size)
        for member in members
        if not _is_litter(member.name)
    )
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0{file.sha256}\n".encode("utf-8", "surrogateescape"))
    return Delivery(center_id, digest.hexdigest()[:16], root, received_on, files)


def _is_litter(name: str) -> bool:
    """Files that programs leave beside what a person meant to send."""
    return name.startswith(("~$", ".")) or name.lower() in {"thumbs.db", "desktop.ini"}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
