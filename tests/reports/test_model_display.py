"""Cox models of a plan: what R's survival gives on public data, and what is told where nothing can be estimated."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from reports.displays import model
from reports.displays.alternatives import Alternative
from reports.displays.context import Context
from reports.displays.data import AnalysisData
from reports.displays.estimate import to_frame
from reports.displays.model_data import ModelData
from reports.displays.model_diagnostics import natural_spline, smoothed
from reports.sections import model_table
from reports.sections.model import Bullets, Figure, Rows, Table
from schemas.spec.plan import Plan
from schemas.spec.study import Study

LUNG = Path(__file__).parents[1] / "golden" / "lung.csv"
VARIABLES: dict[str, Any] = {
    "SEX": {"label": "Sex", "levels": {"male": "Male", "female": "Female"}},
    "ECOG": {"label": "ECOG", "levels": {"0": "0", "1": "1", "2": "2"}},
    "AGE": {"label": "Age", "unit": "years"},
    "SITEID": {"label": "Center"},
}
OS = {"label": "Overall survival", "event": "death", "events": "deaths", "origin": "start"}
PLANNED: dict[str, Any] = {
    "id": "T2", "kind": "model", "heading": "A model", "endpoint": "OS", "terms": ["SEX", "ECOG", "AGE"],
}  # fmt: skip


def context_of(
    patients: pl.DataFrame,
    variables: dict[str, Any] | None = None,
    data: dict[str, Any] | None = None,
    **planned: Any,
) -> Context:
    """A study of patients with `days` and `event`, and columns of adsl."""
    plan = Plan.model_validate(
        {
            "title": "Test",
            "variables": variables or VARIABLES,
            "endpoints": {"OS": OS},
            "displays": [{**PLANNED, **planned}],
        }
    )
    study = Study(id="MYE", title="Test", data_cut=dt.date(2024, 12, 31))
    adsl = patients.drop("days", "event")
    if "SITEID" not in adsl.columns:
        adsl = adsl.with_columns(SITEID=pl.lit("A"))
    adtte = patients.select(
        "USUBJID", PARAMCD=pl.lit("OS"), STARTDT=pl.lit(dt.date(2020, 1, 1)),
        AVAL=(pl.col("days") + 1).cast(pl.Int64),
        CNSR=pl.when(pl.col("event")).then(0).otherwise(1).cast(pl.Int32),
    )  # fmt: skip
    empty = pl.DataFrame(schema=dict.fromkeys(("USUBJID", "PARAMCD", "reason"), pl.String))
    return Context(AnalysisData(adsl, adtte, empty, pl.DataFrame(), **(data or {})), study, plan)


def lung() -> pl.DataFrame:
    """The lung data of R's survival: 228 patients."""
    found = pl.read_csv(LUNG, schema_overrides={"ecog": pl.String, "inst": pl.String})
    return found.with_row_index("place").select(
        USUBJID=pl.format("P{}", pl.col("place").cast(pl.String).str.zfill(3)),
        days="os_time", event=pl.col("os_event") == 1, SEX="sex", ECOG="ecog",
        AGE=pl.col("age").cast(pl.Float64), SITEID="inst",
    )  # fmt: skip


def rows_of(context: Context) -> pl.DataFrame:
    """The estimates of the only display."""
    [planned] = context.plan.displays
    return to_frame(list(model.estimates(planned, context)))  # type: ignore[arg-type]


def one(rows: pl.DataFrame, row: str, level: str | None, statistic: str, code: str = "ALL") -> Any:
    """The only such row."""
    same = pl.col("level").is_null() if level is None else pl.col("level") == level
    [found] = rows.filter(
        (pl.col("population") == code) & (pl.col("row") == row) & same & (pl.col("statistic") == statistic)
    ).to_dicts()  # fmt: skip
    return found


def told(rows: pl.DataFrame, level: str, code: str = "ALL") -> str:
    """The sentence of a warning, empty if there is none."""
    found = rows.filter(
        (pl.col("row") == "WARNING") & (pl.col("level") == level) & (pl.col("population") == code)
    )
    return "" if not found.height else str(found["text"][0])


