"""The versions that work together: a pin that drifts fails here, not in a hospital."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize("text", PROJECT["dependencies"])
def test_the_installed_version_is_within_its_bounds(text: str) -> None:
    wanted = Requirement(text)

    assert wanted.specifier.contains(metadata.version(wanted.name), prereleases=True)


def test_the_bounds_that_prefect_needs_are_declared() -> None:
    bounds = {r.name: r.specifier for r in map(Requirement, PROJECT["dependencies"])}

    # Newer ones fail silently or late: no flow starts, no schedule fires.
    assert not bounds["fastapi"].contains("0.151.0")
    assert not bounds["sqlalchemy"].contains("2.1.0")
    assert not bounds["pandas"].contains("3.0.0")


def test_telemetry_is_off_as_soon_as_flows_is_imported() -> None:
    code = (
        "import flows, os;"
        "print(*(os.environ[k] for k in ('PREFECT_SERVER_ANALYTICS_ENABLED', 'DO_NOT_TRACK',"
        " 'GX_ANALYTICS_ENABLED')))"
    )
    environment = {"PATH": "/usr/bin:/bin", "DO_NOT_TRACK": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )

    assert done.stdout.split() == ["false", "1", "false"]


@pytest.mark.slow
def test_server_and_entrypoint_can_be_imported() -> None:
    # `prefect deploy` succeeds even if the flow's imports are broken; the worker then crashes.
    code = (
        "import flows, prefect.server.api.server;"
        "from prefect.utilities.importtools import import_object;"
        "flow = import_object('flows/study_flow.py:study');"
        "print(flow.name, sorted(flow.parameters.properties))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ("study ['accept_fewer', 'centers', 'report', 'study', 'until']")


def test_the_way_to_the_staged_warehouse_imports_nothing_heavy(tmp_path: Path) -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    import small_study

    study = small_study.make_study(tmp_path / "study", ("AA01",))
    code = (
        "import sys\n"
        "from flows import center, stages\n"
        "from flows.outcome import DeliveryOutcome\n"
        "plan = stages.prepare(sys.argv[1], ())\n"
        "pulled = center.pull_center(plan['root'], 'AA01', None)\n"
        "outcomes = [DeliveryOutcome(**o) for o in center.process_center(plan['root'], pulled, False)]\n"
        "assert outcomes[0].state == 'loaded', outcomes\n"
        "load_id = stages.open_load(plan['root'], outcomes)\n"
        "assert stages.assemble(plan['root'], load_id)\n"
        "heavy = ('pandas', 'scipy', 'prefect', 'great_expectations', 'lifelines', 'pandera', 'pyarrow')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(study)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
