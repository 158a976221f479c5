"""A mark for an empty cell makes no canonical row; a word for something unknown does."""

from __future__ import annotations

import pytest

SPEC = """\
dates: {order: ymd}
sources: {p: {file: p.csv, patient_id: ID}}
tables:
  - {table: subject, from: p, columns: {sex: Sex}}
  - table: relapse
    from: p
    columns: {relapse_number: {constant: 2}, relapse_date: cell}
  - table: treatment_line
    from: p
    columns: {line_number: {constant: 2}, start_date: cell, drugs: other}
  - table: response
    from: p
    columns:
      line_number: {constant: 1}
      kind: {constant: PROGRESSION}
      category: {constant: PD}
      response_date: cell
"""
EVENTS = ("relapse", "treatment_line", "response")
EMPTY = [
    "", " ", "-", "n/a", "N/A", "NA", " na ", "entfällt", "ENTFÄLLT", "none", "None", ".", "—",
    "kein Progress", "nein", "keine", "no aplica", "ninguno", "sans objet",
]  # fmt: skip
UNKNOWN = [
    "unbekannt", "unknown", "?", "ausstehend", "n.d.", "k.A.", "2023", "31.02.2023", "0", "xyz",
    "12.03.",
]  # fmt: skip


def patients(mapped, table: str) -> list[str]:
    assert mapped.balance() == []
    return mapped.frames[table]["patient_id"].to_list()


def written(cells: list[str], other: str = "") -> str:
    lines = [f"P{number},w,{cell},{other}" for number, cell in enumerate(cells)]
    return "\n".join(["ID,Sex,cell,other", *lines, ""])


@pytest.mark.parametrize("copies", [1, 60])
def test_a_mark_for_an_empty_cell_is_no_progression_no_relapse_and_no_line(deliver, copies) -> None:
    mapped = deliver(SPEC, p__csv=written(EMPTY * copies))
    assert len(patients(mapped, "subject")) == len(EMPTY) * copies
    assert [mapped.frames[table].height for table in EVENTS if table in mapped.frames] == [0, 0]
    assert mapped.counted("map", "excluded", "empty") == 3 * len(EMPTY) * copies


@pytest.mark.parametrize("copies", [1, 60])
def test_a_word_for_what_is_unknown_or_was_not_understood_makes_its_row(deliver, copies) -> None:
    mapped = deliver(SPEC, p__csv=written(UNKNOWN * copies))
    everyone = patients(mapped, "subject")
    assert [patients(mapped, table) for table in EVENTS] == [everyone] * 3
    wrong = {(table, column) for table, _, column, _ in mapped.rules()}
    assert wrong == {
        ("relapse", "relapse_date"),
        ("treatment_line", "start_date"),
        ("response", "response_date"),
    }


def test_one_cell_that_tells_something_keeps_a_row_of_marks(deliver) -> None:
    mapped = deliver(SPEC, p__csv=written(["-", "entfällt"], other="Tecvayli"))
    assert mapped.values("treatment_line", "drugs", "start_date") == [("teclistamab", None)] * 2


@pytest.mark.parametrize("copies", [1, 300])
def test_a_dash_that_means_negative_is_an_entry_and_one_that_means_nothing_is_none(
    deliver, copies
) -> None:
    spec = """\
sources: {p: {file: p.csv, patient_id: ID}}
tables:
  - {table: subject, from: p, columns: {sex: Sex}}
  - table: risk
    from: p
    columns: {timepoint: {constant: BEFORE_CART}, del_17p: {column: cell, map: {'-': N, 9: null}}}
  - table: risk
    from: p
    columns: {timepoint: {constant: RELAPSE}, del_17p: {column: cell, map: {9: null, '-': null}}}
"""
    mapped = deliver(spec, p__csv=written(["-", "9", "1"] * copies))
    found = mapped.frames["risk"].filter(mapped.frames["risk"]["patient_id"].is_in(["P0", "P1"]))
    assert found.select("patient_id", "timepoint", "del_17p").rows() == [("P0", "BEFORE_CART", "N")]
    assert mapped.frames["risk"]["timepoint"].to_list().count("RELAPSE") == copies


def test_an_own_choice_of_rows_is_not_overruled(deliver) -> None:
    spec = SPEC.replace(
        "  - table: relapse\n    from: p\n",
        "  - table: relapse\n    from: p\n    keep_when: cell\n",
    )
    mapped = deliver(spec, p__csv=written(["-"]))
    assert patients(mapped, "relapse") == ["P0"]