@pytest.fixture(scope="module")
def lung_rows() -> pl.DataFrame:
    return rows_of(
        context_of(
            lung(),
            stratified_by="SITEID",
            clustered_by="SITEID",
            diagnostics=True,
            sensitivity=True,
        )
    )


# R 4.2.2, survival 3.5: coxph(Surv(time, status) ~ sex + factor(ecog) + age), 226 complete rows with ECOG 0 to 2.
RATIOS = {
    ("SEX", "female"): (0.579476244515, 0.41671465536, 0.805809715683, 1.181212007e-03),
    ("ECOG", "1"): (1.506571330657, 1.01879019512, 2.227894600111, 4.005057576e-02),
    ("ECOG", "2"): (2.465318029898, 1.57659588641, 3.855010051050, 7.623267984e-05),
    ("AGE", None): (1.010835761472, 0.99255367782, 1.029454587197, 2.471315185e-01),
}


def test_hazard_ratios_are_those_of_r(lung_rows: pl.DataFrame) -> None:
    for (row, level), numbers in RATIOS.items():
        found = one(lung_rows, row, level, "hr")
        assert [found[k] for k in ("value", "lower", "upper", "p")] == pytest.approx(
            numbers, rel=1e-7
        )
    assert one(lung_rows, "SEX", "female", "hr")["text"] == "0.58 (0.42 to 0.81)"
    assert one(lung_rows, "SEX", "male", "hr")["text"] == "reference"
    assert one(lung_rows, "AGE", None, "hr")["level_label"] == "per year more"
    assert one(lung_rows, "ECOG", "2", "p")["text"] == "<0.001"


def test_each_variable_has_the_likelihood_ratio_test_of_r(lung_rows: pl.DataFrame) -> None:
    expected = {
        "SEX": (11.076332315, 0.00087437),
        "ECOG": (15.560825628, 0.00041784),
        "AGE": (1.357513953, 0.2439688),
    }
    for row, (statistic, p) in expected.items():
        found = one(lung_rows, row, None, "p_lr")
        assert found["value"] == pytest.approx(statistic, rel=1e-8)
        assert found["p"] == pytest.approx(p, rel=1e-4)


def test_the_whole_model_is_that_of_r(lung_rows: pl.DataFrame) -> None:
    found = one(lung_rows, "CONCORDANCE", None, "concordance")
    assert found["value"] == pytest.approx(0.63451413382, rel=1e-9)
    assert found["upper"] - found["lower"] == pytest.approx(
        2 * 1.959963984540054 * 0.02526777977, rel=1e-7
    )
    p = {level: one(lung_rows, "GLOBAL", level, "p")["p"] for level in ("LR", "WALD", "SCORE")}
    assert p == pytest.approx(
        {"LR": 8.052175407e-06, "WALD": 9.416417410e-06, "SCORE": 5.689730012e-06}, rel=1e-5
    )


def test_patients_left_out_are_counted_with_the_variable(lung_rows: pl.DataFrame) -> None:
    assert one(lung_rows, "N", None, "n")["value"] == 226
    assert one(lung_rows, "N", None, "n")["events"] == 163
    assert one(lung_rows, "DROPPED", None, "n")["value"] == 2
    assert one(lung_rows, "DROPPED", "ECOG", "n")["value"] == 2
    # One patient has ECOG 3, which the plan does not name.
    assert told(lung_rows, "UNDECLARED_ECOG") == (
        "ECOG: 1 patient with a value that the plan does not name, left out."
    )
    assert one(lung_rows, "EVENTS_PER_PARAMETER", None, "ratio")["value"] == 163 / 4


def test_every_pair_of_levels_is_compared(lung_rows: pl.DataFrame) -> None:
    rows = rows_of(context_of(lung(), terms=["ECOG", "SEX", "AGE"]))
    found = one(rows, "CONTRAST", "2|1", "hr")
    numbers = (1.63637657224, 1.12817376260, 2.37350696758, 0.009443402901)  # R, by vcov
    assert [found[k] for k in ("value", "lower", "upper", "p")] == pytest.approx(numbers, rel=1e-6)
    # Holm over 7.62e-05, 0.00944 and 0.0401: the middle one doubled.
    assert one(rows, "CONTRAST", "2|1", "p_holm")["p"] == pytest.approx(
        2 * 0.009443402901, rel=1e-6
    )


