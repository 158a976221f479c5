"""Identifiers: found in deliveries, kept out of core, and nowhere outside the vault after a whole run."""

from __future__ import annotations

import csv
import datetime as dt
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import yaml

from flows.folder import open_study_folder
from flows.forget_search import found_in
from schemas.errors import FileError, StudyError
from transforms.harmonize import identifiers as identifiers_module
from transforms.harmonize.identifiers import identifying_header, identifying_values

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))

from harmless_notes import notes  # noqa: E402
from planted_identifiers import identifiers  # noqa: E402
from small_study import FILES, make_study  # noqa: E402

ROOT = Path(__file__).parents[2]
Tries = Callable[[int, int], int]
Record = Callable[..., None]
CENTERS = ("AA01", "BB02", "CC03")
MARKED = 500


# The detector ------------------------------------------------------------------------------------


def test_at_least_95_of_100_planted_identifiers_are_detected(tries: Tries, figure: Record) -> None:
    planted = identifiers(tries(1200, 24_000))
    found = set(identifying_values([cell for *_, cell in planted]))
    missed = [cell for *_, cell in planted if cell not in found]
    allowed = len(planted) // 20
    wanted = "at most 5 % missed"
    figure("43", "planted identifiers missed beyond 5 %", max(0, len(missed) - allowed), len(planted), wanted)  # fmt: skip


def test_each_kind_in_each_language_is_detected_mostly() -> None:
    planted = identifiers(8000)
    found = set(identifying_values([cell for *_, cell in planted]))
    for language, kind in {(language, kind) for language, kind, _ in planted}:
        cells = [cell for lang, what, cell in planted if (lang, what) == (language, kind)]
        share = sum(cell in found for cell in cells) / len(cells)
        # A given name that is in no list makes no name: two in twenty-two of those planted are rare, a tenth of three kinds.
        assert share >= 0.8, (language, kind, share)


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("Geburtsdatum", "a full birth date"), ("Geb.-Dat.", "a full birth date"), ("DOB", "a full birth date"),
        ("Date of birth", "a full birth date"), ("Fecha de nacimiento", "a full birth date"),
        ("Telefon privat", "a phone number"), ("Handy-Nr.", "a phone number"), ("NHS number", "a record number"),
        ("Fall-Nr", "a record number"), ("Fallnr", "a record number"), ("Apellido 1", "a name"),
        ("Vorname Patient", "a name"), ("Name der Patientin", "a name"), ("Wohnort", "an address"),
        ("Geburtsjahr", None), ("Year of birth", None), ("Ort", None), ("Fallzahl", None), ("Telefonvisite", None),
        ("Name of drug", None), ("Birth country", None), ("vorname_1", "a name"), ("Vorname2", "a name"),
        ("fname", "a name"), ("lname", "a name"), ("patient_surname", "a name"), ("patientName", "a name"),
        ("mobile", "a phone number"), ("hospital number", "a record number"), ("hospital_id", None), ("mobility", None),
        ("FechaNac", "a full birth date"), ("birth_dt", "a full birth date"), ("BRTHDTC", "a full birth date"),
        ("Codice fiscale", "a social security number"), ("Nazwisko i imię", "a name"), ("Příjmení", "a name"),
        ("Hasta adı soyadı", "a name"), ("Doğum tarihi", "a full birth date"), ("Data de nascimento", "a full birth date"),
        ("Geboortedatum", "a full birth date"), ("N° dossier", "a record number"), ("PESEL", "a social security number"),
        ("Telemóvel", "a phone number"), ("via", None), ("RC", None), ("TC", None), ("nome farmaco", None), ("Adres e-mail", "an e-mail address"),
        ("birth_year", None), ("drugName1", None), ("regimen1", None), ("lastContact", None),
    ],
)  # fmt: skip
def test_a_header_says_what_its_column_holds(header: str, what: str | None) -> None:
    assert identifying_header(header) == what


