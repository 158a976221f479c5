"""Ends every process that we started, and those that they started.

Prefect's worker starts flow runs in sessions of their own, so ending its process group is not enough.
On Linux this process becomes the reaper of its descendants: one whose parent has ended becomes our
child, stays findable, and is ended with the others.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

_PDEATHSIG, _CHILD_SUBREAPER = 1, 36  # options of prctl(2)
_LINUX = sys.platform.startswith("linux")
_LIBC = ctypes.CDLL(None) if _LINUX else None
PATIENCE = 15.0  # seconds between asking and forcing


def become_reaper() -> None:
    """Makes orphaned descendants our children (Linux)."""
    if _LIBC is not None:
        _LIBC.prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_with_parent(number: int = signal.SIGTERM) -> None:
    """In a new child: ask to be ended when the parent dies, however it dies (Linux)."""
    if _LIBC is not None:
        _LIBC.prctl(_PDEATHSIG, number, 0, 0, 0)


def die_with_parent(parent: int) -> None:
    """In a new child that writes into the study: it does not outlive the run that started it.

    What it goes on writing would meet what the next run writes. `parent` is the process that started
    it: if that has ended already, so does this.
    """
    end_with_parent(signal.SIGKILL)
    if _LIBC is not None and os.getppid() != parent:
        os._exit(1)


def descendants() -> list[int]:
    """Process ids of all descendants, parents first."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                # The name in parentheses may hold blanks; the parent stands two fields after it.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found: list[int] = []
    queue = [os.getpid()]
    while queue:
        for child in children.get(queue.pop(0), []):
            found.append(child)
            queue.append(child)
    return found


def stop_descendants(patience: float = PATIENCE) -> None:
    """Asks all descendants to end, waits, and forces those that do not."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not stop this
    try:
        _signal_all(signal.SIGTERM)
        deadline = time.monotonic() + patience
        while _alive() and time.monotonic() < deadline:
            time.sleep(0.1)
        while _alive():
            _signal_all(signal.SIGKILL)
            time.sleep(0.05)
    finally:
        signal.signal(signal.SIGINT, before)


def _signal_all(number: int) -> None:
    for pid in descendants():
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _alive() -> bool:
    """Reaps what has ended; true while something of ours still runs."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True