def test_strata_and_clusters_of_centers_are_those_of_r(lung_rows: pl.DataFrame) -> None:
    expected = {
        ("STRATIFIED", "female"): (0.585193188979, 0.409599667031, 0.836062858423),
        ("CLUSTERED", "female"): (0.577217104149, 0.462790118550, 0.71993668829),
    }
    for (code, level), numbers in expected.items():
        found = one(lung_rows, "SEX", level, "hr", code)
        assert [found[k] for k in ("value", "lower", "upper")] == pytest.approx(numbers, rel=1e-7)
        # One more patient has no center.
        assert one(lung_rows, "N", None, "n", code)["value"] == 225
        assert one(lung_rows, "DROPPED", "SITEID", "n", code)["value"] == 1
    assert told(lung_rows, "CLUSTERS", "CLUSTERED").startswith(
        "18 clusters (center), fewer than 30"
    )


def test_proportional_hazards_are_tested_as_in_r(lung_rows: pl.DataFrame) -> None:
    expected = {
        "SEX": 0.1182851594,
        "ECOG": 0.2379557955,
        "AGE": 0.6860697364,
        "GLOBAL": 0.2881313965,
    }
    assert {k: one(lung_rows, "PH", k, "p")["p"] for k in expected} == pytest.approx(
        expected, rel=1e-6
    )
    assert told(lung_rows, "NOT_PROPORTIONAL") == ""


def test_failed_proportional_hazards_are_told() -> None:
    # The hazard of B is high early and none later: the ratio cannot be one number.
    early = {f"B{k}": (k + 1, True, "female") for k in range(12)} | {
        f"C{k}": (200 + k, False, "female") for k in range(12)
    }
    late = {f"A{k}": (100 + k, True, "male") for k in range(24)}
    frame = pl.DataFrame(
        [(name, *values) for name, values in (early | late).items()],
        schema={"USUBJID": pl.String, "days": pl.Int64, "event": pl.Boolean, "SEX": pl.String},
        orient="row",
    )
    rows = rows_of(context_of(frame, terms=["SEX"], diagnostics=True))
    assert one(rows, "PH", "SEX", "p")["text"].endswith("(not proportional)")
    assert "Sex" in told(rows, "NOT_PROPORTIONAL")


def test_leaving_a_center_out_is_the_model_of_the_others(lung_rows: pl.DataFrame) -> None:
    found = one(lung_rows, "SEX", "female", "hr", "WITHOUT_1")
    numbers = (0.600926198289, 0.419751508812, 0.860300173338)  # R, without institution 1
    # R's rows without institution 1 are also without the patient who has none.
    assert [found[k] for k in ("value", "lower", "upper")] == pytest.approx(numbers, rel=1e-7)
    assert one(lung_rows, "N", None, "n", "WITHOUT_1")["value"] == 189
    month = Study(id="MYE", title="T", data_cut=dt.date(2024, 1, 1)).settings.days_per_month
    median = one(lung_rows, "MEDIAN", "OS", "median", "WITHOUT_1")
    assert [median[k] * month for k in ("value", "lower", "upper")] == pytest.approx(
        [320, 285, 371]
    )


def test_what_the_warehouse_does_not_tell_is_said(lung_rows: pl.DataFrame) -> None:
    for code in ("NOT_RUN_EARLIEST", "NOT_RUN_LATEST", "NOT_RUN_ERRORS", "NOT_RUN_SETTINGS"):
        assert "not run" in told(lung_rows, code)


