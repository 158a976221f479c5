"""A held response without a category tells of no progression, unless its category was not understood."""

import datetime as dt

DAY = dt.date(2024, 1, 5)


def response(number, row_id, **more):
    row = {
        "patient_id": number,
        "row_id": row_id,
        "line_number": 1,
        "kind": "BEST",
        "category": None,
    }
    return {**row, "response_date": DAY, "response_date_precision": "day", **more}


def finding(number, row_id, rule):
    made = {"finding_id": row_id, "rule_id": rule, "severity": "error", "disposition": "quarantine"}
    return {**made, "scope": "row", "table": "response", "patient_id": number, "row_id": row_id}


def category_of(finding_id):
    return {"finding_id": finding_id, "position": 1, "table": "response", "column": "category"}


def test_only_a_category_that_was_not_understood_may_be_a_progression(small_study):
    found = []

    def look(con, _):
        con.execute("create table analysis.adsl as select usubjid as USUBJID from core.subject")
        con.execute("comment on column analysis.adsl.USUBJID is 'Unique subject identifier'")
        for table in ("held_row", "held_progression"):
            asked = f"select distinct patient_id from {table} join patient_key using (usubjid) order by 1"
            found.append([number for (number,) in con.execute(asked).fetchall()])

    held = [
        response("1", 11),  # empty, asked for
        response("2", 12),  # not understood
        response("3", 13, kind="ASSESSMENT"),  # empty, asked for
        response("4", 14, kind="ASSESSMENT", progression_basis="IMAGING"),  # empty, with a basis
        response("5", 15, kind="PROGRESSION"),  # an empty category of a progression
        response("6", 16),  # nobody says why it is held
    ]
    rules = {11: "STR-06", 12: "RSP-01", 13: "STR-06", 14: "STR-06", 15: "STR-06"}
    staged = small_study.stage(
        "DE01",
        "d1",
        {"subject": [small_study.patient(str(n)) for n in range(1, 7)]},
        held_back={"response": held},
        findings=[finding(str(row_id - 10), row_id, rule) for row_id, rule in rules.items()],
        fields=[category_of(row_id) for row_id in rules],
    )
    small_study.built(small_study.outcome("DE01", "d1", staged), derive=look)
    assert found == [["2", "4", "5", "6"]] * 2
