"""A removal killed at any point: the same command, or the next run, ends it."""

from __future__ import annotations

import itertools
import random
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.forget_pending import FILE
from tests.trust import crash_runs as crash
from tests.trust.crash_runs import Server, Template
from warehouse.pseudonyms import Pseudonymizer

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))

from plain_search import files_with  # noqa: E402

CENTER, PATIENT = "AA01", "AA01-002"


class Removals:
    """A study of which a patient is to be removed, and how it stands after that."""

    def __init__(self, server: Server, template: Template, folder: Path) -> None:
        self.server, self.template, self.folder = server, template, folder
        self.base = template.copy(folder / "removal")
        assert crash.run(server, template, self.base, folder / "out") == 0
        study, trace = self.copy(), folder / "trace"
        shim = {"folder": str(study), "mode": crash.COUNT, "trace": str(trace)}
        assert self.forget(study, shim=shim) == 0, self.told()
        self.calls = [line.split(" ", 2) for line in trace.read_text("utf-8").splitlines()]
        assert self.run(study) == 0, self.told()
        self.after, self.files = server.look(study), crash.names(study)
        word = Pseudonymizer("SMALL", bytes.fromhex(crash.KEY)).usubjid(CENTER, PATIENT)
        assert files_with(self.base / "published", word), "the patient was to be published before"
        self.word = word

    def copy(self) -> Path:
        template = Template(self.base, {}, {}, set(), {})
        return template.copy(self.folder / "study")

    def forget(self, study: Path, **request: Any) -> int:
        options = {**self.template.options["options"], **request}
        argv = ("forget", str(study), CENTER, PATIENT, "--delete-deliveries")
        return self.server.wait(self.server.start(*argv, out=self.folder / "out", **options))

    def run(self, study: Path) -> int:
        return crash.run(self.server, self.template, study, self.folder / "out")

    def is_clean(self, study: Path) -> bool:
        """Whether nothing of the patient is left: the removal was complete, or its trail is all that lacks."""
        return not files_with(study / "vault", PATIENT)

    def told(self) -> str:
        return (self.folder / "out").read_text(encoding="utf-8", errors="replace")[-400:]

    def faults_of(self, study: Path, *, again: bool) -> list[str]:
        """What is wrong after what follows a killed removal: the same command, or a run alone."""
        found = []
        if again and (code := self.forget(study)) != 0:
            found.append(f"the same command ended with {code}: {self.told()}")
        if (code := self.run(study)) != 0:
            found.append(f"the run ended with {code}: {self.told()}")
        stands, wanted = self.server.look(study)["tables"], self.after["tables"]
        # Killed once the new state was published, the same state is published again as a load of its own.
        differ = [t for t in stands.keys() | wanted.keys() if stands.get(t) != wanted.get(t)]
        if set(differ) - crash.OF_LOADS:
            found.append(f"not as of an undisturbed removal: {sorted(differ)}")
        found += [f"the patient stands in {p}" for p in files_with(study / "published", self.word)]
        found += [f"the patient stands in {p}" for p in files_with(study / "vault", PATIENT)]
        if extra := (crash.names(study) ^ self.files) - {"published/history/N.duckdb"}:
            found.append(f"files that are more or less: {sorted(extra)[:6]}")
        return found + [f"open to others: {name}" for name in crash.open_to_others(study)]

    def places(self, n: int, chance: random.Random) -> list[tuple[int, str]]:
        """Calls at which to end a removal: each part of it in turn, a random call of it."""
        parts: dict[str, list[int]] = defaultdict(list)
        root = str(self.folder / "study")
        for number, _, path in self.calls:
            place = path.removeprefix(f"{root}/")
            parts[crash.stage_of(place) if FILE not in place else "note"].append(int(number))
        names = sorted(parts, key=lambda part: ("read", "other", "note", "replace").index(part)
                       if part in ("read", "other", "note", "replace") else 9)  # fmt: skip
        return [(chance.choice(parts[p]), p) for p in itertools.islice(itertools.cycle(names), n)]


@pytest.fixture(scope="module")
def removals() -> Removals:
    return Removals(*crash.shared())


def test_a_removal_killed_at_any_call_is_ended_by_the_same_command_or_by_a_run(
    removals: Removals, tries: Callable[[int, int], int], figure: Callable[..., None]
) -> None:
    chance = random.Random(39)
    wrong = 0
    n = tries(2, 100)
    for number, (at, part) in enumerate(removals.places(n, chance)):
        study = removals.copy()
        mode = (crash.KILL_BEFORE, crash.KILL_AFTER)[number % 2]
        code = removals.forget(study, shim={"folder": str(study), "mode": mode, "at": at})
        begun = (study / "vault" / FILE).is_file() or removals.is_clean(study)
        found = removals.faults_of(study, again=number % 3 == 2 or not begun)
        if code != -9 and at < int(removals.calls[-1][0]) - 20:
            found.append(f"not killed: {code}")
        wrong += bool(found)
        if found:
            print(number, at, part, *found, sep="\n    ", flush=True)
    figure("39", "kill -9 in `carmony forget`", wrong, n, "ended by the next command; nothing left")


def test_the_campaign_sees_a_patient_who_was_left(removals: Removals) -> None:
    study = removals.copy()
    found = "\n".join(removals.faults_of(study, again=False))

    assert "the patient stands in warehouse.duckdb" in found
    assert "not as of an undisturbed removal" in found
