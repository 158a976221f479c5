"""What may not be read waits, is named with the file, and stops nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest
import small_study
from unprivileged import denied

from flows import pull
from flows.folder import StudyFolder
from flows.outcome import RunOutcome
from flows.run import RunRequest, run_study
from flows.show import Silent
from schemas.errors import StudyError
from warehouse.connect import query

pytestmark = pytest.mark.usefixtures("lenient")


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A study of two centers."""
    return small_study.make_study(tmp_path / "study", ("AA01", "BB02"))


def run(study: Path) -> RunOutcome:
    return run_study(RunRequest(str(study), report=False), Silent())


@pytest.mark.parametrize("place", ["", "2024-06-14", "2024-06-14/deep", "2024-06-14/risk.csv"])
def test_what_cannot_be_read_in_the_inbox_is_no_empty_delivery_but_waits_with_its_name(
    tmp_path: Path, place: str
) -> None:
    study = small_study.make_study(tmp_path / "study", ("AA01",))
    deep = study / "inbox" / "AA01" / "2024-06-14" / "deep"
    deep.mkdir()
    (deep / "more.csv").write_text("id\n1\n", encoding="utf-8")
    with denied(study / "inbox" / "AA01" / place):
        pulled = pull.pull_center(StudyFolder(study), "AA01")
    (problem,) = pulled.problems

    assert (problem.code, problem.can_pass, pulled.deliveries) == ("UNREADABLE", True, ())
    name = f"inbox/AA01/{place}".rstrip("/")
    assert problem.message.startswith(f"'{name}' cannot be read: Permission denied [UNREADABLE]")
    assert "\n  Fix: let the person who runs carmony read it" in problem.message
    assert "remove" not in problem.message
    assert len(pull.pull_center(StudyFolder(study), "AA01").deliveries) == 1


def test_a_spec_that_cannot_be_read_fails_only_its_center(two: Path) -> None:
    with denied(two / "centers" / "AA01.yaml"):
        first = run(two)
    (failure,) = first.failures

    assert (first.state, first.exit_code) == ("published", 1)
    assert (failure.center_id, failure.state, failure.code) == ("AA01", "waiting", "UNREADABLE")
    assert failure.message.startswith("'centers/AA01.yaml' cannot be read: Permission denied")
    assert [d.state for d in first.deliveries if d.center_id == "BB02"] == ["loaded"]
    healed = run(two)
    assert (healed.exit_code, [d.state for d in healed.deliveries]) == (0, ["loaded", "unchanged"])


def test_a_published_warehouse_that_cannot_be_read_is_told_as_that(tmp_path: Path) -> None:
    warehouse = tmp_path / "published" / "warehouse.duckdb"
    warehouse.parent.mkdir()
    warehouse.write_bytes(b"any")
    with denied(warehouse), pytest.raises(StudyError) as refused:  # the powers of this thread alone
        query(tmp_path, "select 1")
    shown = str(refused.value)

    assert "'warehouse.duckdb' cannot be read: Permission denied." in shown
    assert "the right to read its folder 'published'" in shown
    assert "open for writing" not in shown
