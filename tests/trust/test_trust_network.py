"""Nothing calls home: a whole run and what follows it, watched at the C library and without a network.

Every connection, listening socket, datagram and look-up of a name is noted (network_shim.c, by
LD_PRELOAD; without a C compiler only those of Python); where the tests may, the commands run in a
network namespace of their own, in which there is not even a loopback.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.flows import small_study

ROOT = Path(__file__).parents[2]
Tries = Callable[[int, int], int]
Record = Callable[..., None]
KEY = hashlib.sha256(b"a key of the tests").digest()
HOOK = """
import os, sys
def seen(event, args):
    if event in ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo"):
        address = args[0] if event.endswith("info") else args[1]
        where = address[0] if isinstance(address, tuple) else address
        kind = "inet" if isinstance(address, tuple) or event.endswith("info") else "unix"
        what = {"getaddrinfo": "look up", "sendto": "send"}.get(event[7:], event[7:])
        with open(os.environ["CARMONY_CALLS"], "a") as file:
            file.write(f"{what} {kind} {where}\\n")
sys.addaudithook(seen)
"""


def watched(folder: Path, calls: Path) -> dict[str, str]:
    """The environment of a process whose calls are noted."""
    folder.mkdir(exist_ok=True)
    compiler = shutil.which("cc") or shutil.which("gcc")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    environment |= {"CARMONY_CALLS": str(calls), "PYTHONPATH": str(ROOT)}
    if compiler:
        shim = folder / "network_shim.so"
        source = str(Path(__file__).parent / "network_shim.c")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
        return environment | {"LD_PRELOAD": str(shim)}
    (folder / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
    return environment | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


def without_network() -> list[str]:
    """The beginning of a command that runs where no network is; empty where tests may not do that."""
    command = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None:
        return []
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    return command if tried.returncode == 0 else []


def outward(calls: Path) -> list[str]:
    """Noted calls to somewhere else than this machine."""
    lines = calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []
    near = ("unix", "netlink", "inet 127.", "inet ::1", "inet localhost")
    out = [line for line in lines if line.partition(" ")[0] in ("connect", "send", "look")]
    return [
        line for line in out if not line.removeprefix("look ").split(" ", 1)[1].startswith(near)
    ]


@dataclass
class Watched:
    """A study after its commands, and the calls of their processes."""

    study: Path
    calls: Path
    codes: dict[str, int]
    told: str


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """A run with report and questions sent to a folder, and a query: in processes of their own."""
    place = tmp_path_factory.mktemp("network")
    study = small_study.make_study(place / "study", ("AA01", "BB02"))
    (place / "out").mkdir()
    with (study / "study.yaml").open("a", encoding="utf-8") as file:
        file.write(
            "queries: {release: at_once}\n"
            f"notification: {{method: folder, centers: {{AA01: {place / 'out'}}}}}\n"
        )
    with (study / "inbox/AA01/2024-06-14/treatment_line.csv").open("a") as file:
        file.write("AA01-001,1,2011-01-01,DaraPd\n")  # a line before CAR-T was invented
    calls = place / "calls"
    environment = watched(place / "shim", calls) | {"CARMONY_KEY": KEY.hex()}
    commands = {
        "run": ["run", str(study)],
        "sql": ["sql", str(study), "SELECT count(*) AS n FROM core.subject"],
    }
    codes, told = {}, ""
    for name, command in commands.items():
        done = subprocess.run(
            [*without_network(), sys.executable, "-m", "flows.cli", *command],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env=environment,
        )
        codes[name] = done.returncode
        told += done.stdout + done.stderr
    return Watched(study, calls, codes, told)


def test_a_run_calls_nobody_and_needs_no_network(ran: Watched, figure: Record) -> None:
    assert ran.codes == {"run": 0, "sql": 0}, ran.told
    assert (ran.study / "published" / "report" / "report.html").is_file()
    assert list((ran.study.parent / "out").rglob("*.xlsx"))  # the questions were sent
    assert "12" in ran.told
    away = outward(ran.calls)
    figure("45", f"calls to other machines {away[:5] or ''}".strip(), len(away), len(ran.codes))


def test_a_run_opens_no_port(ran: Watched, figure: Record) -> None:
    lines = ran.calls.read_text(encoding="utf-8").splitlines() if ran.calls.exists() else []
    # A library of Great Expectations binds to ::1 once, without listening, to see if there is IPv6.
    lines = [line for line in lines if line != "bind inet ::1"]
    opened = [line for line in lines if line.startswith(("listen inet", "bind inet"))]
    figure("46", "ports opened by a run and a query", len(opened), len(ran.codes))


def test_the_key_is_nowhere_but_with_the_key(ran: Watched, figure: Record) -> None:
    """Given by the environment: no file of the study may hold it, nor what was printed."""
    secrets = (KEY, KEY.hex().encode(), KEY.hex().upper().encode())
    files = [path for path in ran.study.parent.rglob("*") if path.is_file()]
    holding = [path for path in files if any(s in path.read_bytes() for s in secrets)]
    assert len(files) > 50
    assert KEY.hex() not in ran.told
    print(*holding, sep="\n")
    figure("36", "files of a study that hold the key of the pseudonyms", len(holding), len(files))
    (ran.study / "control").write_bytes(b"x" + KEY)
    assert any(s in (ran.study / "control").read_bytes() for s in secrets)
    (ran.study / "control").unlink()


def test_a_call_is_seen(tmp_path: Path) -> None:
    """The control: somebody who connects, asks for a name, sends and listens."""
    calls = tmp_path / "calls"
    code = (
        "import contextlib, socket\n"
        "with contextlib.suppress(OSError):\n"
        "    socket.create_connection(('192.0.2.1', 9), timeout=0.1)\n"
        "with contextlib.suppress(OSError):\n"
        "    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.2', 9))\n"
        "with contextlib.suppress(OSError):\n"
        "    socket.getaddrinfo('home.example.org', 80)\n"
        "here = socket.socket()\n"
        "here.bind(('0.0.0.0', 0))\n"
        "here.listen()\n"
        "import duckdb\n"
        "with contextlib.suppress(duckdb.Error):\n"
        "    duckdb.sql(\"INSTALL spatial FROM 'http://192.0.2.3'\")\n"
    )
    environment = watched(tmp_path / "shim", calls) | {"HOME": str(tmp_path)}
    command = [*without_network(), sys.executable, "-c", code]
    subprocess.run(command, env=environment, check=True, timeout=60, capture_output=True)
    away = outward(calls)
    assert "connect inet 192.0.2.1" in away
    assert "send inet 192.0.2.2" in away
    assert "look up inet home.example.org" in away
    assert "bind inet 0.0.0.0" in calls.read_text(encoding="utf-8")
    if "LD_PRELOAD" in environment:
        assert any("192.0.2.3" in line for line in away)  # a library's own call is seen too


# Prefect servers that are of no use ---------------------------------------------------------------


def answering(how: str) -> tuple[socket.socket, str]:
    """A server that answers badly, and its address."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    page = b"<html>Please log in</html>"

    def answer(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            if how == "page":
                head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n\r\n"
                connection.sendall(head.encode() + page)
            if how == "nonsense":
                connection.sendall(b"\x00\xffSSH-2.0\r\n\r\n")
            if how == "failing":
                connection.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
            if how == "never":
                time.sleep(300)

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return server, f"http://127.0.0.1:{server.getsockname()[1]}/api"


def test_a_server_of_no_use_is_one_message(tmp_path: Path, tries: Tries, figure: Record) -> None:
    kinds = ("nonsense", "page", "nobody", "no such name", "failing", "never")[: tries(1, 6)]
    study = small_study.make_study(tmp_path / "study", ("AA01",))
    wrong = []
    for kind in kinds:
        server, url = answering(kind)
        if kind == "nobody":
            server.close()
        if kind == "no such name":
            url = "http://nobody.invalid:4200/api"
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli", "run", str(study), "--no-report"],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env={**os.environ, "PREFECT_API_URL": url},
            timeout=100,
        )
        server.close()
        one = done.stderr.count("carmony: ") == 1 and "unset PREFECT_API_URL" in done.stderr
        if done.returncode != 2 or not one or "Traceback" in done.stderr or url not in done.stderr:
            wrong.append((kind, done.returncode, done.stderr[-500:]))
        if (study / "published" / "warehouse.duckdb").exists():
            wrong.append((kind, "published"))
    print(*wrong, sep="\n")
    figure(
        "28",
        "Prefect servers that do not answer, fail, or answer nonsense",
        len(wrong),
        len(kinds),
        "one message",
    )
