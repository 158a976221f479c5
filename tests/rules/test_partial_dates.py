"""Rules on partial dates against brute force: an error only if every possible day violates, a warning if some do."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Iterator

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.catalog import load_catalog
from schemas.check_plan import PlannedCheck, plan_of
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


Violates = Callable[[dt.date, dt.date], bool]
# rule, table, severity, first date, second date, what violates on whole days
Case = tuple[str, str, str, str, str, Violates]
EXPORT = "delivery.export_date"
CHRONOLOGY: list[Case] = [
    ("DAT-06", "lab", "error", "lab_date", EXPORT,
     lambda sample, export: sample > export),
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
    ("DAT-20", "response", "error", "response_date", "following_line.start_date",
     lambda response, start: response > start),
    ("DAT-20", "response", "error", "response_date", "infusion.infusion_date",
     lambda response, infusion: response < infusion),
    ("DAT-21", "response", "warning", "response_date", "earliest_response.response_date",
     lambda best, first: best < first),
    ("DAT-22", "response", "error", "response_date", "line.start_date",
     lambda progression, start: progression < start),
    ("DAT-23", "response", "error", "response_date", "follow_up.death_date",
     lambda progression, death: progression > death),
    ("DAT-23", "relapse", "error", "relapse_date", "follow_up.death_date",
     lambda relapse, death: relapse > death),
    ("DAT-24", "lab", "error", "lab_date", "follow_up.death_date",
     lambda sample, death: sample > death),
    ("DAT-24", "treatment_line", "error", "start_date", "follow_up.death_date",
     lambda start, death: start > death),
    ("DAT-25", "follow_up", "error", "last_contact_date", "death_date",
     lambda contact, death: contact > death),
    ("DAT-26", "relapse", "warning", "relapse_date", "follow_up.last_contact_date",
     lambda event, contact: event > contact),
    ("ELG-04", "infusion", "error", "infusion_date", "infusion.infusion_date",
     lambda second, first: second < first),
    ("PRD-06", "treatment_line", "error", "start_date", "infusion.infusion_date",
     lambda start, infusion: start < infusion),
    ("RSP-03", "response", "error", "response_date", "progression.response_date",
     lambda response, progression: response > progression),
    ("TOX-09", "toxicity", "error", "onset_date", "follow_up.death_date",
     lambda onset, death: death - onset > days(60) or death < onset),
]  # fmt: skip
# What a rule asks about where all days are known; it asks too if it is so on every possible day.
SOFT: dict[str, Violates] = {
    "DAT-10": lambda apheresis, depletion: not days(14) <= depletion - apheresis <= days(365),
    "DAT-11": lambda depletion, infusion: not days(3) <= infusion - depletion <= days(14),
    "DAT-13": lambda relapse, infusion: relapse - infusion < days(10),
    "DAT-15": lambda start, relapse: start < relapse,
    "DAT-22": lambda progression, start: progression == start,
}
NO_PROGRESSION = {
    f"{name}.{column}": None
    for name in ("progression", "unconfirmed_progression")
    for column in ("row_id", "response_date", f"response_date{LATEST}")
}
# No second bispecific joins the line.
ONE_LINE: dict[str, object] = {
    "bispecifics.kinds": 0, "bispecifics.ended": None, "following_bispecifics.kinds": 0, "line.start_date": None,
    "delivery.responses_past_next_line": False,
}  # fmt: skip
FIRST_LINE: dict[str, object] = {
    "line_number": 1,
    "first_agent.line_number": 1,
    "first_line.line_number": 1,
}
SCOPE: dict[str, dict[str, object]] = {
    "DAT-15": FIRST_LINE,
    "DAT-16": FIRST_LINE,
    "DAT-19": {"line_number": 2, "previous_line.line_number": 1},
    "DAT-20": {"kind": "BEST", "category": "PR", "line_number": 0, **ONE_LINE},
    "DAT-21": {"kind": "BEST", "category": "CR", "no_response_on_the_day.n": 0, **NO_PROGRESSION},
    "DAT-22": {"kind": "PROGRESSION", "category": "PD"},
    "DAT-23": {"kind": "PROGRESSION", "category": "PD"},
    "DAT-24": {"kind": "BEST", "category": "PR"},
    "DAT-25": {"vital_status": "DEAD"},
    "DAT-26": {"follow_up.vital_status": "ALIVE"},
    "ELG-04": {"infusion_number": 2},
    "RSP-03": {"category": "CR"},
    "TOX-09": {"grade": 5},
}
NULLS = {name: pl.Date() for name in (*NO_PROGRESSION, *ONE_LINE) if "date" in name}


def checks_of(case: Case) -> list[PlannedCheck]:
    """The clauses of the rule on these two dates, and on nothing that the case does not tell."""
    rule, table, _, first, second, _ = case
    told = {first, second, f"{first}_precision", f"{second}_precision", *SCOPE.get(rule, {})}
    chosen = []
    for check in plan_of(load_catalog()).of_table(table):
        read = set() if check.expr is None else {*check.expr.meta.root_names()}
        read = {name.removesuffix(LATEST) for name in read} | (read & told)
        if check.rule == rule and {first, second} <= read <= told:
            chosen.append(check)
    return chosen


def judged(case: Case, checks: list[PlannedCheck], one: Partial, other: Partial) -> list[str]:
    """Severities of the findings on a row with these two dates."""
    rule, _, _, first, second, _ = case
    row = {
        **{name: [value] for name, value in SCOPE.get(rule, {}).items()},
        first: [one[0]], f"{first}_precision": [one[1]],
        second: [other[0]], f"{second}_precision": [other[1]],
    }  # fmt: skip
    frame = pl.DataFrame(row, schema_overrides={k: v for k, v in NULLS.items() if k in row})
    frame = frame.with_columns(latest_day(first), latest_day(second))
    found = frame.select(check.expr for check in checks if check.expr is not None).row(0)
    return [check.severity for check, fails in zip(checks, found, strict=True) if fails]


def expected(case: Case, one: Partial, other: Partial) -> list[str]:
    """What the rule has to say of all completions of the two dates."""
    rule, _, severity, _, _, violates = case
    days_of_both = [(a, b) for a in completions(one) for b in completions(other)]
    told = [violates(a, b) for a, b in days_of_both]
    if all(told):
        return [severity]
    soft = SOFT.get(rule)
    asked = soft is not None and all(
        hard or soft(a, b) for hard, (a, b) in zip(told, days_of_both, strict=True)
    )
    return ["warning"] if asked or (severity == "error" and any(told)) else []


@pytest.mark.parametrize("case", CHRONOLOGY, ids=[f"{case[0]} {case[4]}" for case in CHRONOLOGY])
def test_every_completion_is_an_error_some_a_warning_and_none_nothing(case: Case) -> None:
    checks = checks_of(case)
    assert any(check.severity == case[2] for check in checks)

    @settings(deadline=None, max_examples=60, database=None)
    @given(partials(), partials())
    def agree(one: Partial, other: Partial) -> None:
        if case[4] == EXPORT:  # a day is known of every delivery
            other = other[0], "day"
        assert judged(case, checks, one, other) == expected(case, one, other)

    agree()


def test_every_rule_that_asks_about_partial_dates_is_tried() -> None:
    asking = {check.rule for check in plan_of(load_catalog()).checks if check.partial}
    assert asking <= {case[0] for case in CHRONOLOGY}
