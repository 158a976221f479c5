"""Rules over all centers: the same person in two centers, and records that were cloned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

SmallStudy = Any  # of conftest.py
Centers = dict[str, dict[str, list[dict[str, Any]]]]
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


def staged(small: SmallStudy, centers: Centers) -> list[Any]:
    return [small.outcome(c, f"{c}-1", small.stage(c, f"{c}-1", t)) for c, t in centers.items()]


def found(path: Path, rule: str, *centers: str) -> list[tuple[Any, ...]]:
    return rows(
        path,
        f"select center_id, usubjid from quality.finding where rule_id = '{rule}' "
        f"and center_id in {centers} order by all",
    )


def outcomes(path: Path, rule: str, *centers: str) -> list[tuple[Any, ...]]:
    return rows(
        path,
        "select c.outcome, c.numerator, c.reason from quality.check_run c join quality.delivery d "
        f"using (delivery_key) where c.rule_id = '{rule}' and d.center_id in {centers} order by d.center_id",
    )


LATER = infusion("7", INFUSION + dt.timedelta(days=3))
# A patient in each of two centers. Those of each case are of another age than those of all others.
SAME: dict[str, tuple[dict[str, Any], ...]] = {
    "three days": (person("1"), person("7"), infusion("1"), LATER),
    "the month of the day": (
        person("1"), person("7"), infusion("1", INFUSION.replace(day=1)), month_of(INFUSION),
    ),
    "three days before the month": (
        person("1"), person("7"), infusion("1", INFUSION.replace(day=1) - dt.timedelta(days=3)),
        month_of(INFUSION),
    ),
    "the same day without diagnosis": (person("1", None), person("7"), infusion("1"), infusion("7")),
    "an age that differs by one year": (
        person("1", birth_year=None), person("7", birth_year=None),
        infusion("1", age_at_infusion=66), infusion("7", age_at_infusion=67),
    ),
}  # fmt: skip
ANOTHER: dict[str, tuple[dict[str, Any], ...]] = {
    name: (person("1"), other, infusion("1"), second)
    for name, other, second in (
        ("four days", person("7"), infusion("7", INFUSION + dt.timedelta(days=4))),
        ("sex", person("7", sex="M"), infusion("7")),
        ("year of birth", person("7", birth_year=1957), infusion("7")),
        ("product", person("7"), infusion("7", product="IDE")),
        ("month of diagnosis", person("7", "2018-04-05"), infusion("7")),
        (
            "diagnosis unknown and another day",
            person("7", None),
            infusion("7", INFUSION + dt.timedelta(days=1)),
        ),
        (
            "month of infusion and another diagnosis",
            person("7", "2018-04-05"),
            month_of(INFUSION),
        ),
        ("month of infusion and no diagnosis", person("7", None), month_of(INFUSION)),
        (
            "another month of infusion",
            person("7"),
            month_of(INFUSION + dt.timedelta(days=62)),
        ),
    )
}
PAIRS = {**SAME, **ANOTHER}


def pair(*rows_of_both: dict[str, Any], years: int = 0) -> list[dict[str, list[dict[str, Any]]]]:
    """The tables of two centers, all of whose patients are so many years younger than drawn."""
    one, other, first, second = rows_of_both
    drawn: list[dict[str, list[dict[str, Any]]]] = [
        {"subject": [one], "infusion": [first]},
        {"subject": [other, person("9", sex="M")], "infusion": [second, infusion("9")]},
    ]
    return [
        {table: [younger(row, years) for row in rows] for table, rows in tables.items()}
        for tables in drawn
    ]


def younger(row: dict[str, Any], years: int) -> dict[str, Any]:
    by = {"birth_year": years, "age_at_infusion": -years}
    return {
        name: value + by[name] if name in by and value else value for name, value in row.items()
    }


def centers_of(name: str) -> tuple[str, str]:
    number = list(PAIRS).index(name)
    return f"AA{number:02}", f"BB{number:02}"


@pytest.fixture(scope="module")
def together(
    module_study: Callable[[Path], SmallStudy], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """One warehouse with the centers of all cases; ages three years apart are no persons alike."""
    small = module_study(tmp_path_factory.mktemp("together") / "study")
    centers: Centers = {}
    for number, (name, drawn) in enumerate(PAIRS.items()):
        centers |= dict(zip(centers_of(name), pair(*drawn, years=3 * number), strict=True))
    for n_same in CLONES:
        one, other = record("1", n_same), record("2", n_same)
        centers[f"CC{n_same:02}"] = {table: one[table] + other[table] for table in one}
    centers |= {"DD01": record("1", 9), "DD02": record("2", 9)}
    made: Path = small.built(*staged(small, centers))
    return made


@pytest.mark.parametrize("name", SAME)
def test_the_same_person_in_two_centers_is_asked_about_in_both(name: str, together: Path) -> None:
    (first, one), (second, other) = found(together, "DUP-02", *centers_of(name))
    assert (first, second) == centers_of(name)
    assert one != other
    told = outcomes(together, "DUP-02", *centers_of(name))
    assert told == [("failed", 1, None), ("failed", 1, None)]


def test_a_finding_names_cells_of_its_own_center_only(together: Path) -> None:
    centers = centers_of("three days")
    told = rows(
        together,
        'select f.center_id, s.center_id, x.position, x."table", x."column", x.row, x.source_column '
        "from quality.finding f join quality.finding_field x using (delivery_key, finding_id) "
        "join (select distinct delivery_key, center_id from meta.source) s using (delivery_key) "
        f"where f.rule_id = 'DUP-02' and f.center_id in {centers} order by all",
    )
    assert told == [
        (center, center, position, "infusion", column, 2, f"Spalte {column}")
        for center in centers
        for position, column in ((1, "infusion_date"), (2, "product"))
    ]


@pytest.mark.parametrize("name", ANOTHER)
def test_who_differs_is_another_person(name: str, together: Path) -> None:
    assert found(together, "DUP-02", *centers_of(name)) == []
    told = outcomes(together, "DUP-02", *centers_of(name))
    assert told == [("passed", 0, None), ("passed", 0, None)]


def test_one_center_alone_has_nothing_to_compare(small: SmallStudy) -> None:
    alone = {"subject": [person("1"), person("2")], "infusion": [infusion("1"), infusion("2")]}
    path = small.built(*staged(small, {"AA01": alone}))

    told = [("not_applicable", 0, "there is one center only")]
    assert outcomes(path, "DUP-02", "AA01", "") == told


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


CLONES = {9: 2, 8: 2, 7: 0}


@pytest.mark.parametrize(("n_same", "n_found"), CLONES.items())
def test_eight_dates_and_values_that_agree_are_a_clone(
    n_same: int, n_found: int, together: Path
) -> None:
    center = f"CC{n_same:02}"
    assert len(found(together, "DUP-05", center, "")) == n_found
    [(outcome, *_)] = outcomes(together, "DUP-05", center, "")
    assert outcome == ("failed" if n_found else "passed")


def test_a_clone_in_another_center_is_not_asked_about_as_one(together: Path) -> None:
    assert found(together, "DUP-05", "DD01", "DD02") == []
    assert [row[0] for row in outcomes(together, "DUP-05", "DD01", "DD02")] == ["passed"] * 2


def test_each_center_is_asked_with_its_own_id_and_nothing_of_the_other(
    small: SmallStudy, tmp_path: Path
) -> None:
    from warehouse.packets import write_packet

    drawn = pair(person("eins"), person("siete"), infusion("eins"), infusion("siete"))
    small.built(*staged(small, dict(zip(("AA01", "BB02"), drawn, strict=True))))
    texts = {}
    for center in ("AA01", "BB02"):
        place = small.folder / f"vault/staged/{center}/{center}-1"
        folder = write_packet(
            small.folder, center, f"{center}-1", place, received_on=dt.date(2024, 6, 14)
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

    drawn = pair(person("1"), person("7"), infusion("1"), infusion("7"))
    small.load(*staged(small, dict(zip(("AA01", "BB02"), drawn, strict=True))))
    before, fields = study_findings(small.folder, "BB02", "BB02-1")
    tables = {"subject": [person("7", sex="M")], "infusion": [infusion("7")]}
    mended = small.stage("BB02", "BB02-2", tables)
    small.built(
        small.outcome("BB02", "BB02-2", mended, sequence=2, received_on=dt.date(2024, 8, 1))
    )

    assert before["patient_id"].to_list() == ["7"]
    assert fields["column"].to_list() == ["infusion_date", "product"]
    assert study_findings(small.folder, "AA01", "AA01-1")[0].is_empty()
    assert study_findings(small.folder, "BB02", "BB02-2")[0].is_empty()
