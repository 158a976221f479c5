"""Rules on partial dates against brute force: a violation only if every possible day violates."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Iterator

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.catalog import load_catalog
from schemas.check_plan import plan_of
from schemas.rule_sql import LATEST, latest_day

Partial = tuple[dt.date, str]
DAY = dt.timedelta(days=1)


def completions(partial: Partial) -> Iterator[dt.date]:
    """All days that a partial date can be."""
    first, precision = partial
    if precision == "day":
        yield first
    elif precision == "month":
        for day in range(1, calendar.monthrange(first.year, first.month)[1] + 1):
            yield first.replace(day=day)
    else:
        day = dt.date(first.year, 1, 1)
        while day.year == first.year:
            yield day
            day += DAY


@st.composite
def partials(draw: st.DrawFn) -> Partial:
    day = draw(st.dates(dt.date(2022, 10, 1), dt.date(2023, 4, 30)))
    precision = draw(st.sampled_from(["day", "day", "month", "year"]))
    if precision == "month":
        return day.replace(day=1), precision
    return (day.replace(month=1, day=1), precision) if precision == "year" else (day, precision)


def days(n: int) -> dt.timedelta:
    return dt.timedelta(days=n)


# rule, table, severity, first date, second date, what violates on whole days
Case = tuple[str, str, str, str, str, Callable[[dt.date, dt.date], bool]]
CHRONOLOGY: list[Case] = [
    ("DAT-09", "infusion", "error", "subject.diagnosis_date", "apheresis_date",
     lambda diagnosis, apheresis: diagnosis > apheresis),
    ("DAT-10", "infusion", "error", "apheresis_date", "lymphodepletion_date",
     lambda apheresis, depletion: apheresis >= depletion),
    ("DAT-11", "infusion", "error", "lymphodepletion_date", "infusion_date",
     lambda depletion, infusion: infusion - depletion <= days(0)),
    ("DAT-13", "relapse", "error", "relapse_date", "infusion.infusion_date",
     lambda relapse, infusion: relapse <= infusion),
    ("DAT-15", "treatment_line", "error", "start_date", "relapse.relapse_date",
     lambda start, relapse: start - relapse < days(-30)),
    ("DAT-16", "treatment_line", "warning", "start_date", "relapse.relapse_date",
     lambda start, relapse: start - relapse > days(180)),
    ("DAT-18", "treatment_line", "error", "end_date", "start_date",
     lambda end, start: end < start),
    ("DAT-19", "treatment_line", "error", "start_date", "previous_line.start_date",
     lambda start, before: start <= before),
    ("DAT-20", "response", "error", "response_date", "line.start_date",
     lambda response, start: response < start),
    ("DAT-22", "response", "error", "response_date", "line.start_date",
     lambda progression, start: progression < start),
    ("DAT-23", "response", "error", "response_date", "follow_up.death_date",
     lambda progression, death: progression > death),
    ("DAT-24", "lab", "error", "lab_date", "follow_up.death_date",
     lambda sample, death: sample > death),
    ("DAT-25", "follow_up", "error", "last_contact_date", "death_date",
     lambda contact, death: contact > death),
    ("DAT-26", "relapse", "warning", "relapse_date", "follow_up.last_contact_date",
     lambda event, contact: event > contact),
    ("RSP-03", "response", "error", "response_date", "progression.response_date",
     lambda response, progression: response > progression),
]  # fmt: skip
SCOPE = {
    "DAT-15": {"line_number": 1},
    "DAT-16": {"line_number": 1},
    "DAT-19": {"line_number": 2, "previous_line.line_number": 1},
    "DAT-20": {"kind": "BEST", "category": "PR"},
    "DAT-22": {"kind": "PROGRESSION", "category": "PD"},
    "DAT-23": {"kind": "PROGRESSION", "category": "PD"},
    "DAT-25": {"vital_status": "DEAD"},
    "DAT-26": {"follow_up.vital_status": "ALIVE"},
    "RSP-03": {"category": "CR"},
}


def judged(case: Case, one: Partial, other: Partial) -> bool:
    """What the compiled check says of a row with these two dates."""
    rule, table, severity, first, second, _ = case
    (check,) = [
        check
        for check in plan_of(load_catalog()).of_table(table)
        if check.rule == rule and check.severity == severity and check.expr is not None
        and {first, second} <= {n.removesuffix(LATEST) for n in check.expr.meta.root_names()}
    ]  # fmt: skip
    assert check.expr is not None
    row = {
        first: [one[0]], f"{first}_precision": [one[1]],
        second: [other[0]], f"{second}_precision": [other[1]],
        **{name: [value] for name, value in SCOPE.get(rule, {}).items()},
    }  # fmt: skip
    frame = pl.DataFrame(row).with_columns(latest_day(first), latest_day(second))
    return bool(frame.select(check.expr.alias("fails"))["fails"][0])


@pytest.mark.parametrize("case", CHRONOLOGY, ids=[case[0] for case in CHRONOLOGY])
def test_a_chronology_rule_fails_only_if_every_completion_fails(case: Case) -> None:
    violates = case[5]

    @settings(deadline=None, max_examples=60, database=None)
    @given(partials(), partials())
    def agree(one: Partial, other: Partial) -> None:
        every = all(violates(a, b) for a in completions(one) for b in completions(other))
        assert judged(case, one, other) == every

    agree()
