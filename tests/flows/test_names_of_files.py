"""A center that names files and sheets by its patients: nothing that is published holds such a name."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest
import small_study
import xlsxwriter
from plain_search import files_with

from flows import results
from flows.forget import forget_patient
from flows.history import rebuild
from flows.run import RunRequest, run_study
from flows.show import Silent, messages
from tests.flows import lenient_runs

CENTER, PATIENT = "AA01", "AA01-002"
IDS = [f"{CENTER}-{n:03d}" for n in range(1, 7)]
SPELLED = [*IDS, "aa01_005", "AA01 006"]
NOTE = (
    "note: AA01: names of files or sheets hold ids of patients; they are masked in what is published. "
    "Ask the center to name them otherwise"
)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study whose center sends the responses in one file per patient, after a run; nobody writes into it."""
    root = small_study.make_study(tmp_path_factory.mktemp("named") / "study", (CENTER, "BB02"))
    spec = root / "centers" / f"{CENTER}.yaml"
    text = spec.read_text().replace("file: response.csv", 'file: "AA*.csv"')
    text = text.replace("{file: risk.csv,", "{file: risk.xlsx, sheet: risk,")
    spec.write_text(text + "id_pattern: 'AA01-[0-9]{3}'\n")
    by_patient(root / "inbox" / CENTER / "2024-06-14")
    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.let_all_pass(patch)
        assert run(root) == [NOTE]
    return root


