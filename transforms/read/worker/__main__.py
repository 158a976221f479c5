"""The loop of the child: one request a line, answers as JSON lines, `done` or `error` last."""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import zipfile
import zlib
from typing import Any

from transforms.read.worker.problems import RefusedError

_MODULES = {"xlsx": "xlsx", "ods": "ods", "xls": "xls", "parquet": "parquet"}


def main() -> None:
    """Serve requests until the parent closes the pipe."""
    out = sys.stdout.buffer

    def send(message: dict[str, Any]) -> None:
        out.write(json.dumps(message, separators=(",", ":")).encode())
        out.write(b"\n")
        out.flush()

    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            _limit(request["limits"], space=request["kind"] != "parquet")
            name = _MODULES.get(request["kind"], "statistical")
            module = importlib.import_module(f"transforms.read.worker.{name}")
            path = os.fsdecode(bytes.fromhex(request["path"]))
            if name == "statistical":
                module.read(path, request["kind"], request["limits"], send, request["encoding"])
            else:
                module.read(path, request["sheet"], request["limits"], send)
            send({"done": True})
        except RefusedError as error:
            send({"error": error.answer})
        except MemoryError:
            send(
                {"error": {"code": "TOO_LARGE", "problem": "needs more memory than a file may use"}}
            )
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
            send({"error": {"code": "CORRUPT", "problem": "its zip container is damaged"}})
        except Exception as error:
            kind = type(error).__name__
            send({"error": {"code": "CORRUPT", "problem": f"cannot be parsed ({kind})"}})


def _limit(limits: dict[str, int], *, space: bool) -> None:
    """Memory and processor time of this request; no file may be written at all."""
    if space:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (limits["child_memory"], hard))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (used + limits["child_seconds"] + 1, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


if __name__ == "__main__":
    main()
