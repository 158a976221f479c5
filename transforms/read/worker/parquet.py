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

from transforms.read.worker.problems import Send

_WATCH = 0.02  # seconds


def read(path: str, sheet: str | None, limits: dict[str, int], send: Send) -> None:
    """Decodes all columns. Ends the process if it holds more memory than a file may use."""
    threading.Thread(target=_watch, args=(limits["child_memory"], send), daemon=True).start()
    import polars as pl

    rows = 0
    with Path(path).open("rb") as file:
        scan: Any = pl.scan_parquet(file)
        for batch in scan.collect_batches(chunk_size=250_000, maintain_order=True):
            rows += batch.height
    send({"rows": rows})


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
