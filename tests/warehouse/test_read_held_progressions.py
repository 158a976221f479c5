"""What the quarantine of the current deliveries tells of progressions."""

import datetime as dt


def response(number, **more):
    row = {"patient_id": number, "line_number": 1, "kind": "ASSESSMENT", "category": "PR"}
    return {**row, "response_date": dt.date(2023, 5, 1), "response_date_precision": "day", **more}


def test_progressions_and_later_relapses_in_quarantine_are_read_by_pseudonym(small_study):
    found = []

    def look(con, _):
        con.execute("create table analysis.adsl as select usubjid as USUBJID from core.subject")
        con.execute("comment on column analysis.adsl.USUBJID is 'Unique subject identifier'")
        found.extend(
            con.execute(
                "select line_number, day, day_precision, usubjid in (select usubjid from core.subject)"
                " from held_progression order by all"
            ).fetchall()
        )

    held = {
        "response": [
            response("1"),
            response("1", kind="PROGRESSION", category="PD"),
            response("2", category="PD", line_number=2, response_date_precision="month"),
        ],
        "relapse": [
            {"patient_id": "1", "relapse_number": 1, "relapse_date": dt.date(2023, 1, 1)},
            {"patient_id": "1", "relapse_number": 2, "relapse_date": dt.date(2024, 1, 1)},
        ],
    }
    people = {"subject": [small_study.patient("1"), small_study.patient("2")]}
    staged = small_study.stage("DE01", "d1", people, held_back=held)
    small_study.built(small_study.outcome("DE01", "d1", staged), derive=look)
    assert found == [
        (1, dt.date(2023, 5, 1), "day", True),
        (2, dt.date(2023, 5, 1), "month", True),
        (None, dt.date(2024, 1, 1), None, True),
    ]
