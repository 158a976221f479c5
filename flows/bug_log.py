"""The log of a bug: where it happened, without any value.

The text of an exception may hold a cell of a patient's record, so only types and places are written.
"""

from __future__ import annotations

import datetime as dt
import platform
import tempfile
import traceback
from importlib import metadata
from pathlib import Path

_NAMED = ("polars", "duckdb", "pandera", "great-expectations", "prefect", "lifelines")


def describe(error: BaseException) -> str:
    """Type and call stack of an error and of its causes; no messages, no local variables."""
    parts = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        kind = type(current)
        parts.append(f"{kind.__module__}.{kind.__qualname__}")
        for frame in traceback.extract_tb(current.__traceback__):
            parts.append(f"  {frame.filename}:{frame.lineno} in {frame.name}")
        # Errors of our own child processes carry the place in the child, made of the same parts.
        if isinstance(safe := getattr(current, "safe_text", None), str):
            parts.append(safe)
        current = current.__cause__ or current.__context__
    return "\n".join(parts)


def write_bug_log(error: BaseException, study: str | None) -> Path:
    """Writes the log into the vault's log folder, or a private temporary folder without a study."""
    vault = Path(study) / "vault" if study else None
    now = dt.datetime.now(dt.UTC)
    versions = " ".join(f"{name}={metadata.version(name)}" for name in _NAMED)
    text = (
        f"{now:%Y-%m-%dT%H:%M:%SZ} carmony {metadata.version('carmony')}, "
        f"Python {platform.python_version()}, {versions}\n{describe(error)}\n"
    )
    name = f"bug-{now:%Y%m%dT%H%M%S%f}.txt"
    if vault is not None and vault.is_dir():
        try:
            (vault / "log").mkdir(mode=0o700, exist_ok=True)
            return _write(vault / "log" / name, text)
        except OSError:
            pass  # a full or read-only disk: the temporary folder may still have room
    return _write(Path(tempfile.mkdtemp(prefix="carmony-")) / name, text)


def _write(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return path
