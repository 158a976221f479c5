"""The models of the demo study point where the published ones do."""

from __future__ import annotations

from typing import Any

import duckdb


def ratios(demo: Any, display: str) -> dict[tuple[str, str | None], float]:
    """Hazard ratios of the primary model by variable and level."""
    con = duckdb.connect(str(demo.folder / "published" / "warehouse.duckdb"), read_only=True)
    found = con.execute(
        'select "row", level, value from analysis.estimate'
        " where display = ? and population = 'ALL' and statistic = 'hr'",
        [display],
    ).fetchall()
    con.close()
    return {(row, level): value for row, level, value in found}


def test_table_two_has_the_directions_of_the_paper(demo: Any) -> None:
    """Merz 2024, Table 2: 2.43, 6.05, 9.34 against talquetamab; EMD 2.53; late relapse 0.46; PR or less 2.54."""
    found = ratios(demo, "T2")
    assert all(found["GRP4", group] > 1 for group in ("TEC", "IPC", "OTHER"))
    assert found["GRP4", "OTHER"] > found["GRP4", "TEC"]
    assert found["EMDRELFL", "Y"] > 1
    assert found["EARLY3", "N"] < 1
    assert found["ECOG", "2"] > 1
    assert found["RESPONSE2", "LESS"] > 1


def test_the_model_says_that_nobody_in_complete_response_died(demo: Any) -> None:
    con = duckdb.connect(str(demo.folder / "published" / "warehouse.duckdb"), read_only=True)
    [(text,)] = con.execute(
        "select text from analysis.estimate where display = 'T2' and level = 'MERGED_RESPONSE2'"
    ).fetchall()
    con.close()
    assert text.startswith("No death in CR (none of 24): the plan joins CR and VGPR to one level")


def test_bispecifics_cut_the_hazard_of_death_with_extramedullary_disease_and_early_relapse(
    demo: Any,
) -> None:
    found = ratios(demo, "F3")
    assert found["OVERALL", None] < 1
    assert found["EMDRELFL", "Y"] < 1
    assert found["EARLY3", "Y"] < 1
