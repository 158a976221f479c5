"""Specs that say what cannot be are refused before a row is read (DAT-28, EMD-08)."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.errors import SpecError

SPEC = """export_date: {day}
sources: {{p: {{file: p.csv, patient_id: id}}}}
tables:
  - table: subject
    from: p
    columns: {{country: {{constant: DE}}, sex: sex}}
"""
FILE = "id,sex\n1,F\n"

EMD = """sources: {{p: {{file: p.csv, patient_id: id}}}}
tables:
  - table: risk
    from: p
    {where}
    columns: {{timepoint: {{constant: BEFORE_CART}}, emd_before_car_t: {before}}}
  - table: relapse
    from: p
    columns: {{relapse_number: {{constant: "1"}}, relapse_date: day, emd: {after}}}
"""
EMD_FILE = "id,day,emd,emd2,time\n1,2023-05-02,yes,no,before\n"


@pytest.mark.parametrize("day", ["2021-03-25", "2024-06-15"])
def test_dat_28_an_export_before_the_first_approval_or_after_the_delivery_is_refused(
    deliver: Any, day: str
) -> None:
    with pytest.raises(SpecError, match="export_date.*DAT-28"):
        deliver(SPEC.format(day=day), p__csv=FILE)


@pytest.mark.parametrize("day", ["", "unknown", "2024-06"])
def test_dat_28_a_spec_whose_day_of_export_is_missing_is_refused(deliver: Any, day: str) -> None:
    with pytest.raises(SpecError, match="export_date"):
        deliver(SPEC.format(day=day), p__csv=FILE)


@pytest.mark.parametrize("day", ["2021-03-26", "2024-06-14", "delivery"])
def test_an_export_on_the_day_of_the_approval_or_of_the_delivery_is_read(
    deliver: Any, day: str
) -> None:
    mapped = deliver(SPEC.format(day=day), p__csv=FILE)
    assert mapped.values("subject", "patient_id", "sex") == [("1", "F")]


def test_emd_08_one_column_for_disease_before_and_at_relapse_is_refused(deliver: Any) -> None:
    spec = EMD.format(where="", before="emd", after="emd")
    with pytest.raises(SpecError, match="column 'emd'.*EMD-08"):
        deliver(spec, p__csv=EMD_FILE)


def test_two_columns_for_disease_before_and_at_relapse_are_read(deliver: Any) -> None:
    mapped = deliver(EMD.format(where="", before="emd2", after="emd"), p__csv=EMD_FILE)
    assert mapped.values("risk", "emd_before_car_t") == [("N",)]
    assert mapped.values("relapse", "emd") == [("Y",)]


def test_one_column_whose_rows_tell_the_time_is_read(deliver: Any) -> None:
    where = "where: {column: time, equals: before}"
    mapped = deliver(EMD.format(where=where, before="emd", after="emd"), p__csv=EMD_FILE)
    assert mapped.values("risk", "emd_before_car_t") == [("Y",)]
