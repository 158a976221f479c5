"""A query ends only where the data were judged: cases of one query, with answers by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from schemas.query_frames import FACT, HELD_RECORD, QUERY_EVENT
from warehouse.queries.fold import fold
from warehouse.queries.reconcile import Seen, reconcile
from warehouse.queries.standing import CELL, COLUMN, NEED, TABLE, Standing
from warehouse.queries.transitions import answer, close, release, reopen

NOW = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)
RAN = {
    "center_id": pl.String, "rule_id": pl.String, "table": pl.String, "delivery_key": pl.Int32, "ran": pl.Boolean
}  # fmt: skip
HERE = ("AA01", "P1")


def fact(
    rule: str, field: str, mark: str = "1", *, unread: bool = False, **more: Any
) -> tuple[Any, ...]:
    table, instance = more.get("table", "treatment_line"), more.get("instance", "line_number=1")
    involved = more.get("involved", [field])
    return (
        *HERE,
        rule,
        table,
        instance,
        field,
        "warning",
        mark,
        involved,
        7,
        1,
        1,
        unread,
        more.get("known", involved),
    )


def records(*instances: str, table: str = "treatment_line") -> pl.DataFrame:
    return pl.DataFrame([(*HERE, table, i, 7) for i in instances], HELD_RECORD, orient="row")


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
        ran = more.pop("ran", [("AA01", r, "treatment_line", 7, True) for r in rules])
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


def standing(loop: Loop, **more: Any) -> Standing:
    """What stands of the first query: its own needs, and all columns delivered."""
    query_id = loop.queries["query_id"][0]
    needs = more.pop(
        "needs", [("treatment_line", "end_date", None), ("treatment_line", "start_date", None)]
    )
    columns = more.pop("columns", ["treatment_line.end_date", "treatment_line.start_date"])
    where = [("AA01", 7, *name.split(".")) for name in columns]
    return Standing(
        needs=pl.DataFrame([(query_id, *need) for need in needs], NEED, orient="row"),
        columns=pl.DataFrame(where, COLUMN, orient="row"),
        cells=pl.DataFrame(more.pop("cells", []), CELL, orient="row"),
        hidden=pl.DataFrame([("AA01", t) for t in more.pop("hidden", [])], TABLE, orient="row"),
        **more,
    )


def test_a_column_that_is_not_delivered_any_more_resolves_nothing_however_many_loads_pass(
    loop: Loop,
) -> None:
    without = standing(loop, columns=["treatment_line.start_date"])
    for _ in range(3):
        assert loop.load(standing=without) == {"DAT-18": "not_judged"}
    assert loop.load(standing=standing(loop)) == {"DAT-18": "resolved"}


def test_a_rule_that_ran_on_another_table_only_resolves_nothing(loop: Loop) -> None:
    ran = [("AA01", "DAT-18", "treatment_line", 7, False), ("AA01", "DAT-18", "risk", 7, True)]
    assert loop.load(ran=ran) == {"DAT-18": "not_judged"}


def test_a_rule_that_ran_on_another_delivery_than_that_of_the_record_resolves_nothing(
    loop: Loop,
) -> None:
    ran = [
        ("AA01", "DAT-18", "treatment_line", 6, True),
        ("AA01", "DAT-18", "treatment_line", 7, False),
    ]
    assert loop.load(ran=ran) == {"DAT-18": "not_judged"}


OTHER = [("infusion", "infusion_date", "infusion_number=1")]


@pytest.mark.parametrize(
    ("cell", "more", "outcome"),
    [
        (("infusion_number=1", 7, True), {}, "resolved"),
        (("infusion_number=1", 7, False), {}, "not_judged"),
        # Another infusion is not the one that the rule compared with.
        (("infusion_number=2", 7, True), {}, "withdrawn"),
        # It is there, in another delivery, which the rule did not see; or where nobody can see it.
        (("infusion_number=1", 6, True), {}, "not_judged"),
        (("infusion_number=2", 7, True), {"hidden": ["infusion"]}, "not_judged"),
    ],
)
def test_what_became_of_the_record_of_another_table_decides_too(
    loop: Loop, cell: tuple[str, int, bool], more: dict[str, Any], outcome: str
) -> None:
    instance, delivery, filled = cell
    cells = [(*HERE, "infusion", instance, delivery, "infusion_date", filled)]
    now = standing(loop, needs=OTHER, cells=cells, **more)
    assert loop.load(standing=now) == {"DAT-18": outcome}
    if outcome == "withdrawn":
        assert loop.state() == ("resolved", "record_withdrawn")


def test_a_record_of_another_table_is_the_same_where_its_needed_value_is_part_of_its_key(
    loop: Loop,
) -> None:
    needs = [("lesion", "category", "site=LIVER category=EXTRAOSSEOUS")]
    cell = (*HERE, "lesion", "site=LIVER category=PARAOSSEOUS", 7, "category", True)
    assert loop.load(standing=standing(loop, needs=needs, cells=[cell])) == {"DAT-18": "resolved"}


def test_a_record_held_for_its_own_sake_is_no_evidence_where_the_rule_looks_past_it(
    loop: Loop,
) -> None:
    cells = [(*HERE, "infusion", "infusion_number=1", 7, "infusion_date", True)]
    held = fact("STR-06", "product", table="infusion", instance="infusion_number=1")
    holding = frozenset({"STR-06"})
    past = standing(loop, needs=OTHER, cells=cells, holding=holding, sound=frozenset({"DAT-18"}))
    assert loop.load(held, standing=past)["DAT-18"] == "not_judged"
    seen = standing(loop, needs=OTHER, cells=cells, holding=holding)
    assert loop.load(held, standing=seen)["DAT-18"] == "resolved"


def test_an_unreadable_value_beside_the_record_resolves_nothing_where_the_rule_looks_there(
    loop: Loop,
) -> None:
    beside = standing(loop, beside=frozenset({"DAT-18"}))
    delivered = fact("DAT-01", "start_date", unread=True, instance="line_number=2")
    rules = {"DAT-18", "DAT-01", "DAT-17"}
    assert loop.load(delivered, rules=rules, standing=beside)["DAT-18"] == "not_judged"
    empty = fact("DAT-17", "start_date", unread=True, instance="line_number=2", known=[])
    assert loop.load(empty, rules=rules, standing=beside)["DAT-18"] == "resolved"


def test_an_unreadable_value_beside_the_record_is_nothing_to_a_rule_on_the_record_alone(
    loop: Loop,
) -> None:
    delivered = fact("DAT-01", "start_date", unread=True, instance="line_number=2")
    told = loop.load(delivered, rules={"DAT-18", "DAT-01"}, standing=standing(loop))
    assert told["DAT-18"] == "resolved"


def test_a_value_that_a_row_of_another_sheet_may_hold_is_not_taken_for_empty(loop: Loop) -> None:
    own = (*HERE, "treatment_line", "line_number=1", 7, "end_date", False)
    readable = standing(loop, cells=[own])
    unreadable = standing(loop, cells=[own], hidden=["treatment_line"])
    assert loop.load(standing=unreadable) == {"DAT-18": "not_judged"}
    assert loop.load(standing=readable) == {"DAT-18": "resolved"}


def test_a_rule_on_the_whole_study_that_did_not_see_a_held_record_resolves_nothing(
    loop: Loop,
) -> None:
    study = frozenset({"DAT-18"})
    assert loop.load(standing=standing(loop, study=study)) == {"DAT-18": "not_judged"}
    valid = standing(loop, study=study, valid=records("line_number=1"))
    assert loop.load(standing=valid) == {"DAT-18": "resolved"}


def test_a_record_that_nobody_can_see_is_not_withdrawn(loop: Loop) -> None:
    loop.answers("correct")
    hidden = standing(loop, hidden=["treatment_line"])
    for _ in range(2):
        assert loop.load(now=records(), standing=hidden) == {"DAT-18": "not_judged"}
    assert loop.state() == ("closed", "confirmed_correct")
    assert loop.load(now=records()) == {"DAT-18": "withdrawn"}


def test_a_question_on_a_file_that_is_not_delivered_stays(loop: Loop) -> None:
    place = fact("STR-06", "", table=None, instance="source=labs", known=[])
    place = (place[0], None, *place[2:])
    loop.load(place)
    ids = loop.queries.filter(pl.col("rule_id") == "STR-06")["query_id"]
    absent = Standing(unseen=frozenset(ids))
    assert loop.load(standing=absent)["STR-06"] == "not_judged"
    assert loop.load(standing=Standing())["STR-06"] == "resolved"


RESPONSE = "line_number=1 kind=BEST response_date=2024-01-0"


def of_response(day: int, mark: str = "1") -> tuple[Any, ...]:
    return fact("RSP-01", "category", mark, table="response", instance=f"{RESPONSE}{day}")


@pytest.fixture
def response() -> Loop:
    """RSP-01 fails about the category of a response."""
    made = Loop()
    made.before = records(f"{RESPONSE}1", table="response")
    made.load(of_response(1), now=made.before, rules={"RSP-01"}, ran=ON_RESPONSE)
    return made


ON_RESPONSE = [("AA01", "RSP-01", "response", 7, True)]


def test_a_record_of_which_only_a_date_of_the_key_was_corrected_is_followed(response: Loop) -> None:
    moved = records(f"{RESPONSE}3", table="response")
    told = response.load(now=moved, rules={"RSP-01"}, ran=ON_RESPONSE)
    assert told == {"RSP-01": "resolved"}
    assert response.state("RSP-01") == ("resolved", "data_corrected")


@pytest.mark.parametrize(
    ("mark", "outcome", "state"),
    [("1", "confirmed", ("closed", "confirmed_correct")), ("2", "reopened", ("open", None))],
)
def test_an_exception_follows_its_record_while_the_value_is_the_same(
    response: Loop, mark: str, outcome: str, state: tuple[str, str | None]
) -> None:
    response.answers("correct")
    moved = records(f"{RESPONSE}3", table="response")
    told = response.load(of_response(3, mark), now=moved, rules={"RSP-01"}, ran=ON_RESPONSE)
    assert told == {"RSP-01": outcome}
    assert response.state("RSP-01") == state
    assert response.queries["instance"].to_list() == [f"{RESPONSE}3"]


def test_an_exception_whose_record_moved_while_the_rule_could_not_run_stays(response: Loop) -> None:
    response.answers("correct")
    moved = records(f"{RESPONSE}3", table="response")
    off = [("AA01", "RSP-01", "response", 7, False)]
    assert response.load(now=moved, rules={"RSP-01"}, ran=off) == {"RSP-01": "not_judged"}
    assert response.state("RSP-01") == ("closed", "confirmed_correct")


@pytest.mark.parametrize(
    "other",
    ["line_number=2 kind=BEST response_date=2024-01-03",
     "line_number=1 kind=PROGRESSION response_date=2024-01-03"],
)  # fmt: skip
def test_a_record_of_another_line_or_kind_is_not_the_lost_one(response: Loop, other: str) -> None:
    now = records(other, table="response")
    assert response.load(now=now, rules={"RSP-01"}, ran=ON_RESPONSE) == {"RSP-01": "withdrawn"}


def test_another_line_in_the_place_of_a_line_is_another_record(loop: Loop) -> None:
    assert loop.load(now=records("line_number=3")) == {"DAT-18": "withdrawn"}
    assert loop.state() == ("resolved", "record_withdrawn")


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
