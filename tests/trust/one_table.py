"""A plan of one table, for judged runs that are not about the analysis: the models of the usual one take long."""

from __future__ import annotations

from pathlib import Path

PLAN = """\
title: One table
variables:
  AGE: {label: Age}
  GRP4: {label: Group, levels: {TALQ: Talquetamab, TEC: Teclistamab, IPC: Others, OTHER: None of these}}
endpoints: {}
displays: [{id: T1, kind: baseline, heading: One table, by: GRP4, rows: [AGE]}]
"""


def plan_one_table(study: Path) -> None:
    """Gives a study that plan."""
    (study / "plan.yaml").write_text(PLAN, encoding="utf-8")
    with (study / "study.yaml").open("a", encoding="utf-8") as file:
        file.write("analysis: plan.yaml\n")
