"""Ids of queries in a cell, however they were retyped."""

from __future__ import annotations

import re

from transforms.harmonize.values import match_key
from warehouse.pseudonyms import ALPHABET

# `match_key` has made one kind of dash, plain letters in lower case and single blanks.
_ID = re.compile(r"(?<![0-9a-z])q ?- ?([0-9a-z]{8})(?![0-9a-z])")
# Crockford's alphabet leaves out I, L and O, so that they can be read as the digits they look like.
_MEANT = str.maketrans("ILO", "110")


def ids_in(text: str) -> tuple[str, ...]:
    """The ids of a text in order, each once: `Q-` and eight characters of Crockford's base 32.

    Lower case, any dash, blanks around it and other words beside it do no harm. Nothing is
    guessed: seven or nine characters, or a U, are no id.
    """
    found = (code.upper().translate(_MEANT) for code in _ID.findall(match_key(text)))
    return tuple(dict.fromkeys(f"Q-{code}" for code in found if set(code) <= set(ALPHABET)))
