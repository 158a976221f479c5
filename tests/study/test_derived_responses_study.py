"""A run of a small study whose responses are those that measurements tell."""

from __future__ import annotations

import html
import re
from pathlib import Path

import duckdb
import pytest

from demo import write_demo_study
from flows.cli import main
from tests.flows import lenient_runs
from tests.study.conftest import keep_centers, keep_displays, keep_last_round


def test_the_report_says_what_was_derived_and_what_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = tmp_path / "study"
    write_demo_study(study, patients=24)
    settings = study / "study.yaml"
    chosen = settings.read_text("utf-8").replace(
        "response_analysed: reported", "response_analysed: derived"
    )
    settings.write_text(chosen, "utf-8")
    keep_displays(study, "baseline", "response")
    keep_last_round(study)
    keep_centers(study, "DE01", "DE02", "US01")
    lenient_runs.judge_here(monkeypatch)

    assert main(["run", str(study)]) == 0
    with duckdb.connect(str(study / "published/warehouse.duckdb"), read_only=True) as con:
        found = dict(
            con.execute("select BESTRSRC, count(*) from analysis.adsl group by all").fetchall()
        )
        told = con.execute(
            "select value, n, text from analysis.estimate where display = 'F1A' "
            "and row = 'BESTRESP' and level = 'missing' and population = 'ALL'"
        ).fetchall()
        reported = con.execute(
            "select count(*) from analysis.adsl where BESTRSRC = 'NOT_DERIVED' and "
            "(BESTRESP is not null or RESPFL is not null or CRFL is not null)"
        ).fetchall()
    unknown, known = found.pop("NOT_DERIVED"), found.pop("DERIVED")
    assert not found
    assert unknown
    assert known
    n = unknown + known
    assert told == [(unknown, n, f"{unknown} ({round(100 * unknown / n)})")]
    assert reported == [(0,)]
    page = (study / "published/report/report.html").read_text("utf-8")
    text = html.unescape(re.sub(r"<[^>]+>", " ", page))
    assert "Responses analysed: derived from measurements by IMWG 2016." in text
    assert "the response is unknown, whatever was reported" in text
    assert "Response cannot be derived from measurements" in text
    assert "Unknown (share of all patients)" in text
