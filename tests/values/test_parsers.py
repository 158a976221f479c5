"""What all parsers share: no value is lost, none raises, long texts cost nothing."""

import time
from collections.abc import Callable, Sequence

import polars as pl
import pytest

from transforms.harmonize.values import (
    load_vocabulary,
    parse_codes,
    parse_cytogenetics,
    parse_dates,
    parse_numbers,
    parse_regimens,
    parse_responses,
)

PARSERS: dict[str, Callable[[Sequence[str | None]], pl.DataFrame]] = {
    "dates": parse_dates,
    "numbers": parse_numbers,
    "codes": lambda values: parse_codes(values, load_vocabulary("yesno")),
    "responses": parse_responses,
    "regimens": parse_regimens,
    "cytogenetics": parse_cytogenetics,
}
STRANGE = [
    *("", " ", "\t\n", "\x00", "\ufeff", "\u200b", "🙂", "ﬁ", "İstanbul", "ß" * 20, "\ud7ff"),
    *(
        "=HYPERLINK(1)",
        "'; drop table x; --",
        "<script>",
        "{{7*7}}",
        "%s%n",
        "../..",
        "null",
        "None",
    ),
    *(
        "9" * 5000,
        "a " * 3000,
        "1/" * 2000,
        "-" * 3000,
        "(" * 2000,
        "12.03.2023 " * 300,
        "Tec + " * 900,
    ),
]


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_one_row_per_value_in_order_with_the_common_columns(name: str) -> None:
    values: list[str | None] = [None, *STRANGE, None]
    frame = PARSERS[name](values)
    assert frame["value"].to_list() == values
    assert frame.columns[-3:] == ["status", "rule_id", "note"]
    assert set(frame["status"]) <= {"ok", "missing", "warning", "error"}
    assert (
        frame.filter(pl.col("status").is_in(["ok", "missing"]))["rule_id"].drop_nulls().is_empty()
    )
    assert frame.filter(pl.col("status") == "error").select(
        pl.col("rule_id").is_null().any() | pl.col("note").is_null().any()
    ).item() in (False, None)


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_no_values_give_an_empty_frame_of_the_same_schema(name: str) -> None:
    assert PARSERS[name]([]).schema == PARSERS[name](["x"]).schema


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_a_letter_in_a_cell_costs_no_time(name: str) -> None:
    letters = [("Der Patient wurde am 12.03.2023 / 15.03.2023 mit Tec, dann Tal behandelt. " * 400)]
    letters += [text for text in STRANGE if len(text) > 1000]
    PARSERS[name](["x"])  # vocabularies are read once
    start = time.process_time()
    frame = PARSERS[name](letters)
    assert time.process_time() - start < 1.0
    assert set(frame["status"]) <= {"error", "missing"}
