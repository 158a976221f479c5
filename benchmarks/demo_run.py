"""What a run of the demo study costs: CPU and wall seconds, in all and up to the staged warehouse.

    python benchmarks/demo_run.py [--repeats 3]

Three runs of a fresh demo study, each `carmony run` in a process of its own: the first round (twelve
deliveries), the second round into what the first published, and both rounds at once. "Staged" is the
CPU time of the run's own process from its start, imports included, to the staged warehouse.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
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
    repeats = options.parse_args().repeats
    sys.path.insert(0, str(ROOT))
    found: dict[str, list[tuple[float, float, float]]] = {}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory(prefix="carmony-bench-") as temporary:
            for name, costs in rounds(Path(temporary)).items():
                found.setdefault(name, []).append(costs)
    print("| run | CPU s to the staged warehouse | CPU s in all | wall s |\n|---|---:|---:|---:|")
    for name, runs in found.items():
        staged, cpu, wall = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"| {name} | {staged:.2f} | {cpu:.2f} | {wall:.2f} |")


if __name__ == "__main__":
    main()
