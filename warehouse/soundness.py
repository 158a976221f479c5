"""Whether the published file is the one that was published, and what is told if it is not.

Everything in it stands in the vault too, so that a run can write it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from schemas.errors import StudyError

# DuckDB's words for a file that is cut off, overwritten, or holds blocks with a wrong checksum.
_DAMAGE = (
    "not a valid duckdb database file",
    "could not read enough bytes",
    "corrupt database file",
    "does not match stored checksum",
    "failed to deserialize",
)


DAMAGED = "is damaged"


def is_damage(error: BaseException) -> bool:
    """Whether an error of DuckDB is about the bytes of its file, not about rights, locks or statements."""
    text = str(error).lower()
    return type(error).__module__.partition(".")[0].lstrip("_") == "duckdb" and any(
        words in text for words in _DAMAGE
    )


def damaged(path: Path) -> StudyError:
    """The message for a warehouse file whose bytes are no longer what was written."""
    published = path.parent.name == "published"
    again = "'carmony run' writes it again from the vault; if it does not see the damage, move the file away first"
    return StudyError(
        f"'{path.name}' is damaged and cannot be opened or read.",
        fix=again if published else "restore it from a backup of the study",
    )


def unsound(path: Path, fault: str) -> StudyError:
    """The message for a published file with a fault of `fault_of`."""
    if fault == DAMAGED:
        return damaged(path)
    return StudyError(
        f"'{path.name}' {fault}: somebody or another program has written into it.",
        fix="'carmony run' writes it again from the vault",
    )


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Errors over a damaged file inside are raised as the message of `damaged`."""
    try:
        yield
    except Exception as error:
        if is_damage(error):
            raise damaged(path) from error
        raise


def bytes_of(path: Path) -> dict[str, Any]:
    """`size` and `sha256` of a file: whoever writes into it changes them, whatever the tables then say."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"size": file.tell(), "sha256": digest}


def fault_of(path: Path, load_id: int | None, size: int | None, sha256: str | None = None) -> str:
    """What is wrong with the published file, as the end of a sentence; nothing if it can stay.

    A file that cannot be looked at now (no right to, another program writes in it) is not judged.

    Args:
        path: The published warehouse.
        load_id: The load that was noted when it was published; None if none was.
        size: Its bytes then; None if they were not noted.
        sha256: Their hash; None if it was not noted.
    """
    import duckdb

    other = "is not the file that was published"
    try:
        con = duckdb.connect(str(path), read_only=True, config={"threads": 1})
    except duckdb.Error as error:
        return DAMAGED if is_damage(error) else ""
    try:
        rows = con.execute("SELECT load_id FROM meta.run").fetchall()
    except duckdb.Error as error:
        return DAMAGED if is_damage(error) else other
    finally:
        con.close()
    same_load = load_id is None or rows == [(load_id,)]
    same_bytes = size is None or path.stat().st_size == size
    if same_load and same_bytes and sha256 is not None:
        same_bytes = bytes_of(path)["sha256"] == sha256
    return "" if same_load and same_bytes else other
