"""Hashes that decide whether something has to be done again."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from flows.folder import StudyFolder

_ROOT = Path(__file__).resolve().parent.parent
_DATA = {".py", ".csv", ".yaml", ".json", ".sql", ".j2", ".css", ".js"}


@cache
def code_hash(*packages: str) -> str:
    """Hash of the source and data files of packages: their behavior may change with any of them."""
    digest = hashlib.sha256()
    for package in packages:
        for path in sorted((_ROOT / package).rglob("*")):
            if path.suffix in _DATA and "__pycache__" not in path.parts:
                digest.update(path.relative_to(_ROOT).as_posix().encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


@cache
def version_of(package: str) -> str:
    """The installed version of a package."""
    return metadata.version(package)


def staging_code() -> str:
    """Hash of everything that makes a staged delivery out of files."""
    return code_hash("schemas", "transforms")


def study_code() -> str:
    """Hash of everything that makes the published state out of staged deliveries."""
    return code_hash("schemas", "transforms", "warehouse", "expectations", "reports")


def spec_hash(folder: StudyFolder, center_id: str) -> str:
    """Hash of the files that decide how a center is read: its spec, fixes, the study's settings.

    A fix may have any name, so every Python file beside the specs counts.
    """
    digest = hashlib.sha256()
    spec = folder.spec(center_id)
    for path in (spec, *sorted(spec.parent.glob("*.py")), folder.settings):
        digest.update(_content(path))
        digest.update(b"\0file\0")
    for mark in _others(folder, center_id):  # once somebody has said whose an id is
        digest.update(mark.encode() + b"\0mark\0")
    return digest.hexdigest()[:16]


def _others(folder: StudyFolder, center_id: str) -> list[str]:
    """Marks of ids that look like a withdrawn one and are another patient's; a damaged file is told elsewhere."""
    try:
        marks = json.loads((folder.vault / "withdrawn.json").read_text(encoding="utf-8"))[center_id]
        return sorted(mark for mark in marks if mark.startswith("other:"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _content(path: Path) -> bytes:
    """The bytes of a file; a mark for one that is missing, or that may not be read just now.

    Who then opens the file gets the system's error, which names it: no hash stops all centers.
    """
    try:
        return path.read_bytes() if path.is_file() else b"\0"
    except OSError:
        return b"\0unreadable"


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_key(content: Any) -> str:
    """Hash of JSON-ready content, independent of the order of keys."""
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:24]
