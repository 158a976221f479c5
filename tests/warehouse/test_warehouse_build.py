"""The built warehouse: core, quality, meta, integrity."""

from __future__ import annotations

import csv
import datetime as dt
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from schemas.errors import AuditStoppedError, CarmonyError
from warehouse.build import build_study, remove_orphans
from warehouse.loads import LoadLog
from warehouse.sql_text import SQL_FOLDER

Study = Any
ROOT = Path(__file__).parents[2]


def test_core_holds_the_newest_delivery_of_every_center_under_pseudonyms(
    small_study: Study, ask: Any
) -> None:
    s = small_study
    old = s.one("DE01", "a", "001", "002", "003")
    new = s.one("DE01", "b", "001", "002", received_on=dt.date(2024, 8, 30))
    path = s.built(old, new, s.one("CH01", "c", "001"))
    found = ask(path, "SELECT center_id, count(*), count(DISTINCT usubjid) FROM core.subject "
                      "GROUP BY 1 ORDER BY 1")  # fmt: skip
    assert found == [("CH01", 1, 1), ("DE01", 2, 2)]
    usubjids = {row[0] for row in ask(path, "SELECT usubjid FROM core.subject")}
    assert len(usubjids) == 3
    assert all(u.startswith(("MM2024-DE01-", "MM2024-CH01-")) for u in usubjids)


