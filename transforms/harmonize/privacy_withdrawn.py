"""Patients who have withdrawn: told by a keyed hash of their id, so that no list of names is kept.

`vault/withdrawn.json` holds, per center, HMAC-SHA-256 of the local id under a key derived from that of the
pseudonyms. Reading a delivery leaves rows of these patients out, with reason `withdrawn` in the ledger.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import StudyError

REASON = "withdrawn"
_PURPOSE = b"purpose withdrawn"  # as `Pseudonymizer.key_for("withdrawn")` derives it


@dataclass(frozen=True)
class Withdrawn:
    """The tombstones of one center."""

    center_id: str
    key: bytes
    marks: frozenset[str]

    def mark(self, patient_id: str) -> str:
        """The tombstone of an id, which does not lead back to it without the key."""
        text = unicodedata.normalize("NFC", patient_id.strip())
        parts = (self.center_id.encode(), text.encode("utf-8", "surrogatepass"))
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(self.key, message, hashlib.sha256).hex()

    def among(self, ids: Iterable[str]) -> list[str]:
        """Those of distinct ids that have withdrawn."""
        return [one for one in ids if self.mark(one) in self.marks]


def withdrawn_of(study_folder: Path, center_id: str) -> Withdrawn | None:
    """The tombstones of a center; None where nobody has withdrawn.

    Raises:
        StudyError: there are some, and the file or the key that they were made with cannot be read.
    """
    marks = read_marks(study_folder).get(center_id)
    return Withdrawn(center_id, _key(study_folder), frozenset(marks)) if marks else None


def read_marks(study_folder: Path) -> dict[str, list[str]]:
    """Tombstones by center.

    Raises:
        StudyError: the file is damaged.
    """
    try:
        content = json.loads(withdrawn_file(study_folder).read_text(encoding="utf-8"))
        return {str(center): [str(mark) for mark in marks] for center, marks in content.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, TypeError):
        raise StudyError(
            "vault/withdrawn.json is damaged: who has withdrawn is not known.",
            fix="restore it from a backup; nothing is read before",
        ) from None


def withdrawn_file(study_folder: Path) -> Path:
    """Where the tombstones stand."""
    return study_folder / "vault" / "withdrawn.json"


def _key(study_folder: Path) -> bytes:
    text = os.environ.get("CARMONY_KEY")
    path = study_folder / "vault" / "pseudonym.key"
    if text:
        try:
            key = bytes.fromhex(text)
        except ValueError:
            key = text.encode()
    elif path.is_file():
        key = path.read_bytes()
    else:
        raise StudyError(
            "Patients have withdrawn, and the key that tells them is gone (vault/pseudonym.key).",
            fix="restore it from a backup, or give the key as CARMONY_KEY",
        )
    return hmac.digest(key, _PURPOSE, hashlib.sha256)
