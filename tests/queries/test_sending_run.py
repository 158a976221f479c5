"""What a run does with packets and answers, on a small study with two broken centers."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "flows")]

import sending_help  # noqa: E402

from flows import stages  # noqa: E402
from flows.outcome import RunOutcome  # noqa: E402
from flows.show import messages, summary  # noqa: E402
from schemas.query_frames import QUERY  # noqa: E402
from warehouse.queries import QueryLog  # noqa: E402

AT_ONCE = "queries: {release: at_once}\n"
# BB02 has no address; the folder of AA01 is made by the tests that want the packet to arrive.
SHARE = "notification: {method: folder, centers: {AA01: ../share/AA01, ZZ99: ../share/ZZ99}}\n"


@pytest.fixture(scope="module", autouse=True)
def lenient() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        sending_help.let_all_pass(patch)
        yield


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunOutcome]:
    """A study after the first run, with questions that are asked at once; and that run's outcome."""
    root = tmp_path_factory.mktemp("asked") / "study"
    sending_help.make_asked_study(root, AT_ONCE + SHARE)
    return root, sending_help.run(root)


@pytest.fixture
def study(first: tuple[Path, RunOutcome], tmp_path: Path) -> Path:
    return Path(shutil.copytree(first[0], tmp_path / "study"))


def packets(root: Path, center: str) -> list[str]:
    home = root / "vault" / "packets" / center / "queries"
    return sorted(p.name.partition("_")[2] for p in home.iterdir()) if home.is_dir() else []


def queries(root: Path) -> pl.DataFrame:
    found = QueryLog.read(root).queries
    assert found.schema == QUERY
    return found


def share(root: Path) -> Path:
    """The folder of AA01, which is there from now on."""
    place = root.parent / "share" / "AA01"
    place.mkdir(parents=True)
    return place


def written(outcome: RunOutcome) -> list[tuple[str, int, int]]:
    """Center, questions and new ones of each packet that was written."""
    return [
        (p["center_id"], p["n_queries"], p["n_new"])
        for p in outcome.packets
        if p.get("state") == "written"
    ]


def test_centers_with_questions_get_a_packet_and_the_others_none(
    first: tuple[Path, RunOutcome],
) -> None:
    asked, outcome = first
    assert outcome.state == "published"
    assert written(outcome) == [("AA01", 2, 2), ("BB02", 1, 1)]
    assert len(packets(asked, "AA01")) == len(packets(asked, "BB02")) == 1
    assert packets(asked, "CC03") == []
    told = queries(asked)
    assert dict(told["center_id"].value_counts().iter_rows()) == {"AA01": 2, "BB02": 1}
    assert set(told["state"]) == {"open"}
    assert told["sent_at"].null_count() == 0


def test_a_run_with_nothing_new_writes_no_packet_and_publishes_nothing(study: Path) -> None:
    outcome = sending_help.run(study)

    assert outcome.state == "nothing new"
    assert written(outcome) == []
    assert len(packets(study, "AA01")) == 1


def test_candidates_wait_for_the_data_manager(tmp_path: Path) -> None:
    root = sending_help.make_asked_study(tmp_path / "study")
    outcome = sending_help.run(root)

    assert outcome.packets == []
    assert set(queries(root)["state"]) == {"candidate"}
    assert not (root / "vault" / "packets" / "AA01" / "queries").exists()


def test_answers_are_read_first_and_lead_to_a_packet(study: Path) -> None:
    workbook = sending_help.newest_workbook(study, "AA01")
    file = study / "answers" / "AA01" / "back.xlsx"
    sending_help.answer(workbook, file, "value is correct", "wrong words")
    outcome = sending_help.run(study)

    assert outcome.state == "published"
    (taken,) = outcome.answers
    assert (taken["center_id"], taken["n_answers"], len(taken["problems"])) == ("AA01", 1, 1)
    assert written(outcome) == [("AA01", 1, 0)]
    assert "answers: file 'answers/AA01/back.xlsx'" in messages(outcome)
    assert "answers    1 taken" in summary(outcome)
    assert outcome.exit_code == 0
    again = sending_help.run(study)
    assert (again.state, again.answers, written(again)) == ("nothing new", [], [])


def test_answers_are_left_alone_where_the_study_says_so(study: Path) -> None:
    settings = study / "study.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(
        text.replace(AT_ONCE, "queries: {release: at_once, answers: by_hand}\n"), encoding="utf-8"
    )
    workbook = sending_help.newest_workbook(study, "AA01")
    sending_help.answer(workbook, study / "answers" / "AA01" / "back.xlsx", "value is correct")

    assert stages.read_answers(str(study)) == []
    assert set(queries(study)["state"]) == {"open"}
    settings.write_text(text, encoding="utf-8")
    assert [file["n_answers"] for file in stages.read_answers(str(study))] == [1]


