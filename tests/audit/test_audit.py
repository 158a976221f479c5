"""Each check of the suite is broken once on a copy of a real staged warehouse."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))

import small_study  # noqa: E402

from expectations import audit, write_results  # noqa: E402
from expectations.audit import AuditResult  # noqa: E402
from expectations.suite import load_suite  # noqa: E402
from flows import parts, results, stages  # noqa: E402
from flows.center import process_center, pull_center  # noqa: E402
from flows.outcome import DeliveryOutcome  # noqa: E402
from reports.estimates import write_estimates  # noqa: E402


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The staged warehouse of the small study, estimates included, as the judge sees it."""
    root = small_study.make_study(tmp_path_factory.mktemp("audit") / "study")
    plan = stages.prepare(str(root), ())
    outcomes: list[DeliveryOutcome] = []
    for center_id in plan["centers"]:
        found = process_center(str(root), pull_center(str(root), center_id, None), False)
        outcomes += [DeliveryOutcome(**item) for item in found]
    file = Path(stages.assemble(str(root), stages.open_load(str(root), outcomes)))
    results.warm_up_judge()
    write_estimates(file, parts.load_study(stages.StudyFolder(root)))
    return file


@pytest.fixture
def broken(staged: Path, tmp_path: Path) -> Any:
    """The audit of a copy that statements have changed; `only` asks these checks of the suite."""

    def change(*statements: str, only: tuple[str, ...] = ()) -> AuditResult:
        copy = tmp_path / "warehouse.duckdb"
        shutil.copyfile(staged, copy)
        con = duckdb.connect(str(copy))
        for statement in statements:
            con.execute(statement).fetchall()
        con.close()
        suite = load_suite()
        if only:
            suite = replace(suite, checks=tuple(c for c in suite.checks if c.id in only))
        return audit(copy, suite)

    return change


def failed(result: AuditResult) -> set[str]:
    """Ids of the checks with a critical failure."""
    return {sentence.split()[0] for sentence in result.critical_failures}


def test_a_sound_warehouse_passes(staged: Path) -> None:
    result = audit(staged)

    assert result.passed
    assert result.critical_failures == ()
    assert result.results["n_expectations"] == sum(len(c.expectations) for c in load_suite().checks)
    assert all(item["ran"] for c in result.results["checks"] for item in c["expectations"])


def test_the_profile_counts_what_stands_in_the_warehouse(staged: Path) -> None:
    profile = audit(staged).profile
    assert profile is not None
    counts = {row[:4]: row[4] for row in profile.rows}
    con = duckdb.connect(str(staged), read_only=True)
    for table in small_study.FILES:
        found = con.execute(f"select center_id::varchar, count(*) from core.{table} group by all")
        for center, n in found.fetchall():
            assert counts["rows", center, table, None] == n
            assert counts["sent", center, table, None] == n  # no row of this study is held
    found = con.execute("select SITEID::varchar, GRP4, count(*) from analysis.adsl group by all")
    for center, group, n in found.fetchall():
        assert counts["level", center, "group", group] == n
    con.close()

    assert profile.load_id == 1
    assert {key[1] for key in counts} == {"AA01", "BB02", "CC03"}
    # Six patients: F, M in turn, born 1951 to 1956, infused in 2023; R-ISS known of all, MyCARe of none.
    assert counts["level", "AA01", "sex", "F"] == 3
    assert (
        counts["level", "AA01", "age", "60 to 69"] + counts["level", "AA01", "age", "70 and above"]
        == 6
    )
    assert counts["known", "AA01", "cohort", None] == counts["known", "AA01", "RISS", None] == 6
    assert ("known", "AA01", "MYCARE", None) not in counts


def test_a_state_compared_with_itself_has_nothing_to_tell(staged: Path) -> None:
    first = audit(staged)
    again = audit(staged, before=first.profile)
    told = {check["id"]: check["rows"] for check in again.results["checks"]}

    assert again.critical_failures == ()
    assert again.warnings == first.warnings
    assert again.results["compared_with"] == 1
    assert told["AUD-23"] == 24
    assert told["AUD-29"] == 4  # three groups and the cohort


