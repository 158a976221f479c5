"""The frames of the query loop: what its parts hand to each other, and the codes of its states.

The log of events in the vault is the truth: nothing in it is changed or deleted, and the state of every query is
folded from it. States and resolutions are those of CDISC ODM v2. Identified frames stay in the vault
and the packets; the published warehouse gets them without ids of centers, values, comments and names.
"""

from __future__ import annotations

import polars as pl

CANDIDATE, OPEN, ANSWERED, CLOSED, CANCELLED, RESOLVED = STATES = (
    "candidate",  # only the data manager sees it
    "open",  # the center is asked
    "answered",  # the center has answered; the next delivery or the data manager decides
    "closed",  # settled without a change of the data
    "cancelled",  # the question itself is void
    "resolved",  # the data settled it
)
ENDED = (CLOSED, CANCELLED, RESOLVED)
RESOLUTIONS = (
    "data_corrected",
    "confirmed_correct",
    "not_available",
    "record_withdrawn",
    "rule_withdrawn",
    "duplicate",
)
# What happened to a query, in `event`.
EVENTS = (
    "created",
    "released",
    "sent",
    "answered",
    "confirmed",  # "value is correct": closed, and an exception holds until the value changes
    "not_corrected",  # answered, and the next delivery holds the same value: open again
    "changed_still_failing",
    "record_changed",  # the record's own key was corrected; the query follows it
    "resolved",
    "withdrawn",
    "reopened",
    "closed",
    "cancelled",
)
# What a load found of a query, in `outcome` of `quality.query` and `quality.query_load`.
OUTCOMES = (
    "new",
    "still_failing",
    "changed_still_failing",
    "confirmed",  # fails still, as the center has confirmed
    "reopened",
    "resolved",
    "withdrawn",
    "rule_withdrawn",
    "not_judged",  # the rule could not run, or what it needs cannot be known now
)
# Codes of the list from which a center chooses its answer.
ANSWERS = (
    "corrected",  # corrected in next delivery
    "correct",  # value is correct
    "not_available",
    "patient_withdrawn",
    "other",
)

# One row per fact that fails now: the findings of the deliveries in force, by what they are about.
# `known` remembers what the rule rested on: `column` of the record itself, `table.column@instance` of the record of
# another table, `table.column` where that record cannot be told. Without them a later delivery judges nothing.
FACT = pl.Schema(
    {
        "center_id": pl.String(),
        "patient_id": pl.String(),  # the center's own; null for findings on files
        "rule_id": pl.String(),
        "table": pl.String(),
        "instance": pl.String(),  # the record inside patient and table: `line_number=1 kind=BEST`
        "field": pl.String(),  # canonical column, or the header of the file where there is none
        "severity": pl.String(),
        "fingerprint": pl.String(),  # keyed hash of the values involved
        "involved": pl.List(pl.String()),  # canonical columns involved, the first is `field`
        "delivery_key": pl.Int32(),  # quality.delivery
        "finding_id": pl.Int64(),  # one of the findings of the fact (the newest)
        "n_findings": pl.Int32(),
        "unread": pl.Boolean(),  # no value of `field` is understood
        "known": pl.List(pl.String()),  # those of `involved` that held a value; see below
    }
)

# One row per canonical row, valid or held, of the deliveries in force.
RECORD = pl.Schema(
    {
        "center_id": pl.String(),
        "patient_id": pl.String(),
        "table": pl.String(),
        "instance": pl.String(),
    }
)
# RECORD with the number of the delivery that it counts of: the newest with it; of a table without key every one.
HELD_RECORD = pl.Schema({**RECORD, "delivery_key": pl.Int32()})

# The log in the vault: one Parquet part per transaction (a load, a release, an import, ...).
QUERY_EVENT = pl.Schema(
    {
        "part": pl.Int64(),  # number of the transaction, 1..
        "position": pl.Int32(),  # inside it
        "at": pl.Datetime("us", "UTC"),
        "actor": pl.String(),  # load, data manager, center
        "load_id": pl.Int32(),  # of a load; its events count once the load is published
        "query_id": pl.String(),  # Q-XXXXXXXX
        "event": pl.String(),
        "from_state": pl.String(),
        "to_state": pl.String(),
        "resolution": pl.String(),
        "reason": pl.String(),  # a sentence without values
        # What the query is about; given where it is created, and where it changes.
        "center_id": pl.String(),
        "patient_id": pl.String(),
        "rule_id": pl.String(),
        "table": pl.String(),
        "instance": pl.String(),
        "field": pl.String(),
        "severity": pl.String(),
        "fingerprint": pl.String(),
        "involved": pl.List(pl.String()),
        "known": pl.List(pl.String()),  # as of FACT; null in parts that older programs wrote
        # The answer of a center; never published.
        "answer": pl.String(),
        "corrected_value": pl.String(),
        "comment": pl.String(),
        "answered_by": pl.String(),
        "answered_on": pl.Date(),
    }
)

# The state of every query, folded from the log. One row per query.
QUERY = pl.Schema(
    {
        "query_id": pl.String(),
        "center_id": pl.String(),
        "patient_id": pl.String(),
        "rule_id": pl.String(),
        "table": pl.String(),
        "instance": pl.String(),
        "field": pl.String(),
        "severity": pl.String(),
        "fingerprint": pl.String(),
        "involved": pl.List(pl.String()),
        "known": pl.List(pl.String()),
        "state": pl.String(),
        "resolution": pl.String(),
        "created_at": pl.Datetime("us", "UTC"),
        "released_at": pl.Datetime("us", "UTC"),
        "sent_at": pl.Datetime("us", "UTC"),  # first time
        "answered_at": pl.Datetime("us", "UTC"),  # last time
        "ended_at": pl.Datetime("us", "UTC"),  # null while candidate, open or answered
        "n_reopened": pl.Int32(),
        "answer": pl.String(),  # of the last answer; null again once it is open again
        "corrected_value": pl.String(),
        "comment": pl.String(),
        "answered_by": pl.String(),
        "answered_on": pl.Date(),
    }
)

# One row per query id of an answered workbook.
ANSWER = pl.Schema(
    {
        "query_id": pl.String(),
        "answer": pl.String(),  # one of ANSWERS
        "corrected_value": pl.String(),
        "comment": pl.String(),
        "answered_by": pl.String(),
        "answered_on": pl.Date(),
    }
)

# What differs between a delivery and the one before it, in the vault; one row per patient, record or value.
CHANGE = pl.Schema(
    {
        "center_id": pl.String(),
        "patient_id": pl.String(),
        "table": pl.String(),
        "instance": pl.String(),
        "level": pl.String(),  # patient, record, value
        "change": pl.String(),  # added, changed, removed
        "column": pl.String(),  # canonical column; null for patients and records
        "before": pl.String(),  # as understood
        "after": pl.String(),
        "asked": pl.Boolean(),  # whether a query that the center was sent is about it
        "query_id": pl.String(),
    }
)
