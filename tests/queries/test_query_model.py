"""Random sequences of deliveries, answers and rule changes: the query loop equals a small plain model."""

from __future__ import annotations

import datetime as dt
import random
import sys
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.catalog import load_catalog
from schemas.query_frames import FACT, HELD_RECORD, QUERY_EVENT
from warehouse.queries.fold import fold
from warehouse.queries.reconcile import Seen, reconcile
from warehouse.queries.standing import CELL, COLUMN, TABLE, Standing, needs_of
from warehouse.queries.transitions import answer, close, release

sys.path.insert(0, str(Path(__file__).parent))
from query_model import (
    LIVE,
    RULES,
    UNREADABLE,
    Asked,
    Center,
    Delivery,
    Key,
    Records,
    failing,
    held_by,
)

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
ANSWERS = ("corrected", "correct", "not_available", "patient_withdrawn", "other")
CENTERS = 100  # sequences side by side, each a center of its own
RAN = {
    "center_id": pl.String, "rule_id": pl.String, "table": pl.String, "delivery_key": pl.Int32, "ran": pl.Boolean
}  # fmt: skip
SUBJECT = "subject.diagnosis_date"
INVOLVED = {
    "ONE": ["category"],
    "READ": ["category"],
    "TWO": ["response_date", "category", SUBJECT],
}
CATALOG = load_catalog()
World = dict[str, list[Delivery]]  # per center, the deliveries in force


def instance(key: Key) -> str:
    """As the records of responses are told apart."""
    return f"kind={key[1]} response_date={key[2]}"


def record_frame(records: dict[str, dict[Key, int]]) -> pl.DataFrame:
    """HELD_RECORD of all centers, from the number of the delivery of each record."""
    rows = [
        (c, k[0], "response", instance(k), n)
        for c, mine in records.items()
        for k, n in mine.items()
    ]
    return pl.DataFrame(rows, HELD_RECORD, orient="row")


def fact_frame(world: World, ran: dict[int, set[str]]) -> pl.DataFrame:
    """FACT of all centers."""
    rows = []
    for c, mine in world.items():
        held = held_by(mine)
        for (rule, key, name), mark in failing(mine, ran).items():
            known = [f"{n}@" if n == SUBJECT else n for n in INVOLVED[rule]]
            if rule == "TWO" and mark.endswith("none"):
                known.remove("category")
            rows.append(
                (c, key[0], rule, "response", instance(key), name, "error", mark, INVOLVED[rule],
                 held[key].number, 1, 1, rule == "READ", known)
            )  # fmt: skip
    return pl.DataFrame(rows, FACT, orient="row")


def standing(world: World, queries: pl.DataFrame) -> Standing:
    """What the deliveries in force hold of what the queries rested on."""
    every = [(c, d) for c, mine in world.items() for d in mine]
    columns = [
        (c, d.number, "response", name)
        for c, d in every
        for name, there in (("response_date", d.table), ("category", d.table and d.category))
        if there
    ]
    cells = [
        (c, patient, "subject", "", d.number, "diagnosis_date", filled)
        for c, d in every
        for patient, filled in d.subjects.items()
    ]
    hidden = [
        (c, "response")
        for c, mine in world.items()
        if any(d.unreadable for d in mine) or not any(d.table for d in mine)
    ]
    return Standing(
        needs=needs_of(queries, CATALOG),
        cells=pl.DataFrame(cells, CELL, orient="row"),
        columns=pl.DataFrame(columns, COLUMN, orient="row"),
        hidden=pl.DataFrame(hidden, TABLE, orient="row"),
    )


def mutated(records: Records, dice: random.Random) -> Records:
    """Another state of the records: they come, go, change values, cannot be read, or change their day."""
    out = dict(records)
    for key in list(out):
        what = dice.random()
        if what < 0.15:
            del out[key]
        elif what < 0.35:
            out[key] = (dice.choice([UNREADABLE, *range(6)]), dice.randrange(4))
        elif what < 0.5:
            moved = (key[0], key[1], dice.randrange(6))
            if moved not in out:
                values = out.pop(key)
                out[moved] = values if dice.random() < 0.5 else (values[0], dice.randrange(4))
    for _ in range(dice.randrange(3)):
        key = (dice.choice("pq"), dice.choice("AB"), dice.randrange(6))
        out.setdefault(key, (dice.randrange(6), dice.randrange(4)))
    return out


def delivered(number: int, records: Records, part: bool, dice: random.Random) -> Delivery:
    """A delivery of the records, or of a part of them, with what may be wrong with it."""
    sent = Delivery(number, category=dice.random() < 0.85, table=dice.random() < 0.9)
    sent.unreadable = sent.table and dice.random() < 0.1
    lost = 0.3 if sent.unreadable else 0.4 if part else 0.0
    if sent.table:
        sent.records = {k: v for k, v in records.items() if dice.random() >= lost}
    for patient in "pq":
        what = dice.random()
        if what < 0.9 and not (part and dice.random() < 0.4):
            sent.subjects[patient] = what < 0.8
    return sent


def state_of(model: dict[str, Center]) -> list[tuple[object, ...]]:
    """What the model says of every query."""
    return sorted(
        (c, q.record[0], q.rule, instance(q.record), RULES[q.rule], q.state, q.resolution or "",
         q.mark, q.reopened, q.answer or "")
        for c, center in model.items()
        for q in center.queries
    )  # fmt: skip


def state_in(queries: pl.DataFrame) -> list[tuple[object, ...]]:
    """The same of the frame."""
    columns = ("center_id", "patient_id", "rule_id", "instance", "field", "state", "resolution",
               "fingerprint", "n_reopened", "answer")  # fmt: skip
    texts = [pl.col(name).fill_null("") for name in ("resolution", "answer")]
    return sorted(queries.with_columns(texts).select(columns).iter_rows())