@pytest.fixture(params=["small", "large"])
def _any_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are written as small ones, or as large ones."""
    if request.param == "large":
        monkeypatch.setattr("warehouse.core.SMALL_BYTES", 0)


@pytest.mark.usefixtures("_any_size")
def test_values_types_and_companions_arrive_as_staged(small_study: Study, ask: Any) -> None:
    response = {
        "patient_id": "001",
        "line_number": 1,
        "kind": "BEST",
        "response_date": dt.date(2023, 5, 1),
        "response_date_precision": "month",
        "category": "VGPR",
        "reported_category": "sehr gute partielle Remission",
        "m_protein_serum": 0.1,
        "m_protein_serum_comparator": "<",
        "m_protein_serum_unit": "g/dl",
    }
    staged = small_study.stage(
        "DE01", "a", {"subject": [small_study.patient("001")], "response": [response]}
    )
    path = small_study.built(small_study.outcome("DE01", "a", staged))
    columns = ", ".join(list(response)[1:])
    assert ask(path, f"SELECT {columns} FROM core.response") == [tuple(response.values())[1:]]


def test_source_and_map_ids_are_unique_over_deliveries_and_lead_back_to_the_cell(
    small_study: Study, ask: Any
) -> None:
    s = small_study
    path = s.built(s.one("DE01", "a", "001"), s.one("DE02", "b", "001", "002"))
    assert ask(path, "SELECT count(*), count(DISTINCT source_id) FROM meta.source") == [(2, 2)]
    row = ask(path, "SELECT row_id FROM core.subject WHERE center_id = 'DE02' "
                    "AND source_row = 3")[0][0]  # fmt: skip
    found = ask(path, f"FROM meta.lineage({row}, 'birth_year')")
    assert found == [
        (row, "subject", "birth_year", "DE02", "b", "patients.csv", None, 3,
         "Spalte birth_year", "column")
    ]  # fmt: skip


def test_a_row_joined_from_two_sheets_has_both_addresses(small_study: Study, ask: Any) -> None:
    s = small_study
    patients = [s.patient("001", row_id=77), s.patient("002", row_id=78)]
    staged = s.stage("DE01", "a", {"subject": patients},
                     address=[{"row_id": 77, "slot": 2, "source_id": 1, "source_row": 40}])  # fmt: skip
    maps = s.folder / staged / "column_map.parquet"
    frame = pl.read_parquet(maps, glob=False)
    slots = pl.when((pl.col("table") == "subject") & (pl.col("column") == "sex")).then(2)
    frame.with_columns(slot=slots.otherwise("slot").cast(pl.Int8)).write_parquet(maps)
    path = s.built(s.outcome("DE01", "a", staged))
    statement = "SELECT \"row\" FROM meta.lineage(77, '{}')"
    assert ask(path, statement.format("birth_year")) == [(2,)]
    assert ask(path, statement.format("sex")) == [(40,)]
    beside = "SELECT r.row_id, l.\"row\" FROM core.subject r, meta.lineage(r.row_id, 'sex') l"
    assert ask(path, beside) == [(77, 40)]  # the row without a second sheet has none of the other's


def test_a_growing_center_adds_deliveries_and_a_row_sent_again_replaces_the_earlier(
    small_study: Study, ask: Any
) -> None:
    s = small_study
    first = s.one("DE01", "a", "001", "002", mode="append")
    again = s.stage("DE01", "b", {"subject": [s.patient("002", "M"), s.patient("003")]})
    second = s.outcome("DE01", "b", again, mode="append", received_on=dt.date(2024, 8, 30))
    path = s.built(first, second, s.one("DE02", "c", "001"))
    assert ask(path, "SELECT sex, count(*) FROM core.subject GROUP BY 1 ORDER BY 1") == [
        ("F", 3),
        ("M", 1),
    ]
    assert ask(path, "FROM quality.ledger_balance") == []
    assert ask(path, "SELECT n_rows FROM quality.ledger WHERE step = 'load' AND "
                     "outcome = 'excluded'") == [(1,)]  # fmt: skip


def test_the_same_file_sent_twice_by_a_growing_center_counts_once(
    small_study: Study, ask: Any
) -> None:
    s = small_study
    lab = {"patient_id": "001", "row_id": 9001}
    tables = {"subject": [s.patient("001", row_id=9000)], "lab": [lab]}
    outcomes = [
        s.outcome("DE01", n, s.stage("DE01", n, tables), mode="append", sequence=i)
        for i, n in enumerate("ab", 1)
    ]
    path = s.built(*outcomes)
    assert ask(path, "SELECT count(*) FROM core.lab") == [(1,)]
    assert ask(path, "FROM quality.ledger_balance") == []


def test_the_ledger_balances_and_names_where_every_row_went(small_study: Study, ask: Any) -> None:
    s = small_study
    staged = s.stage("DE01", "a", {"subject": [s.patient("001"), s.patient("002")]},
                     held_back={"subject": [s.patient("003")]})  # fmt: skip
    old = s.one("DE01", "z", "001", received_on=dt.date(2024, 1, 1))
    path = s.built(old, s.outcome("DE01", "a", staged))
    assert ask(path, "FROM quality.ledger_balance") == []
    found = ask(path, "SELECT step, l.outcome, l.reason, n_rows FROM quality.ledger l JOIN "
                      "quality.delivery USING (delivery_key) WHERE delivery_id = 'a' "
                      "AND step IN ('check', 'load') ORDER BY ALL")  # fmt: skip
    assert found == [
        ("check", "in", None, 3),
        ("check", "out", None, 2),
        ("check", "quarantined", "DAT-06", 1),
        ("load", "in", None, 2),
        ("load", "out", None, 2),
    ]


def test_a_row_lost_between_check_and_load_refuses_to_publish(small_study: Study) -> None:
    s = small_study
    staged = s.stage("DE01", "a", {"subject": [s.patient("001")]}, lost=1)
    with pytest.raises(AuditStoppedError, match=r"ledger_out_of_balance: 1 case") as error:
        s.load(s.outcome("DE01", "a", staged))
    assert error.value.exit_code == 3
    assert not (s.folder / "published" / "warehouse.duckdb").exists()
    assert list((s.folder / "published" / ".building").iterdir()) == []


def test_a_staged_table_that_disappeared_refuses_to_publish(small_study: Study) -> None:
    s = small_study
    line = s.one("DE01", "a", "001", "002")
    (s.folder / line.staged / "core" / "subject.parquet").unlink()
    with pytest.raises(AuditStoppedError, match="ledger_out_of_balance"):
        s.load(line)


def test_a_staged_folder_that_is_not_complete_is_named(small_study: Study) -> None:
    s = small_study
    line = s.one("DE01", "a", "001")
    (s.folder / line.staged / "summary.json").unlink()
    with pytest.raises(CarmonyError, match="Center 'DE01', delivery a"):
        s.load(line)


@pytest.fixture(scope="module")
def refused(
    module_study: Callable[[Path], Study], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """What is told of a load with a fault of each kind, each in a center of its own; and the study."""
    s = module_study(tmp_path_factory.mktemp("refused") / "study")
    line = {"patient_id": "001", "line_number": 1, "drugs": "teclistamab"}
    faulty = {
        "DE01": {"subject": [s.patient("4711"), s.patient("4711")]},
        "DE02": {"subject": [s.patient("001")], "treatment_line": [line, line]},
        "DE03": {"subject": [s.patient("1", row_id=5), s.patient("2", row_id=5)]},
        "DE04": {"subject": [s.patient("001")], "lab": [{"patient_id": "002"}]},
        "DE05": {"subject": [s.patient("001", source_id=9)]},
        "DE06": {"subject": [s.patient("001")]},
    }
    lines = [s.outcome(center, "a", s.stage(center, "a", t)) for center, t in faulty.items()]
    path = s.folder / lines[-1].staged / "check_run.parquet"
    frame = pl.read_parquet(path, glob=False)
    frame.filter(pl.col("rule_id") != "DAT-13").write_parquet(path)
    with pytest.raises(AuditStoppedError) as error:
        s.load(*lines)
    return str(error.value), s.folder


@pytest.mark.parametrize(
    "told",
    [
        "duplicate_key in table 'subject': 1 case(s)",
        "duplicate_key in table 'treatment_line': 1 case(s)",
        "duplicate_row_id: 1 case(s)",
        "orphan_patient in table 'lab': 1 case(s)",
        "orphan_source in table 'subject': 1 case(s)",
        "rule_not_run: 1 case(s)",
    ],
)
def test_a_load_with_a_fault_is_not_published_and_each_is_told(
    told: str, refused: tuple[str, Path]
) -> None:
    message, folder = refused
    assert told in message
    assert "4711" not in message
    assert list((folder / "published").rglob("*.duckdb")) == []


def test_two_assessments_on_a_day_are_no_duplicate(small_study: Study, ask: Any) -> None:
    s = small_study
    seen = {"patient_id": "001", "line_number": 1, "kind": "ASSESSMENT", "category": "PR"}
    staged = s.stage("DE01", "a", {"subject": [s.patient("001")], "response": [seen, seen]})
    path = s.built(s.outcome("DE01", "a", staged))
    assert ask(path, "SELECT count(*) FROM core.response") == [(2,)]


def test_a_row_without_a_patient_id_refuses_to_publish(small_study: Study) -> None:
    s = small_study
    staged = s.stage("DE01", "a", {"subject": [s.patient("001")], "lab": [{"patient_id": None}]})
    with pytest.raises(AuditStoppedError, match="1 row\\(s\\) have no patient"):
        s.load(s.outcome("DE01", "a", staged))


@pytest.mark.usefixtures("_any_size")
def test_a_code_outside_its_codelist_refuses_to_publish_without_telling_it(
    small_study: Study,
) -> None:
    staged = small_study.stage("DE01", "a", {"subject": [small_study.patient("001", "Hans M.")]})
    with pytest.raises(AuditStoppedError) as error:
        small_study.load(small_study.outcome("DE01", "a", staged))
    assert "column 'sex': 1 row(s) hold a code outside its codelist" in str(error.value)
    assert "Hans" not in str(error.value)


def test_check_run_has_every_rule_for_every_delivery_of_every_load(
    small_study: Study, ask: Any
) -> None:
    s = small_study
    s.load(s.one("DE01", "a", "001"))
    path = s.built(s.one("DE01", "b", "001", received_on=dt.date(2024, 8, 30)))
    found = ask(path, "SELECT load_id, count(DISTINCT rule_id) = (SELECT count(*) FROM "
                      "quality.rule) FROM quality.check_run GROUP BY 1 ORDER BY 1")  # fmt: skip
    assert found == [(1, True), (2, True)]
    assert ask(path, "SELECT count(*) > 40 FROM quality.rule WHERE sentence IS NOT NULL") == [
        (True,)
    ]


def finding(**changes: Any) -> dict[str, Any]:
    return {
        "finding_id": 1,
        "rule_id": "DAT-13",
        "severity": "error",
        "disposition": "quarantine",
        "scope": "row",
        "table": "relapse",
        "patient_id": "001",
        "row_id": 5,
        "message": "the relapse is not after the infusion",
        **changes,
    }


FIELDS = [
    ("relapse", "relapse_date", "2023-05-01", True),
    ("relapse", "relapse_date", "2023-05", True),
    ("relapse", "relapse_date", "Mai bei Dr. Huber", False),
    ("relapse", "relapse_date_precision", "month", True),
    ("relapse", "relapse_date_precision", "Huber", False),
    ("subject", "sex", "F", True),
    ("subject", "sex", "Frau Huber", False),
    ("subject", "birth_year", "1956", True),
    ("subject", "birth_year", "17.3.56 Huber", False),
    ("response", "m_protein_serum", "0.3", True),
    ("response", "m_protein_serum_comparator", "<", True),
    ("response", "m_protein_serum_unit", "Huber", False),
    ("treatment_line", "regimen_text", "Huber", False),
    ("subject", "patient_id", "001", False),
    (None, None, "Huber", False),
]


def test_of_values_only_codes_numbers_and_dates_are_published(small_study: Study, ask: Any) -> None:
    fields = [
        {"finding_id": 1, "position": n, "table": table, "column": column, "file": "p.csv",
         "row": 7, "source_column": "Datum", "value": "Huber", "understood": understood}
        for n, (table, column, understood, _) in enumerate(FIELDS, 1)
    ]  # fmt: skip
    s = small_study
    staged = s.stage("DE01", "a", {"subject": [s.patient("001")]}, findings=[finding()],
                     fields=fields)  # fmt: skip
    path = s.built(s.outcome("DE01", "a", staged))
    found = ask(path, 'SELECT "table", "column", understood, "row", source_column FROM '
                      "quality.finding_field ORDER BY position")  # fmt: skip
    assert found == [
        (table, column, understood if kept else None, 7, "Datum")
        for table, column, understood, kept in FIELDS
    ]


def test_findings_of_all_deliveries_stay_with_load_and_pseudonym(
    small_study: Study, ask: Any
) -> None:
    s = small_study
    first = s.stage("DE01", "a", {"subject": [s.patient("001")]},
                    findings=[finding(), finding(finding_id=2, patient_id="only here")])  # fmt: skip
    s.load(s.outcome("DE01", "a", first))
    path = s.built(s.one("DE01", "b", "001", received_on=dt.date(2024, 8, 30)))
    found = ask(path, "SELECT load_id, delivery_id, rule_id, f.usubjid = s.usubjid FROM "
                      "quality.finding f, core.subject s ORDER BY finding_id")  # fmt: skip
    assert found == [(1, "a", "DAT-13", True), (1, "a", "DAT-13", False)]


def test_failed_and_held_deliveries_are_listed_with_their_reason_code(
    small_study: Study, ask: Any
) -> None:
    s = small_study
    broken = s.outcome("DE02", "x", None, outcome="failed",
                       message="file 'Huber.xlsx': ends early [TRUNCATED]")  # fmt: skip
    held = s.outcome("DE03", "y", None, outcome="held", message="fewer patients [SHRINK]")
    path = s.built(s.one("DE01", "a", "001"), broken, held)
    found = ask(path, "SELECT center_id, outcome, reason, is_current FROM quality.delivery "
                      "ORDER BY 1")  # fmt: skip
    assert found == [
        ("DE01", "loaded", None, True),
        ("DE02", "failed", "TRUNCATED", False),
        ("DE03", "held", "SHRINK", False),
    ]
    assert ask(path, "SELECT n_loaded, n_failed, n_held FROM quality.load") == [(1, 1, 1)]


def test_the_dictionary_has_every_column_of_every_table_and_view_with_a_label(
    small_study: Study, ask: Any
) -> None:
    path = small_study.built(small_study.one("DE01", "a", "001"))
    missing = ask(path, "SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE "
                        "database_name = current_database() AND NOT internal EXCEPT "
                        'SELECT "schema", "table", "column" FROM meta.dictionary')  # fmt: skip
    assert missing == []
    unlabelled = ask(path, 'SELECT "schema", "table", "column" FROM meta.dictionary '
                           "WHERE label IS NULL AND \"schema\" <> 'analysis'")  # fmt: skip
    assert unlabelled == []
    assert ask(path, "SELECT label, type, codelist FROM meta.dictionary WHERE \"table\" = "
                     "'subject' AND \"column\" = 'sex'") == [("Sex", "CODE", "sex")]  # fmt: skip
    assert ask(path, "SELECT label FROM meta.dictionary WHERE \"schema\" = 'analysis' AND "
                     "\"column\" = 'USUBJID'") == [("Unique subject identifier",)]  # fmt: skip
    assert ask(path, "SELECT comment FROM duckdb_columns() WHERE table_name = 'infusion' "
                     "AND column_name = 'dose'") == [
        ("CAR-positive T cells [10^6 cells]",)
    ]  # fmt: skip
    labelled = {
        tuple(r) for r in ask(path, 'SELECT "schema", "table", "column" FROM meta.dictionary')
    }
    with (SQL_FOLDER / "labels.csv").open(newline="") as file:
        declared = {(r["schema"], r["table"], r["column"]) for r in csv.DictReader(file)}
    assert {entry for entry in declared if entry[2]} <= labelled


def test_every_sql_file_has_its_header() -> None:
    files = [p for f in ("ddl", "views", "integrity") for p in (SQL_FOLDER / f).glob("*.sql")]
    assert len(files) > 20
    for path in files:
        lines = path.read_text().splitlines()
        name = path.stem.replace("_", ".", 1)
        expected = f"integrity.{path.stem}" if path.parent.name == "integrity" else name
        assert lines[0] == f"-- {expected}"
        assert [line[:11] for line in lines[1:4]] == ["-- Grain:  ", "-- Reads:  ", "-- Feeds:  "]


def test_a_build_that_fails_leaves_nothing_behind(small_study: Study) -> None:
    def broken(con: duckdb.DuckDBPyConnection, study: Any) -> None:
        con.execute("SELECT * FROM core.nothing").fetchall()

    with pytest.raises(duckdb.Error):
        small_study.build([small_study.one("DE01", "a", "001")], broken)
    assert list((small_study.folder / "published" / ".building").iterdir()) == []


def test_what_a_killed_load_left_is_removed_by_the_next(small_study: Study) -> None:
    s = small_study
    left = s.folder / "published" / ".building"
    (left / "000009.duckdb.tmp").mkdir(parents=True)
    (left / "000009.duckdb").write_bytes(b"half")
    (left / "000009.duckdb.wal").write_bytes(b"half")
    s.load(s.one("DE01", "a", "001"))
    assert list(left.iterdir()) == []
    assert remove_orphans(s.folder) == []


def test_a_study_without_deliveries_says_what_to_do(small_study: Study) -> None:
    load_id = LoadLog.read(small_study.folder).start("h", {})
    with pytest.raises(CarmonyError, match="no delivery"):
        build_study(small_study.folder, small_study.study, load_id)


def test_no_heavy_library_is_imported_on_the_way_to_the_staged_warehouse(
    small_study: Study,
) -> None:
    s = small_study
    log = LoadLog.read(s.folder)
    load_id = log.start("h", {})
    log.record(load_id, [s.one("DE01", "a", "001")])
    script = (
        "import sys, datetime as dt; from pathlib import Path\n"
        "from warehouse.build import build_study\n"
        "from warehouse.packets import write_packet\n"
        "from schemas.spec.study import Study\n"
        "study = Study(id='MM2024', title='t', data_cut=dt.date(2024, 8, 31))\n"
        "folder = Path(sys.argv[1])\n"
        "build_study(folder, study, 1, derive=lambda con, study: None)\n"
        "write_packet(folder, 'DE01', 'a', folder / 'vault/staged/DE01/a',\n"
        "             received_on=dt.date(2024, 6, 14))\n"
        "heavy = {'pandas', 'pyarrow', 'scipy', 'pandera', 'prefect', 'great_expectations',\n"
        "         'lifelines', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(s.folder)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout.strip() == "[]"
