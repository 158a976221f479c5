"""Rows of the threat model that no other campaign holds: statistics, installation, many findings, text."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import time
import tomllib
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from reports.golden.compare import compare
from reports.golden.records import read_set
from reports.golden.run import ANALYSES, MATCHED, check
from schemas.staging import FINDING, FINDING_FIELD, SOURCE
from warehouse import packets

ROOT = Path(__file__).parents[2]
Tries = Callable[[int, int], int]
Record = Callable[..., None]
GOLDEN = ROOT / "tests" / "golden"


def test_results_of_r_are_computed_again(tries: Tries, figure: Record) -> None:
    """Kaplan-Meier, log-rank, Cox, competing risks, tables; `tests/stats` runs all of them always."""
    names = sorted(GOLDEN.glob("golden_*.json"))
    chosen = [path for path in names if "veteran" in path.name or "edge" in path.name]
    sets = [read_set(path) for path in (chosen, names)[tries(0, 1)]]
    checked = list(check(sets))
    differ = [f"{one.record.id}: {one.verdict}" for one in checked if one.verdict != MATCHED]
    print(*differ, sep="\n")
    figure("17", "results of R (survival, cmprsk) that differ", len(differ), len(checked))
    # The control: a result that is off by a ten-thousandth.
    record = next(r for golden in sets for r in golden.records if r.analysis.startswith("cox"))
    golden = next(g for g in sets if record in g.records)
    rows = [
        {
            name: value * 1.0001 if name == "estimate" or name == "coef" else value
            for name, value in row.items()
        }
        for row in record.rows
    ]
    wrong = replace(record, rows=rows)
    assert rows != record.rows
    ours = ANALYSES[record.analysis].compute(golden, record)
    assert compare(ours, wrong.scalars, wrong.rows, ANALYSES[record.analysis].relative).differences


# A fresh installation ----------------------------------------------------------------------------


def needed(name: str, extras: frozenset[str], seen: set[tuple[str, frozenset[str]]]) -> set[str]:
    """Every distribution that a distribution needs here, by the installed metadata."""
    if (name, extras) in seen:
        return set()
    seen.add((name, extras))
    found = {name}
    for text in metadata.requires(name) or ():
        wanted = Requirement(text)
        marker = wanted.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""}):
            found |= needed(canonicalize_name(wanted.name), frozenset(wanted.extras), seen)
    return found


def pins() -> dict[str, str]:
    """Name and version of every line of constraints.txt that holds for this Python."""
    found = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate():
                (pin,) = wanted.specifier
                assert pin.operator == "==", line
                found[canonicalize_name(wanted.name)] = pin.version
    return found


def test_every_distribution_that_is_needed_is_pinned_to_what_the_tests_ran_with(
    figure: Record,
) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    roots = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    seen: set[tuple[str, frozenset[str]]] = set()
    every = set()
    for text in roots:
        wanted = Requirement(text)
        every |= needed(canonicalize_name(wanted.name), frozenset(wanted.extras), seen)
    pinned = pins()
    loose = {name for name in every if pinned.get(name) != metadata.version(name)}
    print(sorted(loose))
    assert len(every) > 100
    figure(
        "31", "distributions that are needed and not pinned as installed", len(loose), len(every)
    )


# 100,000 findings --------------------------------------------------------------------------------


def frame(rows: int, schema: pl.Schema, **columns: Any) -> pl.DataFrame:
    """Rows of a schema; what is not told is null."""
    return pl.DataFrame({"n": range(1, rows + 1)}).select(
        columns.get(name, pl.lit(None)).cast(kind).alias(name) for name, kind in schema.items()
    )


def test_many_findings_reach_the_center_and_what_the_workbook_leaves_out_is_said(
    tmp_path: Path, tries: Tries, figure: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    n = tries(1_200, 100_000)
    most = tries(500, packets.MOST_LINES)
    monkeypatch.setattr(packets, "MOST_LINES", most)
    staged = tmp_path / "staged"
    staged.mkdir()
    number, text = pl.col("n"), pl.lit
    patient = pl.format("P{}", number // 7)
    findings = frame(
        n, FINDING, finding_id=number, rule_id=text("DAT-13"), severity=text("error"),
        disposition=text("quarantine"), scope=text("row"), table=text("relapse"),
        patient_id=patient, row_id=number, message=text("Expected a day after the infusion."),
    )  # fmt: skip
    fields = frame(
        n, FINDING_FIELD, finding_id=number, position=text(1), table=text("relapse"),
        column=text("relapse_date"), file=text("verlauf.csv"), row=number + 1,
        source_column=text("Rezidiv am"), value=text("01.03.2022"),
    )  # fmt: skip
    findings.write_parquet(staged / "finding.parquet")
    fields.write_parquet(staged / "finding_field.parquet")
    frame(1, SOURCE, source_id=number, file=text("verlauf.csv"), n_rows=text(n)).write_parquet(
        staged / "source.parquet"
    )
    (staged / "summary.json").write_text(json.dumps({"export_date": None}), encoding="utf-8")
    began = time.process_time()
    folder = packets.write_packet(
        tmp_path / "study", "AA01", "a", staged, received_on=dt.date(2024, 6, 14)
    )
    seconds = time.process_time() - began
    with (folder / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {(line["Patient"], line["Row"]) for line in csv.DictReader(file)}
    book = openpyxl.load_workbook(folder / "findings.xlsx", read_only=True)
    shown = sum(1 for _ in book["Findings"].iter_rows()) - 1
    about = {row[0].value: row[1].value for row in book["About"].iter_rows()}
    size = (folder / "findings.xlsx").stat().st_size / 1e6
    dropped = n - len(rows)
    unsaid = n - shown if about["Lines"] != f"{n}, of which {shown} in this workbook" else 0
    assert shown == most
    assert seconds < 60
    assert size < 20
    figure("33", "findings that a packet leaves out without a word", dropped + unsaid, n)


# Text for language models -------------------------------------------------------------------------


def test_nothing_in_the_product_hands_text_to_a_language_model(figure: Record) -> None:
    """No such client is installed with it; test_trust_network.py sees that nobody is called."""
    named = re.compile(
        r"openai|anthropic|mistral|cohere|llama|langchain|transformers|ollama|gemini|litellm"
    )
    packages = ("flows", "schemas", "expectations", "transforms", "warehouse", "reports")
    imports = [
        f"{path}: {line.strip()}"
        for package in packages
        for path in (ROOT / package).rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"\s*(from|import) ", line) and named.search(line.split("#")[0])
    ]
    installed = [name for name in pins() if named.search(name)]
    imports = [
        line for line in imports if re.search(r"(from|import) (schemas|transforms)", line) is None
    ]
    n = len(pins())
    assert named.search("import openai")
    figure("57", "clients of language models in the product", len(imports) + len(installed), n)


# The list ----------------------------------------------------------------------------------------


def test_each_threat_stands_in_the_docs_with_tests_that_exist() -> None:
    text = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")
    rows = dict(
        re.findall(r"^\| (\d+) [^|]+ \| (.+) \|$", text.split("## The rest of the list")[1], re.M)
    )
    files = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    named = {name for told in rows.values() for name in re.findall(r"test_\w+\.py", told)}
    assert [int(number) for number in rows] == list(range(1, 58))
    assert named <= files, named - files
