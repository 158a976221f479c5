"""The table of what centers report beside what is derived."""

SUBJECT = """usubjid    | country | sex
             MYE-DE01-A | DE      | F
             MYE-DE01-B | DE      | F
             MYE-DE01-C | DE      | M
             MYE-ES01-D | ES      | M"""
PATIENTS = ("MYE-DE01-A", "MYE-DE01-B", "MYE-DE01-C", "MYE-ES01-D")


def for_all(header: str, cells: str) -> str:
    return "\n".join([f"usubjid | {header}", *(f"{patient} | {cells}" for patient in PATIENTS)])


def test_reported_and_derived_values_are_counted_by_center(derived, rows):
    con = derived(
        subject=SUBJECT,
        infusion=for_all("infusion_number | product | infusion_date", "1 | IDE | 2023-01-10"),
        relapse="""usubjid    | relapse_number | relapse_date | emd
                   MYE-DE01-A | 1              | 2023-05-10   | Y
                   MYE-DE01-B | 1              | 2023-05-10   | Y
                   MYE-DE01-C | 1              | 2023-05-10   | N
                   MYE-ES01-D | 1              | 2023-05-10   |""",
        lesion="""usubjid    | site  | category     | timepoint
                  MYE-DE01-A | LIVER | EXTRAOSSEOUS | RELAPSE
                  MYE-DE01-C | SKIN  | EXTRAOSSEOUS | RELAPSE
                  MYE-ES01-D | RIB   | PARAOSSEOUS  | RELAPSE""",
        treatment_line=for_all("line_number | start_date | drugs", "1 | 2023-06-01 | talquetamab"),
        follow_up=for_all("last_contact_date | vital_status", "2024-02-01 | ALIVE"),
        risk="""usubjid    | timepoint   | r_iss | b2m | albumin
                MYE-DE01-A | BEFORE_CART | II    | 4   | 30
                MYE-DE01-B | BEFORE_CART | II    | 5   | 30
                MYE-DE01-C | BEFORE_CART | III   | 4   | 30
                MYE-ES01-D | BEFORE_CART |       | 2   | 40""",
        exposure="""usubjid    | drug       | refractory
                    MYE-DE01-A | TRIPLE     | Y
                    MYE-DE01-A | bortezomib | N""",
    )
    table = rows(con, "risk_agreement")
    found = {
        (row["SITEID"], row["PARAMCD"], row["REPORTED"], row["DERIVED"]): (row["DIFFERS"], row["N"])
        for row in table
    }
    assert {key: value for key, value in found.items() if key[1] == "RISS"} == {
        ("DE01", "RISS", "II", "II"): ("N", 2),
        ("DE01", "RISS", "III", "II"): ("Y", 1),
        ("ES01", "RISS", None, None): (None, 1),
    }
    assert {key: value for key, value in found.items() if key[1] == "TRIPLFL"} == {
        ("DE01", "TRIPLFL", "Y", "N"): ("Y", 1),
        ("DE01", "TRIPLFL", None, None): (None, 2),
        ("ES01", "TRIPLFL", None, None): (None, 1),
    }
    assert {key: value for key, value in found.items() if key[1] == "EMDRELFL"} == {
        ("DE01", "EMDRELFL", "Y", "Y"): ("N", 1),
        ("DE01", "EMDRELFL", "Y", None): (None, 1),
        ("DE01", "EMDRELFL", "N", "Y"): ("Y", 1),
        ("ES01", "EMDRELFL", None, "N"): (None, 1),
    }
    sums: dict[tuple[str, str], int] = {}
    for row in table:
        key = (row["SITEID"], row["PARAMCD"])
        sums[key] = sums.get(key, 0) + row["N"]
    names = ("ISS", "RISS", "MYCARE", "HRCYTO", "TRIPLFL", "PENTAFL", "EMDRELFL")
    assert sums == {(site, name): n for site, n in (("DE01", 3), ("ES01", 1)) for name in names}


def test_a_lesion_that_the_report_denies_is_told_in_adsl(plain_each):
    lesion = """usubjid    | site  | category   | timepoint
                MYE-DE01-A | OTHER | {}         | RELAPSE"""
    relapse = """usubjid    | relapse_number | relapse_date | emd | emd_type
                 MYE-DE01-A | 1              | 2023-05-10   | {}  | {}"""
    cases = [
        ("EXTRAOSSEOUS", "N", "", "Y"),
        ("EXTRAOSSEOUS", "Y", "NONE", "Y"),
        ("EXTRAOSSEOUS", "Y", "", "N"),
        ("PARAOSSEOUS", "Y", "", "Y"),
        ("PARAOSSEOUS", "Y", "PARA", "N"),
        ("UNKNOWN", "Y", "", None),
        ("EXTRAOSSEOUS", "", "", None),
    ]
    found = plain_each(
        {"lesion": lesion.format(category), "relapse": relapse.format(emd, emd_type)}
        for category, emd, emd_type, _ in cases
    )
    assert [row["EMDDIF"] for row in found] == [case[3] for case in cases]
