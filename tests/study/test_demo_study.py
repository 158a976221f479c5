"""The demo study from files to report, against the paper, its own truth and independent counts."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyreadstat
import pytest

from flows.cli import main
from tests.conftest import Finished, carmony
from tests.flows import lenient_runs
from tests.study.conftest import Demo, keep_centers, keep_displays, keep_last_round

NOTES = ("Read me", "Hinweis", "Notas")  # sheets that say that the data is synthetic
GROUPS = ("TALQ", "TEC", "IPC", "OTHER")
ROUNDS = {"2024-06-14": "1", "2024-08-30": "2"}

# Merz et al. 2024, Table 1, with the position taken on the paper's slips (docs/report.md).
with (Path(__file__).parents[1] / "published" / "table_1_counts.csv").open() as _file:
    TABLE_1 = {
        (line["variable"], line["level"]): tuple(int(line[group]) for group in GROUPS)
        for line in csv.DictReader(_file)
    }
P_VALUES = {
    "SEX": (0.148, 3), "CARTPROD": (0.692, 3), "RISS": (0.570, 3), "TRIPLFL": (0.441, 3),
    "PENTAFL": (0.349, 3), "PBCMAFL": (0.460, 3), "MYCARE": (0.593, 3), "ECOG": (0.024, 3),
    "EMDRELFL": (0.918, 3), "SUBSQFL": (0.0016, 4), "AGE": (0.23, 2), "NPRLINE": (0.81, 2),
    "TTRLPM": (0.02, 2),
}  # fmt: skip
MEDIANS = {  # median, smallest, largest by group
    "AGE": ((63, 40, 78), (64, 40, 78), (59, 44, 79), (61, 40, 78)),
    "NPRLINE": ((7, 3, 14), (7, 4, 14), (6, 4, 14), (7, 4, 15)),
    "TTRLPM": ((5.0, 0.8, 22.4), (7.3, 1.0, 24.6), (3.9, 0.4, 17.8), (3.3, 0.8, 24.9)),
}


PATIENTS = "select center_id::varchar, count(*) from core.subject group by all"


def ask(demo: Demo, statement: str) -> list[tuple[Any, ...]]:
    """Rows of a query on the published warehouse."""
    with duckdb.connect(str(demo.folder / "published/warehouse.duckdb"), read_only=True) as con:
        return con.execute(statement).fetchall()


def test_the_first_run_publishes_and_exits_with_0(demo: Demo) -> None:
    assert demo.first_run.code == 0, demo.first_run.err
    assert (demo.folder / "published/report/report.html").is_file()
    assert "Traceback" not in demo.first_run.out + demo.first_run.err


def test_table_1_holds_the_counts_of_the_paper_in_every_cell(demo: Demo) -> None:
    rows = ask(
        demo,
        "select row, level, population, value from analysis.estimate "
        "where display = 'T1' and statistic = 'n' and level <> 'missing'",
    )
    found = {(row, level, group): value for row, level, group, value in rows}
    wanted = {
        (row, level, group): float(n)
        for (row, level), counts in TABLE_1.items()
        for group, n in zip(GROUPS, counts, strict=True)
    }
    assert {cell: found.get(cell) for cell in wanted} == wanted


def test_nobody_is_missing_from_a_row_of_table_1(demo: Demo) -> None:
    assert (
        ask(
            demo,
            "select row, population, value from analysis.estimate where display = 'T1' "
            "and level = 'missing' and value <> 0",
        )
        == []
    )


def test_the_p_values_of_table_1_are_those_of_the_paper(demo: Demo) -> None:
    rows = ask(
        demo, "select row, p from analysis.estimate where display = 'T1' and statistic = 'p'"
    )
    found = dict(rows)
    assert {row: round(found[row], digits) for row, (_, digits) in P_VALUES.items()} == {
        row: p for row, (p, _) in P_VALUES.items()
    }


def test_medians_and_ranges_of_table_1_are_those_of_the_paper(demo: Demo) -> None:
    rows = ask(
        demo,
        "select row, population, statistic, value from analysis.estimate "
        "where display = 'T1' and statistic in ('median', 'min', 'max')",
    )
    found = {(row, group, statistic): round(value, 1) for row, group, statistic, value in rows}
    wanted = {
        (row, group, statistic): value
        for row, by_group in MEDIANS.items()
        for group, values in zip(GROUPS, by_group, strict=True)
        for statistic, value in zip(("median", "min", "max"), values, strict=True)
    }
    assert {key: found[key] for key in wanted} == wanted


def test_response_counts_are_those_of_the_paper(demo: Demo) -> None:
    rows = ask(
        demo,
        "select GRP4, count(*), count(*) filter (BESTRESP = 'CR') from analysis.adsl group by all",
    )
    assert {group: (n, cr) for group, n, cr in rows} == {
        "TALQ": (28, 11), "TEC": (37, 12), "IPC": (43, 0), "OTHER": (31, 1),
    }  # fmt: skip


def test_median_survival_lies_in_the_intervals_of_the_paper(demo: Demo) -> None:
    rows = ask(
        demo,
        "select display, population, value from analysis.estimate "
        "where row = 'median' and display in ('F1C', 'S1A')",
    )
    found = {(display, group): value for display, group, value in rows}
    assert found["F1C", "TALQ"] is None
    assert found["F1C", "TEC"] is None
    assert 3.7 <= found["F1C", "IPC"] <= 7.0
    assert 4.3 <= found["F1C", "OTHER"] <= 5.4
    assert 4 <= found["S1A", "ALL"] <= 14


# Rules on what a delivery changes: here both rounds come in one run, and nothing was published before.
ON_CHANGES = "DLV-"


def planted(folder: Path) -> set[tuple[str, ...]]:
    """Every field of every planted fault: round, center, rule, severity, file, sheet, row, column."""
    with (folder / "truth/faults.csv").open(encoding="utf-8", newline="") as file:
        return {
            (r["round"], r["center"], r["rule_id"], r["severity"], r["file"], r["sheet"], r["row"],
             r["column"])
            for r in csv.DictReader(file)
            if not r["rule_id"].startswith(ON_CHANGES)
        }  # fmt: skip


def found_fields(demo: Demo) -> set[tuple[str, ...]]:
    """The same of every finding of the published warehouse."""
    rows = ask(
        demo,
        "select d.received_on::varchar, d.center_id::varchar, f.rule_id, f.severity, coalesce(x.file, ''), "
        "coalesce(x.sheet, ''), coalesce(x.row::varchar, ''), coalesce(x.source_column, '') "
        "from quality.finding f join quality.finding_field x using (delivery_key, finding_id) "
        "join quality.delivery d using (delivery_key)",
    )
    return {(ROUNDS[day], *rest) for day, *rest in rows}


def test_every_planted_fault_is_found_at_its_address_and_nothing_else_is(demo: Demo) -> None:
    truth, found = planted(demo.folder), found_fields(demo)
    # The second id of a patient who was numbered twice is gone in round two: a finding on the
    # delivery as a whole, which has no cell.
    twice = {center for round_, center, rule, *_ in truth if (round_, rule) == ("1", "DUP-01")}
    truth |= {("2", center, "STR-12", "warning", "", "", "", "") for center in twice}
    missed, invented = truth - found, found - truth
    assert not missed, f"{len(missed)} of {len(truth)} fields missed: {list(missed)[:5]}"
    assert not invented, f"{len(invented)} findings elsewhere: {list(invented)[:5]}"


def test_both_rounds_in_one_run_ask_only_what_fails_in_the_newest_deliveries(demo: Demo) -> None:
    failing = ("new", "still_failing", "changed_still_failing")
    with (demo.folder / "truth/queries.csv").open(encoding="utf-8", newline="") as file:
        truth = [r for r in csv.DictReader(file) if r["outcome_2"] in failing]
    truth = [r for r in truth if not r["rule_id"].startswith(ON_CHANGES)]
    found = ask(demo, "select center_id::varchar, rule_id, outcome from quality.query")
    assert sorted(found) == sorted((r["center"], r["rule_id"], "new") for r in truth)


def test_at_least_40_kinds_of_faults_are_planted(demo: Demo) -> None:
    with (demo.folder / "truth/faults.csv").open(encoding="utf-8", newline="") as file:
        assert len({row["kind"] for row in csv.DictReader(file)}) >= 40


def test_the_ledger_balances_after_every_load(demo: Demo) -> None:
    assert ask(demo, "select * from quality.ledger_balance") == []
    assert ask(demo, "select count(*) > 300 from quality.ledger") == [(True,)]


def test_every_row_of_the_files_is_in_the_ledger(demo: Demo) -> None:
    rows = ask(
        demo,
        "select s.center_id, d.received_on::varchar, s.file, coalesce(s.sheet, ''), sum(l.n_rows)::int "
        "from quality.ledger l join meta.source s using (delivery_key, source_id) "
        "join quality.delivery d using (delivery_key) "
        "where l.step = 'read' and l.outcome = 'in' group by all",
    )
    ledger = {(center, day, file, sheet): n for center, day, file, sheet, n in rows}
    assert ledger == rows_of_files(demo.folder / "inbox")


def test_every_rule_has_an_outcome_in_every_load(demo: Demo) -> None:
    missing = ask(
        demo,
        "select d.center_id, r.rule_id from quality.delivery d cross join quality.rule r "
        "anti join quality.check_run c on c.delivery_key = d.delivery_key and c.rule_id = r.rule_id "
        "where d.outcome = 'loaded'",
    )
    outcomes = {row[0] for row in ask(demo, "select distinct outcome from quality.check_run")}
    assert missing == []
    assert outcomes <= {"passed", "failed", "not_applicable", "not_run", "error"}
    assert "error" not in outcomes
    assert {"passed", "failed", "not_run"} <= outcomes


def test_a_second_run_loads_and_publishes_nothing(demo: Demo) -> None:
    warehouse = demo.folder / "published/warehouse.duckdb"
    before = (warehouse.stat().st_mtime_ns, warehouse.stat().st_ino, warehouse.read_bytes())
    again = carmony("run", demo.folder)
    assert again.code == 0, again.err
    after = (warehouse.stat().st_mtime_ns, warehouse.stat().st_ino, warehouse.read_bytes())
    assert after == before
    assert "nothing new" in again.out + again.err


@pytest.fixture(scope="module")
def two_broken(demo_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A run of six centers without the truth, with a broken spec and a truncated workbook."""
    study = tmp_path_factory.mktemp("broken") / "study"
    shutil.copytree(demo_files / "inbox", study / "inbox")
    shutil.copytree(demo_files / "centers", study / "centers")
    shutil.copy(demo_files / "study.yaml", study)
    spec = study / "centers/DE05.yaml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("sex:", "sexx:"), encoding="utf-8")
    for workbook in (study / "inbox/DE02").rglob("*.xlsx"):
        workbook.write_bytes(workbook.read_bytes()[:4000])
    keep_displays(study, "baseline", "response")
    keep_last_round(study)
    keep_centers(study, "DE01", "DE02", "DE05", "DE07", "ES01", "US03")
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        lenient_runs.judge_here(patch)
        code = main(["run", str(study)])
    return Demo(study, Finished(code, out.getvalue(), err.getvalue()))


