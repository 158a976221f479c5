"""What the displays read from the warehouse."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from reports.displays.course_data import CourseData
from reports.displays.course_data import read as read_courses
from reports.displays.definitions import read as read_definitions
from reports.displays.deliveries import read as read_deliveries
from reports.displays.group_sizes import read as read_group_sizes
from reports.displays.model_data import ModelData
from reports.displays.model_data import read as read_models
from reports.displays.queries import QueryData
from reports.displays.queries import read as read_queries

if TYPE_CHECKING:
    import duckdb


# What displays read of adtte: its other columns would be most of the memory of a large study.
TIMES = ("USUBJID", "PARAMCD", "STARTDT", "AVAL", "CNSR")


@dataclass(frozen=True)
class AnalysisData:
    """The analysis tables as frames (of adtte `TIMES`), and what is known of each center's deliveries."""

    adsl: pl.DataFrame
    adtte: pl.DataFrame
    exclusion: pl.DataFrame
    attrition: pl.DataFrame
    deliveries: tuple[dict[str, Any], ...] = ()
    definitions: tuple[dict[str, Any], ...] = ()
    group_sizes: tuple[dict[str, Any], ...] = ()
    models: ModelData = ModelData()
    courses: CourseData = field(default_factory=CourseData)
    queries: QueryData = QueryData()

    @classmethod
    def read(cls, con: duckdb.DuckDBPyConnection) -> AnalysisData:
        """Reads the tables of schema `analysis`, patients in the order of their pseudonyms."""
        return cls(
            pl.DataFrame(con.sql("select * from analysis.adsl order by USUBJID")),
            pl.DataFrame(
                con.sql(
                    f"select {', '.join(TIMES)} from analysis.adtte where ANALYSIS = 'PRIMARY'"
                    " order by PARAMCD, USUBJID"
                )
            ),
            pl.DataFrame(con.sql("select * from analysis.exclusion order by PARAMCD, USUBJID")),
            pl.DataFrame(con.sql("select * from analysis.attrition order by center_id, step")),
            read_deliveries(con),
            read_definitions(con),
            read_group_sizes(con),
            read_models(con),
            courses=read_courses(con),
            queries=read_queries(con),
        )
