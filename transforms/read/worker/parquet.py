"""A Parquet file decoded once and thrown away, so that what it does to a process it does not do to the run.

The run decodes it again itself: frames are too large to send. A damaged file makes the parser print its
own stack, or ask for memory without end; both are seen here.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

from transforms.read.worker.problems import RefusedError, Send

_WATCH = 0.02  # seconds


def read(path: str, sheet: str | None, limits: dict[str, int], send: Send) -> None:
    """Decodes all columns. Ends the process if it holds more memory than a file may use."""
    threading.Thread(target=_watch, args=(limits["child_memory"], send), daemon=True).start()
    import polars as pl

    rows = 0
    heard, told = os.pipe()
    os.set_blocking(heard, False)
    os.set_blocking(told, False)
    os.dup2(told, 2)  # a thread of the parser that breaks down prints so, and may do nothing else
    with Path(path).open("rb") as file:
        scan: Any = pl.scan_parquet(file)
        promised = scan.select(pl.len()).collect().item()
        _refuse_repeated(promised, os.fstat(file.fileno()).st_size, limits)
        for batch in scan.collect_batches(chunk_size=250_000, maintain_order=True):
            rows += batch.height
    if rows != promised or _printed(heard):
        raise RefusedError("CORRUPT", "is damaged", "ask the center to export it again")
    send({"rows": rows})


def _refuse_repeated(rows: int, size: int, limits: dict[str, int]) -> None:
    """RefusedError for what the directory of the file tells: a row that is repeated takes no bytes.

    No export of patients has more rows than bytes; 100 kB would become 30 million rows here.
    """
    if rows > max(limits["packed_rows"], size):
        raise RefusedError(
            "TOO_LARGE",
            f"holds {rows:,} rows in {size:,} bytes: nearly all of them are repeated",
            "send only the rows of the study, each once, or send them as CSV",
        )


def _printed(handle: int) -> bool:
    try:
        return bool(os.read(handle, 1))
    except BlockingIOError:
        return False


def _watch(most: int, send: Send) -> None:
    # A limit of the system on address space would count what the allocator and threads only reserve.
    page = os.sysconf("SC_PAGE_SIZE")
    while True:
        held = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * page
        if held > most:
            send(
                {"error": {"code": "TOO_LARGE", "problem": "needs more memory than a file may use"}}
            )
            os._exit(0)
        time.sleep(_WATCH)
