"""Centers send again: replays, edits, corrections in place, gaps, other orders, older exports that come late.

Each center of a study lives a random sequence; the whole flow runs between its steps. What then stands
must be what a study has that got only the last version of each center, once.
"""

from __future__ import annotations

import csv
import datetime as dt
import random
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from flows import cli, run, stages
from flows.run import last_outcome
from schemas.catalog import load_catalog
from tests.flows import lenient_runs, small_study
from tests.trust.conftest import FULL, size
from warehouse import alternatives

Record = Callable[..., None]
Rows = dict[str, list[list[str]]]
LETTERS = "ABCDEFGHIJKL"
FIRST = dt.date(2024, 6, 14)
STEPS = ("replay", "edit", "in place", "grow", "lose one", "lose half", "shuffle", "late", "touch")


@dataclass
class Center:
    """One center's inbox, and by plain rules what must stand after each step."""

    id: str
    chance: random.Random
    patients: int = 6
    sent: dict[dt.date, Rows] = field(default_factory=dict)  # what the inbox holds
    held: set[dt.date] = field(default_factory=set)
    replays: set[dt.date] = field(default_factory=set)
    changed: int | None = None  # cells that the last step changed, if it was an edit

    def newest(self) -> dt.date:
        """The day of the version in force."""
        return max(day for day in self.sent if day not in self.held | self.replays)

    def step(self, what: str, inbox: Path) -> None:
        """Sends something; notes what it must do."""
        self.changed = None
        now, last = self.sent[self.newest()], max(self.sent)
        after, rows = last + dt.timedelta(days=1), copied(now)
        match what:
            case "replay":
                self.replays.add(after)
                again = self.chance.choice([day for day in self.sent if day not in self.held])
                self.send(inbox, after, copied(self.sent[again]))
            case "edit":
                self.changed = self.edit(rows)
                self.send(inbox, after, rows)
            case "in place":
                self.edit(rows)
                self.send(inbox, self.newest(), rows)
            case "grow":
                self.patients += 1
                for name, more in small_study.rows_of(self.id, self.patients).items():
                    rows[name] += [
                        row for row in more if row[0] == f"{self.id}-{self.patients:03d}"
                    ]
                self.send(inbox, after, rows)
            case "lose one" | "lose half":
                ids = sorted({row[0] for row in rows["subject"]})
                gone = set(self.chance.sample(ids, 1 if what == "lose one" else len(ids) // 2))
                self.send(inbox, after, without(rows, gone))
                if len(gone) * 5 > len(ids) and after not in self.replays:
                    self.held.add(after)
            case "shuffle":
                for lines in rows.values():
                    self.chance.shuffle(lines)
                self.send(inbox, after, rows)
            case "late":
                self.edit(rows)
                self.send(inbox, min(self.sent) - dt.timedelta(days=1), rows)
            case "touch":
                self.send(inbox, self.newest(), rows)

    def edit(self, rows: Rows) -> int:
        """Changes one to three cells that break no rule; how many."""
        lines = self.chance.sample(rows["risk"], self.chance.randint(1, 3))
        for line in lines:
            line[2] = {"I": "II", "II": "III", "III": "I"}[line[2]]
        return len(lines)

    def waiting(self) -> set[dt.date]:
        """Days that are held: one that a newer delivery has overtaken is history."""
        return {day for day in self.held if day > self.newest()}

    def send(self, inbox: Path, day: dt.date, rows: Rows) -> None:
        """Writes a delivery, in the place of one of that day."""
        if any(rows == old for before, old in self.sent.items() if before < day):
            # What was sent before is a replay, also where a center took something back.
            self.replays.add(day)
            self.changed = None
        self.sent[day] = rows
        write(inbox / self.id / str(day), rows)


def copied(rows: Rows) -> Rows:
    return {name: [list(line) for line in lines] for name, lines in rows.items()}


def without(rows: Rows, gone: set[str]) -> Rows:
    return {name: [row for row in lines if row[0] not in gone] for name, lines in rows.items()}


def write(folder: Path, rows: Rows) -> None:
    """The files of a delivery."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, lines in rows.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(small_study.FILES[name].split(","))
            writer.writerows(lines)


def content(study: Path) -> dict[str, Any]:
    """Rows of core and analysis as one hash a table, findings of the deliveries in force, the ledger."""
    con = duckdb.connect(str(study / "published" / "warehouse.duckdb"), read_only=True)
    found: dict[str, Any] = {}
    for schema, table in con.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() "
        "WHERE schema_name IN ('core', 'analysis') ORDER BY ALL"
    ).fetchall():
        # Numbers of sources and blocks count all deliveries of the study.
        names = [row[0] for row in con.execute(f"DESCRIBE {schema}.{table}").fetchall()]
        columns = ", ".join(f'"{n}"' for n in names if n not in ("source_id", "map_id"))
        statement = f"SELECT count(*), sum(hash({columns})) FROM {schema}.{table}"
        found[f"{schema}.{table}"] = con.execute(statement).fetchall()
    # Rules on what a delivery changes have nothing to say of a first one.
    found["findings"] = con.execute(
        'SELECT f.center_id, f.rule_id, f.usubjid, f."table", f.row_id FROM quality.finding f '
        "JOIN quality.delivery d USING (delivery_key) "
        "WHERE d.is_current AND f.rule_id NOT LIKE 'DLV-%' AND f.rule_id != 'STR-12' ORDER BY ALL"
    ).fetchall()
    found["out of balance"] = con.execute("SELECT count(*) FROM quality.ledger_balance").fetchall()
    con.close()
    return found


def changed_cells(study: Path) -> dict[str, int]:
    """By center, the values that its newest delivery changed against the one before."""
    con = duckdb.connect(str(study / "published" / "warehouse.duckdb"), read_only=True)
    rows = con.execute(
        "SELECT c.center_id, sum(c.n)::int FROM quality.delivery_change c "
        "JOIN quality.delivery d USING (delivery_key) "
        "WHERE d.is_current AND c.level = 'value' GROUP BY ALL"
    ).fetchall()
    con.close()
    return dict(rows)


def carmony(study: Path) -> dict[tuple[str, str], str]:
    """A run; what became of each delivery."""
    assert cli.main(["run", str(study), "--no-report"]) in (0, 1)
    return {(d.center_id, d.received_on): d.state for d in last_outcome(str(study)).deliveries}


def once(folder: Path, centers: list[Center]) -> dict[str, Any]:
    """A study that gets the versions in force and nothing else."""
    made = small_study.make_study(folder, ())
    for one in centers:
        (made / "centers" / f"{one.id}.yaml").write_text(small_study.spec(one.id), encoding="utf-8")
        write(made / "inbox" / one.id / str(one.newest()), one.sent[one.newest()])
    carmony(made)
    return content(made)


@dataclass
class Lived:
    """What the campaign found, and its last study with the study of the last versions."""

    study: Path
    once: Path
    centers: int = 0
    wrong: list[str] = field(default_factory=list)
    miscounted: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Studies whose centers each live a random sequence; runs without estimates and audit, under one key."""
    place = tmp_path_factory.mktemp("lived")
    studies, rounds, letters = size(1, 25), size(2, 5), LETTERS[: size(5, 12)]
    found = Lived(place / "study", place / "once")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stages, "judge", lenient_runs.in_this_process(False))
        patched.setattr(run, "anything_to_read", lambda pulled: nullcontext())
        patched.setenv("CARMONY_KEY", "ef" * 32)
        if not FULL:  # alternative settings are derived from what is compared
            patched.setattr(alternatives, "add_alternatives", lambda con, study: None)
        for number in range(studies):
            for old in (found.study, found.once):
                shutil.rmtree(old, ignore_errors=True)
            live(found, number, rounds, letters)
    return found


def live(found: Lived, number: int, rounds: int, letters: str) -> None:
    """One study: some rounds of steps, and what is wrong at the end."""
    chance = random.Random(number)
    study = small_study.make_study(found.study, ())
    centers = [Center(f"{letter * 2}01", random.Random(f"{number}{letter}")) for letter in letters]
    for one in centers:
        spec = study / "centers" / f"{one.id}.yaml"
        spec.write_text(small_study.spec(one.id), encoding="utf-8")
        one.send(study / "inbox", FIRST, small_study.rows_of(one.id, one.patients))
    carmony(study)
    steps: list[str] = []
    for _ in range(rounds):
        for one in centers:
            steps = steps or chance.sample(STEPS, len(STEPS))  # every kind before one comes again
            one.step(steps.pop(), study / "inbox")
        states = carmony(study)
        for one in centers:
            held = {day for day in one.sent if states.get((one.id, str(day))) == "held"}
            # One that is overtaken in this run is tried, and held, before the newer one is read.
            if not one.waiting() <= held <= one.held:
                found.wrong.append(f"{number} {one.id}: held {held}, not {one.waiting()}")
    mine, theirs = content(study), once(found.once, centers)
    found.wrong += [f"{number} {name}" for name in theirs if mine[name] != theirs[name]]
    changed = changed_cells(study)
    edited = [one for one in centers if one.changed is not None]
    found.miscounted += [one.id for one in edited if changed.get(one.id) != one.changed]
    found.centers += len(centers)


def test_what_stands_is_the_last_version_loaded_once(lived: Lived, figure: Record) -> None:
    print(*lived.wrong[:20], *lived.miscounted, sep="\n")
    wanted = "as the last version, loaded once"
    figure("7", "random sequences of deliveries", len(lived.wrong), lived.centers, wanted)
    figure(
        "7",
        "sequences whose last edits are counted otherwise",
        len(lived.miscounted),
        lived.centers,
    )


def test_a_version_that_is_not_the_last_is_seen(lived: Lived, tmp_path: Path) -> None:
    """The control: one cell of one patient differs."""
    study = tmp_path / "study"
    (study / "published").mkdir(parents=True)
    shutil.copy(lived.once / "published" / "warehouse.duckdb", study / "published")
    before = content(study)
    con = duckdb.connect(str(study / "published" / "warehouse.duckdb"))
    con.execute(
        "UPDATE core.risk SET r_iss = 'I' WHERE row_id IN "
        "(SELECT row_id FROM core.risk WHERE r_iss = 'II' LIMIT 1)"
    ).fetchall()
    con.close()
    after = content(study)
    assert [name for name in before if before[name] != after[name]] == ["core.risk"]


# What is published -------------------------------------------------------------------------------


def states(lived: Lived) -> list[Path]:
    """The published warehouse and every kept state before it."""
    published = lived.study / "published"
    found = [published / "warehouse.duckdb", *sorted((published / "history").glob("*.duckdb"))]
    assert len(found) >= 3
    return found


def test_a_published_file_has_no_index_and_every_key_once(lived: Lived, figure: Record) -> None:
    catalog = load_catalog()
    wrong, n = [], 0
    for path in states(lived):
        con = duckdb.connect(str(path), read_only=True)
        kinds = ("duckdb_indexes()", "duckdb_constraints() WHERE constraint_type != 'NOT NULL'")
        for kind in kinds:
            n += 1
            wrong += con.execute(f"SELECT table_name FROM {kind}").fetchall()
        keys = {f"core.{name}": ["row_id"] for name in catalog.tables}
        keys |= {"core.subject": ["usubjid"], "analysis.adsl": ["USUBJID"]}
        keys |= {"analysis.adtte": ["USUBJID", "PARAMCD"], "meta.source": ["source_id"]}
        for table, key in keys.items():
            n += 1
            columns = ", ".join(key)
            wrong += con.execute(
                f"SELECT {columns} FROM {table} GROUP BY {columns} HAVING count(*) > 1"
            ).fetchall()
        con.close()
    figure("14", "indexes, constraints by index, and keys that stand twice", len(wrong), n)


def test_a_published_file_holds_what_is_declared_and_no_id_of_a_center(
    lived: Lived, figure: Record
) -> None:
    wrong, n = [], 0
    for path in states(lived):
        con = duckdb.connect(str(path), read_only=True)
        objects = con.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() UNION ALL "
            "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal UNION ALL "
            "SELECT schema_name, function_name FROM duckdb_functions() WHERE NOT internal"
        ).fetchall()
        known = con.execute('SELECT DISTINCT schema, "table" FROM meta.dictionary').fetchall()
        schemas = {"core", "analysis", "quality", "meta"}
        wrong += [one for one in objects if one[0] not in schemas]
        wrong += [one for one in objects if one not in known and one != ("meta", "lineage")]
        secrets = con.execute(
            "SELECT table_name, column_name FROM duckdb_columns() "
            "WHERE NOT internal AND (column_name ILIKE 'patient_id' OR column_name ILIKE '%local%id%' "
            "OR table_name ILIKE '%id_map%' OR table_name ILIKE '%key%')"
        ).fetchall()
        wrong += secrets
        con.close()
        n += len(objects)
        ids = [
            f"{letter * 2}01-{number:03d}".encode() for letter in LETTERS for number in range(1, 7)
        ]
        wrong += [patient for patient in ids if patient in path.read_bytes()]
    print(*wrong, sep="\n")
    figure("37", "objects of a published file beyond the declared ones, local ids", len(wrong), n)


def test_every_kept_state_can_leave_as_parquet(
    lived: Lived, tmp_path: Path, figure: Record
) -> None:
    """Read by Polars, which shares no code with DuckDB."""
    wrong, n = [], 0
    for path in states(lived):
        con = duckdb.connect(str(path), read_only=True)
        for schema, table in con.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() ORDER BY ALL"
        ).fetchall():
            n += 1
            file = tmp_path / f"{schema}.{table}.parquet"
            con.execute(f"COPY {schema}.\"{table}\" TO '{file}' (FORMAT parquet)").fetchall()
            rows = con.execute(f'SELECT * FROM {schema}."{table}"').fetchall()
            if sorted(map(repr, pl.read_parquet(file).rows())) != sorted(map(repr, rows)):
                wrong.append(f"{path.name} {schema}.{table}")
        con.close()
    print(*wrong, sep="\n")
    figure("22", "tables of kept states that another reader reads otherwise", len(wrong), n)
