"""The demo study, made and run once as a user does it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
import yaml

from schemas.spec.plans import shipped_plans
from tests.conftest import Finished, carmony


@dataclass(frozen=True)
class Demo:
    """The demo study after its first run."""

    folder: Path
    first_run: Finished


def keep_last_round(study: Path) -> None:
    """Takes the deliveries of the first round away, where a test is not about what changes."""
    for first in study.glob("inbox/*/2024-06-14*"):
        shutil.rmtree(first)


def keep_centers(study: Path, *centers: str) -> None:
    """Takes all other centers away, where two show the same as twelve."""
    for spec in study.glob("centers/*.yaml"):
        if spec.stem not in centers:
            spec.unlink()
            shutil.rmtree(study / "inbox" / spec.stem)


def keep_displays(study: Path, *kinds: str) -> None:
    """Gives a study the shipped plan with displays of these kinds alone: models take long."""
    plan = yaml.safe_load(shipped_plans()["salvage_after_cart"].read_text(encoding="utf-8"))
    plan["displays"] = [display for display in plan["displays"] if display["kind"] in kinds]
    text = yaml.safe_dump(plan, sort_keys=False, allow_unicode=True)
    (study / "plan.yaml").write_text(text, encoding="utf-8")
    settings = study / "study.yaml"
    asked = settings.read_text(encoding="utf-8")
    assert "\nanalysis:" not in asked
    settings.write_text(f"{asked}\nanalysis: plan.yaml\n", encoding="utf-8")


@pytest.fixture(scope="session")
def demo(
    made_once: Callable[[str, Callable[[Path], object]], Path],
    demo_files: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Demo:
    """`carmony demo` and `carmony run`, both rounds in one, with the report; a copy of one's own."""

    def make(folder: Path) -> None:
        shutil.copytree(demo_files, folder / "study")
        done = carmony("run", folder / "study")
        (folder / "done.json").write_text(json.dumps(asdict(done)), encoding="utf-8")

    made = Path(
        shutil.copytree(made_once("demo-run", make), tmp_path_factory.mktemp("demo") / "made")
    )
    done = json.loads((made / "done.json").read_text(encoding="utf-8"))
    return Demo(made / "study", Finished(**done))
