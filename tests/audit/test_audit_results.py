"""What the audit leaves: suites as JSON, rows of quality.check_run, counts for the next load; and its settings."""

from __future__ import annotations

import json
import re
import stat
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from audit_cases import check  # noqa: E402

from expectations.load import chosen_suite  # noqa: E402
from expectations.profile import Profile, profile_path, read_profile, write_profile  # noqa: E402
from expectations.record import rows_of, write_check_runs  # noqa: E402
from expectations.suite import load_suite  # noqa: E402
from expectations.told import sentence  # noqa: E402
from flows import stages  # noqa: E402
from schemas.errors import SpecError, StudyError  # noqa: E402
from schemas.spec import load_study  # noqa: E402
from schemas.spec.study import Audit  # noqa: E402

FRAME: dict[str, list[Any]] = {
    "center_id": ["C1", "C1", "C2"],
    "table_name": ["lab", "response", "lab"],
    "n_now": [1, 2, 3],
    "stops": [False, True, False],
    "bad": [True, True, False],
}


def result(success: bool, severity: str, ran: bool = True) -> dict[str, object]:
    """One expectation, judged."""
    observed = "observed 1" if ran else "could not run: Binder Error"
    return {"success": success, "severity": severity, "ran": ran, "observed": observed}


# Rows of quality.check_run ------------------------------------------------------------------------


def test_a_row_tells_center_table_outcome_and_how_many_lines_fail() -> None:
    rows = rows_of(check("AUD-23"), FRAME, [result(False, "stop"), result(False, "warn")])

    assert rows == [
        ("AUD-23", "C1", "warn", "lab", "failed", 1, 1, None),
        ("AUD-23", "C1", "stop", "response", "failed", 1, 1, None),
        ("AUD-23", "C2", "stop", "lab", "passed", 0, 1, None),
    ]


def test_an_accepted_stop_is_recorded_as_a_warning_and_a_chosen_one_as_a_stop() -> None:
    items = [result(False, "warn"), result(False, "warn")]
    weaker = rows_of(check("AUD-23").with_severity("warn"), FRAME, items)
    stronger = rows_of(check("AUD-23").with_severity("stop"), FRAME, items)

    assert [row[2] for row in weaker] == ["warn", "warn", "warn"]
    assert [row[2] for row in stronger] == ["stop", "stop", "stop"]


def test_a_check_that_could_not_run_is_an_error_and_never_passed() -> None:
    (row,) = rows_of(check("AUD-23"), {}, [result(False, "stop", ran=False)] * 2)

    assert row[4:] == ("error", None, None, "could not run: Binder Error")


def test_a_check_without_lines_is_not_run_unless_lines_are_expected() -> None:
    empty: dict[str, list[Any]] = {name: [] for name in FRAME}
    (nothing,) = rows_of(check("AUD-23"), empty, [result(True, "stop")])
    (wanted,) = rows_of(check("AUD-28"), empty, [result(True, "stop"), result(False, "stop")])

    assert (nothing[4], nothing[7]) == ("not_run", "nothing to judge, or nothing to compare with")
    assert wanted[4] == "failed"


def test_rows_lead_to_the_newest_delivery_of_their_center(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(
            "create schema quality; create schema meta; create table meta.run as select 7 as load_id; "
            "create table quality.delivery as from (values "
            "(1, 'C1', date '2024-01-01', 1, false, 'loaded'), (2, 'C1', date '2024-02-01', 1, true, 'loaded'), "
            "(3, 'C1', date '2024-03-01', 1, false, 'failed'), (4, 'C2', date '2024-01-01', 1, true, 'loaded')) "
            "t(delivery_key, center_id, received_on, sequence, is_current, outcome); "
            "create table quality.check_run (delivery_key integer, load_id integer, rule_id varchar, "
            'severity varchar, "table" varchar, outcome varchar, numerator bigint, denominator bigint, '
            "reason varchar)"
        )
    rows = rows_of(check("AUD-23"), FRAME, [result(False, "stop")])
    study = ("AUD-29", None, "stop", None, "passed", 0, 5, "it's")
    write_check_runs(path, [*rows, study])

    with duckdb.connect(str(path), read_only=True) as con:
        told = con.execute(
            'select delivery_key, load_id, rule_id, "table", outcome, reason from quality.check_run order by all'
        ).fetchall()
    assert told == [
        (2, 7, "AUD-23", "lab", "failed", None),
        (2, 7, "AUD-23", "response", "failed", None),
        (4, 7, "AUD-23", "lab", "passed", None),
        (None, 7, "AUD-29", None, "passed", "it's"),
    ]
    assert not Path(f"{path}.wal").exists()


# Sentences ----------------------------------------------------------------------------------------


def test_a_stop_names_the_lines_that_stop_and_a_warning_all_that_fail() -> None:
    one = check("AUD-23")

    assert (
        sentence(one, FRAME, "observed 1", "stop")
        == f"AUD-23 {one.title}: 1 of 3 lines fail (C1 response)"
    )
    assert sentence(one, FRAME, "observed 2", "warn").endswith(
        "2 of 3 lines fail (C1 lab, C1 response)"
    )


def test_a_sentence_names_at_most_eight_places() -> None:
    frame = {
        "center_id": [f"C{n}" for n in range(11)],
        "table_name": ["lab"] * 11,
        "bad": [True] * 11,
    }

    assert sentence(check("AUD-23"), frame, "", "warn").endswith("C7 lab, and 3 more)")


def test_no_check_names_a_column_of_values() -> None:
    ids = {
        "center_id", "table_name", "column_name", "variable", "rule_id", "group", "endpoint", "reference",
        "relation", "display", "what", "paramcd",
    }  # fmt: skip
    for one in load_suite().checks:
        # `told` is a sentence of counts: its frame is made of counts alone, and sees no table of the warehouse.
        counts = {"told"} if not re.search(r"\b(core|analysis|quality)\.", one.sql) else set()
        assert set(one.named) <= ids | counts, one.id


# The profile --------------------------------------------------------------------------------------


def test_a_profile_comes_back_as_it_was_written_and_is_closed_to_others(tmp_path: Path) -> None:
    told = Profile(12, (("rows", "C1", "lab", None, 4), ("level", "C1", "sex", "F", 2)))
    path = write_profile(told, tmp_path)

    assert path == profile_path(tmp_path, 12)
    assert read_profile(path) == told
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.parent.glob("*.tmp")] == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"form": 0, "load_id": 1, "rows": []}'])
def test_a_profile_that_is_damaged_or_of_another_form_is_not_compared_with(
    text: str, tmp_path: Path
) -> None:
    path = tmp_path / "000001.json"
    path.write_text(text)

    assert read_profile(path) is None
    assert read_profile(tmp_path / "000002.json") is None


