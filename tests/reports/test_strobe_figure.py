"""The flow of patients: boxes, reasons, centers, and what does not add up."""

from __future__ import annotations

import re
from typing import Any

from reports.displays.estimate import Estimate, to_frame
from reports.sections.model import Rows
from reports.sections.strobe import strobe_figure

STEPS = {
    "DELIVERIES": ("Patients in the deliveries", {"ALL": 10, "DE01": 6, "US01": 4}),
    "OTHER_PRODUCT": (
        "First product is not ide-cel or cilta-cel",
        {"ALL": 2, "DE01": 2, "US01": 0},
    ),
    "NO_RELAPSE": ("No relapse after CAR-T on record", {"ALL": 0, "DE01": 0, "US01": 0}),
    "NO_SALVAGE": ("No salvage line after the relapse", {"ALL": 1, "DE01": 0, "US01": 1}),
    "COHORT": ("Patients in the cohort", {"ALL": 7, "DE01": 4, "US01": 3}),
}


def rows_of(steps: dict[str, Any]) -> Rows:
    found = [
        Estimate(
            display="ATTRITION", population=code, population_label=code, row=row, row_label=label,
            statistic="n", value=float(numbers[code]), n=numbers[code], text=str(numbers[code]),
        )
        for code in ("ALL", "DE01", "US01")
        for row, (label, numbers) in steps.items()
    ]  # fmt: skip
    return Rows(list(to_frame(found).iter_rows(named=True)))


def texts(drawing: object) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", str(drawing))


def test_boxes_hold_the_numbers_and_the_reasons_that_occur():
    shown = texts(strobe_figure(rows_of(STEPS)).drawing)
    for words in (
        "n = 10",
        "n = 7",
        "Not in the cohort, n = 3",
        "No salvage line after the relapse: 1",
    ):
        assert words in shown
    assert not any("No relapse" in words for words in shown)


def test_each_center_has_its_numbers_in_the_order_of_the_steps():
    shown = texts(strobe_figure(rows_of(STEPS)).drawing)
    at = shown.index("DE01")
    assert shown[at : at + 5] == ["DE01", "6", "2", "0", "4"]
    at = shown.index("US01")
    assert shown[at : at + 5] == ["US01", "4", "0", "1", "3"]


def test_reasons_that_nobody_has_are_told():
    caption = strobe_figure(rows_of(STEPS)).caption
    assert caption[1] == "Reasons that no patient has: No relapse after CAR-T on record."
    assert len(caption) == 2


def test_numbers_that_do_not_add_up_are_told():
    wrong = {**STEPS, "COHORT": ("Patients in the cohort", {"ALL": 6, "DE01": 3, "US01": 3})}
    caption = strobe_figure(rows_of(wrong)).caption
    assert caption[-1] == "These numbers do not add up: 1 patients have no reason."


def test_without_steps_there_is_a_sentence_and_no_drawing():
    figure = strobe_figure(Rows())
    assert figure.drawing is None
    assert figure.empty == "The warehouse does not tell how the cohort was found."
