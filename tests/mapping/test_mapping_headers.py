"""What is said about headers before anything loads."""

from __future__ import annotations

import pytest

from schemas.errors import FileError, SpecError

SPEC = (
    "sources:\n  p: {file: p.csv, patient_id: ID%s}\n"
    "tables:\n  - table: subject\n    from: p\n    columns: {sex: Sex, birth_year: {column: Born, as: year}}\n"
)


def test_missing_columns_are_listed_with_the_available_and_the_nearest(deliver) -> None:
    with pytest.raises(SpecError) as caught:
        deliver(SPEC % "", p__csv="ID,Sexx,Born,Note\na,w,1960,x\n")
    told = str(caught.value)
    assert "file 'p.csv': missing columns: 'Sex' (nearest: 'Sexx')" in told
    assert "the file has 'ID', 'Sexx', 'Born', 'Note'" in told
    assert "no key of the spec names 'Sexx', 'Note'" in told
    assert isinstance(caught.value, FileError)
    assert caught.value.code == "MISSING_COLUMN"
    assert "1960" not in told


def test_unknown_columns_are_issues_with_their_address(deliver) -> None:
    got = deliver(SPEC % "", p__csv="ID,Sex,Born,Note\na,w,1960,x\n")
    assert got.mapping.issues.select("rule_id", "file", "row", "source_column", "value").rows() == [
        ("STR-07", "p.csv", 1, "Note", None)
    ]


def test_unknown_columns_are_refused_where_the_spec_says_so_with_both_lists(deliver) -> None:
    with pytest.raises(FileError) as caught:
        deliver("unknown_columns: refuse\n" + SPEC % "", p__csv="ID,Sex,Note,Born\na,w,x,1960\n")
    assert caught.value.code == "UNKNOWN_COLUMN"
    assert "unknown columns 'Note'" in str(caught.value)
    assert "the spec knows 'ID', 'Sex', 'Born'" in str(caught.value)


def test_a_header_that_only_looks_the_same_is_told_with_its_code_points(deliver) -> None:
    with pytest.raises(FileError) as caught:
        deliver("unknown_columns: refuse\n" + SPEC % "", p__csv="ID,S\u0435x,Born\na,w,1960\n")
    told = str(caught.value)
    assert "U+0435 CYRILLIC SMALL LETTER IE" in told
    assert "missing columns 'Sex'" in told


def test_ignored_columns_may_be_patterns_and_are_no_issue(deliver) -> None:
    got = deliver(
        SPEC % ", ignore: ['*_complete', 'a[b]']",
        p__csv="ID,Sex,Born,base_complete,a[b]\na,w,1960,2,x\n",
    )
    assert got.mapping.issues.height == 0


@pytest.mark.parametrize(
    "header",
    ["Name", "Nachname", "Vorname", "Patientenname", "MRN", "Phone", "Telefon-Nr.", "E-Mail", "SSN",
     "Versichertennummer", "last_name", "Apellidos", "Nombre y apellidos", "Prénom", "Straße", "KVNR"],
)  # fmt: skip
def test_a_header_that_names_people_is_refused_before_anything_is_kept(
    deliver, header: str
) -> None:
    text = f"ID,Sex,Born,{header}\na,w,1960,Meier\n"
    with pytest.raises(FileError) as caught:
        deliver(SPEC % f", ignore: ['{header}']", p__csv=text)
    assert caught.value.code == "FORBIDDEN_COLUMN"
    assert f"column '{header}'" in str(caught.value)
    assert "Meier" not in str(caught.value)


@pytest.mark.parametrize(
    "header",
    ["drug_name", "redcap_event_name", "Testname", "Name des Protokolls", "Center name", "Nominal"],
)
def test_harmless_headers_are_not_taken_for_people(deliver, header: str) -> None:
    deliver(SPEC % f", ignore: ['{header}']", p__csv=f"ID,Sex,Born,{header}\na,w,1960,x\n")


def test_an_identifying_column_may_come_if_the_spec_drops_it(deliver) -> None:
    got = deliver(SPEC % ", drop: [Name]", p__csv="ID,Sex,Born,Name\na,w,1960,Meier\n")
    assert got.values("subject", "sex") == [("F",)]
    assert "Meier" not in str(got.raws)


def test_a_file_that_no_source_reads_is_an_issue_unless_it_is_ignored(deliver) -> None:
    files = {"p__csv": "ID,Sex,Born\na,w,1960\n", "q__csv": "x,y\n1,2\n", "README__txt": "hello\n"}
    got = deliver("ignore_files: ['*.txt']\n" + SPEC % "", **files)
    assert got.mapping.issues.select("rule_id", "file", "source_id").rows() == [("STR-07", "q.csv", None)]  # fmt: skip


def test_headers_of_two_unicode_forms_are_the_same_header(deliver) -> None:
    spec = SPEC.replace("Born", "Übung") % ""
    got = deliver(spec, p__csv="ID,Sex,U\u0308bung\na,w,1960\n")
    assert got.values("subject", "birth_year") == [(1960,)]
    assert got.mapping.column_map.row(2)[5] == "U\u0308bung"


def test_a_column_that_the_file_lacks_is_not_told_as_delivered(deliver) -> None:
    spec = (
        "sources:\n  p: {file: p.csv, patient_id: ID}\n"
        "tables:\n  - table: subject\n    from: p\n    columns:\n"
        "      country: {constant: DE}\n      sex: Sex\n"
        "      birth_year: {column: Born, optional: yes}\n"
        "      diagnosis_date: {coalesce: [Diag1, Diag2], optional: yes}\n"
    )
    got = deliver(spec, p__csv="ID,Sex,Born,Diag2\na,w,1960,2020-03-01\n")
    told = got.mapping.column_map.select("column", "source_column").rows()
    assert told == [
        ("patient_id", "ID"),
        ("country", None),
        ("sex", "Sex"),
        ("birth_year", "Born"),
        ("diagnosis_date", "Diag2"),
    ]
    got = deliver(spec, p__csv="ID,Sex\na,w\n")
    assert got.mapping.column_map["column"].to_list() == ["patient_id", "country", "sex"]


BORN = (
    "dates: {order: dmy}\nsources:\n  p: {file: p.csv, patient_id: ID}\n"
    "tables:\n  - table: subject\n    from: p\n    columns: {%s}\n"
)


def test_a_full_birth_date_comes_as_its_year_and_as_nothing_else(deliver) -> None:
    text = "ID,Geburtsdatum\na,10.03.1950\n"
    got = deliver(BORN % "birth_year: {column: Geburtsdatum, as: year}", p__csv=text)
    assert got.rules() == []
    assert got.values("subject", "birth_year") == [(1950,)]
    with pytest.raises(FileError) as caught:
        deliver(BORN % "diagnosis_date: Geburtsdatum", p__csv=text)
    assert caught.value.code == "FORBIDDEN_COLUMN"
    assert "birth_year" in caught.value.fix
