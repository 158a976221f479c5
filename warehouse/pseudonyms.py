"""Pseudonyms: the same patient of a center always gets the same code, and only the key leads back.

USUBJID = STUDYID-SITEID-CODE. CODE is eleven characters of Crockford's base 32 (no I, L, O, U): ten
hold the first 50 bits of HMAC-SHA-256 over study, center and local id, the last is a check
character that finds every single wrong character and every swap of two.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from schemas.errors import CarmonyError, StudyError
from warehouse.paths import StudyPaths, fsync_path, private_folder, replace_durably

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
KEY_BYTES = 32
ID_MAP = pl.Schema(
    {
        "study_id": pl.String(),
        "center_id": pl.String(),
        "patient_id": pl.String(),
        "usubjid": pl.String(),
    }
)


class Pseudonymizer:
    """Pseudonyms of one study under one key."""

    def __init__(self, study_id: str, key: bytes) -> None:
        if len(key) < KEY_BYTES:
            raise StudyError(
                f"The key of the pseudonyms has {len(key)} bytes; {KEY_BYTES} are needed.",
                fix="give a longer CARMONY_KEY, or restore vault/pseudonym.key from a backup",
            )
        self.study_id = study_id
        self._key = key

    def __repr__(self) -> str:
        return f"Pseudonymizer({self.study_id!r})"

    @classmethod
    def of_study(cls, study_folder: Path, study_id: str) -> Pseudonymizer:
        """With the key of `CARMONY_KEY`, else of the vault, which is made at the first call.

        Raises:
            StudyError: The key is missing and the id map is there: it was lost.
        """
        from_environment = os.environ.get("CARMONY_KEY")
        if from_environment:
            return cls(study_id, _key_from_text(from_environment))
        paths = StudyPaths(study_folder)
        if paths.id_map.exists() and not paths.key.exists():
            # A new key would fit none of the pseudonyms, and would stand in the old one's place.
            raise StudyError(
                "The key that made this study's pseudonyms is gone: vault/pseudonym.key is missing, "
                "and the id map is there. No new key is made.",
                fix="restore vault/pseudonym.key from a backup, or give the key as CARMONY_KEY; to "
                "start anew on purpose, move vault/id_map.parquet away",
            )
        return cls(study_id, _key_from_vault(paths.key))

    def code(self, center_id: str, patient_id: str) -> str:
        """The eleven characters that stand for a center's local id."""
        message = b"".join(_framed(part) for part in (self.study_id, center_id, patient_id))
        digest = hmac.digest(self._key, message, hashlib.sha256)
        number = int.from_bytes(digest[:7], "big") >> 6  # the first 50 bits
        values = [(number >> shift) & 31 for shift in range(45, -1, -5)]
        return "".join(ALPHABET[value] for value in [*values, _check_value(values)])

    def key_for(self, purpose: str) -> bytes:
        """A key of 32 bytes for another purpose, which does not give the key of the pseudonyms away."""
        return hmac.digest(self._key, b"purpose " + purpose.encode(), hashlib.sha256)

    def usubjid(self, center_id: str, patient_id: str) -> str:
        """The identifier of a patient in everything that is published."""
        return f"{self.study_id}-{center_id}-{self.code(center_id, patient_id)}"

    def pseudonyms(self, ids: pl.DataFrame) -> pl.DataFrame:
        """One row of `ID_MAP` per distinct `center_id`, `patient_id`.

        Raises:
            CarmonyError: Two ids of a center share a pseudonym (one chance in 10^15 per pair).
        """
        distinct = ids.select("center_id", "patient_id").drop_nulls().unique().sort(pl.all())
        rows = [self.usubjid(*row) for row in distinct.iter_rows()]
        out = distinct.with_columns(
            pl.lit(self.study_id, pl.String).alias("study_id"),
            pl.Series("usubjid", rows, dtype=pl.String),
        ).select(ID_MAP.names())
        _refuse_collisions(out)
        return out

    def update_id_map(self, study_folder: Path, ids: pl.DataFrame) -> pl.DataFrame:
        """The id map of the vault with the given ids added; written whole or not at all.

        Raises:
            StudyError: The map was made under another key.
            CarmonyError: Two ids of a center share a pseudonym.
        """
        path = StudyPaths(study_folder).id_map
        known = read_id_map(path)
        self.refuse_other_key(known)
        new = ids.select("center_id", "patient_id").drop_nulls().unique()
        new = new.join(known, on=["center_id", "patient_id"], how="anti")
        if new.is_empty():
            return known
        merged = pl.concat([known, self.pseudonyms(new)]).sort("center_id", "patient_id")
        _refuse_collisions(merged)
        private_folder(path.parent)
        temporary = path.with_name(path.name + ".tmp")
        temporary.unlink(missing_ok=True)
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        merged.write_parquet(temporary)
        replace_durably(temporary, path)
        return merged

    def refuse_other_key(self, known: pl.DataFrame) -> None:
        """Refuses a map that was made under another key.

        Raises:
            StudyError: It was.
        """
        first = known.head(1).rows()
        if first and self.usubjid(first[0][1], first[0][2]) != first[0][3]:
            raise StudyError(
                "The key is not the one that made this study's pseudonyms, or the study's id has "
                "changed: every patient would get another pseudonym.",
                fix="restore vault/pseudonym.key (or CARMONY_KEY) and the id in study.yaml; to "
                "start anew on purpose, move vault/id_map.parquet away",
            )


