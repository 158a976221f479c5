"""Ctrl-C, SIGTERM, two runs at once, a clock that goes back: one message, nothing lost, no lock left."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flows import small_study
from tests.trust import crash_runs as crash
from tests.trust.crash_runs import Server, Template

Tries = Callable[[int, int], int]
STOPPED = "carmony: interrupted; what was published before stays as it was"


@pytest.fixture(scope="module")
def server() -> Server:
    return crash.shared()[0]


@pytest.fixture(scope="module")
def template() -> Template:
    return crash.shared()[1]


@pytest.fixture(scope="module")
def place() -> Path:
    return crash.shared()[2]


def test_a_run_that_is_stopped_at_a_random_time_ends_with_4_and_one_message(
    place: Path, server: Server, template: Template, tries: Tries, figure: Callable[..., None]
) -> None:
    chance = random.Random(27)
    for number, name in ((signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "Ctrl-C")):
        wrong = []
        n = tries(1, 30)
        for turn in range(n):
            study = template.copy(place / "study")
            pid = crash.begin(server, template, study, place / "out")
            time.sleep(0.05 + chance.uniform(0.0, 0.9 * template.seconds))
            os.kill(pid, number)
            if turn % 3 == 2:  # somebody who does not wait
                time.sleep(0.002)
                os.kill(pid, number)
            code = server.wait(pid)
            shown = (place / "out").read_text(encoding="utf-8")
            done = server.look(study).get("content") == template.after["content"]
            ended = code == 4 and shown.count(STOPPED) == 1 and "Traceback" not in shown
            if not ended and not (code == 0 and done):
                wrong.append(f"{code}: {shown[-400:]}")
            if n > 1:
                wrong += crash.faults_of(server, template, study)
        print(*wrong, sep="\n")
        figure("27", f"{name} at a random time", len(wrong), n, "code 4, one message")


def _started(
    server: Server, template: Template, study: Path, outs: list[Path], wait: str
) -> list[int]:
    """Runs of one study; the second begins when the first holds the lock and does nothing.

    It has to be told at once whom it waits for.
    """
    environment = {"CARMONY_LOCK_WAIT": wait}
    first = crash.begin(server, template, study, outs[0], environment=environment)
    while not (study / "vault" / ".lock").read_text(encoding="utf-8"):
        time.sleep(0.005)
    os.kill(first, signal.SIGSTOP)
    pids = [crash.begin(server, template, study, o, environment=environment) for o in outs[1:]]
    said = f"nother load of this study is running: process {first}, since "
    deadline = time.monotonic() + 60
    while said not in outs[1].read_text(encoding="utf-8"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(first, signal.SIGCONT)
    return [first, *pids]


def test_two_runs_at_once_load_what_one_would_and_the_second_says_whom_it_waits_for(
    place: Path, server: Server, template: Template, tries: Tries, figure: Callable[..., None]
) -> None:
    wrong = []
    n = tries(1, 50)
    for turn in range(n):
        study = template.copy(place / "study")
        wait = ("120", "0")[turn % 2]
        outs = [place / f"out{number}" for number in range(12 if turn % 10 == 9 else 2)]
        for out in outs:
            out.write_text("", encoding="utf-8")
        if turn % 5 == 0:
            pids = _started(server, template, study, outs, wait)
        else:
            environment = {"CARMONY_LOCK_WAIT": wait}
            pids = [
                crash.begin(server, template, study, out, environment=environment) for out in outs
            ]
        codes = [server.wait(pid) for pid in pids]
        shown = [out.read_text(encoding="utf-8") for out in outs]
        refused = [code for code in codes if code != 0]
        told = [text for text in shown if "nother load of this study is running: " in text]
        found = server.look(study)
        if found.get("content") != template.after["content"]:
            wrong.append(f"another state: {found.get('loads')}")
        if any(text.count("carmony: ") > 1 or "Traceback" in text for text in shown):
            wrong.append(f"more than one message: {shown}")
        if wait == "120" and refused:
            wrong.append(f"refused though there was time to wait: {codes}")
        if (set(refused) - {2}) or len(refused) > len(told):
            wrong.append(f"{codes}: {shown}")
        if len(found["loads"]) != 2:
            wrong.append(f"loaded more than once: {found['loads']}")
    print(*wrong, sep="\n")
    figure(
        "9", "runs of one study at once", len(wrong), n, "as one run; the others wait or are told"
    )


def test_a_clock_that_goes_back_leaves_load_numbers_rising_and_the_content_as_it_is(
    place: Path, server: Server, template: Template, tries: Tries, figure: Callable[..., None]
) -> None:
    wrong = []
    hours = (-24, -1, 1, -24 * 20, 24 * 400)
    n = tries(1, 20)
    for turn in range(n):
        shift = hours[turn % len(hours)] * 3600
        study = template.copy(place / "study")
        code = crash.run(server, template, study, place / "out", shim={"clock": shift})
        found = server.look(study)
        differ = {
            table
            for table, rows in template.after["tables"].items()
            if found["tables"].get(table) != rows
        }
        # The scorecard counts the months in which deliveries came: there the clock is what is told.
        if code != 0 or differ - {"quality.scorecard"} or found["load"] != 2:
            wrong.append(f"{shift}: {code}, {differ}")
        if n == 1:
            continue
        small_study.deliver(study, "BB02", "2024-06-21", patients=7)
        code = crash.run(server, template, study, place / "out", shim={"clock": -2 * abs(shift)})
        numbers = [number for number, _ in server.look(study)["loads"]]
        if code != 0 or numbers != [1, 2, 3]:
            wrong.append(f"{shift}, back again: {code}, {numbers}")
    print(*wrong, sep="\n")
    figure("15", "clock set back or ahead", len(wrong), n, "load numbers rise, content equal")