def test_completions_and_open_errors_change_the_patients_that_they_touch() -> None:
    patients = lung()
    changed = pl.DataFrame(
        {
            "USUBJID": ["P000", "P001"], "PARAMCD": "OS", "ANALYSIS": "EARLIEST",
            "AVAL": [2, None], "CNSR": [0, None],
        }
    )  # fmt: skip
    extra = ModelData(
        None, changed, ("EARLIEST", "LATEST"), pl.DataFrame({"USUBJID": ["P005", "ELSEWHERE"]})
    )
    rows = rows_of(context_of(patients, data={"models": extra}, sensitivity=True))
    by_hand = patients.filter(pl.col("USUBJID") != "P001").with_columns(
        days=pl.when(pl.col("USUBJID") == "P000").then(1).otherwise("days")
    )
    expected = one(rows_of(context_of(by_hand)), "SEX", "female", "hr")["value"]
    assert one(rows, "SEX", "female", "hr", "EARLIEST")["value"] == pytest.approx(expected)
    assert expected != pytest.approx(RATIOS["SEX", "female"][0])
    assert told(rows, "EARLIEST").startswith("Partial dates at their earliest: 2 patients have")
    latest = one(rows, "SEX", "female", "hr", "LATEST")["value"]
    assert latest == pytest.approx(RATIOS["SEX", "female"][0])
    assert one(rows, "N", None, "n", "WITHOUT_ERRORS")["value"] == 225
    assert "touch 1 of 228 patients" in told(rows, "ERRORS")


def alternative(setting: str, value: str, **changed: Any) -> Alternative:
    """An alternative under which nothing is another one but what is given."""
    text = pl.String()
    empty: dict[str, Any] = {
        "adsl": pl.DataFrame(schema={"USUBJID": text}),
        "left": (),
        "adtte": pl.DataFrame(schema={"USUBJID": text, "PARAMCD": text, "AVAL": pl.Int64()}),
    }
    counts = dict.fromkeys(("n_changed", "n_joined", "n_left", "n_times"), 0)
    return Alternative(setting, value, **{**counts, **empty, **changed})


def test_settings_that_change_nothing_are_told_and_the_others_are_fitted() -> None:
    patients = lung()
    moved = patients.drop("days", "event").filter(pl.col("USUBJID").is_in(["P000", "P001"]))
    moved = moved.with_columns(SEX=pl.lit("female"))
    others = (
        alternative("dual_bispecific", "TALQ"),
        alternative("celmod_group", "OTHER", n_changed=2, n_left=1, adsl=moved, left=("P002",)),
    )
    context = context_of(
        patients, data={"models": ModelData(alternatives=others)}, sensitivity=True
    )
    rows = rows_of(context)
    assert told(rows, "SAME_SETTINGS").endswith(
        "with these settings. Two bispecifics together count as: TALQ."
    )
    by_hand = patients.filter(pl.col("USUBJID") != "P002").with_columns(
        SEX=pl.when(pl.col("USUBJID").is_in(["P000", "P001"]))
        .then(pl.lit("female"))
        .otherwise("SEX")
    )
    expected = one(rows_of(context_of(by_hand)), "SEX", "female", "hr")["value"]
    code = "SETTING|celmod_group|OTHER"
    assert one(rows, "SEX", "female", "hr", code)["value"] == pytest.approx(expected)
    assert expected != pytest.approx(RATIOS["SEX", "female"][0])
    assert not rows.filter(pl.col("population") == "SETTING|dual_bispecific|TALQ").height
    assert told(rows, "CHANGED", code) == (
        "Other values or groups: 2 patients; other times, events or groups: 0 rows of adtte, over all endpoints; "
        "0 join the cohort, 1 leave it."
    )
    lines = {
        line.label: line.cells
        for block in printed(rows)
        if isinstance(block, Table)
        for line in block.lines
    }
    label = "Iberdomide or mezigdomide alone counts as: OTHER"
    assert one(rows, "SEX", "female", "hr", code)["text"] in lines[label]


def test_an_alternative_that_cannot_be_fitted_says_why() -> None:
    patients = lung()
    none = patients.drop("days", "event").with_columns(SEX=pl.lit(None, pl.String()))
    other = alternative("ne_counts_as_nonresponder", "false", n_changed=none.height, adsl=none)
    rows = rows_of(
        context_of(patients, data={"models": ModelData(alternatives=(other,))}, sensitivity=True)
    )
    code = "SETTING|ne_counts_as_nonresponder|false"
    assert "no patient has a value of every variable" in told(rows, "NOT_FITTED", code)


