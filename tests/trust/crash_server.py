"""Forks runs of `carmony` from a process that has imported everything but done no work.

One JSON object a line on standard input, one on standard output. `start` forks a run and gives its
process id, `wait` how it ended, `look` what stands in a study folder. Estimates, audit and report are
made in the process of the run, so that a kill meets them too; with `"judge": false` they are left out, and
in CI the alternative settings with them.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import duckdb
import polars  # noqa: F401

from flows import cli, parts, results, run, run_commands, stages  # noqa: F401
from tests.flows import lenient_runs
from warehouse import alternatives, publish, readback

PROTOCOL = os.dup(1)
FULL = os.environ.get("CARMONY_TRUST") == "full"


def answer(content: dict[str, Any]) -> None:
    os.write(PROTOCOL, (json.dumps(content) + "\n").encode())


def forked(work: Callable[[], int]) -> int:
    """The process id of a child that does the work and ends with its code."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = work()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return pid


def carmony(request: dict[str, Any]) -> int:
    """One command, with its output in a file and the shim armed."""
    out = os.open(request["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.umask(0o022)
    os.environ.update(request.get("environment", {}))
    parts.LOCK_WAIT = float(os.environ.get("CARMONY_LOCK_WAIT", "10"))
    if "judge" in request:
        stages.judge = lenient_runs.in_this_process(request["judge"])
        run.anything_to_read = lambda pulled: nullcontext()
        if not request["judge"] and not FULL:
            alternatives.add_alternatives = lambda con, study: None
    arm(request.get("shim"))
    try:
        code = cli.main(request["argv"])
    except SystemExit as end:
        code = int(end.code or 0)
    if library is not None and "counted" in request:
        Path(request["counted"]).write_text(str(library.carmony_counted()), encoding="utf-8")
    return code


def arm(shim: dict[str, Any] | None) -> None:
    if not shim:
        return
    if library is None:
        in_python(shim)
        return
    trace = -1
    if "trace" in shim:
        trace = os.open(shim["trace"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    library.carmony_clock(ctypes.c_long(shim.get("clock", 0)))
    library.carmony_arm(
        os.fsencode(shim.get("folder", "")),
        shim.get("mode", 0),
        ctypes.c_long(shim.get("at", 0)),
        shim.get("errno", 0),
        shim.get("kinds", 127),
        trace,
    )


def in_python(shim: dict[str, Any]) -> None:
    """Without a C compiler: calls that Python itself makes, seen by an audit hook."""
    counted = 0
    kinds = {
        "open": (0, 1),
        "os.rename": (1, 8),
        "os.mkdir": (0, 32),
        "os.link": (1, 32),
        "os.remove": (0, 16),
        "os.rmdir": (0, 16),
        "os.chmod": (0, 64),
    }
    trace = Path(shim["trace"]).open("w", encoding="utf-8") if "trace" in shim else None  # noqa: SIM115

    def seen(event: str, args: tuple[Any, ...]) -> None:
        nonlocal counted
        if event not in kinds:
            return
        place, kind = kinds[event]
        path = args[place]
        if event == "open" and (not isinstance(args[2], int) or not args[2] & 3):
            return
        if not isinstance(path, (str, Path)) or not str(path).startswith(shim["folder"]):
            return
        if not kind & shim.get("kinds", 127):
            return
        counted += 1
        if trace:
            print(counted, event.removeprefix("os."), path, file=trace, flush=True)
        mode, at = shim.get("mode", 0), shim.get("at", 0)
        if mode in (1, 2) and counted == at:
            os.kill(os.getpid(), 9)
        if (mode == 3 and counted == at) or (mode == 4 and counted >= at):
            raise OSError(shim["errno"], os.strerror(shim["errno"]), str(path))

    sys.addaudithook(seen)


def look(study: Path) -> dict[str, Any]:
    """What stands: load and content of the published warehouse, queries, outcomes of the loads."""
    from warehouse.loads import LoadLog
    from warehouse.queries import QueryLog

    warehouse = study / "published" / "warehouse.duckdb"
    found: dict[str, Any] = {"load": None, "content": None, "whole": None}
    if warehouse.exists():
        read = readback.read(str(warehouse))
        tables = steady(warehouse)
        found |= {"load": read["load_id"], "exact": publish.content_of(read), "tables": tables}
        found["content"] = hashlib.sha256(json.dumps(tables).encode()).hexdigest()
    queries = QueryLog.read(study).queries
    lasting = [c for c in queries.columns if not _varies(c)]
    rows = sorted(map(repr, queries.select(lasting).rows()))
    found["queries"] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    found["n_queries"] = len(rows)
    found["loads"] = [[load.load_id, load.outcome] for load in LoadLog.read(study).loads]
    return found


def steady(warehouse: Path) -> dict[str, str]:
    """A hash per table without times, and without numbers of loads: a killed load takes one."""
    con = duckdb.connect(str(warehouse), read_only=True)
    found = {}
    for schema, table in con.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() ORDER BY ALL"
    ).fetchall():
        rows = con.execute(f'DESCRIBE "{schema}"."{table}"').fetchall()
        columns = ", ".join(f'"{row[0]}"' for row in rows if not _varies(row[0]))
        published = "WHERE outcome = 'published'" if (schema, table) == ("quality", "load") else ""
        (result,) = con.execute(
            f'SELECT count(*) || \' \' || coalesce(sum(hash({columns})), 0) FROM "{schema}"."{table}" '
            + published
        ).fetchall()
        found[f"{schema}.{table}"] = result[0]
    con.close()
    return found


def _varies(column: str) -> bool:
    return column in {"at", "as_of", "versions", "part", "position"} or column.endswith(
        ("_at", "load_id", "_load")
    )


def content(path: str) -> dict[str, Any]:
    """Load and content of one file, or that it cannot be read."""
    try:
        read = readback.read(path)
    except duckdb.Error as error:
        return {"error": type(error).__name__}
    return {"load": read["load_id"], "content": publish.content_of(read)}


def asked(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a child's work gives."""
    reader, writer = os.pipe()

    def child() -> int:
        os.write(writer, json.dumps(work()).encode())
        return 0

    pid = forked(child)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read()
    _, status = os.waitpid(pid, 0)
    return json.loads(text) if text else {"failed": status}


def main() -> None:
    answer({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "start":
            answer({"pid": forked(lambda request=request: carmony(request))})
        elif request["do"] == "wait":
            _, status = os.waitpid(request["pid"], 0)
            answer({"code": os.waitstatus_to_exitcode(status)})
        elif request["do"] == "look":
            answer(asked(lambda request=request: look(Path(request["study"]))))
        elif request["do"] == "content":
            answer(asked(lambda request=request: content(request["path"])))


library = ctypes.CDLL(os.environ["CARMONY_SHIM"]) if "CARMONY_SHIM" in os.environ else None
if __name__ == "__main__":
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing else may speak to who asks
    os.environ.pop("LD_PRELOAD", None)  # programs that a run starts do without
    if "--judge" in sys.argv:
        results.warm_up_judge()
    main()
