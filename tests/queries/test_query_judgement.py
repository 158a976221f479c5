"""A query ends only where the data were judged: cases of one query, with answers by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from schemas.query_frames import FACT, QUERY_EVENT, RECORD
from warehouse.queries.fold import fold
from warehouse.queries.reconcile import Seen, reconcile
from warehouse.queries.transitions import answer, close, release, reopen

NOW = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)
RAN = {"center_id": pl.String, "rule_id": pl.String, "table": pl.String, "ran": pl.Boolean}
HERE = ("AA01", "P1")


def fact(
    rule: str, field: str, mark: str = "1", *, unread: bool = False, **more: Any
) -> tuple[Any, ...]:
    table, instance = more.get("table", "treatment_line"), more.get("instance", "line_number=1")
    involved = more.get("involved", [field])
    return (*HERE, rule, table, instance, field, "warning", mark, involved, 7, 1, 1, unread)


def records(*instances: str, table: str = "treatment_line") -> pl.DataFrame:
    return pl.DataFrame([(*HERE, table, i) for i in instances], RECORD, orient="row")


class Loop:
    """One center; `load` tells what a load sees."""

    def __init__(self) -> None:
        self.events = pl.DataFrame(schema=QUERY_EVENT)
        self.part = 0
        self.before = records("line_number=1")

    @property
    def queries(self) -> pl.DataFrame:
        return fold(self.events)

    def add(self, events: pl.DataFrame) -> None:
        self.part += 1
        self.events = pl.concat(
            [self.events, events.with_columns(part=pl.lit(self.part, pl.Int64))]
        )

    def load(
        self, *facts: tuple[Any, ...], now: pl.DataFrame | None = None, **more: Any
    ) -> dict[str, str]:
        now = records("line_number=1") if now is None else now
        rules = more.pop("rules", {"DAT-18", "STR-06", "STR-12", "DLV-01"})
        ran = more.pop("ran", [("AA01", r, "treatment_line", True) for r in rules])
        fresh = more.pop("fresh", True)
        seen = Seen(
            facts=pl.DataFrame(list(facts), FACT, orient="row"),
            now=now,
            before=self.before,
            ran=pl.DataFrame(ran, RAN, orient="row"),
            rules=frozenset(rules),
            fresh=frozenset({7} if fresh else ()),
            fresh_centers=frozenset({"AA01"} if fresh else ()),
            at_once=True,
            key=b"k" * 32,
            lasting=frozenset({"STR-12", "DLV-01"}),
            **more,
        )
        events, outcomes = reconcile(self.queries, seen, NOW)
        self.add(events)
        self.before = now
        return dict(outcomes.select("rule_id", "outcome").iter_rows())

    def state(self, rule: str = "DAT-18") -> tuple[str, str | None]:
        row = self.queries.filter(pl.col("rule_id") == rule).row(0, named=True)
        return row["state"], row["resolution"]

    def answers(self, code: str) -> None:
        frame = pl.DataFrame(
            {"query_id": self.queries["query_id"][:1], "answer": [code]}
        ).with_columns(
            *(
                pl.lit(None, pl.String).alias(n)
                for n in ("corrected_value", "comment", "answered_by")
            ),
            pl.lit(None, pl.Date).alias("answered_on"),
        )
        events, problems = answer(self.queries, frame, NOW)
        assert problems == []
        self.add(events)


@pytest.fixture
def loop() -> Loop:
    """DAT-18 fails about end and start of a line."""
    made = Loop()
    asked = fact("DAT-18", "end_date", involved=["end_date", "start_date"])
    assert made.load(asked) == {"DAT-18": "new"}
    return made


def test_a_rule_that_is_met_resolves_the_query(loop: Loop) -> None:
    assert loop.load() == {"DAT-18": "resolved"}
    assert loop.state() == ("resolved", "data_corrected")


def test_a_value_that_nobody_can_read_now_resolves_nothing(loop: Loop) -> None:
    unread = fact("STR-06", "end_date", unread=True)
    assert loop.load(unread) == {"DAT-18": "not_judged", "STR-06": "new"}
    assert loop.state() == ("open", None)


def test_a_column_that_is_not_delivered_any_more_resolves_nothing(loop: Loop) -> None:
    gone = pl.DataFrame(
        {"center_id": ["AA01"], "table": ["treatment_line"], "column": ["end_date"]}
    )
    assert loop.load(dropped=gone) == {"DAT-18": "not_judged"}
    other = gone.with_columns(column=pl.lit("regimen_text"))
    assert loop.load(dropped=other) == {"DAT-18": "resolved"}


def test_a_rule_that_ran_on_another_table_only_resolves_nothing(loop: Loop) -> None:
    ran = [("AA01", "DAT-18", "treatment_line", False), ("AA01", "DAT-18", "risk", True)]
    assert loop.load(ran=ran) == {"DAT-18": "not_judged"}


def test_a_record_whose_whole_key_was_corrected_is_followed_where_it_is_the_only_one(
    loop: Loop,
) -> None:
    assert loop.load(now=records("line_number=3")) == {"DAT-18": "resolved"}
    assert loop.state() == ("resolved", "data_corrected")


def test_of_two_new_records_nobody_can_tell_which_it_is(loop: Loop) -> None:
    assert loop.load(now=records("line_number=2", "line_number=3")) == {"DAT-18": "withdrawn"}


def test_an_exception_ends_when_the_value_is_right_and_does_not_come_back(loop: Loop) -> None:
    asked = fact("DAT-18", "end_date", involved=["end_date", "start_date"])
    loop.answers("correct")
    assert loop.load(asked) == {"DAT-18": "confirmed"}
    assert loop.load() == {"DAT-18": "resolved"}
    assert loop.load(asked) == {"DAT-18": "reopened"}
    assert loop.state() == ("open", None)


def test_only_a_delivery_that_holds_the_record_breaks_a_promise(loop: Loop) -> None:
    asked = fact("DAT-18", "end_date", involved=["end_date", "start_date"])
    loop.answers("corrected")
    loop.load(asked, fresh=False)
    assert loop.state() == ("answered", None)
    loop.load(asked)
    assert loop.state() == ("open", None)


@pytest.mark.parametrize("rule", ["DLV-01", "STR-12"])
def test_a_question_on_a_change_does_not_pass_by_itself(rule: str) -> None:
    loop = Loop()
    where = {"table": "subject", "instance": ""}
    here = records("", table="subject") if rule == "DLV-01" else records()
    loop.load(fact(rule, "death_date", **where), now=here)
    assert loop.load(now=here) == {rule: "still_failing"}
    loop.answers("corrected")
    assert loop.load(now=here) == {rule: "still_failing"}
    assert loop.state(rule) == ("open", None)  # promised, and not done


def test_a_changed_date_that_changes_again_is_settled() -> None:
    loop = Loop()
    here = records("", table="subject")
    loop.load(fact("DLV-01", "death_date", table="subject", instance=""), now=here)
    changed = frozenset(loop.queries["query_id"])
    assert loop.load(now=here, changed=changed) == {"DLV-01": "resolved"}


def test_a_lost_patient_who_is_back_is_settled_and_one_who_left_as_answered_too() -> None:
    lost = fact("STR-12", "patient_id", table="subject", instance="")
    back = Loop()
    back.load(lost, now=records())
    assert back.load(now=records("", table="subject")) == {"STR-12": "resolved"}
    gone = Loop()
    gone.load(lost, now=records())
    gone.answers("patient_withdrawn")
    assert gone.load(now=records()) == {"STR-12": "withdrawn"}
    assert gone.state("STR-12") == ("resolved", "record_withdrawn")


def test_a_closed_query_can_be_asked_again_by_hand_and_no_hand_says_that_data_are_corrected(
    loop: Loop,
) -> None:
    ids = loop.queries["query_id"].to_list()
    with pytest.raises(ValueError, match="confirmed_correct, not_available, duplicate"):
        close(loop.queries, ids, "data_corrected", "said so", NOW)
    events, _ = close(loop.queries, ids, "duplicate", "asked twice", NOW)
    loop.add(events)
    assert loop.state() == ("closed", "duplicate")
    events, problems = reopen(loop.queries, ids, "it was not", NOW)
    loop.add(events)
    assert (loop.state(), problems) == (("open", None), [])
    assert reopen(loop.queries, ids, "again", NOW)[1] == [
        f"{ids[0]}: it is open; only what is closed can be reopened"
    ]
    assert release(loop.queries, ids, NOW)[1] == [
        f"{ids[0]}: it is open; only what is candidate can be released"
    ]
