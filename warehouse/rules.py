"""The declared rules as the warehouse and the packets need them: plain entries by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from schemas.catalog import Catalog


def declared_rules(catalog: Catalog) -> Sequence[Mapping[str, Any]]:
    """id, category, title, sentence, severity, disposition, scope, kahn, engine, query, source."""
    compiled = catalog.compiled.get("rules")
    if isinstance(compiled, list) and compiled and "title" in compiled[0]:
        return compiled
    from schemas.rules import load_rules

    return [asdict(rule) for rule in load_rules()]