BREAKS = {
    "AUD-01": ["delete from core.risk where row_id = (select min(row_id) from core.risk)"],
    "AUD-02": [
        "update core.risk set usubjid = 'SMALL-AA01-NOBODY' where row_id = (select min(row_id) from core.risk)"
    ],
    "AUD-03": ["insert into core.risk select * from core.risk limit 1"],
    "AUD-04": ["update core.treatment_line set usubjid = (select min(usubjid) from core.subject)"],
    "AUD-05": [
        "alter table core.subject alter sex type varchar",
        "update core.subject set sex = 'X' where row_id = (select min(row_id) from core.subject)",
    ],
    "AUD-06": [
        "update quality.ledger set n_rows = n_rows - 1 where step = 'check' and outcome = 'out' "
        "and \"table\" = 'risk'"
    ],
    "AUD-07": ["delete from quality.check_run where rule_id = 'DAT-01'"],
    "AUD-08": ["insert into analysis.adsl select * from analysis.adsl limit 1"],
    "AUD-09": [
        "update analysis.adsl set GRP4 = null where USUBJID = (select min(USUBJID) from analysis.adsl)",
    ],
    "AUD-10": [
        "insert into analysis.adtte select * from analysis.adtte where PARAMCD = 'PFS' limit 1"
    ],
    "AUD-11": ["update analysis.adtte set CNSR = 1 where PARAMCD = 'OS'"],
    "AUD-13": ["delete from core.subject where center_id = 'AA01'"],
    "AUD-15": [
        "update analysis.estimate set value = value + 1 where display = 'T1' and \"row\" = 'N' "
        "and statistic = 'n' and population = 'ALL'"
    ],
    "AUD-17": ["update analysis.adtte set STARTDT = STARTDT - 1 where PARAMCD = 'OS'"],
    "AUD-18": ["delete from analysis.adtte where PARAMCD = 'PFS'"],
    "AUD-19": ["update analysis.adtte set ADT = ADT + 4000 where PARAMCD = 'PFS'"],
    "AUD-20": ["update analysis.attrition set n_patients = n_patients + 1 where reason is null"],
    "AUD-21": ["update analysis.adsl set RELDTF = 'D'"],
    "AUD-22": ["delete from analysis.adrs where PARAMCD = 'CBOR'"],
    "AUD-28": ["update analysis.adtte set GRP4 = 'OTHER' where PARAMCD = 'OS'"],
    "AUD-14": [
        "insert into analysis.estimate_subject by name select * replace ('NOBODY' as usubjid) "
        "from analysis.estimate_subject limit 1"
    ],
}


def test_every_check_has_a_case_that_breaks_it() -> None:
    warnings = {"AUD-12", "AUD-16"}  # below
    compared = {
        "AUD-23",
        "AUD-24",
        "AUD-26",
        "AUD-27",
        "AUD-29",
        "AUD-34",
        "AUD-35",
        "AUD-36",
    }  # test_audit_before.py
    others = {"AUD-25", "AUD-30", "AUD-31", "AUD-32", "AUD-33"}  # test_audit_others.py
    elsewhere = warnings | compared | others

    assert set(BREAKS) | elsewhere == {check.id for check in load_suite().checks}
    stops = {check.id for check in load_suite().checks if check.severity == "stop"}
    assert stops == set(BREAKS) | {"AUD-23", "AUD-29", "AUD-34", "AUD-36"}


@pytest.mark.parametrize("check_id", BREAKS)
def test_a_broken_warehouse_fails_its_check_and_stops(check_id: str, broken: Any) -> None:
    result = broken(*BREAKS[check_id], only=(check_id,))

    assert not result.passed
    assert failed(result) == {check_id}


ONE = "(select min(USUBJID) from analysis.adsl where BESTRESP in ('CR', 'VGPR', 'PR'))"


def stopped_by(result: AuditResult, check_id: str, title: str) -> bool:
    """Whether the publication is stopped, and the sentence says by what."""
    told = any(
        sentence.startswith(f"{check_id} {title}: ") for sentence in result.critical_failures
    )
    return told and not result.passed


