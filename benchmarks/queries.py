"""What the query loop costs at 100,000 findings: facts, difference, reconciliation, twelve workbooks.

    python benchmarks/queries.py [--findings 100000] [--folder DIR] [--doc FILE]

Writes two deliveries of twelve centers (make_queries.py), loads the first, then measures the second:
the parts of the query loop inside the build of the warehouse, and one workbook with its CSV per center,
one after the other. Wall and CPU seconds of this process. What became of each query must be what was
written, by center and rule, else the benchmark stops.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
LIMIT = 60  # seconds in all, on 2 cores
STUDY = "id: BENCH\ntitle: Query benchmark\ndata_cut: 2025-11-30\nqueries: {release: at_once}\n"
# Step → module and function that does it in the build; what a step calls is counted there alone.
STEPS = {
    "facts": ("warehouse.queries.of_load", "facts_of"),
    "difference": ("warehouse.build", "compare_deliveries"),
    "reconciliation": ("warehouse.build", "fill_queries"),
}
BOOKS = "twelve workbooks and CSV files"


class Clock:
    """Wall and CPU seconds by step."""

    def __init__(self) -> None:
        self.cost: dict[str, list[float]] = {}
        self.inner = [0.0, 0.0]

    def timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose time counts for the step; time of steps inside it does not."""

        @wraps(function)
        def measured(*args: Any, **kwargs: Any) -> Any:
            outside, self.inner = self.inner, [0.0, 0.0]
            start = (time.perf_counter(), time.process_time())
            try:
                return function(*args, **kwargs)
            finally:
                spent = [time.perf_counter() - start[0], time.process_time() - start[1]]
                own = self.cost.setdefault(step, [0.0, 0.0])
                for i in (0, 1):
                    own[i] += spent[i] - self.inner[i]
                    outside[i] += spent[i]
                self.inner = outside

        return measured

    def watch(self) -> None:
        """Every step from now on."""
        from importlib import import_module

        for step, (module, name) in STEPS.items():
            place = import_module(module)
            setattr(place, name, self.timed(step, getattr(place, name)))


def load(folder: Path, day: str, clock: Clock | None) -> None:
    """Stages the deliveries of a day and builds the warehouse with them; they count as published."""
    from schemas.delivery import read_delivery
    from schemas.spec import load_spec, load_study
    from transforms.stage import process_center
    from warehouse.build import build_study
    from warehouse.loads import PUBLISHED, DeliveryOutcome, LoadLog

    study, log = load_study(folder), LoadLog.read(folder)
    load_id = log.start("benchmark", {})
    outcomes = []
    for inbox in sorted((folder / "inbox").iterdir()):
        received = dt.date.fromisoformat(day)
        spec = load_spec(folder / "centers" / f"{inbox.name}.yaml")
        delivery = read_delivery(inbox.name, inbox / day, received)
        staged = folder / "vault/staged" / inbox.name / delivery.delivery_id
        process_center(spec, delivery, staged, study)
        place = str(staged.relative_to(folder))
        outcomes.append(
            DeliveryOutcome(
                inbox.name, delivery.delivery_id, received, 1, spec.spec_hash, "benchmark", "loaded",
                spec.mode, place, "",
            )
        )  # fmt: skip
    log.record(load_id, outcomes)
    if clock:
        clock.watch()
    build_study(folder, study, load_id, derive=lambda con, study: None)
    log.finish(load_id, PUBLISHED)


def write_books(folder: Path) -> int:
    """Sends what is open and writes the packet of every center; gives the number of queries in them."""
    from warehouse.queries import QueryLog
    from warehouse.queries.transitions import send
    from warehouse.query_book import write_query_packet

    log, now = QueryLog.read(folder), dt.datetime.now(dt.UTC)
    asked = log.queries.filter(state="open")
    events, _ = send(log.queries, asked["query_id"].to_list(), now)
    part = log.append("send", events)
    for center_id in asked["center_id"].unique().sort():
        write_query_packet(folder, center_id, part, now.date())
    return asked.height


def verify(folder: Path) -> tuple[int, Counter[str]]:
    """Facts after the first load, and outcomes of the second; stops unless they are the planted ones."""
    import polars as pl

    truth = pl.read_parquet(folder / "truth.parquet")
    told = Counter({(c, r, o): n for r, o, n, c in truth.iter_rows()})
    counts = [pl.read_parquet(path) for path in sorted(folder.glob("vault/queries/counts/*"))]
    found = Counter(
        {(c, r, o): n for c, r, o, n in counts[1].select("center_id", "rule_id", "outcome", "n").iter_rows()}
    )  # fmt: skip
    if told != found:
        raise SystemExit(f"outcomes differ: {told - found} missed, {found - told} invented")
    outcomes: Counter[str] = Counter()
    for (_, _, outcome), n in found.items():
        outcomes[outcome] += n
    return int(counts[0]["n"].sum()), outcomes


def run(findings: int, folder: Path) -> str:
    """The costs as a Markdown table."""
    subprocess.run(
        [sys.executable, str(HERE / "make_queries.py"), str(findings), str(folder)], check=True
    )
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    days = sorted(path.name for path in next((folder / "inbox").iterdir()).iterdir())
    clock = Clock()
    load(folder, days[0], None)
    load(folder, days[1], clock)
    n_open = clock.timed(BOOKS, write_books)(folder)
    n_first, outcomes = verify(folder)
    lines = ["| step | wall s | CPU s |", "|---|---:|---:|"]
    lines += [f"| {step} | {wall:.1f} | {cpu:.1f} |" for step, (wall, cpu) in clock.cost.items()]
    wall, cpu = (sum(column) for column in zip(*clock.cost.values(), strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = ", ".join(f"{n:,} {name}" for name, n in sorted(outcomes.items()))
    lines += [
        f"| in all | {wall:.1f} | {cpu:.1f} |",
        "",
        f"{n_first:,} facts in the first delivery, {n_open:,} in the second: {told}. Peak {peak:,.0f} MB. "
        f"The limit is {LIMIT} s: {'held' if wall <= LIMIT else 'NOT held'}.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Command line of the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--findings", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the study goes; default a temporary one")
    parser.add_argument("--doc", type=Path, help="file that gets the table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carmony-bench-", dir=options.folder) as temporary:
        text = run(options.findings, Path(temporary) / "study")
    text += f"\n\n{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores.\n"
    print(text)
    if options.doc:
        options.doc.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
