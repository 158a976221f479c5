"""How far a center's variables are the canonical ones: as declared, and what the study makes of it."""

from __future__ import annotations

import datetime as dt
import json

import duckdb
import pytest

from schemas.catalog import load_catalog
from schemas.definition_columns import definition_columns
from schemas.errors import StudyError
from schemas.spec.load import load_study
from warehouse.definitions import fill_definitions
from warehouse.loads import StagedDelivery
from warehouse.sql_text import sql_file
from warehouse.staged_files import LinkedDelivery

TWO_CENTERS = {
    "subject": """usubjid    | country | sex | birth_year
                  MYE-DE01-A | DE      | F   | 1960
                  MYE-ES01-B | ES      | M   | 1961""",
    "infusion": """usubjid    | infusion_number | product | infusion_date | age_at_infusion
                   MYE-DE01-A | 1               | IDE     | 2023-01-10    | 62
                   MYE-ES01-B | 1               | IDE     | 2023-01-10    |""",
    "relapse": """usubjid    | relapse_number | relapse_date | emd | emd_type
                  MYE-DE01-A | 1              | 2023-05-10   | Y   |
                  MYE-ES01-B | 1              | 2023-05-10   | Y   | EXTRA""",
    "treatment_line": """usubjid    | line_number | start_date | drugs
                         MYE-DE01-A | 1           | 2023-06-01 | talquetamab
                         MYE-ES01-B | 1           | 2023-06-01 | teclistamab""",
    "follow_up": """usubjid    | last_contact_date | vital_status
                    MYE-DE01-A | 2024-02-01        | ALIVE
                    MYE-ES01-B | 2024-02-01        | ALIVE""",
}


@pytest.fixture
def with_definitions(derived, study_with):
    """Two centers with declared definitions: (center, variable, status) → the derived warehouse."""

    def build(*declared: tuple[str, str, str], **settings: object) -> duckdb.DuckDBPyConnection:
        rows = []
        for center, variable, status in declared:
            table, column = variable.split(".")
            rows.append(
                f"insert into meta.center_definition values ('{center}', '{table}', '{column}', 1, "
                f"'Label', '{status}', 'DECLARED', 'As the center says.')"
            )
        ddl = sql_file("ddl", "meta_center_definition")
        before = ";".join(["create schema meta", ddl, *rows])
        return derived(study_with(**settings), before=before, completions=False, **TWO_CENTERS)

    return build


def test_definitions_have_no_effect_unless_the_study_says_so(with_definitions, rows):
    con = with_definitions(("DE01", "relapse.emd", "impossible"))
    assert [row["EMDRELFL"] for row in rows(con, "adsl")] == ["Y", "Y"]
    [row] = rows(con, "center_definition")
    assert (row["SITEID"], row["variable"], row["status"], row["effect"]) == (
        "DE01",
        "relapse.emd",
        "impossible",
        "NONE",
    )
    assert (row["note"], row["n_patients"], row["n_cohort"]) == ("As the center says.", 1, 1)


def test_patients_of_a_center_are_left_out_and_counted_in_the_attrition(with_definitions, rows):
    con = with_definitions(
        ("DE01", "relapse.emd", "impossible"),
        ("ES01", "relapse.emd", "partial"),
        impossible_definitions={"relapse.emd": "exclude"},
    )
    assert [row["USUBJID"] for row in rows(con, "adsl")] == ["MYE-ES01-B"]
    [row] = rows(con, "attrition", "reason = 'CENTER_DEFINITION' and n_patients > 0")
    assert (row["center_id"], row["n_patients"]) == ("DE01", 1)
    effects = {row["SITEID"]: row["effect"] for row in rows(con, "center_definition")}
    assert effects == {"DE01": "EXCLUDE", "ES01": "NONE"}
    assert {row["n_patients"] for row in rows(con, "group_size", "GRP4 = 'TALQ'")} == {0}


