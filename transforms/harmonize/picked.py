"""The part of a cell that a spec's regular expression picks (`regex:` of a column)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from transforms.harmonize.verdicts import Form


def picked(values: Sequence[str], form: Form) -> dict[str, str | None]:
    """What the form's pattern picks of each distinct value; None where it picks nothing.

    By Polars, whose engine takes time by the length of a value; Python's can take for ever.
    """
    if not form.pattern:
        return {}
    texts = pl.Series([value.strip() for value in values], dtype=pl.String)
    parts = texts.str.extract(form.pattern, form.group)
    return dict(zip(values, parts.to_list(), strict=True))
