"""A block of few rows is read in plain Python, a larger one by expressions: both give the same."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from demo import write_demo_study
from schemas.catalog import load_catalog
from schemas.delivery import read_delivery
from schemas.spec import load_spec
from transforms.harmonize import assemble, texts
from transforms.harmonize.mapping import Mapping
from transforms.harmonize.plan import plan_delivery

STUDY = Path(__file__).parents[2] / "demo" / "study"
CENTERS = sorted((STUDY / "centers").glob("*.yaml"))
ROUNDS = ("2024-06-14", "2024-08-30")


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("few") / "demo"
    write_demo_study(folder)
    return folder / "inbox"


def mapped(inbox: Path, spec_path: Path, day: str) -> dict[str, pl.DataFrame]:
    """All that mapping gives for a delivery, batch by batch."""
    folder = inbox / spec_path.stem / day
    delivery = read_delivery(spec_path.stem, folder, dt.date.fromisoformat(day))
    mapping = Mapping(plan_delivery(load_spec(spec_path), delivery, load_catalog()))
    found: dict[str, pl.DataFrame] = {}
    for number, batch in enumerate(mapping.batches()):
        for part in ("frame", "raw", "issues", "address"):
            found[f"{number} {batch.table} {part}"] = getattr(batch, part)
    for part in ("sources", "column_map", "ledger", "issues"):
        found[part] = getattr(mapping, part)
    return found


@pytest.mark.parametrize("day", ROUNDS)
@pytest.mark.parametrize("spec_path", CENTERS, ids=[path.stem for path in CENTERS])
def test_both_ways_map_a_delivery_of_the_demo_alike(
    inbox: Path, spec_path: Path, day: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_python = mapped(inbox, spec_path, day)
    monkeypatch.setattr(assemble, "FEW", -1)
    monkeypatch.setattr(texts, "FEW", -1)
    by_expressions = mapped(inbox, spec_path, day)
    assert list(in_python) == list(by_expressions)
    for name, frame in in_python.items():
        assert_frame_equal(frame, by_expressions[name], check_exact=True)
