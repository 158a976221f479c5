"""Dates as hospitals write them in German, English, Spanish and French."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.harmonize.values import DateFormat, parse_dates, prove_order

MONTHS = {
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "de-short": "Jan. Feb. Mrz. Apr. Mai Jun. Jul. Aug. Sept. Okt. Nov. Dez.",
    "en": "January February March April May June July August September October November December",
    "en-short": "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "es-short": "ene feb mar abr may jun jul ago sep oct nov dic",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "fr-short": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
}
NAMES = {language: names.split() for language, names in MONTHS.items()}


def read(text: str | None, order: str = "dmy", **form: object) -> tuple[object, ...]:
    """date, precision, status and rule of one value."""
    frame = parse_dates([text], DateFormat(order=order, **form))  # type: ignore[arg-type]
    return frame.select("date", "precision", "status", "rule_id").row(0)


def ok(year: int, month: int, day: int) -> tuple[object, ...]:
    return (dt.date(year, month, day), "day", "ok", None)


@pytest.mark.parametrize(
    "text",
    [
        "12.03.2023",
        "12.3.23",
        "12/03/2023",
        "12-03-2023",
        "12 03 2023",
        "2023-03-12",
        "2023/03/12",
        "20230312",
        "12032023",
        "12. März 2023",
        "12 mars 2023",
        "12 de marzo de 2023",
        "12th of March 2023",
        "March 12, 2023",
        "12-MAR-2023",
        "12MAR2023",
        "2023 Mar 12",
        "So, 12.03.2023",
        "domingo 12 de marzo de 2023",
        "12.03.2023 08:15",
        "12.03.2023, 8.15 Uhr",
        "12.03.2023 08:15:30",
        "12MAR2023:23:30:00",
        "2023-03-12T23:30:00Z",
        "2023-03-12T23:30:00.000-0500",
        "20230312T233000",
        "2023-03-12 23:30 UTC",
        "3/12/2023 11:30 PM",
    ],
)
def test_a_full_date_is_read_in_every_local_form(text: str) -> None:
    order = "mdy" if text.startswith("3/") else "dmy"
    assert read(text, order) == ok(2023, 3, 12)


def test_the_local_day_is_kept_and_never_moved_to_utc() -> None:
    assert read("2023-03-31T23:30:00-05:00") == ok(2023, 3, 31)
    assert read("2023-04-01T00:30:00+02:00") == ok(2023, 4, 1)


@pytest.mark.parametrize(
    ("text", "first", "precision", "status"),
    [
        ("2023-05", "2023-05-01", "month", "ok"),
        ("05/2023", "2023-05-01", "month", "ok"),
        ("5.2023", "2023-05-01", "month", "ok"),
        ("Mai 2023", "2023-05-01", "month", "ok"),
        ("mayo de 2023", "2023-05-01", "month", "ok"),
        ("Mai 23", "2023-05-01", "month", "warning"),
        ("May-23", "2023-05-01", "month", "warning"),
        ("5/23", "2023-05-01", "month", "warning"),
        ("202305", "2023-05-01", "month", "ok"),
        ("2023", "2023-01-01", "year", "ok"),
        ("UK-MAY-2023", "2023-05-01", "month", "warning"),
        ("XX.05.2023", "2023-05-01", "month", "warning"),
        ("??.05.2023", "2023-05-01", "month", "warning"),
        ("--.05.2023", "2023-05-01", "month", "warning"),
        ("00.05.2023", "2023-05-01", "month", "warning"),
        ("2023-05-UN", "2023-05-01", "month", "warning"),
        ("UN/UNK/2023", "2023-01-01", "year", "warning"),
        ("UNK-UNK-2023", "2023-01-01", "year", "warning"),
        ("XX.XX.2023", "2023-01-01", "year", "warning"),
        ("ca. 05/2023", "2023-05-01", "month", "warning"),
        ("12.05.2023?", "2023-05-12", "day", "warning"),
        ("2023_05", "2023-05-01", "month", "ok"),
        ("12.XX.2023", "2023-01-01", "year", "warning"),
    ],
)
def test_a_partial_date_is_the_first_possible_day_with_its_precision(
    text: str, first: str, precision: str, status: str
) -> None:
    assert read(text) == (dt.date.fromisoformat(first), precision, status, None)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Anfang März 2023", "first third"),
        ("Mitte März 2023", "middle third"),
        ("Ende März 2023", "last third"),
        ("early March 2023", "first third"),
        ("mid-March 2023", "middle third"),
        ("a finales de marzo de 2023", "last third"),
        ("début mars 2023", "first third"),
        ("mi-mars 2023", "middle third"),
        ("fin mars 2023", "last third"),
    ],
)
def test_beginning_middle_and_end_of_a_month_are_a_month_with_a_hint(text: str, hint: str) -> None:
    row = parse_dates([text]).row(0, named=True)
    assert (row["date"], row["precision"], row["hint"]) == (dt.date(2023, 3, 1), "month", hint)
    assert row["status"] == "warning"


@pytest.mark.parametrize(
    "text",
    ["UK", "UNK", "k.A.", "n.b.", "unbekannt", "s/d", "desconocido", "inconnu", "NA", "N/A", "-"]
    + [
        ".",
        "?",
        "",
        "  ",
        None,
        "keine Angabe",
        "no consta",
        "non renseigné",
        "nicht bekannt",
        "XX.XX.XXXX",
        "UN/UNK/UNK",
    ],
)
def test_words_for_no_value_are_missing(text: str | None) -> None:
    assert read(text) == (None, None, "missing", None)


@pytest.mark.parametrize(
    ("text", "order", "rule"),
    [
        ("31.02.2023", "dmy", "DAT-01"),
        ("29.02.2023", "dmy", "DAT-01"),
        ("2023-13-04", "dmy", "DAT-01"),
        ("13/13/2023", "mdy", "DAT-01"),
        ("gestern", "dmy", "DAT-01"),
        ("12.03.", "dmy", "DAT-01"),
        ("12 Mai", "dmy", "DAT-01"),
        ("März", "dmy", "DAT-01"),
        ("05/12", "dmy", "DAT-01"),
        ("3/23", "mdy", "DAT-01"),
        ("12.03.2123", "dmy", "DAT-01"),
        ("12.03.1823", "dmy", "DAT-01"),
        ("45", "dmy", "DAT-01"),
        ("Q2 2023", "dmy", "DAT-01"),
        ("2. Quartal 2023", "dmy", "DAT-01"),
        ("Sommer 2023", "dmy", "DAT-01"),
        ("KW 12/2023", "dmy", "DAT-01"),
        ("vor 2020", "dmy", "DAT-01"),
        ("12.03.2023 (PET)", "dmy", "DAT-01"),
        ("12.O3.2023", "dmy", "DAT-01"),
        ("12.03.2023 25:10", "dmy", "DAT-01"),
        ("#WERT!", "dmy", "DAT-01"),
        ("-99", "dmy", "DAT-01"),
        ("25/03/2023", "mdy", "DAT-02"),
        ("03/25/2023", "dmy", "DAT-02"),
        ("03.13.23", "dmy", "DAT-02"),
        ("12.03.2023", "ymd", "DAT-02"),
        ("01.01.1900", "dmy", "DAT-05"),
        ("01/01/1970", "mdy", "DAT-05"),
        ("31.12.9999", "dmy", "DAT-05"),
        ("1899-12-30", "dmy", "DAT-05"),
        ("11.11.1111", "dmy", "DAT-05"),
        ("00.00.0000", "dmy", "DAT-05"),
        ("99.99.9999", "dmy", "DAT-05"),
        ("1900-01-01 00:00:00", "dmy", "DAT-05"),
    ],
)
def test_what_is_no_date_is_an_error_and_never_a_guess(text: str, order: str, rule: str) -> None:
    assert read(text, order) == (None, None, "error", rule)


@pytest.mark.parametrize(
    "text",
    [
        "12.03.23 / 15.03.23",
        "12.03.2023, 15.03.2023",
        "12.03.2023 und 15.03.2023",
        "12.03.2023-15.03.2023",
        "12.03.2023 bis 15.03.2023",
        "12.03.2023\n15.03.2023",
        "12 de marzo de 2023 y 15 de marzo de 2023",
        "2023-03-12; 2023-03-15",
    ],
)
def test_of_two_dates_in_a_cell_the_first_is_kept_as_an_error(text: str) -> None:
    assert read(text) == (dt.date(2023, 3, 12), "day", "error", "DAT-01")


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("lebt", "vital_status=ALIVE"),
        ("alive", "vital_status=ALIVE"),
        ("vivo", "vital_status=ALIVE"),
        ("en vie", "vital_status=ALIVE"),
        ("verstorben", "vital_status=DEAD"),
        ("fallecido", "vital_status=DEAD"),
        ("lost to follow-up", "vital_status=LOST"),
        ("laufend", "stop_reason=ONGOING"),
    ],
)
def test_a_status_in_a_date_column_is_kept_beside_the_missing_date(text: str, side: str) -> None:
    row = parse_dates([text]).row(0, named=True)
    assert (row["date"], row["side"], row["status"]) == (None, side, "warning")


def test_a_death_word_beside_the_date_keeps_both() -> None:
    row = parse_dates(["† 12.03.2023"]).row(0, named=True)
    assert (row["date"], row["side"]) == (dt.date(2023, 3, 12), "vital_status=DEAD")


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("d+45", 45),
        ("D45", 45),
        ("Tag +45", 45),
        ("day 45", 45),
        ("J+45", 45),
        ("d-5", -5),
        ("45 Tage nach CAR-T", 45),
    ],
)
def test_days_from_the_infusion_are_no_date_but_kept(text: str, days: int) -> None:
    row = parse_dates([text]).row(0, named=True)
    assert (row["date"], row["relative_days"], row["status"]) == (None, days, "warning")


def test_declared_day_numbers_are_read_in_both_date_systems() -> None:
    day = dt.date(2023, 3, 31)
    assert read("45016", excel_serials=True) == (day, "day", "warning", None)
    assert read("45016.0", excel_serials=True) == (day, "day", "warning", None)
    assert read("45016,75", excel_serials=True) == (day, "day", "warning", None)
    assert read("43554", excel_serials=True, date_system=1904) == (day, "day", "warning", None)


def test_an_undeclared_day_number_is_read_with_a_finding() -> None:
    assert read("45016") == (dt.date(2023, 3, 31), "day", "warning", "DAT-04")
    assert read("19999") == (None, None, "error", "DAT-01")
    assert read("60001") == (None, None, "error", "DAT-01")


def test_two_digit_years_follow_the_pivot() -> None:
    assert read("12.03.49") == ok(2049, 3, 12)
    assert read("12.03.50") == ok(1950, 3, 12)
    assert read("12.03.23", pivot=22) == ok(1923, 3, 12)


def test_a_two_digit_year_is_never_expanded_beyond_the_export() -> None:
    export = dt.date(2024, 6, 14)
    assert read("12.03.27", latest=export) == (None, None, "error", "DAT-03")
    assert read("12.03.24", latest=export) == ok(2024, 3, 12)


def test_a_year_column_takes_two_digits_with_a_finding() -> None:
    assert read("58", year_column=True, pivot=10) == (
        dt.date(1958, 1, 1),
        "year",
        "warning",
        "DAT-03",
    )
    assert read("1958", year_column=True) == (dt.date(1958, 1, 1), "year", "ok", None)


def test_a_column_proves_its_order_or_contradicts_it() -> None:
    values = ["03/04/2023", "2023-03-25", "25/03/2023", "12.Mar.2023", None, "k.A."]
    assert prove_order(values, "dmy").proving == (2,)
    assert prove_order(values, "dmy").contradicting == ()
    assert prove_order(values, "mdy").contradicting == (2,)
    assert not prove_order(["03/04/2023", "05/05/2023"], "dmy").proven


def test_every_value_has_one_row_in_order_and_nothing_raises() -> None:
    values = ["12.03.2023", None, "", "\x00", "٣/٤/٢٠٢٣", "🙂", "9" * 400, "1" * 8, "=1+1", "..-/"]
    frame = parse_dates(values)
    assert frame["value"].to_list() == values
    assert set(frame["status"]) <= {"ok", "missing", "warning", "error"}


def test_a_note_never_holds_the_value() -> None:
    frame = parse_dates(["31.02.2023", "Herr Muster", "25/03/2023 x"])
    for value, note in frame.select("value", "note").iter_rows():
        assert note
        assert value not in note


DAYS = st.dates(dt.date(1950, 1, 2), dt.date(2049, 12, 31)).filter(
    lambda day: day != dt.date(1970, 1, 1)
)


@given(
    DAYS,
    st.sampled_from(sorted(NAMES)),
    st.sampled_from(
        ["{d} {m} {y}", "{d}. {m} {y}", "{d}-{m}-{y}", "{d} de {m} de {y}", "{d:02d} {m}, {y}"]
    ),
)
@settings(deadline=None, max_examples=300)
def test_a_date_with_a_month_name_reads_back(day: dt.date, language: str, form: str) -> None:
    text = form.format(d=day.day, m=NAMES[language][day.month - 1], y=day.year)
    assert read(text) == (day, "day", "ok", None)


@given(
    DAYS,
    st.sampled_from(["dmy", "mdy", "ymd"]),
    st.sampled_from("./-"),
    st.booleans(),
    st.booleans(),
)
@settings(deadline=None, max_examples=400)
def test_a_date_in_digits_reads_back_under_its_order(
    day: dt.date, order: str, mark: str, short: bool, padded: bool
) -> None:
    digits = {"d": day.day, "m": day.month}
    parts = {name: f"{n:02d}" if padded else str(n) for name, n in digits.items()}
    parts["y"] = f"{day.year % 100:02d}" if short else str(day.year)
    text = mark.join(parts[name] for name in order)
    assert read(text, order) == (day, "day", "ok", None)


@given(
    DAYS,
    st.sampled_from(["T%H:%M:%S", " %H:%M", "T%H:%M:%S.250", " %H:%M:%S"]),
    st.sampled_from(["", "Z", "+02:00", "-05:00", "+0530"]),
    st.times(),
)
@settings(deadline=None, max_examples=200)
def test_a_time_stamp_keeps_its_own_day(
    day: dt.date, form: str, offset: str, time: dt.time
) -> None:
    text = dt.datetime.combine(day, time).strftime("%Y-%m-%d" + form) + offset
    assert read(text) == (day, "day", "ok", None)


@given(st.lists(st.text(max_size=25), max_size=5), st.sampled_from(["dmy", "mdy", "ymd"]))
@settings(deadline=None, max_examples=300)
def test_any_text_gives_a_verdict(values: list[str], order: str) -> None:
    frame = parse_dates(values, DateFormat(order=order))  # type: ignore[arg-type]
    assert frame.height == len(values)
    assert frame.filter(frame["status"] == "error")["rule_id"].null_count() == 0
    assert frame.filter((frame["status"] == "ok") & frame["date"].is_null()).height == 0


@pytest.mark.parametrize("order", ["dmy", "mdy", "ymd"])
@pytest.mark.parametrize("text", ["31.02.2023", "31/02/2023", "30.02.2023"])
def test_a_day_that_no_order_knows_is_no_mix_of_orders(text: str, order: str) -> None:
    (rule,) = parse_dates([text], DateFormat(order=order))["rule_id"]
    assert rule == "DAT-01"
