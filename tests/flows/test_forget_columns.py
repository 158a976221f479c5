"""Ids that are plain numbers or short words: what is searched for them, and what `carmony forget` tells."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import small_study
from plain_search import files_with

from flows.cli import main
from flows.folder import StudyFolder
from flows.forget import forget_patient
from flows.forget_columns import IdColumns, id_columns
from flows.run import RunRequest, run_study
from flows.show import Silent
from schemas.errors import StudyError
from tests.flows import lenient_runs
from transforms.harmonize.privacy_withdrawn import read_marks, stands_by_chance
from warehouse.pseudonyms import Pseudonymizer

CENTER, PATIENT = "AA01", "2024"


@pytest.fixture(scope="module")
def of_numbers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A study one center of which calls its patients 2021 to 2026, with a query about two of them; loaded."""
    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.let_all_pass(patch)
        root = small_study.make_study(
            tmp_path_factory.mktemp("numbers") / "study", (CENTER, "BB02")
        )
        with (root / "study.yaml").open("a", encoding="utf-8") as file:
            file.write("queries: {release: at_once, answers: by_hand}\n")
        for path in (root / "inbox" / CENTER / "2024-06-14").glob("*.csv"):
            text = path.read_text(encoding="utf-8").replace(f"{CENTER}-00", "202")
            text = text.replace("2022,F,", "2022,2024,")  # in the place of the sex
            late = "2021,2,2031-01-01,Talquetamab\n2024,2,2031-01-01,Talquetamab\n"
            path.write_text(text + (late if path.stem == "treatment_line" else ""))
        run_study(RunRequest(str(root), report=False), Silent())
        home = root / "answers" / CENTER
        home.mkdir(parents=True)
        (book,) = (root / "vault" / "packets" / CENTER / "queries").glob("*/queries.csv")
        rows = list(csv.DictReader(io.StringIO(book.read_text(encoding="utf-8-sig"))))
        assert {row["Patient"] for row in rows} == {"2021", "2022", PATIENT}
        shutil.copyfile(book, home / "both.csv")
        others = [{**row, "Comment": "seen in 2024"} for row in rows if row["Patient"] == "2021"]
        with (home / "other.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(others)
        yield root


@pytest.mark.parametrize(
    "one", ["7", "2023", "0012", "10023456", "12.5", "1-11", "2023-01-15", "R2", "Maria", "P001"]
)
def test_ids_that_may_be_a_number_a_day_or_a_word(one: str) -> None:
    assert stands_by_chance(one)


@pytest.mark.parametrize("one", ["AB-1", "01-002", "MM-003", "R&D-0012", "PAT001", "Ä-1", "a,b"])
def test_ids_that_are_neither(one: str) -> None:
    assert not stands_by_chance(one)


@pytest.mark.parametrize("one", ["1953", "2017", "2023", "2027", "CR"])
def test_a_number_that_stands_in_files_and_is_nobodys_id_sets_no_tombstone(
    of_numbers: Path, one: str
) -> None:
    center = "BB02" if one == "2023" else CENTER  # an id of the other center
    with pytest.raises(StudyError, match="Nothing of such a patient"):
        forget_patient(of_numbers, center, one)
    assert read_marks(of_numbers) == {}


def test_only_what_holds_the_number_as_an_id_is_deleted_and_named(
    of_numbers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Path(shutil.copytree(of_numbers, tmp_path / "study", symlinks=True))
    word = Pseudonymizer.of_study(root, "SMALL").usubjid(CENTER, PATIENT)
    before = {path: path.read_bytes() for path in (root / "inbox" / "BB02").rglob("*.csv")}
    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.let_all_pass(patch)
        code = main(["forget", str(root), CENTER, PATIENT])
    told = capsys.readouterr().out

    assert code == 0, told
    assert "STILL FOUND" not in told
    assert "BB02" not in told
    assert f"  answers/{CENTER}/both.csv\n" in told
    assert "/findings.csv (written again without the patient)\n" in told
    assert "other.csv" not in told
    (copy,) = (path for path in (root / "vault/deliveries" / CENTER).iterdir() if path.is_dir())
    named = told.partition("delivered files that still hold")[2].splitlines()[1:3]
    assert named == [f"  vault/deliveries/{CENTER}/{copy.name}", f"  inbox/{CENTER}/2024-06-14"]
    assert "in columns of ids only" in told
    assert files_with(root / "published", word) == []
    assert {path: path.read_bytes() for path in before} == before
    for path in (root / "vault").rglob("*.parquet"):
        frame = pl.read_parquet(path)
        if "patient_id" in frame.columns:
            assert PATIENT not in frame["patient_id"]
    for path in (root / "vault" / "packets" / CENTER).rglob("*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            assert PATIENT not in {row["Patient"] for row in csv.DictReader(file)}
    # The year stays where it is a year.
    staged = pl.read_parquet(
        next((root / "vault" / "staged" / CENTER).glob("*/core/subject.parquet"))
    )
    assert staged["patient_id"].sort().to_list() == ["2021", "2023", "2025", "2026"]  # 2022 is held
    asked = pl.read_parquet(next((root / "vault/staged" / CENTER).glob("*/finding_field.parquet")))
    assert asked.filter(column="sex")["value"].to_list() == ["2024"]


def test_an_id_is_found_in_columns_of_ids_of_every_kind_of_file(tmp_path: Path) -> None:
    look = IdColumns(CENTER, "2024", frozenset({"fall", "patient_id"}))
    frames = {
        "ours.parquet": pl.DataFrame({"center_id": ["BB02", CENTER], "patient_id": ["1", "2024"]}),
        "theirs.parquet": pl.DataFrame({"center_id": ["BB02"], "patient_id": ["2024"]}),
        "quoted.parquet": pl.DataFrame({"column": ["birth_year", None], "value": ["1", " 2024"]}),
        "year.parquet": pl.DataFrame({"column": ["birth_year"], "value": ["2024"]}),
    }
    for name, frame in frames.items():
        frame.write_parquet(tmp_path / name)
    texts = {
        "by_title.csv": "Jahr;Fall\n2020;2024\n",
        "other_column.csv": "Jahr;Fall\n2024;2020\n",
        "like_a_title.csv": "Jahr,Pat-Nr\n2020, 2024 \n",
        "no_title.csv": "Jahr,Dosis\n2024,2024\n",
        "longer.csv": "Fall;x\n12024;2024-01\n",
        "broken.csv": 'Jahr;Fall\n2024;"x\n1;2;3\n',
        "broken_other.csv": 'Jahr;Fall\n1;"2024\n1;2;3\n',
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.write(tmp_path / "by_title.csv", "inner.csv")
    book = openpyxl.Workbook()
    for row in (["Export", 2024], [], ["Fall", "Jahr"], [2024, 2020]):
        book.worksheets[0].append(row)
    book.save(tmp_path / "below.xlsx")

    assert [path.name for path in look.files(tmp_path)] == [
        "below.xlsx",
        "broken.csv",
        "by_title.csv",
        "like_a_title.csv",
        "ours.parquet",
        "packed.zip",
        "quoted.parquet",
    ]
    assert look.files(tmp_path / "by_title.csv") == [tmp_path / "by_title.csv"]


def test_the_columns_of_ids_are_those_of_spec_past_deliveries_and_packets(of_numbers: Path) -> None:
    assert {"id", "patient", "paciente"} <= id_columns(StudyFolder(of_numbers), CENTER, "1").titles


def test_of_many_deleted_files_ten_are_listed(
    first_run_of_one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Path(shutil.copytree(first_run_of_one, tmp_path / "study", symlinks=True))
    leave_unpublished(root)
    home = root / "answers" / CENTER
    home.mkdir(parents=True)
    for n in range(11):
        (home / f"{n:02d}.txt").write_text("AA01-002")
    assert main(["forget", str(root), CENTER, "AA01-002", "--delete-deliveries"]) == 0
    told = capsys.readouterr().out.splitlines()

    # Eleven letters, the copy of the delivery, and the inbox.
    at = told.index("deleted 13 file(s) or folder(s) that held the patient:")
    assert told[at + 1 : at + 11] == [f"  answers/{CENTER}/{n:02d}.txt" for n in range(10)]
    assert told[at + 11] == "  and 3 more (--json names them all)"
    # Nothing was published: what the audit stopped is gone, and that is all.
    assert "nothing is published yet" in told
    assert [path for path in (root / "published").rglob("*") if path.is_file()] == []


def leave_unpublished(root: Path) -> None:
    """The study as after a first load that the audit stopped: built, and never published."""
    published = root / "published"
    (published / ".building").mkdir(exist_ok=True)
    (published / "warehouse.duckdb").rename(published / ".building" / "000001.duckdb")
    for path in published.iterdir():
        if path.name != ".building":
            shutil.rmtree(path)
    (root / "vault" / "log" / "published.json").unlink()
