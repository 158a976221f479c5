"""What a display is made from: the analysis tables, the study and its plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from reports.displays.data import AnalysisData
from reports.displays.fit_cache import FitCache

if TYPE_CHECKING:
    from schemas.spec.plan import Endpoint, Plan, Variable
    from schemas.spec.study import Study

CENSORED, EVENT, COMPETING = 0, 1, 2


@dataclass(frozen=True)
class Context:
    """Analysis tables, study and plan; `fits` keeps what several displays fit alike."""

    data: AnalysisData
    study: Study
    plan: Plan
    fits: FitCache = field(default_factory=FitCache, compare=False, repr=False)

    def variable(self, name: str) -> Variable:
        """A variable of the plan; one without declared levels that holds text gets those that occur."""
        found = self.plan.variables[name]
        column = self.data.adsl.get_column(found.column or name, default=None)
        if found.levels or column is None or column.dtype.is_numeric():
            return found
        values = column.cast(pl.String).drop_nulls().unique().sort().to_list()
        return found.model_copy(update={"levels": {value: value for value in values}})

    def endpoint(self, name: str) -> Endpoint:
        """An endpoint of the plan."""
        return self.plan.endpoints[name]

    def months(self, days: float | None) -> float | None:
        """Days as months; None stays None."""
        return None if days is None else days / self.study.settings.days_per_month

    @cached_property
    def patients(self) -> pl.DataFrame:
        """Adsl of the cohort with a column for each variable of the plan under the plan's name.

        Variables with levels hold codes as text, others numbers. A column that adsl lacks is null.
        """
        adsl = self.data.adsl
        return adsl.with_columns(
            [self._values(name, variable) for name, variable in self.plan.variables.items()]
        )

    def chosen(self, where: dict[str, tuple[str, ...]]) -> pl.DataFrame:
        """The patients of a display."""
        patients = self.patients
        for name, codes in where.items():
            patients = patients.filter(pl.col(name).is_in(list(codes)))
        return patients

    def times(self, endpoint: str, where: dict[str, tuple[str, ...]] | None = None) -> pl.DataFrame:
        """Times of the patients of a display who have one, patients in the order of adsl.

        Returns:
            All columns of `patients`, `days` (whole days from the start of the clock), `months`,
            `status` (0 censored, 1 event, 2 competing event) and `event` (true where status is 1).
        """
        rows = self.data.adtte.filter(pl.col("PARAMCD") == endpoint).select(
            "USUBJID",
            days=(pl.col("AVAL") - 1).cast(pl.Float64),
            status=pl.when(pl.col("CNSR") == 0)
            .then(EVENT)
            .when(pl.col("CNSR") == 2)
            .then(COMPETING)
            .otherwise(CENSORED)
            .cast(pl.Int32),
        )
        return (
            self.chosen(where or {})
            .join(rows, on="USUBJID", how="inner", maintain_order="left")
            .with_columns(
                months=pl.col("days") / self.study.settings.days_per_month,
                event=pl.col("status") == EVENT,
            )
        )

    def _values(self, name: str, variable: Variable) -> pl.Expr:
        column = variable.column or name
        if column not in self.data.adsl.columns:
            return pl.lit(None, dtype=pl.String if variable.levels else pl.Float64).alias(name)
        value = pl.col(column)
        if variable.cut is not None:
            low, high = variable.levels
            number = value.cast(pl.Float64, strict=False)  # check_groups refuses a display of text
            above = pl.when(number > variable.cut).then(pl.lit(high)).otherwise(None)
            return pl.when(number <= variable.cut).then(pl.lit(low)).otherwise(above).alias(name)
        if variable.recode:
            text = value.cast(pl.String)
            return text.replace_strict(variable.recode, default=None).alias(name)
        if variable.levels or not self.data.adsl.schema[column].is_numeric():
            return value.cast(pl.String).alias(name)
        return value.cast(pl.Float64).alias(name)