def sexes(male: list[tuple[int, bool]], female: list[tuple[int, bool]]) -> pl.DataFrame:
    """Patients of two groups."""
    records = [("male", *values) for values in male] + [("female", *values) for values in female]
    return pl.DataFrame(
        {
            "USUBJID": [f"P{k:02d}" for k in range(len(records))],
            "SEX": [sex for sex, _, _ in records],
            "days": [days for _, days, _ in records],
            "event": [event for _, _, event in records],
        }
    )


DYING = [(10 * k, True) for k in range(1, 13)]
LIVING = [(10 * k + 5, False) for k in range(1, 13)]


def test_a_level_without_event_is_not_estimable_and_has_a_penalized_ratio_beside() -> None:
    rows = rows_of(context_of(sexes(DYING, LIVING), terms=["SEX"]))
    found = one(rows, "SEX", "female", "hr")
    assert (found["value"], found["p"]) == (None, None)
    assert found["text"] == "not estimable: no event in this level"
    penalized = one(rows, "SEX", "female", "hr_firth")
    assert 0 < penalized["lower"] < penalized["value"] < penalized["upper"] < 1
    assert one(rows, "SEX", "female", "p_firth")["p"] < 0.01
    assert told(rows, "NO_EVENT").startswith("No event in Sex: Female.")
    assert "Female (12 patients, 0 events)" in told(rows, "SMALL_LEVEL")
    table = next(block for block in printed(rows) if isinstance(block, Table))
    cells = {line.label: line.cells for line in table.lines}
    assert cells["Female, penalized (Firth)"][0] == penalized["text"]


def test_a_reference_without_event_is_the_reason_of_the_others() -> None:
    rows = rows_of(context_of(sexes(LIVING, DYING), terms=["SEX"]))
    assert (
        one(rows, "SEX", "female", "hr")["text"] == "not estimable: no event in the reference level"
    )


def test_a_reference_without_patients_is_replaced_and_told() -> None:
    patients = lung().with_columns(ECOG=pl.when(pl.col("ECOG") == "0").then(None).otherwise("ECOG"))
    rows = rows_of(context_of(patients))
    assert told(rows, "EMPTY_LEVEL") == "No patient in ECOG: 0, the reference is 1 instead."
    assert one(rows, "ECOG", "1", "hr")["text"] == "reference"
    assert one(rows, "ECOG", "2", "hr")["value"] > 1


def test_a_variable_with_one_value_leaves_the_model() -> None:
    rows = rows_of(context_of(lung().with_columns(SEX=pl.lit("female"))))
    assert told(rows, "CONSTANT") == "Left out of the model, the same in all its patients: Sex."
    assert one(rows, "AGE", None, "hr")["value"] > 0


def test_without_any_event_nothing_is_estimable() -> None:
    rows = rows_of(
        context_of(sexes(LIVING, LIVING), terms=["SEX"], diagnostics=True, sensitivity=True)
    )
    assert told(rows, "NOT_FITTED") == "The model is not estimable: no event."
    assert one(rows, "SEX", "female", "hr")["text"] == "not estimable: no event"
    assert "no coefficient" in told(rows, "NO_DIAGNOSTICS")
    assert "there is one center" in told(rows, "NOT_RUN_CENTERS")


def test_few_events_for_the_parameters_are_told() -> None:
    rows = rows_of(context_of(sexes(DYING[:5], DYING[5:8]), terms=["SEX"]))
    assert told(rows, "FEW_EVENTS").startswith("Few events: 8 for 1 parameter (8.0 per parameter")


