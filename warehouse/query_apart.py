"""A query of the command line in a process of its own, which can be ended whatever it does.

DuckDB looks for an interrupt between two pieces of its work only, and some functions make all of their answer in one
piece, beside its limit of memory. The process has a limit of its own, and is killed when its time is over, when a
signal comes, or when whoever asked is gone.
"""

from __future__ import annotations

import json
import os
import pickle
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from schemas.errors import CarmonyError, StudyError
from warehouse.connect import TIMEOUT_SECONDS, QueryResult, too_long

GRACE_SECONDS = 5.0  # after its time is over: a query that can be interrupted says so itself
MOST_BYTES = 5 * 1024**3  # of the process; a million wide rows as Python objects fit
_ROOT = Path(__file__).resolve().parents[1]
_PIECE = 1 << 20
_TOLD = {error.__name__: error for error in (CarmonyError, StudyError)}


def query_apart(
    place: Path,
    statement: str,
    as_of: int | None = None,
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
    most_bytes: int = MOST_BYTES,
) -> QueryResult:
    """As `connect.query`, in a process of its own.

    Raises:
        CarmonyError: As there; or the query took more memory or time than it may.
    """
    request = {
        "place": os.fsencode(Path(place).absolute()).hex(),
        "statement": statement,
        "as_of": as_of,
        "timeout_seconds": timeout_seconds,
        "most_bytes": most_bytes,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "warehouse.query_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_ROOT,
        start_new_session=True,  # a Ctrl-C comes to us, and we end it
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with suppress(BrokenPipeError):  # it has died: there is no answer then
            # Not closed before the end: that it is closed tells the worker that we are gone.
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        data = _received(process.stdout.fileno(), timeout_seconds + GRACE_SECONDS)
        with suppress(subprocess.TimeoutExpired):
            process.wait(1.0)
    except TimeoutError:
        raise too_long(timeout_seconds) from None
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        with suppress(BrokenPipeError):
            process.stdin.close()
    return _answer(data, process.returncode)


def _received(handle: int, seconds: float) -> bytes:
    """All that is written until the other end is closed.

    Raises:
        TimeoutError: It is still open.
    """
    deadline = time.monotonic() + seconds
    pieces: list[bytes] = []
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([handle], [], [], left)[0]:
            raise TimeoutError
        piece = os.read(handle, _PIECE)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)


def _answer(data: bytes, code: int) -> QueryResult:
    try:
        answer: dict[str, Any] = pickle.loads(data)  # of our own program
    except (EOFError, pickle.UnpicklingError):
        how = signal.Signals(-code).name if code < 0 else f"code {code}"
        why = ": it most probably took more memory than there is for it" if code < 0 else ""
        raise CarmonyError(
            f"The query ended its process without an answer ({how}){why}.",
            fix="ask for less; nothing else was harmed",
        ) from None
    if "error" in answer:
        raise _TOLD[answer["error"]](answer["message"], fix=answer["fix"])
    return QueryResult(**answer)
