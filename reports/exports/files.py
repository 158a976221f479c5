"""Files that appear whole or not at all, and texts that no spreadsheet takes for a formula."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# A cell that a spreadsheet would take for a formula gets an apostrophe; also in the wide forms of East Asia.
FORMULA_STARTS = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\0",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)


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
    if isinstance(value, str):
        # A lone carriage return is not quoted by the csv module, and would begin a new line with what follows.
        text = value.replace("\r\n", "\n").replace("\r", "\n")
        is_formula = value.lstrip(" \u00a0\ufeff").startswith(FORMULA_STARTS)
        return f"'{text}" if is_formula else text
    return "" if value is None else value
