"""Compiles the pandera models and the rules to the JSON file that `schemas.catalog` reads.

Run as `python -m schemas.compile FILE`. The only module of the hot path's surroundings that imports
pandera, and it runs in a process of its own.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from schemas.catalog import read_codelists, tables_of
from schemas.rule_checks import TableCheck, expand
from schemas.rules import Context, Rule, load_contexts, load_rules
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
    declared = cls.Config.metadata or {}
    key = declared.get("key", [])
    return {
        "name": table,
        "description": (cls.__doc__ or "").strip(),
        "key": key,
        "instance": declared.get("instance", [name for name in key if name != "patient_id"]),
        "columns": columns,
    }


def compile_catalog() -> dict[str, Any]:
    """Everything a run needs from the declarations. Raises RuleError if a rule is wrong."""
    from schemas.models import compiled_expression

    described = [describe(table) for table in ALL]
    codelists, rules, contexts = read_codelists(), load_rules(), load_contexts()
    checks = expand(rules, tables_of(described, codelists), contexts, codelists)
    entries = [check_entry(check, compiled_expression(check)) for check in checks]
    return {
        "tables": described,
        "compiled": {
            "rules": [rule_entry(rule, checks) for rule in rules],
            "contexts": context_entries(contexts),
            "checks": entries,
        },
    }


def rule_entry(rule: Rule, checks: list[TableCheck]) -> dict[str, Any]:
    """What is known of a rule without its expressions."""
    entry = asdict(rule)
    del entry["checks"], entry["covers"]
    own = [check for check in checks if check.rule == rule.id]
    entry["tables"] = list(dict.fromkeys(check.table for check in own))
    entry["fields"] = list(
        dict.fromkeys(
            f"{owner or check.table}.{name}" for check in own for owner, name in check.fields
        )
    )
    return entry


def check_entry(check: TableCheck, expr: Any) -> dict[str, Any]:
    """One check with its expression as Polars' own JSON."""
    entry = {key: value for key, value in vars(check).items() if key not in ("expr", "model")}
    made = {"expr": expr, "applies": check.applies, "own_scope": check.own_scope}
    for name, value in made.items():
        entry[name] = None if value is None else value.meta.serialize(format="json")
    return entry


def context_entries(contexts: Mapping[str, Context]) -> dict[str, Any]:
    """Contexts with their SQL as Polars' own JSON."""
    from schemas.rule_sql import expression

    entries = {}
    for name, context in contexts.items():
        entry = asdict(context)
        if context.where is not None:
            entry["where"] = expression(context.where).meta.serialize(format="json")
        entry["aggregate"] = {
            column: expression(sql).meta.serialize(format="json")
            for column, sql in context.aggregate.items()
        }
        entries[name] = entry
    return entries


def main(path: Path) -> None:
    """Write the compiled declarations to `path`, whole or not at all."""
    from schemas.errors import CarmonyError

    try:
        content = json.dumps(compile_catalog())
    except CarmonyError as error:
        sys.exit(str(error))
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_text(content, encoding="utf-8")
    temporary.replace(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
