"""The demo study, made and run once as a user does it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from tests.conftest import Finished, carmony


@dataclass(frozen=True)
class Demo:
    """The demo study after its first run."""

    folder: Path
    first_run: Finished


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
