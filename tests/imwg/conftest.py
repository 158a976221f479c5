"""Derivations for the tests of derived responses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.derive.shared import derive_tables, rehearse_before


def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Tests of a file that ask for derivations get them together."""
    rehearse_before(item, Path(__file__).parent)


@pytest.fixture
def derived() -> Callable[..., Any]:
    """Core tables drawn in the test → schema `analysis` derived: see `derive_tables`."""
    return derive_tables
