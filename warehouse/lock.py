"""One load of a study at a time."""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import StudyError
from warehouse.paths import StudyPaths, private_folder

_POLL_SECONDS = 0.05


@contextmanager
def load_lock(
    study_folder: Path,
    *,
    wait_seconds: float = 0.0,
    tell: Callable[[str], None] = lambda text: None,
) -> Iterator[bool]:
    """Hold the study's lock; the system frees it even if this process is killed.

    Gives whether the holder before was killed: then it may have left half-done work.

    Args:
        study_folder: The study.
        wait_seconds: How long a second load waits for the first.
        tell: Called at once if it has to wait, with a sentence on whom it waits for.

    Raises:
        StudyError: Another load still holds the lock; the message names its process and start.
    """
    paths = StudyPaths(study_folder)
    private_folder(paths.vault)
    handle = os.open(paths.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _acquire(handle, wait_seconds, tell)
        killed = os.fstat(handle).st_size > 0
        since = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"pid": os.getpid(), "since": since}).encode(), 0)
        try:
            yield killed
        finally:
            os.ftruncate(handle, 0)  # the next holder is not taken for this one
    finally:
        os.close(handle)


def _acquire(handle: int, wait_seconds: float, tell: Callable[[str], None]) -> None:
    deadline = time.monotonic() + wait_seconds
    told = wait_seconds <= 0
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not told:
                told = True
                tell(
                    f"another load of this study is running: {_holder(handle)}; waiting up to "
                    f"{wait_seconds:.0f} s for its end"
                )
            if time.monotonic() >= deadline:
                raise StudyError(
                    f"Another load of this study is running: {_holder(handle)}.",
                    fix="wait until it has ended, or end that process, then run again",
                ) from None
        time.sleep(_POLL_SECONDS)


def _holder(handle: int) -> str:
    try:
        content = json.loads(os.pread(handle, 1000, 0))
        return f"process {int(content['pid'])}, since {content['since']} (UTC)"
    except (ValueError, KeyError, TypeError):
        return "a process that has just started"
