"""Where ids of patients stand in names of files and sheets, and where a number or a word is none."""

from __future__ import annotations

import pytest

from transforms.harmonize.privacy_withdrawn import spelling_key
from warehouse.names_with_ids import FORGOTTEN, keys_in, without_ids


def shown(names: list[str], *ids: str, **options: str) -> list[str]:
    """The names as they are shown where these are the ids of the center."""
    keys = {spelling_key(one) for one in ids}
    masked = without_ids(names, lambda key, _: key in keys, **options)
    return [masked.get(name, name) for name in names]


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("MM-003.csv", "[id].csv"),
        ("MM_003.csv", "[id].csv"),
        ("mm003.xlsx", "[id].xlsx"),
        ("mm 3.csv", "[id].csv"),
        ("2024-09-15_MM-003_labs.csv", "2024-09-15_[id]_labs.csv"),
        ("PatientMM003.csv", "Patient[id].csv"),
        ("MM-003/labs.csv", "[id]/labs.csv"),
        ("export.zip/MM-003.csv", "export.zip/[id].csv"),
        ("MM-003", "[id]"),  # a sheet
        ("MM-0031.csv", "MM-0031.csv"),  # other ids
        ("MM-30.csv", "MM-30.csv"),
        ("mm_cart_wide.csv", "mm_cart_wide.csv"),
    ],
)
def test_an_id_of_letters_and_digits_is_masked_however_it_is_written(
    name: str, masked: str
) -> None:
    assert shown([name], "MM-003") == [masked]


@pytest.mark.parametrize("one", ["Müller-7", "Muller 007", "MÜLLER_7"])
def test_accents_and_case_do_not_hide_an_id(one: str) -> None:
    assert shown(["mu\u0308ller-07.csv"], one) == ["[id].csv"]


@pytest.mark.parametrize(
    "name",
    [
        "2024-09-15.csv",
        "2024-09-15_labs.csv",
        "export 15.09.2024.xlsx",
        "labs_20240915.csv",
        "v15.csv",
        "mm_cart_wide.csv",
        "labs_2024.csv",
        "lab15.csv",
    ],
)
def test_a_day_a_year_or_a_word_is_no_id_by_chance(name: str) -> None:
    assert shown([name], "15", "9", "2024", "MM", "cart") == [name]


def test_a_number_that_is_the_name_or_a_word_of_it_is_masked() -> None:
    names = ["15.csv", "2024-09-15_15.csv", "labs_15.csv", "2024.csv"]
    assert shown(names, "15", "2024") == [
        "[id].csv",
        "2024-09-15_[id].csv",
        "labs_[id].csv",
        "[id 2].csv",
    ]


def test_words_and_years_are_masked_beside_names_that_differ_in_the_id_alone() -> None:
    ids = ("Anna", "Ben", "2022", "17")
    assert shown(["labs_Anna.csv", "labs_Ben.csv"], *ids) == ["labs_[id].csv", "labs_[id 2].csv"]
    assert shown(["labs_2022.csv", "labs_17.csv"], *ids) == ["labs_[id].csv", "labs_[id 2].csv"]
    assert shown(["labs_Anna.csv", "ct_Ben.csv"], *ids) == ["labs_Anna.csv", "ct_Ben.csv"]
    assert shown(["labs_2022.csv", "labs_2023.csv"], "2022", "2023") == [
        "labs_2022.csv",
        "labs_2023.csv",
    ]


def test_names_stay_apart_and_one_id_has_one_number() -> None:
    names = ["MM-004.csv", "MM-003_a.csv", "MM-004_a.csv"]
    assert shown(names, "MM-003", "MM-004") == ["[id].csv", "[id 2]_a.csv", "[id]_a.csv"]


def test_a_name_that_looks_masked_already_gives_no_second_one_of_it() -> None:
    names = ["[id].csv", "[id 2].csv", "MM-003.csv"]
    assert shown(names, "MM-003") == ["[id].csv", "[id 2].csv", "[id 3].csv"]


def test_a_longer_id_is_not_cut_where_one_id_is_taken_out() -> None:
    names = ["AB-1-2.csv", "AB-1.csv"]
    only = spelling_key("AB-1")
    assert shown(names, "AB-1", "AB-1-2", word=FORGOTTEN, only=only) == [
        "AB-1-2.csv",
        "[forgotten].csv",
    ]


@pytest.mark.parametrize("one", ["MM-003", "R&D-0012", "Ä-1", "2024-001", "0007", "a,b"])
def test_the_keys_of_a_name_hold_that_of_an_id_it_is_made_of(one: str) -> None:
    assert spelling_key(one) in keys_in(f"{one}.csv")


def test_names_that_differ_in_the_form_of_a_letter_stay_two() -> None:
    names = ["MM-003 Befu\u0308nde.csv", "MM-003 Bef\u00fcnde.csv"]
    assert len(set(shown(names, "MM-003"))) == 2


def test_a_name_that_nobody_gives_is_not_shown_and_takes_no_time() -> None:
    long = ["a" * 60_000 + "1", "a1" * 30_000]
    assert shown(long, "MM-003") == ["[id]", "[id 2]"]
    assert keys_in(long[0]) == set()
    glued = "a" * 390 + "MM003"
    assert shown([glued], "MM-003") == ["a" * 390 + "[id]"]
