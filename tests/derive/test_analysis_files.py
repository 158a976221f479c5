"""The SQL files of the analysis tables, and what deriving them imports."""

import subprocess
import sys
from pathlib import Path

import pytest

import warehouse.analysis as analysis

ROOT = Path(__file__).parents[2]
FILES = sorted(analysis.SQL.glob("*.sql"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_has_a_header_and_one_statement(path):
    text = path.read_text(encoding="utf-8")
    header = [line for line in text.splitlines() if line.startswith("--")]
    for word in ("Grain:", "Reads:", "Feeds:"):
        assert any(line.startswith(f"-- {word}") for line in header)
    code = "\n".join(line for line in text.splitlines() if not line.strip().startswith("--"))
    assert ";" not in code.strip().rstrip(";")


def test_every_file_is_run():
    declared = (*analysis.MACROS, *analysis.BEFORE_LINES, *analysis.AFTER_LINES)
    chosen = ("reported", "derived")  # settings of response_analysed
    run = {name.format(response_analysed=each) for name in declared for each in chosen}
    assert run == {path.stem for path in FILES}


def test_deriving_imports_neither_pandas_nor_pyarrow():
    script = """
import sys
import duckdb
sys.modules["pytest"] = type(sys)("pytest")
from tests.derive import by_hand
con = duckdb.connect()
by_hand.create_core(con, **by_hand.PLAIN)
from warehouse.analysis import derive
derive(con, by_hand.make_study())
heavy = {"pandas", "pyarrow", "scipy", "lifelines", "pandera", "prefect", "great_expectations"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
