"""The analysis under an alternative of the study's decisions: its patients, times and month length."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl

from reports.displays.group_sizes import LABELS as OF_GROUPS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from reports.displays.context import Context

LABELS: Mapping[str, str] = MappingProxyType(
    {
        **OF_GROUPS,
        "early_relapse_tie": "Relapse on the very cut-off counts as",
        "pfs_censoring": "Progression-free survival censored at",
        "best_response_window": "Best response of the first salvage counts",
        "ne_counts_as_nonresponder": "Response missing or not evaluable counts as less than PR",
        "emd_without_imaging": "Reported 'no' to extramedullary disease without imaging counts as",
        "days_per_month": "Days of a month",
    }
)
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "early_if_equal": "early",
        "late_if_equal": "late",
        "last_contact": "the last contact",
        "last_assessment": "the last assessment",
        "systemic": "the systemic line",
        "bridge": "the bridge before it",
        "until_pd_or_next_line": "until progression or the next line",
        "until_pd": "until progression",
        "until_next_line": "until the next line",
        "any_time": "at any time",
        "true": "yes",
        "false": "no",
    }
)
TABLES = ("alternative", "alternative_adsl", "alternative_adtte")
PLACE = ("SETTING", "VALUE")
TIMES = ("USUBJID", "PARAMCD", "STARTDT", "AVAL", "CNSR")


@dataclass(frozen=True)
class Alternative:
    """A value of a setting that the study has not chosen, and what is another one under it.

    `adsl`: changed and joined patients; `left`: who leaves the cohort. `adtte`: other times, AVAL null
    where there is none.
    """

    setting: str
    value: str
    n_changed: int
    n_joined: int
    n_left: int
    n_times: int
    adsl: pl.DataFrame
    left: tuple[str, ...]
    adtte: pl.DataFrame

    @property
    def code(self) -> str:
        """The population of its rows."""
        return f"SETTING|{self.setting}|{self.value}"

    @property
    def label(self) -> str:
        """The setting and its value in words."""
        return f"{LABELS.get(self.setting, self.setting)}: {WORDS.get(self.value, self.value)}"

    @property
    def is_same(self) -> bool:
        """Whether all tables are those of the primary analysis."""
        return not (self.n_changed or self.n_joined or self.n_left or self.n_times)


def read(con: duckdb.DuckDBPyConnection) -> tuple[Alternative, ...] | None:
    """All alternatives in order; None where the warehouse has no such tables."""
    names = ", ".join(f"'{table}'" for table in TABLES)
    [(known,)] = con.execute(
        "select count(*) from duckdb_tables() "
        f"where schema_name = 'analysis' and table_name in ({names})"
    ).fetchall()
    if known != len(TABLES):
        return None
    listed = con.execute(
        "select setting, value, n_changed, n_joined, n_left, n_times from analysis.alternative order by position"
    ).fetchall()
    adsl = pl.DataFrame(con.sql("select * from analysis.alternative_adsl order by USUBJID"))
    adtte = pl.DataFrame(
        con.sql(
            f"select {', '.join((*PLACE, *TIMES))} from analysis.alternative_adtte order by PARAMCD, USUBJID"
        )
    )
    return tuple(_of(row, adsl, adtte) for row in listed)


def _of(row: tuple[Any, ...], adsl: pl.DataFrame, adtte: pl.DataFrame) -> Alternative:
    place = (pl.col("SETTING") == row[0]) & (pl.col("VALUE") == row[1])
    patients = adsl.filter(place)
    is_left = pl.col("CHANGE") == "LEFT"
    counts = dict(zip(("n_changed", "n_joined", "n_left", "n_times"), row[2:], strict=True))
    return Alternative(
        setting=row[0],
        value=row[1],
        **counts,
        adsl=patients.filter(~is_left).drop(*PLACE, "CHANGE"),
        left=tuple(patients.filter(is_left)["USUBJID"].to_list()),
        adtte=adtte.filter(place).drop(*PLACE),
    )


def under(context: Context, other: Alternative) -> Context:
    """The same plan on the patients and times of an alternative, months of its length."""
    data = context.data
    adsl = _replaced(data.adsl, other.adsl, ["USUBJID"]).filter(
        ~pl.col("USUBJID").is_in(list(other.left))
    )
    adtte = _replaced(data.adtte, other.adtte, ["USUBJID", "PARAMCD"]).drop_nulls("AVAL")
    study = context.study
    if other.setting == "days_per_month":
        settings = study.settings.model_copy(update={"days_per_month": float(other.value)})
        study = study.model_copy(update={"settings": settings})
    return replace(
        context,
        study=study,
        data=replace(data, adsl=adsl.sort("USUBJID"), adtte=adtte.sort("PARAMCD", "USUBJID")),
    )


def _replaced(own: pl.DataFrame, other: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Rows of another content in the place of the own ones; columns that a setting cannot have stay."""
    kept = own.join(other.select(keys), on=keys, how="anti")
    columns = [name for name in own.columns if name in other.columns]
    found = other.select(pl.col(name).cast(own.schema[name]) for name in columns)
    return pl.concat([kept, found], how="diagonal")
