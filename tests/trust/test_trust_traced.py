"""From a value of the warehouse back to the cell that a center sent, and from each cell to its value.

The demo's second round is in force. Every value of core is led back by `meta.lineage` alone; the cell is
read from the delivered file by other readers and understood by the demo's own words (traced_cells.py).
Then dates, groups and times of adsl and adtte are derived again from such cells in plain Python.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from demo import write_demo_study
from demo.regimens import REGIMENS
from flows import cli, run, stages
from tests.flows import lenient_runs
from tests.trust.conftest import FULL, size
from tests.trust.traced_cells import (
    QUANTITIES,
    Address,
    agrees,
    cells_of,
    columns_of,
    facts_of,
    is_no_value,
    meaning,
)
from warehouse import alternatives

Record = Callable[..., None]
GROUPS = {"|".join(one.drugs): one.group for one in REGIMENS.values()}
DAY = "2024-08-30"


@dataclass
class Loaded:
    """The demo after a run, with what its centers sent."""

    study: Path
    con: duckdb.DuckDBPyConnection
    cells: dict[str, dict[Address, Any]] = field(default_factory=dict)  # by center
    found: list[Traced] = field(default_factory=list)  # asked once

    def rows(self, statement: str) -> list[dict[str, Any]]:
        """The answer to a statement, as dictionaries."""
        done = self.con.execute(statement)
        names = [column[0] for column in done.description]
        return [dict(zip(names, row, strict=True)) for row in done.fetchall()]


def large(study: Path) -> Path:
    """The second round of 600 patients, loaded without estimates and audit."""
    write_demo_study(study, patients=600, seed=2024)
    for first in study.glob("inbox/*/2024-06-14"):
        shutil.rmtree(first)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stages, "judge", lenient_runs.in_this_process(False))
        patched.setattr(run, "anything_to_read", lambda pulled: nullcontext())
        patched.setattr(alternatives, "add_alternatives", lambda con, study: None)
        assert cli.main(["run", str(study), "--no-report"]) == 0
    return study


@pytest.fixture(scope="module")
def loaded(
    tmp_path_factory: pytest.TempPathFactory, demo_after_round: Callable[[int], Path]
) -> Iterator[Loaded]:
    """The second round of the demo: in CI as both rounds left it, else of many patients and alone."""
    study = large(tmp_path_factory.mktemp("traced") / "study") if FULL else demo_after_round(2)
    con = duckdb.connect(str(study / "published" / "warehouse.duckdb"), read_only=True)
    made = Loaded(study, con)
    for folder in study.glob(f"inbox/*/{DAY}"):
        made.cells[folder.parent.name] = cells_of(folder)
    yield made
    con.close()


@dataclass(frozen=True)
class Traced:
    """A value of core and the cell that lineage gives for it."""

    table: str
    column: str
    usubjid: str
    row_id: int
    value: Any
    center: str
    address: Address
    quantity: str

    def faults(self, cells: dict[Address, Any]) -> list[str]:
        """What is wrong between the cell and the value."""
        file, sheet, _, header = self.address
        declared = columns_of(self.center).get((file, sheet, header))
        here = f"{self.table}.{self.column} {self.center} {self.address}"
        if declared is None:
            return [f"{here}: no such column was delivered"]
        if f"{self.table}.{self.column}" not in facts_of(declared):
            return [f"{here}: holds {declared.fact}"]
        if self.address not in cells:
            return [] if self.value is None else [f"{here}: a value from an empty cell"]
        try:
            said = meaning(self.address, cells, declared, self.column, self.quantity)
        except (ValueError, KeyError):
            return [] if self.value is None else [f"{here}: {self.value!r} from what says nothing"]
        same = agrees(said, self.value)
        return [] if same or self.value is None else [f"{here}: {said!r} became {self.value!r}"]


def traced(loaded: Loaded) -> list[Traced]:
    """Every value of core that comes from a cell."""
    loaded.found = loaded.found or lineage_of(loaded)
    return loaded.found


def lineage_of(loaded: Loaded) -> list[Traced]:
    """The same, asked of the warehouse."""
    found = []
    tables = loaded.con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'core' ORDER BY ALL"
    ).fetchall()
    for (table,) in tables:
        rows = loaded.rows(
            'SELECT r.*, l."column" AS of_, l.file AS file_, l.sheet AS sheet_, l."row" AS line_, '
            f"l.source_column AS header_ FROM core.{table} r, meta.lineage(r.row_id) l "
            "WHERE l.rule != 'constant' AND l.\"column\" != 'patient_id'"
        )
        for row in rows:
            column = row["of_"]
            assert column in row, f"{table} has no column {column}"
            value = row[column]
            measured = column == "value" or column in QUANTITIES
            quantity = QUANTITIES.get(column, row.get("test") or "") if measured else ""
            found.append(
                Traced(
                    table,
                    column,
                    row["usubjid"],
                    row["row_id"],
                    value,
                    row["center_id"],
                    (row["file_"], row["sheet_"] or "", row["line_"], row["header_"]),
                    quantity,
                )
            )
    return found


def test_every_value_of_core_is_what_its_cell_says(loaded: Loaded, figure: Record) -> None:
    found = traced(loaded)
    wrong = [fault for one in found for fault in one.faults(loaded.cells[one.center])]
    print(*wrong[:40], sep="\n")
    figure("10, 11", "values of core that are not what their cell says", len(wrong), len(found))


def test_every_filled_cell_is_a_value_or_is_asked_about(loaded: Loaded, figure: Record) -> None:
    """Nothing that was delivered becomes empty in silence."""
    arrived = {(one.center, *one.address) for one in traced(loaded) if one.value is not None}
    asked = {
        tuple(row.values())
        for row in loaded.rows(
            "SELECT d.center_id, f.file, coalesce(f.sheet, '') AS sheet, f.row "
            "FROM quality.finding_field f JOIN quality.delivery d USING (delivery_key) "
            "WHERE d.is_current"
        )
    }
    lesions = {
        (row["center_id"], row["file"], row["row"], row["site"])
        for row in loaded.rows(
            'SELECT DISTINCT r.center_id, l.file, l."row", r.site '
            "FROM core.lesion r, meta.lineage(r.row_id) l"
        )
    }
    lost, n = [], 0
    for center, cells in loaded.cells.items():
        for address, cell in cells.items():
            if is_no_value(center, address, cells):
                continue
            n += 1
            file, sheet, line, header = address
            fact = columns_of(center)[file, sheet, header].fact
            here = (center, file, line, fact.rpartition("#")[2])
            is_there = (center, *address) in arrived or here in lesions
            if not is_there and (center, file, sheet, line) not in asked:
                lost.append((center, address, cell))
    print(*lost[:40], sep="\n")
    figure("10", "filled cells that became neither a value nor a finding", len(lost), n)


def derived(found: list[Traced], said: Callable[[Traced], Any]) -> dict[str, dict[str, Any]]:
    """Dates, groups and times of each patient, from what the cells say, in plain Python.

    The demo dates every infusion, relapse and line to the day.
    """
    told: dict[str, dict[str, dict[int, dict[str, Any]]]] = {}
    for one in found:
        rows = told.setdefault(one.usubjid, {}).setdefault(one.table, {})
        rows.setdefault(one.row_id, {})[one.column] = said(one)
    out = {}
    for patient, tables in told.items():
        (infusion,), (relapse,) = tables["infusion"].values(), tables["relapse"].values()
        (contact,), (subject,) = tables["follow_up"].values(), tables["subject"].values()
        first = min(tables["treatment_line"].values(), key=lambda line: line["start_date"])
        progressed = [
            row["response_date"]
            for row in tables.get("response", {}).values()
            if row.get("response_date")
            and "PD" in (row.get("category", "PD"), row.get("kind"))
            and row["response_date"] >= first["start_date"]
        ]
        end = contact.get("death_date") or contact["last_contact_date"]
        out[patient] = {
            "SEX": subject["sex"],
            "CARTPROD": infusion["product"],
            "CARTDT": infusion["infusion_date"],
            "RELDT": relapse["relapse_date"],
            "TRTSDT": first["start_date"],
            "GRP4": GROUPS[first["drugs"]],
            "DTHFL": "Y" if contact.get("death_date") else "N",
            "DTHDT": contact.get("death_date"),
            "OS": (end - first["start_date"]).days + 1,
            "OS event": bool(contact.get("death_date")),
            "PFS": (min([*progressed, end]) - first["start_date"]).days + 1,
            "PFS event": bool(progressed or contact.get("death_date")),
            "TTRLP": (relapse["relapse_date"] - infusion["infusion_date"]).days + 1,
        }
    return out


def published(loaded: Loaded) -> dict[str, dict[str, Any]]:
    """The same as the warehouse has it."""
    out = {
        row["USUBJID"]: {name: value for name, value in row.items() if name != "USUBJID"}
        for row in loaded.rows(
            "SELECT USUBJID, SEX::varchar AS SEX, CARTPROD::varchar AS CARTPROD, CARTDT, RELDT, TRTSDT, "
            "GRP4::varchar AS GRP4, DTHFL::varchar AS DTHFL, DTHDT FROM analysis.adsl"
        )
    }
    for row in loaded.rows(
        "SELECT * FROM analysis.adtte WHERE PARAMCD IN ('OS', 'PFS', 'TTRLP') AND ANALYSIS = 'PRIMARY'"
    ):
        out[row["USUBJID"]][row["PARAMCD"]] = row["AVAL"]
        if row["PARAMCD"] != "TTRLP":
            out[row["USUBJID"]][f"{row['PARAMCD']} event"] = row["CNSR"] == 0
    return out


def said_by(loaded: Loaded) -> Callable[[Traced], Any]:
    """What the cell of a value says; None if nothing."""

    def said(one: Traced) -> Any:
        cells = loaded.cells[one.center]
        file, sheet, _, header = one.address
        if one.address not in cells:
            return None
        column = columns_of(one.center)[file, sheet, header]
        try:
            return meaning(one.address, cells, column, one.column, one.quantity)
        except (ValueError, KeyError):
            return None

    return said


def test_dates_groups_and_times_are_those_of_the_delivered_cells(
    loaded: Loaded, figure: Record
) -> None:
    mine, theirs = derived(traced(loaded), said_by(loaded)), published(loaded)
    assert len(theirs) > size(138, 590)
    wrong = [
        f"{patient} {name}: {mine[patient][name]!r} is published as {value!r}"
        for patient, row in theirs.items()
        for name, value in row.items()
        if mine[patient][name] != value
    ]
    print(*wrong[:40], sep="\n")
    n = sum(map(len, theirs.values()))
    figure("11", "values of adsl and adtte derived again from delivered cells", len(wrong), n)


def test_every_date_of_a_time_names_where_it_comes_from(loaded: Loaded, figure: Record) -> None:
    """By SRCDOM, SRCVAR, SRCSEQ and `meta.dictionary.source` alone."""
    by_row = {(one.row_id, one.column): one.value for one in traced(loaded)}
    of_patient: dict[tuple[str, str, str], set[Any]] = {}
    for one in traced(loaded):
        of_patient.setdefault((one.usubjid, one.table, one.column), set()).add(one.value)
    sources = {
        row["column"]: row["source"]
        for row in loaded.rows(
            "SELECT \"column\", source FROM meta.dictionary WHERE schema = 'analysis' AND \"table\" = 'adsl'"
        )
    }
    adsl = {row["USUBJID"]: row for row in loaded.rows("SELECT * FROM analysis.adsl")}
    lost, n = [], 0
    for row in loaded.rows("SELECT * FROM analysis.adtte WHERE ANALYSIS = 'PRIMARY'"):
        n += 1
        domain, variable, day = row["SRCDOM"], row["SRCVAR"], row["ADT"]
        if domain == "ADSL" and variable == "LSTALVDT":
            table = adsl[row["USUBJID"]]["LSTALSRC"].lower()
            days = {d for (p, t, _), found in of_patient.items() if (p, t) == (row["USUBJID"], table)
                    for d in found if isinstance(d, dt.date)}  # fmt: skip
        elif domain == "ADSL":
            _, table, column = sources[variable].split(".")
            days = of_patient[row["USUBJID"], table, column]
        else:
            days = {by_row[row["SRCSEQ"], variable]}
        if day not in days or (domain == "ADSL" and adsl[row["USUBJID"]].get(variable) != day):
            lost.append((row["USUBJID"], row["PARAMCD"], domain, variable, day))
    print(*lost[:20], sep="\n")
    figure("11", "dates of adtte whose named source does not hold them", len(lost), n)


def test_values_of_adsl_stand_in_the_column_of_core_that_the_dictionary_names(
    loaded: Loaded, figure: Record
) -> None:
    """Those with one column as source; every date and group of adsl has a source at all."""
    told = {
        row["column"]: row["source"] or ""
        for row in loaded.rows(
            "SELECT \"column\", source FROM meta.dictionary WHERE schema = 'analysis' AND \"table\" = 'adsl'"
        )
    }
    lost, n = [], 0
    for column, source in told.items():
        found = re.fullmatch(r"core\.(\w+)\.(\w+)", source)
        if found is None or column == "DTHFL":  # Y where the status is DEAD
            continue
        table, name = found.groups()
        (row,) = loaded.rows(
            f"SELECT count(*) AS n, count(*) FILTER (NOT EXISTS (SELECT 1 FROM core.{table} r WHERE "
            f"r.usubjid = a.USUBJID AND r.{name}::varchar = a.{column}::varchar)) AS lost "
            f"FROM analysis.adsl a WHERE a.{column} IS NOT NULL"
        )
        n += row["n"]
        lost += [(column, source)] * row["lost"]
    print(*set(lost), sep="\n")
    dates = {"CARTDT", "RELDT", "TRTSDT", "NACTDT", "DTHDT", "LSTALVDT", "GRP4", "BESTRESP"}
    assert all(told[column] for column in dates)
    figure("11", "values of adsl that the named column of core does not hold", len(lost), n)


def test_files_of_the_sources_have_the_hash_that_the_warehouse_tells(
    loaded: Loaded, figure: Record
) -> None:
    wrong, sources = (
        [],
        loaded.rows(
            "SELECT s.* FROM meta.source s JOIN quality.delivery d USING (delivery_key) WHERE d.is_current"
        ),
    )
    for row in sources:
        outer, _, member = row["file"].partition(".zip/")
        path = loaded.study / "inbox" / row["center_id"] / DAY / (outer + ".zip" * bool(member))
        content = path.read_bytes()
        if member:
            with zipfile.ZipFile(path) as archive:
                content = archive.read(member)
        if hashlib.sha256(content).hexdigest() != row["sha256"]:
            wrong.append(row["file"])
    figure("11", "delivered files of another hash than the source tells", len(wrong), len(sources))


def test_another_cell_or_value_is_seen(loaded: Loaded) -> None:
    """The control: cells changed after the delivery, one in ten."""
    found = [one for one in traced(loaded) if one.value is not None][::10]
    for one in found:
        cells = loaded.cells[one.center]
        assert one.faults(cells) == []
        delivered, cells[one.address] = cells[one.address], "9999"
        if one.column not in ("value_unit", "upper_limit_unit"):
            assert one.faults(cells), one
        cells[one.address] = delivered
    moved = loaded.cells["DE01"].copy()
    starts = [address for address in moved if address[3] == "Beginn"]
    for address in starts:
        loaded.cells["DE01"][address] = "01.02.2020"
    mine, theirs = derived(traced(loaded), said_by(loaded)), published(loaded)
    loaded.cells["DE01"] = moved
    wrong = {p for p, row in theirs.items() if mine[p]["OS"] != row["OS"]}
    assert starts
    assert wrong == {patient for patient in theirs if "-DE01-" in patient}
