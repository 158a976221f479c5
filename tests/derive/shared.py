"""Drawn tables of `core` → schema `analysis`, one derivation for the drawings of many tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from schemas.spec.study import Study
from tests.derive.by_hand import PLAIN, create_core_of, hold_back_of, make_study
from tests.derive.rehearsal import Derived, Drawing, Rehearsal, mark


def derive_drawn(drawn: Sequence[tuple[int, Drawing]]) -> duckdb.DuckDBPyConnection:
    """One derivation of these drawings; they have the study in common."""
    from warehouse import analysis
    from warehouse.export_days import no_export_days

    con = duckdb.connect(config={"threads": 1})
    create_core_of(con, [(number, drawing.tables) for number, drawing in drawn])
    hold_back_of(con, [(number, each.held, each.progressions) for number, each in drawn])
    no_export_days(con)
    for number, drawing in drawn:
        if drawing.exported:
            center = f"DE01{mark(number)}"
            con.execute(f"insert into export_day values ('{center}', date '{drawing.exported}')")
    con.execute(";".join(drawing.before for _, drawing in drawn))
    with pytest.MonkeyPatch.context() as patch:
        if not any(drawing.completions for _, drawing in drawn):
            patch.setattr(analysis, "add_completions", lambda con, derive_times: None)
        if drawn[0][0]:  # of shared tables nobody reads the labels
            patch.setattr(analysis, "comments", lambda con: ["select null"])
        analysis.derive(con, drawn[0][1].study)
    return con


REHEARSAL = Rehearsal(derive_drawn)


def rehearse_before(item: pytest.Item, folder: Path) -> None:
    """Before the first test of a file of the folder: all that ask for derivations are rehearsed."""
    if item.path.parent != folder or item.path == REHEARSAL.file:
        return
    asking = [
        each
        for each in item.session.items
        if isinstance(each, pytest.Function)
        and each.path == item.path
        and "derived" in each.fixturenames
        and not hasattr(each.obj, "hypothesis")
    ]
    REHEARSAL.rehearse(item.path, asking)


def derive_tables(
    study: Study | None = None,
    held: str = "",
    exported: str = "",
    completions: bool = True,
    progressions: str = "",
    before: str = "",
    **tables: str,
) -> Derived | duckdb.DuckDBPyConnection:
    """Core tables drawn in the test (the others of `PLAIN`) → schema `analysis` derived.

    `held` draws rows of `temp.held_row`: what a check holds back, `progressions` rows of
    `temp.held_progression` beside those of `held`. `exported` is the day of the export of center DE01;
    `before` are statements to run on the core tables first. Without `completions` partial dates are not
    completed otherwise, which a test of what does not hold the rows EARLIEST and LATEST has no use for.
    """
    drawn = {**PLAIN, **tables}
    shown = study or make_study()
    return REHEARSAL.of(Drawing(shown, drawn, held, progressions, exported, completions, before))
