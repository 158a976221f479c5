"""Stages and scores as centers write them; a score of one scale is not taken for another's."""

import pytest

from transforms.harmonize.values import load_vocabulary, parse_codes

STAGES = {
    "R-ISS: II": "II", "II (R-ISS)": "II", "Revised ISS III": "III", "R-ISS Stadium I": "I", "stadio II": "II",
    "ISS stage 3": "III", "rev. ISS I": "I", "R-ISS-III": "III", "R2-ISS II": None, "IIIa": None, "IV": None,
    "II/III": None, "R-ISS 4": None,
}  # fmt: skip
GROUPS = {
    "low (0-1)": "LOW", "intermediär (2-3)": "INTERMEDIATE", "high (4)": "HIGH", "MyCARe hoch": "HIGH",
    "MyCARe: intermedio": "INTERMEDIATE", "MyCARe 4": "HIGH", "MyCARe score 1": "LOW", "MyCARe 2-3": "INTERMEDIATE",
    "low (2-3)": None, "4": None, "2-3": None, "MyCARe 5": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("vocabulary", "text", "code"),
    [("iss", *row) for row in STAGES.items()] + [("mycare", *row) for row in GROUPS.items()],
)
def test_a_stage_is_its_code_or_is_asked_about(
    vocabulary: str, text: str, code: str | None
) -> None:
    read = parse_codes([text], load_vocabulary(vocabulary)).row(0, named=True)
    assert (read["code"], read["status"] == "error") == (code, code is None)
