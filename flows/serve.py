"""`carmony serve STUDY`: a Prefect server, a worker and the study's schedules, until Ctrl-C.

For a data manager's own machine: the server listens on 127.0.0.1 only, its database stands in the
vault, and nothing calls home.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flows import parts
from flows.children import become_reaper, end_with_parent, stop_descendants
from flows.folder import StudyFolder, open_study_folder
from flows.prefect_settings import home_folder, settings_for
from schemas.errors import CarmonyError, StudyError

HOST = "127.0.0.1"
START_LIMIT = 180.0  # seconds; the first start writes the database and needs most of a minute
POOL = "carmony"


def serve_study(study: str, port: int, deployments: str | None = None) -> int:
    """Serves until a signal comes.

    Args:
        study: the study folder.
        port: of the server.
        deployments: a file of deployments; `prefect.yaml` if None.

    Raises:
        CarmonyError: the port is taken, or a part does not start.
    """
    folder = open_study_folder(Path(study))
    file = Path(deployments).resolve() if deployments else None
    if file and not file.is_file():
        raise StudyError(f"'{deployments}' does not exist.", fix="give a file like prefect.yaml")
    parts.load_study(folder)
    try:
        with serving(folder, port, file) as service:
            print(f"study    {folder.root}")
            print(f"page     {service.url.removesuffix('/api')}")
            print("nightly takes in new deliveries on schedule; on-demand waits for a click")
            print(f"log      {folder.logs / 'prefect.log'}")
            print("Ctrl-C stops all.", flush=True)
            _watch(service, folder)
    except KeyboardInterrupt:
        print("stopped")
    return 0


@dataclass(frozen=True, slots=True)
class Service:
    """What runs: the address of the API and the two processes."""

    url: str
    parts: dict[str, subprocess.Popen[bytes]]


@contextmanager
def serving(folder: StudyFolder, port: int, prefect_file: Path | None = None) -> Iterator[Service]:
    """Server, worker and deployments, all ended when the block ends.

    Args:
        folder: the study.
        port: of the server.
        prefect_file: the deployments; those of `prefect.yaml` if None.

    Yields:
        What runs.
    """
    _refuse_taken_port(port)
    url = f"http://{HOST}:{port}/api"
    become_reaper()
    before = os.umask(0o077)
    try:
        server = _start(
            folder, "server", url, "server", "start", "--host", HOST, "--port", str(port)
        )
        _wait_until_healthy(server, url, folder)
        deploy(folder, url, prefect_file)
        worker = _start(folder, "worker", url, "worker", "start", "--pool", POOL, "--limit", "1")
        yield Service(url, {"server": server, "worker": worker})
    finally:
        os.umask(before)
        stop_descendants()


def deploy(folder: StudyFolder, url: str, prefect_file: Path | None = None) -> None:
    """Makes the work pool and the deployments of the study on a server.

    Raises:
        CarmonyError: Prefect refused one.
    """
    _command(folder, url, "work-pool", "create", POOL, "--type", "process", "--overwrite")
    file = prefect_file or deployments_file()
    _command(folder, url, "--no-prompt", "deploy", "--all", "--prefect-file", str(file))


def deployments_file() -> Path:
    """`prefect.yaml`: beside the packages in a checkout, inside `flows` in a wheel."""
    for path in (home_folder() / "prefect.yaml", home_folder() / "flows" / "prefect.yaml"):
        if path.is_file():
            return path
    raise CarmonyError("prefect.yaml is missing.", fix="install carmony again")


def _environment(folder: StudyFolder, name: str, url: str) -> dict[str, str]:
    return {**os.environ, **settings_for(folder, name, url), "PYTHONUNBUFFERED": "1"}


def _start(folder: StudyFolder, name: str, url: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Starts a Prefect process; what it prints goes to a log of its own."""
    log = folder.logs / f"{name}.out"
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "prefect", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(folder, name, url),
            cwd=home_folder(),
            start_new_session=True,  # Ctrl-C reaches us alone; we end the others in order
            preexec_fn=end_with_parent,
        )


def _command(folder: StudyFolder, url: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "prefect", *arguments],
        capture_output=True,
        text=True,
        env=_environment(folder, "deploy", url),
        cwd=home_folder(),
        check=False,
    )
    if done.returncode != 0:
        log = folder.logs / "deploy.out"
        log.write_text(done.stdout + done.stderr, encoding="utf-8")
        raise CarmonyError(
            f"Prefect refused '{' '.join(arguments[:3])}'.", fix=f"read {log}, then try again"
        )


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            raise StudyError(
                f"Port {port} is not free on this machine.",
                fix="give another one: carmony serve STUDY --port 4300",
            ) from None


def _wait_until_healthy(server: subprocess.Popen[bytes], url: str, folder: StudyFolder) -> None:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise CarmonyError(
        "The Prefect server did not start.", fix=f"read {folder.logs / 'server.out'}"
    )


def _watch(service: Service, folder: StudyFolder) -> None:
    """Sleeps until somebody interrupts; a part that ends by itself ends the service."""
    while True:
        time.sleep(0.5)
        for name, process in service.parts.items():
            if process.poll() is not None:
                raise CarmonyError(
                    f"The Prefect {name} has ended by itself (code {process.returncode}).",
                    fix=f"read {folder.logs / f'{name}.out'} and start again",
                )
