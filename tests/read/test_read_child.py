"""The child process: it may crash, hang or want too much; the run does not notice."""

import os
import random
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from schemas.errors import FileError
from transforms.read import Limits, ReadOptions, open_tables
from transforms.read.child import CHILD, Child
from transforms.read.source import source_of

HOSTILE = Path(__file__).parent / "hostile"
GOOD = HOSTILE / "089_numbers_as_text.xlsx"


def big_workbook(path, rows):
    sheet = "".join(f"<row r='{r}'><c r='A{r}'><v>{r}</v></c></row>" for r in range(1, rows))
    with (
        zipfile.ZipFile(HOSTILE / "080_lying_dimension.xlsx") as model,
        zipfile.ZipFile(path, "w") as made,
    ):
        for name in model.namelist():
            text = f"<worksheet xmlns='x'><sheetData>{sheet}</sheetData></worksheet>"
            made.writestr(name, text if "sheet1" in name else model.read(name))
    return path


def test_one_child_serves_all_files_and_a_crash_costs_one_file(monkeypatch):
    open_tables(GOOD)
    first = CHILD._process.pid
    open_tables(GOOD)
    assert CHILD._process.pid == first

    answer = CHILD._answer

    def crash(process, deadline):
        os.kill(process.pid, signal.SIGSEGV)
        os.kill(process.pid, signal.SIGCONT)
        process.wait()
        return answer(process, deadline)

    os.kill(first, signal.SIGSTOP)  # it has answered nothing when it crashes, however fast it is
    monkeypatch.setattr(CHILD, "_answer", crash)
    with pytest.raises(FileError) as error:
        open_tables(GOOD)
    assert error.value.code == "CORRUPT"
    assert "crashed the parser" in str(error.value)
    monkeypatch.undo()
    [table] = open_tables(GOOD)
    assert sum(batch.height for batch in table.batches()) == 2
    assert CHILD._process.pid != first


def test_a_child_that_takes_too_long_is_ended(tmp_path):
    path = big_workbook(tmp_path / "slow.xlsx", 200_000)
    with pytest.raises(FileError) as error:
        open_tables(path, ReadOptions(limits=Limits(child_seconds=0)))
    assert error.value.code == "TOO_LARGE"
    [table] = open_tables(GOOD)
    assert table.info.kind == "xlsx"


def test_a_child_that_wants_too_much_memory_is_refused(tmp_path):
    with zipfile.ZipFile(HOSTILE / "080_lying_dimension.xlsx") as model:
        parts = {name: model.read(name) for name in model.namelist()}
    path = tmp_path / "fat.xlsx"
    cell = (
        b"<c r='A1' t='inlineStr'><is><t>" + random.Random(1).randbytes(40_000_000).hex().encode()
    )
    parts["xl/worksheets/sheet1.xml"] = (
        b"<worksheet xmlns='x'><sheetData><row r='1'>"
        + cell
        + b"</t></is></c></row></sheetData></worksheet>"
    )
    with zipfile.ZipFile(path, "w") as made:
        for name, data in parts.items():
            made.writestr(name, data)
    with pytest.raises(FileError) as error:
        open_tables(path, ReadOptions(limits=Limits(child_memory=120_000_000)))
    assert error.value.code == "TOO_LARGE"
    CHILD.stop()
    assert open_tables(GOOD)


def test_the_child_ends_with_its_parent():
    code = (
        "from pathlib import Path; from transforms.read import open_tables; "
        "from transforms.read.child import CHILD; import os\n"
        f"open_tables(Path({str(GOOD)!r})); print(CHILD._process.pid, flush=True); os._exit(1)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    pid = int(done.stdout)
    for _ in range(100):
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            return
        signal.sigtimedwait([], 0.05)
    raise AssertionError("the child outlived its parent")


def test_an_abandoned_request_does_not_mix_with_the_next(tmp_path):
    child = Child()
    path = big_workbook(tmp_path / "big.xlsx", 50_000)
    answers = child.ask(source_of(path), path, "xlsx", Limits())
    next(answers)
    answers.close()
    good = list(child.ask(source_of(GOOD), GOOD, "xlsx", Limits()))
    child.stop()
    assert [answer["sheet"] for answer in good if "sheet" in answer] == ["patients"]


def test_mutated_workbooks_never_hurt_the_run(tmp_path):
    whole = GOOD.read_bytes()
    chance = random.Random(3)
    codes = set()
    path = tmp_path / "export.xlsx"
    for _ in range(80):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        codes.add(answer(path))
    assert "no advice" not in codes
    assert "CORRUPT" in codes


def answer(path):
    """What a user gets: tables, or the reason of a refusal."""
    try:
        open_tables(path)
    except FileError as error:
        return error.code if error.fix else "no advice"
    return "tables"


IMPORTS = """
import sys
from pathlib import Path
from transforms.read import open_tables
for path in map(Path, sys.argv[1:]):
    for table in open_tables(path):
        list(table.batches())
print([name for name in ("pandas", "numpy", "pyarrow", "scipy", "pandera", "pyreadstat", "xlrd") if name in sys.modules])
"""


def test_reading_imports_nothing_heavy_into_the_run():
    files = [
        HOSTILE / "001_control_good.csv",
        GOOD,
        Path(__file__).parent / "files" / "excel97.xls",
    ]
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, str(files[0]), str(files[1])],
        capture_output=True, text=True, cwd=Path(__file__).parents[2], check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
