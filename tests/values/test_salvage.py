"""Salvage groups and the first salvage line: every case of salvage_group_cases.csv, and more."""

import csv
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.derive.salvage import DefaultSettings, first_salvage, salvage_groups
from transforms.harmonize.values import parse_regimens

HERE = Path(__file__).parent
VOCABULARIES = HERE.parents[1] / "schemas" / "vocabularies"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


CASES = {row["case_id"]: row for row in table(HERE / "salvage_group_cases.csv")}
REGIMENS = table(VOCABULARIES / "regimens.csv")
DRUG_IDS = [row["drug_id"] for row in table(VOCABULARIES / "drugs.csv")]
# When the lines of a case started, and the drugs of lines that its text does not name.
TIMING: dict[str, list[tuple[str, str | None]]] = {
    "SG-05": [("2023-05-02", "teclistamab"), ("2023-05-20", "talquetamab")],
    "SG-06": [("2023-05-02", None), ("2023-11-10", None)],
    "SG-14": [
        ("2023-03-01", "radiotherapy"),
        ("2023-03-11", "isatuximab|pomalidomide|dexamethasone"),
    ],
    "SG-21": [("2023-03-01", None), ("2023-03-15", None)],
}


def lines(*rows: tuple[str, int, str | None, str]) -> pl.DataFrame:
    """Lines of therapy: patient, number, start, drugs."""
    return pl.DataFrame(
        [(p, n, dt.date.fromisoformat(s) if s else None, d) for p, n, s, d in rows],
        schema={
            "patient_id": pl.String,
            "line_number": pl.Int32,
            "start_date": pl.Date,
            "drugs": pl.String,
        },
        orient="row",
    )


def group(*drugs: str, **settings_: str) -> tuple[str | None, str | None, list[str]]:
    row = salvage_groups([drugs], DefaultSettings(**settings_)).row(0, named=True)
    return row["group"], row["subgroup"], row["flags"]


@pytest.mark.parametrize("case", sorted(CASES))
def test_every_case_from_its_text_to_the_group_of_the_first_salvage(case: str) -> None:
    row = CASES[case]
    parsed = parse_regimens([row["regimen_text"]])["lines"][0].to_list()
    starts = TIMING.get(case) or [("2023-09-01", None)] * len(parsed)
    drugs = [named or "|".join(parsed[i]["drugs"]) for i, (_, named) in enumerate(starts)]
    frame = lines(*[("p", i + 1, start, drugs[i]) for i, (start, _) in enumerate(starts)])
    first = first_salvage(frame).row(0, named=True)
    found = salvage_groups([first["drugs"]]).row(0, named=True)
    assert found["group"] == row["expected_group4_first_salvage"]
    assert (found["subgroup"] or "") == row["expected_other_subgroup"]
    note = row["expected_flags_or_note"]
    flags = {*found["flags"], *first["flags"]}
    for flag in (
        "W_COMBO",
        "Q_DUAL_BISPECIFIC",
        "I_SINGLE_CLASS",
        "I_RT_BRIDGE",
        "W_CHEMO_PLUS_NOVEL",
        "W_MIXED_BACKBONE",
        "W_CELMOD",
        "Q_CONFIRM_SECOND_CART",
    ):
        assert (flag in flags) == (flag in note) or flag == "I_SINGLE_CLASS", flag
    check = SPECIAL.get(case)
    if check:
        check(first, found)


def _bridged(on: str, bridge: str) -> Callable[[dict[str, object], dict[str, object]], None]:
    def check(first: dict[str, object], found: dict[str, object]) -> None:
        assert first["start_date"] == dt.date.fromisoformat(on)
        assert first["bridge_start_date"] == dt.date.fromisoformat(bridge)

    return check


def _any_but_not_ours(first: dict[str, object], found: dict[str, object]) -> None:
    assert found["any_bispecific"] is True
    assert "BITEFL" not in found["flags"]  # type: ignore[operator]


def _second_line_is_talquetamab(first: dict[str, object], found: dict[str, object]) -> None:
    assert first["line_number"] == 1
    assert group("talquetamab")[0] == "TALQ"