class Loop:
    """The production code, driven as the model is."""

    def __init__(self, *, at_once: bool) -> None:
        self.at_once, self.part = at_once, 0
        self.events = pl.DataFrame(schema=QUERY_EVENT)
        self.queries = fold(self.events)
        self.ids = self.live_ids()

    @property
    def now(self) -> dt.datetime:
        return START + dt.timedelta(days=self.part)

    def add(self, events: pl.DataFrame) -> None:
        self.part += 1
        self.events = pl.concat(
            [self.events, events.with_columns(part=pl.lit(self.part, pl.Int64))]
        )
        self.queries = fold(self.events)
        self.ids = self.live_ids()

    def live_ids(self) -> dict[tuple[str, ...], list[str]]:
        """Ids of the live queries by center, patient, rule and instance."""
        columns = ("query_id", "center_id", "patient_id", "rule_id", "instance")
        ids: dict[tuple[str, ...], list[str]] = {}
        alive = self.queries.filter(pl.col("state").is_in(LIVE))
        for id_, *about in alive.select(columns).iter_rows():
            ids.setdefault(tuple(about), []).append(id_)
        return ids

    def id_of(self, center: str, query: Asked) -> str:
        """The live query on a fact: there is one."""
        [found] = self.ids[center, query.record[0], query.rule, instance(query.record)]
        return found


def run_sequences(seed: int, steps: int, *, at_once: bool) -> None:
    """Drives model and code through the same history, and compares them after every step."""
    dice = random.Random(seed)
    model = {f"C{n:03d}": Center(at_once) for n in range(CENTERS)}
    adds = {c for c in model if dice.random() < 0.3}  # centers that add to what they sent
    loop = Loop(at_once=at_once)
    number = 0
    for _ in range(steps):
        rules = {"READ", *(RULES if dice.random() < 0.8 else [dice.choice(["ONE", "TWO"])])}
        world = {c: center.deliveries for c, center in model.items()}
        before = {c: dict.fromkeys(center.known_before(), 0) for c, center in model.items()}
        fresh = {c for c in model if dice.random() < 0.8}  # the others fail or send nothing
        for c in sorted(fresh):
            number += 1
            now = {k: d.records[k] for k, d in held_by(world[c]).items()}
            sent = delivered(number, mutated(now, dice), c in adds and bool(world[c]), dice)
            world[c] = [*world[c], sent] if c in adds else [sent]
        every = [(c, d) for c in model for d in world[c]]
        ran = {
            d.number: {r for r in sorted(rules) if dice.random() < 0.85} | {"READ"}
            for _, d in every
        }
        told = [(c, r, "response", d.number, r in ran[d.number]) for c, d in every for r in rules]
        seen = Seen(
            facts=fact_frame(world, ran),
            now=record_frame(
                {c: {k: d.number for k, d in held_by(world[c]).items()} for c in model}
            ),
            before=record_frame(before),
            ran=pl.DataFrame(told, RAN, orient="row"),
            rules=frozenset(rules),
            fresh=frozenset(d.number for c, d in every if c in fresh and d is world[c][-1]),
            fresh_centers=frozenset(fresh),
            at_once=at_once,
            key=b"k" * 32,
            standing=standing(world, loop.queries),
        )
        events, outcomes = reconcile(loop.queries, seen, loop.now)
        loop.add(events)
        for c, center in model.items():
            center.load(world[c], rules, ran)
        assert state_in(loop.queries) == state_of(model)
        told = sorted((c, q.rule, q.outcome) for c in model for q in model[c].queries if q.outcome)
        assert sorted(outcomes.select("center_id", "rule_id", "outcome").iter_rows()) == told
        people_act(model, loop, dice)
        assert state_in(loop.queries) == state_of(model)
    assert loop.events["query_id"].n_unique() == sum(len(c.queries) for c in model.values())


def people_act(model: dict[str, Center], loop: Loop, dice: random.Random) -> None:
    """Some candidates are released, some open queries answered, some closed by hand."""
    alive = [(c, q) for c in model for q in model[c].queries if q.state in LIVE]
    candidates = [(c, q) for c, q in alive if q.state == "candidate" and dice.random() < 0.6]
    events, problems = release(loop.queries, [loop.id_of(c, q) for c, q in candidates], loop.now)
    loop.add(events)
    for _, query in candidates:
        query.state, query.released = "open", True
    chosen = [
        (c, q, dice.choice(ANSWERS)) for c, q in alive if q.state == "open" and dice.random() < 0.5
    ]
    answers = pl.DataFrame(
        {"query_id": [loop.id_of(c, q) for c, q, _ in chosen], "answer": [a for *_, a in chosen]},
        {"query_id": pl.String, "answer": pl.String},
    ).with_columns(
        *(pl.lit(None, pl.String).alias(n) for n in ("corrected_value", "comment", "answered_by")),
        pl.lit(None, pl.Date).alias("answered_on"),
    )
    events, more = answer(loop.queries, answers, loop.now)
    loop.add(events)
    for c, query, said in chosen:
        model[c].answer(query, said)
    shut = [(c, q) for c, q in alive if q.state in LIVE and dice.random() < 0.05]
    ids = [loop.id_of(c, q) for c, q in shut]
    events, last = close(loop.queries, ids, "duplicate", "asked by another query", loop.now)
    loop.add(events)
    for _, query in shut:
        query.state, query.resolution = "closed", "duplicate"
    assert [*problems, *more, *last] == []


@settings(max_examples=22, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.integers(3, 5), st.booleans())
def test_random_histories_of_2200_centers_give_what_the_plain_model_gives(
    seed: int, steps: int, at_once: bool
) -> None:
    run_sequences(seed, steps, at_once=at_once)
