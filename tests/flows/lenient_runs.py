"""Runs without what most tests of runs are not about: the judge, the analysis tables, varied decisions.

Each has its own tests, and the runs of the demo study have them all. Where a test is about what the judge
does and not about its process, the judge works in the process of the test: its imports cost more than it.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import duckdb

from flows import results, run, stages
from flows.folder import make_private
from warehouse import build, publish, readback, trail

DERIVE = build._default_derive


def let_all_pass(patch: Any) -> None:
    """The judge passes everything, and the analysis is one table of the patients."""
    patch.setattr(stages, "judge", in_this_process(judged=False))
    patch.setattr(run, "anything_to_read", _nothing_beside)
    patch.setattr(build, "_default_derive", _one_table)
    read_here(patch)


def judge_here(patch: Any) -> None:
    """Estimates and audit in this process; nothing is left out."""
    patch.setattr(stages, "judge", in_this_process(judged=True))
    patch.setattr(run, "anything_to_read", _nothing_beside)


def read_here(patch: Any) -> None:
    """What is published is read again in this process; that a fresh one reads it, tests of publishing show."""
    patch.setattr(publish, "_read_in_fresh_process", _read)


def with_analysis(patch: Any) -> None:
    """The analysis tables after all, for tests that compare all that is published."""
    patch.setattr(build, "_default_derive", DERIVE)


def in_this_process(judged: bool) -> Any:
    """In the place of `stages.judge`: its work without a process of its own, or a judge that passes all."""

    def judge(
        root: str, load_id: int, staged_file: str, child: Any, meanwhile: Any
    ) -> dict[str, Any]:
        place = make_private(Path(root) / "vault" / "audit") / str(load_id)
        if judged:
            verdict = results.judge(Path(staged_file), Path(root), place)
        else:
            place.mkdir(mode=0o700)
            (place / "audit.html").write_text("passed", encoding="utf-8")
            trail.keep_head(Path(root), place)
            verdict = {"passed": True, "critical_failures": [], "warnings": []}
        meanwhile()
        return {**verdict, "results": str(place)}

    return judge


def _read(paths: list[Path]) -> dict[str, Any]:
    return {str(path): readback.read(str(path)) for path in paths}


def _nothing_beside(pulled: object) -> Any:
    return nullcontext()


def _one_table(con: duckdb.DuckDBPyConnection, study: object) -> None:
    con.execute(
        "CREATE TABLE analysis.adsl AS SELECT usubjid AS USUBJID, center_id::VARCHAR AS SITEID FROM core.subject"
    ).fetchall()
    con.execute("COMMENT ON COLUMN analysis.adsl.USUBJID IS 'Unique subject identifier'").fetchall()
