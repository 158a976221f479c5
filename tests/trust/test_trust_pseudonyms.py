"""Pseudonyms without the key: a dictionary of all ids recovers nobody, and two studies share nobody."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from warehouse.pseudonyms import ALPHABET, Pseudonymizer

Tries = Callable[[int, int], int]
Record = Callable[..., None]
STUDY, CENTER = "MM2024", "DE01"
# What somebody without the key may try as one: nothing, what is public, and what people choose.
GUESSED = (b"", b"\0" * 32, STUDY.encode(), CENTER.encode(), b"carmony", b"secret", b"password",
           STUDY.encode().ljust(32, b"\0"), hashlib.sha256(STUDY.encode()).digest())  # fmt: skip


def framed(*parts: str) -> bytes:
    """Length and text of each part, as docs and code tell everybody."""
    return b"".join(len(p.encode()).to_bytes(4, "big") + p.encode() for p in parts)


def forms(digest: bytes) -> tuple[str, ...]:
    """The ten characters of a pseudonym that a digest could be cut to."""
    number = int.from_bytes(digest[:7], "big") >> 6
    crockford = "".join(ALPHABET[number >> shift & 31] for shift in range(45, -1, -5))
    rfc = base64.b32encode(digest).decode()[:10]
    return crockford, rfc, digest.hex().upper()[:10]


def attacks(candidate: str) -> Iterator[tuple[str, ...]]:
    """Codes that a candidate would have without a key, or under a guessed one."""
    messages = (
        candidate.encode(),
        framed(STUDY, CENTER, candidate),
        f"{STUDY}{CENTER}{candidate}".encode(),
    )
    for message in messages:
        for name in ("sha256", "sha1", "md5"):
            yield forms(hashlib.new(name, message).digest())
        for key in GUESSED:
            yield forms(hmac.digest(key, message, "sha256"))


def recovered(codes: dict[str, str], candidates: Iterator[str]) -> set[str]:
    """Ids that the attack reads off the codes."""
    wanted = {code[:10]: patient for code, patient in codes.items()}
    found = set()
    for candidate in candidates:
        for made in itertools.chain.from_iterable(attacks(candidate)):
            if wanted.get(made) == candidate:
                found.add(candidate)
    return found


def test_a_dictionary_of_ids_recovers_nobody_without_the_key(tries: Tries, figure: Record) -> None:
    n = tries(4_000, 50_000)
    chance = random.Random(36)
    patients = [f"{number:08d}" for number in chance.sample(range(n), 200)]
    pseudonyms = Pseudonymizer(STUDY, chance.randbytes(32))
    codes = {pseudonyms.code(CENTER, patient): patient for patient in patients}
    found = recovered(codes, (f"{number:08d}" for number in range(n)))
    # The control: the same attack on hashes without a key, and under a key that it guesses.
    plain = {
        forms(hashlib.sha256(framed(STUDY, CENTER, patient)).digest())[0]: patient
        for patient in patients
    }
    weak = Pseudonymizer(STUDY, GUESSED[-1])
    guessed = {weak.code(CENTER, patient): patient for patient in patients}
    for known in (plain, guessed):
        assert recovered(known, iter(patients)) == set(patients)
    figure("36", f"200 ids recovered from {n:,} candidates without the key", len(found), n)


def test_two_studies_share_nobody_and_one_study_keeps_everybody(
    tmp_path: Path, tries: Tries, figure: Record
) -> None:
    n = tries(5_000, 200_000)
    chance = random.Random(37)
    keys = [chance.randbytes(32) for _ in range(2)]
    ids = pl.DataFrame(
        {"center_id": [CENTER] * n, "patient_id": [f"{number:06d}" for number in range(n)]}
    )
    other = Pseudonymizer("MM2025", keys[1]).pseudonyms(ids)["usubjid"]
    first = Pseudonymizer(STUDY, keys[0]).update_id_map(tmp_path, ids.head(n // 2))
    both = Pseudonymizer(STUDY, keys[0]).update_id_map(
        tmp_path, ids.sample(fraction=1.0, shuffle=True, seed=1)
    )
    codes = both["usubjid"].str.slice(-11)
    shared = codes.is_in(other.str.slice(-11).implode()).sum()
    # One study under another's key is another study.
    same_key = Pseudonymizer("MM2025", keys[0]).pseudonyms(ids)["usubjid"].str.slice(-11)
    shared += codes.is_in(same_key.implode()).sum()
    figure("36", "pseudonyms that two studies share", int(shared), 2 * n)
    moved = first.join(both, on=first.columns, how="anti").height
    figure("36", "patients of another pseudonym when they are sent again", moved, first.height)
    assert both["usubjid"].n_unique() == n
