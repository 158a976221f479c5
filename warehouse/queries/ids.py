"""Names of queries and marks of values, both by keyed or plain hashes: nothing leads back to a value."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable
from functools import lru_cache

from warehouse.pseudonyms import ALPHABET

_SEPARATOR = "\x1f"
_PAIRS = [one + other for one in ALPHABET for other in ALPHABET]  # of ten bits each


def query_id(parts: Iterable[str | None], taken: Container[str], key: bytes) -> str:
    """`Q-` and eight characters of Crockford's base 32, from what the query is about.

    Keyed, since a short plain hash of a local id could be found by trying all ids. `taken` are the ids
    in use: a second query on the same identity, or one of a colliding hash, gets another one.
    """
    text = _SEPARATOR.join([part or "" for part in parts])
    for attempt in range(1_000_000):
        digest = _start(key).copy()
        digest.update(f"{attempt}{_SEPARATOR}{text}".encode())
        number = int.from_bytes(digest.digest(), "big")
        high, low = number >> 20, number & 0xFFFFF
        name = f"Q-{_PAIRS[high >> 10]}{_PAIRS[high & 1023]}{_PAIRS[low >> 10]}{_PAIRS[low & 1023]}"
        if name not in taken:
            return name
    raise RuntimeError("no free id of a query")


@lru_cache(maxsize=8)
def _start(key: bytes) -> hashlib.blake2b:
    """The hash of a key before any text."""
    return hashlib.blake2b(digest_size=5, key=key)


def fingerprints(texts: Iterable[str], key: bytes) -> list[str]:
    """A mark of each text under the key: the same for the same values, and no way back."""
    start = hashlib.blake2b(digest_size=12, key=key)
    marks = []
    for text in texts:
        one = start.copy()
        one.update(text.encode("utf-8", "surrogatepass"))
        marks.append(one.hexdigest())
    return marks
