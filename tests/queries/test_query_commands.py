from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "flows")]

import sending_help  # noqa: E402

from flows.cli import build_parser, main  # noqa: E402
from warehouse.queries import QueryLog  # noqa: E402

ACTIONS = ("list", "release", "send", "import", "close")


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A study whose three questions wait for the data manager: two of AA01, one of BB02."""
    with pytest.MonkeyPatch.context() as patch:
        sending_help.let_all_pass(patch)
        root = sending_help.make_asked_study(tmp_path_factory.mktemp("waiting") / "study")
        sending_help.run(root)
        yield root


@pytest.fixture
def study(waiting: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(waiting, tmp_path / "study"))


class Told:
    """What a command printed, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def carmony(study: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `carmony queries STUDY ...`; nothing that it prints names a patient as the center does."""

    def command(*arguments: str) -> Told:
        code = main(["queries", str(study), *arguments])
        shown = capsys.readouterr()
        for text in (shown.out, shown.err):
            # A pseudonym may begin as they do: SMALL-AA01-0....
            assert re.search(r"(?<!SMALL-)(AA01|BB02)-0", text) is None
            assert sending_help.BROKEN not in text
            assert "Traceback" not in text
        return Told(code, shown.out, shown.err)

    return command


def states(study: Path) -> dict[str, int]:
    return dict(QueryLog.read(study).queries["state"].value_counts().iter_rows())


def ids(study: Path, center: str) -> list[str]:
    found = QueryLog.read(study).queries.filter(pl.col("center_id") == center)
    return sorted(found["query_id"])


# Usage -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_has_help_with_a_valid_example(
    action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["queries", "s", action, "--help"])
    text = capsys.readouterr().out
    example = text.partition("example:\n  carmony ")[2]

    assert ended.value.code == 0
    assert build_parser().parse_args(shlex.split(example)).action == action
    assert "--json" in text


def test_help_answers_within_0_3_cpu_seconds() -> None:
    before = os.times()
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "queries", "s", "close", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    after = os.times()

    assert "example:" in done.stdout
    spent = after.children_user + after.children_system
    assert spent - before.children_user - before.children_system <= 0.3


@pytest.mark.parametrize(
    ("words", "action", "center", "as_json"),
    [
        ([], "list", [], False),
        (["--json"], "list", [], True),
        (["--json", "list"], "list", [], True),
        (["list", "--center", "A", "--center", "B", "--json"], "list", ["A", "B"], True),
        (["send", "--center", "A"], "send", ["A"], False),
    ],
)
def test_options_before_and_after_the_action_mean_the_same(
    words: list[str], action: str, center: list[str], as_json: bool
) -> None:
    found = build_parser().parse_args(["queries", "s", *words])

    assert (found.action, found.center, found.json) == (action, center, as_json)


@pytest.mark.parametrize("words", [["fly"], ["close", "Q-1"], ["close", "Q-1", "--as", "x"]])
def test_wrong_usage_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["queries", "s", *words])

    assert ended.value.code == 2
    assert "usage: carmony queries" in capsys.readouterr().err


def test_a_folder_that_is_no_study_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["queries", str(tmp_path), "send"]) == 2
    assert "is no study" in capsys.readouterr().err


# list --------------------------------------------------------------------------------------------


def test_the_list_shows_what_is_not_settled_by_pseudonym(carmony: Any, study: Path) -> None:
    told = carmony()
    rows = [line.split() for line in told.out.splitlines()[2:5]]

    assert told.code == 0
    assert told.out.splitlines()[0].split() == [
        *("id", "center", "patient", "rule", "severity", "field", "state", "answer", "days")
    ]
    assert sorted(row[0] for row in rows) == sorted(ids(study, "AA01") + ids(study, "BB02"))
    assert {tuple(row[3:]) for row in rows} == {
        ("DAT-01", "error", "follow_up.death_date", "candidate", "0")
    }
    assert all(row[2].startswith(f"SMALL-{row[1]}-") for row in rows)
    assert told.out.endswith("in all: 3 candidate\n")


def test_the_list_as_json_and_by_center_rule_state_and_severity(carmony: Any, study: Path) -> None:
    def found(*filters: str) -> list[str]:
        content = json.loads(carmony("list", "--json", *filters).out)
        assert content["counts"] == {"candidate": 3}
        return sorted(query["id"] for query in content["queries"])

    assert found("--center", "AA01") == ids(study, "AA01")
    assert found("--rule", "DAT-01", "--severity", "error", "--center", "BB02") == ids(
        study, "BB02"
    )
    assert found("--state", "open") == []
    assert found("--severity", "warning") == []
    assert len(found("--state", "all")) == 3


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["--center", "AA1"], "Did you mean 'AA01'?"),
        (["--rule", "DAT01"], "Did you mean 'DAT-01'?"),
        (["--state", "opened"], "Did you mean 'open'?"),
        (["--severity", "eror"], "Did you mean 'error'?"),
    ],
)
def test_what_does_not_exist_is_told_with_the_nearest(
    carmony: Any, words: list[str], near: str
) -> None:
    told = carmony("list", *words)

    assert told.code == 2
    assert near in told.err


def test_a_study_without_queries_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["init", str(tmp_path / "empty")])
    capsys.readouterr()

    assert main(["queries", str(tmp_path / "empty")]) == 0
    assert main(["queries", str(tmp_path / "empty"), "send"]) == 0
    assert main(["queries", str(tmp_path / "empty"), "import"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "no query yet",
        "no open query: nothing to send",
        "no new file in answers/<center>/",
    ]


# release and close -------------------------------------------------------------------------------


def test_release_takes_ids_as_people_type_them(carmony: Any, study: Path) -> None:
    first, second = ids(study, "AA01")
    told = carmony("release", first.lower(), second.removeprefix("Q-"))

    assert told.code == 0
    assert "2 queries released" in told.out
    assert f"carmony run {study} publishes the new state" in told.out
    assert states(study) == {"open": 2, "candidate": 1}


def test_release_by_center_and_of_all(carmony: Any, study: Path) -> None:
    assert "1 query released" in carmony("release", "--center", "BB02", "--rule", "DAT-01").out
    assert json.loads(carmony("release", "--all", "--json").out) == {
        "released": QueryLog.read(study).queries.filter(center_id="AA01")["query_id"].to_list()
    }
    assert carmony("release", "--all").out == "no such candidate\n"
    assert states(study) == {"open": 3}


@pytest.mark.parametrize("words", [[], ["Q-11111111", "--all"], ["Q-11111111", "--center", "AA01"]])
def test_release_asks_which(carmony: Any, study: Path, words: list[str]) -> None:
    told = carmony("release", *words)

    assert told.code == 2
    assert "Which queries?" in told.err
    assert states(study) == {"candidate": 3}


def test_one_wrong_id_and_nothing_is_changed(carmony: Any, study: Path) -> None:
    first, second = ids(study, "AA01")
    carmony("release", first)
    wrong_state = carmony("release", second, first)
    typed_wrong = carmony("release", second, first[:-1] + ("X" if first[-1] != "X" else "Y"))

    assert (wrong_state.code, typed_wrong.code) == (2, 2)
    assert f"{first}: it is open; only what is candidate can be released" in wrong_state.err
    assert f"Did you mean '{first}'?" in typed_wrong.err
    assert states(study) == {"open": 1, "candidate": 2}


def test_close_settles_with_a_resolution_and_a_reason(carmony: Any, study: Path) -> None:
    first, second = ids(study, "AA01")
    told = carmony("close", first, second, "--as", "not_available", "--reason", " asked  twice ")

    assert told.code == 0
    assert "2 queries closed as not_available" in told.out
    log = QueryLog.read(study)
    closed = log.queries.filter(state="closed")
    assert set(closed["resolution"]) == {"not_available"}
    assert log.events.filter(event="closed")["reason"].unique().to_list() == ["asked twice"]
    again = carmony("close", first, "--as", "duplicate", "--reason", "x")
    assert again.code == 2
    assert f"{first}: it is closed" in again.err


def test_close_with_a_wrong_resolution_or_no_reason_changes_nothing(
    carmony: Any, study: Path
) -> None:
    first = ids(study, "AA01")[0]
    wrong = carmony("close", first, "--as", "not-available", "--reason", "x")
    empty = carmony("close", first, "--as", "duplicate", "--reason", "  ")

    assert (wrong.code, empty.code) == (2, 2)
    assert "Did you mean 'not_available'?" in wrong.err
    assert "This needs a reason" in empty.err
    assert states(study) == {"candidate": 3}


def test_a_closed_query_is_asked_again_and_shown_with_what_happened(
    carmony: Any, study: Path
) -> None:
    first = ids(study, "AA01")[0]
    by_load = carmony("close", first, "--as", "data_corrected", "--reason", "x")
    carmony("close", first, "--as", "duplicate", "--reason", "asked twice")
    again = carmony("reopen", first, "--reason", "it was not")
    shown = carmony("show", first)

    assert (by_load.code, again.code, shown.code) == (2, 0, 0)
    assert "1 query open again" in again.out
    happened = [w for w in shown.out.split() if w in ("created", "closed", "reopened")]
    assert happened == ["created", "closed", "closed", "reopened"]  # the second is the state
    assert states(study) == {"open": 1, "candidate": 2}


def test_a_second_user_waits_for_the_first(
    carmony: Any, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import parts

    monkeypatch.setattr(parts, "LOCK_WAIT", 0.0)
    with parts.run_lock(str(study)):
        told = carmony("release", "--all")

    assert told.code == 2
    assert "Another load of this study is running" in told.err
    assert states(study) == {"candidate": 3}


# send and import ---------------------------------------------------------------------------------


def test_send_writes_a_packet_for_each_center_with_open_queries(carmony: Any, study: Path) -> None:
    nothing = carmony("send")
    carmony("release", "--center", "AA01")
    first, second = carmony("send"), carmony("send", "--json")

    assert nothing.out.startswith("no open query; 3 candidates wait for you")
    assert first.code == 0
    assert "AA01: 2 questions, 2 new: vault/packets/AA01/queries/" in first.out
    assert "BB02" not in first.out
    (packet,) = json.loads(second.out)["packets"]
    assert (packet["n_queries"], packet["n_new"]) == (2, 0)
    assert sorted(p.name for p in (study / packet["packet"]).iterdir()) == [
        "queries.csv",
        "queries.xlsx",
    ]
    assert all(p.stat().st_mode & 0o077 == 0 for p in (study / packet["packet"]).rglob("*"))
    assert QueryLog.read(study).queries.filter(state="open")["sent_at"].null_count() == 0


def test_send_can_write_for_all_centers_or_some(carmony: Any, study: Path) -> None:
    carmony("release", "--all")
    some = carmony("send", "--center", "BB02")
    every = carmony("send", "--all")

    assert [line[:4] for line in some.out.splitlines()[:-1]] == ["BB02"]
    assert [line[:4] for line in every.out.splitlines()[:-1]] == ["AA01", "BB02", "CC03"]
    assert "CC03: 0 questions, 0 new" in every.out
    assert "yours to hand over" in every.out


def test_send_delivers_as_the_study_says_and_fails_with_1(carmony: Any, study: Path) -> None:
    settings = study / "study.yaml"
    text = "notification: {method: folder, centers: {AA01: ../share}}\n"
    settings.write_text(settings.read_text(encoding="utf-8") + text, encoding="utf-8")
    carmony("release", "--center", "AA01")
    failed = carmony("send")
    (study.parent / "share").mkdir()
    sent = carmony("send")

    assert failed.code == 1
    assert "warning: packet of AA01 was not delivered" in failed.err
    assert sent.code == 0
    assert "(delivered)" in sent.out
    assert len(list((study.parent / "share").iterdir())) == 2


def test_import_takes_answers_and_tells_what_it_could_not_take(carmony: Any, study: Path) -> None:
    carmony("release", "--all")
    carmony("send")
    workbook = sending_help.newest_workbook(study, "AA01")
    back = sending_help.answer(workbook, study / "answers" / "AA01" / "back.xlsx", "not available")
    taken = carmony("import")
    again = carmony("import")
    named = carmony("import", str(back))
    other = sending_help.answer(workbook, study.parent / "other.xlsx", "", "perhaps")
    wrong = carmony("import", str(other), "--json")

    assert taken.code == 0
    assert "back.xlsx: imported; 2 line(s): 1 answer(s)" in taken.out
    assert "publishes the new state" in taken.out
    assert states(study) == {"closed": 1, "open": 2}
    assert again.out == "no new file in answers/<center>/\n"
    assert (named.code, named.out) == (0, "back.xlsx: imported before\n")
    (file,) = json.loads(wrong.out)["files"]
    assert wrong.code == 1
    assert (file["n_answers"], len(file["problems"])) == (0, 1)
    assert states(study) == {"closed": 1, "open": 2}


def test_a_file_that_is_not_there_is_told(carmony: Any, tmp_path: Path) -> None:
    told = carmony("import", str(tmp_path / "no.xlsx"))

    assert told.code == 2
    assert "no.xlsx' is not there" in told.err


def test_a_run_publishes_what_was_done_by_hand(
    carmony: Any, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending_help.let_all_pass(monkeypatch)
    carmony("release", "--center", "AA01")
    outcome = sending_help.run(study)

    assert outcome.state == "published"
    assert [(p["center_id"], p["n_queries"]) for p in outcome.packets] == [("AA01", 2)]
    assert sending_help.run(study).state == "nothing new"


def test_the_table_of_the_page_for_users_of_redcapdm_is_what_the_warehouse_gives(
    waiting: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "queries.md").read_text(encoding="utf-8")
    statement = page.partition("```sql\n")[2].partition("```")[0]

    assert main(["sql", str(waiting), statement, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert list(rows[0]) == [
        *("Identifier", "DAG", "Event", "Instrument", "Field", "Description", "Query", "Code"),
        "Modification",
    ]
    assert [row["DAG"] for row in rows] == ["AA01", "AA01", "BB02"]
    assert {(row["Field"], row["Modification"]) for row in rows} == {("death_date", "New")}