def test_a_broken_spec_and_a_truncated_workbook_stop_only_their_centers(two_broken: Demo) -> None:
    done: Finished = two_broken.first_run
    told = done.out + done.err
    assert done.code == 1
    assert "Traceback" not in told
    assert "DE05.yaml, line" in told
    assert "'sexx'" in told
    assert "sex" in told
    assert "CAR-T_Liste.xlsx" in told
    assert sorted(row[0] for row in ask(two_broken, PATIENTS)) == ["DE01", "DE07", "ES01", "US03"]


def test_the_truth_is_read_by_tests_only(demo: Demo, two_broken: Demo) -> None:
    assert (demo.folder / "truth").is_dir()
    assert not (two_broken.folder / "truth").exists()
    assert (two_broken.folder / "published/report/report.html").is_file()
    whole = dict(ask(demo, PATIENTS))
    assert {center: n for center, n in ask(two_broken, PATIENTS) if whole[center] != n} == {}


def test_no_local_id_and_no_raw_value_is_in_anything_published(demo: Demo) -> None:
    with (demo.folder / "truth/cohort.csv").open(encoding="utf-8", newline="") as file:
        ids = {row["patient_id"] for row in csv.DictReader(file)}
    telling = {i.encode() for i in ids if not i.isdigit()}
    assert len(telling) > 50
    for path in (demo.folder / "published").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [i for i in telling if i in content], path.name


