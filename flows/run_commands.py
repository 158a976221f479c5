"""The commands `run` and `serve`."""

from __future__ import annotations

import argparse
import json
import os
import sys

from flows.outcome import RunOutcome
from flows.run import RunRequest, run_study
from flows.show import make_progress, messages, results_table, summary


def run(arguments: argparse.Namespace) -> int:
    """Runs the study, on the configured Prefect server or directly."""
    request = RunRequest(
        arguments.study,
        tuple(arguments.center),
        arguments.until,
        not arguments.no_report,
        tuple(arguments.accept_fewer),
    )
    progress = make_progress(quiet=arguments.json)
    try:
        if os.environ.get("PREFECT_API_URL"):
            from flows.remote import run_on_server

            outcome = run_on_server(request, progress)
        else:
            outcome = run_study(request, progress)
    finally:
        progress.close()
    show(outcome, arguments.json)
    return outcome.exit_code


def show(outcome: RunOutcome, as_json: bool) -> None:
    """Prints the result of a run: table and places to standard output, messages to standard error."""
    if as_json:
        print(json.dumps(outcome.to_dict()))
        return
    if outcome.deliveries:
        print(results_table(outcome))
    text = messages(outcome)
    if text:
        print(text, file=sys.stderr)
    print(summary(outcome))


def serve(arguments: argparse.Namespace) -> int:
    """Serves the study until Ctrl-C."""
    from flows.serve import serve_study

    return serve_study(arguments.study, arguments.port, arguments.deployments)
