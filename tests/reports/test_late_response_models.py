"""Landmark and time-dependent models: R's numbers on public data, rows by hand, and what has no day."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from reports.displays import model
from reports.displays.context import Context
from reports.displays.data import AnalysisData
from reports.displays.estimate import to_frame
from reports.displays.model_data import ModelData
from reports.displays.model_fit import fitted, primary_request
from reports.displays.model_late import at_landmark, time_dependent
from schemas.spec.plan import Plan
from schemas.spec.study import Study

MYELOID = Path(__file__).parents[1] / "golden" / "myeloid.csv"
START = dt.date(2020, 1, 1)
LEVELS = {"DEEP": "VGPR or better", "LESS": "PR or less"}
RESPONSE2 = {
    "label": "Response", "column": "BESTRESP", "after_start": True, "levels": LEVELS,
    "recode": {"CR": "DEEP", "VGPR": "DEEP", "PR": "LESS", "LTPR": "LESS"},
}  # fmt: skip
CR = {
    "label": "Complete response", "column": "BESTRESP", "after_start": True,
    "levels": {"NO": "No CR", "YES": "CR"}, "recode": {"CR": "YES", "LTPR": "NO"},
}  # fmt: skip


def context_of(
    patients: pl.DataFrame,
    responses: pl.DataFrame | None,
    variables: dict[str, Any],
    terms: list[str],
    **planned: Any,
) -> Context:
    """Patients with `days`, `event` and columns of adsl; dated responses: USUBJID, RESPONSE, day."""
    plan = Plan.model_validate(
        {
            "title": "Test",
            "variables": variables,
            "endpoints": {"OS": {"label": "OS", "event": "death", "events": "deaths", "origin": "start"}},
            "displays": [
                {
                    "id": "T2", "kind": "model", "heading": "A model", "endpoint": "OS", "terms": terms,
                    "acknowledge_guarantee_time": True, **planned,
                }
            ],
        }
    )  # fmt: skip
    adtte = patients.select(
        "USUBJID", PARAMCD=pl.lit("OS"), STARTDT=pl.lit(START),
        AVAL=(pl.col("days") + 1).cast(pl.Int64),
        CNSR=pl.when(pl.col("event")).then(0).otherwise(1).cast(pl.Int32),
    )  # fmt: skip
    dated = None
    if responses is not None:
        dated = responses.select(
            "USUBJID", "RESPONSE", ADT=pl.lit(START) + pl.duration(days=pl.col("day"))
        )
    empty = pl.DataFrame(schema=dict.fromkeys(("USUBJID", "PARAMCD", "reason"), pl.String))
    adsl = patients.drop("days", "event")
    data = AnalysisData(adsl, adtte, empty, pl.DataFrame(), models=ModelData(dated))
    return Context(data, Study(id="MYE", title="Test", data_cut=dt.date(2024, 12, 31)), plan)


def myeloid(*, with_days: bool = True, **planned: Any) -> Context:
    """The myeloid data of R's survival: a complete response has a day."""
    frame = pl.read_csv(MYELOID).with_columns(USUBJID=pl.format("P{}", "id"))
    patients = frame.select(
        "USUBJID", days="os_time", event=pl.col("os_event") == 1, ARM="trt",
        BESTRESP=pl.when(pl.col("cr_day").is_null()).then(pl.lit("LTPR")).otherwise(pl.lit("CR")),
    )  # fmt: skip
    responses = frame.drop_nulls("cr_day").select(
        "USUBJID", RESPONSE=pl.lit("CR"), day=pl.col("cr_day").cast(pl.Int64)
    )
    variables = {"ARM": {"label": "Arm", "levels": {"A": "A", "B": "B"}}, "CR": CR}
    return context_of(
        patients, responses if with_days else None, variables, ["ARM", "CR"], **planned
    )


def rows_of(context: Context) -> pl.DataFrame:
    [planned] = context.plan.displays
    return to_frame(list(model.estimates(planned, context)))  # type: ignore[arg-type]


def ratio(rows: pl.DataFrame, code: str, row: str, level: str) -> list[float]:
    [found] = rows.filter(
        (pl.col("population") == code) & (pl.col("row") == row) & (pl.col("level") == level)
        & (pl.col("statistic") == "hr")
    ).to_dicts()  # fmt: skip
    return [found[k] for k in ("value", "lower", "upper")]


@pytest.fixture(scope="module")
def myeloid_rows() -> pl.DataFrame:
    return rows_of(myeloid(landmarks_months=[2], time_dependent=True))


# R 4.2.2, survival 3.5, survival::myeloid: the landmark is at 60.875 days, time-dependent by tmerge.
@pytest.mark.parametrize(
    ("code", "n", "arm", "response"),
    [
        ("ALL", 646, (0.775238180143, 0.621188633353, 0.967490716478),
         (0.397898006188, 0.316223267076, 0.500667850257)),
        ("LANDMARK_2", 592, (0.678550467088, 0.538327124741, 0.855299157751),
         (0.679873406809, 0.539187367303, 0.857267579539)),
        ("TIME_DEPENDENT", 646, (0.747960901938, 0.599628262314, 0.932987228902),
         (0.505256022008, 0.395074901585, 0.646165187288)),
    ],
)  # fmt: skip
def test_each_way_to_count_a_response_is_that_of_r(
    myeloid_rows: pl.DataFrame,
    code: str,
    n: int,
    arm: tuple[float, ...],
    response: tuple[float, ...],
) -> None:
    assert ratio(myeloid_rows, code, "ARM", "B") == pytest.approx(arm, rel=1e-7)
    assert ratio(myeloid_rows, code, "CR", "YES") == pytest.approx(response, rel=1e-7)
    counted = myeloid_rows.filter(
        (pl.col("population") == code) & (pl.col("row") == "N") & (pl.col("statistic") == "n")
    )
    assert counted["value"].to_list() == [n]


