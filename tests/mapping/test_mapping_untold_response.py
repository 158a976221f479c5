"""A best response that the center says it does not know makes no row; what tells anything does."""

from __future__ import annotations

import pytest

SPEC = """\
dates: {order: ymd}
sources: {p: {file: p.csv, patient_id: ID}}
tables:
  - table: response
    from: p
    columns:
      line_number: {constant: 1}
      kind: Kind
      category: Cat
      response_date: On
      m_protein_serum: {column: M, unit: g/L}
"""
HEAD = "ID,Kind,Cat,On,M\n"


def found(mapped) -> list[tuple[str, str | None]]:
    assert mapped.balance() == []
    return mapped.values("response", "patient_id", "category")


@pytest.mark.parametrize("copies", [1, 600])
def test_declared_missing_best_responses_are_counted_and_make_no_row(deliver, copies) -> None:
    text = HEAD + "A,BEST,n.d.,2024-02-01,\nB,BEST,unbekannt,,\nC,BEST,PR,2024-02-01,\n" * copies
    mapped = deliver(SPEC, p__csv=text)
    assert found(mapped) == [("C", "PR")] * copies
    assert mapped.counted("map", "excluded", "no response") == 2 * copies
    assert mapped.rules() == []


def test_an_empty_cell_a_measurement_an_assessment_and_a_progression_stay(deliver) -> None:
    text = HEAD + (
        "A,BEST,,2024-02-01,\n"
        "B,BEST,n.d.,2024-02-01,12\n"
        "C,ASSESSMENT,n.d.,2024-02-01,\n"
        "D,PROGRESSION,n.d.,2024-02-01,\n"
    )
    mapped = deliver(SPEC, p__csv=text)
    assert found(mapped) == [("A", None), ("B", None), ("C", None), ("D", None)]


def test_what_was_not_understood_stays_with_its_finding_at_its_own_row(deliver) -> None:
    text = HEAD + "A,BEST,n.d.,,\nB,BEST,gut,,\nC,BEST,n.d.,2024-02-31,\n"
    mapped = deliver(SPEC, p__csv=text)
    assert found(mapped) == [("B", None), ("C", None)]
    assert mapped.rules() == [
        ("response", 0, "category", "RSP-01"),
        ("response", 1, "response_date", "DAT-01"),
    ]
    assert mapped.raws["response"]["category"].to_list() == ["gut", "n.d."]
