"""What a center is told of a finding: what is not met, and what it is asked; for both files of a packet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from schemas.queries import Words, in_language
from schemas.query_notes import Notes
from schemas.rule_partial import MAY_VIOLATE
from warehouse.packet_asks import asked

_KEYS = ("rule_id", "about_table", "about_column")
_GIVEN = ("rule_id", "english", "title", "sentence", "query")


def with_texts(
    frame: pl.DataFrame, rules: Sequence[Mapping[str, Any]], words: Words
) -> pl.DataFrame:
    """The frame with `title` of the rule, `possible`, `told` and `ask`, in the language of `words`.

    `possible`: the rule may not be met, as far as partial dates tell. `told`: what is wrong, as a
    sentence; `ask`: what the center is to do or to answer.

    Args:
        frame: `rule_id`, `message` (null: the rule's own sentence), `about_table` and `about_column`
            (the first field of the finding).
        rules: Entries with `id`, `title`, `sentence`, `query` and, by kind of column, `asks`.
        words: Of the language.
    """
    rules_told = in_language(rules, words.language)
    known = pl.DataFrame(
        {
            "rule_id": [rule["id"] for rule in rules],
            "english": [str(rule.get("query") or "") for rule in rules],
            **{key: [rule[key] for rule in rules_told] for key in _GIVEN[2:]},
        },
        schema=dict.fromkeys(_GIVEN, pl.String()),
    )
    frame = frame.join(known, on="rule_id", how="left", maintain_order="left")
    asks = asked(frame, rules_told, words)
    frame = frame.join(asks, on=list(_KEYS), how="left", maintain_order="left")
    # A message that only repeats what to do says nothing new; the rule's sentence does.
    repeats = (pl.col("message") == pl.col("english")).fill_null(value=True)
    notes = _notes(frame["message"], words.language)
    message = pl.when(repeats).then("sentence").otherwise(notes).fill_null("")
    possible = (pl.col("message") == MAY_VIOLATE).fill_null(value=False)
    full_date = pl.lit(words("Please give the full date."))
    return frame.with_columns(
        pl.col("title").fill_null(pl.col("rule_id")),
        possible.alias("possible"),
        (message.str.slice(0, 1).str.to_uppercase() + message.str.slice(1)).alias("told"),
        pl.when(possible).then(full_date).otherwise(pl.coalesce("asked", "query")).alias("ask"),
    ).drop("english", "sentence", "query", "asked")


def _notes(messages: pl.Series, language: str | None) -> pl.Expr:
    """The messages of findings in a language, made once per distinct message."""
    notes = Notes(language)
    distinct = messages.drop_nulls().unique().to_list()
    return pl.col("message").replace({text: notes(text) for text in distinct})
