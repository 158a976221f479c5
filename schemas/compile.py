"""Compiles the pandera models to the JSON file that `schemas.catalog` reads.

Run as `python -m schemas.compile FILE`. The only module of the hot path's surroundings that imports
pandera, and it runs in a process of its own.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from schemas.tables import ALL


def model(table: str) -> Any:
    """The pandera model class of a canonical table."""
    module = importlib.import_module(f"schemas.tables.{table}")
    return getattr(module, "".join(part.capitalize() for part in table.split("_")))


def describe(table: str) -> dict[str, Any]:
    """Name, description, key and columns of a canonical table as JSON values."""
    cls = model(table)
    schema = cls.to_schema()
    columns = []
    for name, column in schema.columns.items():
        bounds = {
            key: check.statistics[stat]
            for check in column.checks
            for key, stat in (("ge", "min_value"), ("le", "max_value"))
            if check.name in ("greater_than_or_equal_to", "less_than_or_equal_to")
            and stat in check.statistics
        }
        columns.append({"name": name, **(column.metadata or {}), **bounds})
    return {
        "name": table,
        "description": (cls.__doc__ or "").strip(),
        "key": (cls.Config.metadata or {}).get("key", []),
        "columns": columns,
    }


def compile_catalog() -> dict[str, Any]:
    """Everything a run needs from the declarations."""
    return {"tables": [describe(table) for table in ALL]}


def main(path: Path) -> None:
    """Write the compiled declarations to `path`, whole or not at all."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_text(json.dumps(compile_catalog()), encoding="utf-8")
    temporary.replace(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