SPECIAL = {
    "SG-06": _second_line_is_talquetamab,
    "SG-07": _any_but_not_ours,
    "SG-14": _bridged("2023-03-11", "2023-03-01"),
    "SG-21": _bridged("2023-03-15", "2023-03-01"),
}


@pytest.mark.parametrize("row", REGIMENS, ids=[row["regimen"] for row in REGIMENS])
def test_the_group_of_every_known_regimen_is_the_one_of_the_domain_file(
    row: dict[str, str],
) -> None:
    found, subgroup, flags = group(*row["components"].split("|"))
    assert found == row["group4_default"]
    if found == "OTHER":
        assert subgroup == row["other_subgroup"]
    else:
        assert subgroup is None
    assert set(flags) == set(filter(None, row["flags"].split("|")))


def test_the_study_decides_the_group_of_two_bispecifics_and_of_celmods() -> None:
    both = ("talquetamab", "teclistamab")
    assert group(*both)[:2] == ("OTHER", "DUAL_BISPECIFIC")
    assert group(*both, dual_bispecific="TALQ")[:2] == ("TALQ", None)
    assert group(*both, dual_bispecific="TEC")[:2] == ("TEC", None)
    assert group("elranatamab", "teclistamab", dual_bispecific="TALQ")[:2] == (
        "OTHER",
        "DUAL_BISPECIFIC",
    )
    assert group("iberdomide", "dexamethasone")[0] == "IPC"
    assert group("iberdomide", "dexamethasone", celmod_group="OTHER")[0] == "OTHER"
    assert group("iberdomide", "daratumumab", celmod_group="OTHER")[0] == "IPC"


def test_supportive_drugs_never_decide_the_group() -> None:
    assert group("teclistamab", "zoledronic_acid", "ivig") == group("teclistamab")
    assert group("denosumab")[0] == "NO_ANTIMYELOMA"
    assert group("fludarabine", "cyclophosphamide", "dexamethasone")[0] == "NO_ANTIMYELOMA"
    assert group("fludarabine", "cyclophosphamide", "idecabtagene_vicleucel")[:2] == (
        "OTHER",
        "CART_RETREAT",
    )
    assert group("elotuzumab", "dexamethasone")[:2] == ("OTHER", "SLAMF7")
    assert group("trial_unknown", "pomalidomide")[:2] == ("OTHER", "TRIAL")
    assert group("talquetamab", "trial_unknown")[0] == "TALQ"
    assert group("dli")[:2] == ("OTHER", "SCT")


def test_an_unknown_drug_has_no_group() -> None:
    frame = salvage_groups([["teclistamab", "unobtainium"], None, []])
    assert frame["group"].to_list() == [None, None, None]
    assert frame["flags"].to_list() == [["Q_UNKNOWN_DRUG"]] * 3


@pytest.mark.parametrize(
    ("drugs", "flag"),
    [
        ("radiotherapy", "I_RT_BRIDGE"),
        ("radiotherapy|dexamethasone", "I_RT_BRIDGE"),
        ("dexamethasone", "I_STEROID_BRIDGE"),
        ("cyclophosphamide|dexamethasone", "I_ALKYLATOR_BRIDGE"),
        ("bendamustine", "I_ALKYLATOR_BRIDGE"),
    ],
)
def test_a_bridge_moves_the_start_to_the_systemic_line(drugs: str, flag: str) -> None:
    frame = lines(("p", 1, "2023-03-01", drugs), ("p", 2, "2023-03-31", "teclistamab"))
    row = first_salvage(frame).row(0, named=True)
    assert (row["line_number"], row["start_date"]) == (2, dt.date(2023, 3, 31))
    assert (row["bridge_start_date"], row["flags"]) == (dt.date(2023, 3, 1), [flag])


