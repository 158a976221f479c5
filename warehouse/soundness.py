"""Whether the published file is the one that was published, and what is told if it is not.

Everything in it stands in the vault too, so that a run can write it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import StudyError

# DuckDB's words for a file that is cut off, overwritten, or holds blocks with a wrong checksum.
_DAMAGE = (
    "not a valid duckdb database file",
    "could not read enough bytes",
    "corrupt database file",
    "does not match stored checksum",
    "failed to deserialize",
)


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


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Errors over a damaged file inside are raised as the message of `damaged`."""
    try:
        yield
    except Exception as error:
        if is_damage(error):
            raise damaged(path) from error
        raise


def fault_of(path: Path, load_id: int | None, size: int | None) -> str:
    """What is wrong with the published file, as the end of a sentence; nothing if it can stay.

    A look at the file's directory, one row and its size, not at all blocks. A file that cannot be
    looked at now (no right to, another program writes in it) is not judged.

    Args:
        path: The published warehouse.
        load_id: The load that was noted when it was published; None if none was.
        size: Its bytes then; None if they were not noted.
    """
    import duckdb

    other = "is not the file that was published"
    try:
        con = duckdb.connect(str(path), read_only=True, config={"threads": 1})
    except duckdb.Error as error:
        return "is damaged" if is_damage(error) else ""
    try:
        rows = con.execute("SELECT load_id FROM meta.run").fetchall()
    except duckdb.Error as error:
        return "is damaged" if is_damage(error) else other
    finally:
        con.close()
    same_load = load_id is None or rows == [(load_id,)]
    same_size = size is None or path.stat().st_size == size
    return "" if same_load and same_size else other
