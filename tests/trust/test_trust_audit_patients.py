"""The audit gate and the patients of a center: those who became others, are gone, or are no longer dead.

A study of three centers is published. Each try delivers again: in one center rows stand beside other patients' ids
(AUD-34), one loses patients in small steps (AUD-35), one no longer tells its deaths (AUD-36). Which, of whom and
how many is random. The same with what is nearly a fault: corrections, one patient less, one who is alive after all.
"""

from __future__ import annotations

import csv
import hashlib
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import results
from flows.outcome import PUBLISHED, RunOutcome
from flows.run import RunRequest, run_study
from flows.show import Silent
from tests.flows import lenient_runs, small_study
from tests.trust.one_table import plan_one_table
from warehouse import alternatives

Record = Callable[..., None]
Rows = dict[str, list[list[str]]]  # of each file of a delivery
CHECKS = ("AUD-34", "AUD-35", "AUD-36")
STOPS = ("AUD-34", "AUD-36")
CENTERS = ("AA01", "BB02", "CC03")
PATIENTS = 18  # of whom six are dead


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study with one published load; tries take copies of it."""
    with pytest.MonkeyPatch.context() as patch:
        lenient(patch)
        root = small_study.make_study(tmp_path_factory.mktemp("study") / "study", ())
        for center_id in CENTERS:
            (root / "centers" / f"{center_id}.yaml").write_text(
                small_study.spec(center_id), "utf-8"
            )
            small_study.deliver(root, center_id, "2024-06-14", PATIENTS)
        plan_one_table(root)
        results.warm_up_judge()
        assert run(root).state == PUBLISHED
    return root


def lenient(patch: pytest.MonkeyPatch) -> None:
    lenient_runs.judge_here(patch)
    lenient_runs.read_here(patch)
    patch.setattr(alternatives, "add_alternatives", lambda con, study: None)


def run(root: Path) -> RunOutcome:
    return run_study(RunRequest(str(root), report=False), Silent())


def deliver(root: Path, center_id: str, day: int, rows: Rows) -> None:
    folder = root / "inbox" / center_id / f"2024-07-{day:02d}"
    folder.mkdir(parents=True)
    for name, header in small_study.FILES.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header.split(","), *rows[name]])


# What a center delivers: with a fault, or nearly with one -------------------------------------------------


def others(root: Path, center_id: str, rng: random.Random, near: bool) -> None:
    """Rows of random patients stand beside each other's ids; nearly: one or two are corrected."""
    rows = small_study.rows_of(center_id, PATIENTS)
    if near:
        for row in rng.sample(rows["subject"], rng.randint(1, 2)):
            row[1], row[2] = ("F" if row[1] == "M" else "M"), str(int(row[2]) - 1)
    else:
        n_moved = rng.randint(PATIENTS // 2 + 1, PATIENTS)
        moved = sorted(rng.sample(range(PATIENTS), n_moved))
        turn = rng.randint(1, n_moved - 1)
        taken = moved[turn:] + moved[:turn]
        ids = [row[0] for row in rows["subject"]]
        for name in ("subject", "infusion"):  # one row of each patient, in the order of ids
            for place, source in zip(moved, taken, strict=True):
                rows[name][place][0] = ids[source]
    deliver(root, center_id, 1, rows)


def lost(root: Path, center_id: str, rng: random.Random, near: bool) -> None:
    """Several deliveries, each with one or two patients less, until four to six are gone; nearly: one to three.

    More in one delivery could hold it: patients who died have more rows of responses than others.
    """
    wanted = rng.randint(1, 3) if near else rng.randint(PATIENTS // 5 + 1, PATIENTS // 3)
    order = rng.sample(range(1, PATIENTS + 1), wanted)
    steps = [min(2, wanted), *range(3, wanted + 1)] if rng.random() < 0.5 else range(1, wanted + 1)
    for day, n_gone in enumerate(steps, start=1):
        deliver(root, center_id, day, without(center_id, set(order[:n_gone])))


def without(center_id: str, gone: set[int]) -> Rows:
    ids = {f"{center_id}-{n:03d}" for n in gone}
    rows = small_study.rows_of(center_id, PATIENTS)
    return {name: [row for row in some if row[0] not in ids] for name, some in rows.items()}


def alive(root: Path, center_id: str, rng: random.Random, near: bool) -> None:
    """Most deaths are no longer told, by emptied cells or by `ALIVE`; nearly: one is corrected."""
    rows = small_study.rows_of(center_id, PATIENTS)
    dead = [row for row in rows["follow_up"] if row[2] == "DEAD"]
    said = rng.choice(["", "ALIVE"])
    for row in rng.sample(dead, 1 if near else rng.randint(4, len(dead))):
        row[2:] = ["ALIVE" if near else said, ""]
    deliver(root, center_id, 1, rows)


FAULTS = dict(zip(CHECKS, (others, lost, alive), strict=True))


def told(texts: list[str]) -> set[tuple[str, str]]:
    """Check and center of each sentence of the three checks."""
    found = (t for t in texts if t.startswith(CHECKS))
    return {(t[:6], center) for t in found for center in re.findall(r"[A-C]{2}0\d(?= with)", t)}


def test_patients_who_are_others_gone_or_alive_again_are_told_with_their_center(
    published: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tries: Callable[[int, int], int],
    figure: Record,
) -> None:
    lenient(monkeypatch)
    rng = random.Random(34)
    n = tries(1, 40)
    missed, alarms = [], []
    for attempt in range(n):
        for near in (False, True):
            root = tmp_path / f"{attempt}-{near}"
            shutil.copytree(published, root)
            stood = hashlib.sha256((root / "published" / "warehouse.duckdb").read_bytes()).digest()
            centers = dict(zip(CHECKS, rng.sample(CENTERS, 3), strict=True))
            for check, plant in FAULTS.items():
                plant(root, centers[check], rng, near)
            outcome = run(root)
            held = [d for d in outcome.deliveries if d.state == "held"]
            assert not held, held  # else nothing was compared

            stops, warnings = told([*outcome.messages]), told([*outcome.warnings])
            if near:
                alarms += [(attempt, *one) for one in stops | warnings]
                assert outcome.state == PUBLISHED
                continue
            wanted = {(check, center) for check, center in centers.items() if check in STOPS}
            missed += [(attempt, *one) for one in wanted ^ stops]
            # The two other centers have patients less as well, where rules hold what was planted there.
            missed += [(attempt, *one) for one in {("AUD-35", centers["AUD-35"])} - warnings]
            after = hashlib.sha256((root / "published" / "warehouse.duckdb").read_bytes()).digest()
            assert (outcome.exit_code, after) == (3, stood)
            shutil.rmtree(root)
    assert not missed, missed
    assert not alarms, alarms
    what = "patients who became others, are gone or alive again"
    figure("6, 8, 10", f"audit: {what}: not told with center", len(missed), 3 * n)
    figure("6, 8, 10", f"audit: nearly {what}: alarms", len(alarms), 3 * n)
