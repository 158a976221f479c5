"""The process that answers one query of the command line: a request on standard input, the answer on standard output."""

from __future__ import annotations

import json
import os
import pickle
import resource
import sys
import threading
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from schemas.errors import CarmonyError, StudyError


def main() -> None:
    """Answers the request, and ends when whoever asked is gone."""
    request = json.loads(sys.stdin.buffer.readline())
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing else may stand in the answer
    threading.Thread(target=_end_with_the_asker, daemon=True).start()
    with out:
        pickle.dump(_answer(request), out, protocol=5)


def _end_with_the_asker() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)


def _limit(most_bytes: int) -> None:
    """Memory of this process; a narrower limit that was set before stays."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = most_bytes if hard == resource.RLIM_INFINITY else min(most_bytes, hard)
    with suppress(ValueError, OSError):  # a system that has no such limit
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    from warehouse.connect import QueryResult, query

    _limit(request["most_bytes"])
    try:
        answer = query(
            Path(os.fsdecode(bytes.fromhex(request["place"]))),
            request["statement"],
            request["as_of"],
            timeout_seconds=request["timeout_seconds"],
        )
        return {field.name: getattr(answer, field.name) for field in fields(QueryResult)}
    except CarmonyError as error:
        kind = StudyError if isinstance(error, StudyError) else CarmonyError
        return {"error": kind.__name__, "message": error.message, "fix": error.fix}
    except MemoryError:
        gigabytes = request["most_bytes"] / 1024**3
        return {
            "error": CarmonyError.__name__,
            "message": f"The query takes more than {gigabytes:.1f} GB of memory.",
            "fix": "ask for less: count, group, or add LIMIT",
        }


if __name__ == "__main__":
    main()