def test_the_bias_is_named_and_each_way_explained(myeloid_rows: pl.DataFrame) -> None:
    warnings = myeloid_rows.filter(pl.col("row") == "WARNING")
    texts = {(p, c): t for p, c, t in warnings.select("population", "level", "text").iter_rows()}
    assert "complete response becomes known only after time zero" in texts["ALL", "GUARANTEE_TIME"]
    assert "known by then" in texts["LANDMARK_2", "METHOD"]
    assert "until the day of the response" in texts["TIME_DEPENDENT", "METHOD"]


def test_patients_who_left_before_the_landmark_are_counted(myeloid_rows: pl.DataFrame) -> None:
    dropped = myeloid_rows.filter(
        (pl.col("population") == "LANDMARK_2") & (pl.col("row") == "DROPPED")
    )
    assert dict(dropped.select("level_label", "value").iter_rows()) == {
        None: 54.0,
        "Dead or no longer observed by month 2": 54.0,
    }


def test_without_dated_responses_no_such_model_is_made() -> None:
    rows = rows_of(myeloid(with_days=False, landmarks_months=[2], time_dependent=True))
    assert set(rows["population"]) == {"ALL"}
    [text] = rows.filter(pl.col("level") == "NO_LATE_MODEL")["text"]
    assert text.endswith("not made: the warehouse holds no dated responses.")


def test_a_late_variable_without_days_is_named() -> None:
    context = myeloid(time_dependent=True)
    variables = {"ARM": {"label": "Arm", "column": "ARM", "after_start": True,
                         "levels": {"A": "A", "B": "B"}}}  # fmt: skip
    plan = context.plan.model_dump() | {"variables": variables}
    plan["displays"][0]["terms"] = ["ARM"]
    changed = Context(context.data, context.study, Plan.model_validate(plan))
    [text] = rows_of(changed).filter(pl.col("level") == "NO_LATE_MODEL")["text"]
    assert text.endswith("the data do not tell on which day this became known: Arm.")


def four_patients() -> Context:
    """By hand: two steps of response; a deeper assessment than the best; no day; none."""
    patients = pl.DataFrame(
        {
            "USUBJID": ["STEPS", "BOUND", "UNDATED", "NONE"],
            "BESTRESP": ["VGPR", "PR", "CR", "LTPR"],
            "days": [100, 90, 80, 30],
            "event": [True, False, True, True],
        }
    )
    responses = pl.DataFrame(
        {
            "USUBJID": ["STEPS", "STEPS", "STEPS", "BOUND", "BOUND"],
            "RESPONSE": ["PR", "VGPR", "PR", "PR", "CR"],
            "day": [20, 45, 70, 15, 40],
        }
    )
    return context_of(
        patients, responses, {"RESPONSE2": RESPONSE2}, ["RESPONSE2"], time_dependent=True
    )


def test_time_is_split_where_the_response_deepens() -> None:
    context = four_patients()
    [planned] = context.plan.displays
    primary = fitted(planned, context, primary_request(planned, context, planned.terms))  # type: ignore[arg-type,union-attr]
    request = time_dependent(primary, planned)  # type: ignore[arg-type]
    stretches = request.frame.select("USUBJID", "entry", "days", "event", "RESPONSE2").rows()
    assert [row for row in stretches if row[0] == "STEPS"] == [
        ("STEPS", -1.0, 20.0, False, "LESS"),
        ("STEPS", 20.0, 45.0, False, "LESS"),
        ("STEPS", 45.0, 70.0, False, "DEEP"),
        ("STEPS", 70.0, 100.0, True, "DEEP"),
    ]
    # A center's best response of PR bounds the single assessment of CR.
    assert {row[4] for row in stretches if row[0] == "BOUND"} == {"LESS"}
    assert not [row for row in stretches if row[0] == "UNDATED"]
    assert [row for row in stretches if row[0] == "NONE"] == [("NONE", -1.0, 30.0, True, "LESS")]
    assert request.lost == {"Day of the response not known": 1}


def test_a_landmark_takes_the_response_known_by_then() -> None:
    context = four_patients()
    [planned] = context.plan.displays
    primary = fitted(planned, context, primary_request(planned, context, planned.terms))  # type: ignore[arg-type,union-attr]
    month = context.study.settings.days_per_month
    early = at_landmark(primary, planned, 40 / month)  # type: ignore[arg-type]
    known = dict(early.frame.select("USUBJID", "RESPONSE2").iter_rows())
    assert known == {"BOUND": "LESS", "STEPS": "LESS"}
    later = at_landmark(primary, planned, 45 / month)  # type: ignore[arg-type]
    assert dict(later.frame.select("USUBJID", "RESPONSE2").iter_rows())["STEPS"] == "DEEP"
    assert later.frame.filter(pl.col("USUBJID") == "STEPS")["days"][0] == pytest.approx(55)
