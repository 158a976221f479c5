"""Regimens as centers of five languages write them, read by hand: their drugs and the group of these."""

import csv
from pathlib import Path

import pytest

from transforms.derive.salvage import salvage_groups
from transforms.harmonize.values import parse_regimens

with (Path(__file__).parent / "further_regimens.csv").open(encoding="utf-8", newline="") as told:
    ROWS = list(csv.DictReader(told))


@pytest.mark.parametrize("row", ROWS, ids=[row["text"] for row in ROWS])
def test_a_regimen_is_its_drugs_and_their_group_or_is_asked_about(row: dict[str, str]) -> None:
    read = parse_regimens([row["text"]]).row(0, named=True)
    if row["drugs"] == "not understood":
        assert (read["status"], read["lines"]) == ("error", None)
        assert read["rule_id"] in ("SAL-01", "SAL-08")
        return
    assert read["status"] in ("ok", "warning")
    drugs = [line["drugs"] for line in read["lines"]]
    if row["drugs"] == "no therapy":
        assert (drugs, read["flags"]) == ([], ["NO_THERAPY"])
        return
    assert " > ".join("|".join(line) for line in drugs) == row["drugs"]
    groups = salvage_groups(drugs)
    assert " > ".join(groups["group"]) == row["group"]
    assert " > ".join(sub or "" for sub in groups["subgroup"]).strip(" >") == row["subgroup"]


@pytest.mark.parametrize(
    ("text", "in_a_trial"),
    [
        ("Iberdomid-Studie", True),
        ("Cevostamab im Rahmen einer klinischen Studie", True),
        ("elranatamab in a clinical trial", True),
        ("talquetamab en ensayo clínico", True),
        ("forimtamig dans un essai", True),
        ("KRd + Studie", False),
        ("KRd, study drug", False),
        ("KRd plus Studie", False),
    ],
)
def test_a_named_drug_of_a_trial_is_no_unknown_one_and_the_center_is_asked(
    text: str, in_a_trial: bool
) -> None:
    read = parse_regimens([text]).row(0, named=True)
    assert read["flags"] == ["Q_TRIAL"]
    assert read["status"] == "warning"
    assert ("trial_unknown" in read["lines"][0]["drugs"]) is not in_a_trial
