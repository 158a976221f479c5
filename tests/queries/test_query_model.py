"""Random sequences of deliveries, answers and rule changes: the query loop equals a small plain model."""

from __future__ import annotations

import datetime as dt
import random
import sys
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.query_frames import FACT, QUERY_EVENT, RECORD
from warehouse.queries.fold import fold
from warehouse.queries.reconcile import Seen, reconcile
from warehouse.queries.transitions import answer, close, release

sys.path.insert(0, str(Path(__file__).parent))
from query_model import LIVE, RULES, Asked, Center, Key, Records, failing

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
ANSWERS = ("corrected", "correct", "not_available", "patient_withdrawn", "other")
CENTERS = 100  # sequences side by side, each a center of its own
RAN = {"center_id": pl.String, "rule_id": pl.String, "table": pl.String, "ran": pl.Boolean}
INVOLVED = {"ONE": ["category"], "TWO": ["response_date", "category"]}


def instance(key: Key) -> str:
    """As the records of responses are told apart."""
    return f"kind={key[1]} response_date={key[2]}"


def number_of(center: str) -> int:
    """Number of the delivery of a center; each has one in force."""
    return int(center[1:])


def record_frame(records: dict[str, Records]) -> pl.DataFrame:
    """RECORD of all centers."""
    rows = [(c, k[0], "response", instance(k)) for c, mine in records.items() for k in mine]
    return pl.DataFrame(rows, RECORD, orient="row")


def fact_frame(records: dict[str, Records], judged: dict[str, set[str]]) -> pl.DataFrame:
    """FACT of all centers."""
    rows = [
        (c, key[0], rule, "response", instance(key), name, "error", mark, INVOLVED[rule],
         number_of(c), 1, 1, False)
        for c, mine in records.items()
        for (rule, key, name), mark in failing(mine, judged[c]).items()
    ]  # fmt: skip
    return pl.DataFrame(rows, FACT, orient="row")


def mutated(records: Records, dice: random.Random) -> Records:
    """Another delivery: records come, go, change values or their day."""
    out = dict(records)
    for key in list(out):
        what = dice.random()
        if what < 0.15:
            del out[key]
        elif what < 0.35:
            out[key] = (dice.randrange(6), dice.randrange(4))
        elif what < 0.5:
            moved = (key[0], key[1], dice.randrange(6))
            if moved not in out:
                values = out.pop(key)
                out[moved] = values if dice.random() < 0.5 else (values[0], dice.randrange(4))
    for _ in range(dice.randrange(3)):
        key = (dice.choice("pq"), dice.choice("AB"), dice.randrange(6))
        out.setdefault(key, (dice.randrange(6), dice.randrange(4)))
    return out


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

    @property
    def queries(self) -> pl.DataFrame:
        return fold(self.events)

    @property
    def now(self) -> dt.datetime:
        return START + dt.timedelta(days=self.part)

    def add(self, events: pl.DataFrame) -> None:
        self.part += 1
        self.events = pl.concat(
            [self.events, events.with_columns(part=pl.lit(self.part, pl.Int64))]
        )

    def id_of(self, center: str, query: Asked) -> str:
        """The live query on a fact."""
        found = self.queries.filter(
            pl.col("state").is_in(LIVE), pl.col("center_id") == center,
            pl.col("patient_id") == query.record[0], pl.col("rule_id") == query.rule,
            pl.col("instance") == instance(query.record),
        )  # fmt: skip
        return str(found["query_id"].item())


def run_sequences(seed: int, steps: int, *, at_once: bool) -> None:
    """Drives model and code through the same history, and compares them after every step."""
    dice = random.Random(seed)
    model = {f"C{n:03d}": Center(at_once) for n in range(CENTERS)}
    loop = Loop(at_once=at_once)
    for _ in range(steps):
        rules = set(RULES) if dice.random() < 0.8 else {dice.choice(list(RULES))}
        before = {c: center.records for c, center in model.items()}
        fresh = {c for c in model if dice.random() < 0.8}
        after = {c: mutated(r, dice) if c in fresh else r for c, r in before.items()}
        ran = {c: {r for r in rules if dice.random() < 0.85} for c in model}
        pairs = [(c, rule, "response", rule in ran[c]) for c in model for rule in rules]
        seen = Seen(
            facts=fact_frame(after, ran),
            now=record_frame(after),
            before=record_frame(before),
            ran=pl.DataFrame(pairs, RAN, orient="row"),
            rules=frozenset(rules),
            fresh=frozenset(map(number_of, fresh)),
            fresh_centers=frozenset(fresh),
            at_once=at_once,
            key=b"k" * 32,
        )
        events, outcomes = reconcile(loop.queries, seen, loop.now)
        loop.add(events)
        for c, center in model.items():
            center.load(after[c], rules, ran[c], c in fresh)
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
