"""Modules of tests by their path: files of tests share what one of them makes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any


def load_module(path: Path, name: str) -> Any:
    """The module of a file, under a name of its own."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
