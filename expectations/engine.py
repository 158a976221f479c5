"""Great Expectations, imported without what this project never asks of it.

A full import costs 7 CPU seconds. Two parts of it are left out, each in a way that the library
itself allows for: SQLAlchemy is an optional extra (DuckDB is asked directly, frames are handed over),
and altair, which draws pictures for Data Docs, is imported when it is first used, which is never.
"""

from __future__ import annotations

import gc
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

_ABSENT = "sqlalchemy"
_LATE = frozenset({"altair", "scipy.stats"})


class _Lean(importlib.abc.MetaPathFinder):
    """Hides one optional package and defers two others, for the time of an import."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname == _ABSENT:
            raise ModuleNotFoundError(f"No module named '{fullname}'", name=fullname)
        if fullname not in _LATE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


@contextmanager
def _lean_import() -> Iterator[None]:
    """The finder stands only while Great Expectations is imported; others get the real packages."""
    finder = _Lean()
    collecting = gc.isenabled()
    sys.meta_path.insert(0, finder)
    gc.disable()  # thousands of classes are made and none goes away: collecting is wasted time
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        if collecting:
            gc.enable()


@cache
def great_expectations() -> Any:
    """The library, quiet: no analytics, no progress bars."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with _lean_import():
        import great_expectations as gx
        import great_expectations.expectations

    return gx


def new_context() -> Any:
    """A context in memory; it writes no files."""
    context = great_expectations().get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return context
