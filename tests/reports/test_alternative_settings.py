"""Table 2 and the medians under an alternative setting are those of a study that chose it."""

from itertools import takewhile
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from reports.displays import model
from reports.displays.context import Context
from reports.displays.data import AnalysisData
from reports.displays.estimate import to_frame
from schemas.spec.plans import load_plan
from warehouse import analysis

SHOWN = ("hr", "median", "n")
NUMBERS = ["row", "level", "statistic", "value", "lower", "upper", "n", "events", "text"]
LATER = {
    "landmarks_months": (), "time_dependent": False, "stratified_by": None, "clustered_by": None,
    "diagnostics": False,
}  # fmt: skip


def rows_of(warehouse: Path, population: str) -> pl.DataFrame:
    con = duckdb.connect(str(warehouse), read_only=True)
    rows = pl.DataFrame(
        con.sql("select * from analysis.estimate where display = 'T2' order by position")
    )
    con.close()
    return rows.filter(pl.col("population") == population)


def chosen(study: Any, cohort: dict[str, str], create_core: Any, **settings: Any) -> pl.DataFrame:
    """The rows of table 2, medians included, of a study with other settings.

    Neither what is not compared is derived (other completions of dates) nor computed (ratios of Firth, and
    the models that come after those of the primary population).
    """
    other = study.model_copy(update={"settings": study.settings.model_copy(update=settings)})
    con = duckdb.connect(config={"threads": 1})
    create_core(con, **cohort)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(analysis, "add_completions", lambda *_: None)
        analysis.derive(con, other)
        context = Context(AnalysisData.read(con), other, load_plan(other))
        planned = next(one for one in context.plan.displays if one.id == "T2")
        patch.setattr(model, "penalized", lambda _: iter(()))
        made = model.estimates(planned.model_copy(update=LATER), context)
        rows = to_frame([*takewhile(lambda row: not row.population.startswith("WITHOUT"), made)])
    return rows.filter(pl.col("population") == "ALL")


def numbers(rows: pl.DataFrame) -> pl.DataFrame:
    """Hazard ratios, medians and patients; the primary model alone has more."""
    shown = rows.filter(
        pl.col("statistic").is_in(SHOWN)
        & ~pl.col("row").is_in(["CONTRAST", "EVENTS", "DROPPED", "EVENTS_PER_PARAMETER"])
    )
    return shown.select(NUMBERS).sort("row", "level", "statistic", nulls_last=True)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("pfs_censoring", "last_assessment"),
        ("days_per_month", 30),
        ("emd_without_imaging", "unknown"),
    ],
)
def test_a_variant_is_what_a_study_with_the_setting_prints(
    setting: str, value: Any, warehouse: Path, study: Any, cohort: dict[str, str], create_core: Any
) -> None:
    found = numbers(rows_of(warehouse, f"SETTING|{setting}|{value}"))
    expected = numbers(chosen(study, cohort, create_core, **{setting: value}))
    assert found.height > 15
    assert found.equals(expected)


def test_every_value_is_fitted_or_told_to_change_nothing(warehouse: Path) -> None:
    from reports.displays.alternatives import read

    con = duckdb.connect(str(warehouse), read_only=True)
    others = read(con)
    con.close()
    assert others is not None
    primary = rows_of(warehouse, "ALL").filter(pl.col("level") == "SAME_SETTINGS")["text"][0]
    for other in others:
        assert rows_of(warehouse, other.code).is_empty() == other.is_same
        assert (other.label in primary) == other.is_same


def test_the_other_cut_off_takes_the_place_of_the_first(warehouse: Path) -> None:
    rows = rows_of(warehouse, "SETTING|early_relapse_months|5")
    st4 = duckdb.connect(str(warehouse), read_only=True).sql(
        "select value from analysis.estimate where display = 'ST4' and population = 'ALL|EARLY5' "
        "and \"row\" = 'EARLY5' and level = 'N' and statistic = 'hr'"
    )
    [(expected,)] = st4.fetchall()
    ratio = rows.filter((pl.col("row") == "EARLY5") & (pl.col("level") == "N"))
    assert ratio.filter(pl.col("statistic") == "hr")["value"].to_list() == [expected]
    assert rows.filter(pl.col("row") == "EARLY3").is_empty()


def test_the_page_shows_them_and_the_external_report_does_not(
    warehouse: Path, study: Any, tmp_path: Path
) -> None:
    from reports.content import read_content
    from reports.disclosure.external import external_content
    from reports.render import page

    content = read_content(warehouse, study)
    inside = page(content)
    assert "Days of a month: 30" in inside
    assert "Without center C01" in inside
    external, _ = external_content(content, load_plan(study), study, 5)
    outside = page(external)
    assert "Table 2" in outside
    for label in ("Days of a month: 30", "Without center C01", "Partial dates at their earliest"):
        assert label not in outside