def read_id_map(path: Path) -> pl.DataFrame:
    """The id map of the vault, `ID_MAP`; empty if there is none yet.

    Raises:
        StudyError: The file is damaged.
    """
    if not path.is_file():
        return pl.DataFrame(schema=ID_MAP)
    try:
        return pl.read_parquet(path, glob=False).select(ID_MAP.names())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        raise StudyError(
            "vault/id_map.parquet is damaged and cannot be read; the key of the pseudonyms is another file.",
            fix="restore it from a backup of the vault; if there is none, move it away: as long as "
            "vault/pseudonym.key (or CARMONY_KEY) is the same, the next 'carmony run' writes the same "
            "pseudonyms again",
        ) from None


def refuse_lost_key(study_folder: Path, study_id: str) -> None:
    """Tells of a key that is gone or another one while a backup of it may still be there; makes none.

    Raises:
        StudyError: The id map is there, and its key is not; or the map is damaged.
    """
    known = read_id_map(StudyPaths(study_folder).id_map)
    if known.height:
        Pseudonymizer.of_study(study_folder, study_id).refuse_other_key(known)


def is_valid_code(code: str) -> bool:
    """Whether a code's check character fits; finds typing errors in a USUBJID read aloud."""
    values = [ALPHABET.find(character) for character in code.upper()]
    return len(values) == 11 and min(values) >= 0 and _check_value(values[:10]) == values[10]


def _framed(part: str) -> bytes:
    """Length and text, so that no two triples give the same message."""
    data = unicodedata.normalize("NFC", part).encode("utf-8", "surrogatepass")
    return len(data).to_bytes(4, "big") + data


def _check_value(values: Sequence[int]) -> int:
    """The sum of value times 2^position in the field of 32 elements (x^5 + x^2 + 1)."""
    total = 0
    for value in values:  # Horner's rule: each step doubles what came before
        total = _double(total) ^ value
    return _double(total)


def _double(value: int) -> int:
    doubled = value << 1
    return doubled ^ 0b100101 if doubled & 0b100000 else doubled


def _refuse_collisions(id_map: pl.DataFrame) -> None:
    # Two spellings of one id that differ only in Unicode form are the same patient.
    folded = id_map.select(
        "usubjid", "center_id", pl.col("patient_id").str.normalize("NFC")
    ).unique()
    shared = folded.height - folded["usubjid"].n_unique()
    if shared:
        raise CarmonyError(
            f"{shared} pseudonym(s) would stand for more than one patient.",
            fix="start the study's pseudonyms anew under another key (docs/warehouse.md)",
        )


def _key_from_text(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return text.encode()


def _key_from_vault(path: Path) -> bytes:
    if not path.exists():
        private_folder(path.parent)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.unlink(missing_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, os.urandom(KEY_BYTES))
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            os.link(temporary, path)  # fails if another process was first: its key stands
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
        fsync_path(path.parent)
    return path.read_bytes()
