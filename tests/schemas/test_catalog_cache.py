"""The compiled declarations: cached where that is possible, right in any case."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.catalog import HERE, load_catalog

PROGRAM = "from schemas.catalog import load_catalog; c = load_catalog(); print(len(c.tables), len(c.compiled['checks']))"


def run(cache: str, program: str = PROGRAM) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "CARMONY_CACHE": cache},
        capture_output=True,
        text=True,
        check=True,
        cwd=HERE.parent,
    )
    return done.stdout.strip()


def counted() -> str:
    catalog = load_catalog()
    return f"{len(catalog.tables)} {len(catalog.compiled['checks'])}"


def test_a_cache_folder_that_cannot_be_made_still_gives_the_catalog(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert run(str(blocked)) == counted()
    assert blocked.read_text() == "not a folder"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What a process tells that finds no cache, and the folder in which it has made one."""
    folder = tmp_path_factory.mktemp("cache")
    return run(str(folder)), folder


def test_the_cache_is_written_once_and_read_again(first: tuple[str, Path]) -> None:
    told, folder = first
    assert told == counted()
    (written,) = (folder / "carmony").iterdir()
    assert re.fullmatch(r"catalog-[0-9a-f]{24}\.json", written.name)
    before = written.stat().st_mtime_ns
    assert run(str(folder)) == counted()
    assert written.stat().st_mtime_ns == before


def test_a_cache_file_that_was_cut_off_is_made_again(
    first: tuple[str, Path], tmp_path: Path
) -> None:
    shutil.copytree(first[1], tmp_path, dirs_exist_ok=True)
    (written,) = (tmp_path / "carmony").iterdir()
    whole = written.read_text()
    written.write_text(whole[:1000])
    assert run(str(tmp_path)) == counted()
    assert json.loads(written.read_text())["tables"]


def test_checking_imports_nothing_heavy(first: tuple[str, Path]) -> None:
    told = run(
        str(first[1]),
        "import sys; from schemas.catalog import load_catalog; load_catalog(); import schemas.check; "
        "bad = {'pandas', 'pyarrow', 'pandera', 'yaml', 'pydantic', 'scipy', 'prefect'}; "
        "load_catalog(); print(sorted(bad & set(sys.modules)))",
    )
    assert told == "[]"
