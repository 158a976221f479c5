"""Patients who have withdrawn: told by a keyed hash of their id, so that no list of names is kept.

`vault/withdrawn.json` holds, per center, HMAC-SHA-256 of the local id under a key derived from that of the
pseudonyms. Reading a delivery leaves rows of these patients out, with reason `withdrawn` in the ledger.

Beside the id stands the hash of what all its spellings share (`alike:`): rows of an id that differs from it in
case, blanks, dashes, accents or leading zeros only are held, with reason `withdrawn_alike`, until
somebody says whose they are; an id that is another patient's is noted (`other:`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import StudyError
from transforms.harmonize.values.match import match_key

REASON, REASON_ALIKE = "withdrawn", "withdrawn_alike"
OTHER, _ALIKE = "other:", "alike:"
_PARTS = re.compile(r"[^\W\d_]+|\d+")  # letters, and numbers
_NO_DECIMALS = re.compile(r"(\d+)\.0+")  # 12 that went through a spreadsheet
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_DAY = re.compile(r"(?:\d{4}|\d\d?)(?:[-./ ](?:\d{4}|\d\d?)){1,2}")  # or a part of one
_WORD = 6  # letters and digits that are no word of any text, as a year, a drug or a lesion
_PURPOSE = b"purpose withdrawn"  # as `Pseudonymizer.key_for("withdrawn")` derives it


@dataclass(frozen=True)
class Withdrawn:
    """The tombstones of one center."""

    center_id: str
    key: bytes
    marks: frozenset[str]

    def mark(self, patient_id: str) -> str:
        """The tombstone of an id, which does not lead back to it without the key."""
        return self._hash(unicodedata.normalize("NFC", patient_id.strip()))

    def alike(self, patient_id: str) -> str:
        """The mark that an id shares with its other spellings."""
        return _ALIKE + self._hash("alike", spelling_key(patient_id))

    def other(self, patient_id: str) -> str:
        """The mark of an id that looks like a withdrawn one and is another patient's."""
        return OTHER + self.mark(patient_id)

    def among(self, ids: Iterable[str]) -> list[str]:
        """Those of distinct ids that have withdrawn."""
        return [one for one in ids if self.mark(one) in self.marks]

    def look_like(self, ids: Iterable[str]) -> list[str]:
        """Those of distinct ids that are spelled almost like a withdrawn one, and nobody said whose they are."""
        return [
            one
            for one in ids
            if self.alike(one) in self.marks
            and self.mark(one) not in self.marks
            and self.other(one) not in self.marks
        ]

    def _hash(self, *texts: str) -> str:
        parts = [text.encode("utf-8", "surrogatepass") for text in (self.center_id, *texts)]
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(self.key, message, hashlib.sha256).hex()


def spelling_key(patient_id: str) -> str:
    """What spellings of an id share: letters without case and accents, numbers without leading zeros, in order."""
    key = match_key(patient_id)
    whole = _NO_DECIMALS.fullmatch(key)
    parts = _PARTS.findall(whole[1] if whole else key)
    return "-".join(part.lstrip("0") or "0" if part.isdigit() else part for part in parts) or key


def stands_by_chance(patient_id: str) -> bool:
    """Whether an id may as well be a number, a day or a word: it says something in columns of ids only."""
    if _NUMBER.fullmatch(patient_id) or _DAY.fullmatch(patient_id):
        return True
    return patient_id.isalnum() and len(patient_id) < _WORD


def withdrawn_of(study_folder: Path, center_id: str) -> Withdrawn | None:
    """The tombstones of a center; None where nobody has withdrawn.

    Raises:
        StudyError: there are some, and the file or the key that they were made with cannot be read.
    """
    marks = read_marks(study_folder).get(center_id)
    return Withdrawn(center_id, key_of(study_folder), frozenset(marks)) if marks else None


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
            fix="restore it from a backup, or remove it: then it is written again from the audit trail",
        ) from None


def withdrawn_file(study_folder: Path) -> Path:
    """Where the tombstones stand."""
    return study_folder / "vault" / "withdrawn.json"


def key_of(study_folder: Path) -> bytes:
    """The key of the tombstones; StudyError if it is gone."""
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