def test_a_row_leads_back_to_its_cell(demo: Demo) -> None:
    (row,) = ask(
        demo,
        "select l.file, l.row, l.source_column, r.relapse_date::varchar "
        "from core.relapse r, meta.lineage(r.row_id) l "
        "where r.center_id = 'DE01' and l.\"column\" = 'relapse_date' order by r.row_id limit 1",
    )
    file, line, column, day = row
    text = (demo.folder / "inbox/DE01/2024-08-30" / file).read_text(encoding="cp1252")
    records = list(csv.reader(io.StringIO(text), delimiter=";"))
    cell = records[line - 1][records[0].index(column)]
    assert cell == f"{day[8:]}.{day[5:7]}.{day[:4]}"


def test_the_dictionary_describes_every_column(demo: Demo) -> None:
    bare = ask(
        demo,
        "select table_schema, table_name, column_name from information_schema.columns c "
        "anti join meta.dictionary d on d.schema = c.table_schema and d.table = c.table_name "
        "and d.column = c.column_name and d.label is not null "
        "where table_schema in ('core', 'analysis', 'quality', 'meta')",
    )
    assert bare == []


def test_sql_answers_from_the_published_warehouse(demo: Demo) -> None:
    done = carmony(
        "sql", demo.folder, "select count(*) as n from analysis.adsl", "--format", "json"
    )
    assert done.code == 0
    assert json.loads(done.out) == [{"n": 139}]


