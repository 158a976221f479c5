"""CRS and ICANS: the therapy that an event belongs to, its highest grade and its scale."""

# The plain patient: infusion 2023-01-10, first salvage 2023-06-01.


def events(*cells: str) -> str:
    """Events as `kind grade scale onset`; a dot is an empty cell."""
    lines = ["usubjid | kind | grade | scale | onset_date"]
    for cell in cells:
        kind, grade, scale, onset = cell.split()
        values = (kind, grade, *("" if v == "." else v for v in (scale, onset)))
        lines.append(f"MYE-DE01-A | {' | '.join(values)}")
    return "\n".join(lines)


def crs(row) -> tuple[object, ...]:
    return row["CRSGR"], row["CRSSCL"], row["CRSSRC"]


def test_the_highest_grade_after_the_infusion_comes_with_its_scale(plain_each):
    cases = [
        (["CRS 1 ASTCT2019 2023-01-11"], (1, "ASTCT2019", "DATED")),
        (["CRS 1 ASTCT2019 2023-01-11", "CRS 3 ASTCT2019 2023-01-14"], (3, "ASTCT2019", "DATED")),
        (["CRS 0 ASTCT2019 ."], (0, "ASTCT2019", "NONE")),
        (["CRS 2 LEE2014 2023-01-11"], (2, "LEE2014", "DATED")),
        (["CRS 2 . 2023-01-11"], (2, None, "DATED")),
        # Scales are not compared: the grade by ASTCT stands, though another scale has a higher one.
        (["CRS 1 ASTCT2019 2023-01-11", "CRS 3 CTCAE 2023-01-11"], (1, "ASTCT2019", "DATED")),
        (["CRS 2 PENN 2023-01-11", "CRS 3 . 2023-01-11"], (2, "PENN", "DATED")),
        (["CRS 2 ASTCT2019 ."], (None, None, "UNDATED")),
        (["CRS 2 ASTCT2019 .", "CRS 1 ASTCT2019 2023-01-11"], (None, None, "UNDATED")),
        # What is not dated is no higher: the highest is known all the same.
        (["CRS 1 ASTCT2019 .", "CRS 2 ASTCT2019 2023-01-11"], (2, "ASTCT2019", "DATED")),
        (["CRS 2 ASTCT2019 .", "CRS 2 ASTCT2019 2023-01-11"], (2, "ASTCT2019", "DATED")),
        (["CRS 1 CTCAE .", "CRS 2 ASTCT2019 2023-01-11"], (None, None, "UNDATED")),
        (["CRS 1 ASTCT2019 .", "CRS 0 ASTCT2019 ."], (None, None, "UNDATED")),
        (["ICANS 2 ASTCT2019 2023-01-11"], (None, None, None)),
        ([], (None, None, None)),
    ]
    found = plain_each({"toxicity": events(*listed)} for listed, _ in cases)
    assert [(listed, crs(row)) for (listed, _), row in zip(cases, found, strict=True)] == cases


def test_crs_and_icans_are_judged_apart(plain):
    row = plain(
        toxicity=events("CRS 1 ASTCT2019 2023-01-11", "ICANS 4 ASTCT2019 2023-01-15"),
    )
    assert crs(row) == (1, "ASTCT2019", "DATED")
    assert (row["ICANSGR"], row["ICANSSCL"], row["ICANSSRC"]) == (4, "ASTCT2019", "DATED")


def test_an_event_from_the_first_salvage_on_belongs_to_it(plain_each):
    cases = [
        ("2023-01-10", (2, "DATED"), None),
        ("2023-05-31", (2, "DATED"), None),
        ("2023-06-01", (None, None), 2),
        ("2023-06-04", (None, None), 2),
        # A month that holds the day of the infusion can only mean the days from it on.
        ("2023-01", (2, "DATED"), None),
        ("2023-06", (None, None), 2),
        ("2023", (None, "UNDATED"), None),
        ("2022-12-31", (None, None), None),
    ]
    found = plain_each({"toxicity": events(f"CRS 2 ASTCT2019 {onset}")} for onset, _, _ in cases)
    assert [
        (onset, (row["CRSGR"], row["CRSSRC"]), row["CRSSLVGR"])
        for (onset, _, _), row in zip(cases, found, strict=True)
    ] == cases


def test_an_event_of_the_salvage_does_not_raise_the_grade_of_the_infusion(plain):
    row = plain(
        toxicity=events("CRS 1 ASTCT2019 2023-01-11", "CRS 3 LEE2014 2023-06-03"),
    )
    assert crs(row) == (1, "ASTCT2019", "DATED")
    assert (row["CRSSLVGR"], row["CRSSLVSC"]) == (3, "LEE2014")


