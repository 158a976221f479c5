"""The file of thresholds: what it says, and how mistakes in it are told."""

from __future__ import annotations

import pytest

from schemas.errors import StudyError
from transforms.derive.imwg.criteria import IMWG_2016, load_criteria

TEXT = IMWG_2016.read_text(encoding="utf-8")


def test_the_version_is_pinned():
    assert load_criteria().version == "IMWG 2016"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  serum: 10 ", "  serum: ten ", "measurable.serum is no number"),
        ("  low: 0.26\n", "", "'flc_ratio.low' is missing"),
        ("  low: 0.26\n", "  low: 0.26\n  middle: 1\n", "'flc_ratio.middle' is not known"),
        ("nadir: lowest\n", "nadir: highest\n", "nadir is 'highest'"),
        ("version: IMWG 2016\n", "", "'version' is missing"),
    ],
)
def test_a_mistake_names_file_line_and_key(tmp_path, old, new, message):
    assert old in TEXT
    path = tmp_path / "other.yaml"
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(StudyError, match=rf"other\.yaml, line \d+: .*{message}"):
        load_criteria(path)


def test_another_threshold_is_used_without_a_change_of_code(tmp_path):
    import datetime as dt

    import polars as pl

    from transforms.derive.imwg import derive_response

    path = tmp_path / "stricter.yaml"
    path.write_text(TEXT.replace("serum_pr: 50", "serum_pr: 60"), encoding="utf-8")
    frame = pl.DataFrame(
        {
            "patient_id": "A",
            "line_number": 1,
            "assessed_on": [dt.date(2023, 1, 1), dt.date(2023, 2, 1)],
            "line_start": dt.date(2023, 1, 1),
            "m_serum": [30.0, 15.0],
            "m_urine": 0.0,
        }
    )
    found = [
        derive_response(frame, criteria).assessments["category"].to_list()
        for criteria in (None, load_criteria(path))
    ]
    assert found == [[None, "PR"], [None, "MR"]]
