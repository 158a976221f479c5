"""`carmony run` on a configured Prefect server: the same flow, in this process, seen on its page."""

from __future__ import annotations

import datetime as dt
import http.client
import os
import ssl
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from flows.folder import open_study_folder
from flows.outcome import RunOutcome
from flows.prefect_settings import apply, settings_for
from flows.run import LAST_RUN, RunRequest, last_outcome
from flows.show import Progress
from schemas.errors import CarmonyError

PATIENCE = 20.0  # seconds for a first answer; Prefect itself would wait for many minutes


def run_on_server(request: RunRequest, progress: Progress) -> RunOutcome:
    """Runs the flow `study`; what became of it is read from our own log.

    Args:
        request: the study and what of it.
        progress: told that the flow runs; Prefect's own lines go to `vault/log/prefect.log`.

    Raises:
        CarmonyError: the server cannot be reached, or the run ended without an outcome.
    """
    folder = open_study_folder(Path(request.study))
    apply(settings_for(folder, "run"))
    # A note of the last run must not be taken for this one's.
    (folder.logs / LAST_RUN).unlink(missing_ok=True)
    progress.stage("flow")
    if not _answers(os.environ["PREFECT_API_URL"]):
        raise _no_answer()
    from flows.study_flow import study

    until = dt.date.fromisoformat(request.until) if request.until else None
    try:
        state = study(
            study=str(folder.root),
            centers=list(request.centers),
            until=until,
            report=request.report,
            accept_fewer=list(request.accept_fewer),
            return_state=True,
        )
    except Exception as error:
        if _is_connection_error(error):
            raise _no_answer() from error
        raise
    if not (folder.logs / LAST_RUN).is_file():
        _raise(state)
    return last_outcome(str(folder.root))


def _no_answer() -> CarmonyError:
    return CarmonyError(
        f"The Prefect server at {os.environ['PREFECT_API_URL']} does not answer.",
        fix="start it (carmony serve STUDY), or unset PREFECT_API_URL to run without one",
    )


def _answers(url: str) -> bool:
    """Whether something there speaks HTTP and is no failing server; what it says, Prefect judges."""
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/health", timeout=PATIENCE):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except urllib.error.URLError as error:
        return isinstance(error.reason, ssl.SSLError)  # Prefect has settings of its own for that
    except (OSError, ValueError, http.client.HTTPException):
        return False


def _raise(state: object) -> None:
    """The error that ended the flow: one of ours is shown as it is."""
    found: object = None
    with suppress(AttributeError):
        found = state.result(raise_on_failure=False)  # type: ignore[attr-defined]
    if isinstance(found, CarmonyError):
        raise found
    if isinstance(found, BaseException):
        raise RuntimeError("the flow run failed") from found
    raise RuntimeError("the flow run ended without an outcome")


def _is_connection_error(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ConnectionError) or type(seen).__module__.startswith("httpx"):
            return True
        if "Failed to reach API" in str(seen):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
