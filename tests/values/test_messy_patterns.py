"""Every row of messy_patterns.csv that is a value; the rest belongs to readers and mapping."""

import csv
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from transforms.harmonize.values import (
    DateFormat,
    NumberFormat,
    load_vocabulary,
    parse_codes,
    parse_cytogenetics,
    parse_dates,
    parse_numbers,
    parse_regimens,
    parse_responses,
)

HERE = Path(__file__).parent
PATTERNS = {
    row["pattern_id"]: row
    for row in csv.DictReader((HERE / "messy_patterns.csv").open(encoding="utf-8", newline=""))
}
# Names of columns, rows, encodings, files and ids: readers and mapping have them.
ELSEWHERE = {"header", "rows", "encoding", "file", "id"}
COMMON = {"value", "status", "rule_id", "note"}


def one(frame: pl.DataFrame) -> dict[str, Any]:
    """The filled columns of the first row, with its status."""
    row = frame.row(0, named=True)
    kept = {name: cell for name, cell in row.items() if name not in COMMON}
    kept = {name: cell for name, cell in kept.items() if cell not in (None, False, [])}
    return {**kept, "status": row["status"]}


def date(order: str = "dmy", **more: Any) -> Callable[[str], dict[str, Any]]:
    return lambda raw: one(parse_dates([raw], DateFormat(order=order, **more)))  # type: ignore[arg-type]


def number(**form: Any) -> Callable[[str], dict[str, Any]]:
    return lambda raw: one(parse_numbers([raw], NumberFormat(**form)))


def code(vocabulary: str, beside: tuple[str, ...] = ()) -> Callable[[str], dict[str, Any]]:
    return lambda raw: one(parse_codes([raw, *beside], load_vocabulary(vocabulary)))


def each(vocabulary: str) -> Callable[[str], dict[str, Any]]:
    """For cells like `ja / nein / unbekannt`: the codes of all parts."""
    return lambda raw: {
        "codes": parse_codes(raw.split(" / "), load_vocabulary(vocabulary))["code"].to_list()
    }


def regimen(raw: str) -> dict[str, Any]:
    row = one(parse_regimens([raw]))
    row["lines"] = [" + ".join(line["drugs"]) for line in row.get("lines", [])]
    return row


def response(**more: Any) -> Callable[[str], dict[str, Any]]:
    return lambda raw: one(parse_responses([raw], **more))


def day(text: str, **more: Any) -> dict[str, Any]:
    return {"date": dt.date.fromisoformat(text), "precision": "day", "status": "ok", **more}


def month(text: str, **more: Any) -> dict[str, Any]:
    first = dt.date.fromisoformat(f"{text}-01")
    return {"date": first, "precision": "month", "status": "warning", **more}


def cyto(raw: str) -> dict[str, Any]:
    return one(parse_cytogenetics([raw]))


def abnormality(name: str, percent: float | None = None) -> list[dict[str, Any]]:
    return [{"abnormality": name, "present": "Y", "percent": percent}]


