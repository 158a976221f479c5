"""What the standard report costs on many patients: CPU and wall seconds and memory of each part.

    python benchmarks/report.py [--patients 100000] [--folder FOLDER]

Each in a process of its own, imports included: synthetic patients in twelve centers go through the
derivations into a warehouse; the estimates of all displays of the shipped plan, sensitivities too; the page with
its tables and drawings; and the exports (PDF, PNG, XLSX, DOCX).
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

# One row a patient: groups of the published sizes, dates in order, deaths by group and response.
PATIENT = """
create temp table patient as
with drawn as (
    select
        i,
        'MYE-C' || lpad((i % 12 + 1)::varchar, 2, '0') || '-' || lpad(i::varchar, 7, '0') as usubjid,
        hash(i, 1) % 1000 / 1000.0 as a,
        hash(i, 2) % 1000 / 1000.0 as b,
        hash(i, 3) % 1000 / 1000.0 as c,
        (1 + hash(i, 4) % 99999) / 100000.0 as d,
        case when i % 139 < 28 then 1 when i % 139 < 65 then 2 when i % 139 < 108 then 3 else 4 end as g
    from range({patients}) as drawn(i)
),
dated as (
    select
        *,
        date '2022-01-01' + (hash(i, 5) % 500)::integer as infused,
        infused + (14 + hash(i, 6) % 700)::integer as relapsed,
        relapsed + (3 + hash(i, 7) % 40)::integer as started,
        case when a < 0.17 then 'CR' when a < 0.28 then 'VGPR' when a < 0.48 then 'PR' else 'SD' end as response,
        started + (1 - ln(d) * case when a < 0.28 then 1500 else [600, 500, 230, 190][g] end)::integer as dies,
        started + (60 + hash(i, 8) % 700)::integer as until
    from drawn
)
select *, least(dies, until) as seen, dies <= until as is_dead from dated
"""
TABLES = {
    "subject": "usubjid, 'DE' as country, case when b < 0.42 then 'F' else 'M' end as sex, 1955 + i % 25 as birth_year",
    "infusion": "usubjid, 1 as infusion_number, case when i % 15 = 0 then 'CILTA' else 'IDE' end as product, "
    "infused as infusion_date, 'day' as infusion_date_precision, 40 + i % 39 as age_at_infusion, 3 + i % 12 as prior_lines, "
    "case when c < 0.19 then 'Y' else 'N' end as prior_bcma, case when b < 0.16 then '0' when b < 0.87 then '1' else '2' end as ecog",
    "relapse": "usubjid, 1 as relapse_number, relapsed as relapse_date, 'day' as relapse_date_precision, "
    "case when c < 0.53 then 'Y' else 'N' end as emd",
    "risk": "usubjid, 'BEFORE_CART' as timepoint, case when d < 0.2 then 'I' when d < 0.7 then 'II' else 'III' end as r_iss, "
    "case when b < 0.16 then 'LOW' when b < 0.84 then 'INTERMEDIATE' else 'HIGH' end as mycare",
    "exposure": "usubjid, 'TRIPLE' as drug, 'Y' as exposed, case when d < 0.83 then 'Y' else 'N' end as refractory",
    "treatment_line": "usubjid, 1 as line_number, started as start_date, 'day' as start_date_precision, "
    "['talquetamab', 'teclistamab', 'daratumumab|pomalidomide', 'cyclophosphamide|etoposide'][g] as drugs",
    "response": "usubjid, 1 as line_number, 'BEST' as kind, started + 1 as response_date, "
    "'day' as response_date_precision, response as category",
    "follow_up": "usubjid, seen as last_contact_date, 'day' as last_contact_date_precision, "
    "case when is_dead then 'DEAD' else 'ALIVE' end as vital_status, "
    "case when is_dead then seen end as death_date, case when is_dead then 'day' end as death_date_precision",
}
# A second row of the same patients: penta-refractory, and a progression before the end of every other patient.
MORE = {
    "exposure": "usubjid, 'PENTA' as drug, 'Y' as exposed, case when d < 0.46 then 'Y' else 'N' end as refractory",
    "response": "usubjid, 1 as line_number, 'PROGRESSION' as kind, started + ((seen - started) * 2 // 3)::integer as response_date, "
    "'day' as response_date_precision, 'PD' as category",
}
SQL_TYPES = {
    "String": "varchar",
    "Int32": "integer",
    "Int64": "bigint",
    "Float64": "double",
    "Date": "date",
}


def study() -> object:
    """The study of the synthetic patients, with the shipped plan."""
    from schemas.spec.study import Study

    return Study(id="MYE", title="Benchmark", data_cut=dt.date(2026, 12, 31))


def make_warehouse(path: Path, patients: int) -> None:
    """Core tables and what is derived from them; prints seconds of the derivations."""
    import duckdb

    from schemas.catalog import load_catalog
    from warehouse.alternatives import add_alternatives
    from warehouse.analysis import derive

    con = duckdb.connect(str(path))
    con.execute("create schema core").fetchall()
    con.execute(PATIENT.format(patients=patients)).fetchall()
    for table in load_catalog().tables.values():
        columns = {
            ("usubjid" if name == "patient_id" else name): SQL_TYPES.get(str(dtype), "varchar")
            for name, dtype in table.frame_schema.items()
        }
        listed = ", ".join(f'"{name}" {sql_type}' for name, sql_type in columns.items())
        con.execute(f"create table core.{table.name} ({listed})").fetchall()
        for rows, where in ((TABLES, "true"), (MORE, "i % 2 = 0 and seen > started + 3")):
            if table.name in rows:
                con.execute(
                    f"insert into core.{table.name} by name select {rows[table.name]}, "
                    f"split_part(usubjid, '-', 2) as center_id, 2 * i as row_id from patient where {where}"
                ).fetchall()
    for name, step in (("derivations", derive), ("alternative settings", add_alternatives)):
        start, cpu = time.perf_counter(), time.process_time()
        step(con, study())  # type: ignore[arg-type]
        told(name, time.process_time() - cpu, time.perf_counter() - start, None)
    con.close()


def told(name: str, cpu: float, wall: float, memory: float | None) -> None:
    """A line of the table; memory in GB."""
    shown = f"{memory:.1f}" if memory is not None else ""
    print(f"| {name} | {cpu:.0f} | {wall:.0f} | {shown} |", flush=True)


def run_part(part: str, path: Path, folder: Path, patients: int) -> None:
    """One part, in this process."""
    if part == "warehouse":
        make_warehouse(path, patients)
    elif part == "estimates":
        from reports.estimates import write_estimates

        write_estimates(path, study())  # type: ignore[arg-type]
    elif part == "page":
        from reports.render import render

        render(path, folder, study())  # type: ignore[arg-type]
    else:
        from reports.exports import write_exports

        write_exports(path, folder, study())  # type: ignore[arg-type]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        run_part(options.part[0], Path(options.part[1]), options.folder, options.patients)
        return 0
    print("| | CPU, s | wall, s | memory, GB |")
    print("| --- | ---: | ---: | ---: |", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(exist_ok=True)
        path = folder / "warehouse.duckdb"
        # This process stays small: what a child's memory is said to be is at least that of its parent.
        for part in ("warehouse", "estimates", "page", "exports"):
            command = [
                sys.executable, __file__, "--patients", str(options.patients),
                "--folder", str(folder / "report"), "--part", part, str(path),
            ]  # fmt: skip
            start = time.perf_counter()
            process = subprocess.Popen(command)
            _, status, used = os.wait4(process.pid, 0)
            if status:
                return 1
            told(
                part,
                used.ru_utime + used.ru_stime,
                time.perf_counter() - start,
                used.ru_maxrss / 1e6,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
