"""What a run of the demo study costs: CPU and wall seconds, in all and up to the staged warehouse.

    python benchmarks/demo_run.py [--repeats 3] [--server]

Three runs of a fresh demo study, each `carmony run` in a process of its own: the first round (twelve
deliveries), the second round into what the first published, and both rounds at once. "Staged" is the
CPU time of the run's own process from its start, imports included, to the staged warehouse.
With --server the first round is also run as a flow on a Prefect server that runs already; what the
server itself takes is not counted.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The judge of the staged warehouse is asked when the warehouse is there: the clock is read then.
PROBE = """
import sys, time
import flows.stages as stages
judge = stages.judge
def told(*args, **kwargs):
    print(f"staged {time.process_time()}", file=sys.stderr)
    return judge(*args, **kwargs)
stages.judge = told
from flows.cli import main
sys.argv = ["carmony", "run", sys.argv[1]]
sys.exit(main())
"""


def run(study: Path) -> tuple[float, float, float]:
    """CPU seconds to the staged warehouse, CPU seconds in all (children included), wall seconds."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(
            [sys.executable, "-c", PROBE, str(study)],
            stdout=subprocess.DEVNULL, stderr=told, cwd=ROOT,
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        lines = [line for line in told if line.startswith("staged ")]
    if process.returncode not in (0, 1) or not lines:
        raise SystemExit(f"carmony run ended with code {process.returncode}")
    return float(lines[0].split()[1]), usage.ru_utime + usage.ru_stime, wall


@contextmanager
def prefect_server(home: Path) -> Iterator[str]:
    """A server of Prefect on loopback; yields the address of its API."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    settings = {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", port],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **settings},
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}/api"
    try:
        for _ in range(600):
            with suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=5):
                break
            time.sleep(0.3)
        yield url
    finally:
        process.terminate()
        process.wait()


def run_as_flow(study: Path, url: str) -> tuple[float, float]:
    """CPU seconds (children included, the server's not) and wall seconds of `carmony run` on a server."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "run", str(study)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT,
        env={**os.environ, "PREFECT_API_URL": url},
    )  # fmt: skip
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"carmony run as a flow ended with code {process.returncode}")
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - start


def first_round_as_flow(folder: Path) -> tuple[float, float]:
    """Costs of the first round on a server."""
    from demo import write_demo_study

    study = folder / "served"
    write_demo_study(study)
    for delivery in sorted(study.glob("inbox/*/*")):
        if delivery != min(delivery.parent.iterdir()):
            shutil.rmtree(delivery) if delivery.is_dir() else delivery.unlink()
    with prefect_server(folder / "prefect") as url:
        return run_as_flow(study, url)


def rounds(folder: Path) -> dict[str, tuple[float, float, float]]:
    """Costs of the three runs."""
    from demo import write_demo_study

    whole, parted = folder / "whole", folder / "parted"
    for place in (whole, parted):
        write_demo_study(place)
    later = folder / "later"
    for delivery in sorted(parted.glob("inbox/*/*")):
        if delivery != min(delivery.parent.iterdir()):
            (later / delivery.parent.name).mkdir(parents=True, exist_ok=True)
            shutil.move(delivery, later / delivery.parent.name / delivery.name)
    first = run(parted)
    for delivery in sorted(later.glob("*/*")):
        shutil.move(delivery, parted / "inbox" / delivery.parent.name / delivery.name)
    return {"round 1": first, "round 2": run(parted), "both at once": run(whole)}


def main() -> None:
    """Prints medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--server", action="store_true")
    chosen = options.parse_args()
    sys.path.insert(0, str(ROOT))
    found: dict[str, list[tuple[float, float, float]]] = {}
    served: list[tuple[float, float]] = []
    for _ in range(chosen.repeats):
        with tempfile.TemporaryDirectory(prefix="carmony-bench-") as temporary:
            for name, costs in rounds(Path(temporary)).items():
                found.setdefault(name, []).append(costs)
            if chosen.server:
                served.append(first_round_as_flow(Path(temporary)))
    print("| run | CPU s to the staged warehouse | CPU s in all | wall s |\n|---|---:|---:|---:|")
    for name, runs in found.items():
        staged, cpu, wall = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"| {name} | {staged:.2f} | {cpu:.2f} | {wall:.2f} |")
    if served:
        cpu, wall = (statistics.median(column) for column in zip(*served, strict=True))
        print(f"| round 1 as a flow on a server | - | {cpu:.2f} | {wall:.2f} |")


if __name__ == "__main__":
    main()
