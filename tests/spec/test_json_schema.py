"""The published JSON Schema files are current and agree with what loads."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import jsonschema
import pytest
import yaml

import demo
from schemas.spec import load_spec, load_study
from schemas.spec.publish import files

DEMO = Path(demo.__file__).parent / "study"
SPECS = sorted((DEMO / "centers").glob("*.yaml"))


def as_json(path: Path) -> object:
    return json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")), default=str))


@cache
def schema(name: str) -> jsonschema.Draft202012Validator:
    content = next(text for path, text in files().items() if path.name == name)
    return jsonschema.Draft202012Validator(json.loads(content))


def test_the_published_schemas_are_current() -> None:
    for path, content in files().items():
        assert path.read_text(encoding="utf-8") == content, (
            f"python -m schemas.spec.publish ({path})"
        )


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_demo_spec_loads_and_fits_the_schema(path: Path) -> None:
    assert load_spec(path).center.id == path.stem
    assert not list(schema("center.schema.json").iter_errors(as_json(path)))


def test_there_are_twelve_demo_specs_and_the_study_fits_its_schema() -> None:
    assert len(SPECS) == 12
    assert len(load_study(DEMO).center_specs) == 12
    assert not list(schema("study.schema.json").iter_errors(as_json(DEMO / "study.yaml")))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("table: subject", "table: subjects"),
        ("birth_year:", "birthyear:"),
        ("order: dmy", "order: dym"),
        ("country: DE", "country: XX"),
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(tmp_path: Path, old: str, new: str) -> None:
    text = (DEMO / "centers" / "DE01.yaml").read_text(encoding="utf-8")
    assert old in text
    wrong = tmp_path / "DE01.yaml"
    wrong.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert list(schema("center.schema.json").iter_errors(as_json(wrong)))
