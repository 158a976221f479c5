"""Files that appear whole or not at all, and texts that no spreadsheet takes for a formula."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# A cell that a spreadsheet would take for a formula gets an apostrophe.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_whole(path: Path, content: str | bytes) -> Path:
    """Writes beside and renames; the folder is made if missing. Returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def csv_cell(value: Any) -> Any:
    """A value as a CSV cell: numbers at full precision, formulas as text, None empty."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return "" if value is None else value
