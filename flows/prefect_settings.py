"""How Prefect is set up for a study: its home in the vault, its log lines in a file, no telemetry."""

from __future__ import annotations

import os
from pathlib import Path

from flows.folder import StudyFolder, make_private
from flows.quiet import SWITCHES

# Everything of Prefect's own logging that we keep: a file, and the lines of runs on the server's
# page. Our lines and exceptions hold no values (flows.failures.safe), so both are safe.
_LOGGING = """\
version: 1
disable_existing_loggers: false
formatters:
  line:
    (): prefect.logging.formatters.PrefectFormatter
    format: "%(asctime)s {name} %(levelname)s %(name)s: %(message)s"
    flow_run_fmt: "%(asctime)s {name} %(levelname)s flow run %(flow_run_name)s: %(message)s"
    task_run_fmt: "%(asctime)s {name} %(levelname)s task run %(task_run_name)s: %(message)s"
    datefmt: "%Y-%m-%dT%H:%M:%S"
handlers:
  console:
    class: logging.handlers.WatchedFileHandler
    filename: "{file}"
    formatter: line
  api:
    class: prefect.logging.handlers.APILogHandler
  worker_api:
    class: prefect.logging.handlers.WorkerAPILogHandler
loggers:
  prefect: {{level: "${{PREFECT_LOGGING_LEVEL}}"}}
  prefect.extra: {{level: "${{PREFECT_LOGGING_LEVEL}}", handlers: [api], propagate: false}}
  prefect.flow_runs: {{level: NOTSET, handlers: [api]}}
  prefect.task_runs: {{level: NOTSET, handlers: [api]}}
  prefect.workers: {{level: NOTSET, handlers: [worker_api]}}
  prefect.server: {{level: "${{PREFECT_SERVER_LOGGING_LEVEL}}"}}
  uvicorn: {{level: "${{PREFECT_SERVER_LOGGING_LEVEL}}", handlers: [console], propagate: false}}
  fastapi: {{level: "${{PREFECT_SERVER_LOGGING_LEVEL}}", handlers: [console], propagate: false}}
root: {{level: WARNING, handlers: [console]}}
"""


def settings_for(folder: StudyFolder, name: str, api_url: str | None = None) -> dict[str, str]:
    """Environment variables for a Prefect process of a study.

    Args:
        folder: the study.
        name: what the process is called in the log: `run`, `server` or `worker`.
        api_url: the server; what the user has configured if None.

    Returns:
        Variables to add to the environment before Prefect is imported.
    """
    home = make_private(folder.vault / "prefect")
    log = make_private(folder.logs) / "prefect.log"
    logging_file = home / f"logging-{name}.yml"
    logging_file.write_text(_LOGGING.format(name=name, file=log), encoding="utf-8")
    settings = {
        **SWITCHES,
        "PREFECT_HOME": str(home),
        "PREFECT_LOGGING_SETTINGS_PATH": str(logging_file),
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
        "CARMONY_HOME": str(home_folder()),
        "CARMONY_STUDY": str(folder.root),
    }
    if api_url:
        settings["PREFECT_API_URL"] = api_url
    return settings


def home_folder() -> Path:
    """The folder that holds the package `flows`; entrypoints are relative to it."""
    return Path(__file__).resolve().parent.parent


def apply(settings: dict[str, str]) -> None:
    """Sets the variables for this process; what the user has set for the home stays."""
    for key, value in settings.items():
        if key != "PREFECT_HOME" or key not in os.environ:
            os.environ[key] = value
