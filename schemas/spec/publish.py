"""Writes the JSON Schema files that editors use to complete specs: `python -m schemas.spec.publish`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from schemas.catalog import load_catalog
from schemas.spec.center import CenterSpec
from schemas.spec.plan import Plan
from schemas.spec.study import Study

HERE = Path(__file__).parent
_SCALAR = {"type": ["string", "number", "boolean", "null"]}


def center_schema() -> dict[str, Any]:
    """JSON Schema of a center's spec, with tables and columns by name, and the short forms."""
    schema = CenterSpec.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    catalog = load_catalog()
    for name in ("ColumnRule", "Condition", "Definition"):
        definitions[name] = {"anyOf": [{"type": "string"}, definitions[name]]}
    block = definitions["Block"]
    block["properties"]["table"]["enum"] = list(catalog.tables)
    rule = {"$ref": "#/$defs/ColumnRule"}
    block["allOf"] = [
        {
            "if": {"properties": {"table": {"const": table.name}}},
            "then": {
                "properties": {
                    "columns": {
                        "properties": {
                            column.name: {**rule, "description": column.label}
                            for column in table.columns
                        },
                        "additionalProperties": False,
                    }
                }
            },
        }
        for table in catalog.tables.values()
    ]
    block["properties"]["columns"] = {"type": "object", "minProperties": 1}
    repeat = {"type": "array", "items": {"type": "object", "additionalProperties": _SCALAR}}
    named = {"type": "object", "additionalProperties": {"type": "array", "items": _SCALAR}}
    definitions["Repeat"] = {
        "description": definitions["Repeat"].get("description", ""),
        "anyOf": [repeat, named],
    }
    definitions["Center"]["properties"]["country"]["enum"] = list(catalog.codelists["country"])
    return _finished(_loosened(schema), "center spec")


def study_schema() -> dict[str, Any]:
    """JSON Schema of `study.yaml`."""
    schema = Study.model_json_schema(by_alias=True)
    codes = list(load_catalog().codelists["salvage_group"])
    listed = schema["properties"]["groups"]
    named = {
        "type": "object",
        "propertyNames": {"enum": codes},
        "additionalProperties": {"type": "string"},
    }
    schema["properties"]["groups"] = {"anyOf": [listed, named]}
    return _finished(schema, "study")


def plan_schema() -> dict[str, Any]:
    """JSON Schema of an analysis plan."""
    return _finished(_loosened(Plan.model_json_schema(by_alias=True)), "analysis plan")


def _loosened(node: Any) -> Any:
    """What YAML may also say: one value where a list may stand, and numbers or booleans as text."""
    if isinstance(node, list):
        return [_loosened(item) for item in node]
    if not isinstance(node, dict):
        return node
    changed = {key: _loosened(value) for key, value in node.items()}
    if changed.get("type") == "string" and not {"enum", "format", "const"} & set(changed):
        changed["type"] = ["string", "number", "boolean"]
    if changed.get("type") == "array" and "items" in changed and "minItems" not in changed:
        rest = {k: v for k, v in changed.items() if k not in ("type", "items")}
        return {**rest, "anyOf": [{"type": "array", "items": changed["items"]}, changed["items"]]}
    return changed


def _finished(schema: dict[str, Any], title: str) -> dict[str, Any]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}


def files() -> dict[Path, str]:
    """Each file and its content."""
    return {
        HERE / "center.schema.json": _text(center_schema()),
        HERE / "study.schema.json": _text(study_schema()),
        HERE / "plan.schema.json": _text(plan_schema()),
    }


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