# Settings -----------------------------------------------------------------------------------------


def severities(settings: Audit) -> dict[str, str]:
    """Check → severity under settings."""
    return {one.id: one.severity for one in chosen_suite(settings).checks}


def test_the_study_turns_a_comparing_stop_into_a_warning_and_a_warning_into_a_stop() -> None:
    usual = severities(Audit())
    chosen = severities(Audit(warn_only=("AUD-23",), stop=("AUD-30",)))

    assert (usual["AUD-23"], usual["AUD-30"]) == ("stop", "warn")
    assert (chosen["AUD-23"], chosen["AUD-30"]) == ("warn", "stop")
    same = set(usual) - {"AUD-23", "AUD-30"}
    assert all(usual[check_id] == chosen[check_id] for check_id in same)


@pytest.mark.parametrize("settings", [Audit(warn_only=("AUD-02",)), Audit(stop=("AUD-99",))])
def test_a_check_that_must_stop_or_is_not_there_is_refused(settings: Audit) -> None:
    with pytest.raises(StudyError, match=r"study.yaml: audit\.\w+ names AUD-\d\d; possible: AUD-"):
        chosen_suite(settings)


def test_a_run_tells_a_check_that_is_not_there_before_it_reads_deliveries(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(
        "id: MYE\ntitle: A study\ndata_cut: 2024-08-31\naudit: {stop: [AUD-99]}\n", encoding="utf-8"
    )
    with pytest.raises(StudyError, match="audit.stop names AUD-99"):
        stages.prepare(str(tmp_path), ())


@pytest.mark.parametrize(
    "text",
    [
        "medians: {OS: [40, 3]}",
        "medians: {XX: [3, 40]}",
        "medians: {OS: [3]}",
        "medianes: {OS: [3, 40]}",
    ],
)
def test_bounds_that_cannot_be_are_refused(text: str, tmp_path: Path) -> None:
    study = "id: SMALL\ntitle: t\ndata_cut: 2024-06-30\naudit:\n  " + text + "\n"
    (tmp_path / "study.yaml").write_text(study)

    with pytest.raises((StudyError, SpecError)):
        load_study(tmp_path)


def test_bounds_of_a_group_that_is_not_there_are_refused_and_the_groups_named(
    tmp_path: Path,
) -> None:
    study = "id: SMALL\ntitle: t\ndata_cut: 2024-06-30\ngroups: {TEC: T, OTHER: O}\naudit:\n  medians: {OS.%s: [1, 3]}\n"
    (tmp_path / "study.yaml").write_text(study % "NOPE")
    with pytest.raises(StudyError, match="there is no group NOPE; groups: TEC, OTHER, ALL"):
        load_study(tmp_path)
    for group in ("TEC", "ALL"):
        (tmp_path / "study.yaml").write_text(study % group)
        assert list(load_study(tmp_path).audit.medians) == [f"OS.{group}"]


def test_bounds_of_the_study_are_read(tmp_path: Path) -> None:
    text = "id: SMALL\ntitle: t\ndata_cut: 2024-06-30\naudit: {medians: {OS.TEC: [3, 40]}, stop: [AUD-30]}\n"
    (tmp_path / "study.yaml").write_text(text)
    settings = load_study(tmp_path).audit

    assert dict(settings.medians) == {"OS.TEC": (3, 40)}
    assert settings.stop == ("AUD-30",)


# The suites ---------------------------------------------------------------------------------------


def test_great_expectations_reads_the_stored_suites_back(tmp_path: Path) -> None:
    from expectations import write_results
    from expectations.audit import audit
    from expectations.engine import great_expectations

    duckdb.connect(str(tmp_path / "empty.duckdb")).close()
    write_results(audit(tmp_path / "empty.duckdb"), tmp_path / "quality")
    gx = great_expectations()
    stored = {
        one["name"]: one
        for name in ("center", "study")
        for one in json.loads((tmp_path / "quality" / "suites" / f"{name}.json").read_text())
    }

    assert set(stored) == {one.id for one in load_suite().checks}
    for one in load_suite().checks:
        read = gx.ExpectationSuite(**stored[one.id])
        assert [e.__class__.__name__ for e in read.expectations] == [
            e.type for e in one.expectations
        ]
        assert stored[one.id]["meta"]["sql"] == one.sql
        assert stored[one.id]["meta"]["suite"] == one.suite


def test_the_page_of_the_checks_is_current() -> None:
    from expectations.docs import PAGE, text

    assert PAGE.read_text(encoding="utf-8") == text(), "run: python -m expectations.docs"
