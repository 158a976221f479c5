"""The page of one center, in its language: its own figures, its place, what moved, what waits.

It holds no id and no value of a patient, and of other centers only places and medians.
"""

from __future__ import annotations

from typing import Any

from reports.scorecard.figures import FEWEST_CENTERS, OF_CENTER, shown, text_of
from reports.scorecard.page import changed, page
from reports.scorecard.read import Scorecards
from reports.scorecard.trend import MOST_BARS, bars, drawing
from reports.scorecard.words import Speech
from schemas.queries import in_language

MOVED = ("n_asked", "n_answered", "n_by_data", "n_otherwise", "n_not_corrected", "n_reopened")
TREND = ("completeness", "conformance", "plausibility", "held", "open", "days_to_answer")
MEANINGS = (
    "completeness", "conformance", "plausibility", "known", "held", "open_per_100",
    "days_to_answer", "by_data", "reopened", "not_corrected",
)  # fmt: skip
_AGES = ("n_open", "n_answered", "n_30", "n_60", "n_90", "n_more")


def center_page(cards: Scorecards, center: str, language: str | None) -> str:
    """The page as HTML.

    Args:
        cards: Of the whole study.
        center: Its id.
        language: `en`, `de` or `es`; anything else means English.
    """
    speech = Speech(language)
    moved = cards.moved.get(center, {})
    waiting = _waiting(cards, center, speech)
    known = cards.levels.get((center, "known"), {})
    drawn = bars(cards, center)
    words = (speech("state_open"), speech("state_answered"))
    delivered = cards.deliveries.get(center)
    return page(
        "center.html.j2",
        ("scorecard.css",),
        say=speech,
        center=center,
        title=cards.title,
        day=cards.day(cards.now),
        before=cards.day(cards.before) if cards.before else "",
        delivered=delivered.isoformat() if delivered else "",
        figures=[shown(cards, center, name, speech) for name in OF_CENTER],
        changed=lambda item: changed(item, speech),
        missing=[
            (name, (figure.denominator or 0) - (figure.numerator or 0), figure.denominator)
            for name, figure in known.items()
            if (figure.denominator or 0) > (figure.numerator or 0)
        ],
        has_known=bool(known),
        moved=[(name, moved[name]) for name in MOVED if moved.get(name)],
        waiting=waiting,
        totals=[
            *(sum(row[name] for row in waiting) for name in _AGES),
            max((row["oldest"] for row in waiting), default=0),
        ],
        drawing=drawing(drawn, speech("trend_bars"), words) if drawn else None,
        trend_names=TREND,
        trend=_trend(cards, center, speech),
        meanings=MEANINGS,
        fewest=FEWEST_CENTERS,
    )


def _waiting(cards: Scorecards, center: str, speech: Speech) -> list[dict[str, Any]]:
    """Open and answered queries by rule, with the rule's title in the language."""
    rows = cards.waiting.get(center, [])
    told = {rule["id"]: rule["title"] for rule in _titles(cards, rows, speech)}
    return [
        {
            **row,
            "title": told.get(row["rule_id"], row["rule_id"]),
            "severity": speech(row["severity"]),
        }
        for row in rows
    ]


def _titles(cards: Scorecards, rows: list[dict[str, Any]], speech: Speech) -> list[dict[str, Any]]:
    from schemas.catalog import load_catalog

    wanted = {row["rule_id"] for row in rows}
    rules = [rule for rule in load_catalog().compiled["rules"] if rule["id"] in wanted]
    declared = {rule["id"] for rule in rules}
    return [
        *in_language(rules, speech.language),
        # A rule of an earlier version has its English title in the warehouse alone.
        *(
            {"id": rule, "title": cards.rules[rule]["title"]}
            for rule in wanted - declared
            if rule in cards.rules
        ),
    ]


def _trend(cards: Scorecards, center: str, speech: Speech) -> list[tuple[str, list[str]]]:
    return [
        (
            cards.day(period),
            [
                text_of(
                    name, cards.figure(center, name, load_id=period.load_id).value, speech
                )
                for name in TREND
            ],
        )
        for period in cards.periods[-MOST_BARS:]
    ]  # fmt: skip
