"""Imports without what is never used: some packages later, optional ones not at all."""

from __future__ import annotations

import gc
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType


class _Lean(importlib.abc.MetaPathFinder):
    """Hides optional packages and defers others, for the time of an import."""

    def __init__(self, late: Collection[str], absent: Collection[str]) -> None:
        self._late = late
        self._absent = absent

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname in self._absent:
            raise ModuleNotFoundError(f"No module named '{fullname}'", name=fullname)
        if fullname not in self._late:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


@contextmanager
def lean_import(late: Collection[str] = (), absent: Collection[str] = ()) -> Iterator[None]:
    """Inside the block, imports leave out what is named; what is imported already stays.

    Args:
        late: modules that are imported when an attribute of theirs is first used.
        absent: packages that the importing library declares as optional and that are to look
            as if they were not installed.
    """
    finder = _Lean(late, absent)
    collecting = gc.isenabled()
    sys.meta_path.insert(0, finder)
    gc.disable()  # thousands of classes are made and none goes away: collecting is wasted time
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        if collecting:
            gc.enable()