def test_a_variable_is_set_to_missing_only_where_the_analysis_rests_on_it(with_definitions, rows):
    con = with_definitions(
        ("DE01", "relapse.emd", "impossible"),
        ("ES01", "relapse.emd", "impossible"),
        ("ES01", "subject.birth_year", "partial"),
        ("DE01", "subject.birth_year", "partial"),
        impossible_definitions={"relapse.emd": "missing"},
        partial_definitions={"subject.birth_year": "missing"},
    )
    german, spanish = rows(con, "adsl")
    # The German flag is what was reported; the Spanish one rests on the type of the disease.
    assert (german["EMDRELFL"], german["EMDSRC"]) == (None, None)
    assert (spanish["EMDRELFL"], spanish["EMDSRC"]) == ("Y", "TYPE")
    assert (german["AGE"], german["BRTHYR"]) == (62, None)
    assert (spanish["AGE"], spanish["AGESRC"], spanish["BRTHYR"]) == (None, None, None)


def test_every_column_that_can_be_set_to_missing_is_one_of_adsl(derived):
    con = derived()
    columns = {row[0] for row in con.execute("describe analysis.adsl").fetchall()}
    catalog = load_catalog()
    for variable, targets in definition_columns().items():
        table, column = variable.split(".")
        assert catalog.tables[table].column(column).name == column
        assert {target.column for target in targets} <= columns
        for target in targets:
            con.execute(f"select 1 from analysis.adsl where {target.condition or 'true'}")


def test_declared_mapped_and_unmapped_variables_are_told_apart(tmp_path):
    con = duckdb.connect()
    con.execute("create schema meta")
    for file in ("meta_column_map", "meta_center_definition"):
        con.execute(sql_file("ddl", file))
    con.execute(
        "insert into meta.column_map values (1, 1, 'relapse', 'emd', 0, 1, 'EMD', null), "
        "(1, 2, 'subject', 'sex', 0, 1, 'Sex', null), (2, 2, 'subject', 'consent', 0, 1, 'C', null)"
    )
    deliveries = []
    for number, (day, current, definitions) in enumerate(
        [
            (1, False, {"relapse.emd": {"status": "complete", "note": "old"}}),
            (2, True, {"relapse.emd": {"status": "partial", "note": "No imaging."}}),
        ],
        start=1,
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "summary.json").write_text(json.dumps({"definitions": definitions}))
        staged = StagedDelivery(
            "DE01", str(number), folder, dt.date(2024, 1, day), 1, 1, "snapshot", current
        )
        deliveries.append(LinkedDelivery(number, staged, folder))
    catalog = load_catalog()
    fill_definitions(con, catalog, deliveries, tmp_path)
    found = {
        f"{table}.{column}": rest
        for table, column, *rest in con.execute(
            'select "table", "column", status, basis, note from meta.center_definition'
        ).fetchall()
    }
    assert len(found) == sum(len(table.columns) for table in catalog.tables.values())
    assert found["relapse.emd"] == ["partial", "DECLARED", "No imaging."]
    assert found["subject.sex"] == ["complete", "MAPPED", None]
    assert found["subject.birth_year"] == ["impossible", "NOT_MAPPED", None]


@pytest.mark.parametrize(
    ("variable", "use", "told"),
    [
        ("relapse.emdd", "exclude", "'relapse.emdd' is no variable."),
        ("response.category", "missing", "is no variable that can be set to missing"),
    ],
)
def test_an_unknown_variable_in_the_study_is_named_with_its_line(tmp_path, variable, use, told):
    (tmp_path / "study.yaml").write_text(
        "id: MYE\ntitle: Test\ndata_cut: 2024-12-31\nsettings:\n"
        f"  impossible_definitions:\n    {variable}: {use}\n"
    )
    with pytest.raises(StudyError) as error:
        load_study(tmp_path)
    assert told in str(error.value)
    assert "line 6" in str(error.value)
