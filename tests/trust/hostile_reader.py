"""Reads files in a process of its own and tells how each ended: `python -m tests.trust.hostile_reader`.

One path (hex) a line comes in, one JSON object a line goes out. Whatever the files do, the process that
asks stands outside; that this one dies, hangs or grows is what a campaign looks for.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from schemas.errors import FileError
from transforms.read import open_tables
from transforms.read.child import CHILD
from transforms.read.registry import register


def ending(path: Path) -> dict[str, Any]:
    """`code` of a refusal or `table`; `fault` is set if that is no answer to give to a person."""
    fault = ""
    rows = 0
    try:
        for table in open_tables(path):
            try:
                for batch in table.batches():
                    rows += batch.height
                    fault = fault or _wrong(batch, table.info.names)
                rows += table.rejects().height
            except FileError as error:  # one sheet of several, or a large file
                fault = fault or ("" if error.fix else "a refusal without advice")
        code = "table"
    except FileError as error:
        code = error.code
        if not error.fix or "\n" in error.message:
            fault = "a refusal without advice, or in two lines"
    except BaseException as error:
        code, fault = "bug", f"{type(error).__name__}: {str(error)[:200]}"
    return {"code": code, "rows": rows, "fault": fault}


def _wrong(batch: Any, names: list[str]) -> str:
    """What a batch breaks of the reader's contract."""
    if batch.columns != ["_row", *names]:
        return "columns are not those that were told"
    if any(str(kind) != "String" for kind in batch.dtypes[1:]):
        return "a column is no text"
    if not batch["_row"].is_sorted() or batch["_row"].has_nulls():
        return "rows without their numbers"
    return ""


def peak_kilobytes() -> int:
    """The largest memory that this process or its parser ever held."""
    gone = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    alive = CHILD._process is not None and CHILD._process.poll() is None
    parser = [str(CHILD._process.pid)] if alive and CHILD._process else []
    return max(gone, *(_peak(process) for process in ("self", *parser)))


def processor_seconds() -> float:
    """What this process, its parser and those that ended have used."""
    mine = os.times()
    alive = CHILD._process is not None and CHILD._process.poll() is None
    parser = 0.0
    if alive and CHILD._process is not None:
        fields = Path(f"/proc/{CHILD._process.pid}/stat").read_text(encoding="utf-8").split()
        parser = (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    return mine.user + mine.system + mine.children_user + mine.children_system + parser


def _peak(process: str) -> int:
    # Not ru_maxrss of this process: it begins with what the asking process held when it forked.
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0])


def planted(source: Any, options: Any) -> list[Any]:
    """A reader with the faults that a campaign must see; the file says which."""
    match source.read():
        case b"die":
            os._exit(17)
        case b"hang":
            time.sleep(3600)
        case b"grow":
            bytearray(600_000_000).find(b"x")
            raise source.error("CORRUPT", "grew", "nothing")
        case b"print":
            print("a thread panicked", file=sys.stderr, flush=True)
            raise source.error("CORRUPT", "printed", "nothing")
        case b"mute":
            raise source.error("CORRUPT", "says nothing of what to do", "")
    raise RuntimeError("a traceback")


def main() -> None:
    """Serves until the asking process closes the pipe."""
    register("planted", (".planted",), lambda head: True, planted)
    for line in sys.stdin:
        path = Path(os.fsdecode(bytes.fromhex(line)))
        started = processor_seconds()
        told = ending(path)
        told |= {"seconds": processor_seconds() - started, "kilobytes": peak_kilobytes()}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
