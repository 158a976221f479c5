"""Signs are explained where they stand, small groups are marked, and no sentence says what is not so."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from reports.displays import baseline, forest, model, response
from reports.displays.context import Context
from reports.displays.data import AnalysisData
from reports.displays.estimate import to_frame
from reports.displays.model_rows import ratio_text
from reports.sections import baseline as baseline_section
from reports.sections import forest as forest_section
from reports.sections import response as response_section
from reports.sections.model import Note, Rows, Table
from schemas.spec.plan import Plan
from schemas.spec.study import Study

SENTENCES = {"sparse": "† An expected count is below 5.", "response": "As reported."}
OS = {"label": "Survival", "event": "death", "events": "deaths", "origin": "start"}
VARIABLES = {
    "GRP4": {"label": "Group", "levels": {"A": "Arm A", "B": "Arm B"}},
    "SEX": {"label": "Sex", "levels": {"F": "Female", "M": "Male"}},
    "AGE": {"label": "Age"},
    "AGE10": {"label": "Age", "column": "AGE", "unit": "years", "per": 10},
    "DEPTH": {
        "label": "Depth", "column": "BESTRESP", "levels": {"DEEP": "Deep", "LESS": "Less"},
        "recode": {"CR": "DEEP", "VGPR": "DEEP", "PR": "LESS", "LTPR": "LESS"},
    },
}  # fmt: skip


def context_of(patients: pl.DataFrame, display: dict[str, Any], **plan: Any) -> Context:
    read = Plan.model_validate(
        {
            "title": "Test", "variables": VARIABLES, "endpoints": {"OS": OS},
            "displays": [{"id": "D", "heading": "A display", **display}], **plan,
        }
    )  # fmt: skip
    adtte = patients.select(
        "USUBJID", PARAMCD=pl.lit("OS"), STARTDT=pl.lit(dt.date(2020, 1, 1)),
        AVAL=pl.col("days").cast(pl.Int64) + 1, CNSR=pl.when(pl.col("event")).then(0).otherwise(1).cast(pl.Int32),
    )  # fmt: skip
    empty = pl.DataFrame(schema=dict.fromkeys(("USUBJID", "PARAMCD", "reason"), pl.String))
    data = AnalysisData(patients.drop("days", "event"), adtte, empty, pl.DataFrame())
    return Context(data, Study(id="XY", title="Test", data_cut=dt.date(2024, 12, 31)), read)


def patients(*groups: tuple[str | None, int]) -> pl.DataFrame:
    """Patients of each group with mixed sex, age, response; every second has died."""
    rows = [
        (f"{code}{k}", code, "FM"[k % 2], 50 + (7 * k) % 30, ("CR", "LTPR")[(k // 2) % 2], 10 + 13 * k % 97, k % 2 == 0)
        for code, n in groups
        for k in range(n)
    ]  # fmt: skip
    names = ["USUBJID", "GRP4", "SEX", "AGE", "BESTRESP", "days", "event"]
    return pl.DataFrame(rows, names, orient="row").with_columns(
        BESTRSRC=pl.lit("REPORTED"), AGE=pl.col("AGE").cast(pl.Float64)
    )


def blocks_of(module: Any, section: Any, context: Context) -> tuple[list[Table], str]:
    """Tables and notes of the only display."""
    [planned] = context.plan.displays
    rows = to_frame(list(module.estimates(planned, context)))
    made = section.blocks("D", Rows.of_display(rows.to_dicts()), SENTENCES)
    notes = [block.text for block in made if isinstance(block, Note)]
    return [block for block in made if isinstance(block, Table)], " ".join(notes)


def model_rows(context: Context) -> pl.DataFrame:
    [planned] = context.plan.displays
    return to_frame(list(model.estimates(planned, context)))  # type: ignore[arg-type]


TABLES = [
    (baseline, baseline_section, {"kind": "baseline", "rows": ["SEX", "AGE"]}),
    (response, response_section, {"kind": "response"}),
]


@pytest.mark.parametrize(("module", "section", "display"), TABLES)
def test_the_column_of_a_small_group_is_marked_and_told(module: Any, section: Any, display: Any):
    [table], note = blocks_of(module, section, context_of(patients(("A", 19), ("B", 20)), display))
    assert table.heads[0].startswith("Arm A §")
    assert not any("§" in head for head in table.heads[1:])
    assert "§ Arm A: 19 patients, fewer than 20; descriptive only." in note
    [table], note = blocks_of(
        module, section, context_of(patients(("A", 19), ("B", 20)), display, small_group=5)
    )
    assert "§" not in note + "".join(table.heads)


@pytest.mark.parametrize(("module", "section", "display"), TABLES)
def test_patients_of_no_group_are_told_below_the_table(module: Any, section: Any, display: Any):
    cohort = patients(("A", 30), ("B", 30), ("C", 4), (None, 3))
    _, note = blocks_of(module, section, context_of(cohort, display))
    assert "All holds 7 patients of no group: Group is not known or none of its levels." in note
    _, note = blocks_of(module, section, context_of(patients(("A", 30), ("B", 30)), display))
    assert "no group" not in note


@pytest.mark.parametrize(("module", "section", "display"), TABLES)
def test_a_dagger_is_explained_where_one_stands_and_nowhere_else(
    module: Any, section: Any, display: Any
):
    _, many = blocks_of(module, section, context_of(patients(("A", 80), ("B", 80)), display))
    tables, few = blocks_of(module, section, context_of(patients(("A", 6), ("B", 6)), display))
    cells = [cell for line in tables[0].lines for cell in line.cells]
    assert any("†" in cell for cell in cells)
    assert SENTENCES["sparse"] in few
    assert SENTENCES["sparse"] not in many


def test_a_forest_explains_the_signs_that_it_uses():
    display = {"kind": "forest", "endpoint": "OS", "treatment": "GRP4", "subgroups": ["SEX"]}

    def caption(cohort: pl.DataFrame) -> str:
        context = context_of(cohort, display)
        [planned] = context.plan.displays
        rows = to_frame(list(forest.estimates(planned, context)))  # type: ignore[arg-type]
        figure = forest_section.blocks("D", Rows.of_display(rows.to_dicts()), SENTENCES)[0]
        return " ".join(figure.caption)  # type: ignore[union-attr]

    # Sex goes with being dead: half of each arm, women, have died; no man has an event.
    assert "NE: not estimable" in caption(patients(("A", 80), ("B", 80)))
    assert "†" not in caption(patients(("A", 80), ("B", 80)))
    mixed = patients(("A", 30), ("B", 30)).with_columns(event=pl.col("days") % 3 != 0)
    assert "†: an arm has too few patients" in caption(mixed)
    assert "NE: not" not in caption(mixed)


def test_the_ratio_of_a_number_shows_as_many_decimals_as_it_needs():
    # pbc, copper: 1.0058 a unit.
    assert ratio_text(1.0058, 1.0013, 1.0103) == "1.01 (1.00 to 1.01)"
    assert ratio_text(1.0058, 1.0013, 1.0103, of_number=True) == "1.006 (1.001 to 1.010)"
    assert ratio_text(1.00004, 1.00001, 1.00007, of_number=True) == "1.0000 (1.0000 to 1.0001)"
    assert ratio_text(1.5, 0.9, 2.5, of_number=True) == "1.50 (0.90 to 2.50)"


def test_the_ratio_of_a_number_is_per_as_many_units_as_the_plan_says():
    cohort = patients(("A", 60), ("B", 60))
    one, ten = (
        model_rows(context_of(cohort, {"kind": "model", "endpoint": "OS", "terms": [name]}))
        .filter(row=name, statistic="hr")
        .row(0, named=True)
        for name in ("AGE", "AGE10")
    )
    assert ten["level_label"] == "per 10 years more"
    assert one["level_label"] == "per unit more"
    for key in ("value", "lower", "upper"):
        assert ten[key] == pytest.approx(one[key] ** 10, rel=1e-9)
    assert ten["p"] == pytest.approx(one["p"], rel=1e-9)


def _told(rows: pl.DataFrame, code: str) -> str:
    return " ".join(rows.filter(row="WARNING", level=code)["text"].to_list())


def test_a_joined_level_without_an_event_cannot_be_estimated():
    cohort = patients(("A", 40)).with_columns(event=pl.col("event") & (pl.col("BESTRESP") != "CR"))
    rows = model_rows(context_of(cohort, {"kind": "model", "endpoint": "OS", "terms": ["DEPTH"]}))
    assert "in which nobody has it either" in _told(rows, "MERGED_DEPTH")
    assert "can be estimated" not in _told(rows, "MERGED_DEPTH")
    some = cohort.with_columns(
        BESTRESP=pl.when((pl.col("BESTRESP") == "LTPR") & (pl.col("days") % 3 == 0))
        .then(pl.lit("VGPR"))
        .otherwise("BESTRESP")
    )
    rows = model_rows(context_of(some, {"kind": "model", "endpoint": "OS", "terms": ["DEPTH"]}))
    assert "whose hazard can be estimated" in _told(rows, "MERGED_DEPTH")


def test_where_no_penalized_ratio_is_found_none_is_said_to_stand_there():
    cohort = patients(("A", 6)).with_columns(event=pl.int_range(pl.len()) == 0)
    rows = model_rows(context_of(cohort, {"kind": "model", "endpoint": "OS", "terms": ["SEX"]}))
    assert rows.filter(statistic="hr_firth")["value"].to_list() == [None]
    assert "stands beside it" not in _told(rows, "NO_EVENT")
    assert "no more events than parameters" in _told(rows, "NO_EVENT")


def test_a_landmark_after_all_times_leaves_no_patient_at_risk():
    from dataclasses import replace

    from reports.displays.model_fit import fitted, primary_request

    context = context_of(patients(("A", 40)), {"kind": "model", "endpoint": "OS", "terms": ["SEX"]})
    [planned] = context.plan.displays
    request = primary_request(planned, context, ("SEX",))  # type: ignore[arg-type]
    late = replace(request, frame=request.frame.clear())
    assert fitted(planned, context, late).why_not == "no patient has a time at risk"  # type: ignore[arg-type]


def test_the_concordance_of_one_cluster_has_no_error():
    cohort = patients(("A", 60))
    display = {"kind": "model", "endpoint": "OS", "terms": ["AGE"], "clustered_by": "GRP4"}
    rows = model_rows(context_of(cohort, display)).filter(row="CONCORDANCE")
    texts = dict(rows.select("population", "text").rows())
    assert "±" in texts["ALL"]
    assert texts["CLUSTERED"].endswith("(no standard error)")
    assert "± 0.00" not in texts["CLUSTERED"]
