"""Forests: R's numbers on public data, arms by hand, and what is not estimable."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from reports.displays import forest
from reports.displays.context import Context
from reports.displays.data import AnalysisData
from reports.displays.estimate import to_frame
from reports.figures.forest_plot import Heads, Ratio, forest_plot
from reports.sections import forest as section
from reports.sections.model import Figure, Rows, Table
from schemas.spec.plan import Plan
from schemas.spec.study import Study

LUNG = Path(__file__).parents[1] / "golden" / "lung.csv"
SEX = {"label": "Sex", "levels": {"male": "Male", "female": "Female"}}
ECOG = {"label": "ECOG", "levels": {"0": "0", "1": "1", "2": "2", "4": "4"}}
AGE65 = {
    "label": "Age",
    "column": "AGE",
    "cut": 64,
    "cut_from": "prespecified",
    "levels": {"0": "< 65", "1": "≥ 65"},
}


def context_of(patients: pl.DataFrame, **variables: Any) -> Context:
    """A forest of sex in all other variables."""
    names = [name for name in variables if name != "SEX"]
    plan = Plan.model_validate(
        {
            "title": "Test",
            "variables": {"SEX": SEX, **variables},
            "endpoints": {"OS": {"label": "OS", "event": "death", "events": "deaths", "origin": "start"}},
            "displays": [
                {
                    "id": "F3", "kind": "forest", "heading": "Forest", "endpoint": "OS", "treatment": "SEX",
                    "subgroups": names,
                }
            ],
        }
    )  # fmt: skip
    adtte = patients.select(
        "USUBJID", PARAMCD=pl.lit("OS"), AVAL=(pl.col("days") + 1).cast(pl.Int64),
        CNSR=pl.when(pl.col("event")).then(0).otherwise(1).cast(pl.Int32),
    )  # fmt: skip
    empty = pl.DataFrame(schema=dict.fromkeys(("USUBJID", "PARAMCD", "reason"), pl.String))
    data = AnalysisData(patients.drop("days", "event"), adtte, empty, pl.DataFrame())
    return Context(data, Study(id="MYE", title="Test", data_cut=dt.date(2024, 12, 31)), plan)


def lung() -> pl.DataFrame:
    found = pl.read_csv(LUNG, schema_overrides={"ecog": pl.String}).with_row_index("place")
    return found.select(
        USUBJID=pl.format("P{}", "place"), days="os_time", event=pl.col("os_event") == 1, SEX="sex",
        ECOG="ecog", AGE=pl.col("age").cast(pl.Float64),
    )  # fmt: skip


def rows_of(context: Context) -> pl.DataFrame:
    [planned] = context.plan.displays
    return to_frame(list(forest.estimates(planned, context)))  # type: ignore[arg-type]


def one(rows: pl.DataFrame, row: str, level: str | None, statistic: str, arm: str = "ALL") -> Any:
    same = pl.col("level").is_null() if level is None else pl.col("level") == level
    [found] = rows.filter(
        (pl.col("population") == arm) & (pl.col("row") == row) & same & (pl.col("statistic") == statistic)
    ).to_dicts()  # fmt: skip
    return found


@pytest.fixture(scope="module")
def lung_rows() -> pl.DataFrame:
    return rows_of(context_of(lung(), ECOG=ECOG, AGE65=AGE65))


# R 4.2.2, survival 3.5: coxph(Surv(time, status) ~ sex) in each level of ECOG.
@pytest.mark.parametrize(
    ("level", "n", "events", "numbers"),
    [
        ("0", 63, 37, (0.540610471674, 0.253093771924, 1.15474861298)),
        ("1", 113, 82, (0.53088040489, 0.333482538843, 0.845123721542)),
        ("2", 50, 44, (0.695049905087, 0.37203283658, 1.29852615969)),
    ],
)
def test_each_subgroup_has_the_hazard_ratio_of_r(
    lung_rows: pl.DataFrame, level: str, n: int, events: int, numbers: tuple[float, ...]
) -> None:
    found = one(lung_rows, "ECOG", level, "hr")
    assert [found[k] for k in ("value", "lower", "upper")] == pytest.approx(numbers, rel=1e-7)
    assert (found["n"], found["events"]) == (n, events)
    arms = [one(lung_rows, "ECOG", level, "n", arm) for arm in ("male", "female")]
    assert (sum(arm["n"] for arm in arms), sum(arm["events"] for arm in arms)) == (n, events)


def test_the_interaction_is_that_of_r_and_adjusted_over_the_variables(
    lung_rows: pl.DataFrame,
) -> None:
    found = one(lung_rows, "ECOG", None, "p_interaction")
    # R: twice the difference of the log likelihoods of sex * ecog and sex + ecog, 2 degrees of freedom.
    assert found["value"] == pytest.approx(0.560198853582, rel=1e-7)
    assert found["p"] == pytest.approx(0.755708600039, rel=1e-7)
    assert found["method"].endswith("2 degrees of freedom")
    raw = sorted(one(lung_rows, name, None, "p_interaction")["p"] for name in ("ECOG", "AGE65"))
    holm = sorted(
        one(lung_rows, name, None, "p_interaction_holm")["p"] for name in ("ECOG", "AGE65")
    )
    assert holm == pytest.approx([min(2 * raw[0], 1), min(max(2 * raw[0], raw[1]), 1)])


def test_a_level_without_patients_and_unknown_levels_are_told(lung_rows: pl.DataFrame) -> None:
    assert one(lung_rows, "ECOG", "4", "hr")["text"] == "NE: no patient, Male"
    # One ECOG is missing, one is 3, which the plan does not name.
    assert one(lung_rows, "ECOG", None, "n_missing")["value"] == 2


def group(sex: str, level: str, events: int, censored: int, first: int) -> list[tuple[Any, ...]]:
    return [
        (sex, level, first + 10 * k, k < events) for k in range(events + censored)
    ]  # fmt: skip


def test_few_events_and_arms_without_one_are_not_estimable() -> None:
    records = [
        *group("male", "few", 5, 10, 11), *group("female", "few", 4, 10, 12),
        *group("male", "onearm", 15, 2, 13),
        *group("male", "noevent", 12, 0, 14), *group("female", "noevent", 0, 12, 15),
        *group("male", "fine", 14, 10, 16), *group("female", "fine", 12, 9, 17),
        *group("male", "small", 12, 0, 18), *group("female", "small", 3, 9, 19),
    ]  # fmt: skip
    levels = {name: name for name in ("few", "onearm", "noevent", "fine", "small")}
    frame = pl.DataFrame(
        [(f"P{k:03d}", *record) for k, record in enumerate(records)],
        schema=["USUBJID", "SEX", "KIND", "days", "event"],
        orient="row",
    )
    context = context_of(frame, KIND={"label": "Kind", "levels": levels})
    rows = rows_of(context)
    texts = {level: one(rows, "KIND", level, "hr")["text"] for level in levels}
    assert texts["few"] == "NE: fewer than 10 events"
    assert texts["onearm"] == "NE: no patient, Female"
    assert texts["noevent"] == "NE: no event, Female"
    assert "†" not in texts["fine"]
    assert texts["small"].endswith(" †")
    assert one(rows, "KIND", None, "p_interaction")["p"] is not None
    [planned] = context.plan.displays
    behind = forest.subjects(planned, context)  # type: ignore[arg-type]
    assert behind.filter((pl.col("row") == "KIND") & (pl.col("level") == "few")).height == 29
    assert behind.filter(pl.col("row") == "OVERALL").height == len(records)


def test_a_treatment_with_three_levels_is_refused() -> None:
    context = context_of(lung(), SEX={**SEX, "levels": {**SEX["levels"], "x": "X"}}, ECOG=ECOG)  # type: ignore[dict-item]
    rows = rows_of(context)
    assert rows["text"].to_list() == ["Not estimable: Sex has not exactly two levels."]


def test_the_figure_prints_the_numbers_beside_the_bars(lung_rows: pl.DataFrame) -> None:
    made = section.blocks("F3", Rows(lung_rows.to_dicts(), {"row_label": "Forest"}), {})
    [figure] = [block for block in made if isinstance(block, Figure)]
    [table] = [block for block in made if isinstance(block, Table)]
    drawing = str(figure.drawing)
    assert "0.53 (0.33 to 0.85)" in drawing
    assert "← Female better" in drawing
    first, *others = table.lines
    assert (first.label, first.cells[2]) == ("All patients", "0.59 (0.42 to 0.82)")
    assert others[0].label == "ECOG"
    assert others[0].cells[3] == "0.76"


def test_an_interval_that_leaves_the_axis_ends_in_an_arrow() -> None:
    heads = Heads(("A", "B"), "events/n", "HR", "P")
    inside = forest_plot([Ratio("x", 1.0, 0.5, 2.0)], heads, "Forest", "f")
    outside = forest_plot([Ratio("x", 1.0, 0.001, 2.0)], heads, "Forest", "f")
    assert str(inside).count("<polygon") == 0
    assert str(outside).count("<polygon") == 1


def test_the_cohort_has_a_forest_whose_arms_add_up(warehouse: Path) -> None:
    con = duckdb.connect(str(warehouse), read_only=True)
    differing = con.execute("""
        with arm as (
            select "row", level, sum(n) as n, sum(events) as events from analysis.estimate
            where display = 'F3' and statistic = 'n' and population <> 'ALL' group by all
        )
        select * from analysis.estimate as e join arm on e."row" = arm."row" and e.level is not distinct from arm.level
        where e.display = 'F3' and e.statistic = 'hr' and (e.n <> arm.n or e.events <> arm.events)
    """).fetchall()
    assert differing == []
    [(n, levels)] = con.execute(
        "select max(n), count(*) from analysis.estimate where display = 'F3' and statistic = 'hr'"
    ).fetchall()
    assert (n, levels) == (139, 26)