MISSING = {"status": "missing"}
CASES: dict[str, tuple[Callable[[str], dict[str, Any]], dict[str, Any]]] = {
    "MP-02": (date("mdy"), day("2023-03-04")),
    "MP-03": (date("dmy"), day("2023-04-03")),
    "MP-08": (date(), month("2023-05", two_digit_year=True)),
    "MP-09": (date("mdy"), MISSING),
    "MP-10": (date("mdy"), month("2023-04")),
    "MP-12": (date(), month("2023-03", hint="first third")),
    "MP-13": (date(), {"hint": "2023-04/2023-06", "status": "error"}),
    "MP-16": (
        date(excel_serials=True, date_system=1904),
        day("2023-03-31", status="warning"),
    ),
    "MP-17": (date(), day("2023-03-31")),
    "MP-18": (date("mdy"), day("2023-03-31")),
    "MP-20": (date(), {"status": "error"}),
    "MP-21": (date(), {"relative_days": 45, "status": "warning"}),
    "MP-22": (date(), {"side": "vital_status=ALIVE", "status": "warning"}),
    "MP-24": (date(), day("2023-03-12", status="error")),
    "MP-26": (code("sex", ("m",)), {"code": "F", "status": "ok"}),
    "MP-28": (code("sex", ("H",)), {"code": "F", "status": "warning"}),
    "MP-31": (each("yesno"), {"codes": ["Y", "N", "U"]}),
    "MP-32": (each("yesno"), {"codes": ["Y", "N", "U"]}),
    "MP-34": (code("yesno"), {"code": "Y", "status": "warning"}),
    "MP-36": (code("yesno"), MISSING),
    "MP-37": (code("emd"), {"code": "N", "status": "warning"}),
    "MP-40": (code("yesno"), {"status": "error"}),  # not declared: see the test below
    "MP-42": (number(decimal=","), {"number": 5.2, "status": "ok"}),
    "MP-43": (number(decimal=","), {"number": 1234.5, "status": "ok"}),
    "MP-45": (
        number(quantity="m_protein_serum"),
        {"number": 52.0, "unit": "g/dl", "status": "ok"},
    ),
    "MP-46": (
        number(decimal=",", quantity="m_protein_serum"),
        {"number": 5.2, "unit": "g/l", "status": "ok"},
    ),
    "MP-48": (
        number(quantity="ferritin", unit="ng/mL"),
        {"number": 2000.0, "comparator": ">", "unit": "ng/mL", "status": "ok"},
    ),
    "MP-49": (code("immunofixation"), {"code": "NEGATIVE", "status": "ok"}),
    "MP-53": (number(quantity="albumin"), {"number": 38.0, "status": "warning"}),
    "MP-54": (  # never rescaled; rule STG-05 judges 0.35 mg/L
        number(quantity="b2m", unit="mg/L"),
        {"number": 0.35, "unit": "mg/L", "status": "ok"},
    ),
    "MP-56": (
        number(quantity="marrow_plasma_cells", unit="%"),
        {"number": 65.0, "lower": 60.0, "upper": 70.0, "unit": "%", "status": "warning"},
    ),
    "MP-63": (
        regimen,
        {"lines": ["daratumumab + dexamethasone + pomalidomide"], "status": "ok"},
    ),
    "MP-72": (regimen, {"lines": ["trial_unknown"], "flags": ["Q_TRIAL"], "status": "warning"}),
    "MP-73": (regimen, {"lines": [], "flags": ["NO_THERAPY"], "status": "ok"}),
    "MP-76": (response(), {"code": "PR", "progression": True, "status": "warning"}),
    "MP-78": (response(codebook="oBDS Gesamtbeurteilung"), {"code": "CR", "status": "ok"}),
    "MP-82": (code("emd"), {"code": "Y", "status": "warning"}),
    "MP-96": (cyto, {"abnormalities": abnormality("del_17p", 15.0), "status": "warning"}),
    "MP-97": (cyto, {"abnormalities": abnormality("t_4_14"), "status": "ok"}),
    "MP-98": (
        cyto,
        {"abnormalities": abnormality("high_risk_cytogenetics"), "status": "warning"},
    ),
}


def test_every_pattern_that_is_a_value_has_a_case_here() -> None:
    values = {name for name, row in PATTERNS.items() if row["field_type"] not in ELSEWHERE}
    assert values == set(CASES)


@pytest.mark.parametrize("pattern", sorted(CASES))
def test_a_messy_value_becomes_what_the_domain_file_says(pattern: str) -> None:
    parse, expected = CASES[pattern]
    raw = PATTERNS[pattern]["raw_value"]
    assert parse(raw) == expected


@pytest.mark.parametrize("pattern", sorted(CASES))
def test_the_severity_of_a_messy_value_is_that_of_the_domain_file(pattern: str) -> None:
    expected = CASES[pattern][1].get("status", "ok")
    severity = PATTERNS[pattern]["severity"]
    # missing is ok; MP-40 must be declared; MP-54 is judged by rule STG-05, not by the parser
    if pattern in ("MP-40", "MP-54"):
        return
    assert {"missing": "ok"}.get(expected, expected) == severity


def test_minus_99_is_missing_where_the_center_declares_it() -> None:
    assert one(parse_numbers(["-99"], NumberFormat(missing=("-99",)))) == MISSING
    assert one(parse_dates(["-99"], DateFormat(missing=("-99",)))) == MISSING
    assert one(parse_codes(["-99"], load_vocabulary("yesno"), {"-99": None})) == MISSING
    assert one(parse_responses(["-99"], codebook={"-99": None})) == MISSING


def test_the_further_spellings_in_the_notes_are_understood() -> None:
    frau = parse_codes(["Frau", "Herr", "weiblich", "männlich"], load_vocabulary("sex"))
    assert frau["code"].to_list() == ["F", "M", "F", "M"]
    fixation = parse_codes(["negativ", "-", "kein Nachweis"], load_vocabulary("immunofixation"))
    assert fixation["code"].to_list() == ["NEGATIVE"] * 3
    translocation = parse_cytogenetics(["t(4;14)(p16;q32)", "t4;14", "FGFR3/IGH"])
    found = [row[0]["abnormality"] for row in translocation["abnormalities"].to_list()]
    assert found == ["t_4_14"] * 3
    assert parse_dates(["UN", "UNK"])["status"].to_list() == ["missing"] * 2
