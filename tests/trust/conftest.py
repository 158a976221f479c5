"""Campaigns against a study, and the figure of each: so many bad of so many tries.

In CI they run small. `make trust` sets CARMONY_TRUST=full, runs them whole, and writes the figures into
docs/trust.md, between the two marks there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from tests.conftest import MadeOnce
from tests.trust import crash_runs

FULL = os.environ.get("CARMONY_TRUST") == "full"
FIGURES = os.environ.get("CARMONY_TRUST_FIGURES")  # a folder: each process adds lines to a file
BUDGET = "full" if FULL else "small"


@dataclass(frozen=True, slots=True)
class Figure:
    """What a campaign found. `wanted` says what must hold, `bad` of `tries` broke it."""

    threats: str  # numbers of the threat model, `1, 44`
    what: str
    bad: int
    tries: int
    wanted: str


Record = Callable[..., None]


def size(small: int, full: int) -> int:
    """How many tries a campaign makes."""
    return full if FULL else small


@pytest.fixture(scope="session", autouse=True)
def _templates_are_made_once(made_once: MadeOnce) -> None:
    crash_runs.made_once = made_once


@pytest.fixture
def tries() -> Callable[[int, int], int]:
    """`tries(small, full)`: how many tries this run makes."""
    return size


@pytest.fixture
def figure() -> Iterator[Record]:
    """Records a figure and asserts that nothing was bad: `figure("1, 44", "kill -9", bad, n, "0")`."""
    told: list[Figure] = []

    def record(threats: str, what: str, bad: int, tries: int, wanted: str = "0 bad") -> None:
        told.append(Figure(threats, what, bad, tries, wanted))
        assert tries > 0, "a campaign without tries shows nothing"
        assert bad == 0, f"{what}: {bad} of {tries}; wanted {wanted}"

    yield record
    if FIGURES and told:
        path = Path(FIGURES) / f"{os.getpid()}.jsonl"
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(one)) + "\n" for one in told)
