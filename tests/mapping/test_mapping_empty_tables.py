"""A file with a header and no rows is a table of no rows, unless every patient must have a row in it."""

from __future__ import annotations

import pytest

from schemas.errors import FileError

SPEC = """
sources:
  patients: {file: p.csv, patient_id: id}
  lesions: {file: l.csv, patient_id: id}
  labs: {file: lab.csv, patient_id: id}
tables:
  - {table: subject, from: patients, columns: {sex: sex}}
  - {table: lesion, from: lesions, columns: {site: site, timepoint: {constant: RELAPSE}}}
  - table: lab
    from: labs
    columns: {lab_date: day, test: {constant: HB}, value: {column: hb, unit: g/dL}}
"""
PATIENTS = "id,sex\n1,f\n2,m\n"


def test_empty_tables_beside_that_of_the_patients_are_told_and_stop_nothing(deliver) -> None:
    found = deliver(SPEC, **{"p__csv": PATIENTS, "l__csv": "id,site\n", "lab__csv": "id,day,hb\n"})
    assert found.frames["subject"].height == 2
    assert found.frames["lesion"].height == 0
    assert found.mapping.sources["n_rows"].to_list() == [2, 0, 0]
    assert [note for note in found.mapping.notes if "no rows" in note] == [
        "file 'l.csv': has a header and no rows; nothing of it is loaded",
        "file 'lab.csv': has a header and no rows; nothing of it is loaded",
    ]
    assert found.balance() == []


def test_an_empty_table_of_the_patients_is_refused(deliver) -> None:
    with pytest.raises(FileError) as caught:
        deliver(
            SPEC,
            **{"p__csv": "id,sex\n", "l__csv": "id,site\n1,Leber\n", "lab__csv": "id,day,hb\n"},
        )
    assert caught.value.code == "NO_ROWS"


def test_a_file_without_even_a_header_is_refused_wherever_it_stands(deliver) -> None:
    with pytest.raises(FileError) as caught:
        deliver(SPEC, **{"p__csv": PATIENTS, "l__csv": "", "lab__csv": "id,day,hb\n"})
    assert caught.value.code == "NO_ROWS"
