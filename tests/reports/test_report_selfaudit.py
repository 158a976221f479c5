"""Contradictions planted into the estimates of the cohort of the published Table 1."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from reports.selfaudit import audit_estimates, contradictions
from schemas.errors import AuditStoppedError
from schemas.spec.study import Study

Planter = tuple[pl.Expr, dict[str, pl.Expr]]


@pytest.fixture(scope="module")
def estimates(warehouse: Path) -> pl.DataFrame:
    con = duckdb.connect(str(warehouse), read_only=True)
    try:
        return pl.DataFrame(con.sql("select * from analysis.estimate order by display, position"))
    finally:
        con.close()


def _at(**wanted: str) -> pl.Expr:
    return pl.all_horizontal([pl.col(name) == value for name, value in wanted.items()])


def _planted(estimates: pl.DataFrame, place: pl.Expr, changes: dict[str, pl.Expr]) -> pl.DataFrame:
    first = place & (place.cum_sum() == 1)
    assert estimates.filter(first).height == 1, "the planted row exists"
    return estimates.with_columns(
        [
            pl.when(first).then(new).otherwise(pl.col(name)).alias(name)
            for name, new in changes.items()
        ]
    )


def test_the_tables_of_a_study_hold(estimates: pl.DataFrame) -> None:
    assert contradictions(estimates).rows() == []


PLANTED: dict[str, tuple[pl.Expr, dict[str, pl.Expr], str]] = {
    "a count of a level": (
        _at(display="T1", row="SEX", level="F", population="TEC", statistic="n"),
        {"value": pl.col("value") + 1}, "the levels count 38 patients, known are 37",
    ),
    "the known values": (
        _at(display="T1", row="AGE", population="TEC", statistic="median"),
        {"n": pl.lit(36)}, "known and missing are 36 patients, the column has 37",
    ),
    "the size of a group": (
        _at(display="T1", row="N", population="TEC"),
        {"value": pl.lit(40.0)}, "the groups count 142 patients, all are 139",
    ),
    "more events than patients": (
        _at(display="F1C", row="median", population="TEC"),
        {"events": pl.lit(99)}, "99 events in 37 patients",
    ),
    "a percentage that is cut": (
        _at(display="T1", row="PENTAFL", level="Y", population="TEC", statistic="n"),
        {"text": pl.lit("20 (55)")}, "printed '20 (55)', counted 20 of 37",
    ),
    "a count beside its percentage": (
        _at(display="T1", row="PENTAFL", level="Y", population="TEC", statistic="n"),
        {"text": pl.lit("21 (54)")}, "printed '21 (54)', counted 20 of 37",
    ),
    "percentages that are not whole": (
        _at(display="F1A", row="BESTRESP", level="CR", population="TEC", statistic="percent"),
        {"value": pl.lit(0.0)}, "the percentages add up to",
    ),
    "a percentage above hundred": (
        _at(display="F1A", row="ORR", population="TEC", statistic="percent"),
        {"value": pl.lit(101.0), "upper": pl.lit(102.0)}, "the percentage is 101.0",
    ),
    "a rate that is not its count": (
        _at(display="F1A", row="ORR", population="TEC", statistic="percent"),
        {"events": pl.lit(20)}, "is not 20 of 37",
    ),
    "a rate outside its interval": (
        _at(display="F1A", row="ORR", population="TEC", statistic="percent"),
        {"lower": pl.lit(70.0)}, "is outside its interval 70.0 to",
    ),
    "P above one": (
        _at(display="T1", row="SEX", statistic="p"), {"p": pl.lit(1.2)}, "P is 1.2",
    ),
    "an adjusted P below the raw one": (
        _at(display="F1C", row="pair", statistic="p_holm", population="TALQ", level="TEC"),
        {"p": pl.lit(0.0)}, "the adjusted P is smaller",
    ),
    "a median beside its curve": (
        _at(display="F1C", row="median", population="OTHER"),
        {"value": pl.col("value") - 1, "lower": pl.lit(0.1)}, "the curve reaches half at",
    ),
    "a median that the curve does not reach": (
        _at(display="F1C", row="median", population="TALQ"),
        {"value": pl.lit(5.0), "lower": pl.lit(None), "upper": pl.lit(None)},
        "the median is 5.0, the curve reaches half at no months",
    ),
    "a curve without its patients": (
        _at(display="S1A", row="median"), {"n": pl.lit(138)}, "told are 138 patients",
    ),
    "a test of other patients": (
        _at(display="F1C", row="test"), {"n": pl.lit(138)}, "tested are 138 patients",
    ),
    "a factor of a model without a patient": (
        _at(display="T2", row="EMDRELFL", level="Y", population="ALL", statistic="hr"),
        {"n": pl.col("n") - 1}, "another factor of the model has",
    ),
    "a hazard ratio on the wrong side": (
        _at(display="T2", row="GRP4", level="OTHER", population="ALL", statistic="hr"),
        {"p": pl.lit(0.2), "value": pl.lit(3.0), "lower": pl.lit(1.5), "upper": pl.lit(6.0)},
        "P is 0.2 but the interval is 1.5 to 6.0",
    ),
    "a point beside its curve": (
        _at(display="S1A", row="at_months", level="6"),
        {"value": pl.col("value") + 0.01}, "at 6.0 months, the curve has",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_contradiction_is_found(estimates: pl.DataFrame, name: str) -> None:
    place, changes, words = PLANTED[name]
    found = contradictions(_planted(estimates, place, changes))
    assert any(words in what for what in found["what"]), found["what"].to_list()


def test_curves_that_rise_and_risk_sets_that_grow_are_found(estimates: pl.DataFrame) -> None:
    last = pl.col("time_months") == pl.col("time_months").max().over("display", "population", "row")
    rising = estimates.with_columns(
        value=pl.when(_at(display="S1A", row="curve", statistic="survival") & (pl.col("value") < 0.4))
        .then(pl.lit(0.9)).otherwise(pl.col("value")),
        upper=pl.when(_at(display="S1A", row="curve")).then(None).otherwise(pl.col("upper")),
    )  # fmt: skip
    growing = estimates.with_columns(
        n=pl.when(_at(display="S1A", row="at_risk") & last).then(99).otherwise(pl.col("n"))
    )
    assert "survival rises" in contradictions(rising)["what"][0]
    assert contradictions(growing)["what"].str.contains("99 at risk").any()


def _ratio(**values: object) -> pl.DataFrame:
    row = {
        "display": "T2", "population": "ALL", "row": "GRP4", "level": "TEC", "statistic": "hr",
        "value": 0.5, "lower": 0.2, "upper": 0.9, "p": 0.02, "n": 100, "events": 40,
        "method": "Cox model, Wald", "text": "0.50", "time_months": None,
    } | values  # fmt: skip
    from reports.displays.estimate import SCHEMA

    return pl.DataFrame([row], schema={name: SCHEMA[name] for name in SCHEMA})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"text": "0.51 (0.20 to 0.90)"},
            "printed '0.51 (0.20 to 0.90)', computed 0.5 (0.2 to 0.9)",
        ),
        (
            {"text": "0.5 months (95% CI 0.2 to 0.8)"},
            "printed '0.5 months (95% CI 0.2 to 0.8)', computed 0.5 (0.2 to 0.9)",
        ),
        ({"p": 0.2}, "P is 0.2 but the interval is 0.2 to 0.9"),
        ({"upper": 1.1}, "P is 0.02 but the interval is 0.2 to 1.1"),
        ({"value": -0.5, "lower": None, "upper": None}, "a ratio is not positive"),
        ({"value": 0.95}, "0.95 is outside its interval 0.2 to 0.9"),
    ],
)
def test_a_hazard_ratio_against_its_interval_or_p_is_found(
    values: dict[str, object], words: str
) -> None:
    assert contradictions(_ratio(**values))["what"].to_list() == [words]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"value": None, "lower": None, "upper": None, "p": None},
        {"p": 0.2, "method": "likelihood ratio test"},
        {"p": 0.05001},
    ],
)
def test_a_hazard_ratio_that_agrees_or_is_not_estimable_passes(values: dict[str, object]) -> None:
    assert contradictions(_ratio(**values)).height == 0


def test_an_incidence_that_falls_is_found() -> None:
    named = {"row": "curve", "statistic": "incidence", "level": None, "p": None}
    limits = {"lower": None, "upper": None}
    rows = [
        _ratio(**named, **limits, time_months=month, value=share)
        for month, share in ((1.0, 0.2), (2.0, 0.4), (3.0, 0.3))
    ]
    assert contradictions(pl.concat(rows))["what"].to_list() == [
        "incidence falls or is no share at 3.0 months"
    ]


def test_incidences_of_more_than_all_are_found() -> None:
    named = {"row": "curve", "statistic": "incidence", "p": None, "lower": None, "upper": None}
    rows = [_ratio(**named, level=cause, time_months=1.0, value=0.6) for cause in ("1", "2")]
    assert contradictions(pl.concat(rows))["what"].to_list() == ["the incidences add up to 1.2"]


def test_groups_may_lack_only_the_patients_that_are_told(estimates: pl.DataFrame) -> None:
    few = estimates.filter(
        ~(pl.col("display").eq("T1") & pl.col("population").eq("OTHER") & pl.col("row").eq("N"))
    )
    told = few.filter(_at(display="METHODS", row="title")).with_columns(
        statistic=pl.lit("unplaced"), value=pl.lit(31.0), row=pl.lit("levels_GRP4")
    )
    assert "the groups count 108 patients, all are 139" in contradictions(few)["what"].to_list()
    assert contradictions(pl.concat([few, told])).filter(pl.col("row") == "N").height == 0


def test_a_contradiction_stops_the_report_and_says_where(
    estimates: pl.DataFrame, warehouse: Path, study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    place, changes, _ = PLANTED["a curve without its patients"]
    with pytest.raises(AuditStoppedError, match="S1A, row median / ALL: told are 138") as stopped:
        audit_estimates(_planted(estimates, place, changes))
    assert stopped.value.exit_code == 3

    from reports import estimates as module

    copy = tmp_path / "warehouse.duckdb"
    copy.write_bytes(warehouse.read_bytes())
    # What is computed is that of the fixture: computing it again takes seconds.
    monkeypatch.setattr(module, "all_estimates", lambda _: [])
    monkeypatch.setattr(module, "to_frame", lambda _: _planted(estimates, place, changes))
    with pytest.raises(AuditStoppedError):
        module.write_estimates(copy, study)
    con = duckdb.connect(str(copy), read_only=True)
    assert con.sql("select count(*) from analysis.estimate").fetchall() == [(estimates.height,)]
    con.close()
