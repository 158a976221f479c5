"""A small reference model of the query loop of one center, in plain Python, written from the design.

It knows nothing of the production code: records are dicts, queries are objects, one loop per sentence.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SILENT = ("confirmed_correct", "not_available")
LIVE = ("candidate", "open", "answered")
Key = tuple[str, str, int]  # patient, kind, day
Records = dict[Key, tuple[int, int]]  # two values: odd ones fail rule ONE and rule TWO
Identity = tuple[str, Key, str]  # rule, record, field
RULES = {"ONE": "category", "TWO": "response_date"}


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


def failing(records: Records, rules: set[str]) -> dict[Identity, str]:
    """Facts that fail: odd first value fails ONE, odd second value TWO; the mark is what it rests on."""
    facts = {}
    for key, (one, two) in records.items():
        if "ONE" in rules and one % 2:
            facts["ONE", key, "category"] = f"{one}"
        if "TWO" in rules and two % 2:
            facts["TWO", key, "response_date"] = f"{key[2]}|{two}"
    return facts


@dataclass
class Center:
    """The queries of a center and the records that it last delivered."""

    at_once: bool
    records: Records = field(default_factory=dict)
    queries: list[Asked] = field(default_factory=list)

    def owner(self, identity: Identity) -> Asked | None:
        """The query on a fact: the live one, else the newest."""
        mine = [q for q in self.queries if q.identity == identity]
        alive = [q for q in mine if q.state in LIVE]
        return (alive or mine or [None])[-1]

    def load(self, records: Records, rules: set[str], ran: set[str], fresh: bool) -> None:
        """A load sees these records, under these rules, of which some could run."""
        before, self.records = self.records, records
        facts = failing(records, rules & ran)
        for query in self.queries:
            query.outcome = None
        seen = {}
        for identity, mark in facts.items():
            query = self.owner(identity)
            if query is not None:
                seen[identity] = query
                self._fails(query, mark, fresh)
        left = {identity: mark for identity, mark in facts.items() if identity not in seen}
        lost = [
            q for q in self.queries
            if (q.state in LIVE or (q.state == "closed" and q.resolution in SILENT))
            and q.identity not in facts and q is self.owner(q.identity)
        ]  # fmt: skip
        gone = [q for q in lost if q.record not in records and q.state in LIVE]
        moves = self._moves(gone, set(before) - set(records), set(records) - set(before))
        for query in lost:
            target = moves.get(id(query))
            if target and (query.rule, target, RULES[query.rule]) in left:
                query.record = target
                mark = left.pop(query.identity)
                query.mark, query.outcome = mark, "changed_still_failing"
                query.answer = None
                if query.state != "candidate":
                    query.state = "open"
            elif query.rule not in rules:
                self._ends(query, "cancelled", "rule_withdrawn", "rule_withdrawn")
            elif query.record not in records and not target:
                self._ends(query, "resolved", "record_withdrawn", "withdrawn")
            elif query.rule not in ran:
                query.outcome = "not_judged"
                query.record = target or query.record
            else:
                self._ends(query, "resolved", "data_corrected", "resolved")
        for (rule, record, _), mark in left.items():
            made = Asked(rule, record, mark, outcome="new")
            if self.at_once:
                made.state, made.released = "open", True
            self.queries.append(made)

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
            query.state = "open" if self.at_once or query.released else "candidate"
            query.resolution, query.answer, query.outcome = None, None, "reopened"
            query.reopened += 1
        query.mark = mark

    @staticmethod
    def _moves(gone: list[Asked], went: set[Key], came: set[Key]) -> dict[int, Key]:
        """The one new record that a lost one can be.

        It agrees in all but what the query is about, and one lost record claims it. If there is none, it is
        the only new record of the patient that is left, where the patient lost only one.
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
        rest = came - set(moves.values())
        for query in gone:
            mine = [n for n in rest if n[0] == query.record[0]]
            lost = [r for r in went if r[0] == query.record[0]]
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
