"""The run as a Prefect flow: the same stage functions, with retries, states and a page per run.

Tasks pass ids, counts and paths, never rows, and raise nothing that holds a value: parameters,
results, log lines and exceptions stand unencrypted in Prefect's database. Whether a run published is
told by our own load log, not by Prefect's state.
"""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import replace
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture, wait
from prefect.runtime import task_run
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner

from flows import center, forget_pending, parts, stages
from flows.artifacts import center_artifact, report_artifact, run_artifact
from flows.failures import TransientError, crash_outcome, safe, will_pass
from flows.outcome import (
    AUDIT_STOPPED,
    NOT_PUBLISHED,
    NOT_SENT,
    DeliveryOutcome,
    RunOutcome,
)
from flows.panics import no_core_dumps
from flows.run import anything_to_read, finish, save_outcome, send_news
from flows.show import Silent

DELAYS = [float(text) for text in os.environ.get("CARMONY_RETRY_SECONDS", "10,60").split(",")]
# Results are never kept: they would stand in Prefect's storage.
NOT_KEPT: dict[str, Any] = {"persist_result": False, "cache_policy": NO_CACHE}
TRIED_AGAIN: dict[str, Any] = {
    "retries": len(DELAYS),
    "retry_delay_seconds": DELAYS,
    "retry_condition_fn": will_pass,
    **NOT_KEPT,
}


@task(task_run_name="pull {center_id}", **TRIED_AGAIN)
@safe
def pull(root: str, center_id: str, until: str | None) -> dict[str, Any]:
    """Takes new deliveries of a center into the vault."""
    pulled = center.pull_center(root, center_id, until)
    _try_again(pulled["outcomes"])
    return pulled


@task(task_run_name="center {center_id}", **TRIED_AGAIN)
@safe
def read_center(
    root: str, center_id: str, pulled: dict[str, Any], accept_fewer: bool
) -> list[dict[str, Any]]:
    """Reads and checks the deliveries of one center."""
    outcomes = center.process_center(root, pulled, accept_fewer)
    _try_again([o for o in outcomes if o not in pulled["outcomes"]])
    center_artifact(center_id, outcomes)
    return outcomes


def _try_again(outcomes: list[dict[str, Any]]) -> None:
    """Asks for a retry while there is one left and the cause may pass."""
    if task_run.run_count <= len(DELAYS) and any(o["can_pass"] for o in outcomes):
        raise TransientError


@task(name="publish", task_run_name="build, audit and publish", **NOT_KEPT)
@safe
def publish(root: str, outcomes: list[dict[str, Any]], report: bool, judge: Any) -> dict[str, Any]:
    """From the staged deliveries of all centers to the published warehouse and report."""
    outcome = RunOutcome(deliveries=[DeliveryOutcome(**item) for item in outcomes])
    finish(outcome, root, report, Silent(), judge)
    return outcome.to_dict()


@task(name="interrupted removals", **NOT_KEPT)
@safe
def end_removals(root: str) -> list[str]:
    """Ends removals of patients that were interrupted once their state was published."""
    return forget_pending.end_published(root)


@task(name="read answers", **NOT_KEPT)
@safe
def read_answers(root: str) -> list[dict[str, Any]]:
    """Takes in answered workbooks; counts and what could not be matched."""
    return stages.read_answers(root)


@task(task_run_name="deliver packet of {center_id}", **TRIED_AGAIN)
@safe
def deliver_packet(root: str, center_id: str, packet: str) -> dict[str, Any]:
    """Brings one packet of questions to its center; its failure is told, and fails nothing."""
    brought = stages.deliver_packet(root, center_id, packet)
    _try_again([brought])
    return brought


@task(name="packets", task_run_name="packets of questions", **NOT_KEPT)
@safe
def packets(root: str, outcome: dict[str, Any]) -> list[dict[str, Any]]:
    """Writes packets for centers with something new, and has them delivered."""
    told = RunOutcome.from_dict(outcome)
    send_news(told, root, deliver_packet)
    return told.packets


@flow(
    name="study",
    task_runner=ThreadPoolTaskRunner(max_workers=2),  # type: ignore[arg-type]
    persist_result=False,
    log_prints=False,
)
def study(
    study: str,
    centers: list[str] | None = None,
    until: dt.date | None = None,
    report: bool = True,
    accept_fewer: list[str] | None = None,
) -> State[Any]:
    """Takes in what is new of a study, and publishes it.

    Args:
        study: the study folder, as the worker sees it.
        centers: only these centers; all if empty.
        until: deliveries of a later date are left alone.
        report: whether to render the report.
        accept_fewer: centers whose delivery is taken although many patients are missing in it.
    """
    os.umask(0o077)  # of the process of this run; a context would not reach the tasks' threads
    no_core_dumps()
    plan = stages.prepare(study, centers or [], accept_fewer or [])
    root = plan["root"]
    with parts.run_lock(root):
        notes = [*plan["notes"], *end_removals(root)]
        answers = read_answers(root)
        pulls = {
            c: pull.submit(root, c, until.isoformat() if until else None) for c in plan["centers"]
        }
        wait(list(pulls.values()))
        with anything_to_read([_result(f, {"todo": []}) for f in pulls.values()]) as judge:
            reads = {
                c: _submit_read(root, c, f, c in (accept_fewer or [])) for c, f in pulls.items()
            }
            wait(list(reads.values()))
            outcomes: list[dict[str, Any]] = []
            for center_id, future in reads.items():
                outcomes += _result(future, [crash_outcome(center_id).to_dict()])
            outcome = RunOutcome.from_dict(publish(root, outcomes, report, judge))
        outcome.answers, outcome.packets = answers, packets(root, outcome.to_dict())
        # The notes may name files of the inbox: they go to the vault's log, not to Prefect's pages.
        save_outcome(root, replace(outcome, messages=[*notes, *outcome.messages]))
    run_artifact(outcome)
    if outcome.report:
        report_artifact(outcome.report)
    return _state(outcome)


def _submit_read(
    root: str, center_id: str, pulled: Any, accept_fewer: bool
) -> PrefectFuture[list[dict[str, Any]]]:
    """Prefect puts the result of `pulled` in the place of the future."""
    return read_center.submit(root, center_id, pulled, accept_fewer)


def _result(future: PrefectFuture[Any], otherwise: Any) -> Any:
    """What a task gave; every state that is not Completed counts as failed."""
    return future.result() if future.state.is_completed() else otherwise


def _state(outcome: RunOutcome) -> State[Any]:
    failed = sorted({delivery.center_id for delivery in outcome.failures})
    kept = [p["center_id"] for p in outcome.packets if p.get("delivery") == NOT_SENT]
    if outcome.state == AUDIT_STOPPED:
        return Failed(name="StoppedByAudit", message=f"load {outcome.load_id} is not published")
    if outcome.state == NOT_PUBLISHED:
        return Failed(message="nothing was published: " + "; ".join(outcome.messages))
    if failed:
        message = f"{outcome.state}; failed centers: {', '.join(failed)}"
        return Completed(name="CompletedWithFailures", message=message)
    if kept:
        return Completed(message=f"{outcome.state}; packets not delivered: {', '.join(kept)}")
    return Completed(message=outcome.state)
