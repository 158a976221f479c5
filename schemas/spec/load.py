"""Reads specs and study files and checks them against the canonical tables."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

from schemas.catalog import STREAMING, Catalog, Column, Table, load_catalog
from schemas.definition_columns import definition_columns
from schemas.errors import SpecError, StudyError
from schemas.spec.base import Problem, listed, nearest, validated
from schemas.spec.center import Block, CenterSpec
from schemas.spec.columns import CYTOGENETIC, ColumnRule
from schemas.spec.plans import load_plan, shipped_plans
from schemas.spec.study import Study
from schemas.yaml_source import Loc, read_yaml


def load_spec(path: Path) -> CenterSpec:
    """The spec of a center.

    Raises:
        SpecError: With file, line, key and the nearest valid name, for every problem found.
    """
    source = read_yaml(path, SpecError)
    catalog = load_catalog()
    spec = validated(
        CenterSpec, source, SpecError, lambda filled: _check_spec(filled, catalog, path.stem)
    )
    if spec.fix and not _stands_beside(path, spec.fix):
        raise SpecError(
            f"{path.name}, line {source.line(('fix',))}: 'fix' must be the name of a file beside the spec",
            fix="put the file beside the spec (no link), and write its name without folders",
        )
    if spec.fix and not (path.parent / spec.fix).is_file():
        raise SpecError(
            f"{path.name}, line {source.line(('fix',))}: there is no file '{spec.fix}' beside the spec",
            fix="write it, or remove the key 'fix'",
        )
    content = source.content + (b"\0" + (path.parent / spec.fix).read_bytes() if spec.fix else b"")
    spec._path = path
    spec._hash = hashlib.sha256(content).hexdigest()
    return spec


def _stands_beside(path: Path, name: str) -> bool:
    """Whether a name, with links followed, is that of a file in the folder of `path`, there or not."""
    return (
        len(Path(name).parts) == 1
        and (path.parent / name).resolve().parent == path.parent.resolve()
    )


def load_study(folder: Path) -> Study:
    """The study of a folder, from its `study.yaml`.

    Raises:
        StudyError: With file, line, key and the nearest valid name, for every problem found.
    """
    path = folder if folder.suffix == ".yaml" else folder / "study.yaml"
    if folder.suffix != ".yaml" and not folder.is_dir():
        raise StudyError(f"there is no folder '{folder.name}'", fix="carmony init makes a study")
    source = read_yaml(path, StudyError)
    catalog = load_catalog()
    study = validated(Study, source, StudyError, lambda filled: _check_study(filled, catalog))
    study._path = path
    study._hash = hashlib.sha256(source.content).hexdigest()
    if study.analysis not in shipped_plans():
        if not _stands_beside(path, study.analysis):
            raise StudyError(
                f"study.yaml, line {source.line(('analysis',))}: 'analysis' must name a plan that comes "
                "with Carmony or a file beside study.yaml",
                fix=f"write one of {listed(shipped_plans())}, or the name of a file without folders",
            )
        load_plan(study)  # a fault of the study's own plan shows before anything is read
    return study


def _check_study(study: Study, catalog: Catalog) -> list[Problem]:
    allowed = list(catalog.codelists["salvage_group"])
    found: list[Problem] = [
        (("groups", index), f"'{group.code}' is no salvage group.{nearest(group.code, allowed)}")
        for index, group in enumerate(study.groups)
        if group.code not in allowed
    ]
    known = {f"{table.name}.{c.name}" for table in catalog.tables.values() for c in table.columns}
    for key in ("impossible_definitions", "partial_definitions"):
        for variable, use in getattr(study.settings, key).items():
            valid = known if use == "exclude" else known & definition_columns().keys()
            if variable not in valid:
                kind = "variable" if use == "exclude" else "variable that can be set to missing"
                text = f"'{variable}' is no {kind}.{nearest(variable, sorted(valid))}"
                found.append((("settings", key, variable), text))
    return found


def _check_spec(spec: CenterSpec, catalog: Catalog, file_id: str) -> list[Problem]:
    """Problems of a spec; `file_id` is the name of its file, by which inbox and load log know the center."""
    found: list[Problem] = []
    if spec.center.id != file_id:
        text = (
            f"'{spec.center.id}' is not the name of this file: write the center's own id, '{file_id}' "
            f"if the file is named right, or name the file {spec.center.id}.yaml"
        )
        found.append((("center", "id"), text))
    countries = catalog.codelists["country"]
    if spec.center.country not in countries:
        text = f"'{spec.center.country}' is no code of country. Allowed: {listed(countries)}"
        found.append((("center", "country"), text))
    for name, source in spec.sources.items():
        for key in ("file", "dictionary"):
            named = getattr(source, key)
            if named and _leads_out(named):
                text = f"'{named}' leads out of the delivery: write a path inside it, as export/patients.csv"
                found.append((("sources", name, key), text))
    for index, block in enumerate(spec.tables):
        place: Loc = ("tables", index)
        for key, name in [("from", block.source), *(("join", join.source) for join in block.join)]:
            if name not in spec.sources:
                text = f"there is no source '{name}'.{nearest(name, spec.sources)} Sources: {listed(spec.sources)}"
                found.append(((*place, key), text))
        if block.table not in catalog.tables:
            names = list(catalog.tables)
            text = f"there is no table '{block.table}'.{nearest(block.table, names)} Tables: {listed(names)}"
            found.append(((*place, "table"), text))
            continue
        found += _check_block(block, place, spec, catalog)
    for name in spec.definitions:
        table, _, column = name.partition(".")
        known = [f"{t.name}.{c.name}" for t in catalog.tables.values() for c in t.columns]
        if name not in known:
            found.append(
                (("definitions", name), f"there is no variable '{name}'.{nearest(name, known)}")
            )
    if any(source.fix for source in spec.sources.values()) and not spec.fix:
        found.append((("sources",), "a source has 'fix: true', but the spec names no 'fix' file"))
    return found


def _leads_out(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or parts[0] in ("", "~") or parts[0][1:2] == ":"


def _check_block(block: Block, place: Loc, spec: CenterSpec, catalog: Catalog) -> list[Problem]:
    table = catalog.tables[block.table]
    names = [column.name for column in table.columns]
    found: list[Problem] = []
    for name, rule in block.columns.items():
        where = (*place, "columns", name)
        if name not in names:
            text = f"table '{table.name}' has no column '{name}'.{nearest(name, names)} Columns: {listed(names)}"
            found.append((where, text))
            continue
        if rule.constant is not None:
            bound = [rule.constant]
            for words in block.repeat.bindings if block.repeat else ():
                text = rule.constant
                for word, value in words.items():
                    text = text.replace("{" + word + "}", value)
                bound.append(text)
            wrong = _wrong_constant(bound[1:] or bound, table.column(name), catalog)
            found += [((*where, "constant"), wrong)] if wrong else []
        found += [
            ((*where, *key), text)
            for key, text in _check_rule(rule, table.column(name), spec, table, catalog)
        ]
    if block.progression_row and block.table != "response":
        found.append(((*place, "progression_row"), "only blocks of table 'response' can have it"))
    return found


def _wrong_constant(texts: list[str], column: Column, catalog: Catalog) -> str | None:
    """Why a constant is no value of its column; constants are canonical values."""
    for text in texts:
        try:
            if column.kind == "integer":
                int(text)
            elif column.kind == "number":
                float(text)
            elif column.kind == "date":
                dt.date.fromisoformat(text)
        except ValueError:
            wanted = {"integer": "whole number", "number": "number"}.get(
                column.kind, "date YYYY-MM-DD"
            )
            return f"'{text}' is no {wanted}"
        codes = catalog.codelists.get(column.codelist or "", {})
        if column.codelist and text not in codes:
            return f"'{text}' is no code of {column.codelist}.{nearest(text, codes)} Codes: {listed(codes)}"
    return None


def _check_rule(
    rule: ColumnRule, column: Column, spec: CenterSpec, table: Table, catalog: Catalog
) -> list[Problem]:
    found: list[Problem] = []
    if rule.codebook is not None and rule.codebook not in spec.codebooks:
        near = nearest(rule.codebook, spec.codebooks)
        found.append((("codebook",), f"there is no codebook '{rule.codebook}'.{near}"))
    decimal = rule.decimal or spec.numbers.decimal
    if decimal in (rule.grouping or ""):
        text = f"the decimal mark of this column is '{decimal}' as well: give 'decimal' and 'grouping', as they are written"
        found.append((("grouping",), text))
    if rule.sequence is not None and table.name in STREAMING:
        text = (
            f"table '{table.name}' is read in parts, in which rows cannot be numbered within the "
            "patient: name the column that holds the number, or give a constant"
        )
        found.append((("sequence",), text))
    elif rule.sequence is not None:
        dates = [other.name for other in table.columns if other.kind == "date"]
        if column.kind != "integer" or rule.sequence not in dates:
            text = f"a whole-number column can be numbered by one of {listed(dates)}.{nearest(rule.sequence, dates)}"
            found.append((("sequence",), text))
    if rule.parse_as == "cytogenetics" and (table.name != "risk" or column.name not in CYTOGENETIC):
        found.append(
            (("as",), f"cytogenetics are read into columns of table risk: {listed(CYTOGENETIC)}")
        )
    if column.codelist and rule.parse_as in (None, "code", "response", "lesion_category"):
        codes = catalog.codelists.get(column.codelist, {})
        named = spec.codebooks.get(rule.codebook or "", {})
        for key, mapped, book in [("map", rule.map or {}, rule.map), ("codebook", named, None)]:
            for own, code in mapped.items():
                if code is not None and code not in codes:
                    text = f"'{code}' is no code of {column.codelist}.{nearest(code, codes)} Codes: {listed(codes)}"
                    found.append(((key, own) if book is not None else (key,), text))
    return found
