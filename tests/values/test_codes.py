"""Coded columns: vocabularies, the center's own codes, letters that depend on their neighbors."""

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.harmonize.values import load_vocabulary, match_key, parse_codes

ROOT = Path(__file__).parents[2] / "schemas"
CODELISTS: dict[str, list[str]] = {}
for _row in csv.DictReader((ROOT / "codelists.csv").open(encoding="utf-8", newline="")):
    CODELISTS.setdefault(_row["codelist"], []).append(_row["code"])
FILES = sorted(
    path.stem
    for path in (ROOT / "vocabularies").glob("*.csv")
    if "requires_codebook" in path.open(encoding="utf-8").readline()
    and path.stem != "response_synonyms"
)


def codes(vocabulary: str, *values: str | None, **more: object) -> list[str | None]:
    frame = parse_codes(values, load_vocabulary(vocabulary), **more)  # type: ignore[arg-type]
    return frame["code"].to_list()


def rows(name: str) -> list[dict[str, str]]:
    with (ROOT / "vocabularies" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("codelist", sorted(CODELISTS))
def test_every_codelist_has_a_vocabulary_that_knows_its_own_codes(codelist: str) -> None:
    vocabulary = load_vocabulary(codelist)
    assert list(vocabulary.codes) == CODELISTS[codelist]
    frame = parse_codes(CODELISTS[codelist], vocabulary)
    assert frame["code"].to_list() == CODELISTS[codelist]


@pytest.mark.parametrize("name", FILES)
def test_every_spelling_of_a_vocabulary_gives_the_code_beside_it(name: str) -> None:
    vocabulary = load_vocabulary(name)
    for row in rows(name):
        found = parse_codes([row["spelling"]], vocabulary).row(0, named=True)
        decidable = row["code"] and row["requires_codebook"] == "N"
        assert found["code"] == (row["code"] if decidable else None), row["spelling"]
        if decidable:
            assert found["status"] == ("warning" if row["action"] == "warn" else "ok")
        else:
            assert (found["status"], found["rule_id"]) == ("error", vocabulary.rule_id)


@pytest.mark.parametrize("name", FILES)
def test_no_two_spellings_of_a_vocabulary_contradict_each_other(name: str) -> None:
    by_key: dict[str, set[tuple[str, str]]] = {}
    for row in rows(name):
        key = match_key(row["spelling"])
        assert key
        by_key.setdefault(key, set()).add((row["code"], row["requires_codebook"]))
    assert [key for key, found in by_key.items() if len(found) > 1] == []


@pytest.mark.parametrize("name", sorted(set(FILES) & set(CODELISTS)))
def test_every_code_of_a_codelist_can_be_written_in_a_word(name: str) -> None:
    spelled = {row["code"] for row in rows(name) if row["requires_codebook"] == "N"}
    assert set(CODELISTS[name]) <= spelled | set(CODELISTS[name])
    assert spelled - {""} <= set(CODELISTS[name])


def test_yes_and_no_in_four_languages() -> None:
    yes = ["yes", "Ja", "sí", "si", "OUI", "Y", "j", "x", "Checked", "TRUE", "wahr", "yeses"]
    no = ["no", "Nein", "non", "N", "Unchecked", "FALSE", "falso"]
    unknown = ["unknown", "unbekannt", "desconocido", "inconnu", "UK", "U"]
    assert codes("yesno", *yes) == ["Y"] * len(yes)
    assert codes("yesno", *no) == ["N"] * len(no)
    assert codes("yesno", *unknown) == ["U"] * len(unknown)


def test_digits_mean_nothing_without_a_codebook() -> None:
    frame = parse_codes(["0", "1"], load_vocabulary("yesno"))
    assert frame["status"].to_list() == ["error", "error"]
    assert frame["rule_id"].to_list() == ["STR-06", "STR-06"]
    assert codes("yesno", "0", "1", overrides={"1": "N", "0": "Y"}) == ["Y", "N"]
    assert codes("yesno", "1.0", overrides={"1": "Y"}) == [None]


def test_the_centers_own_codes_come_before_the_vocabulary() -> None:
    own = {"N": "Y", "nb": None, "weiss nicht": "U"}
    frame = parse_codes(["N", "nb", "Weiss  nicht", "nein"], load_vocabulary("yesno"), own)
    assert frame["code"].to_list() == ["Y", None, "U", "N"]
    assert frame["status"].to_list() == ["ok", "missing", "ok", "ok"]


def test_an_own_code_that_names_no_canonical_code_is_an_error() -> None:
    frame = parse_codes(["a"], load_vocabulary("yesno"), {"a": "JA"})
    assert frame.select("code", "status").row(0) == (None, "error")


def test_a_value_that_is_not_known_is_an_error_that_lists_the_codes() -> None:
    row = parse_codes(["divers?"], load_vocabulary("sex")).row(0, named=True)
    assert (row["code"], row["status"], row["rule_id"]) == (None, "error", "STR-06")
    assert "F, M, U" in row["note"]
    assert "divers" not in row["note"]
    dead = parse_codes(["vielleicht"], load_vocabulary("vital_status")).row(0, named=True)
    assert dead["rule_id"] == "SUR-01"


def test_m_is_female_beside_h_and_male_beside_w_or_f() -> None:
    assert codes("sex", "H", "M") == ["M", "F"]
    assert codes("sex", "V", "M") == ["M", "F"]
    assert codes("sex", "w", "m") == ["F", "M"]
    assert codes("sex", "F", "M") == ["F", "M"]
    assert codes("sex", "M") == ["M"]


def test_m_alone_is_undecidable_in_a_spanish_center() -> None:
    frame = parse_codes(["M"], load_vocabulary("sex"), language="es")
    assert frame.select("code", "status", "rule_id").row(0) == (None, "error", "STR-06")
    assert codes("sex", "M", "F", language="es") == ["M", "F"]
    assert codes("sex", "M", language="es", overrides={"M": "F"}) == ["F"]
    mixed = parse_codes(["H", "M", "F"], load_vocabulary("sex"))
    assert mixed["code"].to_list() == ["M", None, "F"]


def test_none_is_an_answer_where_emd_is_asked_and_emm_needs_a_site() -> None:
    assert codes("emd", "None", "no EMD", "keine", "EMD", "NA") == ["N", "N", "N", "Y", None]
    assert codes("emd_type", "None", "paraossär", "extraóseo", "both") == [
        "NONE",
        "PARA",
        "EXTRA",
        "BOTH",
    ]
    assert parse_codes(["EMM"], load_vocabulary("emd"))["status"].to_list() == ["warning"]
    assert (
        parse_codes(["EMM", "plasmacytoma"], load_vocabulary("emd_type"))["status"].to_list()
        == ["error"] * 2
    )


def test_a_site_has_its_default_category() -> None:
    sites = [
        "Leber",
        "hígado",
        "LK",
        "ZNS",
        "paravertebral",
        "rib lesion with soft-tissue component",
        "Rippe",
        "Aszites",
    ]
    frame = parse_codes(sites, load_vocabulary("lesion_site"))
    assert frame["code"].to_list() == [
        "LIVER",
        "LIVER",
        "LYMPH_NODE",
        "CNS",
        "PARAVERTEBRAL",
        "CHEST_WALL",
        "RIB",
        "ASCITES",
    ]
    extra = "EXTRAOSSEOUS"
    assert frame["category"].to_list() == [
        extra,
        extra,
        extra,
        "CNS",
        "PARAOSSEOUS",
        "PARAOSSEOUS",
        "UNKNOWN",
        "UNKNOWN",
    ]
    own = parse_codes(["3"], load_vocabulary("lesion_site"), {"3": "LIVER"})
    assert own.select("code", "category").row(0) == ("LIVER", extra)


def test_uk_is_a_country_only_where_countries_are_asked() -> None:
    assert codes("country", "UK", "Alemania", "Suisse") == ["GB", "DE", "CH"]
    assert parse_codes(["UK"], load_vocabulary("sex"))["status"].to_list() == ["missing"]


def test_products_brands_and_their_misspellings() -> None:
    names = ["ide-cel", "Abecma®", "bb2121", "Abcema", "Carvykti", "cilta cel", "ARI-0002h"]
    expected = ["IDE", "IDE", "IDE", "IDE", "CILTA", "CILTA", "ARI0002H"]
    assert codes("car_t_product", *names) == expected
    assert codes("car_t_product", "CAR-T") == [None]


def test_laboratory_tests_in_many_spellings() -> None:
    names = [
        "M-Gradient",
        "β2-Mikroglobulin",
        "freie Leichtketten kappa",
        "Kappa light chains.free [Mass/volume] in Serum or Plasma",
        "Kreatinin",
        "Hämoglobin",
        "componente M orina",
        "PCR",
        "Plaquetas",
    ]
    expected = [
        "M_SERUM",
        "B2M",
        "FLC_KAPPA",
        "FLC_KAPPA",
        "CREATININE",
        "HB",
        "M_URINE",
        "CRP",
        "PLATELETS",
    ]
    assert codes("lab_test", *names) == expected


def test_a_letter_that_two_languages_use_needs_the_codebook() -> None:
    assert (
        parse_codes(["V", "L"], load_vocabulary("vital_status"))["status"].to_list()
        == ["error"] * 2
    )


@given(st.lists(st.text(max_size=15), max_size=6), st.sampled_from(["yesno", "sex", "lab_test"]))
@settings(deadline=None, max_examples=200)
def test_any_text_gives_a_verdict_and_only_codes_of_the_list(values: list[str], name: str) -> None:
    frame = parse_codes(values, load_vocabulary(name))
    assert frame["value"].to_list() == values
    assert set(frame["code"].drop_nulls()) <= set(CODELISTS[name])
    assert frame.filter((frame["status"] == "error") & frame["rule_id"].is_null()).height == 0


def test_the_side_of_a_lesion_does_not_hide_its_site() -> None:
    assert codes("lesion_site", "Pleura links", "left kidney", "Niere re.") == [
        "PLEURA",
        "KIDNEY",
        "KIDNEY",
    ]


def test_a_test_that_was_not_done_is_missing_and_never_no() -> None:
    frame = parse_codes(
        ["not done", "nicht durchgeführt", "failed", "neg", "pos"], load_vocabulary("yesno")
    )
    assert frame["code"].to_list() == [None, None, None, "N", "Y"]
    assert frame["status"].to_list() == ["missing"] * 3 + ["ok"] * 2
    assert codes("mrd", "not done", "inconclusive") == ["NOT_DONE", "INDETERMINATE"]
