"""Pseudonyms and the id map."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import CarmonyError, StudyError
from warehouse.pseudonyms import ALPHABET, Pseudonymizer, is_valid_code

KEY = bytes(range(32))


def ids(*pairs: tuple[str, str]) -> pl.DataFrame:
    return pl.DataFrame(list(pairs), schema=["center_id", "patient_id"], orient="row")


def test_the_code_is_fifty_bits_of_the_keyed_hash_and_a_check_character() -> None:
    framed = b"\0\0\0\x06MM2024\0\0\0\x04DE01\0\0\0\x03017"
    digest = hmac.new(KEY, framed, hashlib.sha256).digest()
    bits = f"{int.from_bytes(digest, 'big'):0256b}"[:50]
    expected = "".join(ALPHABET[int(bits[i : i + 5], 2)] for i in range(0, 50, 5))
    code = Pseudonymizer("MM2024", KEY).code("DE01", "017")
    assert code[:10] == expected
    assert is_valid_code(code)
    assert Pseudonymizer("MM2024", KEY).usubjid("DE01", "017") == f"MM2024-DE01-{code}"


def test_the_same_patient_has_the_same_pseudonym_in_every_delivery(tmp_path: Path) -> None:
    pseudonyms = Pseudonymizer("MM2024", KEY)
    first = pseudonyms.update_id_map(tmp_path, ids(("DE01", "017"), ("DE01", "018")))
    second = pseudonyms.update_id_map(tmp_path, ids(("DE01", "018"), ("DE02", "018")))
    assert second.height == 3
    assert first.join(second, on=first.columns, how="anti").is_empty()


def test_pseudonyms_differ_between_studies_keys_centers_and_similar_ids() -> None:
    codes = {
        Pseudonymizer("MM2024", KEY).code("DE01", "017"),
        Pseudonymizer("MM2025", KEY).code("DE01", "017"),
        Pseudonymizer("MM2024", KEY[::-1]).code("DE01", "017"),
        Pseudonymizer("MM2024", KEY).code("DE02", "017"),
        Pseudonymizer("MM2024", KEY).code("DE01", "17"),
        Pseudonymizer("MM2024", KEY).code("DE01", "O17"),
        Pseudonymizer("MM2024", KEY).code("DE010", "17"),
        Pseudonymizer("MM2024D", KEY).code("E01", "017"),
    }
    assert len(codes) == 8


def test_two_unicode_forms_of_one_id_are_one_patient(tmp_path: Path) -> None:
    out = Pseudonymizer("MM2024", KEY).update_id_map(
        tmp_path, ids(("DE01", "M\u00fc1"), ("DE01", "Mu\u03081"))
    )
    assert out.height == 2
    assert out["usubjid"].n_unique() == 1


@settings(max_examples=60, deadline=None)
@given(patient=st.text(min_size=1, max_size=12), data=st.data())
def test_every_wrong_character_and_every_swap_is_found(patient: str, data: st.DataObject) -> None:
    code = Pseudonymizer("MM2024", KEY).code("DE01", patient)
    place = data.draw(st.integers(0, 10))
    other = data.draw(st.sampled_from([c for c in ALPHABET if c != code[place]]))
    assert not is_valid_code(code[:place] + other + code[place + 1 :])
    second = data.draw(st.integers(0, 10))
    swapped = list(code)
    swapped[place], swapped[second] = swapped[second], swapped[place]
    assert is_valid_code("".join(swapped)) == ("".join(swapped) == code)


def test_a_code_of_another_length_is_not_valid() -> None:
    assert not is_valid_code("")
    assert not is_valid_code("ABC")
    assert not is_valid_code("I" * 11)


def test_a_hundred_thousand_ids_have_as_many_pseudonyms() -> None:
    many = pl.DataFrame({"patient_id": [f"{i:06d}" for i in range(100_000)]}).with_columns(
        center_id=pl.lit("DE01")
    )
    assert Pseudonymizer("MM2024", KEY).pseudonyms(many)["usubjid"].n_unique() == 100_000


def test_two_patients_with_one_pseudonym_stop_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pseudonymizer, "code", lambda *_: "0" * 11)
    with pytest.raises(CarmonyError, match="more than one patient") as error:
        Pseudonymizer("MM2024", KEY).pseudonyms(ids(("DE01", "017"), ("DE01", "018")))
    assert "017" not in str(error.value)


def test_the_key_is_made_once_is_private_and_is_random(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CARMONY_KEY", raising=False)
    one = Pseudonymizer.of_study(tmp_path / "one", "MM2024").code("DE01", "017")
    again = Pseudonymizer.of_study(tmp_path / "one", "MM2024").code("DE01", "017")
    other = Pseudonymizer.of_study(tmp_path / "two", "MM2024").code("DE01", "017")
    assert one == again
    assert one != other
    key = tmp_path / "one" / "vault" / "pseudonym.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o777 == 0o700
    assert len(key.read_bytes()) == 32
    assert [p.name for p in key.parent.iterdir()] == ["pseudonym.key"]


def test_the_key_may_come_from_the_environment_and_then_none_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARMONY_KEY", KEY.hex())
    code = Pseudonymizer.of_study(tmp_path, "MM2024").code("DE01", "017")
    assert code == Pseudonymizer("MM2024", KEY).code("DE01", "017")
    assert list(tmp_path.iterdir()) == []


def test_a_short_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARMONY_KEY", "secret")
    with pytest.raises(StudyError) as error:
        Pseudonymizer.of_study(tmp_path, "MM2024")
    assert "6 bytes" in str(error.value)
    assert "secret" not in str(error.value)


def test_another_key_than_the_first_is_refused_before_anything_changes(tmp_path: Path) -> None:
    Pseudonymizer("MM2024", KEY).update_id_map(tmp_path, ids(("DE01", "017")))
    before = (tmp_path / "vault" / "id_map.parquet").read_bytes()
    with pytest.raises(StudyError, match="not the one that made"):
        Pseudonymizer("MM2024", KEY[::-1]).update_id_map(tmp_path, ids(("DE01", "018")))
    assert (tmp_path / "vault" / "id_map.parquet").read_bytes() == before


def test_the_id_map_is_private_and_the_key_is_in_no_text(tmp_path: Path) -> None:
    pseudonyms = Pseudonymizer("MM2024", KEY)
    pseudonyms.update_id_map(tmp_path, ids(("DE01", "017")))
    assert (tmp_path / "vault" / "id_map.parquet").stat().st_mode & 0o777 == 0o600
    assert repr(pseudonyms) == "Pseudonymizer('MM2024')"