CASES: dict[str, list[str]] = yaml.safe_load(
    Path(__file__).with_name("identifier_cases.yaml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("cell", CASES["cells_that_identify"])
def test_cells_that_identify_are_detected(cell: str) -> None:
    assert identifying_values([cell]) == [cell]


@pytest.mark.parametrize("cell", CASES["cells_that_do_not"])
def test_clinical_text_is_no_alarm(cell: str) -> None:
    assert identifying_values([cell]) == []


@pytest.mark.parametrize("header", CASES["headers_that_identify"])
def test_headers_of_identifiers_are_refused(header: str) -> None:
    assert identifying_header(header) is not None


@pytest.mark.parametrize("header", CASES["headers_that_do_not"])
def test_clinical_headers_are_not_refused(header: str) -> None:
    assert identifying_header(header) is None


def test_clinical_notes_in_ten_languages_are_no_alarm(figure: Record) -> None:
    path = Path(__file__).with_name("clinical_cells.yaml")
    cells = yaml.safe_load(path.read_text(encoding="utf-8"))
    alarms = [cell for some in cells.values() for cell in identifying_values(some)]
    assert len(cells) == 10
    assert alarms == []
    figure("43", "false alarms on clinical notes in ten languages", len(alarms), sum(map(len, cells.values())))  # fmt: skip


def test_random_notes_of_therapies_and_dates_are_no_alarm(tries: Tries, figure: Record) -> None:
    written = notes(tries(3000, 50_000))
    alarms = identifying_values(written)
    # A number that is written as phone numbers are cannot be told from one.
    wanted = "at most one in 5000"
    figure("43", "false alarms on random notes beyond 1 in 5000", max(0, len(alarms) - len(written) // 5000), len(written), wanted)  # fmt: skip


# Repeated pieces of what patterns look for: searches that take back steps need the square of it, or worse.
PIECES = (
    "de la ", "van den ", "d'", "Mc", "A", "a", "Ab ", "Jan-", "Jan ", "12.", "1 ", "(0", "1 / ", "a@", "a.", "a-", "A.b ",
    "geb 1.", "Müller, ", "Hr. Dr. ", "Pat: ", "IT60 X054 ", "X, ", " ", "Ab c.d e.f g.h ", "12 av. de l'", "Hans Peter-",
)  # fmt: skip
BEGINNINGS = (
    "",
    "Frau ",
    "Hans ",
    "Name: ",
    "12 rue ",
    "rue ",
    "Via ",
    "Ul. Ab ",
    "MRN ",
    "tel ",
    "born 1",
)


def test_no_text_makes_the_search_for_identifiers_long(
    tries: Tries, figure: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identifiers_module, "_WORTH", re.compile(""))  # all are looked into
    size = tries(600, 32_000)
    texts = [
        (start + piece * size)[:size] + end
        for start in BEGINNINGS
        for piece in PIECES
        for end in ("", " x 1")
    ]
    slow = []

    def too_long(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGPROF, too_long)
    try:
        for text in texts:
            signal.setitimer(signal.ITIMER_PROF, 10)  # seconds of processor time
            try:
                identifying_values([text])
            except TimeoutError:
                slow.append(text[:20])
                break
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    figure(
        "23, 24", "texts in which identifiers are looked for more than 10 s", len(slow), len(texts)
    )


def test_no_column_of_the_demo_raises_an_alarm_but_the_planted_one(
    demo_files: Path, tmp_path: Path, figure: Record
) -> None:
    from schemas.delivery import read_delivery
    from schemas.spec import load_spec, load_study
    from transforms.stage import process_center

    study = load_study(demo_files)
    alarms: list[tuple[str, str, int]] = []
    cells = 0
    for spec_path in study.center_specs:
        spec = load_spec(spec_path)
        home = demo_files / "inbox" / spec.center.id
        day = sorted(home.iterdir())[0]
        delivery = read_delivery(spec.center.id, day, _date(day.name))
        out = tmp_path / "staged" / spec.center.id
        out.parent.mkdir(exist_ok=True)
        process_center(spec, delivery, out, study)
        findings = pl.read_parquet(out / "finding.parquet").filter(pl.col("rule_id") == "PRV-01")
        alarms += [(spec.center.id, "PRV-01", findings.height)] if findings.height else []
        cells += 1
    # The demo plants one e-mail address, in the regimens of one center.
    assert alarms == [("DE02", "PRV-01", 1)]
    figure("43", "false alarms in the demo's centers", len(alarms) - 1, cells)


def _date(name: str) -> dt.date:
    return dt.date.fromisoformat(name[:10])


# The column stops --------------------------------------------------------------------------------


def _staged(study: Path, center: str, tmp_path: Path) -> Path:
    from schemas.delivery import read_delivery
    from schemas.spec import load_spec, load_study
    from transforms.stage import process_center

    day = study / "inbox" / center / "2024-06-14"
    delivery = read_delivery(center, day, _date(day.name))
    spec = load_spec(study / "centers" / f"{center}.yaml")
    out = tmp_path / f"staged-{center}"
    process_center(spec, delivery, out, load_study(study))
    return out


def _with_a_phone(study: Path) -> None:
    path = study / "inbox" / "AA01" / "2024-06-14" / "treatment_line.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1] += ", Tel. 0351 4581234"
    lines[1] = lines[1].replace("Teclistamab,", '"Teclistamab,') + '"'
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_one_identifier_stops_the_text_of_its_column_and_nothing_else(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", CENTERS[:1])
    _with_a_phone(study)
    out = _staged(study, "AA01", tmp_path)
    kept = pl.read_parquet(out / "core" / "treatment_line.parquet")
    held = pl.read_parquet(out / "quarantine" / "treatment_line.parquet")
    assert held.height == 1
    assert kept.height == 5
    assert kept["regimen_text"].null_count() == 5  # no text of the column
    assert kept["drugs"].null_count() == 0  # codes tell of nobody
    assert held["regimen_text"].to_list() == [None]


def test_a_column_that_the_spec_allows_is_kept(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", CENTERS[:1])
    _with_a_phone(study)
    spec = study / "centers" / "AA01.yaml"
    text = spec.read_text(encoding="utf-8")
    line = "treatment_line: {file: treatment_line.csv, patient_id: id"
    spec.write_text(text.replace(line, f"{line}, allow: [regimen_text]"), encoding="utf-8")
    out = _staged(study, "AA01", tmp_path)
    findings = pl.read_parquet(out / "finding.parquet")
    assert "PRV-01" not in findings["rule_id"].to_list()
    kept = pl.read_parquet(out / "core" / "treatment_line.parquet")
    assert kept["regimen_text"].drop_nulls().len() >= 5


def test_a_column_named_after_a_person_is_refused_unless_allowed(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", CENTERS[:1])
    path = study / "inbox" / "AA01" / "2024-06-14" / "subject.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    text = "\n".join([f"{lines[0]},Nachname", *(f"{line},x" for line in lines[1:])])
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileError, match="a name"):
        _staged(study, "AA01", tmp_path)
    spec = study / "centers" / "AA01.yaml"
    line = "subject: {file: subject.csv, patient_id: id"
    allowed = spec.read_text(encoding="utf-8").replace(line, f"{line}, allow: [Nachname]")
    spec.write_text(allowed, encoding="utf-8")
    assert (_staged(study, "AA01", tmp_path) / "summary.json").is_file()


def test_a_birth_date_becomes_a_year(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", CENTERS[:1])
    path = study / "inbox" / "AA01" / "2024-06-14" / "subject.csv"
    path.write_text(path.read_text().replace(",1951,", ",1951-07-23,"), encoding="utf-8")
    spec = study / "centers" / "AA01.yaml"
    rule = "birth_year: {column: birth_year, as: year}"
    spec.write_text(spec.read_text().replace("birth_year: birth_year", rule), encoding="utf-8")
    out = _staged(study, "AA01", tmp_path)
    assert 1951 in pl.read_parquet(out / "core" / "subject.parquet")["birth_year"].to_list()
    for file in sorted((out / "core").glob("*.parquet")):
        assert "1951-07-23" not in pl.read_parquet(file).write_csv()


# The vault ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "mode", "told"),
    [
        ("vault", 0o750, "vault has mode 0750"),
        ("vault", 0o701, "vault has mode 0701"),
        ("vault/pseudonym.key", 0o640, "vault/pseudonym.key has mode 0640"),
        ("vault/pseudonym.key", 0o604, "vault/pseudonym.key has mode 0604"),
    ],
)
def test_a_vault_that_is_open_to_others_is_refused(
    tmp_path: Path, place: str, mode: int, told: str
) -> None:
    study = make_study(tmp_path / "study", CENTERS[:1])
    open_study_folder(study)
    key = study / "vault" / "pseudonym.key"
    key.touch(mode=0o600)
    open_study_folder(study)  # closed: the control
    (study / place).chmod(mode)
    with pytest.raises(StudyError, match="closed to others") as caught:
        open_study_folder(study)
    assert told in str(caught.value)
    assert (study / place).stat().st_mode & 0o777 == mode  # nothing was mended in silence


# A whole run -------------------------------------------------------------------------------------


def _plant(study: Path, chance: random.Random) -> list[str]:
    """Marks every id, and cells of every text column; gives all marks."""
    marks: list[str] = []

    def mark() -> str:
        marks.append("zq" + "".join(chance.choice("bcdfghjkmnpqrstvwxyz") for _ in range(10)))
        return marks[-1]

    for center in CENTERS:
        folder = study / "inbox" / center / "2024-06-14"
        ids = {f"{center}-{n:03d}": f"{center}-{mark()}" for n in range(1, 7)}
        for name in FILES:
            path = folder / f"{name}.csv"
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.reader(file))
            for row in rows[1:]:
                row[0] = ids[row[0]]
            headers = ["remarks", "further remarks", "comment of the ward"]
            more = [headers, *([mark() for _ in headers] for _ in rows[1:])]
            rows = [[*row, *cells] for row, cells in zip(rows, more, strict=True)]
            if name in ("treatment_line", "response", "follow_up", "risk", "relapse"):
                at = chance.randrange(1, len(rows))
                rows[at][-4] += f" Hr. {mark()} Tel. 0351 45{chance.randrange(10**5):05d}"
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(rows)
    return marks


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """A run with report, queries released and sent, exports; its own /tmp, home and output."""
    place = tmp_path_factory.mktemp("marks")
    study = make_study(place / "study")
    for center in CENTERS:  # names in files of the inbox of each center
        (study / "centers" / f"{center}.yaml").chmod(0o600)
    marks = _plant(study, random.Random(7))
    for name in ("tmp", "home", "prefect"):
        (place / name).mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    environment |= {
        "TMPDIR": str(place / "tmp"),
        "HOME": str(place / "home"),
        "PREFECT_HOME": str(place / "prefect"),
        "PYTHONPATH": str(ROOT),
    }
    commands = (
        ["run", str(study), "--no-report"],  # the second one has the report
        ["queries", str(study), "release", "--all"],
        ["queries", str(study), "send"],
        ["queries", str(study), "list"],
        ["run", str(study), "--json"],
        ["report", str(study)],
        ["history", str(study), "--verify"],
        ["sql", str(study), "from core.subject", "--format", "csv"],
    )
    output = place / "output"
    output.mkdir()
    codes = []
    for number, command in enumerate(commands):
        with (output / f"{number}-{command[0]}.txt").open("wb") as file:
            done = subprocess.run(
                [sys.executable, "-m", "flows.cli", *command],
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=environment,
                check=False,
                timeout=300,
            )
        codes.append(done.returncode)
    return {"place": place, "study": study, "marks": marks, "codes": codes}


def test_nothing_marked_stands_outside_the_vault(ran: dict[str, object], figure: Record) -> None:
    place, study, marks = ran["place"], ran["study"], ran["marks"]
    assert isinstance(place, Path)
    assert isinstance(study, Path)
    assert isinstance(marks, list)
    assert len(marks) >= MARKED
    assert ran["codes"][0] in (0, 1)  # type: ignore[index]
    assert (study / "published" / "warehouse.duckdb").is_file()
    assert (study / "published" / "report" / "report.html").is_file()
    # The control: the same search finds them where they may be, packed in Parquet and xlsx too.
    inside = found_in(study / "vault", marks)
    assert {".csv", ".parquet", ".xlsx"} <= {path.suffix for path in inside}
    listed = (
        place / "output" / "3-queries.txt"
    )  # shows data managers the center's ids, on their screen
    left = found_in(place, marks, [study / "vault", study / "inbox", listed])
    assert left == []
    figure(
        "34, 44, 47",
        "files outside the vault with one of the marked identifiers",
        len(left),
        len(marks),
    )


def test_no_center_gets_what_another_sent(ran: dict[str, object], figure: Record) -> None:
    study = ran["study"]
    assert isinstance(study, Path)
    own = {center: _marks_of(study, center) for center in CENTERS}
    foreign = []
    for center in CENTERS:
        others = [mark for other in CENTERS if other != center for mark in own[other]]
        homes = [study / "vault" / part / center for part in ("packets", "scorecards")]
        homes = [home for home in homes if home.is_dir()]
        assert homes
        assert any(found_in(home, own[center]) for home in homes)  # the control
        foreign += [path for home in homes for path in found_in(home, others)]
    figure("35", "files for a center with marks of another", len(foreign), len(CENTERS) * 2)


def _marks_of(study: Path, center: str) -> list[str]:
    import re

    texts = [p.read_text() for p in (study / "inbox" / center).rglob("*.csv")]
    return sorted({mark for text in texts for mark in re.findall(r"zq[a-z]{10}", text)})


def test_nothing_is_left_in_the_temporary_folder(ran: dict[str, object]) -> None:
    place = ran["place"]
    assert isinstance(place, Path)
    left = [path for path in (place / "tmp").rglob("*") if path.is_file()]
    assert left == []
    shutil.rmtree(place / "tmp")
