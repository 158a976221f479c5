"""Read + map + check + load of assessments against DuckDB's raw load of the same files.

    python benchmarks/ingest.py [--rows 10000 1000000 10000000] [--repeats 3] [--folder DIR] [--doc FILE]

Writes exports of that many rows in twelve files with planted faults (make_assessments.py), then runs
both contenders by turns, each in a process of its own. CPU seconds are user + system of the process
and its children; memory is its peak resident size; the medians are printed. After every run of
Carmony each planted fault must have been found at its exact row, and nothing else.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MB = 1024


@dataclass(frozen=True)
class Cost:
    """CPU seconds, wall seconds and peak memory in MB of one process."""

    cpu: float
    wall: float
    peak: float


def measure(script: str, folder: Path) -> Cost:
    """Runs a script on a folder and waits for it; raises if it fails."""
    import time

    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, str(HERE / script), str(folder)],
        env=environment,
        stdout=subprocess.DEVNULL,
        cwd=ROOT,
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{script} ended with code {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / MB)


def verify(folder: Path) -> int:
    """Number of planted faults, if the findings are exactly these; stops the benchmark if not."""
    import polars as pl

    truth = pl.read_parquet(folder / "truth.parquet").select("center_id", "row", "rule_id")
    found = []
    for staged in sorted((folder / "vault/staged").glob("*/*")):
        finding = pl.read_parquet(staged / "finding.parquet").select("finding_id", "rule_id")
        field = pl.read_parquet(staged / "finding_field.parquet").filter(pl.col("position") == 1)
        found.append(
            finding.join(field, on="finding_id").select(
                pl.lit(staged.parent.name).alias("center_id"),
                pl.col("row").cast(pl.Int64),
                "rule_id",
            )
        )
    have = pl.concat(found)
    missed = truth.join(have, on=truth.columns, how="anti").height
    invented = have.join(truth, on=truth.columns, how="anti").height
    if missed or invented or have.height != truth.height:
        raise SystemExit(f"{missed} planted faults missed, {invented} findings elsewhere")
    return truth.height


def study(folder: Path) -> None:
    """A study file for the benchmark's folder."""
    (folder / "study.yaml").write_text(
        "id: BENCH\ntitle: Ingest benchmark\ndata_cut: 2025-10-31\n", encoding="utf-8"
    )


def run(rows: int, repeats: int, folder: Path) -> dict[str, float]:
    """Medians of both contenders at one size."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run(
        [sys.executable, str(HERE / "make_assessments.py"), str(rows), str(folder)], check=True
    )
    study(folder)
    subprocess.run([sys.executable, "-c", "from schemas.catalog import load_catalog as l; l()"],
                   check=True, cwd=ROOT)  # fmt: skip
    ours: list[Cost] = []
    raw: list[Cost] = []
    faults = 0
    for _ in range(repeats):
        raw.append(measure("ingest_duckdb.py", folder))
        ours.append(measure("ingest_carmony.py", folder))
        faults = verify(folder)
    median = statistics.median
    result = {
        "rows": rows,
        "faults": faults,
        "cpu": median(c.cpu for c in ours),
        "raw_cpu": median(c.cpu for c in raw),
        "ratio": median(a.cpu / b.cpu for a, b in zip(ours, raw, strict=True)),
        "wall": median(c.wall for c in ours),
        "raw_wall": median(c.wall for c in raw),
        "peak": median(c.peak for c in ours),
        "raw_peak": median(c.peak for c in raw),
    }
    print(json.dumps({k: round(v, 3) for k, v in result.items()}), flush=True)
    return result


def table(results: list[dict[str, float]]) -> str:
    """The results as a Markdown table, with the growth exponent of the two largest sizes."""
    lines = [
        "| rows | planted faults, all found | CPU s | DuckDB raw, CPU s | ratio | wall s | raw wall s "
        "| peak MB | raw peak MB |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {r['rows']:,.0f} | {r['faults']:,.0f} | {r['cpu']:.2f} | {r['raw_cpu']:.2f} "
        f"| {r['ratio']:.2f} | {r['wall']:.2f} | {r['raw_wall']:.2f} | {r['peak']:,.0f} "
        f"| {r['raw_peak']:,.0f} |"
        for r in results
    ]
    if len(results) > 2:
        start, a, b = results[0]["cpu"], results[-2], results[-1]
        growth = math.log((b["cpu"] - start) / (a["cpu"] - start)) / math.log(b["rows"] / a["rows"])
        lines += ["", f"Growth exponent of CPU net of the smallest run: {growth:.2f}."]
    return "\n".join(lines)


def main() -> None:
    """Command line of the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 1_000_000, 10_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the exports go; default a temporary one")
    parser.add_argument("--doc", type=Path, help="file that gets the table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carmony-bench-", dir=options.folder) as temporary:
        results = [run(n, options.repeats, Path(temporary) / str(n)) for n in options.rows]
    text = f"{table(results)}\n\n{platform.python_implementation()} {platform.python_version()}, "
    text += f"{os.cpu_count()} cores, medians of {options.repeats}.\n"
    print(text)
    if options.doc:
        options.doc.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