def by_patient(delivery: Path) -> None:
    """The responses in a file per patient, a letter that no source reads, and a sheet that none reads."""
    with (delivery / "response.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    (delivery / "response.csv").unlink()
    for one in IDS:
        with (delivery / f"{one}.csv").open("w", encoding="utf-8", newline="") as file:
            mine = [row for row in rows if row[0] == one]
            csv.writer(file, lineterminator="\n").writerows([header, *mine])
    (delivery / "aa01_005 letter.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with (delivery / "risk.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    (delivery / "risk.csv").unlink()
    with xlsxwriter.Workbook(delivery / "risk.xlsx") as book:
        for name, cells in (("risk", lines), ("AA01 006", [["a", "b"], ["1", "2"]])):
            sheet = book.add_worksheet(name)
            for number, line in enumerate(cells):
                sheet.write_row(number, 0, line)


@pytest.fixture
def study(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lenient_runs.let_all_pass(monkeypatch)
    return Path(shutil.copytree(published, tmp_path / "study"))


def run(study: Path) -> list[str]:
    """What a run tells beside the deliveries."""
    outcome = run_study(RunRequest(str(study), report=False), Silent())
    assert outcome.exit_code == 0, messages(outcome)
    return outcome.messages


def rows(study: Path, statement: str) -> list[tuple[object, ...]]:
    con = duckdb.connect(str(study / "published" / "warehouse.duckdb"), read_only=True)
    try:
        return con.execute(statement).fetchall()
    finally:
        con.close()


def named(place: Path) -> list[str]:
    """The ids that stand in files below a folder."""
    return [one for one in SPELLED if files_with(place, one)]


def test_nothing_published_holds_a_name_with_an_id(published: Path) -> None:
    assert named(published / "vault" / "staged") == SPELLED  # the control: the same search
    assert named(published / "published") == []


def test_masked_names_are_told_apart_and_lead_to_their_rows(published: Path) -> None:
    files = rows(
        published,
        "SELECT file FROM meta.source WHERE name = 'response' AND center_id = 'AA01' ORDER BY source_id",
    )
    assert [file for (file,) in files] == [
        f"[id{number}].csv" for number in ("", " 2", " 3", " 4", " 5", " 6")
    ]
    [(row_id, source_id)] = rows(
        published,
        "SELECT min(row_id), min(source_id) FROM core.response WHERE center_id = 'AA01' "
        "GROUP BY source_id ORDER BY source_id LIMIT 1 OFFSET 3",
    )
    told = rows(
        published,
        f"SELECT DISTINCT file FROM meta.lineage({row_id}, 'category')",
    )
    assert told == [("[id 4].csv",)]


def test_findings_on_files_and_sheets_keep_their_place_without_the_id(published: Path) -> None:
    found = rows(
        published,
        "SELECT DISTINCT f.file, f.sheet FROM quality.finding_field f "
        "JOIN quality.finding USING (delivery_key, finding_id) "
        "WHERE rule_id = 'STR-07' AND center_id = 'AA01' ORDER BY ALL",
    )
    assert found == [("[id 7] letter.csv", None), ("risk.xlsx", "[id 8]")]
    places = rows(
        published, "SELECT instance FROM quality.query WHERE rule_id = 'STR-07' ORDER BY ALL"
    )
    assert places == [("file=[id #] letter.csv sheet=",), ("file=risk.xlsx sheet=[id 8]",)]


def test_the_vault_and_the_packet_keep_the_names_as_they_came(published: Path) -> None:
    [staged] = (published / "vault" / "staged" / CENTER).iterdir()
    assert f"{PATIENT}.csv" in pl.read_parquet(staged / "source.parquet")["file"]
    assert files_with(published / "vault" / "packets" / CENTER, "aa01_005")


def test_a_center_of_other_names_is_not_told_of(published: Path) -> None:
    files = rows(published, "SELECT DISTINCT file FROM meta.source WHERE center_id = 'BB02'")
    assert sorted(str(file) for (file,) in files) == sorted(f"{n}.csv" for n in small_study.FILES)


def test_a_forgotten_patient_is_in_no_name_once_the_deliveries_are_deleted(study: Path) -> None:
    hashes = rows(study, "SELECT sha256 FROM meta.source ORDER BY ALL")
    done = forget_patient(study, CENTER, PATIENT, delete_deliveries=True)

    assert done.complete
    assert files_with(study, PATIENT) == []
    assert named(study / "published") == []
    assert rows(study, "SELECT sha256 FROM meta.source ORDER BY ALL") == hashes
    assert CENTER not in json.dumps(list(index_of(study)))
    assert rows(study, "SELECT count(*) FROM meta.source WHERE file = '[forgotten].csv'") == [(1,)]


def index_of(study: Path) -> dict[str, object]:
    path = study / "vault" / "deliveries" / CENTER / "index.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def test_while_the_deliveries_are_kept_their_names_are_told_and_masked_in_what_is_published(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = forget_patient(study, CENTER, PATIENT)
    monkeypatch.setattr(results, "judge", lambda *_: {"passed": True})

    assert not done.complete
    assert any(place.endswith("source.parquet") for place in done.still_found)
    assert any(place.endswith("index.json") for place in done.still_found)
    assert named(study / "published") == []
    assert files_with(rebuild(study, 2).path.parent, PATIENT) == []


def test_a_forgotten_patient_who_comes_again_is_in_no_published_name(study: Path) -> None:
    forget_patient(study, CENTER, PATIENT, delete_deliveries=True)
    by_patient(small_study.deliver(study, CENTER, "2024-06-20"))

    assert run(study) == [NOTE]
    assert named(study / "published") == []


def test_the_same_files_again_are_known_after_their_deletion(study: Path) -> None:
    delivery = study / "inbox" / CENTER / "2024-06-14"
    kept = shutil.copytree(delivery, study.parent / "kept")
    forget_patient(study, CENTER, PATIENT, delete_deliveries=True)
    shutil.copytree(kept, delivery)

    outcome = run_study(RunRequest(str(study), report=False), Silent())

    assert [d.state for d in outcome.deliveries if d.center_id == CENTER] == ["unchanged"]


def test_a_state_built_again_is_masked_by_the_ids_of_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lenient_runs.let_all_pass(monkeypatch)
    monkeypatch.setattr("flows.results.judge", lambda *_: {"passed": True})
    study = small_study.make_study(tmp_path / "study", (CENTER,))
    spec = study / "centers" / f"{CENTER}.yaml"
    text = spec.read_text("utf-8").replace("file: subject.csv", 'file: "subject*.csv"')
    spec.write_text(text, encoding="utf-8")
    [first] = (study / "inbox" / CENTER).iterdir()
    (first / "subject.csv").rename(first / f"subject {CENTER}-007.csv")  # no patient's id yet
    run(study)
    small_study.deliver(study, CENTER, "2024-06-20", patients=7)
    run(study)

    masked = "SELECT count(*) FROM meta.source WHERE file LIKE '%[id]%'"
    assert rows(study, masked) == [(1,)]
    assert rebuild(study, 1).same
    assert rebuild(study, 2).same