def test_sur_07_a_progression_free_survival_of_minus_12_days_stops_the_publication(
    broken: Any,
) -> None:
    result = broken(
        "update analysis.adtte set ADT = STARTDT - 13, AVAL = -12 "
        f"where PARAMCD = 'PFS' and ANALYSIS = 'PRIMARY' and USUBJID = {ONE}",
        only=("AUD-10", "AUD-17"),
    )
    assert stopped_by(result, "AUD-10", "ADTTE has one row per subject and parameter")
    assert stopped_by(result, "AUD-17", "Times are the days between their dates")


def test_sur_08_two_rows_of_survival_of_a_subject_stop_the_publication(broken: Any) -> None:
    result = broken(
        "insert into analysis.adtte select * from analysis.adtte "
        f"where PARAMCD = 'OS' and ANALYSIS = 'PRIMARY' and USUBJID = {ONE}",
        only=("AUD-10", "AUD-18"),
    )
    assert stopped_by(result, "AUD-10", "ADTTE has one row per subject and parameter")
    assert stopped_by(result, "AUD-18", "Each subject has a time or a reason for none")


def test_sur_08_a_duration_of_response_of_who_did_not_respond_stops_the_publication(
    broken: Any,
) -> None:
    result = broken(
        f"update analysis.adsl set RESPFL = 'N', BESTRESP = 'LTPR' where USUBJID = {ONE}",
        only=("AUD-18",),
    )
    assert stopped_by(result, "AUD-18", "Each subject has a time or a reason for none")


def test_sur_09_progression_free_survival_beyond_survival_stops_the_publication(
    broken: Any,
) -> None:
    last = f"(select max(ADT) from analysis.adtte where PARAMCD = 'OS' and USUBJID = {ONE})"
    result = broken(
        f"update analysis.adtte set ADT = {last} + 6, AVAL = {last} + 6 - STARTDT + 1, "
        f"AVALM = ({last} + 6 - STARTDT) / 30.4375 where PARAMCD = 'PFS' and USUBJID = {ONE}",
        only=("AUD-19",),
    )
    assert stopped_by(result, "AUD-19", "Endpoints follow each other")


def test_sur_10_groups_that_do_not_add_up_to_the_cohort_stop_the_publication(broken: Any) -> None:
    result = broken(
        f"update analysis.adsl set GRP4 = 'NONE' where USUBJID = {ONE}", only=("AUD-20",)
    )
    assert stopped_by(result, "AUD-20", "Denominators are the cohort")


def test_dat_29_a_day_made_from_a_month_without_its_flag_stops_the_publication(broken: Any) -> None:
    result = broken(
        f"update core.infusion set infusion_date = date_trunc('month', infusion_date), "
        f"infusion_date_precision = 'month' where usubjid = {ONE}",
        only=("AUD-21",),
    )
    assert stopped_by(result, "AUD-21", "Imputed dates are flagged")


def test_an_impossible_time_fails(broken: Any) -> None:
    result = broken("update analysis.adtte set AVAL = 0 where PARAMCD = 'OS'")

    assert failed(result) == {"AUD-10", "AUD-17"}


def test_a_rule_that_ended_in_an_error_fails(broken: Any) -> None:
    result = broken("update quality.check_run set outcome = 'error' where rule_id = 'DAT-01'")

    assert failed(result) == {"AUD-07"}


def test_missing_variables_of_a_center_are_a_warning_that_names_the_center(broken: Any) -> None:
    result = broken("update analysis.adsl set RISS = null where SITEID = 'BB02'")

    assert result.passed
    (sentence,) = (w for w in result.warnings if w.startswith("AUD-12"))
    check = next(c for c in result.results["checks"] if c["id"] == "AUD-12")
    assert ["BB02", "RISS", 6, 0.0] in check["lines"]["rows"]
    assert "lines fail" in sentence
    assert "BB02 RISS" in sentence


