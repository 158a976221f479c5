"""Nothing that identifies is in what analysts get, in messages or in files open to others."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb

from warehouse.packets import write_packet

Study = Any
CAME = dt.date(2024, 6, 14)
CANARIES = ("CANARYPAT", "CANARYVALUE", "CANARYTEXT", "CANARYHELD")


def study_with_canaries(study: Study) -> Any:
    patients = [study.patient(f"CANARYPAT{i:03d}") for i in range(5)]
    findings = [
        {
            "finding_id": i,
            "rule_id": "DAT-13",
            "severity": "error",
            "disposition": "quarantine",
            "scope": "row",
            "table": "relapse",
            "patient_id": f"CANARYPAT{i:03d}",
            "row_id": i,
            "message": "CANARYTEXT",
        }
        for i in range(5)
    ]
    fields = [
        {
            "finding_id": i,
            "position": 1,
            "table": "relapse",
            "column": column,
            "file": "f.csv",
            "row": i,
            "source_column": "Datum",
            "value": "CANARYVALUE",
            "understood": "CANARYVALUE",
        }
        for i, column in enumerate(
            ["relapse_date", "relapse_type", "patient_id", "emd", "relapse_number"]
        )
    ]
    staged = study.stage(
        "DE01",
        "a",
        {"subject": patients},
        findings=findings,
        fields=fields,
        held_back={"relapse": [{"patient_id": "CANARYHELD1"}]},
    )
    return study.outcome("DE01", "a", staged)


def files_holding(folder: Path, canary: bytes) -> list[str]:
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and canary in path.read_bytes()
    ]


def test_no_local_id_no_value_and_no_key_is_in_any_published_file(
    small_study: Study, tmp_path: Path
) -> None:
    s = small_study
    s.load(study_with_canaries(s))
    path = s.load(s.one("DE01", "b", "CANARYPAT001"))
    plain = tmp_path / "plain"
    con = duckdb.connect(str(path), read_only=True)
    con.execute(f"EXPORT DATABASE '{plain}' (FORMAT csv)").fetchall()
    con.close()
    exported = "".join(p.read_text() for p in plain.iterdir())
    assert "MM2024-DE01-" in exported
    key = (s.folder / "vault" / "pseudonym.key").read_bytes()
    for canary in CANARIES:
        assert files_holding(s.folder / "published", canary.encode()) == []
        assert canary not in exported
    for secret in (key, key.hex().encode(), key.hex().upper().encode()):
        assert files_holding(s.folder, secret) == (["vault/pseudonym.key"] if secret == key else [])
    assert str(s.folder) not in exported


def test_the_control_finds_the_canaries_in_the_vault(small_study: Study) -> None:
    s = small_study
    line = study_with_canaries(s)
    s.load(line)
    folder = write_packet(s.folder, "DE01", "a", s.folder / line.staged, received_on=CAME)
    text = (folder / "findings.csv").read_text(encoding="utf-8-sig")
    assert "CANARYPAT003" in text
    assert "CANARYVALUE" in text


def test_no_file_of_the_study_is_open_to_everybody(small_study: Study) -> None:
    s = small_study
    line = study_with_canaries(s)
    s.load(line)
    write_packet(s.folder, "DE01", "a", s.folder / line.staged, received_on=CAME)
    made_here = [
        path
        for path in s.folder.rglob("*")
        if path.is_file() and "staged" not in path.relative_to(s.folder).parts
    ]
    assert len(made_here) > 5
    assert [p for p in made_here if p.stat().st_mode & 0o007] == []
    assert (s.folder / "vault").stat().st_mode & 0o777 == 0o700


def test_the_published_file_is_read_by_a_plain_duckdb(small_study: Study) -> None:
    path = small_study.load(small_study.one("DE01", "a", "001", "002"))
    script = (
        "import duckdb, sys\n"
        "con = duckdb.connect(sys.argv[1], read_only=True)\n"
        "print(con.execute('SELECT count(*) FROM core.subject').fetchall()[0][0])\n"
        "print(con.execute('SELECT count(*) FROM quality.ledger_balance').fetchall()[0][0])\n"
        "print(con.execute(\"SELECT tags['storage_version'] FROM duckdb_databases() \"\n"
        "    'WHERE NOT internal').fetchall()[0][0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[:2] == ["2", "0"]
    assert done.stdout.splitlines()[2].startswith("v1.4")
