"""Words and units of the columns that tell how CAR-T was given."""

from __future__ import annotations

import pytest

from transforms.harmonize.values import NumberFormat, load_vocabulary, parse_codes, parse_numbers


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Flu/Cy", "FLU_CY"),
        ("Fludarabin + Cyclophosphamid", "FLU_CY"),
        ("fludarabina y ciclofosfamida", "FLU_CY"),
        ("Bendamustin", "BENDAMUSTINE"),
        ("Cyclophosphamide alone", "CY"),
        ("Fludarabine", None),  # alone it is no regimen: asked, not guessed
    ],
)
def test_lymphodepletion_is_understood_as_written(text: str, code: str | None) -> None:
    frame = parse_codes([text], load_vocabulary("lymphodepletion"))
    assert frame["code"].to_list() == [code]


@pytest.mark.parametrize(
    ("column", "text", "unit", "number"),
    [
        ("dose_per_kg", "0.7", "10^6 cells/kg", 0.7),
        ("dose_per_kg", "7", "10^5/kg", 0.7),
        ("weight", "176", "lb", 79.8322571),  # 176 x 0.45359237
        ("weight", "80", "kg", 80.0),
        ("height", "68", "in", 172.72),  # 68 x 2.54
        ("height", "1.73", "m", 173.0),
    ],
)
def test_a_number_is_kept_in_the_unit_of_its_column(
    column: str, text: str, unit: str, number: float
) -> None:
    frame = parse_numbers([text], NumberFormat(quantity=column, unit=unit))
    assert frame["status"].to_list() == ["ok"]
    assert frame["number"][0] == pytest.approx(number, abs=1e-6)


@pytest.mark.parametrize(("column", "unit"), [("dose_per_kg", "10^6 cells"), ("weight", "cm")])
def test_a_unit_of_something_else_is_no_unit_of_the_column(column: str, unit: str) -> None:
    frame = parse_numbers(["5"], NumberFormat(quantity=column, unit=unit))
    assert frame["number"].to_list() == [None]
    assert frame["status"].to_list() == ["error"]
