"""Canonical tables, codelists, rules, specs and plans. Importing it settles how Polars keeps memory."""

import schemas.memory  # noqa: F401
