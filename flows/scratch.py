"""Where a command puts temporary files: in a folder that the next one clears if this one is killed.

What a run lays aside may hold ids of patients, so it stands in the study's vault, for the processes
that it starts too (TMPDIR). DuckDB reads some characters of a path as a pattern: a study whose path holds such
has its folder among the system's temporary ones, under a name made from the path.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.folder import make_private

_PLAIN = re.compile(r"[\w ./+@,=~-]+")


@contextmanager
def study_scratch(root: Path) -> Iterator[Path]:
    """The folder of temporary files for as long as the block runs; for the holder of the study's lock.

    Args:
        root: the study folder.
    """
    own = root / "vault" / ".scratch"
    mark = f"carmony-{hashlib.sha256(os.fsencode(root)).hexdigest()[:12]}-"
    for left in (own, *_left_behind(mark)):
        shutil.rmtree(left, ignore_errors=True)  # of a run that was killed
    plain = _PLAIN.fullmatch(str(root)) is not None
    folder = make_private(own) if plain else Path(tempfile.mkdtemp(prefix=mark))
    with _removed(folder), _temporary_files_in(folder):
        yield folder


@contextmanager
def own_scratch(what: str) -> Iterator[Path]:
    """A folder for a command without a study; what killed commands of that kind left is removed.

    Args:
        what: the kind, a part of the folder's name.
    """
    start = f"carmony-{what}-"
    for left in _left_behind(start):
        number = left.name.removeprefix(start).partition("-")[0]
        if number.isdigit() and not runs(int(number)):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{start}{os.getpid()}-"))
    with _removed(folder), _temporary_files_in(folder):
        yield folder


def _left_behind(start: str) -> list[Path]:
    """Folders of ours among the temporary ones whose name begins so; links are nobody's."""
    with os.scandir(tempfile.gettempdir()) as entries:
        return [
            Path(entry.path)
            for entry in entries
            if entry.name.startswith(start)
            and entry.is_dir(follow_symlinks=False)
            and entry.stat(follow_symlinks=False).st_uid == os.geteuid()
        ]


def runs(pid: int) -> bool:
    """Whether a process of that id runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


@contextmanager
def _removed(folder: Path) -> Iterator[None]:
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    before, said = tempfile.tempdir, os.environ.get("TMPDIR")
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
        if said is None:
            os.environ.pop("TMPDIR", None)
        else:
            os.environ["TMPDIR"] = said