def test_a_bug_in_reading_answers_stops_no_publishing(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.sending import answers

    def broken(root: str) -> None:
        raise ZeroDivisionError("a value of a patient")

    monkeypatch.setattr(answers, "take_answers", broken)
    (study / "answers" / "AA01").mkdir(parents=True)
    (study / "answers" / "AA01" / "back.xlsx").write_bytes(b"x")
    sending_help.deliver_again(study, "AA01", "2024-07-14", 0)
    outcome = sending_help.run(study)

    assert outcome.state == "published"
    assert "a bug while answers were read" in messages(outcome)
    assert "a value of a patient" not in messages(outcome)


def test_a_value_that_is_wrong_again_brings_the_question_to_the_center_again(study: Path) -> None:
    sending_help.deliver_again(study, "AA01", "2024-07-14", 0)
    assert written(sending_help.run(study)) == []  # nobody has answered; the data settled it
    sending_help.deliver_again(study, "AA01", "2024-07-24", 1)
    (packet,) = written(sending_help.run(study))
    log = QueryLog.read(study)
    (again,) = log.queries.filter(rule_id="DAT-01", state="open", center_id="AA01").to_dicts()

    # A death date that was there and is gone again may be a question of its own.
    assert packet[0] == "AA01"
    assert packet[1] == packet[2]
    assert again["n_reopened"] == 1
    assert log.events.filter(query_id=again["query_id"])["event"].to_list()[-2:] == [
        "reopened",
        "sent",
    ]


def test_a_packet_that_a_crash_kept_from_being_written_is_written(study: Path) -> None:
    shutil.rmtree(study / "vault" / "packets" / "BB02" / "queries")

    assert written(sending_help.run(study)) == [("BB02", 1, 0)]
    assert len(packets(study, "BB02")) == 1


def test_a_bug_with_one_packet_keeps_no_other_from_being_written(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import warehouse.query_book as book

    write = book.write_query_packet

    def broken(folder: Path, center_id: str, *more: object, **named: object) -> Path:
        if center_id == "AA01":
            raise ZeroDivisionError("a value of a patient")
        return write(folder, center_id, *more, **named)  # type: ignore[arg-type]

    for center in ("AA01", "BB02"):
        shutil.rmtree(study / "vault" / "packets" / center / "queries")
    with monkeypatch.context() as patch:
        patch.setattr(book, "write_query_packet", broken)
        outcome = sending_help.run(study)

    assert [p["state"] for p in outcome.packets] == ["failed", "written"]
    assert "packet of AA01 was not written" in messages(outcome)
    assert "a value of a patient" not in messages(outcome)
    assert written(sending_help.run(study)) == [("AA01", 2, 0)]


def test_a_packet_is_delivered_once(study: Path) -> None:
    place = share(study)
    outcome = sending_help.run(study)
    files = sorted(p.name for p in place.iterdir())
    for file in place.iterdir():
        file.unlink()
    again = sending_help.run(study)

    assert [(p["center_id"], p["delivery"]) for p in outcome.packets] == [("AA01", "delivered")]
    assert [name.rpartition("_")[2] for name in files] == ["queries.csv", "queries.xlsx"]
    assert all(name.startswith("SMALL_AA01_") for name in files)
    assert again.packets == []
    assert not list(place.iterdir())


def test_a_failed_delivery_is_a_warning_and_is_tried_again(
    first: tuple[Path, RunOutcome], study: Path
) -> None:
    outcome = first[1]
    assert outcome.exit_code == 0
    assert [p.get("delivery") for p in outcome.packets] == ["failed", "no address"]
    assert "warning: packet of AA01 was not delivered" in messages(outcome)
    share(study)
    sending_help.run(study)
    log = (study / "vault" / "log" / "packets.jsonl").read_text(encoding="utf-8").splitlines()
    tries = [(json.loads(line)["center_id"], json.loads(line)["state"]) for line in log]
    assert tries == [("AA01", "failed"), ("AA01", "delivered")]


def test_a_packet_that_is_out_of_date_is_written_anew_before_it_is_delivered(study: Path) -> None:
    place = share(study)
    sending_help.deliver_again(study, "AA01", "2024-07-14", 1)  # one of two is corrected
    outcome = sending_help.run(study)

    assert written(outcome) == [("AA01", 1, 0)]
    assert [p["delivery"] for p in outcome.packets] == ["delivered"]
    assert len(list(place.iterdir())) == 2


def test_a_packet_whose_questions_are_all_settled_is_not_delivered(study: Path) -> None:
    place = share(study)
    sending_help.deliver_again(study, "AA01", "2024-07-14", 0)

    assert sending_help.run(study).packets == []
    assert not list(place.iterdir())


def test_a_center_without_an_address_is_told_when_its_packet_is_written(
    first: tuple[Path, RunOutcome], study: Path
) -> None:
    told = messages(first[1])
    assert "no address in 'notification' for the packets of BB02" in told
    assert "names the center 'ZZ99' under 'notification.centers'" in told
    assert "no address" not in messages(sending_help.run(study))


def test_nothing_is_sent_of_a_state_that_the_audit_stopped(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = share(study)
    monkeypatch.setattr(
        stages,
        "judge",
        lambda *given: {"passed": False, "critical_failures": [], "warnings": [], "results": ""},
    )
    sending_help.deliver_again(study, "AA01", "2024-07-14", 1)
    outcome = sending_help.run(study)

    assert outcome.state == "stopped by the audit"
    assert outcome.packets == []
    assert not list(place.iterdir())
