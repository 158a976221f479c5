"""What the quarantine of the current deliveries tells of rows of every table."""

import datetime as dt

DAY = dt.date(2024, 1, 5)
HELD = {
    "relapse": {"relapse_number": 1, "relapse_date": DAY, "relapse_date_precision": "month"},
    "treatment_line": {"line_number": 2, "drugs": "bortezomib|dexamethasone", "start_date": DAY},
    "response": {"line_number": 1, "kind": "BEST", "category": "CR", "response_date": DAY},
    "lesion": {"timepoint": "RELAPSE", "category": "CNS", "lesion_date": DAY},
    "risk": {"timepoint": "BEFORE_CART"},
    "toxicity": {"kind": "CRS", "grade": 2, "scale": "ASTCT2019", "onset_date": DAY},
    "exposure": {"drug": "lenalidomide"},
    "follow_up": {"vital_status": "DEAD", "last_contact_date": DAY},
}


def test_each_held_row_is_read_with_what_is_understood_of_it(small_study):
    found = []

    def look(con, _):
        con.execute("create table analysis.adsl as select usubjid as USUBJID from core.subject")
        con.execute("comment on column analysis.adsl.USUBJID is 'Unique subject identifier'")
        found.extend(
            con.execute(
                "select held_table, number, topic, value, scale, day, day_precision from held_row"
                " where usubjid in (select usubjid from core.subject) order by held_table"
            ).fetchall()
        )

    held = {table: [{"patient_id": "1", **row}] for table, row in HELD.items()}
    staged = small_study.stage(
        "DE01", "d1", {"subject": [small_study.patient("1")]}, held_back=held
    )
    small_study.built(small_study.outcome("DE01", "d1", staged), derive=look)
    assert found == [
        ("exposure", None, "lenalidomide", None, None, None, None),
        ("follow_up", None, None, "DEAD", None, DAY, None),
        ("lesion", None, "RELAPSE", "CNS", None, DAY, None),
        ("relapse", 1, None, None, None, DAY, "month"),
        ("response", 1, "BEST", "CR", None, DAY, None),
        ("risk", None, "BEFORE_CART", None, None, None, None),
        ("toxicity", None, "CRS", "2", "ASTCT2019", DAY, None),
        ("treatment_line", 2, None, "bortezomib|dexamethasone", None, DAY, None),
    ]


def test_rows_of_an_overtaken_delivery_are_not_read(small_study):
    found = []

    def look(con, _):
        con.execute("create table analysis.adsl as select usubjid as USUBJID from core.subject")
        con.execute("comment on column analysis.adsl.USUBJID is 'Unique subject identifier'")
        found.append(con.execute("select count(*) from held_row").fetchall())

    people = {"subject": [small_study.patient("1")]}
    held = {"risk": [{"patient_id": "1", "timepoint": "BEFORE_CART"}]}
    for delivery, back in (("d1", held), ("d2", {})):
        staged = small_study.stage("DE01", delivery, people, held_back=back)
        small_study.load(small_study.outcome("DE01", delivery, staged), derive=look)
    assert found == [[(1,)], [(0,)]]


def test_lymphodepletion_and_supportive_care_that_stand_as_a_line_are_told_by_a_name_of_their_own(
    small_study,
):
    found = []

    def look(con, _):
        con.execute("create table analysis.adsl as select usubjid as USUBJID from core.subject")
        con.execute("comment on column analysis.adsl.USUBJID is 'Unique subject identifier'")
        asked = "select number, held_table from held_row order by number"
        found.extend(con.execute(asked).fetchall())

    flu_cy = "cyclophosphamide|fludarabine"
    drugs = (flu_cy, flu_cy, "dexamethasone", "ivig|zoledronic_acid", "ivig|lenalidomide", None)
    held = [
        {"patient_id": "1", "row_id": number, "line_number": number, "drugs": drug}
        for number, drug in enumerate(drugs, start=1)
    ]
    told = {1: ("SAL-06", "error"), 2: ("DAT-19", "error"), 3: ("SAL-06", "warning")}
    told |= dict.fromkeys((4, 5, 6), ("STR-06", "error"))
    of_line = {
        "disposition": "quarantine",
        "scope": "row",
        "table": "treatment_line",
        "patient_id": "1",
    }
    findings = [
        {"finding_id": row, "row_id": row, "rule_id": rule, "severity": severity, **of_line}
        for row, (rule, severity) in told.items()
    ]
    people = {"subject": [small_study.patient("1")]}
    back = {"treatment_line": held}
    staged = small_study.stage("DE01", "d1", people, held_back=back, findings=findings)
    small_study.built(small_study.outcome("DE01", "d1", staged), derive=look)
    lines = {number for number, kind in found if kind == "treatment_line"}
    assert (len(found), lines) == (6, {2, 3, 5, 6})
    assert {kind for number, kind in found if number in (1, 4)} == {"lymphodepletion"}
