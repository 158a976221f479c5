"""Rules over all centers: the same person in two centers, and records that were cloned."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pytest

SmallStudy = Any  # of conftest.py
INFUSION = dt.date(2022, 6, 20)


@pytest.fixture
def small(small_study: SmallStudy) -> SmallStudy:
    return small_study


def rows(path: Path, statement: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(statement).fetchall()


def patient(number: str, **more: Any) -> dict[str, Any]:
    return {"patient_id": number, "country": "DE", "sex": "F", "birth_year": 1956, **more}


def person(number: str, diagnosed: str | None = "2018-03-05", **more: Any) -> dict[str, Any]:
    day = dt.date.fromisoformat(diagnosed) if diagnosed else None
    precision = {"diagnosis_date_precision": "day"} if day else {}
    return patient(number, diagnosis_date=day, **{**precision, **more})


def infusion(number: str, day: dt.date = INFUSION, **more: Any) -> dict[str, Any]:
    return {
        "patient_id": number,
        "infusion_number": 1,
        "product": "CILTA",
        "infusion_date": day,
        "infusion_date_precision": "day",
        **more,
    }


def month_of(day: dt.date) -> dict[str, Any]:
    return infusion("7", day.replace(day=1), infusion_date_precision="month")


def built(small: SmallStudy, centers: dict[str, dict[str, list[dict[str, Any]]]]) -> Path:
    staged = [small.outcome(c, f"{c}-1", small.stage(c, f"{c}-1", t)) for c, t in centers.items()]
    return small.load(*staged)


def found(path: Path, rule: str) -> list[tuple[Any, ...]]:
    return rows(
        path,
        f"select center_id, usubjid from quality.finding where rule_id = '{rule}' order by all",
    )


def outcomes(path: Path, rule: str) -> list[tuple[Any, ...]]:
    return rows(
        path,
        "select c.outcome, c.numerator, c.reason from quality.check_run c join quality.delivery d "
        f"using (delivery_key) where c.rule_id = '{rule}' order by d.center_id",
    )


def pair(one: dict[str, Any], other: dict[str, Any], first: Any, second: Any) -> dict[str, Any]:
    return {
        "AA01": {"subject": [one], "infusion": [first]},
        "BB02": {"subject": [other, person("9", sex="M")], "infusion": [second, infusion("9")]},
    }


def test_the_same_person_in_two_centers_is_asked_about_in_both(small: SmallStudy) -> None:
    later = INFUSION + dt.timedelta(days=3)
    path = built(small, pair(person("1"), person("7"), infusion("1"), infusion("7", later)))

    (first, one), (second, other) = found(path, "DUP-02")
    assert (first, second) == ("AA01", "BB02")
    assert one != other
    assert outcomes(path, "DUP-02") == [("failed", 1, None), ("failed", 1, None)]


def test_a_finding_names_cells_of_its_own_center_only(small: SmallStudy) -> None:
    path = built(small, pair(person("1"), person("7"), infusion("1"), infusion("7")))

    told = rows(
        path,
        'select f.center_id, s.center_id, x.position, x."table", x."column", x.row, x.source_column '
        "from quality.finding f join quality.finding_field x using (delivery_key, finding_id) "
        "join (select distinct delivery_key, center_id from meta.source) s using (delivery_key) "
        "where f.rule_id = 'DUP-02' order by all",
    )
    assert told == [
        (center, center, position, "infusion", column, 2, f"Spalte {column}")
        for center in ("AA01", "BB02")
        for position, column in ((1, "infusion_date"), (2, "product"))
    ]


@pytest.mark.parametrize(
    ("one", "other", "second"),
    [
        (person("1"), person("7"), infusion("7", INFUSION + dt.timedelta(days=4))),
        (person("1"), person("7", sex="M"), infusion("7")),
        (person("1"), person("7", birth_year=1957), infusion("7")),
        (person("1"), person("7"), infusion("7", product="IDE")),
        (person("1"), person("7", "2018-04-05"), infusion("7")),
        (person("1"), person("7", None), infusion("7", INFUSION + dt.timedelta(days=1))),
        (person("1"), person("7", "2018-04-05"), month_of(INFUSION)),
        (person("1"), person("7", None), month_of(INFUSION)),
        (person("1"), person("7"), month_of(INFUSION + dt.timedelta(days=62))),
    ],
    ids=[
        "four days", "sex", "year of birth", "product", "month of diagnosis",
        "diagnosis unknown and another day", "month of infusion and another diagnosis",
        "month of infusion and no diagnosis", "another month of infusion",
    ],
)  # fmt: skip
def test_who_differs_is_another_person(
    one: dict[str, Any], other: dict[str, Any], second: dict[str, Any], small: SmallStudy
) -> None:
    path = built(small, pair(one, other, infusion("1"), second))

    assert found(path, "DUP-02") == []
    assert outcomes(path, "DUP-02") == [("passed", 0, None), ("passed", 0, None)]


@pytest.mark.parametrize(
    "day", [INFUSION.replace(day=1), INFUSION.replace(day=1) - dt.timedelta(days=3)]
)
def test_an_infusion_known_by_its_month_makes_a_candidate(day: dt.date, small: SmallStudy) -> None:
    path = built(small, pair(person("1"), person("7"), infusion("1", day), month_of(INFUSION)))

    assert [center for center, _ in found(path, "DUP-02")] == ["AA01", "BB02"]


def test_without_diagnosis_the_same_day_makes_a_candidate(small: SmallStudy) -> None:
    path = built(small, pair(person("1", None), person("7"), infusion("1"), infusion("7")))

    assert len(found(path, "DUP-02")) == 2


def test_an_age_may_differ_by_one_year_where_no_year_of_birth_is_told(small: SmallStudy) -> None:
    old = {"birth_year": None}
    one, other = person("1", **old), person("7", **old)
    near = built(
        small,
        pair(one, other, infusion("1", age_at_infusion=66), infusion("7", age_at_infusion=67)),
    )

    assert len(found(near, "DUP-02")) == 2


def test_one_center_alone_has_nothing_to_compare(small: SmallStudy) -> None:
    path = built(
        small,
        {
            "AA01": {
                "subject": [person("1"), person("2")],
                "infusion": [infusion("1"), infusion("2")],
            }
        },
    )

    assert outcomes(path, "DUP-02") == [("not_applicable", 0, "there is one center only")]


def record(number: str, n_same: int) -> dict[str, list[dict[str, Any]]]:
    """A patient whose first `n_same` of nine dates and values are those of everybody."""
    own = int(number) * 11
    days = [dt.date(2018 + i, 3, 5) for i in range(5)]
    days = [d if i < n_same else d + dt.timedelta(days=own) for i, d in enumerate(days)]
    values = [4.5, 31.0, 300.0, 900.0]
    values = [v if i + 5 < n_same else v + own for i, v in enumerate(values)]
    apheresis, cart, relapsed, line = days[1:]
    return {
        "subject": [person(number, days[0].isoformat(), birth_year=1950 + int(number))],
        "infusion": [
            infusion(number, cart, apheresis_date=apheresis, apheresis_date_precision="day")
        ],
        "relapse": [
            {"patient_id": number, "relapse_number": 1, "relapse_date": relapsed,
             "relapse_date_precision": "day"}
        ],
        "treatment_line": [
            {"patient_id": number, "line_number": 1, "start_date": line,
             "start_date_precision": "day", "drugs": "teclistamab"}
        ],
        "risk": [
            {"patient_id": number, "timepoint": "BEFORE_CART",
             **dict(zip(("b2m", "albumin", "ldh", "ferritin"), values, strict=True))}
        ],
    }  # fmt: skip


@pytest.mark.parametrize(("n_same", "n_found"), [(9, 2), (8, 2), (7, 0)])
def test_eight_dates_and_values_that_agree_are_a_clone(
    n_same: int, n_found: int, small: SmallStudy
) -> None:
    one, other = record("1", n_same), record("2", n_same)
    path = built(small, {"AA01": {table: one[table] + other[table] for table in one}})

    assert len(found(path, "DUP-05")) == n_found
    assert outcomes(path, "DUP-05")[0][0] == ("failed" if n_found else "passed")


def test_a_clone_in_another_center_is_not_asked_about_as_one(small: SmallStudy) -> None:
    path = built(small, {"AA01": record("1", 9), "BB02": record("2", 9)})

    assert found(path, "DUP-05") == []


def test_each_center_is_asked_with_its_own_id_and_nothing_of_the_other(
    small: SmallStudy, tmp_path: Path
) -> None:
    from warehouse.packets import write_packet

    built(small, pair(person("eins"), person("siete"), infusion("eins"), infusion("siete")))
    texts = {}
    for center in ("AA01", "BB02"):
        staged = small.folder / f"vault/staged/{center}/{center}-1"
        folder = write_packet(
            small.folder, center, f"{center}-1", staged, received_on=dt.date(2024, 6, 14)
        )
        texts[center] = (folder / "findings.csv").read_text(encoding="utf-8-sig")

    assert texts["AA01"].count("DUP-02") == texts["BB02"].count("DUP-02") == 2
    assert "eins" in texts["AA01"]
    assert "siete" in texts["BB02"]
    for center, foreign in (("AA01", "siete"), ("BB02", "eins")):
        assert foreign not in texts[center]
        assert ({"AA01", "BB02"} - {center}).pop() not in texts[center]


def test_the_findings_of_the_last_build_replace_those_before(small: SmallStudy) -> None:
    from warehouse.study_rules import study_findings

    built(small, pair(person("1"), person("7"), infusion("1"), infusion("7")))
    before, fields = study_findings(small.folder, "BB02", "BB02-1")
    tables = {"subject": [person("7", sex="M")], "infusion": [infusion("7")]}
    mended = small.stage("BB02", "BB02-2", tables)
    small.load(small.outcome("BB02", "BB02-2", mended, sequence=2, received_on=dt.date(2024, 8, 1)))

    assert before["patient_id"].to_list() == ["7"]
    assert fields["column"].to_list() == ["infusion_date", "product"]
    assert study_findings(small.folder, "AA01", "AA01-1")[0].is_empty()
    assert study_findings(small.folder, "BB02", "BB02-2")[0].is_empty()
