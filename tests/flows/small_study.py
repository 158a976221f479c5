"""A small study of three centers that the tests of runs share: every file is visible below."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

STUDY = """\
id: SMALL
title: A small synthetic study
data_cut: 2024-06-30
"""

# One CSV per canonical table, with the canonical names as headers.
FILES = {
    "subject": "id,sex,birth_year,diagnosis_date,consent",
    "infusion": "id,infusion_number,product,setting,infusion_date,prior_lines",
    "risk": "id,timepoint,r_iss,mycare",
    "exposure": "id,drug,exposed,refractory",
    "relapse": "id,relapse_number,relapse_date,emd",
    "treatment_line": "id,line_number,start_date,regimen_text",
    "response": "id,line_number,kind,response_date,category",
    "follow_up": "id,last_contact_date,vital_status,death_date",
}


def spec(center_id: str) -> str:
    """The spec of a center that sends those CSVs."""
    lines = [
        f"center: {{id: {center_id}, name: Center {center_id}, country: DE}}",
        "dates: {order: ymd}",
        "sources:",
    ]
    lines += [f"  {name}: {{file: {name}.csv, patient_id: id}}" for name in FILES]
    lines.append("tables:")
    for name, header in FILES.items():
        columns = [c for c in header.split(",") if c != "id"]
        lines += [f"  - table: {name}", f"    from: {name}", "    columns:"]
        lines += [f"      {column}: {column}" for column in columns]
        if name == "subject":
            lines.append("      country: {constant: DE}")
        if name == "treatment_line":
            lines.append("      drugs: {column: regimen_text, as: regimen}")
    return "\n".join(lines) + "\n"


def rows_of(center_id: str, patients: int) -> dict[str, list[list[str]]]:
    """Rows of every file: clean patients that were infused, relapsed and got a salvage line."""
    rows: dict[str, list[list[str]]] = {name: [] for name in FILES}
    # No two centers send what looks like the same person, and talquetamab comes after its approval.
    first = dt.date(2023, 2, 10) + dt.timedelta(days=5 * (ord(center_id[0]) - ord("A")))
    for n in range(1, patients + 1):
        pid = f"{center_id}-{n:03d}"
        infused = first + dt.timedelta(days=15 * n)
        relapsed = infused + dt.timedelta(days=80 + 20 * n)
        started = relapsed + dt.timedelta(days=14)
        response = started + dt.timedelta(days=40)
        dead = n % 3 == 0
        end = started + dt.timedelta(days=70 + n) if dead else dt.date(2024, 6, 1)
        regimen = ("Talquetamab", "Teclistamab", "IsaPd")[n % 3]
        category = ("CR", "VGPR", "PD", "PR")[n % 4]
        rows["subject"].append([pid, "FM"[n % 2], str(1950 + n), "2017-05-02", "Y"])
        rows["infusion"].append([pid, "1", "IDE", "COMMERCIAL", str(infused), str(3 + n % 3)])
        rows["risk"].append([pid, "BEFORE_CART", ("I", "II", "III")[n % 3], ""])
        rows["exposure"] += [
            [pid, drug, "Y", "Y" if n % 2 else "N"]
            for drug in ("lenalidomide", "pomalidomide", "bortezomib", "carfilzomib", "daratumumab")
        ]
        rows["relapse"].append([pid, "1", str(relapsed), "YN"[n % 2]])
        rows["treatment_line"].append([pid, "1", str(started), regimen])
        rows["response"].append([pid, "1", "BEST", str(response), category])
        if dead:
            progression = started + dt.timedelta(days=50)
            rows["response"].append([pid, "1", "PROGRESSION", str(progression), "PD"])
        status = "DEAD" if dead else "ALIVE"
        rows["follow_up"].append([pid, str(end), status, str(end) if dead else ""])
    return rows


def deliver(
    study: Path, center_id: str, day: str, patients: int = 6, **extra: list[list[str]]
) -> Path:
    """Writes a delivery of a center; `extra` adds rows to files."""
    folder = study / "inbox" / center_id / day
    folder.mkdir(parents=True)
    for name, rows in rows_of(center_id, patients).items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(FILES[name].split(","))
            writer.writerows(rows + extra.get(name, []))
    return folder


def make_study(root: Path, centers: tuple[str, ...] = ("AA01", "BB02", "CC03")) -> Path:
    """A study with a first delivery of each center."""
    (root / "centers").mkdir(parents=True)
    (root / "study.yaml").write_text(STUDY, encoding="utf-8")
    for center_id in centers:
        (root / "centers" / f"{center_id}.yaml").write_text(spec(center_id), encoding="utf-8")
        deliver(root, center_id, "2024-06-14")
    return root
