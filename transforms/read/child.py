"""The parent's side of the child process: one per run, started when first needed, restarted after a crash."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from transforms.read.source import Source
from transforms.read.tables import Limits

_ROOT = Path(__file__).resolve().parents[2]
_PIECE = 1 << 20


class _DiedError(Exception):
    """The child ended without an answer."""


class Child:
    """A process that parses files for us; one request at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._lock = threading.Lock()
        self._buffer = bytearray()

    def ask(
        self, source: Source, path: Path, kind: str, limits: Limits, **more: Any
    ) -> Iterator[dict[str, Any]]:
        """The child's answers to one request, without the last one.

        Raises:
            FileError: The child refused the file, crashed, or took too long or too much.
        """
        request = {
            "kind": kind,
            "path": os.fsencode(path.resolve()).hex(),
            "limits": asdict(limits),
            "sheet": None,
            "encoding": None,
            **more,
        }
        with self._lock:
            finished = False
            try:
                process = self._start()
                deadline = time.monotonic() + limits.child_seconds
                self._write(process, request)
                while True:
                    answer = self._answer(process, deadline)
                    if "done" in answer or "error" in answer:
                        finished = True
                        break
                    yield answer
            except _DiedError:
                raise self._obituary(source, limits) from None
            except TimeoutError:
                raise source.error(
                    "TOO_LARGE",
                    f"could not be parsed within {limits.child_seconds} s",
                    "send the study's tables only, or send them as CSV",
                ) from None
            finally:
                if not finished:
                    self.stop()
        if "error" in answer:
            raise _refusal(source, answer["error"])

    def stop(self) -> None:
        """Ends the process, if this process started one."""
        process, self._process = self._process, None
        self._buffer.clear()
        if process is None or self._owner != os.getpid():
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        if process.poll() is None:
            process.kill()
        process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        if self._owner != os.getpid():  # after a fork the pipes belong to the parent
            self._process, self._owner = None, os.getpid()
            self._buffer.clear()
        if self._process is None or self._process.poll() is not None:
            self.stop()
            environment = {k: v for k, v in os.environ.items() if not k.startswith("CARMONY_")}
            environment.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", PYTHONUTF8="1")
            self._process = subprocess.Popen(
                [sys.executable, "-m", "transforms.read.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=_ROOT,
                env=environment,
            )
        return self._process

    def _write(self, process: subprocess.Popen[bytes], request: dict[str, Any]) -> None:
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            raise _DiedError from None

    def _answer(self, process: subprocess.Popen[bytes], deadline: float) -> dict[str, Any]:
        assert process.stdout is not None
        handle = process.stdout.fileno()
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([handle], [], [], left)[0]:
                raise TimeoutError
            piece = os.read(handle, _PIECE)
            if not piece:
                raise _DiedError
            self._buffer += piece
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _obituary(self, source: Source, limits: Limits) -> Exception:
        process = self._process
        code = process.wait() if process is not None else 0
        if code in (-signal.SIGXCPU, -signal.SIGKILL):
            return source.error(
                "TOO_LARGE",
                f"could not be parsed within {limits.child_seconds} s of processor time",
                "send the study's tables only, or send them as CSV",
            )
        return source.error(
            "CORRUPT",
            "crashed the parser (which ran apart; nothing else was harmed)",
            "open the file in the program that wrote it, save it again and send that",
        )


def _refusal(source: Source, error: dict[str, Any]) -> Exception:
    place = {key: error[key] for key in ("sheet", "row", "column") if key in error}
    fix = error.get("fix") or "open the file in the program that wrote it, and save it again"
    return source.error(error["code"], error["problem"], fix, **place)


CHILD = Child()
atexit.register(CHILD.stop)
