"""The expressions for plain dates and numbers read exactly what the parsers read, and no more."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.harmonize import parse
from transforms.harmonize.distinct import Reader
from transforms.harmonize.parse import ColumnParser
from transforms.harmonize.units import Pairs
from transforms.harmonize.values import DateFormat, NumberFormat, parse_dates, parse_numbers
from transforms.harmonize.verdicts import OUTPUTS, Form

DAYS = st.dates(dt.date(1890, 1, 1), dt.date(2110, 12, 31))
PLACEHOLDERS = ["01.01.1900", "01.01.1901", "01.01.1970", "11.11.1111", "31.12.9999", "09.09.9999",
                "31.12.2099", "1970-01-01", "1900-01-01", "01/01/1970", "12/31/9999"]  # fmt: skip
FORMS = ["%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y-%m-%d", "%d.%m.%y", "%m.%Y", "%Y",
         "%Y-%m-%dT%H:%M:%S-05:00", "%Y-%m-%d 00:00:00", "%Y-%m-%dT25:00:00", "%d.%m.+%Y", " %d.%m.%Y"]  # fmt: skip


def written(write: Callable[[random.Random], str]) -> st.SearchStrategy[str]:
    """Texts of one drawn number each: a draw per letter takes most of the time of these tests."""
    return st.integers(0, 2**32 - 1).map(lambda seed: write(random.Random(seed)))


def text_of(alphabet: str, longest: int) -> st.SearchStrategy[str]:
    return written(lambda by: "".join(by.choices(alphabet, k=by.randint(1, longest))))


def digits(by: random.Random, least: int, most: int) -> str:
    return "".join(by.choices("0123456789", k=by.randint(least, most)))


def numeric_date(by: random.Random) -> str:
    parts = digits(by, 2, 2), digits(by, 2, 2), digits(by, 4, 4)
    return parts[0] + by.choice("./-") + parts[1] + by.choice("./-") + parts[2]


def iso_date(by: random.Random) -> str:
    """A date of digits, a possible one or a placeholder, often with a time, seconds and a zone."""
    two = [digits(by, 2, 2) for _ in range(2)] + [f"{by.randrange(70):02}" for _ in range(5)]
    drawn = f"{digits(by, 4, 4)}-{two[0]}-{two[1]}"
    possible = f"20{two[0]}-{by.randint(1, 12):02}-{by.randint(1, 28):02}"
    day = by.choice([drawn, possible, "1970-01-01", "1900-01-01"])
    clock = f"{by.choice('T ')}{two[2]}:{two[3]}" + by.choice(["", f":{two[4]}"])
    zone = by.choice(["", "Z", f"{by.choice('+-')}{two[5]}:{two[6]}"])
    return day + by.choice(["", clock + zone])


def compared_number(by: random.Random) -> str:
    """A number with or without a comparator, in up to four parts by any sign."""
    more = (by.choice(".,'") + digits(by, 1, 4) for _ in range(by.randint(0, 3)))
    sign = by.choice(["", "<", ">"]) + by.choice(["", "="]) + by.choice(["", " "])
    return sign + digits(by, 1, 6) + "".join(more)


def grouped_number(by: random.Random) -> str:
    """Groups of three digits by any sign, and decimals."""
    groups = (by.choice(".,'") + digits(by, 3, 3) for _ in range(by.randint(1, 3)))
    decimals = by.choice(["", by.choice(".,") + digits(by, 1, 3)])
    return by.choice(["", "-"]) + digits(by, 1, 3) + "".join(groups) + decimals


DATE_TEXTS = st.one_of(
    st.builds(lambda day, form: day.strftime(form), DAYS, st.sampled_from(FORMS)),
    st.sampled_from(PLACEHOLDERS),
    written(numeric_date),
    written(iso_date),
    text_of("0123456789./- +T:Z", 12),
    st.sampled_from(["lebt", "k.A.", "Mai 2023", "31.02.2023", "12.12.2012"]),
)
NUMBER_TEXTS = st.one_of(
    written(compared_number),
    written(grouped_number),
    text_of("0123456789.,'<>=+-eE ", 10),
    st.sampled_from(["nan", "inf", "Infinity", "1e400", "1_000", "0x10", "5,", ",5", "<", "<<5", "5<3",
                     "1.234", "1,234", "999", "-99", "5 g/l", "52 mg/dl", "60-70", "neg", "0,35", "007"]),
)  # fmt: skip


def outputs(parser: ColumnParser, frame: pl.DataFrame) -> tuple[list[list[Any]], set[int]]:
    """Runs the stages as a block does: outputs by row, and rows with a finding."""
    seen = frame.select(parser.look()).row(0, named=True)
    work = frame.with_columns(parser.fast(seen))
    work = work.with_columns(parser.check()) if parser.check() else work
    lookup = parser.find(work.select(parser.rest())[parser.name][0])
    columns = [
        work.select(expr.alias("x"))["x"].to_list() if expr is not None else [None] * frame.height
        for expr in parser.outputs(lookup)
    ]
    bad = {key for key, _ in lookup.bad}
    keys = work.select(parser.key.alias("k"))["k"].to_list()
    return columns, {row for row, key in enumerate(keys) if key in bad}


def same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, float) and isinstance(found, float):
        return math.copysign(1, found) == math.copysign(1, wanted) and found == wanted
    return bool(found == wanted)


@pytest.mark.parametrize("vector", [1, 1_000], ids=["with the vector step", "without it"])
@pytest.mark.parametrize("order", ["dmy", "mdy", "ymd"])
def test_dates_by_expressions_are_the_parsers_dates(
    order: Any, vector: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parse, "_VECTOR", vector)
    form = DateFormat(order=order, missing=("12.12.2012",))

    @settings(max_examples=60, deadline=None)
    @given(st.lists(DATE_TEXTS, min_size=1, max_size=12))
    def check(texts: Sequence[str]) -> None:
        parser = ColumnParser("d", Form("date", missing=form.missing, dates=form), "d")
        columns, bad = outputs(parser, pl.DataFrame({"d": texts}))
        wanted = parse_dates(texts, form)
        for row, text in enumerate(texts):
            status, rule = wanted["status"][row], wanted["rule_id"][row]
            relative = wanted["relative_days"][row] is not None
            failed = status == "error" or relative
            date = None if failed else wanted["date"][row]
            assert columns[0][row] == date, text
            assert columns[1][row] == (None if failed else wanted["precision"][row]), text
            assert (row in bad) == (failed or (status == "warning" and rule is not None)), text

    check()


@pytest.mark.parametrize("vector", [1, 1_000], ids=["with the vector step", "without it"])
@pytest.mark.parametrize(
    ("decimal", "grouping", "quantity", "unit"),
    [
        (",", None, "m_protein_serum", "g/L"),
        (",", ".", "m_protein_serum", "g/dL"),
        (".", None, "creatinine", "µmol/l"),
        (".", "'", "ferritin", "ug/L"),
        (".", ",", "flc_kappa", "mg/dL"),
        (".", ".", "flc_kappa", "mg/L"),  # the center's mark, in a column of its own decimal mark
        (",", None, None, None),
    ],
)
def test_numbers_by_expressions_are_the_parsers_numbers(
    decimal: Any, grouping: str | None, quantity: str | None, unit: str | None, vector: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(parse, "_VECTOR", vector)
    form = NumberFormat(decimal, grouping, unit, quantity, missing=("999", "-99"))

    @settings(max_examples=60, deadline=None)
    @given(st.lists(NUMBER_TEXTS, min_size=1, max_size=12))
    def check(texts: Sequence[str]) -> None:
        parser = ColumnParser("n", Form("number", missing=form.missing, numbers=form), "n")
        columns, bad = outputs(parser, pl.DataFrame({"n": texts}))
        wanted = parse_numbers(texts, form)
        for row, text in enumerate(texts):
            failed = wanted["status"][row] == "error"
            for position, name in enumerate(("number", "comparator", "unit", "side")):
                value = None if failed else wanted[name][row]
                assert same(columns[position][row], value), (text, name)
            flagged = wanted["status"][row] == "warning" and wanted["rule_id"][row] is not None
            assert (row in bad) == (failed or flagged), text

    check()


@pytest.mark.parametrize("vector", [1, 1_000], ids=["with the vector step", "without it"])
def test_numbers_with_a_unit_per_row_are_the_parsers_numbers(
    vector: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parse, "_VECTOR", vector)
    form = NumberFormat(",")
    units = st.sampled_from(["g/L", "g/dL", "mg/l", " g/l ", "furlong", "%"])

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.tuples(NUMBER_TEXTS, units), min_size=1, max_size=10))
    def check(rows: list[tuple[str, str]]) -> None:
        pairs = Pairs(pl.lit("m_protein_serum"), pl.col("u"), str)
        parser = ColumnParser("n", Form("number", numbers=form), "n", pairs)
        frame = pl.DataFrame({"n": [text for text, _ in rows], "u": [unit for _, unit in rows]})
        columns, bad = outputs(parser, frame)
        for row, (text, unit) in enumerate(rows):
            alone = NumberFormat(",", unit=unit.strip(), quantity="m_protein_serum")
            wanted = parse_numbers([text], alone)
            failed = wanted["status"][0] == "error"
            for position, name in enumerate(("number", "comparator", "unit")):
                value = None if failed else wanted[name][0]
                assert same(columns[position][row], value), (text, unit, name)
            assert (row in bad) == (failed or wanted["rule_id"][0] is not None), (text, unit)

    check()


@pytest.mark.parametrize("order", ["dmy", "mdy", "ymd"])
def test_plain_dates_of_distinct_values_are_the_parsers_dates(order: Any) -> None:
    form = DateFormat(order=order, missing=("12.12.2012",))

    @settings(max_examples=150, deadline=None)
    @given(st.lists(DATE_TEXTS, min_size=1, max_size=12))
    def check(texts: Sequence[str]) -> None:
        verdicts = Reader(Form("date", missing=form.missing, dates=form)).verdicts(texts)
        wanted = parse_dates(texts, form)
        for row, (text, verdict) in enumerate(zip(texts, verdicts, strict=True)):
            status, rule = wanted["status"][row], wanted["rule_id"][row]
            failed = status == "error" or wanted["relative_days"][row] is not None
            columns = (wanted[name][row] for name in ("date", "precision", "side"))
            assert verdict.values == ((None,) * 3 if failed else tuple(columns)), text
            found = failed or (status == "warning" and rule is not None)
            assert (verdict.severity is not None) == found, text

    check()


@pytest.mark.parametrize(
    ("decimal", "quantity", "unit"),
    [(",", "m_protein_serum", "g/L"), (".", "creatinine", "mg/dl"), (".", None, "x"), (",", "ferritin", None)],
)  # fmt: skip
def test_plain_numbers_of_distinct_values_are_the_parsers_numbers(
    decimal: Any, quantity: str | None, unit: str | None
) -> None:
    form = NumberFormat(decimal, None, unit, quantity, missing=("999", "-99"))

    @settings(max_examples=150, deadline=None)
    @given(st.lists(NUMBER_TEXTS, min_size=1, max_size=12))
    def check(texts: Sequence[str]) -> None:
        verdicts = Reader(Form("number", missing=form.missing, numbers=form)).verdicts(texts)
        wanted = parse_numbers(texts, form)
        for row, (text, verdict) in enumerate(zip(texts, verdicts, strict=True)):
            failed = wanted["status"][row] == "error"
            for value, name in zip(
                verdict.values, ("number", "comparator", "unit", "side"), strict=True
            ):
                assert same(value, None if failed else wanted[name][row]), (text, name)
            flagged = wanted["status"][row] == "warning" and wanted["rule_id"][row] is not None
            assert (verdict.severity is not None) == (failed or flagged), text

    check()


def test_plain_values_need_no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the two properties above would hold by reading nothing."""
    monkeypatch.setattr(Reader, "_parse", None)
    dates = Reader(Form("date", dates=DateFormat(order="dmy")))
    assert (
        dates.verdicts(["12.03.2023", "2023-03-12"])
        == [((dt.date(2023, 3, 12), "day", None), None, None, None)] * 2
    )
    numbers = Reader(
        Form("number", numbers=NumberFormat(",", unit="g/L", quantity="m_protein_serum"))
    )
    assert numbers.verdicts(["<0,30"])[0].values == (0.3, "<", "g/L", None)


def test_the_fast_way_really_reads_plain_cells() -> None:
    """Else the properties above would hold by reading nothing."""
    dates = ColumnParser("d", Form("date", dates=DateFormat(order="dmy")), "d")
    frame = pl.DataFrame({"d": ["12.03.2023", "01.12.1999", "Mai 2023"]})
    work = frame.with_columns(dates.fast({"s:d": "12.03.2023"})).with_columns(dates.check())
    assert work["f:d"].to_list() == [dt.date(2023, 3, 12), dt.date(1999, 12, 1), None]
    numbers = ColumnParser("n", Form("number", numbers=NumberFormat(",")), "n")
    frame = pl.DataFrame({"n": ["5,2", "<0,30", "1.234,5", "61", "abc"]})
    work = frame.with_columns(numbers.fast(frame.select(numbers.look()).row(0, named=True)))
    assert work["f:n"].to_list() == [5.2, 0.3, 1234.5, 61.0, None]
    assert len(OUTPUTS["number"]) == 4
