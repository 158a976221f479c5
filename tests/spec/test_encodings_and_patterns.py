"""Encodings and regular expressions are tried when a spec is read, by the engine that runs them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from schemas.errors import FileError, SpecError
from schemas.spec import load_spec
from schemas.spec.texts import groups
from tests.spec.test_spec_messages import GOOD
from transforms.harmonize.distinct import Reader
from transforms.harmonize.verdicts import Form
from transforms.read import open_tables


def read(folder: Path, old: str, new: str) -> str:
    """The message over the spec with one part exchanged; nothing if it is taken."""
    path = folder / "DE01.yaml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    try:
        load_spec(path)
    except SpecError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "name",
    ["rot13", "zlib_codec", "base64", "hex", "idna", "punycode", "unicode_escape", "undefined", "latin-9000"],
)  # fmt: skip
def test_what_is_no_encoding_of_a_text_table_is_refused_with_its_line(
    tmp_path: Path, name: str
) -> None:
    told = read(tmp_path, "patient_id: ID", f"patient_id: ID, encoding: {name}")
    assert f"line 4, sources.patients.encoding: '{name}' is no encoding of text" in told


@pytest.mark.parametrize(
    "name", ["utf-8", "UTF-8-SIG", "utf-16", "utf-16-le", "cp1252", "latin-1", "mac-roman", "cp850"]
)
def test_encodings_that_programs_export_in_are_taken(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, "patient_id: ID", f"patient_id: ID, encoding: {name}") == ""


@pytest.mark.parametrize(
    "text", [r"P\d+\Z", r"\d{3}(?#c)", "(a{1000}){1000}", "([", r"(a)\1", "a(?=b)", "(?x) a # b"]
)
def test_patterns_that_the_engine_refuses_are_told_with_file_line_and_key(
    tmp_path: Path, text: str
) -> None:
    told = read(tmp_path, "dates:", f"id_pattern: '{text}'\ndates:")
    assert "DE01.yaml, line 2, id_pattern: " in told
    assert len(told.splitlines()) <= 2
    where = f"patient_id: ID, where: {{column: Sex, matches: '{text}'}}"
    if text != "(?x) a # b":  # a comment only swallows what an id's pattern is put into
        assert "line 4, sources.patients.where" in read(tmp_path, "patient_id: ID", where)


@pytest.mark.parametrize(
    "text", [r"\d{3}", r"(?i)p-\d+", r"[A-ZÄÖÜ]\d{2}/\d+", r"(?P<center>DE)\d+"]
)
def test_ordinary_patterns_are_taken(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, "dates:", f"id_pattern: '{text}'\ndates:") == ""


def test_a_group_that_the_pattern_does_not_have_is_refused(tmp_path: Path) -> None:
    assert groups(r"(\d)(?P<rest>.*)(?:x)") == 2
    regex = "birth_year: {regex: {column: A, pattern: '(a)', group: 2}}"
    told = read(tmp_path, "birth_year: Born", regex)
    assert "line 10" in told
    assert "the pattern has 1 group(s), and 'group' asks for 2" in told
    none = "birth_year: {regex: {column: A, pattern: 'a'}}"
    assert "0 group(s)" in read(tmp_path, "birth_year: Born", none)


def test_a_pattern_picks_its_group_and_never_hangs() -> None:
    reader = Reader(Form(parser="text", pattern=r"best: (\w+)", group=1))
    assert [v.values[0] for v in reader.verdicts(["best: CR, 2023", " best: PR "])] == ["CR", "PR"]
    (wrong,) = reader.verdicts(["worst: PD"])
    assert wrong.severity == "error"
    started = time.process_time()
    (odd,) = Reader(Form(parser="text", pattern="^(a|aa)+$", group=1)).verdicts(["a" * 60 + "!"])
    assert odd.severity == "error"
    assert time.process_time() - started < 5  # by trying all ways it takes years


def test_a_file_of_another_office_program_is_not_told_to_be_declared_as_one(tmp_path: Path) -> None:
    path = tmp_path / "table.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 2000)
    with pytest.raises(FileError) as caught:
        open_tables(path)
    assert caught.value.code == "WRONG_TYPE"
    assert "kind: ole" not in str(caught.value)
    assert "saved as .xls" in caught.value.fix
