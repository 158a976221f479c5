"""The run without Prefect: all stages in this process, the judge beside it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from flows import center, parts, stages
from flows.outcome import (
    AUDIT_STOPPED,
    LOADED,
    NOT_PUBLISHED,
    NOTHING_NEW,
    PUBLISHED,
    DeliveryOutcome,
    RunOutcome,
)
from flows.show import Progress


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What the user asked for."""

    study: str
    centers: tuple[str, ...] = ()
    until: str | None = None  # ISO date
    report: bool = True
    accept_fewer: tuple[str, ...] = ()


def run_study(request: RunRequest, progress: Progress) -> RunOutcome:
    """Takes in what is new, and publishes it.

    Args:
        request: the study and what of it.
        progress: told of every stage and delivery.

    Returns:
        What became of each delivery, and where the results are.

    Raises:
        CarmonyError: the study cannot be run at all. Faults of single centers are in the outcome.
    """
    outcome = RunOutcome()
    with _timed(outcome, "pull"):
        plan = stages.prepare(request.study, request.centers)
        root = plan["root"]
    with parts.run_lock(root):
        with _timed(outcome, "pull"):
            progress.stage("pull", len(plan["centers"]))
            pulled = [center.pull_center(root, c, request.until) for c in plan["centers"]]
        anything = any(entry["todo"] for entry in pulled)
        # The judge's imports run beside the reading, on the second core.
        with _start_judge() if anything else nullcontext() as judge:
            with _timed(outcome, "read"):
                progress.stage("read", len(pulled))
                for entry in pulled:
                    accepted = entry["center_id"] in request.accept_fewer
                    found = center.process_center(root, entry, accepted, progress.delivery)
                    outcome.deliveries += [DeliveryOutcome(**item) for item in found]
            finish(outcome, root, request.report, progress, judge)
    progress.close()
    return outcome


def finish(
    outcome: RunOutcome, root: str, report: bool, progress: Progress, judge: Any = None
) -> None:
    """From staged deliveries to the published warehouse and report; fills `outcome`."""
    key = stages.state_key(root, outcome.deliveries)
    if stages.is_published(root, key):
        outcome.state = NOTHING_NEW
        parts.fill_places(outcome, root)
        return
    with _timed(outcome, "build"):
        progress.stage("build")
        built = stages.assemble(root, outcome.deliveries)
    outcome.load_id = built["load_id"]
    if not built["staged_file"]:
        outcome.state = NOT_PUBLISHED
        outcome.messages.append(_nothing_to_publish(outcome.deliveries))
        return
    with _timed(outcome, "judge"):
        progress.stage("judge")
        verdict = stages.judge(root, built["load_id"], built["staged_file"], judge)
    outcome.warnings += verdict["warnings"]
    with _timed(outcome, "publish"):
        progress.stage("publish")
        outcome.content_hash = stages.publish(
            root, built["load_id"], built["staged_file"], key, verdict
        )
    if not verdict["passed"]:
        outcome.state = AUDIT_STOPPED
        outcome.messages += verdict["critical_failures"]
        outcome.quality = verdict["results"]
        return
    outcome.state = PUBLISHED
    if report:
        with _timed(outcome, "report"):
            progress.stage("report")
            stages.report(root)
    parts.fill_places(outcome, root)


def _nothing_to_publish(deliveries: Sequence[DeliveryOutcome]) -> str:
    if any(delivery.trouble for delivery in deliveries):
        return "no center could be read, and nothing was published before: nothing is published"
    return "no delivery has come yet: put the first one into inbox/<center>/<YYYY-MM-DD>/"


def _start_judge() -> Any:
    from flows.judge import Judge

    return Judge()


@contextmanager
def _timed(outcome: RunOutcome, stage: str) -> Iterator[None]:
    start = time.monotonic()
    try:
        yield
    finally:
        taken = time.monotonic() - start
        outcome.seconds[stage] = round(outcome.seconds.get(stage, 0.0) + taken, 3)