def rows_of_files(inbox: Path) -> dict[tuple[str, str, str, str], int]:
    """Data rows by center, delivery, file and sheet, counted without any of our readers."""
    counts: dict[tuple[str, str, str, str], int] = {}
    for path in sorted(p for p in inbox.rglob("*") if p.is_file()):
        center, day, name = path.relative_to(inbox).as_posix().split("/", 2)
        for file, sheet, n in _tables(path, name):
            counts[center, day, file, sheet] = n
    return counts


def _tables(path: Path, name: str) -> list[tuple[str, str, int]]:
    match path.suffix.lower():
        case ".csv":
            # The data dictionary explains the export; it is no table of patients.
            return [] if "dictionary" in name else [(name, "", _records(path.read_bytes()))]
        case ".zip":
            with zipfile.ZipFile(path) as archive:
                return [
                    (f"{name}/{member}", "", _records(archive.read(member)))
                    for member in archive.namelist()
                    if member.endswith(".csv") and member != "codebuch.csv"
                ]
        case ".xlsx":
            book = openpyxl.load_workbook(path, data_only=True)
            first = 4 if name == "CAR-T_Liste.xlsx" else 2
            return [
                (name, sheet.title, _filled(sheet, first))
                for sheet in book.worksheets
                if sheet.title not in NOTES
            ]
        case ".sav":
            return [(name, "", pyreadstat.read_sav(path, metadataonly=True)[1].number_rows)]
        case ".xpt":
            return [(name, "", len(pyreadstat.read_xport(path)[0]))]
        case _:
            return []


def _records(content: bytes) -> int:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252")
    delimiter = ";" if text.split("\n", 1)[0].count(";") else ","
    records = [r for r in csv.reader(io.StringIO(text), delimiter=delimiter) if any(r)]
    return len(records) - 1


def _filled(sheet: Any, first: int) -> int:
    return sum(
        any(cell not in (None, "") for cell in row)
        for row in sheet.iter_rows(min_row=first, values_only=True)
    )
