"""The run without Prefect: all stages in this process, the judge beside it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows import center, forget_pending, not_read_again, parts, results, stages
from flows.faults import was_interrupted
from flows.folder import StudyFolder, private_files, write_json
from flows.outcome import (
    AUDIT_STOPPED,
    NO_ADDRESS,
    NO_DELIVERY,
    NOT_PUBLISHED,
    NOTHING_NEW,
    PUBLISHED,
    DeliveryOutcome,
    RunOutcome,
)
from flows.show import Progress
from flows.trail_run import note_run
from schemas.errors import AuditStoppedError, CarmonyError

LAST_RUN = "last_run.json"
_NOTHING_READ = "no center could be read, and nothing was published before: nothing is published"
_AGAIN = "note: published/warehouse.duckdb {}; it is written again from the vault"
_NO_DELIVERY = "no delivery has come yet: put the first one into inbox/<center>/<YYYY-MM-DD>/"


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
    with private_files(), _timed(outcome, "pull"):
        plan = stages.prepare(request.study, request.centers, request.accept_fewer)
        root = plan["root"]
    outcome.messages += plan["notes"]
    with private_files(), parts.run_lock(root):
        outcome.messages += forget_pending.end_published(root)
        with _timed(outcome, "answers"):
            outcome.answers = stages.read_answers(root)
        with _timed(outcome, "pull"):
            progress.stage("pull", len(plan["centers"]))
            pulled = [center.pull_center(root, c, request.until) for c in plan["centers"]]
        with anything_to_read(pulled) as judge:
            with _timed(outcome, "read"):
                progress.stage("read", len(pulled))
                outcome.deliveries = read_all(root, pulled, request.accept_fewer, progress)
            finish(outcome, root, request.report, progress, judge)
        with _timed(outcome, "packets"):
            send_news(outcome, root, stages.deliver_packet)
        save_outcome(root, outcome)
    progress.close()
    return outcome


def read_all(
    root: str,
    pulled: Sequence[dict[str, Any]],
    accept_fewer: Sequence[str],
    progress: Progress,
) -> list[DeliveryOutcome]:
    """Reads the deliveries of all centers, those of centers with big ones side by side.

    Small ones are read in this process, one after the other: a process of its own would cost more.
    """

    def read(entry: dict[str, Any]) -> list[dict[str, Any]]:
        accepted = entry["center_id"] in accept_fewer
        return center.process_center(root, entry, accepted, progress.delivery)

    big = [entry for entry in pulled if center.has_big_delivery(entry)]
    found: dict[str, list[dict[str, Any]]] = {}
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        try:
            futures = {entry["center_id"]: pool.submit(read, entry) for entry in big}
            for entry in pulled:
                if entry["center_id"] not in futures:
                    found[entry["center_id"]] = read(entry)
            found |= {center_id: future.result() for center_id, future in futures.items()}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            parts.stop_children()
            raise
    return [DeliveryOutcome(**item) for entry in pulled for item in found[entry["center_id"]]]


def finish(
    outcome: RunOutcome, root: str, report: bool, progress: Progress, judge: Any = None
) -> None:
    """From staged deliveries to the published warehouse and report; fills `outcome`."""
    _bring_up(outcome, root, report, progress, judge)
    centers = {delivery.center_id for delivery in outcome.deliveries}
    outcome.not_read_again = not_read_again.notes(root, centers)


def _bring_up(outcome: RunOutcome, root: str, report: bool, progress: Progress, judge: Any) -> None:
    removals = forget_pending.resume(root)
    if fault := stages.published_fault(root):
        outcome.messages.append(_AGAIN.format(fault))
    if not removals and not fault and stages.is_published(root, outcome.deliveries):
        outcome.state = NOTHING_NEW
        with suppress(CarmonyError):  # a file damaged inside is told by the query that meets it
            stages.count_findings(StudyFolder(Path(root)).warehouse, outcome.deliveries)
    elif stages.nothing_came(root, outcome.deliveries):
        outcome.state = NO_DELIVERY
        outcome.messages.append(_NO_DELIVERY)
    else:
        publish_load(outcome, root, progress, judge)
    if removals and outcome.state in (PUBLISHED, NO_DELIVERY):
        forget_pending.complete(root, removals, outcome)
    if outcome.state not in (PUBLISHED, NOTHING_NEW):
        return
    if report and not stages.report_is_current(root):
        with _timed(outcome, "report"):
            progress.stage("report")
            stages.report(root)
    results.fill_places(outcome, root)


def publish_load(outcome: RunOutcome, root: str, progress: Progress, judge: Any = None) -> None:
    """Opens a load, publishes it and closes it, whatever comes; fills `outcome`."""
    load_id = outcome.load_id = stages.open_load(root, outcome.deliveries)
    try:
        _publish(outcome, root, progress, judge)
    except AuditStoppedError as error:
        outcome.state = AUDIT_STOPPED
        outcome.messages.append(str(error))
        stages.close_load(root, load_id, "stopped")
    except BaseException as error:
        stages.close_load(root, load_id, "interrupted" if was_interrupted(error) else "failed")
        raise


def _publish(outcome: RunOutcome, root: str, progress: Progress, judge: Any) -> None:
    """Builds, judges and publishes the load of `outcome`."""
    load_id = outcome.load_id or 0

    def packets() -> None:
        stages.write_packets(root, load_id, outcome.deliveries)

    try:
        with _timed(outcome, "build"):
            progress.stage("build")
            staged_file = stages.assemble(root, load_id, outcome.messages.append)
    except AuditStoppedError:
        packets()  # centers hear of their findings all the same
        raise
    if not staged_file:
        packets()
        outcome.state = NOT_PUBLISHED
        outcome.messages.append(_NOTHING_READ)
        stages.close_load(root, load_id, "failed")
        return
    stages.count_findings(Path(staged_file), outcome.deliveries)
    with _timed(outcome, "judge"):
        progress.stage("judge")
        verdict = stages.judge(root, load_id, staged_file, judge, packets)
    outcome.warnings += verdict["warnings"]
    if not verdict["passed"]:
        outcome.state = AUDIT_STOPPED
        outcome.messages += verdict["critical_failures"]
        outcome.quality = str(Path(verdict["results"]) / "audit.html")
        stages.close_load(root, load_id, "stopped")
        return
    with _timed(outcome, "publish"):
        progress.stage("publish")
        stages.publish(root, load_id, staged_file, outcome.deliveries, verdict["results"])
    outcome.state = PUBLISHED


def send_news(
    outcome: RunOutcome, root: str, deliver: Callable[[str, str, str], dict[str, Any]]
) -> None:
    """Packets for centers with something new, and their delivery; fills `outcome.packets`.

    What goes wrong here is a warning: the state of the study is published all the same.

    Args:
        outcome: of the run; nothing is sent of a state that was not published.
        root: the study folder.
        deliver: brings one packet (root, center, name of the packet).
    """
    if outcome.state not in (PUBLISHED, NOTHING_NEW):
        return
    told = {packet["center_id"]: packet for packet in stages.query_packets(root)}
    for entry in stages.waiting_packets(root):
        brought = deliver(root, entry["center_id"], entry["packet"])
        if brought["state"] != NO_ADDRESS or entry["center_id"] in told:
            packet = told.setdefault(entry["center_id"], {"center_id": entry["center_id"]})
            packet |= {"delivery": brought["state"], "delivery_message": brought["message"]}
    outcome.packets = [told[center_id] for center_id in sorted(told)]


@contextmanager
def anything_to_read(pulled: Sequence[dict[str, Any]]) -> Iterator[Any]:
    """Starts the judge if there is something to read: its imports run beside the reading."""
    if not any(entry["todo"] for entry in pulled):
        yield None
        return
    from flows.judge import Judge

    with Judge() as judge:
        yield judge


def save_outcome(root: str, outcome: RunOutcome) -> None:
    """Writes what became of the run into the vault's log, for whoever started it, and into the trail."""
    write_json(StudyFolder(Path(root)).logs / LAST_RUN, outcome.to_dict())
    note_run(root, outcome)


def last_outcome(root: str) -> RunOutcome:
    """The outcome of the last run of a study."""
    text = (StudyFolder(Path(root)).logs / LAST_RUN).read_text(encoding="utf-8")
    return RunOutcome.from_dict(json.loads(text))


@contextmanager
def _timed(outcome: RunOutcome, stage: str) -> Iterator[None]:
    start = time.monotonic()
    try:
        yield
    finally:
        taken = time.monotonic() - start
        outcome.seconds[stage] = round(outcome.seconds.get(stage, 0.0) + taken, 3)
