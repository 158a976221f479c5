"""The methods tell the censoring of progression-free survival that was chosen."""

from __future__ import annotations

import datetime as dt

import pytest

from reports.displays.flow import methods
from schemas.spec.study import Study


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ("last_contact", "progression-free survival is censored at the last day known alive."),
        ("last_assessment", "progression-free survival is censored at the last assessment of"),
    ],
)
def test_the_censoring_of_progression_free_survival_is_a_sentence(choice: str, told: str) -> None:
    study = Study(
        id="MYE", title="T", data_cut=dt.date(2024, 8, 31), settings={"pfs_censoring": choice}
    )
    (text,) = [row.text for row in methods(study) if row.row == "censoring"]
    assert text is not None
    assert told in text
