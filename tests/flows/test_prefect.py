"""The flow on a real server with a real process worker, both on loopback."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import small_study

sys.path.append(str(Path(__file__).parents[1] / "queries"))

import sending_help  # noqa: E402

from flows.folder import StudyFolder, open_study_folder  # noqa: E402
from flows.run import RunRequest, last_outcome, run_study  # noqa: E402
from flows.serve import deployments_file  # noqa: E402
from flows.show import Silent  # noqa: E402
from tests.flows import lenient_runs  # noqa: E402
from warehouse.loads import LoadLog  # noqa: E402
from warehouse.publish import content_hash  # noqa: E402

pytestmark = [pytest.mark.prefect, pytest.mark.slow]
PATIENCE = 240.0
# How often the worker asks for runs and the server looks for new deployments, in seconds.
IMPATIENT = {
    "PREFECT_WORKER_QUERY_SECONDS": "1",
    "PREFECT_WORKER_PREFETCH_SECONDS": "1",
    "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "1",
}


@dataclass(frozen=True)
class Served:
    url: str
    folder: StudyFolder
    port: int

    def ask(self, path: str, content: dict[str, Any], *, empty: bool = False) -> Any:
        request = urllib.request.Request(
            f"{self.url}{path}",
            data=json.dumps(content).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return None if empty else json.load(answer)

    def runs(self) -> list[dict[str, Any]]:
        return list(self.ask("/flow_runs/filter", {"sort": "START_TIME_ASC"}))


# The command line without judge and analysis tables, which some tests here are not about.
LENIENT = """
import sys
from contextlib import nullcontext
from flows import cli, parts, run, stages
from tests.flows import lenient_runs
stages.judge = lenient_runs.in_this_process(judged=False)
run.anything_to_read = lambda pulled: nullcontext()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Any, what: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.5)
    pytest.fail(f"{what} did not happen within {PATIENCE:.0f} seconds")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`carmony serve` of a study whose night comes every few seconds; Ctrl-C must end all of it."""
    root = small_study.make_study(tmp_path_factory.mktemp("served") / "study")
    text = deployments_file().read_text(encoding="utf-8")
    often = text.replace('- cron: "0 2 * * *"\n        timezone: Europe/Berlin', "- interval: 5")
    assert often != text
    file = root / "often.yaml"
    file.write_text(often, encoding="utf-8")
    port = free_port()
    command = [sys.executable, "-m", "flows.cli", "serve", str(root), "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--deployments", str(file)],
        env={**os.environ, **IMPATIENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(5)]
    assert lines[1].split() == ["page", f"http://127.0.0.1:{port}"], lines
    assert lines[4] == "Ctrl-C stops all.\n"

    yield Served(f"http://127.0.0.1:{port}/api", open_study_folder(root), port)

    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, "stopped\n"), errors
    assert "Traceback" not in errors
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert str(port) not in running.stdout
    assert str(root) not in running.stdout
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "the server still listens"


@pytest.fixture(scope="module")
def fired(served: Served) -> dict[str, Any]:
    """The first run that the schedule, not a person, has started and that has ended."""

    def first(*states: str) -> dict[str, Any] | None:
        found = (r for r in served.runs() if r["auto_scheduled"] and r["state_type"] in states)
        return next(found, None)

    ended = ("COMPLETED", "FAILED", "CRASHED")
    begun: dict[str, Any] = until(lambda: first("RUNNING", *ended), "the start of a scheduled run")
    # One is enough; the next ones would only take time from the other tests.
    served.ask(f"/deployments/{begun['deployment_id']}/pause_deployment", {}, empty=True)
    run: dict[str, Any] = until(lambda: first(*ended), "a scheduled run")
    return run


def carmony_run(
    served: Served, study: Path, *options: str, script: str = ""
) -> subprocess.CompletedProcess[str]:
    """A run by the server; `script` takes the place of the command line."""
    begin = ["-c", script] if script else ["-m", "flows.cli"]
    return subprocess.run(
        [sys.executable, *begin, "run", str(study), *options],
        capture_output=True,
        text=True,
        env={**os.environ, "PREFECT_API_URL": served.url, "CARMONY_RETRY_SECONDS": "0.1,0.1"},
        check=False,
    )


def test_a_schedule_fires_and_publishes(served: Served, fired: dict[str, Any]) -> None:
    assert (fired["state_type"], fired["state_name"]) == ("COMPLETED", "Completed")
    assert fired["parameters"] == {"study": str(served.folder.root)}
    load = LoadLog.read(served.folder.root).load(1)
    assert load.outcome == "published"
    assert load.content_hash == content_hash(served.folder.warehouse)


def test_a_flow_run_and_a_direct_run_publish_the_same_content(
    served: Served, fired: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "study"
    (copy / "vault").mkdir(parents=True, mode=0o700)
    for name in ("study.yaml", "centers", "inbox", "vault/pseudonym.key"):
        source = served.folder.root / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, copy / name)
    lenient_runs.judge_here(monkeypatch)
    direct = run_study(RunRequest(str(copy), report=False), Silent())

    assert direct.content_hash == LoadLog.read(served.folder.root).load(1).content_hash


def test_each_center_has_a_task_run_of_its_name_and_an_artifact(
    served: Served, fired: dict[str, Any]
) -> None:
    tasks = served.ask("/task_runs/filter", {"flow_runs": {"id": {"any_": [fired["id"]]}}})
    names = {task["name"] for task in tasks}
    assert {"center AA01", "center BB02", "center CC03"} <= names

    artifacts = served.ask("/artifacts/latest/filter", {})
    found = {a["key"]: a for a in artifacts}
    assert {"center-aa01", "center-bb02", "center-cc03", "run", "report"} <= set(found)
    assert "report.html" in found["report"]["data"]
    table = json.loads(found["center-aa01"]["data"])
    assert table[0]["rows read"] == "74"
    assert table[0]["state"] == "loaded"


def test_both_deployments_stand_with_their_schedules_and_parameters(served: Served) -> None:
    found = {d["name"]: d for d in served.ask("/deployments/filter", {})}

    assert set(found) == {"nightly", "on-demand"}
    assert len(found["nightly"]["schedules"]) == 1
    assert found["on-demand"]["schedules"] == []
    assert found["nightly"]["global_concurrency_limit"]["limit"] == 1
    assert found["on-demand"]["parameters"]["centers"] == []
    for deployment in found.values():
        assert deployment["entrypoint"] == "flows/study_flow.py:study"
        assert {"study", "centers", "until"} <= set(
            deployment["parameter_openapi_schema"]["properties"]
        )


CANARIES = ("Canary-Erika-4711", "1931-03-07", "DD04-001", "canary@example.org")


@dataclass(frozen=True)
class Ran:
    """A run by `carmony run` that has ended, and its study."""

    study: Path
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def with_faults(
    served: Served, fired: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Ran:
    """Four centers: of one the spec is broken, of one the fix fails with values in its message."""
    centers = ("AA01", "BB02", "CC03", "DD04")
    study = small_study.make_study(tmp_path_factory.mktemp("faults") / "study", centers)
    broken, fixed = (study / "centers" / f"{center}.yaml" for center in ("BB02", "DD04"))
    broken.write_text(broken.read_text().replace("tables:", "tabels:"), encoding="utf-8")
    text = fixed.read_text().replace(
        "subject.csv, patient_id: id", "subject.csv, patient_id: id, fix: true"
    )
    fixed.write_text("fix: DD04.fix.py\n" + text, encoding="utf-8")
    (study / "centers" / "DD04.fix.py").write_text(
        f"def fix(cells, source):\n    raise ValueError({' '.join(CANARIES)!r})\n",
        encoding="utf-8",
    )
    return Ran(study, carmony_run(served, study, "--no-report"))


def test_carmony_run_uses_the_server_and_a_failed_center_does_not_stop_the_others(
    served: Served, with_faults: Ran
) -> None:
    study, done = with_faults.study, with_faults.done
    assert done.returncode == 1, done.stderr
    assert "BB02" in done.stderr
    assert "'tabels'" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Beginning flow run" not in done.stderr + done.stdout
    assert "Beginning flow run" in (study / "vault" / "log" / "prefect.log").read_text()
    assert [line.split()[-1] for line in done.stdout.splitlines()[1:5]] == [
        "loaded",
        "failed",
        "loaded",
        "failed",
    ]
    (run,) = (r for r in served.runs() if r["parameters"]["study"] == str(study))
    assert (run["state_type"], run["state_name"]) == ("COMPLETED", "CompletedWithFailures")
    assert "BB02" in run["state"]["message"]


def test_no_value_of_a_patient_reaches_prefect(served: Served, with_faults: Ran) -> None:
    study, done = with_faults.study, with_faults.done
    (fault,) = (d for d in last_outcome(str(study)).failures if d.center_id == "DD04")
    assert "DD04.fix.py" in fault.message  # it did fail where the values are
    surfaces = [done.stdout.encode(), done.stderr.encode()]
    places = [served.folder.vault / "prefect", served.folder.logs, study / "vault" / "log"]
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    assert any(path.name == "prefect.db" for path in files)
    surfaces += [path.read_bytes() for path in files]
    for canary in CANARIES:
        assert not any(canary.encode() in surface for surface in surfaces), canary


SECRET = "Canary-password-4711"
# AA01 cannot be read twice, CC03 never.
FLAKY = (
    LENIENT
    + """
