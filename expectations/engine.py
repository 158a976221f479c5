"""Great Expectations, imported without what this project never asks of it.

A full import costs 7 CPU seconds. Two parts of it are left out, each in a way that the library
itself allows for: SQLAlchemy is an optional extra (DuckDB is asked directly, frames are handed over),
and altair, which draws pictures for Data Docs, is imported when it is first used, which is never.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from expectations.lean import lean_import


@cache
def great_expectations() -> Any:
    """The library, quiet: no analytics, no progress bars."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with lean_import(late=("altair", "scipy.stats"), absent=("sqlalchemy",)):
        import great_expectations as gx
        import great_expectations.expectations

    return gx


def new_context() -> Any:
    """A context in memory; it writes no files."""
    context = great_expectations().get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return context
