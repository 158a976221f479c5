"""Our statistics against R's survival and cmprsk, in one interleaved run.

    python benchmarks/stats.py [--rows 1000 10000 100000] [--repeats 3] [--only km cox] [--crr-limit 10000]

One data set per size: days with ties, six in ten with an event, one of five of those a competing one,
four groups, three covariates, twelve centers. R runs as one process; ours and R's computation follow
each other, so that a busy machine slows both. Measured are CPU seconds (user and system) of the
computation in the process, not start-up, reading or waiting; the best of the repeats stands. Both
results are compared to 1e-6. `cmprsk::crr` needs the square of the rows and is left out above
`--crr-limit`. Without Rscript, survival or cmprsk the run ends with a word and code 0.
"""

from __future__ import annotations

import argparse
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from reports.stats import (  # noqa: E402
    cox,
    cox_zph,
    cumulative_incidence,
    fine_gray,
    gray_test,
    kaplan_meier,
    log_rank,
)  # fmt: skip

FORMULA = "g + x1 + x2 + x3"
NAMES = {
    "km": "Kaplan-Meier, `survfit`",
    "log_rank": "log-rank of four groups, `survdiff`",
    "cox": "Cox, six columns, robust by center, `coxph`",
    "zph": "proportional hazards, `cox.zph`",
    "cuminc": "incidence by group with Gray's test, `cuminc`",
    "fine_gray": "Fine-Gray, three columns, `crr`",
}
TOLERANCE = 1e-6
ONCE = 5.0  # seconds: what takes R longer is measured once


def make_data(rows: int) -> pl.DataFrame:
    """The data set of a size; the same every time."""
    draw = np.random.default_rng(rows)
    x1, x2, x3 = draw.normal(size=rows), draw.normal(size=rows), draw.integers(0, 2, rows)
    group = draw.integers(0, 4, rows)
    rate = np.exp(0.3 * x1 - 0.2 * x2 + 0.4 * x3 + 0.15 * group) / 900
    event, other = draw.exponential(1 / rate), draw.exponential(4 / rate)
    until = draw.uniform(30, 1500, rows)
    days = np.ceil(np.minimum(np.minimum(event, other), until))
    status = np.where(until < np.minimum(event, other), 0, np.where(event <= other, 1, 2))
    return pl.DataFrame(
        {
            "t": days, "e": (status == 1).astype(int), "s": status, "g": [f"g{i}" for i in group],
            "x1": x1, "x2": x2, "x3": x3, "center": draw.integers(1, 13, rows),
        }
    )  # fmt: skip


def ours(frame: pl.DataFrame) -> dict[str, Callable[[], float]]:
    """Computations that end in the number that R's end in."""
    days, happened = frame["t"].to_numpy(), frame["e"].to_numpy() == 1
    status, group = frame["s"].to_numpy(), frame["g"].to_numpy().astype(str)
    covariates = frame.select("x1", "x2", "x3").to_numpy()
    plain = cox(frame, FORMULA, time="t", event="e")

    def km() -> float:
        curve = kaplan_meier(days, happened)
        return float(np.sum(curve.survival) + np.nansum(curve.limits[1]))

    def robust() -> float:
        table = cox(frame, FORMULA, time="t", event="e", cluster="center").table()
        return float(table["robust_se"].sum())

    def incidence() -> float:
        cumulative_incidence(days, status, group)
        return float(gray_test(days, status, group, cause=1).statistic)

    return {
        "km": km,
        "log_rank": lambda: log_rank(days, happened, group).chi_squared,
        "cox": robust,
        "zph": lambda: float(cox_zph(plain).tests["chi_squared"][-1]),
        "cuminc": incidence,
        "fine_gray": lambda: float(np.sum(fine_gray(days, status, covariates, cause=1).std_err)),
    }


def cpu(compute: Callable[[], float], times: int) -> tuple[float, float]:
    """CPU seconds of one of so many computations, and the result."""
    start = time.process_time()
    for _ in range(times):
        value = compute()
    return (time.process_time() - start) / times, value


def ask(process: subprocess.Popen[str], name: str, file: Path, times: int) -> tuple[float, float]:
    """CPU seconds and result of R."""
    requests: IO[str] = process.stdin  # type: ignore[assignment]
    answers: IO[str] = process.stdout  # type: ignore[assignment]
    requests.write(f"{name} {file} {times}\n")
    requests.flush()
    seconds, value = answers.readline().split()
    return float(seconds), float(value)


def measure(
    process: subprocess.Popen[str], rows: int, folder: Path, options: argparse.Namespace
) -> bool:
    """Prints a line of the table per statistic; whether all results are equal."""
    frame, file = make_data(rows), folder / f"{rows}.csv"
    frame.write_csv(file)
    equal = True
    for name, compute in ours(frame).items():
        if name not in options.only:
            continue
        mine, theirs = [], []
        times = max(1, 20_000 // rows)  # R's clock has milliseconds
        once = 1 if name == "fine_gray" else times
        with_r = name != "fine_gray" or rows <= options.crr_limit
        for _ in range(options.repeats):
            mine.append(cpu(compute, times))
            if with_r and not (theirs and theirs[-1][0] > ONCE):
                theirs.append(ask(process, name, file, once))
        best = min(seconds for seconds, _ in mine)
        if not with_r:
            print(f"| {NAMES[name]} | {rows:,} | {best:.4f} | not run | | |", flush=True)
            continue
        best_r = min(seconds for seconds, _ in theirs)
        apart = abs(mine[0][1] - theirs[0][1]) / max(abs(theirs[0][1]), 1e-300)
        equal &= apart <= TOLERANCE
        ratio = best_r / best if best else math.inf
        print(
            f"| {NAMES[name]} | {rows:,} | {best:.4f} | {best_r:.4f} | {ratio:.1f} | {apart:.0e} |",
            flush=True,
        )
    return equal


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(NAMES), default=list(NAMES))
    parser.add_argument("--crr-limit", type=int, default=10_000)
    options = parser.parse_args()
    rscript = shutil.which("Rscript")
    probe = [rscript or "", "-e", "library(survival); library(cmprsk)"]
    if rscript is None or subprocess.run(probe, capture_output=True).returncode:
        print("not run: Rscript with survival and cmprsk is not on this machine")
        return 0
    command = [rscript, str(ROOT / "benchmarks" / "stats.R")]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    print("| | rows | here, s | R, s | R / here | relative difference |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        equal = [measure(process, rows, Path(folder), options) for rows in options.rows]
    process.stdin.close()  # type: ignore[union-attr]
    process.wait()
    return 0 if all(equal) else 1


if __name__ == "__main__":
    sys.exit(main())
