"""A small reference model of the query loop of one center, in plain Python, written from the design.

It knows nothing of the production code: records are dicts, queries are objects, one loop per sentence.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SILENT = ("confirmed_correct", "not_available")
LIVE = ("candidate", "open", "answered")
Key = tuple[str, str, int]  # patient, kind, day
UNREADABLE = -1
# Category and another number: odd ones fail rule ONE and rule TWO. Nobody can read a category of -1: rule READ.
Records = dict[Key, tuple[int, int]]
Identity = tuple[str, Key, str]  # rule, record, field
RULES = {"ONE": "category", "TWO": "response_date", "READ": "category"}


@dataclass
class Delivery:
    """What a center sent. `subjects`: per patient, whether the date that rule TWO compares with is there."""

    number: int
    records: Records = field(default_factory=dict)
    subjects: dict[str, bool] = field(default_factory=dict)
    category: bool = True  # the column is delivered
    table: bool = True  # the file with the records is
    unreadable: bool = False  # it has rows that nobody can read


@dataclass
class Asked:
    """One query."""

    rule: str
    record: Key
    mark: str
    state: str = "candidate"
    resolution: str | None = None
    released: bool = False
    answer: str | None = None
    reopened: int = 0
    outcome: str | None = None

    @property
    def identity(self) -> Identity:
        """What the query is about."""
        return self.rule, self.record, RULES[self.rule]

    @property
    def had_category(self) -> bool:
        """Whether a category stood there when the rule failed."""
        return self.rule != "TWO" or not self.mark.endswith("none")


def held_by(deliveries: list[Delivery]) -> dict[Key, Delivery]:
    """The records in force, each with the newest delivery that has it."""
    return {key: d for d in deliveries for key in d.records}


def failing(deliveries: list[Delivery], ran: dict[int, set[str]]) -> dict[Identity, str]:
    """Facts that fail in the deliveries in force, with a mark of the values that they rest on."""
    facts = {}
    for key, d in held_by(deliveries).items():
        one, two = d.records[key]
        shown = str(one) if d.category else "none"
        if "ONE" in ran[d.number] and d.category and one > 0 and one % 2:
            facts["ONE", key, "category"] = shown
        if d.category and one == UNREADABLE:
            facts["READ", key, "category"] = shown
        if "TWO" in ran[d.number] and two % 2 and d.subjects.get(key[0]):
            facts["TWO", key, "response_date"] = f"{key[2]}|{two}|{shown}"
    return facts


@dataclass
class Center:
    """The queries of a center and its deliveries in force."""

    at_once: bool
    deliveries: list[Delivery] = field(default_factory=list)
    ever: set[Key] = field(default_factory=set)
    queries: list[Asked] = field(default_factory=list)

    def owner(self, identity: Identity) -> Asked | None:
        """The query on a fact: the live one, else the newest."""
        mine = [q for q in self.queries if q.identity == identity]
        alive = [q for q in mine if q.state in LIVE]
        return (alive or mine or [None])[-1]

    def load(self, deliveries: list[Delivery], rules: set[str], ran: dict[int, set[str]]) -> None:
        """A load sees these deliveries, under these rules, of which some could run."""
        fresh = {d.number for d in deliveries} - {d.number for d in self.deliveries}
        before = self.known_before()
        self.deliveries = deliveries
        held = held_by(deliveries)
        self.ever |= set(held)
        hidden = any(d.unreadable for d in deliveries) or not any(d.table for d in deliveries)
        facts = failing(deliveries, ran)
        for query in self.queries:
            query.outcome = None
        seen = {}
        for identity, mark in facts.items():
            query = self.owner(identity)
            if query is not None:
                seen[identity] = query
                self._fails(query, mark, held[identity[1]].number in fresh)
        left = {identity: mark for identity, mark in facts.items() if identity not in seen}
        lost = [
            q for q in self.queries
            if (q.state in LIVE or (q.state == "closed" and q.resolution in SILENT))
            and q.identity not in facts and q is self.owner(q.identity)
        ]  # fmt: skip
        gone = [q for q in lost if q.record not in held]
        moves = {} if hidden else self._moves(gone, before - set(held), set(held) - before)
        for query in lost:
            target = moves.get(id(query))
            if target and (query.rule, target, RULES[query.rule]) in left:
                query.record = target
                self._followed(query, left.pop(query.identity))
            elif query.rule not in rules:
                self._ends(query, "cancelled", "rule_withdrawn", "rule_withdrawn")
            elif query.record not in held and not target:
                if hidden:
                    query.outcome = "not_judged"
                else:
                    self._ends(query, "resolved", "record_withdrawn", "withdrawn")
            else:
                self._judged(query, target or query.record, held, ran)
        for (rule, record, _), mark in left.items():
            made = Asked(rule, record, mark, outcome="new")
            if self.at_once:
                made.state, made.released = "open", True
            self.queries.append(made)

    def known_before(self) -> set[Key]:
        """The records that are not new: those in force, and all ever while something was out of sight."""
        unjudged = any(q.outcome == "not_judged" for q in self.queries)
        return set(self.ever) if unjudged else set(held_by(self.deliveries))

    def _judged(
        self, query: Asked, record: Key, held: dict[Key, Delivery], ran: dict[int, set[str]]
    ) -> None:
        """The fact fails no more, and the record is there: is everything known that the rule needs?"""
        home = held[record]
        unknown = query.rule != "READ" and query.rule not in ran[home.number]
        unknown |= query.had_category and not home.category
        unknown |= home.category and home.records[record][0] == UNREADABLE
        other = home.subjects.get(record[0])
        elsewhere = any(record[0] in d.subjects for d in self.deliveries)
        if query.rule == "TWO":
            unknown |= other is False or (other is None and elsewhere)
        if unknown:
            query.outcome, query.record = "not_judged", record
        elif query.rule == "TWO" and other is None:
            self._ends(query, "resolved", "record_withdrawn", "withdrawn")
        else:
            self._ends(query, "resolved", "data_corrected", "resolved")

    def _followed(self, query: Asked, mark: str) -> None:
        """The record has another key and fails still."""
        if query.state == "closed" and query.mark == mark:
            confirmed = query.resolution == "confirmed_correct"
            query.outcome = "confirmed" if confirmed else "still_failing"
        elif query.state == "closed":
            self._reopened(query)
        else:
            query.outcome, query.answer = "changed_still_failing", None
            if query.state != "candidate":
                query.state = "open"
        query.mark = mark

    def _reopened(self, query: Asked) -> None:
        query.state = "open" if self.at_once or query.released else "candidate"
        query.resolution, query.answer, query.outcome = None, None, "reopened"
        query.reopened += 1

    @staticmethod
    def _ends(query: Asked, state: str, resolution: str, outcome: str) -> None:
        query.state, query.resolution, query.outcome = state, resolution, outcome

    def _fails(self, query: Asked, mark: str, fresh: bool) -> None:
        same = query.mark == mark
        if query.state in LIVE:
            query.outcome = "still_failing" if same else "changed_still_failing"
            promised = query.state == "answered" and query.answer in (
                "corrected",
                "patient_withdrawn",
            )
            if not same or (promised and fresh):
                if query.state == "answered":
                    query.state = "open"
                query.answer = None
        elif query.state == "closed" and same:
            confirmed = query.resolution == "confirmed_correct"
            query.outcome = "confirmed" if confirmed else "still_failing"
        else:
            self._reopened(query)
        query.mark = mark

    @staticmethod
    def _moves(gone: list[Asked], went: set[Key], came: set[Key]) -> dict[int, Key]:
        """The one new record that a lost one can be.

        It agrees in all but what the query is about, and one lost record claims it. If there is none, it is
        the only new record of the patient and kind that is left, where only one of these was lost.
        """
        fits = {}
        for query in gone:
            patient, kind, day = query.record
            dates = query.rule == "TWO"
            options = [n for n in came if n[:2] == (patient, kind) and (dates or n[2] == day)]
            if len(options) == 1:
                fits[id(query)] = (query.record, options[0])
        claims: dict[Key, set[Key]] = {}
        for record, option in fits.values():
            claims.setdefault(option, set()).add(record)
        moves = {q: option for q, (_, option) in fits.items() if len(claims[option]) == 1}
        told: dict[Key, set[Key]] = {}
        for query in gone:
            if id(query) in moves:
                told.setdefault(query.record, set()).add(moves[id(query)])
        for query in gone:  # where one query finds its record, the others on it follow
            if id(query) not in moves and len(told.get(query.record, ())) == 1:
                moves[id(query)] = min(told[query.record])
        rest = came - set(moves.values())
        for query in gone:
            mine = [n for n in rest if n[:2] == query.record[:2]]
            lost = [r for r in went if r[:2] == query.record[:2]]
            if id(query) not in moves and len(mine) == 1 and lost == [query.record]:
                moves[id(query)] = mine[0]
        return moves

    def answer(self, query: Asked, answer: str) -> None:
        """What the center answers to an open or answered query."""
        query.answer = answer
        if answer in ("correct", "not_available"):
            query.state = "closed"
            query.resolution = "confirmed_correct" if answer == "correct" else "not_available"
        else:
            query.state = "answered"
