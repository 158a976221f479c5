"""A line that a check holds back is never "no further line", and may be the first salvage itself."""

import pytest

HELD = "usubjid | held_table | number | value | day"
LINES = "usubjid | line_number | start_date | drugs"
CLOCKS = ("TTNT", "TTNTN", "PFSNACT", "TTRSP")


def held_line(number, drugs, day):
    return f"{HELD}\nMYE-DE01-A | treatment_line | {number} | {drugs} | {day}"


def lines(*rows):
    return "\n".join([LINES, *(f"MYE-DE01-A | {' | '.join(map(str, row))}" for row in rows)])


def reasons(rows, con):
    return {row["PARAMCD"]: row["reason"] for row in rows(con, "exclusion")}


def test_a_held_next_line_leaves_the_further_lines_unknown(derived, rows):
    con = derived(held=held_line(2, "", "2023-07-31"))
    [row] = rows(con, "adsl")
    assert (row["SUBSQFL"], row["NSALV"], row["NACTDT"]) == (None, None, None)
    assert {code: reasons(rows, con).get(code) for code in CLOCKS} == dict.fromkeys(
        CLOCKS, "NEXT_LINE_HELD"
    )
    assert "OS" not in reasons(rows, con)
    problems = rows(con, "endpoint_problem", "PARAMCD = 'TTNT'")
    assert [(row["reason"], row["outcome"]) for row in problems] == [("NEXT_LINE_HELD", "EXCLUDED")]


def test_a_third_line_does_not_take_the_place_of_a_held_second_one(derived, rows):
    known = lines((1, "2023-06-01", "talquetamab"), (3, "2023-08-30", "bortezomib"))
    con = derived(treatment_line=known, held=held_line(2, "", "2023-07-31"))
    [row] = rows(con, "adsl")
    assert (row["SUBSQFL"], row["NSALV"], row["NACTDT"]) == ("Y", None, None)
    assert reasons(rows, con)["TTNT"] == "NEXT_LINE_HELD"


def test_a_held_third_line_leaves_the_second_one_as_it_is(derived, rows):
    known = lines((1, "2023-06-01", "talquetamab"), (2, "2023-07-31", "bortezomib"))
    con = derived(treatment_line=known, held=held_line(3, "", "2023-10-01"))
    [row] = rows(con, "adsl")
    assert (row["SUBSQFL"], row["NSALV"], row["NACTDT"]) == ("Y", None, "2023-07-31")
    assert not set(CLOCKS) & set(reasons(rows, con))


def test_what_came_before_the_held_line_still_counts(derived, rows):
    response = """usubjid    | line_number | kind        | response_date | category
                  MYE-DE01-A | 1           | ASSESSMENT  | 2023-06-20    | PR
                  MYE-DE01-A | 1           | PROGRESSION | 2023-07-15    | PD"""
    con = derived(response=response, held=held_line(2, "", "2023-07-31"))
    assert set(CLOCKS) & set(reasons(rows, con)) == {"TTNT", "TTNTN"}
    con = derived(response=response, held=held_line(2, "bortezomib", ""))
    assert reasons(rows, con)["PFSNACT"] == "NEXT_LINE_HELD"
    con = derived(response=response, held=held_line(2, "bortezomib", "2023-06-10"))
    assert reasons(rows, con)["TTRSP"] == "NEXT_LINE_HELD"


@pytest.mark.parametrize(
    ("day", "further"),
    [
        # The line starts on 2023-06-01; up to three days from it the same drugs are the same line.
        ("2023-06-01", ("N", 1, None)),
        ("2023-06-04", ("N", 1, None)),
        ("2023-05-29", ("N", 1, None)),
        ("2023-06-05", (None, None, "NEXT_LINE_HELD")),
        # Of a month the day may lie further away.
        ("2023-06", (None, None, "NEXT_LINE_HELD")),
    ],
)
def test_a_held_copy_of_a_line_is_no_other_line(derived, rows, day, further):
    con = derived(held=held_line(2, "talquetamab", day))
    [row] = rows(con, "adsl")
    assert (row["SUBSQFL"], row["NSALV"], reasons(rows, con).get("TTNT")) == further


