"""One Parquet file from many batches, written while the next ones are made; memory stays bounded."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl
from polars.io.plugins import register_io_source

# Codes become dictionaries, which are short in the file and cheap to load; statistics only cost time,
# and so does compression of what is left, numbers that a load reads once.
WRITE: dict[str, object] = {"compression": "uncompressed", "statistics": False}
_SMALL = 250_000  # rows that are written at once at the end, without a thread


class RowFile:
    """Writes frames of one schema to `path`. Call `close` to have the file, `abandon` to leave it."""

    def __init__(self, path: Path, schema: pl.Schema) -> None:
        self._path = path
        self._schema = schema
        self._waiting: list[pl.DataFrame] = []
        self._queue: queue.Queue[pl.DataFrame | None] = queue.Queue(maxsize=2)
        self._writer: threading.Thread | None = None
        self._problem: BaseException | None = None

    def add(self, frame: pl.DataFrame) -> None:
        """Takes rows; they may wait until enough have come to start writing."""
        if self._writer is not None:
            self._put(frame)
            return
        self._waiting.append(frame)
        if sum(part.height for part in self._waiting) > _SMALL:
            self._writer = threading.Thread(target=self._write, name="row-file", daemon=True)
            self._writer.start()
            for part in self._waiting:
                self._put(part)
            self._waiting.clear()

    def close(self) -> None:
        """Writes what waits and ends the file. Raises what went wrong in writing."""
        if self._writer is None:
            frame = pl.concat(self._waiting) if self._waiting else self._schema.to_frame()
            frame.write_parquet(self._path, **WRITE)  # type: ignore[arg-type]
            return
        self._put(None)
        self._writer.join()
        if self._problem is not None:
            raise self._problem

    def abandon(self) -> None:
        """Ends the writing without caring for the file."""
        if self._writer is not None and self._writer.is_alive():
            self._put(None)
            self._writer.join()

    def _put(self, frame: pl.DataFrame | None) -> None:
        """Hands a frame to the writer; a writer that failed takes no more, and says so at `close`."""
        while self._problem is None:
            try:
                self._queue.put(frame, timeout=1.0)
                return
            except queue.Full:
                continue

    def _write(self) -> None:
        def frames(
            columns: list[str] | None,
            predicate: pl.Expr | None,
            n_rows: int | None,
            batch_size: int | None,
        ) -> Iterator[pl.DataFrame]:
            while (frame := self._queue.get()) is not None:
                yield frame

        try:
            source = register_io_source(frames, schema=self._schema)
            source.sink_parquet(self._path, **WRITE)  # type: ignore[call-overload]
        except BaseException as problem:
            self._problem = problem
            while not self._queue.empty():
                self._queue.get_nowait()


def write_files(folder: Path, frames: Mapping[str, pl.DataFrame]) -> None:
    """Writes each frame to `<name>.parquet` below the folder, all in one query: a file costs little."""
    sinks = [
        frame.lazy().sink_parquet(folder / f"{name}.parquet", lazy=True, **WRITE)  # type: ignore[call-overload]
        for name, frame in frames.items()
    ]
    pl.collect_all(sinks)


def without_rows(path: Path, row_ids: pl.Series) -> pl.DataFrame:
    """Takes rows out of a written file and returns them; the file is replaced as a whole."""
    table = pl.scan_parquet(path, glob=False)
    failed = pl.col("row_id").is_in(row_ids.implode())
    taken = table.filter(failed).collect()
    if taken.height:
        rest = path.with_name(path.name + ".rest")
        table.filter(~failed).sink_parquet(rest, **WRITE)  # type: ignore[call-overload]
        rest.replace(path)
    return taken