def test_after_the_bridging_window_or_a_progression_the_first_line_is_the_salvage() -> None:
    rt, tec = ("p", 1, "2023-03-01", "radiotherapy"), ("p", 2, "2023-04-01", "teclistamab")
    late = first_salvage(lines(rt, tec)).row(0, named=True)
    assert (late["line_number"], late["bridge_start_date"]) == (1, None)
    assert first_salvage(lines(rt, tec), bridge_days=31)["line_number"].to_list() == [2]
    progression = pl.DataFrame({"patient_id": ["p"], "progression_date": [dt.date(2023, 3, 15)]})
    soon = lines(rt, ("p", 2, "2023-03-20", "teclistamab"))
    assert first_salvage(soon, 30, progression)["line_number"].to_list() == [1]
    assert first_salvage(soon)["line_number"].to_list() == [2]


def test_radiotherapy_with_nothing_after_it_is_the_salvage() -> None:
    row = first_salvage(lines(("p", 1, "2023-03-01", "radiotherapy"))).row(0, named=True)
    assert (row["line_number"], row["drugs"]) == (1, ["radiotherapy"])


def test_several_bridges_in_a_row_lead_to_one_systemic_line() -> None:
    frame = lines(
        ("p", 1, "2023-03-01", "dexamethasone"),
        ("p", 2, "2023-03-05", "radiotherapy"),
        ("p", 3, "2023-03-12", "daratumumab|pomalidomide|dexamethasone"),
    )
    row = first_salvage(frame).row(0, named=True)
    assert (row["line_number"], row["bridge_start_date"]) == (3, dt.date(2023, 3, 1))
    assert row["flags"] == ["I_RT_BRIDGE", "I_STEROID_BRIDGE"]


def test_two_bispecifics_started_within_28_days_are_one_line() -> None:
    tec = ("p", 1, "2023-05-01", "teclistamab")
    together = first_salvage(lines(tec, ("p", 2, "2023-05-29", "talquetamab"))).row(0, named=True)
    assert together["drugs"] == ["talquetamab", "teclistamab"]
    assert together["flags"] == ["I_DUAL_MERGED"]
    apart = first_salvage(lines(tec, ("p", 2, "2023-05-30", "talquetamab"))).row(0, named=True)
    assert apart["drugs"] == ["teclistamab"]


def test_a_switch_after_the_first_bispecific_ended_is_two_lines() -> None:
    frame = lines(("p", 1, "2023-05-01", "teclistamab"), ("p", 2, "2023-05-20", "talquetamab"))
    frame = frame.with_columns(end_date=pl.Series([dt.date(2023, 5, 10), None]))
    assert first_salvage(frame)["drugs"].to_list() == [["teclistamab"]]


def test_lymphodepletion_and_a_boost_are_no_salvage() -> None:
    frame = lines(
        ("p", 1, "2023-01-01", "cyclophosphamide|fludarabine"),
        ("p", 2, "2023-02-01", "talquetamab"),
        ("q", 1, "2023-01-01", "cd34_boost"),
    )
    found = first_salvage(frame)
    assert found.select("patient_id", "line_number").rows() == [("p", 2)]


def test_a_start_that_is_not_known_bridges_nothing() -> None:
    frame = lines(("p", 1, "2023-01-01", "radiotherapy"), ("p", 2, None, "talquetamab"))
    assert first_salvage(frame)["line_number"].to_list() == [1]


def test_no_lines_give_an_empty_frame_with_the_same_columns() -> None:
    found = first_salvage(lines())
    assert found.columns == [
        "patient_id",
        "line_number",
        "start_date",
        "bridge_start_date",
        "drugs",
        "flags",
    ]
    assert found.height == 0


@given(st.lists(st.frozensets(st.sampled_from(DRUG_IDS), min_size=1, max_size=5), max_size=8))
@settings(deadline=None, max_examples=200)
def test_every_set_of_known_drugs_has_exactly_one_group(sets: list[frozenset[str]]) -> None:
    frame = salvage_groups(sets)
    assert frame.height == len(sets)
    for drugs, row in zip(sets, frame.iter_rows(named=True), strict=True):
        assert row["group"] in ("TALQ", "TEC", "IPC", "OTHER", "NO_ANTIMYELOMA")
        assert (row["subgroup"] is not None) == (row["group"] == "OTHER")
        if row["group"] == "TALQ":
            assert "talquetamab" in drugs
        if row["group"] == "TEC":
            assert "teclistamab" in drugs