def test_a_key_rule_that_could_not_run_is_a_warning_that_names_center_and_rule(broken: Any) -> None:
    result = broken(
        "update quality.check_run set outcome = 'not_run', reason = 'column follow_up.death_date is"
        " not delivered' where rule_id = 'SUR-02' and delivery_key in"
        " (select delivery_key from quality.delivery where center_id = 'BB02')",
        "update quality.check_run set outcome = 'not_run', reason = 'table ' || \"table\" ||"
        " ' is not delivered' where rule_id = 'DAT-13' and delivery_key in"
        " (select delivery_key from quality.delivery where center_id = 'CC03')",
    )

    assert result.passed
    (sentence,) = (w for w in result.warnings if w.startswith("AUD-16"))
    assert sentence.endswith("(BB02 SUR-02, CC03 DAT-13)")


def test_an_orphan_rule_over_a_table_that_nobody_sent_is_no_warning(broken: Any) -> None:
    result = broken(
        "update quality.check_run set outcome = 'not_run', reason = 'table lab is not delivered'"
        " where rule_id = 'STR-03' and \"table\" = 'lab'",
        only=("AUD-16",),
    )

    assert not [w for w in result.warnings if w.startswith("AUD-16")]


def test_a_check_that_cannot_run_counts_as_failed(broken: Any) -> None:
    result = broken("drop view quality.ledger_balance")

    assert failed(result) == {"AUD-06"}
    assert any("could not run" in sentence for sentence in result.critical_failures)


def test_results_hold_no_value_of_a_patient(broken: Any, tmp_path: Path) -> None:
    result = broken("insert into core.risk select * from core.risk")
    page = write_results(result, tmp_path / "quality")
    con = duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True)
    subjects = [row[0] for row in con.execute("select usubjid from core.subject").fetchall()]
    con.close()
    text = page.read_text() + (tmp_path / "quality" / "audit.json").read_text()

    assert not result.passed
    assert not any(usubjid in text for usubjid in subjects)


def test_the_page_loads_and_runs_nothing_and_shows_hostile_text_as_text(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script><img src=http://example.org/x>"
    check = {
        "id": "AUD-01",
        "suite": "center",
        "title": hostile,
        "sentence": hostile,
        "rows": 1,
        "expectations": [
            {
                "type": "x",
                "severity": "stop",
                "success": False,
                "ran": True,
                "observed": hostile,
            }
        ],
        "lines": {"columns": [hostile], "rows": [[hostile]], "n_more": 0},
    }
    content = {
        "suite": "s",
        "passed": False,
        "great_expectations": "1",
        "compared_with": None,
        "n_expectations": 1,
        "n_critical_failures": 1,
        "n_warnings": 0,
        "checks": [check],
    }
    suite = {
        "name": "AUD-01",
        "expectations": [{"type": "x", "kwargs": {"column": hostile}, "severity": "critical"}],
        "meta": {"suite": "center", "sql": hostile, "limits": {}},
    }
    page = write_results(AuditResult(False, (hostile,), (hostile,), content, [suite]), tmp_path)
    text = page.read_text()

    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;script&gt;" in text
    assert "default-src 'none'" in text
    assert json.loads((tmp_path / "audit.json").read_text()) == content


def test_the_suite_is_sound_data() -> None:
    suite = load_suite()

    assert len({check.id for check in suite.checks}) == len(suite.checks)
    for check in suite.checks:
        lines = check.sql.splitlines()
        assert lines[1].startswith("-- Grain:")
        assert f"-- Feeds:   {check.id}." in lines
        assert check.expectations


def test_the_lean_import_leaves_the_real_packages_to_others() -> None:
    code = (
        "import sys; from expectations.engine import great_expectations; great_expectations();"
        "assert 'sqlalchemy' not in sys.modules;"
        "import sqlalchemy, scipy.stats; sqlalchemy.text('select 1');"
        "print(round(float(scipy.stats.chi2.sf(3.84, 1)), 2), sys.meta_path[0].__class__.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split()[0] == "0.05"
    assert "_Lean" not in done.stdout


def test_great_expectations_calls_nobody(tmp_path: Path) -> None:
    code = (
        "import socket, sys\n"
        "def refused(*a): print('connect', a); raise OSError\n"
        "socket.socket.connect = refused\n"
        "import duckdb, pathlib\n"
        "duckdb.connect(sys.argv[1]).execute('select 1').fetchall()\n"
        "from expectations import audit\n"
        "print(audit(pathlib.Path(sys.argv[1])).passed)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "empty.duckdb")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False"]
