"""Group sizes under each alternative of the study's decisions."""

import pytest

LINES = """usubjid    | line_number | start_date | drugs
           MYE-DE01-A | 1           | 2023-06-01 | talquetamab+teclistamab
           MYE-DE01-B | 1           | 2023-06-01 | iberdomide+dexamethasone
           MYE-DE01-C | 1           | 2023-06-01 | bortezomib+selinexor
           MYE-DE01-D | 1           | 2023-06-01 | radiotherapy
           MYE-DE01-D | 2           | 2023-06-21 | teclistamab
           MYE-DE01-E | 1           | 2023-06-01 | talquetamab
           MYE-DE01-F | 1           | 2024-12-20 | radiotherapy
           MYE-DE01-F | 2           | 2025-01-05 | carfilzomib"""


@pytest.fixture
def sizes(derived, rows):
    """(Setting, value) → patients in TALQ, TEC, IPC and OTHER; the study's own values."""

    def build(study=None):
        patients = "ABCDEF"
        con = derived(
            study,
            subject="usubjid | country | sex\n"
            + "\n".join(f"MYE-DE01-{p} | DE | F" for p in patients),
            infusion="usubjid | infusion_number | product | infusion_date\n"
            + "\n".join(f"MYE-DE01-{p} | 1 | IDE | 2023-01-10" for p in patients),
            relapse="usubjid | relapse_number | relapse_date\n"
            + "\n".join(f"MYE-DE01-{p} | 1 | 2023-05-20" for p in patients),
            treatment_line=LINES,
        )
        found: dict[tuple[str, str], dict[str, int]] = {}
        joined, own = {}, set()
        for row in rows(con, "group_size"):
            key = row["setting"], row["value"]
            found.setdefault(key, {})[row["GRP4"]] = row["n_patients"]
            if row["n_joined"]:
                joined[(*key, row["GRP4"])] = row["n_joined"]
            if row["chosen"] == "Y":
                own.add(key)
        adsl = dict(con.execute("select GRP4, count(*) from analysis.adsl group by 1").fetchall())
        in_order = {
            key: tuple(groups[g] for g in ("TALQ", "TEC", "IPC", "OTHER"))
            for key, groups in found.items()
        }
        return in_order, joined, own, adsl

    return build


def test_every_alternative_has_its_sizes_and_the_chosen_one_those_of_the_cohort(sizes):
    found, joined, own, adsl = sizes()
    default = (1, 1, 2, 1)
    assert found == {
        ("dual_bispecific", "OTHER"): default,
        ("dual_bispecific", "TALQ"): (2, 1, 2, 0),
        ("dual_bispecific", "TEC"): (1, 2, 2, 0),
        ("celmod_group", "IPC"): default,
        ("celmod_group", "OTHER"): (1, 1, 1, 2),
        ("novel_partner_group", "IPC"): default,
        ("novel_partner_group", "OTHER"): (1, 1, 1, 2),
        # Without a bridge, radiotherapy is the first salvage: D, and F who then starts before the cut.
        ("bridge_days", "0"): (1, 0, 2, 3),
        ("bridge_days", "14"): (1, 0, 2, 3),
        ("bridge_days", "30"): default,
        ("bridge_days", "60"): default,
        ("time_zero", "systemic"): default,
        ("time_zero", "bridge"): default,
    }
    assert own == {
        ("dual_bispecific", "OTHER"),
        ("celmod_group", "IPC"),
        ("novel_partner_group", "IPC"),
        ("bridge_days", "30"),
        ("time_zero", "systemic"),
    }
    assert adsl == {"TALQ": 1, "TEC": 1, "IPC": 2, "OTHER": 1}
    assert joined == {
        ("dual_bispecific", "TALQ", "TALQ"): 1,
        ("dual_bispecific", "TEC", "TEC"): 1,
        ("celmod_group", "OTHER", "OTHER"): 1,
        ("novel_partner_group", "OTHER", "OTHER"): 1,
        ("bridge_days", "0", "OTHER"): 2,
        ("bridge_days", "14", "OTHER"): 2,
    }


def test_a_value_of_the_study_outside_the_list_is_added_and_marked(sizes, study_with):
    found, _, own, adsl = sizes(study_with(bridge_days=21, novel_partner_group="OTHER"))
    assert [value for setting, value in found if setting == "bridge_days"] == [
        "0",
        "14",
        "21",
        "30",
        "60",
    ]
    assert {("bridge_days", "21"), ("novel_partner_group", "OTHER")} <= own
    assert found["bridge_days", "21"] == (1, 1, 1, 2)
    assert adsl == {"TALQ": 1, "TEC": 1, "IPC": 1, "OTHER": 2}


def test_selinexor_without_another_backbone_is_other_under_both_values():
    from transforms.derive.salvage import DefaultSettings, salvage_groups

    for value in ("IPC", "OTHER"):
        settings = DefaultSettings(novel_partner_group=value)
        [group] = salvage_groups([["selinexor", "dexamethasone"]], settings)["group"]
        assert group == "OTHER"
