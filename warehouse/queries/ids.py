"""Names of queries and marks of values, both by keyed or plain hashes: nothing leads back to a value."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable

from warehouse.pseudonyms import ALPHABET

_LENGTH = 8
_SEPARATOR = "\x1f"


def query_id(parts: Iterable[str | None], taken: Container[str], key: bytes) -> str:
    """`Q-` and eight characters of Crockford's base 32, from what the query is about.

    Keyed, since a short plain hash of a local id could be found by trying all ids. `taken` are the ids
    in use: a second query on the same identity, or one of a colliding hash, gets another one.
    """
    text = _SEPARATOR.join(part or "" for part in parts)
    for attempt in range(1_000_000):
        digest = hashlib.blake2b(f"{attempt}{_SEPARATOR}{text}".encode(), digest_size=5, key=key)
        number = int.from_bytes(digest.digest(), "big")
        code = "".join(ALPHABET[(number >> shift) & 31] for shift in range(35, -1, -5))
        name = f"Q-{code[:_LENGTH]}"
        if name not in taken:
            return name
    raise RuntimeError("no free id of a query")


def fingerprints(texts: Iterable[str], key: bytes) -> list[str]:
    """A mark of each text under the key: the same for the same values, and no way back."""
    start = hashlib.blake2b(digest_size=12, key=key)
    marks = []
    for text in texts:
        one = start.copy()
        one.update(text.encode("utf-8", "surrogatepass"))
        marks.append(one.hexdigest())
    return marks