@pytest.mark.parametrize(
    ("first", "number", "drugs", "day", "expected"),
    [
        # Radiotherapy on 2023-06-01: a systemic line up to 30 days later makes it a bridge.
        ("radiotherapy", 2, "", "2023-06-15", "SALVAGE_HELD"),
        ("radiotherapy", 2, "bortezomib", "2023-07-01", "SALVAGE_HELD"),
        ("radiotherapy", 2, "", "2023-07-02", None),
        ("radiotherapy", 2, "", "", "SALVAGE_HELD"),
        ("radiotherapy", 2, "dexamethasone", "2023-06-15", None),
        ("cyclophosphamide+dexamethasone", 2, "", "2023-06-15", "SALVAGE_HELD"),
        # A second bispecific up to 28 days later is part of the first.
        ("teclistamab", 2, "", "2023-06-29", "SALVAGE_HELD"),
        ("teclistamab", 2, "talquetamab", "2023-06-15", "SALVAGE_HELD"),
        ("teclistamab", 2, "bortezomib", "2023-06-15", None),
        ("teclistamab", 2, "teclistamab", "2023-06-02", None),
        ("teclistamab", 2, "", "2023-06-30", None),
        ("bortezomib", 2, "", "2023-06-15", None),
        # Without a number, the day decides whether it can be the first.
        ("bortezomib", "", "", "2023-05-20", "SALVAGE_HELD"),
        ("bortezomib", "", "", "", "SALVAGE_HELD"),
        ("bortezomib", "", "", "2023-08-01", None),
    ],
)
def test_a_held_line_that_may_be_part_of_the_first_salvage_keeps_the_patient_out(
    derived, rows, first, number, drugs, day, expected
):
    con = derived(
        treatment_line=lines((1, "2023-06-01", first)), held=held_line(number, drugs, day)
    )
    assert [row["reason"] for row in rows(con, "candidate")] == [expected]


def test_lymphodepletion_that_is_held_as_a_line_takes_no_patient_out(derived, rows):
    known = lines((2, "2023-06-06", "ciltacabtagene_autoleucel"))
    held = f"{HELD}\nMYE-DE01-A | lymphodepletion | 1 | cyclophosphamide+fludarabine | 2023-06-01"
    response = """usubjid    | line_number | kind | response_date | category
                  MYE-DE01-A | 2           | BEST | 2023-07-20    | CR"""
    con = derived(treatment_line=known, response=response, held=held)
    [row] = rows(con, "adsl")
    assert (row["TRTSDT"], row["GRP4"], row["SUBSQFL"]) == ("2023-06-06", "OTHER", "N")
    assert not set(CLOCKS) & set(reasons(rows, con))


def test_lymphodepletion_held_as_the_second_line_leaves_the_third_one_the_next(derived, rows):
    known = lines((1, "2023-06-01", "talquetamab"), (3, "2023-08-06", "idecabtagene_vicleucel"))
    con = derived(
        treatment_line=known, held=f"{HELD}\nMYE-DE01-A | lymphodepletion | 2 | | 2023-08-01"
    )
    [row] = rows(con, "adsl")
    assert (row["SUBSQFL"], row["NSALV"], row["NACTDT"]) == ("Y", 2, "2023-08-06")
    assert not set(CLOCKS) & set(reasons(rows, con))


def test_a_held_line_beside_lymphodepletion_still_takes_the_patient_out(derived, rows):
    known = lines((3, "2023-06-06", "talquetamab"))
    held = (
        f"{HELD}\nMYE-DE01-A | lymphodepletion | 1 | | 2023-05-20\n"
        "MYE-DE01-A | treatment_line | 2 | | 2023-05-25"
    )
    con = derived(treatment_line=known, held=held)
    assert rows(con, "adsl") == []
    assert [
        row["reason"] for row in rows(con, "attrition", "n_patients > 0 and reason is not null")
    ] == ["SALVAGE_HELD"]