stage, calls = parts.stage, []
def flaky(spec, delivery, out, study):
    calls.append(delivery.center_id)
    if delivery.center_id == 'CC03':
        raise ValueError('a bug')
    if delivery.center_id == 'AA01' and calls.count('AA01') < 3:
        raise ConnectionResetError(104, 'connection reset')
    stage(spec, delivery, out, study)
parts.stage = flaky
code = cli.main(sys.argv[1:])
print('calls', *sorted(calls))
sys.exit(code)
"""
)


@dataclass(frozen=True)
class Retried(Ran):
    """The same with the mails that came out of it."""

    mails: list[tuple[list[str], bytes]]


@pytest.fixture(scope="module")
def retried(
    served: Served, fired: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Retried:
    """A run in which a center can be read at the third try, and a packet can be sent at the second."""
    place = tmp_path_factory.mktemp("retried")
    environment = {**os.environ, "PREFECT_API_URL": served.url, "DO_NOT_TRACK": "1"}
    code = "import sys; from prefect.blocks.system import Secret; Secret(value=sys.argv[1]).save('mail')"
    subprocess.run([sys.executable, "-c", code, SECRET], env=environment, check=True)
    tls = sending_help.certificate(place)
    box = sending_help.Mailbox("busy once")
    with sending_help.mail_server(box, tls, SECRET) as port, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(tls[0]))
        study = sending_help.make_asked_study(
            place / "study",
            "queries: {release: at_once}\n"
            "notification:\n  method: email\n  centers: {AA01: canary@aa01.example}\n"
            f"  email: {{host: localhost, port: {port}, from: s@example.org, attach: yes, "
            "user: carmony, password_block: mail}\n",
        )
        done = carmony_run(served, study, "--no-report", script=FLAKY)
    return Retried(study, done, box.mails)


def test_a_cause_that_passes_is_tried_again_and_others_are_not(retried: Retried) -> None:
    assert "calls AA01 AA01 AA01 BB02 CC03\n" in retried.done.stdout, retried.done.stderr
    assert retried.done.returncode == 1
    states = {d.center_id: d.state for d in last_outcome(str(retried.study)).deliveries}
    assert states == {"AA01": "loaded", "BB02": "loaded", "CC03": "failed"}


def test_a_packet_is_sent_again_and_its_password_comes_from_a_block(
    served: Served, retried: Retried
) -> None:
    study = retried.study
    assert "delivered to AA01" in retried.done.stdout, retried.done.stderr
    assert len(retried.mails) == 1
    tries = (study / "vault" / "log" / "packets.jsonl").read_text().splitlines()
    assert [json.loads(line)["state"] for line in tries] == ["failed", "delivered"]
    (run,) = (a for a in served.ask("/artifacts/latest/filter", {}) if a["key"] == "run")
    assert "| AA01 | 2 | 2 | written | delivered |" in run["data"]
    assert "| BB02 | 1 | 1 | written | no address |" in run["data"]
    places = [served.folder.vault / "prefect", served.folder.logs, study / "vault" / "log"]
    surfaces = [p.read_bytes() for place in places for p in place.rglob("*") if p.is_file()]
    for canary in (SECRET, "AA01-00", "canary@", sending_help.BROKEN):
        assert not any(canary.encode() in surface for surface in surfaces), canary


def test_prefects_files_are_private_and_the_server_listens_on_loopback_alone(
    served: Served, fired: dict[str, Any]
) -> None:
    for path in (served.folder.vault / "prefect").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path.name
    listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    place = re.findall(rf" ([0-9A-F]+):{served.port:04X} [0-9A-F]+:0000 0A", listening)
    assert place == ["0100007F"]


def test_a_server_that_does_not_answer_gives_one_message(tmp_path: Path) -> None:
    study = small_study.make_study(tmp_path / "study", ("AA01",))
    port = free_port()
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "run", str(study)],
        capture_output=True,
        text=True,
        env={**os.environ, "PREFECT_API_URL": f"http://127.0.0.1:{port}/api"},
        check=False,
    )

    assert done.returncode == 2
    assert f"127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr
