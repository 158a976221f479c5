"""Responses as centers of five languages write them, read by hand."""

import csv
from pathlib import Path

import pytest

from transforms.harmonize.values import parse_responses

with (Path(__file__).parent / "further_responses.csv").open(encoding="utf-8", newline="") as told:
    ROWS = list(csv.DictReader(told))


@pytest.mark.parametrize("row", ROWS, ids=[row["text"] for row in ROWS])
def test_a_response_is_its_category_or_is_asked_about(row: dict[str, str]) -> None:
    """`PR+PD`: the best response, and a progression after it in the same cell."""
    read = parse_responses([row["text"]]).row(0, named=True)
    if row["category"] == "not understood":
        assert (read["status"], read["code"], read["rule_id"]) == ("error", None, "RSP-01")
    elif row["category"] == "missing":
        assert (read["status"], read["code"]) == ("missing", None)
    else:
        code, _, progression = row["category"].partition("+")
        assert (read["code"], read["progression"]) == (code, progression == "PD")
        assert read["status"] in ("ok", "warning")


@pytest.mark.parametrize(
    ("text", "mrd", "confirmed"),
    [
        ("CR; MRD neg", "NEGATIVE", None),
        ("CR mit MRD-Negativität", "NEGATIVE", None),
        ("MRD-negative sCR", "NEGATIVE", None),
        ("CR MRD+", "POSITIVE", None),
        ("unconfirmed CR", None, "N"),
        ("confirmed VGPR", None, "Y"),
        ("conf. PR", None, "Y"),
    ],
)
def test_what_stands_around_a_response_is_kept(
    text: str, mrd: str | None, confirmed: str | None
) -> None:
    read = parse_responses([text]).row(0, named=True)
    assert (read["mrd"], read["confirmed"]) == (mrd, confirmed)
