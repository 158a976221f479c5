"""The data manager's page: all centers, rules by centers, and the queries behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reports.scorecard.center_page import MEANINGS
from reports.scorecard.figures import Shown, shown
from reports.scorecard.page import changed, page
from reports.scorecard.read import Scorecards
from reports.scorecard.words import Speech

# Figure → heading; the page of a center has whole words for them.
HEADS = {
    "completeness": "Completeness",
    "conformance": "Conformance",
    "plausibility": "Plausibility",
    "known": "Values known",
    "held": "Rows held back",
    "open": "Open",
    "open_per_100": "Open per 100 patients",
    "open_age_median": "Median age of open",
    "open_age_oldest": "Oldest open",
    "answered": "Answered",
    "candidate": "Candidates",
    "days_to_answer": "Time to answer",
    "by_data": "Settled by data",
    "reopened": "Came back",
    "not_corrected": "Answer not borne out",
}
LIVE = ("open", "answered", "candidate")
STATES = (*LIVE, "resolved", "closed", "cancelled")
SEVERITIES = ("error", "warning", "info")
_SHADES = ((1, "h1"), (3, "h2"), (6, "h3"), (11, "h4"))  # from so many queries on


@dataclass(frozen=True, slots=True)
class Cell:
    """A rule in a center. `target` is the first of its queries in the list."""

    center: str
    n: int
    shade: str
    target: str
    judged: bool
    share: str
    said: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A figure with its place among the centers, which the data manager sees whole."""

    name: str
    now: str
    counted: str
    difference: str
    change: str
    value: float | None
    place: str


def study_page(cards: Scorecards) -> str:
    """The page as HTML, in English."""
    speech = Speech("en")
    heat = _heat(cards, speech)
    shown_rules = [rule for rule, _, _ in heat]
    asked = {row["rule_id"] for row in cards.queries} - {r["rule_id"] for r in shown_rules}
    filtered = [*shown_rules, *(_rule(cards, rule) for rule in sorted(asked))]
    return page(
        "study.html.j2",
        ("scorecard.css", "study.css"),
        "scorecard.js",
        say=speech,
        heads=HEADS,
        title=cards.title,
        day=cards.day(cards.now),
        load_id=cards.now.load_id,
        before=cards.day(cards.before) if cards.before else "",
        counts={state: _sum(cards, state) for state in LIVE},
        n_queries=cards.n_queries,
        centers=cards.centers,
        table=[
            (
                center,
                day.isoformat() if (day := cards.deliveries.get(center)) else "",
                [
                    _placed(cards, center, shown(cards, center, name, speech))
                    for name in HEADS
                ],
            )
            for center in cards.centers
        ],
        changed=lambda item: changed(item, speech),
        heat=heat,
        n_silent=len(cards.rules) - len(heat),
        rules=sorted(filtered, key=lambda rule: str(rule["rule_id"])),
        severities=[s for s in SEVERITIES if any(r["severity"] == s for r in filtered)],
        categories=sorted({str(rule["category"] or "") for rule in filtered} - {""}),
        states=STATES,
        queries=[
            {**row, "title": rule["title"], "category": rule["category"]}
            for row in cards.queries
            for rule in (_rule(cards, row["rule_id"]),)
        ],
        meanings=MEANINGS,
    )  # fmt: skip


def _sum(cards: Scorecards, state: str) -> int:
    values = (cards.figure(center, state).value for center in cards.centers)
    return round(sum(value for value in values if value is not None))


def _placed(cards: Scorecards, center: str, item: Shown) -> Placed:
    figure = cards.figure(center, item.name)
    place = f"{figure.rank} of {figure.n_ranked}" if figure.rank is not None else ""
    return Placed(
        item.name, item.now, item.counted, item.difference, item.change, item.value, place
    )


def _rule(cards: Scorecards, rule_id: str) -> dict[str, Any]:
    nothing = {"rule_id": rule_id, "title": rule_id, "severity": "", "category": ""}
    return cards.rules.get(rule_id, nothing)


def _heat(cards: Scorecards, speech: Speech) -> list[tuple[dict[str, Any], int, list[Cell]]]:
    """Rules with something to see, those with most queries first: rule, queries in all, cells."""
    first: dict[tuple[str, str], str] = {}
    for row in cards.queries:
        if row["state"] in LIVE:
            first.setdefault((row["rule_id"], row["center_id"]), row["query_id"])
    made = []
    for rule_id in dict.fromkeys((*cards.rules, *(rule for rule, _ in cards.cells))):
        found = [cards.cells.get((rule_id, center)) for center in cards.centers]
        rule = _rule(cards, rule_id)
        is_shown = [cell and (_live(cell) or cell["n_failed"]) for cell in found]
        # Rules that only inform ask nobody.
        if not any(is_shown) or rule["severity"] == "info":
            continue
        cells = [
            _cell(rule, center, cell, first.get((rule_id, center), ""), speech)
            for center, cell in zip(cards.centers, found, strict=True)
        ]
        made.append((rule, sum(cell.n for cell in cells), cells))
    return sorted(made, key=lambda line: (-line[1], str(line[0]["rule_id"])))


def _live(cell: dict[str, Any]) -> int:
    return int(cell["n_open"] + cell["n_answered"] + cell["n_candidate"])


def _cell(
    rule: dict[str, Any], center: str, cell: dict[str, Any] | None, target: str, speech: Speech
) -> Cell:
    n = _live(cell) if cell else 0
    counted = bool(cell and cell["n_judged"])
    share = speech.share(cell["n_failed"] / cell["n_judged"]) if cell and counted else ""
    shade = next((name for least, name in reversed(_SHADES) if n >= least), "h0")
    said = ", ".join(
        f"{cell[f'n_{state}']} {state}" for state in LIVE if cell and cell[f"n_{state}"]
    )
    told = (
        f"{center}, {rule['rule_id']}: {said}; {f'{share} failing' if share else 'share not known'}"
    )
    judged = bool(cell and cell["is_judged"])
    return Cell(center, n, shade, target, judged or n > 0, share, told)