def test_each_infusion_has_its_own_highest_grade(derived, rows):
    con = derived(
        infusion="""usubjid    | infusion_number | product | infusion_date
                    MYE-DE01-A | 1               | IDE     | 2023-01-10
                    MYE-DE01-A | 2               | IDE     | 2023-03-10""",
        toxicity=events(
            "CRS 1 ASTCT2019 2023-01-12",
            "CRS 2 ASTCT2019 2023-03-10",
            "CRS 4 ASTCT2019 2023-06-02",
            "CRS 3 ASTCT2019 2023-03",
            "ICANS 0 ASTCT2019 .",
            "CRS 5 ASTCT2019 2022-11-01",
        ),
    )
    found = {
        (r["PARAMCD"], r["PERIOD"], r["INFN"], r["SCALE"]): (r["AVAL"], r["NEVENT"], r["ASTDT"])
        for r in rows(con, "adtox")
    }
    assert found == {
        ("CRS", "INFUSION", 1, "ASTCT2019"): (1, 1, "2023-01-12"),
        ("CRS", "INFUSION", 2, "ASTCT2019"): (2, 1, "2023-03-10"),
        ("CRS", "SALVAGE", None, "ASTCT2019"): (4, 1, "2023-06-02"),
        # March holds days of the first infusion and of the second.
        ("CRS", "UNDATED", None, "ASTCT2019"): (3, 1, "2023-03-01"),
        ("ICANS", "NONE", 1, "ASTCT2019"): (0, 1, None),
        ("CRS", "BEFORE", None, "ASTCT2019"): (5, 1, "2022-11-01"),
    }


def test_a_highest_grade_leads_back_to_its_record(derived, rows):
    con = derived(
        toxicity=events("CRS 1 ASTCT2019 2023-01-11", "CRS 3 ASTCT2019 2023-01-14"),
    )
    [row] = rows(con, "adtox")
    source = con.execute(
        f"select grade from core.toxicity where row_id = {row['SRCSEQ']}"
    ).fetchall()
    assert (row["AVAL"], row["NEVENT"], source) == (3, 2, [(3,)])


def test_the_support_given_sets_the_lowest_grade_by_astct(plain_each):
    # kind, reported grade, scale, vasopressors, oxygen, ICE score, unarousable: lowest grade, differs
    cases = [
        ("CRS", 1, "ASTCT2019", "NONE", "NONE", "", "", 0, "N"),
        ("CRS", 1, "ASTCT2019", "NONE", "LOW_FLOW", "", "", 2, "Y"),
        ("CRS", 3, "ASTCT2019", "ONE", "LOW_FLOW", "", "", 3, "N"),
        ("CRS", 3, "ASTCT2019", "SEVERAL", "", "", "", 4, "Y"),
        ("CRS", 3, "ASTCT2019", "", "HIGH_FLOW", "", "", 3, "N"),
        ("CRS", 4, "ASTCT2019", "ONE", "POSITIVE_PRESSURE", "", "", 4, "N"),
        # Another scale may grade it otherwise.
        ("CRS", 2, "LEE2014", "SEVERAL", "", "", "", 4, None),
        ("CRS", 2, "ASTCT2019", "", "", "3", "Y", None, None),
        ("ICANS", 0, "ASTCT2019", "", "", "10", "", 0, "N"),
        ("ICANS", 0, "ASTCT2019", "", "", "9", "", 1, "Y"),
        ("ICANS", 1, "ASTCT2019", "", "", "7", "N", 1, "N"),
        ("ICANS", 1, "ASTCT2019", "", "", "6", "", 2, "Y"),
        ("ICANS", 2, "ASTCT2019", "", "", "3", "", 2, "N"),
        ("ICANS", 3, "ASTCT2019", "", "", "2", "", 3, "N"),
        ("ICANS", 3, "ASTCT2019", "", "", "0", "N", 3, "N"),
        ("ICANS", 3, "ASTCT2019", "", "", "0", "Y", 4, "Y"),
        ("ICANS", 4, "ASTCT2019", "ONE", "HIGH_FLOW", "", "Y", 4, "N"),
    ]
    header = "usubjid | kind | grade | scale | vasopressors | oxygen | ice_score | unarousable"
    found = plain_each(
        (
            {
                "toxicity": f"{header} | onset_date\nMYE-DE01-A | "
                + " | ".join(str(cell) for cell in [*case[:7], "2023-01-12"])
            }
            for case in cases
        ),
        of="adtox",
    )
    assert [(row["ASTCTMIN"], row["ASTCTDIF"]) for row in found] == [case[7:] for case in cases]


def test_one_event_below_its_lowest_grade_is_enough_to_differ(derived, rows):
    con = derived(
        toxicity="""usubjid    | kind | grade | scale     | oxygen   | onset_date
                    MYE-DE01-A | CRS  | 3     | ASTCT2019 |          | 2023-01-12
                    MYE-DE01-A | CRS  | 1     | ASTCT2019 | LOW_FLOW | 2023-01-15""",
    )
    [row] = rows(con, "adtox")
    assert (row["AVAL"], row["ASTCTMIN"], row["ASTCTDIF"]) == (3, 2, "Y")
