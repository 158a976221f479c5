"""Regimen texts into lines of drugs."""

import csv
import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.harmonize.values import DateFormat, parse_regimens

VOCABULARIES = Path(__file__).parents[2] / "schemas" / "vocabularies"


def rows(name: str) -> list[dict[str, str]]:
    with (VOCABULARIES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


REGIMENS = [
    (name, row)
    for row in rows("regimens")
    for name in (row["regimen"], *filter(None, row["variants"].split("|")))
]
NAMES = (
    "generic_name",
    "inn_de",
    "inn_es",
    "inn_fr",
    "brands",
    "abbreviations",
    "codes_and_misspellings",
)
DRUGS = [
    (name, row["drug_id"])
    for row in rows("drugs")
    for column in NAMES
    for name in filter(None, row[column].split("|"))
]
# Acronyms with two readings: findings, never a guess.
AMBIGUOUS = {row["acronym"].casefold() for row in rows("ambiguous_regimens")}
IN_SEQUENCE = {"RT then Tec", "RT -> Tec", "Bestrahlung, dann Teclistamab"}
# Aliases of drugs.csv that regimens.csv writes as a regimen of two components.
AS_REGIMEN = {"Benda": ["bendamustine", "dexamethasone"]}
AS_REGIMEN |= dict.fromkeys(("HD-Mel/ASCT", "salvage ASCT"), ["autologous_sct", "melphalan"])


def read(text: str, **more: object) -> tuple[object, ...]:
    """Drugs of each line joined by +, status, rule."""
    row = parse_regimens([text], **more).row(0, named=True)  # type: ignore[arg-type]
    lines = [" + ".join(line["drugs"]) for line in row["lines"] or []]
    return lines, row["status"], row["rule_id"]


def lines(text: str, **more: object) -> object:
    return read(text, **more)[0]


@pytest.mark.parametrize(("name", "row"), REGIMENS, ids=[name for name, _ in REGIMENS])
def test_every_regimen_and_variant_gives_its_components_or_a_finding(
    name: str, row: dict[str, str]
) -> None:
    found, status, rule = read(name)
    if name.casefold() in AMBIGUOUS and name != "Td":
        assert row["ambiguous"] == "Y"
        assert (found, status) == ([], "error")
        assert rule in ("SAL-01", "SAL-08")
    elif name in IN_SEQUENCE:
        assert found == ["radiotherapy", "teclistamab"]
    else:
        assert found == [" + ".join(sorted(row["components"].split("|")))]
        assert status in ("ok", "warning")


@pytest.mark.parametrize(("name", "drug_id"), DRUGS, ids=[name for name, _ in DRUGS])
def test_every_name_of_a_drug_is_that_drug_and_single_letters_are_findings(
    name: str, drug_id: str
) -> None:
    found, status, rule = read(name)
    if len(name) == 1 and name != "d" or name == "MP":
        assert (found, status, rule) == ([], "error", "SAL-01")
    else:
        assert found == [" + ".join(AS_REGIMEN.get(name, [drug_id]))]


@pytest.mark.parametrize("name", ["BVd", "BPd", "BVD", "BPV", "BKd", "BVd 2023", "BVd x4", "Bd"])
def test_b_for_belantamab_or_bendamustine_is_a_question(name: str) -> None:
    assert read(name) == ([], "error", "SAL-08")


@pytest.mark.parametrize("name", ["EPd", "ERd", "IPd", "LD", "MP", "RAD", "TD", "TPd", "HyperCVAD"])
def test_other_acronyms_with_two_readings_are_a_question(name: str) -> None:
    assert read(name) == ([], "error", "SAL-01")


def test_the_centers_codebook_or_a_named_drug_resolves_an_acronym() -> None:
    bela = ["belantamab_mafodotin + bortezomib + dexamethasone"]
    assert lines("BVd", codebook={"BVd": "Bela-Vd"}) == bela
    assert lines("BVd", codebook={"bvd": "belantamab_mafodotin|bortezomib|dexamethasone"}) == bela
    assert lines("BVd (Blenrep)") == bela
    assert lines("BVd (Bendamustin)") == ["bendamustine + bortezomib + dexamethasone"]
    assert lines("EPd (elotuzumab)") == ["dexamethasone + elotuzumab + pomalidomide"]
    assert lines("EPd (elranatamab)") == ["dexamethasone + elranatamab + pomalidomide"]
    assert lines("RT, dann BVd", codebook={"BVd": "Bela-Vd"}) == ["radiotherapy", *bela]
    assert read("X", codebook={"X": None}) == ([], "missing", None)
    assert read("X", codebook={"X": "Unsinn"}) == ([], "error", "SAL-01")


@pytest.mark.parametrize(
    "text",
    ["Tall", "Thall/Dex", "Tecentriq", "Elotu", "Ixazo + Dex", "Isax", "Bendam", "Elr"]
    + ["Telistamab", "Tec/?/Dex", "P/D", "Tec ohne Dex", "Tec w/o Dex", "DPd (Teclistamab)", "foo"],
)
def test_nothing_is_matched_loosely(text: str) -> None:
    assert read(text) == ([], "error", "SAL-01")


def test_thalidomide_and_talquetamab_are_one_letter_apart_and_never_mixed() -> None:
    assert lines("Thal-Dex") == lines("Td") == ["dexamethasone + thalidomide"]
    assert lines("Tal-Dex") == lines("Talq + Dexa") == ["dexamethasone + talquetamab"]


@pytest.mark.parametrize(
    "text",
    [
        "Dara/Pom/Dex",
        "Dara-Pom-Dex",
        "Dara + Pom + Dex",
        "Dara, Pom, Dex",
        "Dara; Pom; Dex",
        "Dara & Pom & Dex",
        "DaraPomDex",
        "DPd",
        "D-Pd",
        "dara-pd",
        "Daratumumab, Pomalidomid und Dexamethason",
        "daratumumab, pomalidomide, and dexamethasone",
        "daratumumab, pomalidomida y dexametasona",
        "daratumumab, pomalidomide et dexaméthasone",
        "Darzalex + Imnovid + Dexa",
        "Dara s.c. 1800 mg + Pom 4 mg d1-21 + Dexa 20 mg",
        "DPd x4",
        "DPd (4 Zyklen)",
        "DPd, C1-C6",
        "DPd C1D1",
        "DPd (C2D15)",
        "C1D1 DPd",
        "DPd C1 D1-D22",
        "DPd C1D1, D8, D15",
        "DPd Z3T8",
        "DPd cycle 2 day 15",
        "DPd seit 3/23",
        "DPd ab 12.03.2023",
        "DPd q4w",
        "DPd (Dara/Pom/Dex)",
        "Darzalex® s.c./Pomalidomid/Dexamethason",
        "L01FC01 + L04AX06 + H02AB02",
    ],
)
def test_one_regimen_in_many_spellings(text: str) -> None:
    assert read(text) == (["daratumumab + dexamethasone + pomalidomide"], "ok", None)


@pytest.mark.parametrize(
    "text",
    ["Tec -> Tal", "Tec → Tal", "Tec => Tal", "Tec > Tal", "Tec, then Tal", "Tec dann Tal"]
    + ["Tec, danach Tal", "Tec gefolgt von Tal", "Tec luego Tal", "Tec seguido de Tal"]
    + [
        "Tec puis Tal",
        "Tec suivi de Tal",
        "Tec, then Tal from 2023-11",
        "Tec 2.5.23, Tal 10.11.23",
    ],
)
def test_words_and_arrows_of_sequence_split_lines(text: str) -> None:
    assert lines(text) == ["teclistamab", "talquetamab"]


@pytest.mark.parametrize(
    "text", ["Tec + Tal", "Tec/Tal", "Tec und Tal", "Tec-Tal", "TECTAL", "Tec y Tal"]
)
def test_plus_and_slash_combine(text: str) -> None:
    assert lines(text) == ["talquetamab + teclistamab"]


def test_a_date_beside_a_line_is_its_hint() -> None:
    frame = parse_regimens(["RT 01.03.2023, Tec 15.03.2023", "Tec, then Tal from 2023-11"])
    first, second = frame["lines"].to_list()
    assert [line["start_hint"] for line in first] == [dt.date(2023, 3, 1), dt.date(2023, 3, 15)]
    assert [line["start_hint"] for line in second] == [None, None]  # a month is no day
    assert second[1]["start_text"] == "2023-11"
    us = parse_regimens(["Tec since 03/04/2023"], dates=DateFormat(order="mdy"))
    assert us["lines"][0][0]["start_hint"] == dt.date(2023, 3, 4)
    unknown = parse_regimens(["Tec since 03/04/2023"])
    assert unknown["lines"][0][0]["start_hint"] is None


@pytest.mark.parametrize(
    "text",
    ["none - hospice", "none", "no therapy", "Hospiz", "best supportive care", "keine Therapie"]
    + [
        "palliativ",
        "cuidados paliativos",
        "soins palliatifs",
        "watch and wait",
        "patient declined",
    ],
)
def test_no_therapy_is_understood_and_is_no_line(text: str) -> None:
    row = parse_regimens([text]).row(0, named=True)
    assert (row["lines"], row["flags"], row["status"]) == ([], ["NO_THERAPY"], "ok")


@pytest.mark.parametrize(
    "text",
    [
        "Studie",
        "Studie (BCMA)",
        "clinical trial",
        "ensayo clínico",
        "study drug",
        "Phase I trial",
        "NCT00000000",
    ],
)
def test_an_unnamed_trial_drug_is_flagged_and_never_guessed(text: str) -> None:
    row = parse_regimens([text]).row(0, named=True)
    assert [line["drugs"] for line in row["lines"]] == [["trial_unknown"]]
    assert (row["flags"], row["status"]) == (["Q_TRIAL"], "warning")


def test_a_named_drug_given_in_a_trial_stays_that_drug() -> None:
    for text in (
        "Elranatamab (Studie)",
        "Elranatamab (MagnetisMM-3)",
        "clinical trial (Elranatamab)",
    ):
        row = parse_regimens([text]).row(0, named=True)
        assert [line["drugs"] for line in row["lines"]] == [["elranatamab"]]
        assert row["flags"] == ["Q_TRIAL"]
    assert lines("Pom/Dex + Studienmedikation") == ["dexamethasone + pomalidomide + trial_unknown"]


def test_what_came_before_with_after_is_the_car_t() -> None:
    row = parse_regimens(["Cilta-cel after ide-cel"]).row(0, named=True)
    assert [line["drugs"] for line in row["lines"]] == [["ciltacabtagene_autoleucel"]]
    assert row["flags"] == ["AFTER_CART"]
    assert lines("Tec nach CAR-T") == ["teclistamab"]
    assert read("Tec nach Tal") == ([], "error", "SAL-01")


def test_an_atc_code_never_overrules_or_adds_to_a_name() -> None:
    assert lines("L01FX24") == ["teclistamab"]
    assert lines("Teclistamab (L01FX24)") == lines("Teclistamab L01FX24") == ["teclistamab"]
    assert read("Talquetamab L01FX24") == ([], "error", "SAL-01")
    assert read("Talquetamab (L01FX24)") == ([], "error", "SAL-01")


def test_flu_cy_is_flagged_as_lymphodepletion() -> None:
    for text in ("Flu/Cy", "FC", "Lymphodepletion", "Fludarabin + Cyclophosphamid"):
        row = parse_regimens([text]).row(0, named=True)
        assert row["lines"][0]["drugs"] == ["cyclophosphamide", "fludarabine"]
        assert row["flags"] == ["LYMPHODEPLETION"]


@pytest.mark.parametrize(
    "text", ["Bestrahlung BWK 12, 30 Gy", "RT L4 8 Gy", "Radiatio Becken 10x3 Gy", "palliative RT"]
)
def test_the_site_and_dose_of_a_radiation_are_no_drug(text: str) -> None:
    assert lines(text) == ["radiotherapy"]


def test_a_note_never_holds_the_value() -> None:
    for value in ("Dr. Muster entscheidet", "Tec + Xyzmab"):
        note = parse_regimens([value])["note"][0]
        assert note
        assert "Muster" not in note
        assert "Xyzmab" not in note


FULL = sorted(
    {
        row["generic_name"]
        for row in rows("drugs")
        if row["group4_effect"] in ("IPC", "TEC", "TALQ", "CYTOTOXIC")
        and "," not in row["generic_name"]
    }
)
IDS = {row["generic_name"]: row["drug_id"] for row in rows("drugs")}


@given(
    st.lists(st.sampled_from(FULL), min_size=1, max_size=4, unique=True),
    st.sampled_from([" + ", "/", ", ", " und ", " and ", " y ", " et ", "-"]),
    st.sampled_from([str, str.upper, str.title]),
)
@settings(deadline=None, max_examples=200)
def test_any_combination_of_full_names_gives_exactly_those_drugs(
    names: list[str], between: str, case: type[str]
) -> None:
    assert lines(between.join(case(name) for name in names)) == [
        " + ".join(sorted(IDS[name] for name in names))
    ]


@given(st.lists(st.text(max_size=25), max_size=4))
@settings(deadline=None, max_examples=200)
def test_any_text_gives_a_verdict(values: list[str]) -> None:
    frame = parse_regimens(values)
    assert frame["value"].to_list() == values
    for found, status, rule in frame.select("lines", "status", "rule_id").iter_rows():
        assert (status == "error") == (rule is not None)
        assert status in ("missing", "error") or found is not None


@pytest.mark.parametrize("text", ["C1D1", "C1", "Tec C1D1 + Unknownib", "Tec CD", "C1D1x"])
def test_a_mark_of_the_cycle_is_no_drug_and_hides_none(text: str) -> None:
    assert parse_regimens([text]).row(0, named=True)["rule_id"] == "SAL-01"


def test_a_cycle_mark_stands_beside_other_drugs() -> None:
    assert lines("Tec C1D1 + Dex") == ["dexamethasone + teclistamab"]
    assert lines("Tec C1D1 -> Tal C1D1") == ["teclistamab", "talquetamab"]
    assert lines("Cy C1D1") == ["cyclophosphamide"]
