"""The search for words in files: however they are packed, and what it says of files that it cannot unpack."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from pathlib import Path

import pandas as pd
import polars as pl
import pyreadstat
import pytest

from flows import forget_search
from flows.forget_search import search

WORD = "Pat-0815"


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def _parquet(word: str) -> bytes:
    out = io.BytesIO()
    pl.DataFrame({"patient_id": [word] * 50}).write_parquet(out)
    return out.getvalue()


def test_a_word_is_found_however_it_is_packed(tmp_path: Path) -> None:
    text = f"x;{WORD};y".encode()
    files = {
        "plain.csv": text,
        "a.gz": gzip.compress(text),
        "b.zip": _zip({"c.zip": _zip({"d.csv.gz": gzip.compress(text)})}),
        "e.parquet": _parquet(WORD),
        "f.csv": text.decode().encode("utf-16-le"),
        f"{WORD}.txt": b"",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "other.csv").write_bytes(b"x;Pat-08150;y")
    found = search(tmp_path, [WORD])
    assert sorted(path.name for path in found.hits) == sorted(files)
    assert found.not_searched == []


def test_a_file_that_cannot_be_unpacked_is_named_and_not_passed_over(tmp_path: Path) -> None:
    whole = _zip({"a.csv": os.urandom(5000), "b.csv": b"nothing"})
    damaged = bytearray(whole)
    damaged[200] ^= 0xFF  # within the first member
    nested = b"nothing"
    for _ in range(6):
        nested = _zip({"in.zip": nested})
    files = {
        "cut.zip": whole[:-30],
        "member.zip": bytes(damaged),
        "inner.zip": _zip({"cut.zip": whole[:-30]}),
        "cut.csv.gz": gzip.compress(os.urandom(5000))[:-100],
        "cut.parquet": _parquet("x")[:-20],
        "deep.zip": nested,
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "good.zip").write_bytes(whole)
    found = search(tmp_path, [WORD])
    assert found.hits == []
    assert sorted(path.name for path in found.not_searched) == sorted(files)


def test_texts_side_by_side_and_texts_in_pieces_are_found(tmp_path: Path) -> None:
    # An identifier that fills its width, beside a number and another text; compressed, in a zip, in two colours.
    frame = pd.DataFrame({"id": [WORD] * 40, "x": [1.0] * 40, "sex": ["F"] * 40})
    pyreadstat.write_sav(frame, tmp_path / "a.sav", row_compress=True)
    pyreadstat.write_sav(frame, tmp_path / "b.zsav", compress=True)
    pyreadstat.write_xport(frame, tmp_path / "c.xpt")
    pyreadstat.write_dta(frame, tmp_path / "d.dta")
    pyreadstat.write_dta(frame, tmp_path / "e.dta", version=10)
    zsav = (tmp_path / "b.zsav").read_bytes()
    (tmp_path / "f.zip").write_bytes(_zip({"b.zsav": zsav}))
    runs = "<si><r><t>Pat-</t></r><r><rPr><b/></rPr><t>0815</t></r></si>"
    xml = f'<?xml version="1.0"?><sst>{runs}</sst>'.encode()
    (tmp_path / "g.xlsx").write_bytes(_zip({"xl/sharedStrings.xml": xml}))
    whole = sorted(tmp_path.iterdir())
    (tmp_path / "cut.sav").write_bytes((tmp_path / "a.sav").read_bytes()[:300])
    (tmp_path / "letter.pdf").write_bytes(b"%PDF-1.7 ...")
    (tmp_path / "packed.7z").write_bytes(b"7z\xbc\xaf\x27\x1c ...")
    found = search(tmp_path, [WORD])

    assert found.hits == whole
    assert [path.name for path in found.not_searched] == ["cut.sav", "letter.pdf", "packed.7z"]
    assert search(tmp_path, ["Pat-0816"]).hits == []


def test_what_follows_a_damaged_member_is_searched_all_the_same(tmp_path: Path) -> None:
    damaged = bytearray(_zip({"a.csv": os.urandom(5000), "b.csv": f"x;{WORD}".encode()}))
    damaged[200] ^= 0xFF
    (tmp_path / "a.zip").write_bytes(damaged)
    found = search(tmp_path, [WORD])
    assert [path.name for path in found.hits] == ["a.zip"]
    assert found.not_searched == []


def test_what_is_too_large_when_unpacked_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forget_search, "_LARGEST", 1000)
    (tmp_path / "a.zip").write_bytes(_zip({"a.csv": b"0" * 1001}))
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b"0" * 1001))
    (tmp_path / "c.zip").write_bytes(_zip({"a.csv": b"0" * 1000}))
    found = search(tmp_path, [WORD])
    assert [path.name for path in found.not_searched] == ["a.zip", "b.csv.gz"]