def test_another_cut_or_the_number_itself_is_a_model_of_its_own() -> None:
    variables = VARIABLES | {
        "AGE60": {"label": "Age", "column": "AGE", "cut": 60, "levels": {"0": "≤ 60", "1": "> 60"},
                  "cut_from": "prespecified"},
    }  # fmt: skip
    context = context_of(
        lung(), variables, terms=["SEX", "ECOG", "AGE60"], replace={"AGE60": ("AGE",)}
    )
    rows = rows_of(context)
    found = one(rows, "AGE", None, "hr", "ALL|AGE")
    assert found["value"] == pytest.approx(RATIOS["AGE", None][0], rel=1e-7)
    assert found["population_label"] == "Continuous (years)"
    assert one(rows, "AGE60", "1", "hr")["population_label"] == "Cut prespecified"
    table = next(block for block in printed(rows) if isinstance(block, Table))
    assert table.heads == ("Cut prespecified", "P", "Continuous (years)", "P")
    labels = [line.label for line in table.lines]
    assert labels.index("Age; cut prespecified") < labels.index("Age") < labels.index("The model")


def printed(rows: pl.DataFrame) -> tuple[Any, ...]:
    """The blocks of the display."""
    return model_table.blocks("T2", Rows(rows.to_dicts(), {"row_label": "Table 2. A model"}), {})


def test_a_page_shows_every_part(lung_rows: pl.DataFrame) -> None:
    blocks = printed(lung_rows)
    first = next(block for block in blocks if isinstance(block, Table))
    cells = {line.label: line.cells for line in first.lines}
    assert cells["Female"] == ("0.58 (0.42 to 0.81)", "0.001", "", "53 / 90")
    assert cells["Sex"] == ("", "", "<0.001", "")
    figure = next(block for block in blocks if isinstance(block, Figure))
    assert str(figure.drawing).count("<polyline") == 4  # one smooth curve a coefficient
    sentences = [item for block in blocks if isinstance(block, Bullets) for item in block.items]
    assert any(item.startswith("Errors robust by center: 18 clusters") for item in sentences)


def test_residual_rows_stay_few_and_lie_around_the_coefficient(lung_rows: pl.DataFrame) -> None:
    residuals = lung_rows.filter((pl.col("row") == "RESIDUAL") & (pl.col("level") == "SEX|female"))
    assert residuals.height == 163
    # Schoenfeld residuals sum to zero at the maximum: scaled and shifted, their mean is the coefficient.
    assert residuals["value"].mean() == pytest.approx(np.log(RATIOS["SEX", "female"][0]), abs=1e-6)


def test_the_smooth_curve_gives_back_a_straight_line() -> None:
    g = np.linspace(0.0, 0.9, 60)
    points = smoothed(g * 100, g, 2.0 - 3.0 * g, 0.5)
    assert len(points) == 40
    for time, value, lower, upper in points:
        assert value == pytest.approx(2.0 - 0.03 * time)
        assert lower < value < upper


def test_the_spline_is_straight_at_its_ends() -> None:
    x = np.array([-2.0, -1.5, -1.0, 5.0, 5.5, 6.0])
    basis = natural_spline(x, np.array([0.0, 1.0, 2.0, 4.0]))
    for start in (0, 3):
        bend = basis[start] - 2 * basis[start + 1] + basis[start + 2]
        assert bend == pytest.approx(np.zeros(4), abs=1e-12)


def test_the_cohort_has_the_models_of_the_plan(warehouse: Path) -> None:
    con = duckdb.connect(str(warehouse), read_only=True)
    found = con.execute(
        "select display, population, count(*) filter (statistic = 'hr') from analysis.estimate"
        " where display in ('T2', 'ST4') group by all"
    ).fetchall()
    populations = {(display, population) for display, population, _ in found}
    expected = {
        "ALL",
        "STRATIFIED",
        "CLUSTERED",
        "LANDMARK_2",
        "LANDMARK_3",
        "TIME_DEPENDENT",
        "EARLIEST",
    }
    assert {("T2", code) for code in expected} <= populations
    assert {("ST4", "ALL|EARLY5"), ("ST4", "ALL|TTRLPM")} <= populations
    [(n,)] = con.execute(
        "select count(distinct usubjid) from analysis.estimate_subject where display = 'T2'"
    ).fetchall()
    assert n == 139
