"""Numbers with decimal marks, operators, ranges and units."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.harmonize.values import NumberFormat, find_conversion, parse_numbers
from transforms.harmonize.values.common import read_csv
from transforms.harmonize.values.units import find_quantity


def read(text: str | None, **form: object) -> tuple[object, ...]:
    """number, comparator, status and rule of one value."""
    frame = parse_numbers([text], NumberFormat(**form))  # type: ignore[arg-type]
    return frame.select("number", "comparator", "status", "rule_id").row(0)


def ok(number: float, comparator: str | None = None) -> tuple[object, ...]:
    return (number, comparator, "ok", None)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5,2", 5.2),
        ("1.234", 1234.0),  # thousands, because the comma is the decimal mark
        ("1.234,5", 1234.5),
        ("1'234,5", 1234.5),
        ("1’234,5", 1234.5),
        ("1 234,5", 1234.5),
        ("1\u00a0234,5", 1234.5),
        ("1\u202f234", 1234.0),
        ("1.234.567", 1234567.0),
        (",5", 0.5),
        ("-0,4", -0.4),
        ("\u22120,4", -0.4),
        ("5,2e3", 5200.0),
        ("0", 0.0),
    ],
)
def test_decimal_comma_and_every_thousands_mark(text: str, number: float) -> None:
    assert read(text, decimal=",") == ok(number)


@pytest.mark.parametrize(
    "text", ["5.2", "0.123", "1.2345", "12.34", "1,234,567", "1.23.4", "5,2,1"]
)
def test_the_wrong_decimal_mark_is_an_error_where_the_comma_is_declared(text: str) -> None:
    assert read(text, decimal=",") == (None, None, "error", "STR-06")


@pytest.mark.parametrize("text", ["5,2", "0,123", "1,2345", "1.234.567", "1.234,5"])
def test_the_wrong_decimal_mark_is_an_error_where_the_point_is_declared(text: str) -> None:
    assert read(text) == (None, None, "error", "STR-06")


def test_a_declared_grouping_allows_no_other() -> None:
    assert read("1'234.5", grouping="'") == ok(1234.5)
    assert read("1,234", grouping="'")[2] == "error"
    assert read("1,234") == ok(1234.0)


@pytest.mark.parametrize(
    ("text", "comparator"),
    [
        ("<0,3", "<"),
        ("< 0,3", "<"),
        ("≤0,3", "<="),
        ("<=0,3", "<="),
        (">0,3", ">"),
        ("≥ 0,3", ">="),
        ("~0,3", "~"),
        ("ca. 0,3", "~"),
        ("unter 0,3", "<"),
        ("kleiner als 0,3", "<"),
        ("kleiner 0,3", "<"),
        ("less than 0,3", "<"),
        ("menor de 0,3", "<"),
        ("inférieur à 0,3", "<"),
        ("über 0,3", ">"),
        ("größer als 0,3", ">"),
        ("more than 0,3", ">"),
        ("mayor que 0,3", ">"),
        ("mindestens 0,3", ">="),
        ("at most 0,3", "<="),
    ],
)
def test_operators_are_kept_beside_the_number(text: str, comparator: str) -> None:
    assert read(text, decimal=",") == ok(0.3, comparator)


@pytest.mark.parametrize(
    "text", ["60-70", "60 - 70", "60–70", "60 bis 70", "60 to 70", "60-70 %", "60%-70%"]
)
def test_a_range_is_its_middle_with_both_ends(text: str) -> None:
    row = parse_numbers([text], NumberFormat(quantity="bmpc", unit="%")).row(0, named=True)
    assert (row["number"], row["lower"], row["upper"]) == (65.0, 60.0, 70.0)
    assert (row["status"], row["rule_id"]) == ("warning", None)


@pytest.mark.parametrize(
    ("text", "multiple", "comparator"),
    [
        ("2x ULN", 2.0, None),
        ("1,5 x ULN", 1.5, None),
        ("2-fach ULN", 2.0, None),
        (">2x ULN", 2.0, ">"),
        (">ULN", 1.0, ">"),
        ("2 x oberer Normwert", 2.0, None),
        ("2x LSN", 2.0, None),
    ],
)
def test_a_multiple_of_the_limit_is_no_value(
    text: str, multiple: float, comparator: str | None
) -> None:
    row = parse_numbers([text], NumberFormat(decimal=",", quantity="ldh", unit="U/L")).row(
        0, named=True
    )
    assert (row["number"], row["uln_multiple"], row["comparator"]) == (None, multiple, comparator)
    assert (row["status"], row["rule_id"]) == ("warning", "STG-06")


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("neg", "result=NEGATIVE"),
        ("negativ", "result=NEGATIVE"),
        ("n.n.", "result=NEGATIVE"),
        ("nicht nachweisbar", "result=NEGATIVE"),
        ("not detected", "result=NEGATIVE"),
        ("pos.", "result=POSITIVE"),
        ("nicht messbar", "result=NOT_DONE"),
    ],
)
def test_words_in_a_number_column_are_a_result(text: str, side: str) -> None:
    row = parse_numbers([text]).row(0, named=True)
    assert (row["number"], row["side"], row["status"]) == (None, side, "warning")


@pytest.mark.parametrize(
    "text", ["n.d.", "k.A.", "NA", "-", ".", "", None, "s/d", "nicht bestimmt"]
)
def test_words_for_no_value_are_missing(text: str | None) -> None:
    assert read(text) == (None, None, "missing", None)


@pytest.mark.parametrize(
    "text",
    ["nan", "NaN", "inf", "-inf", "Infinity", "1e400", "9" * 400, "5 apples", "5,2 abc", "abc"]
    + ["12 13", "1.2.3", "--5", "5 -", "70-60", "#DIV/0!", "5.2 (korr. 5.3)", "erhöht", "0x1F"],
)
def test_what_is_no_number_is_an_error(text: str) -> None:
    assert read(text) == (None, None, "error", "STR-06")


def test_a_whole_number_column_takes_61_point_0_but_not_61_and_a_half() -> None:
    assert read("61.0", as_integer=True) == ok(61.0)
    assert read("61", as_integer=True) == ok(61.0)
    assert read("61.5", as_integer=True) == (None, None, "error", "STR-06")


@pytest.mark.parametrize(
    ("quantity", "text", "number"),
    [
        ("m_protein_serum", "5.2 g/dl", 52.0),
        ("m_protein_serum", "52 g/L", 52.0),
        ("m_protein_serum", "5200 mg/dL", 52.0),
        ("flc_kappa", "12.5 mg/dl", 125.0),
        ("flc_lambda", "125 mg/l", 125.0),
        ("b2m", "0.35 mg/dl", 3.5),
        ("b2m", "3500 µg/l", 3.5),
        ("albumin", "3.8 g/dl", 38.0),
        ("creatinine", "88.4 µmol/l", 1.0),
        ("creatinine", "1.1 mg/dl", 1.1),
        ("hb", "7 mmol/l", 11.2798),
        ("hb", "112 g/l", 11.2),
        ("ferritin", "2000 ng/mL", 2000.0),
        ("ferritin", "2000 µg/l", 2000.0),
        ("m_urine", "0.45 g/24h", 450.0),
        ("m_urine", "450 mg/Tag", 450.0),
        ("m_urine", "450 mg/24 Std", 450.0),
        ("m_urine", "450 mg/(24.h)", 450.0),
        ("diameter", "3.2 cm", 32.0),
        ("diameter", "32 mm", 32.0),
        ("months", "61 days", 61 / 30.4375),
        ("months", "1 year", 12.0),
        ("platelets", "150 x10^9/L", 150.0),
        ("platelets", "150 x10⁹/L", 150.0),
        ("platelets", "150 Tsd/µl", 150.0),
        ("platelets", "150 10*3/uL", 150.0),
        ("anc", "1500 /µl", 1.5),
        ("dose", "4.2 x 10^8 cells", 420.0),
        ("ldh", "5 µkat/l", 300.0),
        ("crp", "1.2 mg/dl", 12.0),
        ("calcium", "10.02 mg/dL", 2.5),
        ("bmpc", "60 %", 60.0),
    ],
)
def test_a_unit_in_the_cell_is_converted_to_the_canonical_one(
    quantity: str, text: str, number: float
) -> None:
    row = parse_numbers([text], NumberFormat(quantity=quantity)).row(0, named=True)
    assert row["status"] == "ok"
    assert row["number"] == pytest.approx(number, rel=1e-9)
    assert row["unit"] is not None


def test_the_unit_of_the_column_is_used_where_the_cell_names_none() -> None:
    form = NumberFormat(quantity="m_protein_serum", unit="g/dL")
    frame = parse_numbers(["2.8", "28 g/L", "<0.1"], form)
    assert frame["number"].to_list() == [28.0, 28.0, 1.0]
    assert frame["unit"].to_list() == ["g/dL", "g/L", "g/dL"]
    assert frame["comparator"].to_list() == [None, None, "<"]


@pytest.mark.parametrize(
    ("quantity", "text", "rule"),
    [
        ("m_protein_serum", "5 mmol/l", "LAB-01"),
        ("flc_kappa", "5 mmol/l", "LAB-02"),
        ("m_urine", "450 mg/l", "LAB-03"),
        ("creatinine", "1.1 g/l", "LAB-05"),
        ("hb", "11 mg/dl", "LAB-06"),
        ("bmpc", "60 g/l", "LAB-08"),
        ("b2m", "3.5 U/l", "STG-05"),
        ("albumin", "38 U/l", "STG-04"),
        ("dose", "0.7 x10^6/kg", "PRD-01"),
        ("diameter", "3 kg", "EMD-09"),
    ],
)
def test_an_unknown_unit_is_an_error_of_the_quantity(quantity: str, text: str, rule: str) -> None:
    assert read(text, quantity=quantity) == (None, None, "error", rule)


def test_a_value_is_never_rescaled_because_it_looks_like_another_unit() -> None:
    assert read("0.35", quantity="b2m", unit="mg/L") == ok(0.35)
    assert read("38", quantity="albumin", unit="g/dL") == ok(380.0)


def test_a_laboratory_flag_is_no_part_of_the_number() -> None:
    frame = parse_numbers(["5.2 H", "5.2 (L)", "5.2 *", "5.2 ↑"])
    assert frame["number"].to_list() == [5.2] * 4


def test_every_unit_of_the_table_is_known_by_its_spelling_in_any_case() -> None:
    for row in read_csv("units"):
        assert find_conversion(row["quantity"], row["spelling"]) is not None
        assert find_conversion(row["quantity"], row["spelling"].upper()) is not None


def test_every_canonical_unit_has_the_factor_one() -> None:
    for row in read_csv("quantities"):
        conversion = find_conversion(row["quantity"], row["canonical_unit"])
        assert conversion is not None
        assert conversion.factor == 1
        for alias in filter(None, row["aliases"].split("|")):
            assert find_quantity(alias) == find_quantity(row["quantity"])


CENTS = st.integers(-99_999_999, 99_999_999)


@given(
    CENTS,
    st.sampled_from(
        [(",", "."), (",", "'"), (",", " "), (",", "\u00a0"), (".", ","), (".", "'"), (".", " ")]
    ),
    st.sampled_from(["", "<", ">= ", "≤"]),
)
@settings(deadline=None, max_examples=400)
def test_a_number_reads_back_in_every_local_form(
    cents: int, marks: tuple[str, str], sign: str
) -> None:
    decimal, group = marks
    plain = f"{cents / 100:,.2f}"
    text = plain.translate({ord(","): group, ord("."): decimal})
    row = parse_numbers([sign + text], NumberFormat(decimal=decimal)).row(0, named=True)  # type: ignore[arg-type]
    assert row["number"] == float(plain.replace(",", ""))
    assert row["comparator"] == ({"≤": "<="}.get(sign, sign.strip()) or None)


@given(
    st.lists(st.text(max_size=20), max_size=5),
    st.sampled_from([",", "."]),
    st.sampled_from([None, "ldh", "m_urine"]),
)
@settings(deadline=None, max_examples=300)
def test_any_text_gives_a_verdict(values: list[str], decimal: str, quantity: str | None) -> None:
    frame = parse_numbers(values, NumberFormat(decimal=decimal, quantity=quantity))  # type: ignore[arg-type]
    assert frame["value"].to_list() == values
    for number, status, rule in frame.select("number", "status", "rule_id").iter_rows():
        assert number is None or math.isfinite(number)
        assert (status == "error") == (rule is not None and number is None and status != "warning")
        assert status != "ok" or number is not None


def test_a_quantity_that_is_not_known_is_never_left_unconverted() -> None:
    assert read("111 g/l", quantity="17") == (None, None, "error", "STR-06")


def test_a_multiple_of_another_limit_or_the_limit_itself_is_an_error() -> None:
    assert read("2x ULN", quantity="flc_kappa", unit="mg/L") == (None, None, "error", "LAB-02")
    assert read("250 ULN", quantity="ldh", unit="U/L") == (None, None, "error", "STG-06")


def test_the_reported_unit_is_kept_as_written() -> None:
    frame = parse_numbers(["2.8 mg/dL H", "5 G/L"], NumberFormat(quantity="flc_kappa"))
    assert frame["unit"].to_list() == ["mg/dL", "G/L"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Grad 2", 2.0),
        ("grade II", 2.0),
        ("G3", 3.0),
        ("II°", 2.0),
        ("ECOG 1", 1.0),
        ("61 Jahre", 61.0),
        ("61 y", 61.0),
        ("61 años", 61.0),
        ("4 Linien", 4.0),
        ("4 prior lines", 4.0),
    ],
)
def test_grades_ages_and_counts_are_whole_numbers_with_words(text: str, number: float) -> None:
    assert read(text, as_integer=True) == ok(number)


def test_a_number_too_small_to_hold_is_no_zero_and_minus_zero_is_zero() -> None:
    frame = parse_numbers(["1e-400", "-0.0", "-0", "0e-400", "1e-30"], NumberFormat())
    assert frame["status"].to_list() == ["error", "ok", "ok", "ok", "ok"]
    assert [str(number) for number in frame["number"]] == ["None", "0.0", "0.0", "0.0", "1e-30"]
