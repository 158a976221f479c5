"""The README's way to open the warehouse without Carmony: its statements, run as they stand, leave nothing to reach."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
FILE = "my-study/published/warehouse.duckdb"
ATTACKS = (
    "COPY (SELECT 42 AS a) TO '{folder}/warehouse.duckdb.wal' (FORMAT csv)",
    "COPY (SELECT 42 AS a) TO '{folder}/other.csv'",
    "CALL enable_logging(storage = 'file', storage_config = {{'path': '{folder}/logs'}})",
    "PRAGMA enable_profiling = 'json'",
    "ATTACH '{folder}/other.duckdb'",
    "SELECT * FROM read_csv('{folder}/secret.csv')",
    "SELECT content FROM read_text('{folder}/secret.csv')",
    "SELECT * FROM read_blob('{folder}/warehouse.duckdb')",
    "SELECT * FROM glob('{folder}/*')",
    "EXPORT DATABASE '{folder}/all'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET disabled_filesystems = ''",
    "RESET disabled_filesystems",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "CREATE TABLE t AS SELECT 42",
)


def block(language: str) -> str:
    """The README's code that opens the file without Carmony."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    (found,) = [one for one in blocks if FILE in one]
    return str(found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as con:
        con.execute("CREATE TABLE adsl AS SELECT range AS n FROM range(100000)")
    (tmp_path / "secret.csv").write_text("secret\n1\n", encoding="utf-8")
    return tmp_path


PROGRAM = """
import json, sys
{opened}
answers = []
for statement in json.loads(sys.argv[1]):
    try:
        con.execute(statement).fetchall()
        answers.append(statement)
    except duckdb.Error:
        pass
print(json.dumps([answers, con.execute("SELECT count(*) FROM adsl").fetchone()[0]]))
"""


def answered(folder: Path, opened: str) -> tuple[list[str], int]:
    """Attacks that were answered, and the rows of a table after all of them; a process of its own."""
    statements = json.dumps([attack.format(folder=folder) for attack in ATTACKS])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(opened=opened), statements],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    attacks, rows = json.loads(done.stdout)
    return attacks, rows


def test_no_statement_reads_or_writes_elsewhere(folder: Path) -> None:
    before = sorted(folder.iterdir())
    opened = block("python").replace(FILE, str(folder / "warehouse.duckdb"))

    assert answered(folder, opened) == ([], 100000)
    assert sorted(folder.iterdir()) == before

    # The control: without the setting that comes after opening, a file can be written beside.
    weaker = "".join(line for line in opened.splitlines(True) if "disabled_filesystems" not in line)
    assert "import duckdb" in weaker
    copies = f"con.execute({ATTACKS[0].format(folder=folder)!r})"
    subprocess.run([sys.executable, "-c", f"{weaker}\n{copies}"], check=True, cwd=folder)
    assert (folder / "warehouse.duckdb.wal").exists()


def test_r_is_told_the_same_settings() -> None:
    python, r = block("python"), block("r")
    settings = re.findall(r"SET [^\"]+", python)

    assert len(settings) == 2
    assert re.findall(r"SET [^\"]+", r) == settings
    for setting in ("enable_external_access", "autoload_known_extensions"):
        assert setting in python
        assert f'{setting} = "false"' in r
